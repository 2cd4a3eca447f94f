//! A new release beside the old one: whether it is worse, good enough, or nobody can say yet.
//!
//! **What it decides.** From what has been counted of both since the canary began, whether the new release has to come back
//! (`Fail`), may go on (`Pass`), or too little is known (`Inconclusive`). `judge` is asked at every look of a rollout; `urgent` is
//! the same without words, as cheap as an addition where nothing new has come, for whoever watches many times a second.
//!
//! **Who looks often finds something.** A test at 95 % that is made each minute for half an hour errs far more often than one time
//! in twenty. Here every claim is tested by a bet (`gate::statistics`): what is owned against a claim that is true reaches
//! `1 / alpha` at *any* time by a chance of `alpha` at most. So `confidence` holds for the whole canary, all of its steps and its
//! extension, however often and by whomever it is looked at; nothing is spent by a look. The chance `alpha` that a good
//! release comes back is cut up: one half for "worse than the old one", a quarter each for "above the ceiling" and "slower".
//!
//! **When it fails.** Each of the three needs two things: that at some time it was *sure*, by a bet that was won, and that what
//! is measured *now* is beyond the bound, so that a blip that is over, and a difference that matters to nobody, fail nothing.
//!
//! - *Above the ceiling.* The claim is that a request to the new release fails by a chance of at most `errors`. Probe runs count as
//!   requests. The ceiling is "never exceeded, however the old one does": when both fail alike, because of what both use, the
//!   ceiling says so all the same, and the words say that the old one fails as well. Only `urgent` leaves that case to the
//!   next regular look: coming back would not cure it, and it may be over by then.
//! - *Worse than the old one.* The time is cut into stretches of at least fifty requests. In each, the claim that both are alike
//!   makes the failures of the new release hypergeometric, as in Fisher's exact test, and bets on stretches multiply. So a shared
//!   dependency that fails for an hour, or a share of traffic that grows from step to step, says nothing against the new
//!   release: both sides are only ever compared within the same minute. It matters from a tenth of the ceiling on.
//! - *Slower.* The old release gives marks: the times that 75 %, 90 % and the asked quantile of its requests have kept so far, and
//!   for each the time that the new one is allowed, which is `slower` and `tolerance` later, whichever is more. A request beyond
//!   the mark of its side is slow, and then it is the same test: as long as the new release, with its allowance, is not slower
//!   than the old one, its slow requests are a fair draw. The marks of a stretch come from before it. Three of them, because a
//!   release that is slower all along shows it where there are many requests much sooner than at its 99 %; but the asked
//!   quantile itself has to be beyond both bounds as measured, or it does not fail.
//!
//! A failure needs five failed (or slow) requests, so that one visitor who presses a key three times does not end a rollout; with a
//! ceiling of 0 % one is enough. It needs no `min_sample`: a release that fails all the time is not kept until 300 have failed.
//!
//! **When it passes.** Goodness has to be shown, too. At least `min_sample` requests and probe runs, and a bet won at 95 % against the
//! claim that more than `errors` fail: the upper bound of its errors, good at any time, is below the ceiling. (Of a release without
//! any failure that takes 390 requests at a ceiling of 1 %; a single look at the end would take 300, but an extension looks
//! again and again.) And as measured, it is not slower than allowed. A ceiling of 0 % can be shown by nothing: there `min_sample`
//! requests without a failure pass. No traffic is neither failure nor success; where the old release has traffic and the new one
//! has none, probes do not replace it either.
//!
//! **What it does not see.** A request is taken to be one draw. One visitor who asks a hundred times for what fails on both
//! releases counts a hundred times for the side that this visitor is on; five failures is all that stands against that.
//!
//! **How it recovers.** `Kept` is read from counts that only grow. Whoever loses the last looks goes on with an older state: the next
//! stretch is longer. Where a count has shrunk, because whoever counts began again, the stretch is dropped and a new one begins.

mod evidence;
mod telling;
#[cfg(test)]
mod tests;

use crate::gate::statistics::{owned, won_against_share};
use evidence::PASSED;
pub use evidence::{Kept, Mark, Slow, Sure};
use serde::{Deserialize, Serialize};
use towpath_model::desired::gate::CanaryGate;
use towpath_model::run::Verdict;

/// What is asked.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Asked<'a> {
    pub gate: &'a CanaryGate,
    /// The fewest requests and probe runs that a pass rests on: `min_sample` of the rollout.
    pub min_sample: u32,
}

/// What has been counted of one release since the canary began.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Side<'a> {
    pub requests: u64,
    pub errors: u64,
    /// How long requests took, in microseconds, and how many each; in order.
    pub times: &'a [(u64, u64)],
}

/// Runs of probes that were aimed at the new release.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Probes {
    pub good: u64,
    pub bad: u64,
}

/// What has been counted since the canary began.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Seen<'a> {
    pub new: Side<'a>,
    pub old: Side<'a>,
    pub probes: Probes,
}

/// An answer.
#[derive(Debug, Clone, PartialEq)]
pub struct Finding {
    pub verdict: Verdict,
    /// What was measured, for people; also where it passes.
    pub measured: String,
    /// What it is held against, for people.
    pub bound: String,
    /// What has to be handed to the next look.
    pub next: Kept,
}

/// What stands against a release.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Objection {
    Ceiling,
    Worse,
    Slower,
}

/// Judges the new release by what has been counted. Total: every count and every state has an answer.
pub fn judge(asked: Asked<'_>, seen: Seen<'_>, kept: &Kept) -> Finding {
    let facts = Facts::new(asked, seen);
    let mut next = kept.clone();
    facts.learn(&mut next);
    let verdict = match facts.objection(&next) {
        Some(objection) => Verdict::Fail(telling::against(&facts, objection)),
        None => match telling::open(&facts) {
            Some(why) => Verdict::Inconclusive(why),
            None => Verdict::Pass,
        },
    };
    Finding {
        verdict,
        measured: telling::measured(&facts),
        bound: telling::bound(&facts),
        next,
    }
}

/// Whether the new release has to come back at once, and why; as sure as `judge`, and made to be asked many times a second.
///
/// What both releases suffer alike is left to the next regular look.
pub fn urgent(asked: Asked<'_>, seen: Seen<'_>, kept: &mut Kept) -> Option<Verdict> {
    let facts = Facts::new(asked, seen);
    facts.learn(kept);
    match facts.objection(kept)? {
        Objection::Ceiling if facts.is_shared() => None,
        objection => Some(Verdict::Fail(telling::against(&facts, objection))),
    }
}

/// What a verdict needs: the settings as numbers, and counts that make sense.
struct Facts<'a> {
    asked: Asked<'a>,
    seen: Seen<'a>,
    ceiling: f64,
    alpha: f64,
}

/// One visitor may press a key a few times.
const FEWEST: u64 = 5;

/// The least doubt: nobody is sure of anything by all, so `confidence = "100%"` means one error in a thousand million.
const LEAST_DOUBT: f64 = 1e-9;

/// How sure a pass has to be that the ceiling is kept: the rule of three (no failure in 300 requests: less than 1 %) is 95 %, too.
const PASS_DOUBT: f64 = 0.05;

impl<'a> Facts<'a> {
    fn new(asked: Asked<'a>, mut seen: Seen<'a>) -> Facts<'a> {
        for side in [&mut seen.new, &mut seen.old] {
            side.errors = side.errors.min(side.requests);
        }
        Facts {
            asked,
            seen,
            ceiling: f64::from(asked.gate.errors.ppm()) / 1e6,
            alpha: (f64::from(asked.gate.confidence.rest().ppm()) / 1e6).max(LEAST_DOUBT),
        }
    }

    /// Requests to the new release and runs of probes, and how many failed.
    fn tried(&self) -> (u64, u64) {
        let Seen { new, probes, .. } = self.seen;
        let all = new
            .requests
            .saturating_add(probes.good)
            .saturating_add(probes.bad);
        (new.errors.saturating_add(probes.bad).min(all), all)
    }

    /// What stands against the new release, surely and as measured.
    fn objection(&self, kept: &Kept) -> Option<Objection> {
        let sure = |owned: f64, part: f64| owned >= (1.0 / (self.alpha * part)).ln();
        if sure(kept.sure.ceiling, 0.25) && self.is_above_ceiling() {
            return Some(Objection::Ceiling);
        }
        if sure(kept.sure.worse, 0.5) && self.is_worse() {
            return Some(Objection::Worse);
        }
        if sure(kept.sure.slower, 0.25) && self.is_slower(FEWEST) {
            return Some(Objection::Slower);
        }
        None
    }

    fn is_above_ceiling(&self) -> bool {
        let (failed, all) = self.tried();
        let fewest = if self.ceiling > 0.0 { FEWEST } else { 1 };
        failed >= fewest && share(failed, all) > self.ceiling
    }

    /// Whether it is measured to be worse than the old release by enough to matter: a tenth of what the ceiling allows, and never
    /// more than one in a hundred.
    fn is_worse(&self) -> bool {
        let Seen { new, old, .. } = self.seen;
        let worse_by = share(new.errors, new.requests) - share(old.errors, old.requests);
        new.errors >= FEWEST && worse_by > 0.0 && worse_by >= (self.ceiling / 10.0).min(0.01)
    }

    /// Whether the asked quantile is measured to be beyond both bounds, with so many requests beyond them.
    fn is_slower(&self, fewest: u64) -> bool {
        let Some((new, old)) = self.quantiles() else {
            return false;
        };
        let allowed = self.allowed(old);
        new > allowed && beyond(self.seen.new.times, allowed).1 >= fewest
    }

    /// The asked quantile of the new release and of the old one; nothing where one has answered nothing.
    fn quantiles(&self) -> Option<(u64, u64)> {
        let share = f64::from(self.asked.gate.quantile.ppm()) / 1e6;
        Some((
            quantile(self.seen.new.times, share)?,
            quantile(self.seen.old.times, share)?,
        ))
    }

    /// How long the new release may take for what takes the old one so long.
    fn allowed(&self, old: u64) -> u64 {
        let gate = self.asked.gate;
        let slower = old.saturating_add(gate.slower.of(old));
        slower.max(old.saturating_add(gate.tolerance.millis().saturating_mul(1_000)))
    }

    /// Whether the old release is above the ceiling as well.
    fn is_shared(&self) -> bool {
        let old = self.seen.old;
        share(old.errors, old.requests) > self.ceiling
    }

    /// Whether it has been shown that the ceiling is kept.
    fn is_shown(&self) -> bool {
        let (failed, all) = self.tried();
        is_shown_below(self.ceiling, failed, all)
    }
}

/// The share of failures that cannot be ruled out after so many failures of so many: an upper bound that holds at any time.
pub fn most_possible(failed: u64, all: u64) -> f64 {
    let (mut low, mut high) = (share(failed, all), 1.0);
    for _ in 0..50 {
        let middle = 0.5 * (low + high);
        if is_shown_below(middle, failed, all) {
            high = middle
        } else {
            low = middle
        }
    }
    high
}

fn is_shown_below(ceiling: f64, failed: u64, all: u64) -> bool {
    let won = PASSED.map(|bet| won_against_share(bet.odds, ceiling, failed, all));
    owned(&PASSED, won) >= (1.0 / PASS_DOUBT).ln()
}

fn share(part: u64, all: u64) -> f64 {
    if all == 0 { 0.0 } else { part as f64 / all as f64 }
}

/// How many there are, and how many of them took longer than this.
fn beyond(times: &[(u64, u64)], bound: u64) -> (u64, u64) {
    times.iter().fold((0_u64, 0_u64), |(all, slow), (took, count)| {
        let is_slow = if *took > bound { *count } else { 0 };
        (all.saturating_add(*count), slow.saturating_add(is_slow))
    })
}

/// The time that this share of requests did not exceed.
fn quantile(times: &[(u64, u64)], share: f64) -> Option<u64> {
    let (all, _) = beyond(times, u64::MAX);
    let wanted = ((share * all as f64).ceil() as u64).clamp(1, all.max(1));
    let mut passed = 0_u64;
    let reached = times.iter().find(|(_, count)| {
        passed = passed.saturating_add(*count);
        passed >= wanted
    });
    reached.map(|(took, _)| *took)
}
