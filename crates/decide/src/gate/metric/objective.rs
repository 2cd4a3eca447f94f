//! Whether an objective is kept, and how much of its budget of errors is left.
//!
//! An objective is a promise over a time: 99.9 % over 30 days. It is kept when no more than its budget (0.1 %) of what was
//! counted in that time was bad. What is known only since a shorter time is judged by what is known, and the shorter time is
//! said; a budget is that of the whole time, so a day with twice the errors that are allowed takes a fifteenth of 30 days'.
//!
//! Nobody is stopped by a handful: fewer bad events than `min_bad` never fail. Nothing counted is neither kept nor missed,
//! and in a shorter time than the promise's, so few that not one bad event would be allowed say nothing yet.

use super::record::{between, told};
use super::words::{grouped, percent, seconds};
use jiff::Timestamp;
use towpath_model::desired::metric::{Measured, Objective};
use towpath_model::run::{Found, Verdict};
use towpath_model::unit::{Duration, Share};

/// What was counted for an objective, in its time or since a shorter one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Counted {
    /// Requests; of an objective by a probe its runs, of uptime the seconds in which it was meant to be up.
    pub requests: u64,
    /// Those that failed; seconds in which it was down.
    pub errors: u64,
    /// Those that were answered within the bound of an objective about latency; nothing where that is not counted.
    pub within_bound: Option<u64>,
    /// Since when they are counted.
    pub since: Timestamp,
}

/// An objective, with what was counted for it.
#[derive(Debug, Clone, Copy)]
pub struct Budget<'a> {
    /// Its name.
    pub name: &'a str,
    /// What it promises.
    pub objective: &'a Objective,
    /// What was counted.
    pub counted: Counted,
}

/// What is known of an objective, with the words for it.
struct Sight {
    bad: u64,
    all: u64,
    /// For how long it is known, at most its time.
    known: Duration,
    /// `3 of 6,000 requests failed in 3d of 30d`.
    words: String,
}

impl Sight {
    fn of(budget: &Budget<'_>, now: Timestamp) -> Result<Sight, String> {
        let Budget {
            name,
            objective,
            counted,
        } = budget;
        let all = counted.requests;
        let bad = if objective.measure == Measured::Latency {
            let good = counted.within_bound.ok_or_else(|| {
                let good = objective.good.as_ref().map(|good| format!(" (`{good}`)"));
                let good = good.unwrap_or_default();
                format!("nobody has counted which requests are good for objective `{name}`{good}")
            })?;
            all.saturating_sub(good)
        } else {
            counted.errors.min(all)
        };
        if all == 0 {
            return Err(format!("nothing that objective `{name}` counts has happened"));
        }
        let window = objective.window;
        let known = between(counted.since, now).min(window);
        let time = if known < window {
            format!("in {} of {window}", told(known))
        } else {
            format!("in {window}")
        };
        Ok(Sight {
            bad,
            all,
            known,
            words: format!("{} {time}", amounts(objective, bad, all)),
        })
    }

    /// Parts of a million that were bad, for a comparison without rounding.
    fn is_within(&self, budget: Share) -> bool {
        u128::from(self.bad) * 1_000_000 <= u128::from(self.all) * u128::from(budget.ppm())
    }

    /// Why that says nothing yet, where it is too little.
    fn few(&self, objective: &Objective) -> Option<String> {
        let budget = objective.target.rest();
        let is_short = self.known < objective.window;
        let is_few = u128::from(self.all) * u128::from(budget.ppm()) < 1_000_000;
        (is_short && is_few && !budget.is_zero()).then(|| {
            let least = 1_000_000_u32.div_ceil(budget.ppm().max(1));
            format!(
                "{}, and {} takes {}",
                self.words,
                objective.target,
                grouped(f64::from(least))
            )
        })
    }
}

#[expect(
    clippy::cast_precision_loss,
    reason = "these are words, and sixteen digits are enough"
)]
fn amounts(objective: &Objective, bad: u64, all: u64) -> String {
    let (bad, all) = (bad as f64, all as f64);
    match objective.measure {
        Measured::Uptime => format!("down for {} of {}", seconds(bad), seconds(all)),
        _ if objective.probe.is_some() => format!("{} of {} probes failed", grouped(bad), grouped(all)),
        Measured::Latency => {
            let good = objective.good.as_ref().map(ToString::to_string);
            let good = good.map_or_else(String::new, |good| format!(" (`{good}`)"));
            format!(
                "{} of {} requests were not good{good}",
                grouped(bad),
                grouped(all)
            )
        }
        _ => format!("{} of {} requests failed", grouped(bad), grouped(all)),
    }
}

fn found(verdict: Verdict, measured: Option<String>, bound: String) -> Found {
    Found {
        verdict,
        measured,
        bound: Some(bound),
        evidence: Vec::new(),
    }
}

/// Whether an objective is kept.
pub fn objective(name: &str, objective: &Objective, counted: &Counted, now: Timestamp) -> Found {
    let bound = format!("{} over {}", objective.target, objective.window);
    let budget = Budget {
        name,
        objective,
        counted: *counted,
    };
    let sight = match Sight::of(&budget, now) {
        Ok(sight) => sight,
        Err(why) => return found(Verdict::Inconclusive(why), None, bound),
    };
    let good = Share::of_counts(sight.all - sight.bad, sight.all);
    let measured = format!("{good}: {}", sight.words);
    let verdict = if sight.is_within(objective.target.rest()) {
        match sight.few(objective) {
            None => Verdict::Pass,
            Some(why) => Verdict::Inconclusive(format!("objective `{name}`: {why}")),
        }
    } else if sight.bad < u64::from(objective.min_bad) {
        Verdict::Inconclusive(format!(
            "objective `{name}` is missed ({measured}), by fewer than {} bad events, which say little",
            objective.min_bad
        ))
    } else {
        Verdict::Fail(format!(
            "objective `{name}` is missed: {measured}, and {bound} is promised"
        ))
    };
    found(verdict, Some(measured), bound)
}

/// Whether enough is left of the budgets of errors: of each of these objectives, and the worst decides.
pub fn budget_left(share: Share, budgets: &[Budget<'_>], now: Timestamp) -> Found {
    let bound = format!("{share} of the error budget");
    let mut worst = Verdict::Pass;
    let mut words = Vec::new();
    for budget in budgets {
        let (verdict, measured) = left(share, budget, now);
        words.extend(measured);
        if rank(&verdict) > rank(&worst) {
            worst = verdict;
        }
    }
    if budgets.is_empty() {
        worst = Verdict::Inconclusive("no objective has a budget of errors".to_owned());
    }
    let measured = (!words.is_empty()).then(|| words.join("; "));
    found(worst, measured, bound)
}

fn rank(verdict: &Verdict) -> u8 {
    match verdict {
        Verdict::Pass | Verdict::Waived(_) => 0,
        Verdict::Inconclusive(_) | Verdict::Awaits(_) => 1,
        Verdict::Fail(_) => 2,
    }
}

/// The part of its budget that is left; less than nothing where more is spent than there was.
#[expect(clippy::cast_precision_loss, reason = "sixteen digits of a share are enough")]
fn rest(sight: &Sight, objective: &Objective) -> f64 {
    let budget = f64::from(objective.target.rest().ppm()) / 1e6;
    if sight.bad == 0 {
        return 1.0;
    }
    let passed = sight.known.millis() as f64 / objective.window.millis().max(1) as f64;
    let spent = sight.bad as f64 / sight.all as f64 / budget * f64::min(passed, 1.0);
    // A promise of 100 % has no budget.
    if spent.is_finite() { 1.0 - spent } else { 0.0 }
}

fn left(share: Share, budget: &Budget<'_>, now: Timestamp) -> (Verdict, Option<String>) {
    let Budget { name, objective, .. } = budget;
    let sight = match Sight::of(budget, now) {
        Ok(sight) => sight,
        Err(why) => return (Verdict::Inconclusive(why), None),
    };
    let rest = rest(&sight, objective);
    let spent = match rest {
        rest if rest > 0.0 => format!("{} of the error budget is left", percent(rest)),
        rest if rest < 0.0 => format!("the error budget is spent {} times", grouped(1.0 - rest)),
        _ => "nothing of the error budget is left".to_owned(),
    };
    let measured = format!("{name}: {spent}, {}", sight.words);
    // What is left is a quotient; a billionth is no difference.
    let is_enough = rest + 1e-9 >= f64::from(share.ppm()) / 1e6;
    let verdict = if is_enough {
        match sight.few(objective) {
            None => Verdict::Pass,
            Some(why) => Verdict::Inconclusive(format!("objective `{name}`: {why}")),
        }
    } else if sight.bad < u64::from(objective.min_bad) {
        Verdict::Inconclusive(format!(
            "{measured}; fewer than {} bad events say little",
            objective.min_bad
        ))
    } else {
        Verdict::Fail(format!("{measured}, and {share} has to be left"))
    };
    (verdict, Some(measured))
}
