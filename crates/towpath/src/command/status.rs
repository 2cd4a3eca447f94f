//! `towpath status`: how everything is.

use super::Context;
use crate::cli::Status as Args;
use crate::door::clock;
use crate::failure::{Failure, Kind};
use crate::here::{Here, Purpose};
use crate::talk;
use crate::view::status::{is_bad, status as shown};
use towpath_api::Status;

pub(super) fn run(context: &Context, args: Args) -> Result<(), Failure> {
    let here = Here::find(&args.among.words, args.among.env.as_deref(), Purpose::Running)?;
    let mut status = match talk::status(&here) {
        // A program is told the same shape whether anything runs or not; that nothing does is said besides.
        Err(failure) if args.json && failure.kind == Kind::Remote && here.elsewhere().is_none() => {
            let mut status = talk::unattended(&here)?;
            only(&mut status, &here.components);
            context.terminal.result(&json(&status)?)?;
            return Err(failure);
        }
        status => status?,
    };
    only(&mut status, &here.components);
    let unwell = status.components.iter().any(|one| is_bad(one.state));
    let text = if args.json {
        json(&status)?
    } else {
        shown(&status, clock::now())
    };
    context.terminal.result(&text)?;
    if unwell { Err(Failure::told()) } else { Ok(()) }
}

/// Leaves out what was not asked about.
fn only(status: &mut Status, components: &[String]) {
    if !components.is_empty() {
        status.components.retain(|one| components.contains(&one.name));
    }
}

/// For programs: the type as it is, which is kept stable.
fn json(status: &Status) -> Result<String, Failure> {
    let text = serde_json::to_string_pretty(status);
    text.map(|text| text + "\n").map_err(|error| {
        Failure::new(
            Kind::Internal,
            format!("the status cannot be written as JSON: {error}"),
        )
    })
}
