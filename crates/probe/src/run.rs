//! One run: a visitor who does one step after the other.

use crate::aim::{Aim, Base};
use crate::door::clock::{self, Moment};
use crate::door::processes;
use crate::socket::Socket;
use crate::stream::spoken;
use crate::{failed, unasked};
use std::time::Duration;
use towpath_decide::gate::probe::{Act, Broken, Request, Run, Script, Seen, Step, met};
use towpath_model::Sealed;

/// The pause before something is asked again.
const AGAIN: Duration = Duration::from_millis(250);

/// The variable that says to a command where the component is asked.
const URL: &str = "TOWPATH_PROBE_URL";

/// The variable that says to a command which probe it is.
const NAME: &str = "TOWPATH_PROBE";

/// A visitor.
pub(crate) struct Session<'a> {
    name: &'a str,
    pub(crate) aim: &'a Aim,
    /// Whom it asks; nothing where nothing runs.
    pub(crate) base: Option<&'a Base>,
    /// When the probe began.
    pub(crate) begun: Moment,
    /// What it holds open.
    pub(crate) sockets: Vec<Socket>,
    /// Every answer so far was the right one.
    pub(crate) is_met: bool,
}

impl<'a> Session<'a> {
    /// The visitor of a run.
    pub(crate) fn new(name: &'a str, aim: &'a Aim, number: u32, begun: Moment) -> Self {
        let number = usize::try_from(number).unwrap_or(0);
        let base = number
            .checked_rem(aim.at.len())
            .and_then(|index| aim.at.get(index));
        Session {
            name,
            aim,
            base,
            begun,
            sockets: Vec::new(),
            is_met: true,
        }
    }

    /// Does all steps, up to the first that is not as it should be.
    pub(crate) async fn run(&mut self, script: &Script) -> Run {
        let begun = clock::now();
        let mut seen = Vec::new();
        // A single step ends within that time by itself, and says more about what was late.
        let within = script.within.filter(|_| script.steps.len() > 1);
        let broken = match within {
            None => self.steps(&script.steps, &mut seen).await,
            Some(within) => {
                let done = self.steps(&script.steps, &mut seen);
                let done = tokio::time::timeout(within.to_std(), done).await;
                done.unwrap_or_else(|_| {
                    Err(failed(format!("all of it may take {within}, and that was over")))
                })
            }
        };
        let took = begun.elapsed();
        self.sockets.clear();
        Run {
            seen,
            broken: broken.err(),
            took,
        }
    }

    async fn steps(&mut self, steps: &[Step], all: &mut Vec<Seen>) -> Result<(), Broken> {
        for step in steps {
            let seen = self.step(step).await?;
            self.is_met = met(step, &seen).is_ok();
            all.push(seen);
            if !self.is_met {
                return Ok(());
            }
        }
        Ok(())
    }

    async fn step(&mut self, step: &Step) -> Result<Seen, Broken> {
        let bound = step.bound.to_std();
        let once = bound.min(step.timeout.to_std());
        if !matches!(step.act, Act::WebSocket(_)) {
            self.sockets.iter_mut().for_each(Socket::forget);
        }
        match &step.act {
            Act::Http(request) => self.ask(request, bound).await,
            Act::WebSocket(request) => self.hear(step, request).await,
            Act::Tcp(place) => self.connect(place, bound).await,
            Act::Sql { text, on } => self.query(text, on.as_deref(), bound).await,
            Act::Queue { list, body, on } => self.put(list, body.as_ref(), on.as_deref(), bound).await,
            Act::Command(command) => self.command(command, bound).await,
            Act::Wait(request) => self.wait(step, request, once).await,
            Act::Fixture { request, file, .. } => self.ask_with(request, file, bound).await,
        }
    }

    /// Asks again until the answer is right or the time is over.
    async fn wait(&self, step: &Step, request: &Request, once: Duration) -> Result<Seen, Broken> {
        let begun = clock::now();
        let bound = step.bound.to_std();
        let mut last = Err(failed("it was not asked"));
        loop {
            let left = begun.left(bound);
            if left.is_zero() {
                break;
            }
            match self.ask(request, once.min(left)).await {
                Ok(seen) => {
                    let seen = Seen {
                        took: begun.elapsed(),
                        ..seen
                    };
                    if met(step, &seen).is_ok() {
                        return Ok(seen);
                    }
                    last = Ok(seen);
                }
                // What cannot be asked now cannot be asked in a moment either.
                Err(Broken::Unknown(why)) => return Err(Broken::Unknown(why)),
                // The time was over before an answer could come: what came before says more.
                Err(_) if begun.left(bound).is_zero() && last.is_ok() => break,
                Err(why) => last = Err(why),
            }
            tokio::time::sleep(AGAIN.min(begun.left(bound))).await;
        }
        last.map_err(|broken| match broken {
            Broken::Failed(why) => failed(format!("in {} no answer was right: {why}", spoken(bound))),
            other => other,
        })
    }

    /// Runs a command to its end.
    async fn command(&self, command: &str, bound: Duration) -> Result<Seen, Broken> {
        let mut env = self.aim.env.clone();
        env.push((NAME.to_owned(), Sealed::new(self.name.to_owned())));
        env.extend(self.base.map(|base| (URL.to_owned(), Sealed::new(base.url()))));
        let begun = clock::now();
        let ended = processes::run(command, &self.aim.folder, &env, bound).await;
        let ended = ended.map_err(|error| unasked(format!("it cannot be started: {error}")))?;
        let said = last_words(&ended.complaints).or_else(|| last_words(&ended.output));
        let said = said.unwrap_or_default();
        match ended.status {
            Some(status) if status.success() => Ok(Seen {
                took: begun.elapsed(),
                body: ended.output,
                ..Seen::default()
            }),
            Some(status) => Err(failed(processes::how(status) + &said)),
            None => Err(failed(format!(
                "it still ran after {}, and was ended{said}",
                spoken(bound)
            ))),
        }
    }
}

/// The last line that says something, to stand behind what happened.
fn last_words(text: &str) -> Option<String> {
    let line = text.lines().rev().find(|line| !line.trim().is_empty())?;
    Some(format!(": {}", line.trim()))
}
