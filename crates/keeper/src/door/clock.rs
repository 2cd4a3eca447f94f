//! The clocks: one that tells the time, and one that counts it.
#![allow(clippy::disallowed_methods, reason = "this is the door to the clocks")]

use jiff::Timestamp;
use rustix::time::{ClockId, clock_gettime};

/// The time of day, to be told to people. It may jump.
pub(crate) fn now() -> Timestamp {
    Timestamp::now()
}

/// Milliseconds since the machine was started, its sleep included. It never jumps, whatever is done to the time of day.
pub(crate) fn moment() -> u64 {
    let time = clock_gettime(ClockId::Boottime);
    let millis = time.tv_sec.saturating_mul(1000) + time.tv_nsec / 1_000_000;
    u64::try_from(millis).unwrap_or_default()
}

/// Waits a moment in a process that has nothing else to do than to wait for the system.
pub(crate) fn pause(millis: u64) {
    std::thread::sleep(std::time::Duration::from_millis(millis));
}
