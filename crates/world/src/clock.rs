//! Time in this world: one clock that never jumps, and one that people set.

use jiff::{SignedDuration, Timestamp};
use towpath_model::unit::Duration;

/// Both clocks at a moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Clock {
    /// The one that never jumps.
    pub steady: Timestamp,
    /// By how much the clock that people set differs from it.
    pub off: SignedDuration,
}

impl Clock {
    /// When every world begins.
    pub fn beginning() -> Self {
        Clock {
            steady: Timestamp::constant(1_767_225_600, 0),
            off: SignedDuration::ZERO,
        }
    }

    /// The time of day.
    pub fn today(self) -> Timestamp {
        self.steady.saturating_add(self.off).unwrap_or(self.steady)
    }

    /// When it is that time of day on the clock that never jumps.
    pub(crate) fn steady_of(self, today: Timestamp) -> Timestamp {
        self.steady
            .saturating_add(today.duration_since(self.today()))
            .unwrap_or(today)
    }
}

/// A moment so much later.
pub(crate) fn after(at: Timestamp, pause: Duration) -> Timestamp {
    at.saturating_add(pause.to_jiff()).unwrap_or(at)
}

/// How long it is between two moments.
pub(crate) fn between(from: Timestamp, to: Timestamp) -> Duration {
    let millis = to.duration_since(from).as_millis();
    Duration::from_millis(u64::try_from(millis).unwrap_or(0))
}
