//! `towpath history`: what has happened to releases, the newest first.

use super::Context;
use super::releases::{ask, json};
use crate::cli::Told as Args;
use crate::door::clock;
use crate::failure::Failure;
use crate::releasing::aim;
use crate::view::releases;
use towpath_api::History;

pub(super) fn run(context: &Context, args: &Args) -> Result<(), Failure> {
    let here = aim(&args.toward.env, args.toward.manifest.as_deref())?;
    let told: History = ask(&here, "/history")?;
    if args.json {
        return context.terminal.result(&json(&told)?);
    }
    let text = releases::history(&told, &here.environment, &clock::zone());
    context.terminal.result(&text)
}
