//! The clock: what time it is, where the reader is, and how long something takes.
#![allow(clippy::disallowed_methods, reason = "this is the door to the clock")]

use jiff::Timestamp;
use jiff::tz::TimeZone;
use std::time::{Duration, Instant};

/// What time it is.
pub(crate) fn now() -> Timestamp {
    Timestamp::now()
}

/// Where the reader is.
pub(crate) fn zone() -> TimeZone {
    TimeZone::system()
}

/// When something began.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Began(Instant);

impl Began {
    /// It begins.
    pub(crate) fn now() -> Self {
        Began(Instant::now())
    }

    /// How long it has taken so far.
    pub(crate) fn took(self) -> Duration {
        self.0.elapsed()
    }
}

/// Turns that come each so often, the first one after so long. A turn that was missed is not made up for.
pub(crate) fn turns(each: Duration) -> tokio::time::Interval {
    let mut turns = tokio::time::interval_at(tokio::time::Instant::now() + each, each);
    turns.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Skip);
    turns
}
