//! The door to the clock: waiting for a condition, with a bound, and how long something took.
#![allow(clippy::disallowed_methods, reason = "this is the door to the clock")]

use std::time::{Duration, Instant};

/// How long is waited between two looks.
const BETWEEN: Duration = Duration::from_millis(20);

/// Looks until there is something to be seen or the time is up, and once at least.
pub(crate) fn wait_for<T>(bound: Duration, mut look: impl FnMut() -> Option<T>) -> Option<T> {
    let begun = Instant::now();
    loop {
        if let Some(seen) = look() {
            return Some(seen);
        }
        if begun.elapsed() >= bound {
            return None;
        }
        std::thread::sleep(BETWEEN);
    }
}

/// The present moment, to measure from.
pub(crate) fn start() -> Instant {
    Instant::now()
}

/// How many milliseconds have passed.
pub(crate) fn milliseconds_since(start: Instant) -> i64 {
    i64::try_from(start.elapsed().as_millis()).unwrap_or(i64::MAX)
}
