//! What the edge sees of requests: counts for whoever asks, and a line for each in a log.
//!
//! A request is seen from its head to the end of its answer by a witness, which adds to counters that nobody locks: how many,
//! how they ended, how long they took. Windows of time are made by whoever asks, from the difference of two looks; so nothing
//! here runs while nobody asks anything, and any number may look. What is counted is bounded: a component's routes are those
//! of the manifest, never paths, and a target that nobody has asked anything has no counters.

mod histogram;
mod line;
mod log;
mod series;
mod snapshot;
mod text;
mod trace;
mod witness;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use http::StatusCode;

pub use histogram::Times;
pub(crate) use log::Log;
pub use log::RequestLog;
pub(crate) use series::{Lane, Series};
pub use snapshot::{Counted, Lines, Snapshot, Whole};
pub use text::TEXT;
pub(crate) use witness::{Facts, Witness};

use series::Refusals;

/// How many series there are at most. Each has 1 to 15 KiB, by how widely its times are spread. When there are so many, those
/// whose target or route has gone make room; where none has, what is new is counted together.
const MOST: usize = 16_384;

/// The name of those that are counted together.
const OTHERS: &str = "(others)";

/// The route of a target as a whole.
pub(crate) const ALL: &str = "/";

type Key = (Arc<str>, Arc<str>, Option<Arc<str>>);

/// Everything that has been seen.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    all: Mutex<HashMap<Key, Arc<Series>>>,
    others: OnceLock<Arc<Series>>,
    /// Requests that reached no component.
    nowhere: Refusals,
    log: OnceLock<Log>,
}

impl Seen {
    /// The series of a component, route and release. It is asked once by each lane, and not by each request.
    pub(crate) fn series(&self, component: &str, route: &str, release: Option<&Arc<str>>) -> Arc<Series> {
        let key: Key = (Arc::from(component), Arc::from(route), release.map(Arc::clone));
        let mut all = self.all.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(series) = all.get(&key) {
            return Arc::clone(series);
        }
        if all.len() >= MOST {
            all.retain(|_, series| Arc::strong_count(series) > 1);
        }
        let new = |(component, route, release)| Arc::new(Series::new(component, route, release));
        if all.len() >= MOST {
            let others = || new((Arc::from(OTHERS), Arc::from(ALL), None));
            return Arc::clone(self.others.get_or_init(others));
        }
        Arc::clone(all.entry(key.clone()).or_insert_with(|| new(key)))
    }

    /// A request was answered that reached no component.
    pub(crate) fn nowhere(&self, status: StatusCode) {
        self.nowhere.count(status);
    }

    /// Keeps a log of requests from now on. There is one; a second one is not begun.
    pub(crate) fn keep_log(&self, kept: RequestLog) {
        self.log.get_or_init(|| Log::begin(kept));
    }

    pub(crate) fn log(&self) -> Option<&Log> {
        self.log.get()
    }

    /// What has been seen, without what is known of components as a whole.
    pub(crate) fn read(&self, at: u64) -> Snapshot {
        let all: Vec<Arc<Series>> = {
            let all = self.all.lock().unwrap_or_else(PoisonError::into_inner);
            all.values().chain(self.others.get()).map(Arc::clone).collect()
        };
        let mut requests: Vec<Counted> = all.iter().map(|series| series.read()).collect();
        requests.sort_by(|one, other| {
            let key = |counted: &Counted| {
                (
                    counted.component.clone(),
                    counted.route.clone(),
                    counted.release.clone(),
                )
            };
            key(one).cmp(&key(other))
        });
        Snapshot {
            at,
            requests,
            components: Vec::new(),
            nowhere: self.nowhere.read(),
            lines: self.log().map(Log::lines).unwrap_or_default(),
            kept: (0, 0),
        }
    }
}

#[cfg(test)]
mod tests;
