//! The `towpath` binary.

use std::process::ExitCode;

fn main() -> ExitCode {
    // Before anything else: what is allocated here, every keeper would inherit.
    towpath_keeper::become_nursery_if_asked();
    towpath_keeper::let_go_if_started_as(towpath::STEWARD);
    towpath_keeper::let_go_if_started_as(towpath::EDGE);
    towpath::run()
}
