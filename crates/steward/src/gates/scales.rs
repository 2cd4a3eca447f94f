//! What is laid on the scales of a canary: what the edge has counted of two releases since both have visitors.
//!
//! The edge counts for ever, and is asked many times a second; here stands what has come since the first look of a rollout.
//! Where the edge has begun to count anew meanwhile, what it has counted since is added all the same: a crash of the edge
//! takes away what came in between, and nothing else. A steward that comes after us goes on with what was written down.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use towpath_decide::gate::canary::{Kept, Probes};
use towpath_edge::{Counted, Snapshot, Times};
use towpath_model::run::ReleaseId;

/// What has been counted of a release of a component.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Weight {
    /// Answers.
    pub(crate) requests: u64,
    /// Those that failed: 5xx, or broken off.
    pub(crate) errors: u64,
    /// How long it took until an answer began.
    pub(crate) times: Times,
}

impl Weight {
    fn of(counted: &Counted) -> Weight {
        let requests = counted.answered();
        Weight {
            requests,
            errors: counted.errors().saturating_add(counted.cut).min(requests),
            times: counted.first.clone(),
        }
    }

    fn add(&mut self, more: &Weight) {
        self.requests += more.requests;
        self.errors += more.errors;
        self.times.add(&more.times);
    }

    fn since(&self, earlier: &Weight) -> Weight {
        Weight {
            requests: self.requests.saturating_sub(earlier.requests),
            errors: self.errors.saturating_sub(earlier.errors),
            times: self.times.since(&earlier.times),
        }
    }
}

/// A component and a release of it.
type Side = (String, String);

/// The scales of one rollout.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Scales {
    /// The rollout.
    pub(crate) rollout: u64,
    /// Since when the edge counted, and what it had counted, when it was looked last; nothing before the first look.
    last: Option<(u64, Vec<(Side, Weight)>)>,
    /// What has come since the first look.
    sums: Vec<(Side, Weight)>,
    /// Runs of probes of the new release, by component.
    probes: BTreeMap<String, Probes>,
    /// What judges have to be handed again, by gate and component.
    kept: Vec<((String, String), Kept)>,
}

impl Scales {
    /// Those of a rollout; of another one nothing is known any more.
    pub(crate) fn of(rollout: u64) -> Scales {
        Scales {
            rollout,
            ..Scales::default()
        }
    }

    /// Whether anything was ever laid on them.
    pub(crate) fn has_begun(&self) -> bool {
        self.last.is_some()
    }

    /// Looks at what the edge has counted.
    pub(crate) fn look(&mut self, seen: &Snapshot) {
        let mut now: BTreeMap<Side, Weight> = BTreeMap::new();
        for one in &seen.requests {
            let Some(release) = &one.release else { continue };
            let side = (one.component.clone(), release.clone());
            now.entry(side).or_default().add(&Weight::of(one));
        }
        if let Some((began, last)) = &self.last {
            let earlier: BTreeMap<&Side, &Weight> =
                last.iter().map(|(side, weight)| (side, weight)).collect();
            let mut sums: BTreeMap<Side, Weight> = std::mem::take(&mut self.sums).into_iter().collect();
            for (side, weight) in &now {
                let more = match earlier.get(side).filter(|_| *began == seen.began) {
                    Some(earlier) => weight.since(earlier),
                    None => weight.clone(),
                };
                if more.requests > 0 {
                    sums.entry(side.clone()).or_default().add(&more);
                }
            }
            self.sums = sums.into_iter().collect();
        }
        self.last = Some((seen.began, now.into_iter().collect()));
    }

    /// What a judge has said to be handed again.
    pub(crate) fn kept(&self, of: &(String, String)) -> Kept {
        let found = self.kept.iter().find(|(key, _)| key == of);
        found.map(|(_, kept)| kept.clone()).unwrap_or_default()
    }

    /// Keeps that.
    pub(crate) fn keep(&mut self, of: (String, String), kept: Kept) {
        match self.kept.iter_mut().find(|(key, _)| *key == of) {
            Some((_, place)) => *place = kept,
            None => self.kept.push((of, kept)),
        }
    }

    /// Runs of probes of the new release of a component.
    pub(crate) fn probe(&mut self, component: &str, more: Probes) {
        let all = self.probes.entry(component.to_owned()).or_default();
        all.good += more.good;
        all.bad += more.bad;
    }

    /// What they have been.
    pub(crate) fn probes(&self, component: &str) -> Probes {
        self.probes.get(component).copied().unwrap_or_default()
    }

    /// What a release of a component weighs.
    pub(crate) fn weight(&self, component: &str, release: &ReleaseId) -> Weight {
        let found = self
            .sums
            .iter()
            .find(|((name, id), _)| name == component && id == release.as_str());
        found.map(|(_, weight)| weight.clone()).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(began: u64, releases: &[(&str, u64, u64)]) -> Snapshot {
        let requests = releases.iter().map(|(release, good, bad)| Counted {
            component: "web".to_owned(),
            route: "/".to_owned(),
            release: Some((*release).to_owned()),
            answers: [0, *good, 0, 0, *bad],
            ..Counted::default()
        });
        Snapshot {
            began,
            requests: requests.collect(),
            ..Snapshot::default()
        }
    }

    fn told(scales: &Scales, release: &str) -> (u64, u64) {
        let weight = scales.weight("web", &ReleaseId::new(release));
        (weight.requests, weight.errors)
    }

    #[test]
    fn only_what_comes_after_the_first_look_is_weighed() {
        let mut scales = Scales::of(1);
        scales.look(&seen(1, &[("old", 1_000, 50)]));
        assert_eq!(told(&scales, "old"), (0, 0));
        scales.look(&seen(1, &[("new", 10, 2), ("old", 1_090, 51)]));
        assert_eq!((told(&scales, "old"), told(&scales, "new")), ((91, 1), (12, 2)));
    }

    #[test]
    fn an_edge_that_counts_anew_takes_nothing_away() {
        let mut scales = Scales::of(1);
        scales.look(&seen(1, &[("old", 1_000, 0)]));
        scales.look(&seen(1, &[("old", 1_100, 0)]));
        scales.look(&seen(2, &[("old", 30, 1)]));
        assert_eq!(told(&scales, "old"), (131, 1));
        let kept = serde_json::to_string(&scales).expect("plain data");
        let mut scales: Scales = serde_json::from_str(&kept).expect("as it was written");
        scales.look(&seen(2, &[("old", 40, 1)]));
        assert_eq!(told(&scales, "old"), (141, 1));
    }
}
