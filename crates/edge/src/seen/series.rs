//! What is counted of the requests for one component, over one route and of one release.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use http::StatusCode;

use super::Seen;
use super::histogram::{Histogram, Times};
use super::snapshot::Counted;
use super::vitals::{self, VITALS};
use crate::cache::Source;

/// Why the edge answered in the place of an instance, by the status that it answered with. What is none of these is `other`.
pub(super) const REASONS: [(u16, &str); 13] = [
    (307, "redirected"),
    (400, "malformed"),
    (401, "unauthorized"),
    (403, "forbidden"),
    (404, "unknown"),
    (408, "too_slow"),
    (413, "too_large"),
    (414, "too_long"),
    (429, "limited"),
    (431, "too_large_head"),
    (502, "broken"),
    (503, "unavailable"),
    (504, "too_late"),
];

/// How answers come about where they are kept, as `Source` lists it.
pub(super) const SOURCES: [&str; 4] = ["hit", "miss", "stale", "passed"];

/// Requests that the edge answered itself, by the reason.
#[derive(Debug, Default)]
pub(crate) struct Refusals([AtomicU64; REASONS.len() + 1]);

impl Refusals {
    pub(crate) fn count(&self, status: StatusCode) {
        let known = REASONS.iter().position(|(known, _)| *known == status.as_u16());
        self.0[known.unwrap_or(REASONS.len())].fetch_add(1, Ordering::Relaxed);
    }

    /// Those that were sent away before anybody was asked for an answer: all but those for which nobody was there.
    fn sent_away(&self) -> u64 {
        let all = REASONS.iter().map(|(status, _)| *status).chain([0]).zip(&self.0);
        let away = all.filter(|(status, _)| !matches!(status, 502..=504));
        away.map(|(_, counter)| counter.load(Ordering::Relaxed)).sum()
    }

    /// Those that have happened, by their names.
    pub(crate) fn read(&self) -> BTreeMap<String, u64> {
        let names = REASONS.iter().map(|(_, name)| *name).chain(["other"]);
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        let all = names.zip(self.0.iter().map(read)).filter(|(_, count)| *count > 0);
        all.map(|(name, count)| (name.to_owned(), count)).collect()
    }
}

/// So many releases of a target answer at the same time, and one is being warmed up and one goes.
const AT_ONCE: usize = 4;

/// Counts of requests of one kind.
#[derive(Debug)]
pub(crate) struct Series {
    pub(crate) component: Arc<str>,
    pub(crate) route: Arc<str>,
    /// The release that answers, where one is known.
    pub(crate) release: Option<Arc<str>>,
    /// The same by releases, those that were asked for last.
    releases: Mutex<Vec<Arc<Series>>>,
    /// By the class of the status, from 1xx to 5xx.
    answers: [AtomicU64; 5],
    pub(crate) refusals: Refusals,
    /// The visitor left before an answer began.
    pub(crate) gone: AtomicU64,
    /// The answer broke off.
    pub(crate) cut: AtomicU64,
    /// How answers came about where they are kept, in the order of `SOURCES`.
    sources: [AtomicU64; SOURCES.len()],
    pub(crate) received: AtomicU64,
    pub(crate) sent: AtomicU64,
    /// Until the head of the answer was there.
    pub(crate) first: Histogram,
    /// Until its last byte had been taken.
    pub(crate) whole: Histogram,
    /// What browsers have measured, where they tell it.
    vitals: OnceLock<Box<[Histogram; VITALS.len()]>>,
}

impl Series {
    pub(crate) fn new(component: Arc<str>, route: Arc<str>, release: Option<Arc<str>>) -> Series {
        Series {
            component,
            route,
            release,
            releases: Mutex::default(),
            answers: Default::default(),
            refusals: Refusals::default(),
            gone: AtomicU64::new(0),
            cut: AtomicU64::new(0),
            sources: Default::default(),
            received: AtomicU64::new(0),
            sent: AtomicU64::new(0),
            first: Histogram::new(),
            whole: Histogram::new(),
            vitals: OnceLock::new(),
        }
    }

    /// A browser has measured a page.
    pub(crate) fn measured(&self, told: &vitals::Told) {
        let vitals = self
            .vitals
            .get_or_init(|| Box::new(std::array::from_fn(|_| Histogram::new())));
        for (vital, value) in &told.values {
            vitals[*vital].count(*value);
        }
    }

    /// Requests that have come through, with those of them that ended with 5xx: not those that were sent away before.
    pub(super) fn through(&self) -> (u64, u64) {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        let all: u64 = self.answers.iter().map(read).sum();
        (
            all.saturating_sub(self.refusals.sent_away()),
            read(&self.answers[4]),
        )
    }

    /// What is counted of one release.
    pub(crate) fn of_release(&self, release: &Arc<str>, seen: &Seen) -> Arc<Series> {
        let mut known = self.releases.lock().unwrap_or_else(PoisonError::into_inner);
        let is_it = |series: &&Arc<Series>| series.release.as_ref().is_some_and(|one| one == release);
        if let Some(series) = known.iter().find(is_it) {
            return Arc::clone(series);
        }
        let series = seen.series(&self.component, &self.route, Some(release));
        if known.len() >= AT_ONCE {
            known.remove(0);
        }
        known.push(Arc::clone(&series));
        series
    }

    pub(crate) fn answered(&self, status: StatusCode) {
        let class = usize::from(status.as_u16() / 100).clamp(1, 5) - 1;
        self.answers[class].fetch_add(1, Ordering::Relaxed);
    }

    /// An answer came about so.
    pub(crate) fn came(&self, source: Source) {
        self.sources[source as usize].fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn read(&self) -> Counted {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        Counted {
            component: self.component.to_string(),
            route: self.route.to_string(),
            release: self.release.as_deref().map(str::to_owned),
            answers: std::array::from_fn(|class| read(&self.answers[class])),
            refusals: self.refusals.read(),
            gone: read(&self.gone),
            cut: read(&self.cut),
            cache: SOURCES
                .iter()
                .zip(self.sources.iter().map(read))
                .filter(|(_, count)| *count > 0)
                .map(|(name, count)| ((*name).to_owned(), count))
                .collect(),
            received: read(&self.received),
            sent: read(&self.sent),
            first: self.first.read(),
            whole: self.whole.read(),
            vitals: self.vitals.get().map(|all| read_vitals(all)).unwrap_or_default(),
        }
    }
}

fn read_vitals(all: &[Histogram; VITALS.len()]) -> BTreeMap<String, Times> {
    let read = VITALS.iter().zip(all).map(|((name, _), one)| (*name, one.read()));
    let told = read.filter(|(_, times)| !times.counts.is_empty());
    told.map(|(name, times)| (name.to_owned(), times)).collect()
}

/// The way to a series, in what is looked up for each request anyway. It costs nothing before the first one.
#[derive(Debug, Default)]
pub(crate) struct Lane(OnceLock<Arc<Series>>);

impl Lane {
    /// The series, which is found by its names the first time.
    pub(crate) fn series(&self, find: impl FnOnce() -> Arc<Series>) -> Arc<Series> {
        Arc::clone(self.0.get_or_init(find))
    }
}
