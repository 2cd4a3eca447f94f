//! `towpath gates` and `towpath gate`: what was asked of releases and what was answered, and what people say about it.

use super::Context;
use super::maintenance::coming;
use super::releases::{ask, json};
use crate::cli::{OnGate, OneGate, Told as Args};
use crate::door::{clock, git, person};
use crate::failure::Failure;
use crate::releasing::{aim, before};
use crate::talk::{called, failed, wait};
use crate::view::gates;
use std::path::Path;
use towpath_api::{AboutGate, Answered};
use towpath_model::run::{Approved, Waiver};

pub(super) fn run(context: &Context, args: &Args) -> Result<(), Failure> {
    let here = aim(&args.toward.env, args.toward.manifest.as_deref())?;
    let told: Answered = ask(&here, "/gates")?;
    if args.json {
        return context.terminal.result(&json(&told)?);
    }
    let text = gates::answered(&told, &here.environment, (clock::now(), &clock::zone()));
    context.terminal.result(&text)
}

pub(super) fn about(context: &Context, on: &OnGate) -> Result<(), Failure> {
    let now = clock::now();
    let (of, about, done) = match on {
        OnGate::Waive(args) => {
            let until = coming(&args.until, now, clock::zone())?;
            let waiver = Waiver {
                gate: args.of.gate.clone(),
                by: by(&args.of),
                reason: args.reason.clone(),
                at: now,
                until,
            };
            let done = format!("`{}` is waived until {until:.0}", args.of.gate);
            (&args.of, AboutGate::Waive(waiver), done)
        }
        OnGate::Unwaive(of) => {
            let about = AboutGate::Unwaive {
                gate: of.gate.clone(),
                by: by(of),
            };
            (of, about, format!("`{}` is not waived any more", of.gate))
        }
        OnGate::Approve(of) => {
            let approved = Approved {
                gate: of.gate.clone(),
                by: by(of),
                at: now,
            };
            let done = format!("{} says yes to `{}`", approved.by, of.gate);
            (of, AboutGate::Approve(approved), done)
        }
    };
    let here = aim(&of.toward.env, of.toward.manifest.as_deref()).map_err(before)?;
    wait(async {
        let client = called(&here).await?;
        let told: Result<Answered, _> = client.ask(http::Method::POST, "/gates", &about).await;
        told.map(drop).map_err(|error| before(failed(&error, &here)))
    })?;
    context.terminal.result(&format!("{done}\n"))
}

/// Who says so: by their address, where git knows it, since that is how the manifest names people.
fn by(of: &OneGate) -> String {
    let known = || git::person(Path::new(".")).unwrap_or_else(person::name);
    of.by.clone().unwrap_or_else(known)
}
