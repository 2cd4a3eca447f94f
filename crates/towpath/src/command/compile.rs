//! `towpath compile`: says what would be started, for a steward whose manifest has changed.

use super::Context;
use super::up::{apply, launch};
use crate::cli::Compile as Args;
use crate::failure::{Failure, Kind};
use crate::here::{Here, Purpose};

pub(super) fn run(context: &Context, args: Args) -> Result<(), Failure> {
    let here = Here::find(&args.among.words, args.among.env.as_deref(), Purpose::Start)?;
    let launched = launch(context, &here)?;
    let said = serde_json::to_string(&apply(&here, false, launched)).map_err(|error| {
        Failure::new(
            Kind::Internal,
            format!("what would be started cannot be said: {error}"),
        )
    })?;
    context.terminal.result(&said)
}
