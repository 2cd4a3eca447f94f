//! `towpath freeze` and `thaw`: nothing goes forward until a time, or goes forward again.

use super::Context;
use super::maintenance::coming;
use crate::cli::{Freeze, Thaw};
use crate::door::{clock, person};
use crate::failure::Failure;
use crate::following::steer;
use crate::releasing::aim;
use crate::talk::wait;
use towpath_api::Steering;

pub(super) fn freeze(context: &Context, args: &Freeze) -> Result<(), Failure> {
    let here = aim(&args.toward.env, args.toward.manifest.as_deref())?;
    let until = coming(&args.until, clock::now(), clock::zone())?;
    let what = Steering::Freeze {
        until,
        reason: args.reason.clone(),
    };
    wait(steer(context.terminal, &here, what, (person::name(), false)))
}

pub(super) fn thaw(context: &Context, args: &Thaw) -> Result<(), Failure> {
    let here = aim(&args.toward.env, args.toward.manifest.as_deref())?;
    wait(steer(
        context.terminal,
        &here,
        Steering::Thaw,
        (person::name(), false),
    ))
}
