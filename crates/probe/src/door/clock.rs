//! The clock, by which it is measured how long something takes.
#![allow(clippy::disallowed_methods, reason = "this is the door to the clock")]

use std::time::{Duration, Instant};

/// A moment to measure from.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Moment(Instant);

/// This moment.
pub(crate) fn now() -> Moment {
    Moment(Instant::now())
}

impl Moment {
    /// How long it is ago.
    pub(crate) fn elapsed(self) -> Duration {
        self.0.elapsed()
    }

    /// How much is left of a time that began with it.
    pub(crate) fn left(self, of: Duration) -> Duration {
        of.saturating_sub(self.elapsed())
    }
}
