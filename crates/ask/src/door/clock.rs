//! The clock.
#![allow(clippy::disallowed_methods, reason = "this is the door to the clock")]

use std::time::{Instant, SystemTime, UNIX_EPOCH};
use towpath_model::unit::Duration;

/// Now, as people count time.
pub(crate) fn now() -> jiff::Timestamp {
    jiff::Timestamp::now()
}

/// Now, for measuring how long something took.
pub(crate) fn began() -> Instant {
    Instant::now()
}

/// How long that was ago.
pub(crate) fn took(since: Instant) -> Duration {
    Duration::from_millis(u64::try_from(since.elapsed().as_millis()).unwrap_or(u64::MAX))
}

/// Now as files are stamped with it: nanoseconds since 1970.
pub(crate) fn stamp() -> i64 {
    match SystemTime::now().duration_since(UNIX_EPOCH) {
        Ok(since) => i64::try_from(since.as_nanos()).unwrap_or(i64::MAX),
        Err(_) => 0,
    }
}
