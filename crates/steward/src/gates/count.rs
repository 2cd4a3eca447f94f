//! The edge is asked what it has counted of two releases, several times a second, while both have visitors.

use super::ask::BY;
use super::scales::Scales;
use crate::core::{Core, Message};
use crate::door::clock;
use std::sync::Arc;
use std::time::Duration;
use towpath_decide::gate::canary::{self, Asked, Finding, Kept, Seen, Side};
use towpath_edge::Snapshot;
use towpath_engine::Engine;
use towpath_model::desired::gate::{CanaryGate, Stage as When};
use towpath_model::run::{Answer, Content, Found, Leg, ReleaseId, Rollout, Stage, Verdict};
use towpath_model::unit::{Name, Share};

/// How often.
const EACH: Duration = Duration::from_millis(250);

/// A canary of one component, as a gate asks for it.
#[derive(Debug, Clone)]
pub(super) struct Canary {
    pub(super) gate: String,
    pub(super) component: Name,
    asks: CanaryGate,
    min_sample: u32,
    from: ReleaseId,
    to: ReleaseId,
}

impl Canary {
    /// What is known of it under this name.
    fn key(&self) -> (String, String) {
        (self.gate.clone(), self.component.to_string())
    }

    /// What follows from what lies on the scales.
    fn judge(&self, scales: &Scales) -> Finding {
        self.with(scales, canary::judge)
    }

    /// Whether anybody has come to it since it began.
    fn has_come(&self, scales: &Scales) -> bool {
        let weight = |release| scales.weight(self.component.as_str(), release).requests;
        weight(&self.to) + weight(&self.from) > 0
    }

    fn with<T>(&self, scales: &Scales, judge: impl FnOnce(Asked<'_>, Seen<'_>, &Kept) -> T) -> T {
        let name = self.component.as_str();
        let (new, old) = (scales.weight(name, &self.to), scales.weight(name, &self.from));
        let (new_times, old_times): (Vec<_>, Vec<_>) =
            (new.times.each().collect(), old.times.each().collect());
        let asked = Asked {
            gate: &self.asks,
            min_sample: self.min_sample,
        };
        let side = |requests, errors, times| Side {
            requests,
            errors,
            times,
        };
        let seen = Seen {
            new: side(new.requests, new.errors, &new_times),
            old: side(old.requests, old.errors, &old_times),
            probes: scales.probes(name),
        };
        judge(asked, seen, &scales.kept(&self.key()))
    }
}

/// What a gate has found, of all the components that it compares. What nobody has come to says nothing where somebody has come
/// to another one.
pub(super) fn judge(all: &[Canary], scales: &mut Scales) -> Found {
    let mut found = Found {
        verdict: Verdict::Pass,
        measured: None,
        bound: None,
        evidence: Vec::new(),
    };
    if all.is_empty() {
        found.measured = Some("nothing that visitors reach is another one".to_owned());
        return found;
    }
    let come: Vec<&Canary> = all.iter().filter(|one| one.has_come(scales)).collect();
    let judged = if come.is_empty() {
        all.iter().collect()
    } else {
        come
    };
    let (mut said, mut bad, mut open) = (Vec::new(), Vec::new(), Vec::new());
    for one in judged {
        let finding = one.judge(scales);
        scales.keep(one.key(), finding.next);
        said.push(format!("{}: {}", one.component, finding.measured));
        found.bound = Some(finding.bound);
        match finding.verdict {
            Verdict::Fail(why) => bad.push(format!("{}: {why}", one.component)),
            Verdict::Inconclusive(why) | Verdict::Awaits(why) => {
                open.push(format!("{}: {why}", one.component))
            }
            Verdict::Pass | Verdict::Waived(_) => {}
        }
    }
    found.measured = Some(said.join("; "));
    found.verdict = match (bad.is_empty(), open.is_empty()) {
        (false, _) => Verdict::Fail(bad.join("; ")),
        (true, false) => Verdict::Inconclusive(open.join("; ")),
        (true, true) => Verdict::Pass,
    };
    found
}

/// The canaries of a rollout, where two releases have visitors.
pub(super) fn canaries(rollout: &Rollout, to: &Content) -> Vec<Canary> {
    let Some(from) = rollout.from.as_ref().filter(|_| !rollout.is_rollback) else {
        return Vec::new();
    };
    let legs = rollout
        .stages
        .iter()
        .take(rollout.at + 1)
        .filter_map(|stage| match stage {
            Stage::Leg(leg) if leg.moved > 0 && !leg.apart => Some(leg),
            _ => None,
        });
    let of = |leg: &Leg| {
        let gates = leg.way.gates.iter().filter_map(|name| {
            let gate = to.questions.gates.get(name.as_str())?;
            Some((name.clone(), gate.canary.clone()?, gate.on.clone()))
        });
        let min_sample = leg.way.min_sample;
        let shared = leg.components.iter().filter(|name| {
            to.components
                .get(*name)
                .is_some_and(|portion| portion.has_visitors())
        });
        let shared: Vec<Name> = shared.cloned().collect();
        let each = gates.flat_map(move |(gate, asks, on)| {
            let here = shared.clone().into_iter();
            let here =
                here.filter(move |name| on.is_empty() || on.iter().any(|one| one.as_str() == name.as_str()));
            let (from, to) = (from.clone(), rollout.to.clone());
            here.map(move |component| Canary {
                gate: gate.clone(),
                component,
                asks: asks.clone(),
                min_sample,
                from: from.clone(),
                to: to.clone(),
            })
        });
        each.collect::<Vec<_>>()
    };
    let mut all: Vec<Canary> = legs.flat_map(of).collect();
    // The chance that a good release comes back is that of the gate, however many components it compares.
    let gates: Vec<String> = all.iter().map(|one| one.gate.clone()).collect();
    for one in &mut all {
        let of_gate = gates.iter().filter(|gate| **gate == one.gate).count();
        let of_gate = u32::try_from(of_gate).unwrap_or(u32::MAX).max(1);
        one.asks.confidence = Share::from_ppm(one.asks.confidence.rest().ppm() / of_gate).rest();
    }
    all
}

impl<E: Engine> Core<E> {
    /// The canaries that are watched now.
    pub(super) fn canaries(&self) -> Vec<Canary> {
        let live = || {
            let helm = self.helm.as_ref()?;
            let rollout = helm.course.rollout.as_ref().filter(|one| one.back.is_none())?;
            Some(canaries(
                rollout,
                &helm.releases.get(&rollout.to)?.release.content,
            ))
        };
        live().unwrap_or_default()
    }

    /// Has the edge asked, where two releases are compared and nobody asks it yet.
    pub(crate) fn look_at_counts(&mut self) {
        let watched = !self.canaries().is_empty();
        let edge = self.edge.clone();
        let Some(helm) = &mut self.helm else { return };
        if !watched {
            helm.gates.alarm = None;
            return;
        }
        let number = helm.course.rollout.as_ref().map_or(0, |rollout| rollout.number);
        if helm.gates.scales.rollout != number {
            helm.gates.scales = Scales::of(number);
            helm.gates.alarm = None;
        }
        let Some(edge) = edge.filter(|_| !helm.gates.counts) else {
            return;
        };
        helm.gates.counts = true;
        let wait = if helm.gates.scales.has_begun() {
            EACH
        } else {
            Duration::ZERO
        };
        let inbox = self.inbox.clone();
        tokio::spawn(async move {
            tokio::time::sleep(wait).await;
            let seen = Arc::new(edge.seen().await);
            // That nobody hears it means that we are ending.
            let _ = inbox.send(Message::Counted(seen));
        });
    }

    /// The edge has said what it has counted.
    pub(crate) fn counted(&mut self, seen: &Snapshot) {
        let canaries = self.canaries();
        let now = clock::today();
        let Some(helm) = &mut self.helm else { return };
        let gates = &mut helm.gates;
        gates.counts = false;
        let waived = |gate: &str| gates.waivers.get(gate).is_some_and(|waiver| waiver.until > now);
        let watched: Vec<Canary> = canaries.into_iter().filter(|one| !waived(&one.gate)).collect();
        // One that ends while it is asked tells nothing.
        if seen.began == 0 || gates.scales.rollout != helm.course.number {
            return;
        }
        gates.scales.look(seen);
        if gates.alarm.is_some() {
            return;
        }
        for one in watched {
            let mut kept = gates.scales.kept(&one.key());
            let found = one.with(&gates.scales, |asked, seen, _| {
                canary::urgent(asked, seen, &mut kept)
            });
            gates.scales.keep(one.key(), kept);
            let Some(Verdict::Fail(why)) = found else {
                continue;
            };
            let told = one.judge(&gates.scales);
            let words = format!("{}: `{}`: {why}", one.gate, one.component);
            let answer = Answer {
                gate: one.gate.clone(),
                stage: When::During,
                found: Found {
                    verdict: Verdict::Fail(why),
                    measured: Some(told.measured),
                    bound: Some(told.bound),
                    evidence: Vec::new(),
                },
                at: now,
                took: towpath_model::unit::Duration::ZERO,
                by: BY.to_owned(),
            };
            gates.alarm = Some(words);
            let number = gates.scales.rollout;
            self.tell_answers(&[answer], number);
            return;
        }
    }
}
