//! What one look at a metric finds, whoever has looked.
//!
//! A reading is kept as it was read, because what it says follows only from those beside it: of a counter the growth counts,
//! of a level each reading, of a spread what has come since (`decide::gate::metric`). Every number in it is finite, and in the
//! unit of its metric; what Towpath measures itself is in milliseconds, in bytes, and in shares of one.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What was found.
///
/// What counts up is kept for each of those who count, an instance or a server, by a name of its own for each life of it: when
/// one of two instances ends, the sum of both falls, and nothing has begun again.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Reading {
    /// How it stands at this moment: waiting jobs, open connections, a lag.
    Level(f64),
    /// Several levels, each with its name: `p95`, `lcp`.
    Named(BTreeMap<String, f64>),
    /// What has happened since each of them began to count: requests, evicted keys.
    Count(BTreeMap<String, f64>),
    /// What has gone wrong of all that has happened, since each of them began to count.
    Share(BTreeMap<String, Tally>),
    /// How large it was each time, since each of them began to count: latencies in classes.
    Spread(BTreeMap<String, Spread>),
    /// One number for all of a time: a query that was asked about it.
    Span {
        /// Since when.
        from: Timestamp,
        /// Until when.
        to: Timestamp,
        /// The number.
        value: f64,
    },
    /// Nobody could say, and why not.
    Unknown(String),
}

/// What has gone wrong, and of how much.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct Tally {
    /// What has gone wrong: requests that failed, seconds in which it was down.
    pub bad: f64,
    /// All of it.
    pub all: f64,
}

/// Events in classes by their size, as a histogram of Prometheus has them.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Spread {
    /// How many were at most so large: a bound, and all events up to it, by rising bounds.
    pub classes: Vec<(f64, f64)>,
    /// How many there were, however large.
    pub count: f64,
    /// All sizes added up, where that is told.
    pub sum: Option<f64>,
}
