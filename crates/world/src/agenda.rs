//! What is due when, in virtual time: things of one moment in the order in which they were put down.

use jiff::Timestamp;
use std::collections::BTreeMap;

/// Things that are due.
#[derive(Debug)]
pub(crate) struct Agenda<T> {
    due: BTreeMap<(Timestamp, u64), T>,
    put: u64,
}

impl<T> Default for Agenda<T> {
    fn default() -> Self {
        Agenda {
            due: BTreeMap::new(),
            put: 0,
        }
    }
}

impl<T> Agenda<T> {
    pub(crate) fn put(&mut self, at: Timestamp, what: T) {
        self.put += 1;
        self.due.insert((at, self.put), what);
    }

    /// When the first is due.
    pub(crate) fn next(&self) -> Option<Timestamp> {
        self.due.first_key_value().map(|((at, _), _)| *at)
    }

    /// The first that is due by now.
    pub(crate) fn take(&mut self, now: Timestamp) -> Option<T> {
        self.next().filter(|at| *at <= now)?;
        self.due.pop_first().map(|(_, what)| what)
    }
}
