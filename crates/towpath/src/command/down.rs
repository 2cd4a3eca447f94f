//! `towpath down`: everything stops.

use super::Context;
use crate::attend::{Ended, attend};
use crate::cli::Down as Args;
use crate::door::clock::{Began, turns};
use crate::door::signals::Interrupts;
use crate::failure::{Failure, Kind};
use crate::here::{Here, Purpose};
use crate::talk::{self, failed, wait};
use crate::view::measure::bytes;
use crate::view::progress::{End, Progress, seconds};
use crate::view::tame;
use std::convert::Infallible;
use std::fmt::Write;
use std::time::Duration;
use towpath_api::{Client, ClientError, DownArgs, Status, WITHOUT_USAGE};
use towpath_model::run::State;

pub(super) fn run(context: &Context, args: Args) -> Result<(), Failure> {
    let here = Here::find(&args.among.words, args.among.env.as_deref(), Purpose::Running)?;
    if let Some(component) = here.components.first() {
        return Err(Failure::new(Kind::User, "`towpath down` stops everything")
            .hint(format!("`towpath stop {component}` stops one component")));
    }
    let what = here.title();
    if let Some(host) = here.elsewhere().filter(|_| args.delete_data) {
        let failure = Failure::new(
            Kind::User,
            format!("what {host} keeps is deleted on that machine alone"),
        );
        return Err(failure.hint(format!("`{}` stops everything and keeps it", here.again("down"))));
    }
    if here.elsewhere().is_none() && !here.state.is_there() {
        context
            .terminal
            .tell(&format!("nothing of {what} has ever run here\n"));
        return Ok(());
    }
    // Asked first: whoever says no wants it to go on.
    if args.delete_data && !args.yes {
        context.terminal.tell(&goes(&here));
        if !context.terminal.agrees("delete it?") {
            let failure = Failure::new(Kind::User, "nothing was stopped and nothing deleted");
            return Err(if context.terminal.answers {
                failure.hint("`towpath down` stops everything and keeps it")
            } else {
                failure.hint("nobody is here to be asked: `towpath down --delete-data --yes` does it")
            });
        }
    }
    wait(stop(context, &here, args.now))?;
    if args.delete_data {
        // Nobody starts anything in it meanwhile, and who has started something keeps it.
        let alone = here.state.start_alone()?;
        if wait(async {
            here.client()
                .is_there()
                .await
                .map_err(|error| failed(&error, &here))
        })? {
            return Err(Failure::new(
                Kind::Remote,
                "everything was started again meanwhile; nothing was deleted",
            )
            .hint(format!("`{}` does it", here.again("down --delete-data"))));
        }
        here.state.delete()?;
        drop(alone);
        context
            .terminal
            .tell(&format!("{} is deleted\n", here.state.folder().display()));
    }
    Ok(())
}

/// What is deleted, by name.
fn goes(here: &Here) -> String {
    let contents = here.state.contents();
    let weight: u64 = contents.iter().map(|(_, weight)| weight).sum();
    let mut text = format!(
        "this goes for ever, {} in {}:\n",
        bytes(weight),
        here.state.folder().display()
    );
    for (name, weight) in contents.iter().filter(|(_, weight)| *weight > 0) {
        let _ = writeln!(text, "  {name:20}  {:>9}  {}", bytes(*weight), meaning(name));
    }
    text
}

/// What something in the state folder is.
fn meaning(name: &str) -> &'static str {
    match name {
        "logs/" => "what components have written",
        "requests.log" | "requests.log.1" => "what was asked and answered",
        "edge.log" | "edge.log.1" => "what the edge has written",
        "steward.log" | "steward.log.1" => "what the steward has written",
        name if name.contains(".db") || name.contains("sqlite") => "the journal, with all that was ever done",
        name if name.starts_with("build") => "what builds have made",
        "resources/" => "what resources keep: rows, keys, objects",
        _ => "",
    }
}

/// Stops everything, and says so. Where the steward has died a new one stops what it has left behind.
async fn stop(context: &Context, here: &Here, now: bool) -> Result<(), Failure> {
    let mut interrupts = Interrupts::listen()?;
    let there = here.client().is_there().await;
    if !there.map_err(|error| failed(&error, here))? && !talk::is_left(here).await? {
        context
            .terminal
            .tell(&format!("nothing of {} runs\n", here.title()));
        return Ok(());
    }
    talk::call(here).await?.answered(here)?;
    finish(context, here, DownArgs { now }, &mut interrupts).await
}

/// How often a steward that dies while it stops everything is followed by another one: something is wrong with it then.
const MOST_DEATHS: u32 = 3;

/// Follows a stop to its end. Whoever gets impatient is obeyed, and a steward that dies meanwhile is followed by another:
/// that nobody answers does not say that nothing lives.
pub(super) async fn finish(
    context: &Context,
    here: &Here,
    mut how: DownArgs,
    interrupts: &mut Interrupts,
) -> Result<(), Failure> {
    let began = Began::now();
    let client = here.client();
    let mut progress = Progress::default();
    let mut deaths = 0;
    let patience = tell_who_takes_long(context, here);
    let mut patience = std::pin::pin!(patience);
    loop {
        let attended = match ask(&client, how).await {
            Err(ClientError::Nobody | ClientError::Cut) => Ok(Ended::Cut),
            Ok(mut answer) => tokio::select! {
                attended = attend(context.terminal, &mut answer, &mut progress, interrupts) => attended,
                never = &mut patience => match never {},
            },
            Err(error) => Err(error),
        };
        match attended.map_err(|error| failed(&error, here))? {
            Ended::Done(End::Gone) => break,
            Ended::Done(End::Settled { .. }) => {}
            Ended::Interrupted if how.now => {
                return Err(Failure::new(Kind::Remote, "not everything has stopped yet")
                    .hint(format!("`{}` tells what still runs", here.again("status"))));
            }
            Ended::Interrupted => {
                context.terminal.tell("stopping everything at once\n");
                how.now = true;
            }
            // It has gone because all was done.
            Ended::Cut if !talk::is_left(here).await? => break,
            Ended::Cut if deaths == MOST_DEATHS => return Err(failed(&ClientError::Cut, here)),
            Ended::Cut => {
                deaths += 1;
                context
                    .terminal
                    .tell("the steward has died; a new one stops what it has left behind\n");
                talk::call(here).await?.answered(here)?;
            }
        }
    }
    let took = seconds(began.took());
    context
        .terminal
        .tell(&format!("{} has stopped, in {took}\n", here.title()));
    Ok(())
}

/// So long nobody wonders what it waits for.
const WONDERS: Duration = Duration::from_secs(1);

/// So many of those that take long are named.
const MOST_NAMED: usize = 5;

/// Where nothing is shown live, it is said once who takes long to stop, and until when that is waited for.
async fn tell_who_takes_long(context: &Context, here: &Here) -> Infallible {
    if !context.terminal.live {
        turns(WONDERS).tick().await;
        let question = format!("/status?{WITHOUT_USAGE}");
        // Whoever does not answer is about to end.
        if let Ok(status) = here
            .client()
            .ask::<_, Status>(http::Method::GET, &question, &())
            .await
        {
            context.terminal.tell(&long(&status, &here.again("down --now")));
        }
    }
    std::future::pending().await
}

/// Who takes long to stop.
fn long(status: &Status, now: &str) -> String {
    let mut stopping: Vec<String> = Vec::new();
    for instance in status.components.iter().flat_map(|one| &one.instances) {
        if instance.state == State::Stopping {
            stopping.push(format!("{}  {}\n", instance.id, tame::plain(&instance.because)));
        }
    }
    if stopping.is_empty() {
        return String::new();
    }
    let more = stopping.len().saturating_sub(MOST_NAMED);
    let mut text = stopping[..stopping.len() - more].concat();
    if more > 0 {
        let _ = writeln!(text, "and {more} more");
    }
    let _ = writeln!(text, "`{now}` does not wait for that");
    text
}

async fn ask(client: &Client, how: DownArgs) -> Result<towpath_api::Answer, ClientError> {
    client.follow(http::Method::POST, "/down", &how).await
}
