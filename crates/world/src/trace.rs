//! What happened, for people to read.

use crate::clock::{Clock, between};
use jiff::Timestamp;
use std::fmt::Display;

/// What happened, in its order.
#[derive(Debug, Default)]
pub struct Trace {
    lines: Vec<(Timestamp, String)>,
}

impl Trace {
    pub(crate) fn say(&mut self, clock: Clock, what: impl Display) {
        self.lines.push((clock.steady, what.to_string()));
    }

    /// The lines since they were last taken, each with its time since the world began.
    pub fn take(&mut self) -> Vec<String> {
        let beginning = Clock::beginning().steady;
        std::mem::take(&mut self.lines)
            .into_iter()
            .map(|(at, what)| format!("{:>10}  {what}", between(beginning, at).to_string()))
            .collect()
    }
}
