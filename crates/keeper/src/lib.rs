//! The tiny parent of one process instance.
//!
//! A steward may be killed at any moment, and what it started goes on running. So it is not the parent of what it starts:
//! each instance has a *keeper*, which starts it, reads its output into a log, starts it again when it ends, and sees to
//! it that nothing of it is left when it is over. A keeper is told what to do once, and then needs nobody.
//!
//! Keepers are forked, not executed. One process that has loaded the binary and done nothing else, the *nursery*, forks
//! each of them, so that they share all of its memory but the little that they write themselves. The nursery is given an
//! open socket for each keeper and never learns what is said over it; the order, with every secret in it, goes from the
//! steward to the keeper and is kept in its memory only.
//!
//! What an instance starts is a descendant of its keeper whatever it does, because a keeper is a *subreaper*: an orphan
//! falls to it and not to the first process of the machine. So "nothing is left" is a question that the system answers
//! without a doubt: the keeper has no children any more. When a keeper is killed, its child dies with it (a death
//! signal), and orphans fall to the nursery, which kills them; where there are cgroups, whoever finds the keeper gone
//! kills the whole group.

mod child;
mod command;
mod door;
mod groups;
mod keeper;
mod layout;
mod leftover;
mod lines;
mod logbook;
mod nursery;
mod process;
mod secrecy;
mod sweep;
mod talk;
pub mod wire;

pub use groups::{Grounds, Kept};
pub use layout::Layout;
pub use leftover::{Facts, Found};
pub use lines::{LONGEST_LINE, Record, Source};
pub use logbook::{KEPT_LOGS, ROTATED_AT};
pub use process::Memory;
pub use secrecy::leave_no_core;
pub use talk::connect_to;
/// The rule by which keepers start instances again, for engines that have no keepers and keep to the same.
pub use towpath_decide::restart;

/// The first argument by which the binary knows that it is a nursery. The second one is how many files what it starts may
/// have open: whoever starts it may have raised that for itself, and programs do not expect it. The third one is how large
/// the core file of such a program may be, for the same reason.
pub const NURSERY: &str = "keeper";

/// Becomes the nursery if that is what this process was started as, and otherwise returns at once. The binary calls it
/// before anything else: what it would allocate, every keeper would inherit.
pub fn become_nursery_if_asked() {
    if door::argument(1).as_deref() == Some(NURSERY) {
        let files = door::argument(2).and_then(|files| files.parse().ok());
        let core = door::argument(3).and_then(|core| core.parse().ok());
        process::leave(nursery::run(files, core));
    }
}

/// Gives memory back to the system that was freed and lies about. A steward that reads ten thousand components needs twice
/// of what it keeps, for a moment, and would never give it back otherwise.
pub fn give_back_memory() {
    process::give_back_memory();
}

/// Lets go of all files but the standard streams if this process was started under this name, which is its first argument:
/// whoever starts a daemon may hold locks and pipes that it would keep for as long as it lives. The binary calls it before
/// it has opened anything itself. Such a process knows secrets, and leaves no core file either.
pub fn let_go_if_started_as(name: &str) {
    if door::argument(1).as_deref() == Some(name) {
        process::close_inherited();
        leave_no_core();
    }
}
