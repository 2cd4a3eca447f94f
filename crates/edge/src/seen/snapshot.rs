//! What has been seen so far, as plain values: who asks twice takes the difference, and so has any window that he wants.

use std::collections::{BTreeMap, HashMap};

use serde::{Deserialize, Serialize};

use super::histogram::Times;

/// What has been seen since the edge started, and by those that it has followed without a gap.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Snapshot {
    /// When counting began, in milliseconds since 1970. A successor goes on counting; an edge in place of one that died begins.
    #[serde(default)]
    pub began: u64,
    /// Milliseconds by a clock that never jumps, and that goes on with a successor.
    pub at: u64,
    /// The process that counts.
    #[serde(default)]
    pub running: Running,
    /// Requests by component, route and release; those of which there was none are left out.
    pub requests: Vec<Counted>,
    /// What is counted of a component as a whole; those that nobody has asked anything are left out.
    pub components: Vec<Whole>,
    /// Requests that reached no component, by the reason.
    pub nowhere: BTreeMap<String, u64>,
    /// The lines of the log of requests.
    pub lines: Lines,
    /// What browsers have refused to do for a page, because the page's policy forbids it.
    #[serde(default)]
    pub violations: Violations,
    /// Spans, where they go somewhere.
    #[serde(default)]
    pub spans: Option<SpanCounts>,
    /// How many answers are kept, and their bytes.
    #[serde(default)]
    pub kept: (u64, u64),
    /// The instances that are left out now, because they do worse than others.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub left_out: Vec<LeftOut>,
}

/// An instance that is left out now.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LeftOut {
    /// The instance.
    pub instance: String,
    /// Why.
    pub because: String,
    /// Since when, in milliseconds since 1970.
    pub since: u64,
}

/// The process that an edge is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Running {
    /// Its number.
    pub process: u32,
    /// Since when it runs, in milliseconds since 1970.
    pub since: u64,
    /// Connections of visitors and of components that are open.
    pub connections: u64,
    /// Edges that it has followed and that still end what they have begun.
    pub before: u32,
}

/// What has become of spans.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SpanCounts {
    /// Those that a collector has taken.
    pub sent: u64,
    /// Those that found no place among those that wait, or that no collector has taken in time.
    pub dropped: u64,
    /// Why the last ones were not taken; nothing when they were.
    pub because: Option<String>,
}

/// What browsers have refused to do for a page.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Violations {
    /// How often, by component and by what of the policy forbids it.
    pub counts: Vec<(String, String, u64)>,
    /// The last few, the newest last.
    pub last: Vec<Violation>,
}

/// Something that a browser has refused to do for a page. No address in it has a query, so no secret that was in one.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Violation {
    /// When it was told, in milliseconds since 1970.
    pub at: u64,
    /// The component.
    pub component: String,
    /// What of the policy forbids it: `script-src`.
    pub directive: String,
    /// What was refused: an address without its query, or a word such as `inline`.
    pub blocked: String,
    /// The path of the page.
    pub page: String,
    /// It is only told, and was done.
    pub only_told: bool,
}

/// Requests of one component, over one route, of one release.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counted {
    /// The component that was asked.
    pub component: String,
    /// The route, as the manifest names it; `/` where it is none of those.
    pub route: String,
    /// The release that answers, where one is known.
    pub release: Option<String>,
    /// Answers by the class of their status, from 1xx to 5xx.
    pub answers: [u64; 5],
    /// Of them, those that the edge gave in the place of an instance, by the reason.
    pub refusals: BTreeMap<String, u64>,
    /// Requests whose visitor left before an answer began. They are no answers.
    pub gone: u64,
    /// Answers that broke off.
    pub cut: u64,
    /// Where answers are kept: how they came about, as `hit`, `miss`, `stale` or `passed`.
    #[serde(default)]
    pub cache: BTreeMap<String, u64>,
    /// Bytes of bodies that came from visitors.
    pub received: u64,
    /// Bytes of bodies that went to visitors.
    pub sent: u64,
    /// How long it took until the head of an answer was there.
    pub first: Times,
    /// How long it took until its last byte had been taken. WebSockets are not among them.
    pub whole: Times,
    /// What browsers have measured of pages, by its name: `lcp`, `inp`, `cls`, `fcp`, `ttfb`. `cls` has no unit: what would be
    /// a second is one.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub vitals: BTreeMap<String, Times>,
}

impl Counted {
    /// All answers.
    pub fn answered(&self) -> u64 {
        self.answers.iter().sum()
    }

    /// Those with a status of 5xx.
    pub fn errors(&self) -> u64 {
        self.answers[4]
    }

    fn since(&self, earlier: &Counted) -> Counted {
        let measured = |(name, times): (&String, &Times)| match earlier.vitals.get(name) {
            Some(before) => (name.clone(), times.since(before)),
            None => (name.clone(), times.clone()),
        };
        Counted {
            component: self.component.clone(),
            route: self.route.clone(),
            release: self.release.clone(),
            answers: std::array::from_fn(|class| self.answers[class].saturating_sub(earlier.answers[class])),
            refusals: since(&self.refusals, &earlier.refusals),
            gone: self.gone.saturating_sub(earlier.gone),
            cut: self.cut.saturating_sub(earlier.cut),
            cache: since(&self.cache, &earlier.cache),
            received: self.received.saturating_sub(earlier.received),
            sent: self.sent.saturating_sub(earlier.sent),
            first: self.first.since(&earlier.first),
            whole: self.whole.since(&earlier.whole),
            vitals: self.vitals.iter().map(measured).collect(),
        }
    }

    /// Adds what was counted elsewhere.
    fn add(&mut self, other: &Counted) {
        (0..5).for_each(|class| self.answers[class] += other.answers[class]);
        add_counts(&mut self.refusals, &other.refusals);
        add_counts(&mut self.cache, &other.cache);
        self.gone += other.gone;
        self.cut += other.cut;
        self.received += other.received;
        self.sent += other.sent;
        self.first.add(&other.first);
        self.whole.add(&other.whole);
        for (name, times) in &other.vitals {
            self.vitals.entry(name.clone()).or_default().add(times);
        }
    }

    pub(super) fn key(&self) -> (&str, &str, Option<&str>) {
        (&self.component, &self.route, self.release.as_deref())
    }
}

fn add_counts(all: &mut BTreeMap<String, u64>, more: &BTreeMap<String, u64>) {
    for (name, count) in more {
        *all.entry(name.clone()).or_default() += count;
    }
}

/// What has come of each since.
fn since(now: &BTreeMap<String, u64>, earlier: &BTreeMap<String, u64>) -> BTreeMap<String, u64> {
    let since = |(name, count): (&String, &u64)| {
        let before = earlier.get(name).copied().unwrap_or(0);
        (name.clone(), count.saturating_sub(before))
    };
    now.iter().map(since).collect()
}

/// What is counted of a component as a whole.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Whole {
    /// The component.
    pub component: String,
    /// Requests and connections that are open now.
    pub active: u64,
    /// Of them, those that wait for an instance.
    pub waiting: u64,
    /// Requests for which there was no place among those that wait.
    pub crowded: u64,
    /// Requests that were sent once more.
    pub repeated: u64,
    /// How often an instance refused or broke a connection, and was left out for the request.
    pub failures: u64,
    /// Requests that another release answered, because their own had no instance that could.
    #[serde(default)]
    pub fallen: u64,
    /// How often an instance was left out for doing worse than others.
    #[serde(default)]
    pub ejected: u64,
    /// Requests that were sent away from a queue that did not get shorter.
    #[serde(default)]
    pub shed: u64,
    /// Why requests are sent away, where some were within the last minute.
    #[serde(default)]
    pub sheds: Option<String>,
    /// Instances that are left out now.
    #[serde(default)]
    pub out: u64,
}

/// The lines of the log of requests.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lines {
    /// Those that were written.
    pub written: u64,
    /// Those that were left out because enough like them are written.
    pub passed_over: u64,
    /// Those that were lost: the disk did not keep up, or refused.
    pub lost: u64,
    /// Why the last ones could not be written; nothing when they were.
    #[serde(default)]
    pub because: Option<String>,
}

impl Snapshot {
    /// What has come since an earlier look, of requests; everything else is as it is now. Where counting has begun anew
    /// meanwhile everything is new.
    pub fn since(&self, earlier: &Snapshot) -> Snapshot {
        let mut since = self.clone();
        if self.began == earlier.began && self.at >= earlier.at {
            let before: HashMap<_, &Counted> = earlier.requests.iter().map(|one| (one.key(), one)).collect();
            for counted in &mut since.requests {
                if let Some(before) = before.get(&counted.key()) {
                    *counted = counted.since(before);
                }
            }
        }
        since
    }

    /// Adds what another edge has counted, or counts: one that this one follows. What is open there is open, too; what an
    /// edge is itself stays as it is.
    pub fn add(&mut self, other: &Snapshot) {
        let places = self.requests.iter().enumerate();
        let places: HashMap<(String, String, Option<String>), usize> =
            places.map(|(at, one)| (owned(one.key()), at)).collect();
        for one in &other.requests {
            match places.get(&owned(one.key())) {
                Some(at) => self.requests[*at].add(one),
                None => self.requests.push(one.clone()),
            }
        }
        self.requests.sort_by(|one, other| one.key().cmp(&other.key()));
        for one in &other.components {
            match self
                .components
                .binary_search_by(|mine| mine.component.cmp(&one.component))
            {
                Ok(at) => self.components[at].add(one),
                Err(at) => self.components.insert(at, one.clone()),
            }
        }
        add_counts(&mut self.nowhere, &other.nowhere);
        self.lines.add(&other.lines);
        self.violations.add(&other.violations);
        if let Some(more) = &other.spans {
            let spans = self.spans.get_or_insert_default();
            spans.sent += more.sent;
            spans.dropped += more.dropped;
            if spans.because.is_none() {
                spans.because.clone_from(&more.because);
            }
        }
        self.kept = (self.kept.0 + other.kept.0, self.kept.1 + other.kept.1);
        self.running.connections += other.running.connections;
    }

    /// What has ended, where whoever has counted has gone: nothing of it is open any more.
    #[must_use]
    pub fn ended(mut self) -> Snapshot {
        for one in &mut self.components {
            (one.active, one.waiting, one.out) = (0, 0, 0);
        }
        self.kept = (0, 0);
        self.left_out = Vec::new();
        self.running = Running::default();
        self.lines.because = None;
        if let Some(spans) = &mut self.spans {
            spans.because = None;
        }
        self
    }

    /// All requests of a component together.
    pub fn of(&self, component: &str) -> Counted {
        let mut all = Counted {
            component: component.to_owned(),
            ..Counted::default()
        };
        for one in self.requests.iter().filter(|one| one.component == component) {
            all.add(one);
        }
        all
    }
}

fn owned((component, route, release): (&str, &str, Option<&str>)) -> (String, String, Option<String>) {
    (component.to_owned(), route.to_owned(), release.map(str::to_owned))
}

impl Whole {
    fn add(&mut self, other: &Whole) {
        self.active += other.active;
        self.waiting += other.waiting;
        self.crowded += other.crowded;
        self.repeated += other.repeated;
        self.failures += other.failures;
        self.fallen += other.fallen;
        self.ejected += other.ejected;
        self.shed += other.shed;
        self.sheds = self.sheds.take().or_else(|| other.sheds.clone());
        self.out += other.out;
    }
}

impl Lines {
    fn add(&mut self, other: &Lines) {
        self.written += other.written;
        self.passed_over += other.passed_over;
        self.lost += other.lost;
        if self.because.is_none() {
            self.because.clone_from(&other.because);
        }
    }
}

/// So many of the last violations are kept.
pub(super) const LAST: usize = 20;

impl Violations {
    pub(super) fn add(&mut self, other: &Violations) {
        for (component, directive, count) in &other.counts {
            let key = (component.as_str(), directive.as_str());
            match self.counts.binary_search_by(|(component, directive, _)| {
                (component.as_str(), directive.as_str()).cmp(&key)
            }) {
                Ok(at) => self.counts[at].2 += count,
                Err(at) => self
                    .counts
                    .insert(at, (component.clone(), directive.clone(), *count)),
            }
        }
        self.last.extend(other.last.iter().cloned());
        self.last.sort_by_key(|one| one.at);
        self.last.drain(..self.last.len().saturating_sub(LAST));
    }
}
