//! `towpath releases`: the releases of an environment, and what each is to it.

use super::Context;
use crate::cli::Told as Args;
use crate::door::clock;
use crate::failure::{Failure, Kind};
use crate::here::Here;
use crate::releasing::aim;
use crate::talk::{look, wait};
use crate::view::releases;
use towpath_api::{Client, Releases};

pub(super) fn run(context: &Context, args: &Args) -> Result<(), Failure> {
    let here = aim(&args.toward.env, args.toward.manifest.as_deref())?;
    let told: Releases = ask(&here, "/releases")?;
    if args.json {
        return context.terminal.result(&json(&told)?);
    }
    let text = releases::releases(&told, &here.environment, &clock::zone());
    context.terminal.result(&text)
}

/// What the steward says about releases.
pub(super) fn ask<T: serde::de::DeserializeOwned>(here: &Here, path: &str) -> Result<T, Failure> {
    wait(look(here, async |client: Client| {
        client.ask(http::Method::GET, path, &()).await
    }))
}

/// The same for programs.
pub(super) fn json(told: &impl serde::Serialize) -> Result<String, Failure> {
    serde_json::to_string_pretty(told)
        .map(|text| text + "\n")
        .map_err(|error| Failure::new(Kind::Internal, format!("it cannot be written as JSON: {error}")))
}
