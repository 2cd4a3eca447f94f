//! The time of day.
#![allow(clippy::disallowed_methods, reason = "this is the door to the clock")]

use jiff::Timestamp;

/// Now.
pub fn now() -> Timestamp {
    Timestamp::now()
}
