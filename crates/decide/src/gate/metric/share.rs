//! What has gone wrong, of all that has happened over a time.

use super::growth::of_series;
use super::record::Record;
use super::words::grouped;
use super::{Judged, Question};
use std::collections::BTreeMap;
use towpath_model::desired::metric::Measured;
use towpath_model::run::{Reading, Tally};
use towpath_model::unit::{Op, Quantity};

/// How seldom chance may do as much before little is called a failure: one time in a thousand, as a natural logarithm. It is
/// looked at again and again, so it has to be far below what one look would take.
const SELDOM: f64 = -6.9;

/// What has gone wrong of all, and whether some of it may be lost.
fn tally(record: &Record<'_>) -> (Tally, Option<String>) {
    let mut tally = Tally::default();
    let readings = record.known.iter().map(|(at, reading)| {
        let by = match reading {
            Reading::Share(by) => by.iter().map(|(name, tally)| (name.as_str(), *tally)).collect(),
            _ => BTreeMap::new(),
        };
        (*at, by)
    });
    let again = of_series(
        readings,
        |tally: Tally| tally.all,
        |before, now| {
            let before = before.unwrap_or_default();
            tally.all += f64::max(now.all - before.all, 0.0);
            tally.bad += f64::max(now.bad - before.bad, 0.0);
        },
    );
    // What fails now may have begun, and been counted, before.
    tally.bad = f64::min(tally.bad, tally.all);
    (tally, again.and_then(|at| record.lost_before(at)))
}

/// How likely so many of so many would at most go wrong by chance where such a share does, as a logarithm. It is never too
/// small: Chernoff's bound.
pub(super) fn chance(bad: f64, all: f64, share: f64) -> f64 {
    if bad <= all * share || all <= 0.0 {
        return 0.0;
    }
    if share <= 0.0 {
        return f64::NEG_INFINITY;
    }
    let seen = f64::min(bad / all, 1.0);
    let well = match 1.0 - seen {
        rest if rest > 0.0 => rest * (rest / (1.0 - share)).ln(),
        _ => 0.0,
    };
    -all * (seen * (seen / share).ln() + well)
}

pub(super) fn judge(question: &Question<'_>, record: &Record<'_>) -> Result<Judged, String> {
    let subject = question.subject();
    if !subject.is_empty() {
        return Err(format!(
            "`{}` is a share, and has no `{subject}`; write the bound alone: \"{} {}\"",
            question.name, question.keep.op, question.keep.value
        ));
    }
    let (tally, lost) = tally(record);
    let is_good = matches!(
        question.metric.measured,
        Some(Measured::Availability | Measured::Uptime)
    );
    if tally.all <= 0.0 {
        let why = record.unbounded();
        let why = why.unwrap_or_else(|| format!("nothing that `{}` counts has happened", question.name));
        return Ok(Judged::open(None, why));
    }
    let bad = tally.bad / tally.all;
    let value = if is_good { 1.0 - bad } else { bad };
    let measured = told(question, tally, value);
    let holds = question.holds(value)?;
    let unknown = record.unbounded().or(lost);
    let Some(most) = most_bad(question, is_good) else {
        return Ok(Judged::whole(question, measured, holds, unknown));
    };
    // So few that a single one more would decide.
    let few = (tally.all * most < 1.0 && most > 0.0).then(|| {
        let least = grouped((1.0 / most).ceil());
        format!(
            "{measured} is too little to tell whether `{}` keeps `{}`, which takes {least}",
            question.name, question.keep
        )
    });
    if !holds && (unknown.is_some() || few.is_some()) && chance(tally.bad, tally.all, most) < SELDOM {
        return Ok(Judged::fail(question, measured));
    }
    Ok(Judged::whole(question, measured, holds, unknown.or(few)))
}

/// The share that may go wrong at the most, where the bound is one from above.
fn most_bad(question: &Question<'_>, is_good: bool) -> Option<f64> {
    let bound = match &question.keep.value {
        Quantity::Share(share) => f64::from(share.ppm()) / 1e6,
        _ => 0.0,
    };
    match (question.keep.op, is_good) {
        (Op::Lt | Op::Le, false) => Some(bound),
        (Op::Gt | Op::Ge, true) => Some(1.0 - bound),
        (Op::Eq, false) if bound <= 0.0 => Some(0.0),
        (Op::Eq, true) if bound >= 1.0 => Some(0.0),
        _ => None,
    }
}

fn told(question: &Question<'_>, tally: Tally, value: f64) -> String {
    let share = question.said(value);
    match question.metric.measured {
        Some(Measured::Uptime) => {
            let seconds = |value: f64| super::words::seconds(value);
            format!(
                "{share}, down for {} of {}",
                seconds(tally.bad),
                seconds(tally.all)
            )
        }
        _ => format!(
            "{share}: {} of {} requests failed",
            grouped(tally.bad),
            grouped(tally.all)
        ),
    }
}
