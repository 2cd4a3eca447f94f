//! Following a rollout: what a steward tells of it is shown as it comes, until it has ended, or holds.

use crate::awaited::Awaited;
use crate::door::clock::{Began, turns};
use crate::door::live::Live;
use crate::door::signals::Interrupts;
use crate::door::terminal::Terminal;
use crate::failure::{Failure, Kind};
use crate::here::Here;
use crate::talk::{MOST_DEATHS, failed, look};
use crate::view::course::{Asked, Following, Outcome, outcome};
use crate::view::tame;
use std::time::Duration;
use towpath_api::{Answer, Client, ClientError, CourseTold, Event, Steer, Steering};

/// Each turn of the live view.
const TURN: Duration = Duration::from_millis(100);

/// Asks for something about what is under way, and follows what comes of it.
pub(crate) async fn steer(
    terminal: Terminal,
    here: &Here,
    what: Steering,
    (by, wait): (String, bool),
) -> Result<(), Failure> {
    let answer = match what {
        Steering::Watch => watch(here).await?,
        what => {
            let client = crate::talk::called(here).await?;
            let asked = Steer { what, by, wait };
            let answer = client.follow(http::Method::POST, "/course", &asked).await;
            answer.map_err(|error| failed(&error, here))?
        }
    };
    let asked = Asked {
        wait,
        ..Asked::default()
    };
    follow(terminal, here, answer, &asked).await
}

/// Looks on. A steward that dies in this moment is followed by another one, which knows where it stands.
async fn watch(here: &Here) -> Result<Answer, Failure> {
    let asked = Steer {
        what: Steering::Watch,
        by: String::new(),
        wait: true,
    };
    look(here, async |client: Client| {
        client.follow(http::Method::POST, "/course", &asked).await
    })
    .await
}

/// Shows what is told until it ends, and says how it ended.
pub(crate) async fn follow(
    terminal: Terminal,
    here: &Here,
    mut answer: Answer,
    asked: &Asked,
) -> Result<(), Failure> {
    let began = Began::now();
    let mut interrupts = Interrupts::listen()?;
    let mut following = Following::default();
    let mut live = Live::new(terminal);
    let mut turns = turns(TURN);
    let mut last: Option<CourseTold> = None;
    let mut deaths = 0;
    let mut awaited = Awaited::default();
    loop {
        tokio::select! {
            event = answer.next::<Event>() => match event {
                Ok(Some(Event::Course(told))) => {
                    let line = following.hear(&told);
                    if asked.wait {
                        awaited.hear(here, &told, terminal).await;
                    }
                    last = Some(*told);
                    if let Some(line) = line.filter(|_| !terminal.live) {
                        terminal.tell(&line);
                    }
                }
                Ok(Some(Event::Note { text, .. })) => live.above(&format!("{}\n", tame::plain(&text))),
                Ok(Some(_)) => {}
                Ok(None) => break,
                Err(ClientError::Cut) if asked.wait && deaths < MOST_DEATHS => {
                    deaths += 1;
                    live.above("the steward has died; what runs goes on, and a new one takes over\n");
                    answer = watch(here).await?;
                }
                Err(ClientError::Cut) => return Err(cut(here)),
                Err(error) => return Err(failed(&error, here)),
            },
            _ = turns.tick(), if terminal.live && asked.wait => {
                let (columns, lines) = terminal.size();
                let room = (columns.saturating_sub(1), lines.saturating_sub(2));
                live.draw(&following.live(began.took(), room));
            }
            () = interrupts.next() => return Err(left(here)),
        }
    }
    live.clear();
    let Some(told) = last else { return Err(cut(here)) };
    end(terminal, here, &outcome(&told, &here.environment, asked))
}

fn end(terminal: Terminal, here: &Here, outcome: &Outcome) -> Result<(), Failure> {
    match outcome {
        Outcome::Well(text) => terminal.result(&format!("{text}\n")),
        Outcome::Failed(text) => {
            let hint = format!(
                "`towpath history {0}` tells the rest, and `towpath logs {0}` what it said",
                here.environment
            );
            Err(Failure::new(Kind::Config, text.clone()).hint(hint))
        }
        Outcome::Refused(text) => Err(Failure::new(Kind::User, text.clone())),
        Outcome::Held(text, hint) => Err(Failure::new(Kind::Held, text.clone()).hint(hint.clone())),
    }
}

/// The steward went away: what it has begun goes on with the next one.
fn cut(here: &Here) -> Failure {
    let message = "the steward went away before it had said how it ends";
    let hint = format!(
        "nothing is lost: it goes on with the next steward; `towpath rollout {}` looks on",
        here.environment
    );
    Failure::new(Kind::Held, message).hint(hint)
}

/// Somebody has typed Ctrl-C.
fn left(here: &Here) -> Failure {
    let hint = format!(
        "`towpath rollout {0}` looks on again, `towpath rollout {0} abort` lets it come back",
        here.environment
    );
    Failure::new(Kind::Held, "it goes on without anybody looking on").hint(hint)
}
