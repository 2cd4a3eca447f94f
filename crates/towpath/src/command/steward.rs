//! `towpath steward`: looks after one environment until everything in it has stopped. `up` starts it.

use crate::cli::Stewardship;
use crate::door::processes::{leave_session, say_ready, say_why};
use crate::failure::Failure;

pub(super) fn run(args: &Stewardship) -> Result<(), Failure> {
    leave_session();
    say_why(&format!("{} {}", args.folder.display(), args.env));
    say_ready();
    Err(Failure::told())
}
