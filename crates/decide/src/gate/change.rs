//! A metric against its time before: fewer incidents, more sign-ups, and whether that is more than chance.
//!
//! **What it decides.** `by = "-30%"` asks for at least 30 % less than before, `by = "+10%"` for at least 10 % more; `0%` for no more
//! than before. Two counts are compared, each by what it was counted over: messages, users, or hours.
//!
//! **By point.** The change as it is. From 51 to 34 is -33 %, which passes at -30 %.
//!
//! **By confidence.** Events come by chance, and a change as large as from 51 to 34 happens one time in twelve though nothing has changed. Given the sum of both
//! counts, the later one is binomial, by a chance that the rate ratio and the two exposures give. So the exact interval of Clopper
//! and Pearson for that chance is an exact interval of the ratio, for small counts as well. It passes when the whole 95 % interval
//! is on the right side of the bound, fails when the whole interval is on the other side, and is inconclusive in between.
//!
//! **When it refuses.** With fewer than `min_baseline` events before, or nothing to count them over, it is inconclusive in both modes:
//! a drop from 3 to 2 is neither good nor bad news. It is asked when its time is over, so it is looked at once, and nothing has
//! to be put by for further looks; where it holds, the time that is added is new evidence for the same question, asked again.

#[cfg(test)]
mod tests;

use super::statistics::exact_interval;
use super::words;
use towpath_model::desired::gate::{ChangeGate, ChangeMode};
use towpath_model::run::Verdict;

/// Events of a time, and what they are counted over: messages, users, or hours.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Counted {
    pub events: u64,
    pub over: f64,
}

/// An answer.
#[derive(Debug, Clone, PartialEq)]
pub struct Finding {
    pub verdict: Verdict,
    /// What was measured, for people: `-33 % (51 to 34), 95 % interval +5 to -58 %`.
    pub measured: String,
    /// What it is held against, for people: `at least 30 % less`.
    pub bound: String,
    /// The change as a share, and the ends of its interval: -0.33 for a third less. Nothing where there is nothing to compare with.
    pub change: Option<Ratio>,
}

/// A change as a share, with its interval.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Ratio {
    pub point: f64,
    /// The most that may have been lost.
    pub low: f64,
    /// The most that may have been gained; infinite where nothing is known.
    pub high: f64,
}

/// How sure the interval is: it misses the truth one time in twenty.
const DOUBT: f64 = 0.05;

/// Judges a change. Total: every count and every exposure has an answer.
pub fn judge(gate: &ChangeGate, before: Counted, after: Counted) -> Finding {
    let bound = bound(gate);
    let Some(change) = ratio(before, after) else {
        return Finding {
            verdict: Verdict::Inconclusive(nothing(gate, before)),
            measured: format!(
                "{} to {}",
                words::count(before.events),
                words::count(after.events)
            ),
            bound,
            change: None,
        };
    };
    let measured = measured(before, after, change);
    let verdict = if before.events < u64::from(gate.min_baseline) {
        let needed = words::count(u64::from(gate.min_baseline));
        Verdict::Inconclusive(format!("{measured}; a verdict needs {needed} events before"))
    } else {
        match sides(gate, change) {
            (true, true) => Verdict::Pass,
            (false, false) => Verdict::Fail(format!("{measured}; {bound}")),
            _ => Verdict::Inconclusive(format!("{measured}; {bound} is not sure yet")),
        }
    };
    Finding {
        verdict,
        measured,
        bound,
        change: Some(change),
    }
}

/// Whether the ends of what is believed lie on the right side: the point twice, or both ends of the interval.
fn sides(gate: &ChangeGate, change: Ratio) -> (bool, bool) {
    // As ppm are written, and a count that reaches them exactly is enough in spite of what is lost in a division.
    let by = gate.by.ppm() as f64 / 1e6;
    let is_right = |share: f64| {
        if gate.by.ppm() > 0 {
            share >= by - 1e-12
        } else {
            share <= by + 1e-12
        }
    };
    match gate.mode {
        ChangeMode::Point => (is_right(change.point), is_right(change.point)),
        ChangeMode::Confident => (is_right(change.low), is_right(change.high)),
    }
}

/// The change of the rate, with its exact interval.
pub fn ratio(before: Counted, after: Counted) -> Option<Ratio> {
    let is_some = |over: f64| over.is_finite() && over > 0.0;
    let weight = before.over / after.over;
    if before.events == 0 || !is_some(before.over) || !is_some(after.over) || !is_some(weight) {
        return None;
    }
    let all = before.events.saturating_add(after.events);
    let (low, high) = exact_interval(all - before.events.min(all), all, DOUBT);
    let change = |odds: f64| odds * weight - 1.0;
    let point = change(after.events as f64 / before.events as f64);
    // Of counts beyond all sense a share loses its last places; what was seen lies within its interval all the same.
    Some(Ratio {
        point,
        low: change(low / (1.0 - low)).min(point),
        high: change(if high < 1.0 {
            high / (1.0 - high)
        } else {
            f64::INFINITY
        })
        .max(point),
    })
}

/// What is asked for: `at least 30 % less`.
fn bound(gate: &ChangeGate) -> String {
    let size = words::percent((gate.by.ppm() as f64 / 1e6).abs());
    match gate.by.ppm() {
        ..0 => format!("at least {size} less"),
        0 => "no more than before".to_owned(),
        _ => format!("at least {size} more"),
    }
}

fn measured(before: Counted, after: Counted, change: Ratio) -> String {
    // The end that is nearer to no change, or the worse one, is read first: whoever hopes for less looks there.
    let (first, last) = if change.point <= 0.0 {
        (change.high, change.low)
    } else {
        (change.low, change.high)
    };
    let (first, last) = (signed(first), signed(last));
    // Whoever reads both ends needs the percent sign once.
    let first = first.strip_suffix(" %").unwrap_or(&first);
    format!(
        "{} ({} to {}), 95 % interval {first} to {last}",
        signed(change.point),
        words::count(before.events),
        words::count(after.events)
    )
}

/// `-33 %`, `+5 %`, `0 %`.
fn signed(share: f64) -> String {
    if share.is_infinite() {
        return "any".to_owned();
    }
    let percent = (share * 100.0).round();
    match percent {
        0.0 => "0 %".to_owned(),
        percent if percent < 0.0 => format!("-{:.0} %", -percent),
        percent if percent >= 1e15 => "any".to_owned(),
        percent => format!("+{} %", words::count(percent as u64)),
    }
}

fn nothing(gate: &ChangeGate, before: Counted) -> String {
    let metric = &gate.metric;
    if before.events == 0 {
        return format!("there was no `{metric}` before, so nothing can be compared with it");
    }
    let when = if before.over.is_finite() && before.over > 0.0 {
        "after"
    } else {
        "before"
    };
    match &gate.per {
        Some(per) => {
            format!("nothing of `{per}` was counted {when}, so nobody knows how many `{metric}` to expect")
        }
        None => format!("no time was counted {when}, so nobody knows how many `{metric}` to expect"),
    }
}
