//! `towpath rollout`: somebody looks on while a release comes, or says something about it.

use super::Context;
use super::releases::{ask, json};
use crate::cli::{Rollout as Args, Verb};
use crate::door::person;
use crate::failure::Failure;
use crate::following::steer;
use crate::releasing::{aim, before};
use crate::talk::wait;
use towpath_api::{CourseTold, Steering};

pub(super) fn run(context: &Context, args: Args) -> Result<(), Failure> {
    let here = aim(&args.toward.env, args.toward.manifest.as_deref()).map_err(before)?;
    if args.json {
        let told: CourseTold = ask(&here, "/course")?;
        return context.terminal.result(&json(&told)?);
    }
    let by = match (&args.reason, args.verb) {
        // What is skipped has its reason by itself.
        (Some(reason), Some(Verb::Pause | Verb::Resume | Verb::Abort | Verb::Approve)) => {
            format!("{}: {reason}", person::name())
        }
        _ => person::name(),
    };
    let (what, waits) = match args.verb {
        None => (Steering::Watch, true),
        Some(Verb::Pause) => (Steering::Pause, false),
        Some(Verb::Resume) => (Steering::Resume, true),
        Some(Verb::Abort) => (Steering::Abort, true),
        Some(Verb::Approve) => (Steering::Approve, true),
        Some(Verb::Skip) => (
            Steering::Skip {
                reason: args.reason.unwrap_or_default(),
            },
            true,
        ),
    };
    wait(steer(context.terminal, &here, what, (by, waits)))
}
