//! The clock: what time it is, and how long something takes.
#![allow(clippy::disallowed_methods, reason = "this is the door to the clock")]

use jiff::Timestamp;
use std::sync::OnceLock;
use std::time::{Duration, Instant};

/// What time it is.
pub(crate) fn today() -> Timestamp {
    Timestamp::now()
}

/// How long this process has run, more or less: it never goes back.
pub(crate) fn now() -> Duration {
    static BEGAN: OnceLock<Instant> = OnceLock::new();
    BEGAN.get_or_init(Instant::now).elapsed()
}
