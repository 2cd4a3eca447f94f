//! The door to the clock.
#![allow(clippy::disallowed_methods, reason = "this is the door to the clock")]

use std::sync::OnceLock;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// Now, by a clock that never jumps.
pub(crate) fn now() -> Instant {
    Instant::now()
}

/// Milliseconds since this was first asked, and one: zero can stand for never.
pub(crate) fn millis() -> u64 {
    static START: OnceLock<Instant> = OnceLock::new();
    u64::try_from(START.get_or_init(Instant::now).elapsed().as_millis()).unwrap_or(u64::MAX - 1) + 1
}

/// The time of day, as it has passed since 1970. It may jump either way.
pub(crate) fn since_epoch() -> Duration {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default()
}

/// When this was first asked, in milliseconds since 1970.
pub(crate) fn began() -> u64 {
    static BEGAN: OnceLock<u64> = OnceLock::new();
    *BEGAN.get_or_init(|| u64::try_from(since_epoch().as_millis()).unwrap_or(u64::MAX))
}

/// The time of day, as people read it. It may jump either way.
pub(crate) fn today() -> jiff::Timestamp {
    jiff::Timestamp::now()
}

/// Nanoseconds since this was first asked, and a day: whoever counts back from now does not come to zero.
pub(crate) fn nanos() -> u64 {
    static START: OnceLock<Instant> = OnceLock::new();
    const DAY: u64 = 86_400_000_000_000;
    let since = START.get_or_init(Instant::now).elapsed().as_nanos();
    u64::try_from(since).unwrap_or(u64::MAX - DAY).saturating_add(DAY)
}
