//! The clock.
#![allow(clippy::disallowed_methods, reason = "this is the door to the clock")]

use std::time::{Instant, SystemTime, UNIX_EPOCH};

/// Now, for measuring how long something took. It never goes back.
pub(crate) fn now() -> Instant {
    Instant::now()
}

/// Now as files are stamped with it: nanoseconds since 1970. It goes back when somebody sets the clock.
pub(crate) fn stamp() -> i64 {
    match SystemTime::now().duration_since(UNIX_EPOCH) {
        Ok(since) => i64::try_from(since.as_nanos()).unwrap_or(i64::MAX),
        Err(_) => 0,
    }
}

/// Now, as people count time. It jumps when somebody sets the clock.
pub(crate) fn today() -> jiff::Timestamp {
    jiff::Timestamp::now()
}

/// A time as people read it here: without its day where that is today.
pub(crate) fn spoken(at: jiff::Timestamp) -> String {
    let zone = jiff::tz::TimeZone::system();
    let (at, now) = (at.to_zoned(zone.clone()), today().to_zoned(zone));
    let format = if at.date() == now.date() {
        "%H:%M:%S"
    } else {
        "%Y-%m-%d %H:%M:%S"
    };
    at.strftime(format).to_string()
}
