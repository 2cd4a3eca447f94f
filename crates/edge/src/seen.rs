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
mod spans;
mod text;
pub(crate) mod trace;
pub(crate) mod violation;
pub(crate) mod vitals;
mod witness;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use http::StatusCode;

pub use histogram::Times;
pub(crate) use log::Log;
pub use log::RequestLog;
pub(crate) use series::{Lane, Series};
pub use snapshot::{Counted, LeftOut, Lines, Running, Snapshot, SpanCounts, Violation, Violations, Whole};
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

/// Everything that has been seen.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    all: Mutex<All>,
    others: OnceLock<Arc<Series>>,
    /// Requests that reached no component.
    nowhere: Refusals,
    violations: violation::Kept,
    log: OnceLock<Log>,
    pub(crate) spans: spans::Spans,
}

/// The series of each component: as many as it has routes, and releases.
#[derive(Debug, Default)]
struct All {
    of: HashMap<Arc<str>, Vec<Arc<Series>>>,
    count: usize,
}

impl All {
    fn find(&self, component: &str, route: &str, release: Option<&Arc<str>>) -> Option<&Arc<Series>> {
        let mut series = self.of.get(component)?.iter();
        series.find(|one| &*one.route == route && one.release.as_ref() == release)
    }

    /// Lets those go whose target or route has gone.
    fn make_room(&mut self) {
        self.of.retain(|_, series| {
            series.retain(|one| Arc::strong_count(one) > 1);
            !series.is_empty()
        });
        self.count = self.of.values().map(Vec::len).sum();
    }
}

impl Seen {
    /// The series of a component, route and release. It is asked once by each lane, and not by each request.
    pub(crate) fn series(&self, component: &str, route: &str, release: Option<&Arc<str>>) -> Arc<Series> {
        let mut all = self.all();
        if let Some(series) = all.find(component, route, release) {
            return Arc::clone(series);
        }
        if all.count >= MOST {
            all.make_room();
        }
        let new = |component, route: &str, release: Option<&Arc<str>>| {
            Arc::new(Series::new(component, Arc::from(route), release.map(Arc::clone)))
        };
        if all.count >= MOST {
            let others = || new(Arc::from(OTHERS), ALL, None);
            return Arc::clone(self.others.get_or_init(others));
        }
        let component: Arc<str> = Arc::from(component);
        let series = new(Arc::clone(&component), route, release);
        all.of.entry(component).or_default().push(Arc::clone(&series));
        all.count += 1;
        series
    }

    fn all(&self) -> MutexGuard<'_, All> {
        self.all.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Requests that have come through for a component, with those of them that ended with 5xx.
    pub(crate) fn through(&self, component: &str) -> (u64, u64) {
        let all = self.all();
        let series = all.of.get(component).into_iter().flatten();
        let each = series.map(|one| one.through());
        each.fold((0, 0), |(requests, errors), one| {
            (requests + one.0, errors + one.1)
        })
    }

    /// All requests that have come through.
    pub(crate) fn all_through(&self) -> u64 {
        let all = self.all();
        all.of.values().flatten().map(|one| one.through().0).sum()
    }

    /// A browser has told what the policy of a component's page forbade.
    pub(crate) fn violated(&self, component: &str, told: violation::Told) {
        self.violations.count(component, told);
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
            let all = self.all();
            all.of
                .values()
                .flatten()
                .chain(self.others.get())
                .map(Arc::clone)
                .collect()
        };
        let mut requests: Vec<Counted> = all.iter().map(|series| series.read()).collect();
        requests.sort_by(|one, other| one.key().cmp(&other.key()));
        Snapshot {
            at,
            requests,
            nowhere: self.nowhere.read(),
            lines: self.log().map(Log::lines).unwrap_or_default(),
            violations: self.violations.read(),
            spans: self.spans.read(),
            ..Snapshot::default()
        }
    }
}

#[cfg(test)]
mod tests;
