//! `towpath up`: the product runs here, and its logs are followed until somebody wants to stop.
//!
//! The first `up` owns what runs: when it goes, everything stops. Another one that comes meanwhile asks for the same thing,
//! follows the same logs, and stops nothing when it goes. With `--detach` nobody owns it, until `up` comes again.

use super::Context;
use super::logs::{self, print};
use crate::attend::{Ended, attend};
use crate::cli::Up as Args;
use crate::door::clock;
use crate::door::processes::Hatchling;
use crate::door::signals::Interrupts;
use crate::door::state::Owner;
use crate::door::terminal::Terminal;
use crate::failure::{Failure, Kind};
use crate::here::{Here, Purpose};
use crate::launched;
use crate::talk::{self, MOST_DEATHS, failed, wait};
use crate::tools::supply;
use crate::view::addresses::{addresses, same_addresses};
use crate::view::failures::{self, Ailing, failures};
use crate::view::lines::{ENGINE, Lines};
use crate::view::paint;
use crate::view::progress::{End, Heard, Progress};
use crate::view::status::is_bad;
use jiff::Timestamp;
use std::time::Duration;
use towpath_api::{
    Answer, Apply, ClientError, Component, DownArgs, Event, LogArgs, LogLine, Same, Status, WITHOUT_USAGE,
};
use towpath_decide::launch::tools::requirements;
use towpath_decide::launch::{self, Launched};
use towpath_model::run::{Listen, State};
use towpath_model::sealed::Sealed;

/// How long something outside may take to say how it is.
const LOOK: Duration = Duration::from_secs(2);

/// The lines that are shown of what was said before somebody looked.
const BEFORE: usize = 200;

pub(super) fn run(context: &Context, args: Args) -> Result<(), Failure> {
    let env = args.among.env.as_deref();
    wait(async {
        let said = said(&args);
        let guess = Here::guess(&args.among.words, env).filter(|_| !args.build && said.is_none());
        if let Some(here) = guess
            && let Some(same) = same(&here).await
        {
            let session = Session::begin(context, &here, &args, None)?;
            return session.run(Wanted::Same(same)).await;
        }
        let here = Here::find(&args.among.words, env, Purpose::Start)?;
        // It gets ready while the manifest is read.
        let calling = talk::call(&here).await?;
        let launched = match launch(context, &here) {
            Ok(launched) => launched,
            Err(failure) => {
                calling.never_mind();
                return Err(failure);
            }
        };
        let hatchling = calling.answered(&here)?;
        if let Err(failure) = supply(context.terminal, &requirements(&launched.product), args.yes) {
            if let Some(hatchling) = hatchling {
                hatchling.send_away();
            }
            return Err(failure);
        }
        look_at_bound(context, &launched).await;
        let listen = match listening(&here, said.as_ref(), &launched).await {
            Ok(listen) => listen,
            Err(failure) => {
                if let Some(hatchling) = hatchling {
                    hatchling.send_away();
                }
                return Err(failure);
            }
        };
        let mut apply = apply(&here, args.build, launched);
        apply.listen = listen;
        apply.steady = args.detach;
        Session::begin(context, &here, &args, hatchling)?
            .run(Wanted::Apply(Box::new(apply)))
            .await
    })
}

/// Where the edge listens by what was typed, if anything was.
fn said(args: &Args) -> Option<Listen> {
    let said = Listen {
        addresses: args.listen.clone(),
        https: args.https,
        http: args.http,
    };
    (said != Listen::default()).then_some(said)
}

/// Where the edge listens, where somebody has said so. One that is not there yet has to be able to: what runs and cannot be
/// reached serves nobody.
async fn listening(
    here: &Here,
    said: Option<&Listen>,
    launched: &Launched,
) -> Result<Option<Listen>, Failure> {
    let listen = match said {
        Some(said) => {
            let checked = here.check();
            let desired = checked
                .product(Some(&here.environment))
                .map(|(desired, _)| desired)?;
            Some(launch::listening(
                &desired.edge,
                &launched.product.environment,
                said,
            ))
        }
        None => None,
    };
    let wanted = listen.as_ref().unwrap_or(&launched.product.front.listen);
    let config = super::steward_config(&here.folder, &here.environment)?;
    if !towpath_steward::edge_is_there(&config).await {
        towpath_steward::can_listen(wanted, &here.environment)
            .map_err(|why| Failure::new(Kind::Remote, why.message).hint(why.hint))?;
    }
    Ok(listen)
}

/// Asks the resources that somebody else has whether they can be reached and are of their version. One that is not may come
/// while everything starts, so it stops nothing; but it is said before whoever needs it fails.
async fn look_at_bound(context: &Context, launched: &Launched) {
    let looks = launched.bound.iter().filter_map(|bound| {
        let address = launched.values.get(&bound.secret)?;
        let look = towpath_resource::check(address, bound.version.as_deref(), LOOK);
        Some(async move { (bound, look.await) })
    });
    for (bound, looked) in futures_util::future::join_all(looks).await {
        if let Err(error) = looked {
            let hint = error.hint().map(|hint| format!("\n  help: {hint}"));
            let warning = paint::yellow("warning");
            let (name, hint) = (&bound.name, hint.unwrap_or_default());
            context.terminal.tell(&format!(
                "{warning}: {name}, which is bound by {}: {error}{hint}\n",
                bound.secret
            ));
        }
    }
}

/// What a steward says that has nothing to do; nothing where it has, or where there is none.
async fn same(here: &Here) -> Option<Same> {
    let asked = here
        .client()
        .ask::<_, Same>(http::Method::POST, "/same", &())
        .await;
    asked.ok().filter(|same| same.same)
}

/// Everything that can be started, or what stands in its way.
pub(super) fn launch(context: &Context, here: &Here) -> Result<Launched, Failure> {
    let terminal = context.terminal;
    let mut tell = |text: &str| terminal.tell(text);
    launched::launch_checked(
        &here.place,
        &here.check(),
        Some(&here.environment),
        &here.components,
        terminal.color_errors,
        &mut tell,
    )
}

/// What is asked for.
pub(super) fn apply(here: &Here, build: bool, launched: Launched) -> Apply {
    let open = |(name, value): (String, Sealed<String>)| (name, value.open().clone());
    Apply {
        product: launched.product,
        values: launched.values.into_iter().map(open).collect(),
        base: launched.base.into_iter().map(open).collect(),
        only: here.components.clone(),
        build,
        steady: false,
        listen: None,
        manifest: here.folder.join(here.file()).to_string_lossy().into_owned(),
    }
}

/// A line as it is told of a component: what was said about it is told from what it said.
fn said_by(line: &LogLine) -> String {
    match line.stream.as_str() {
        ENGINE => format!("-- {}", line.text),
        _ => line.text.clone(),
    }
}

/// What a session is about.
enum Wanted {
    /// Everything is as it was asked for earlier.
    Same(Same),
    /// Something may have changed.
    Apply(Box<Apply>),
}

/// An `up` from its first question to its end.
struct Session<'a> {
    context: &'a Context,
    here: &'a Here,
    /// Nobody, where it is to run on.
    owner: Option<Owner>,
    hatchling: Option<Hatchling>,
    interrupts: Interrupts,
}

/// What comes after a part of a session.
enum Next {
    /// The session is over.
    Over,
    /// Somebody wants to go.
    Leave,
    /// The steward has died.
    TakeOver,
}

impl<'a> Session<'a> {
    fn begin(
        context: &'a Context,
        here: &'a Here,
        args: &Args,
        hatchling: Option<Hatchling>,
    ) -> Result<Self, Failure> {
        Ok(Session {
            context,
            here,
            owner: if args.detach {
                None
            } else {
                Some(here.state.own()?)
            },
            hatchling,
            interrupts: Interrupts::listen()?,
        })
    }

    async fn run(mut self, mut wanted: Wanted) -> Result<(), Failure> {
        let mut since = clock::now();
        for _ in 0..MOST_DEATHS {
            let next = match &mut wanted {
                Wanted::Same(same) => self.look_on(same, &mut since).await?,
                Wanted::Apply(apply) => self.attend(apply, &mut since).await?,
            };
            match next {
                Next::Over => return Ok(()),
                Next::Leave => return self.leave().await,
                Next::TakeOver => self.take_over().await?,
            }
            match &mut wanted {
                // What it was asked to build it has built, or it failed and is said to have.
                Wanted::Apply(apply) => apply.build = false,
                Wanted::Same(_) => {
                    let launched = launch(self.context, self.here)?;
                    let mut apply = apply(self.here, false, launched);
                    apply.steady = self.owner.is_none();
                    wanted = Wanted::Apply(Box::new(apply));
                }
            }
        }
        let log = self.here.state.log();
        Err(
            Failure::new(Kind::Remote, "the steward dies again and again").hint(format!(
                "{} says why; what runs goes on under its keepers",
                log.display()
            )),
        )
    }

    /// Starts a new steward in place of one that has died.
    async fn take_over(&mut self) -> Result<(), Failure> {
        self.tell("the steward has died; what runs goes on, and a new one takes over\n");
        if let Some(hatchling) = &mut self.hatchling {
            hatchling.bury();
        }
        if let Some(hatchling) = talk::call(self.here).await?.answered(self.here)? {
            self.hatchling = Some(hatchling);
        }
        Ok(())
    }

    /// There is nothing to do: what is said is followed.
    async fn look_on(&mut self, known: &Same, since: &mut Timestamp) -> Result<Next, Failure> {
        self.context.terminal.result(&same_addresses(known))?;
        if self.owner.is_none() {
            return Ok(Next::Over);
        }
        self.tell(&self.ends());
        let names = known.addresses.iter().map(|(name, _)| name.as_str());
        self.follow(Lines::new(names, None), since).await
    }

    /// Asks for what is wanted, shows how it comes, and then what is said.
    async fn attend(&mut self, apply: &Apply, since: &mut Timestamp) -> Result<Next, Failure> {
        let client = self.here.client();
        let mut progress = Progress::default();
        let here = self.here;
        let told = |error: ClientError| failed(&error, here);
        let mut answer = match client.follow(http::Method::POST, "/apply", apply).await {
            Err(ClientError::Nobody | ClientError::Cut) => return Ok(Next::TakeOver),
            answer => answer.map_err(told)?,
        };
        let ended = attend(
            self.context.terminal,
            &mut answer,
            &mut progress,
            &mut self.interrupts,
        )
        .await;
        let (well, idle) = match ended.map_err(told)? {
            Ended::Done(End::Settled { well, idle }) => (well, idle),
            Ended::Done(End::Gone) => return Ok(self.gone()),
            Ended::Interrupted => return Ok(Next::Leave),
            Ended::Cut => return Ok(Next::TakeOver),
        };
        let question = format!("/status?{WITHOUT_USAGE}");
        let status: Status = match client.ask(http::Method::GET, &question, &()).await {
            Err(ClientError::Nobody | ClientError::Cut) => return Ok(Next::TakeOver),
            status => status.map_err(told)?,
        };
        self.show(&status, idle && well)?;
        if !well {
            self.show_failures(&status, &progress).await;
        }
        if self.owner.is_none() {
            return if well {
                Ok(Next::Over)
            } else {
                Err(Failure::told())
            };
        }
        self.tell(&self.ends());
        let names = status.components.iter().map(|one| one.name.as_str());
        let lines = Lines::new(names, None).knowing(&status.components);
        self.follow(lines, since).await
    }

    /// The addresses.
    fn show(&self, status: &Status, idle: bool) -> Result<(), Failure> {
        if idle {
            self.tell(&format!(
                "{} in {}: nothing to do\n",
                status.product, status.environment
            ));
        }
        self.context.terminal.result(&addresses(status))?;
        for note in &status.notes {
            self.tell(&format!("note: {}\n", crate::view::tame::plain(note)));
        }
        Ok(())
    }

    /// What is not well, with what it said last.
    async fn show_failures(&self, status: &Status, progress: &Progress) {
        let bad: Vec<&Component> = status.components.iter().filter(|one| is_bad(one.state)).collect();
        let mut ailing = Vec::new();
        for component in bad.iter().take(failures::MOST) {
            let mut said = self.last_words(&component.name).await;
            if said.is_empty() {
                said = progress.built(&component.name);
            }
            ailing.push(Ailing { component, said });
        }
        self.tell(&failures(&ailing, bad.len() - ailing.len()));
    }

    /// What a component said last. Where that cannot be learned, its state says enough.
    async fn last_words(&self, component: &str) -> Vec<String> {
        let question = LogArgs {
            components: vec![component.to_owned()],
            last: Some(failures::LINES),
            ..LogArgs::default()
        };
        let asked = self
            .here
            .client()
            .follow(http::Method::POST, "/logs", &question)
            .await;
        let mut said = Vec::new();
        if let Ok(mut answer) = asked {
            while let Ok(Some(line)) = answer.next::<LogLine>().await {
                said.push(said_by(&line));
            }
        }
        said
    }

    /// What happens when somebody types Ctrl-C.
    fn ends(&self) -> String {
        match &self.owner {
            Some(Owner::Other { pid }) => {
                let who = pid.map(|pid| format!(" (process {pid})")).unwrap_or_default();
                format!(
                    "another `towpath up`{who} owns it: Ctrl-C leaves it running; `{}` stops it\n",
                    self.here.again("down")
                )
            }
            _ => "Ctrl-C stops everything\n".to_owned(),
        }
    }

    /// Shows what is said until somebody wants to go.
    async fn follow(&mut self, mut lines: Lines, since: &mut Timestamp) -> Result<Next, Failure> {
        let question = LogArgs {
            components: self.here.components.clone(),
            since: Some(*since),
            last: Some(BEFORE),
            follow: true,
        };
        let asked = self
            .here
            .client()
            .follow(http::Method::POST, "/logs", &question)
            .await;
        let mut answer = match asked {
            Err(ClientError::Nobody | ClientError::Cut) => return Ok(Next::TakeOver),
            answer => answer.map_err(|error| failed(&error, self.here))?,
        };
        // What the steward itself has to say comes between the lines.
        let client = self.here.client();
        let events = client.follow(http::Method::GET, "/events", &()).await.ok();
        let terminal = self.context.terminal;
        let next = tokio::select! {
            () = heard(terminal, events) => self.gone(),
            ended = print(terminal, &mut answer, &mut lines) => match ended? {
                logs::Ended::Unread => Next::Leave,
                logs::Ended::Done => self.gone(),
                logs::Ended::Cut => Next::TakeOver,
            },
            () = self.interrupts.next() => Next::Leave,
        };
        *since = clock::now();
        Ok(next)
    }

    /// Somebody else has stopped everything.
    fn gone(&self) -> Next {
        self.tell("everything was stopped by somebody else\n");
        Next::Over
    }

    /// Goes: and everything with it, where it is ours.
    async fn leave(mut self) -> Result<(), Failure> {
        match &self.owner {
            Some(Owner::We { .. }) => {
                self.tell("\nstopping everything; Ctrl-C once more does it at once\n");
                super::down::finish(
                    self.context,
                    self.here,
                    DownArgs { now: false },
                    &mut self.interrupts,
                )
                .await
            }
            _ => {
                self.tell(&format!("\nit runs on; `{}` stops it\n", self.here.again("down")));
                Ok(())
            }
        }
    }

    fn tell(&self, text: &str) {
        self.context.terminal.tell(text);
    }
}

/// Tells what the steward says, and which component cannot go on by itself. It ends when everything has stopped; that the
/// steward dies is seen elsewhere.
async fn heard(terminal: Terminal, events: Option<Answer>) {
    let mut progress = Progress::default();
    if let Some(mut events) = events {
        while let Ok(Some(event)) = events.next::<Event>().await {
            let fails = matches!(event, Event::State { state, .. } if matches!(state, State::Failed | State::Degraded));
            match progress.hear(&event, Duration::ZERO) {
                Heard::Always(line) => terminal.tell(&line),
                Heard::Plain(line) if fails => terminal.tell(&line),
                _ => {}
            }
            if progress.end.take() == Some(End::Gone) {
                return;
            }
        }
    }
    std::future::pending().await
}
