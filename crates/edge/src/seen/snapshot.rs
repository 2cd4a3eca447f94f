//! What has been seen so far, as plain values: who asks twice takes the difference, and so has any window that he wants.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::histogram::Times;

/// What has been seen since the edge started.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Snapshot {
    /// Milliseconds by a clock of the edge that never jumps.
    pub at: u64,
    /// Requests by component, route and release; those of which there was none are left out.
    pub requests: Vec<Counted>,
    /// What is counted of a component as a whole; those that nobody has asked anything are left out.
    pub components: Vec<Whole>,
    /// Requests that reached no component, by the reason.
    pub nowhere: BTreeMap<String, u64>,
    /// The lines of the log of requests.
    pub lines: Lines,
    /// How many answers are kept, and their bytes.
    #[serde(default)]
    pub kept: (u64, u64),
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

    fn is_of(&self, other: &Counted) -> bool {
        (&self.component, &self.route, &self.release) == (&other.component, &other.route, &other.release)
    }

    fn since(&self, earlier: &Counted) -> Counted {
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
        }
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
}

/// The lines of the log of requests.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lines {
    /// Those that were written.
    pub written: u64,
    /// Those that were left out because enough like them are written.
    pub passed_over: u64,
    /// Those that were lost: the disk did not keep up, or refused.
    pub lost: u64,
}

impl Snapshot {
    /// What has come since an earlier look, of requests; everything else is as it is now. An edge that has been started anew
    /// meanwhile has counted from zero, and then everything is new.
    pub fn since(&self, earlier: &Snapshot) -> Snapshot {
        let mut since = self.clone();
        if self.at >= earlier.at {
            for counted in &mut since.requests {
                if let Some(before) = earlier.requests.iter().find(|before| before.is_of(counted)) {
                    *counted = counted.since(before);
                }
            }
        }
        since
    }

    /// All requests of a component together.
    pub fn of(&self, component: &str) -> Counted {
        let mut all = Counted {
            component: component.to_owned(),
            ..Counted::default()
        };
        for one in self.requests.iter().filter(|one| one.component == component) {
            (0..5).for_each(|class| all.answers[class] += one.answers[class]);
            for (reason, count) in &one.refusals {
                *all.refusals.entry(reason.clone()).or_default() += count;
            }
            for (source, count) in &one.cache {
                *all.cache.entry(source.clone()).or_default() += count;
            }
            all.gone += one.gone;
            all.cut += one.cut;
            all.received += one.received;
            all.sent += one.sent;
            all.first.add(&one.first);
            all.whole.add(&one.whole);
        }
        all
    }
}
