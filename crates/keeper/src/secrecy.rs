//! What we know stays in memory: when one of our own processes dies of a fault, the system writes none of it to the disk.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};

/// The limit of processes that leave no core file. One, and not none: a system that hands cores to a program asks for no
/// limit, but takes this one as a sign that there is to be none.
const NO_CORE: u64 = 1;

/// Without a limit.
const UNLIMITED: u64 = u64::MAX;

/// What programs that we start may leave.
static THEIRS: AtomicU64 = AtomicU64::new(UNLIMITED);

/// What this process could leave before it was told not to.
static BEFORE: OnceLock<u64> = OnceLock::new();

/// From now on this process leaves no core file. Whatever it starts leaves none either, unless that is taken back; answers
/// what held before it was said for the first time.
pub fn leave_no_core() -> u64 {
    let before = getrlimit(Resource::Core);
    let first = *BEFORE.get_or_init(|| before.current.unwrap_or(UNLIMITED));
    let none = Rlimit {
        current: Some(before.maximum.map_or(NO_CORE, |most| most.min(NO_CORE))),
        ..before
    };
    let _ = setrlimit(Resource::Core, none);
    first
}

/// Says what programs may leave that this process, or one that is forked from it, starts.
pub(crate) fn programs_may_leave(core: u64) {
    THEIRS.store(core, Ordering::Relaxed);
}

/// In a process that is about to become a program: what it leaves is that program's own affair.
pub(crate) fn leave_as_programs_do() {
    let theirs = THEIRS.load(Ordering::Relaxed);
    let most = getrlimit(Resource::Core).maximum;
    let wanted = (theirs != UNLIMITED).then_some(theirs);
    let current = match (wanted, most) {
        (Some(wanted), Some(most)) => Some(wanted.min(most)),
        (wanted, most) => wanted.or(most),
    };
    let _ = setrlimit(
        Resource::Core,
        Rlimit {
            current,
            maximum: most,
        },
    );
}
