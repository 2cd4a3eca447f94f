//! `towpath rollback`: an earlier release is the current one again, at once.

use super::Context;
use crate::cli::Rollback as Args;
use crate::door::person;
use crate::failure::Failure;
use crate::following::steer;
use crate::releasing::{aim, before};
use crate::talk::wait;
use towpath_api::Steering;

pub(super) fn run(context: &Context, args: Args) -> Result<(), Failure> {
    let here = aim(&args.toward.env, args.toward.manifest.as_deref()).map_err(before)?;
    let what = Steering::Rollback(args.release);
    wait(steer(
        context.terminal,
        &here,
        what,
        (person::name(), !args.no_wait),
    ))
}
