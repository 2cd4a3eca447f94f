//! `towpath steward`: looks after one environment until everything in it has stopped. `up` starts it.

use crate::cli::Stewardship;
use crate::door::processes::{leave_session, say_ready, say_why};
use crate::failure::Failure;

pub(super) fn run(args: &Stewardship) -> Result<(), Failure> {
    leave_session();
    let served = towpath_steward::serve(&args.folder, &args.env, say_ready);
    served.map_err(|error| {
        say_why(&error.to_string());
        Failure::told()
    })
}
