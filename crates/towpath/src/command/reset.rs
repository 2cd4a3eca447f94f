//! `towpath data reset`: a resource loses all that it keeps, and begins again.
//!
//! What it keeps is moved aside under one name, which is done or not, and deleted after that. So whoever is killed in the
//! middle leaves the old or nothing; what stands aside then is deleted by the next start.

use super::keep::{Act, carry_out, report};
use super::shell::elsewhere;
use super::{Context, keep};
use crate::cli::Reset as Args;
use crate::failure::{Failure, Kind};
use crate::here::{Here, Purpose};
use crate::talk::{self, wait};
use crate::view::measure::bytes;
use towpath_api::Status;
use towpath_model::run::State;

pub(super) fn run(context: &Context, args: Args) -> Result<(), Failure> {
    let here = Here::find(&args.upon.words, args.upon.env.as_deref(), Purpose::Running)?;
    let name = named(&here)?;
    let Some(weight) = here.state.kept_by(&name) else {
        context
            .terminal
            .tell(&format!("{name} keeps nothing here in {}\n", here.environment));
        return Ok(());
    };
    let attended = wait(attended(&here))?;
    let status = if attended {
        Some(talk::status(&here)?)
    } else {
        None
    };
    let stops = status
        .as_ref()
        .map_or_else(Vec::new, |status| running(&here, &name, status));
    if let Some(status) = &status
        && status.components.iter().all(|one| one.name != name)
    {
        return Err(elsewhere(&here, &name));
    }
    if !args.yes {
        ask(context, &here, &name, weight, &stops)?;
    }
    match status {
        Some(_) => while_stopped(context, &here, &name, &stops),
        None => at_rest(context, &here, &name),
    }
}

/// Empties what does not run, and what nobody starts meanwhile.
fn at_rest(context: &Context, here: &Here, name: &str) -> Result<(), Failure> {
    let alone = here.state.start_alone()?;
    if wait(attended(here))? {
        return Err(started_again(name));
    }
    empty(here, name)?;
    drop(alone);
    let up = here.again("up");
    context
        .terminal
        .tell(&format!("{name} is empty; `{up}` starts it fresh\n"));
    Ok(())
}

/// Stops those who use it and itself, empties it, and starts all of them again.
fn while_stopped(context: &Context, here: &Here, name: &str, stops: &[String]) -> Result<(), Failure> {
    let users = |verb| -> Vec<Act> { stops.iter().map(|one| Act::of(one, verb)).collect() };
    // First those who would miss it.
    let stopped = (stops.is_empty() || carry_out(context, here, &users("stop"))?)
        && carry_out(context, here, &[Act::of(name, "stop")])?;
    let emptied = match stopped {
        true => empty(here, name),
        false => Err(
            Failure::new(Kind::Remote, format!("nothing of {name} was deleted"))
                .hint("it was interrupted before everything had stopped"),
        ),
    };
    // What was running runs again, whatever came of it.
    let mut again = vec![Act::of(name, "start")];
    again.extend(users("start"));
    let started = carry_out(context, here, &again);
    emptied?;
    if started? {
        report(context, here, &again)
    } else {
        keep::goes_on(context)
    }
}

/// The resource that is named.
fn named(here: &Here) -> Result<String, Failure> {
    let [name] = here.components.as_slice() else {
        return Err(
            Failure::new(Kind::User, "one resource is emptied at a time: name it")
                .hint("such as `towpath data reset db`; `towpath down --delete-data` deletes everything"),
        );
    };
    match here.names.table(name) {
        Some("postgres" | "redis" | "bucket") | None => Ok(name.clone()),
        Some(table) => Err(Failure::new(
            Kind::User,
            format!("`{name}` is a {table}, and keeps nothing that could be deleted"),
        )
        .hint("name a resource: what stands in [postgres], [redis] or [bucket]")),
    }
}

/// Whether somebody looks after what runs. Where something runs and nobody does, that is for a person to see to first.
async fn attended(here: &Here) -> Result<bool, Failure> {
    let there = here.client().is_there().await;
    if there.map_err(|error| talk::failed(&error, here))? {
        return Ok(true);
    }
    match talk::lives_on(here).await? {
        true => Err(talk::orphaned(here)),
        false => Ok(false),
    }
}

/// Those who use it and are not stopped.
fn running(here: &Here, name: &str, status: &Status) -> Vec<String> {
    let known = here.known();
    let uses = |component: &str| {
        let component = known.as_ref().and_then(|known| known.components.get(component));
        component.is_some_and(|one| one.needs.iter().any(|need| need.name.as_str() == name))
    };
    let all = status.components.iter();
    all.filter(|one| one.state != State::Stopped && uses(&one.name))
        .map(|one| one.name.clone())
        .collect()
}

/// Says what goes, and asks.
fn ask(context: &Context, here: &Here, name: &str, weight: u64, stops: &[String]) -> Result<(), Failure> {
    let kind = here.names.table(name).unwrap_or("resource");
    let stop = match stops {
        [] => String::new(),
        stops => format!("\nstopped meanwhile, and started again: {}", stops.join(", ")),
    };
    context.terminal.tell(&format!(
        "this goes for ever: everything in {kind} {name} of {}, {}{stop}\n",
        here.title(),
        bytes(weight)
    ));
    if context.terminal.agrees("delete it?") {
        return Ok(());
    }
    let failure = Failure::new(Kind::User, "nothing was stopped and nothing deleted");
    Err(match context.terminal.answers {
        true => failure,
        false => failure.hint(format!(
            "nobody is here to be asked: `{} --yes` does it",
            here.again(&format!("data reset {name}"))
        )),
    })
}

fn empty(here: &Here, name: &str) -> Result<(), Failure> {
    match here.state.take_away(name)? {
        true => Ok(()),
        false => Err(started_again(name)),
    }
}

fn started_again(name: &str) -> Failure {
    Failure::new(
        Kind::Remote,
        format!("{name} was started again meanwhile; nothing was deleted"),
    )
    .hint("do it again")
}
