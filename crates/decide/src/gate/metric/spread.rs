//! How large events were over a time, by the classes that they were counted in.

use super::growth::of_series;
use super::level::Statistic;
use super::record::Record;
use super::words::grouped;
use super::{Judged, Question};
use std::collections::BTreeMap;
use towpath_model::desired::metric::Measured;
use towpath_model::run::{Reading, Spread};
use towpath_model::unit::Op;

/// The events over the time, of all who count, and whether some may be lost.
///
/// Only bounds that all of them have can be added up: of two versions of a component each may have its own.
fn events(record: &Record<'_>) -> (Spread, Option<String>) {
    let mut grown: Vec<Spread> = Vec::new();
    let readings = record.known.iter().map(|(at, reading)| {
        let by = match reading {
            Reading::Spread(by) => by.iter().map(|(name, spread)| (name.as_str(), spread)).collect(),
            _ => BTreeMap::new(),
        };
        (*at, by)
    });
    let again = of_series(
        readings,
        |spread: &Spread| spread.count,
        |before, now| {
            grown.push(match before {
                Some(before) => less(now, before),
                None => now.clone(),
            });
        },
    );
    (added(&grown), again.and_then(|at| record.lost_before(at)))
}

fn up_to(spread: &Spread, bound: f64) -> Option<f64> {
    let class = spread
        .classes
        .iter()
        .find(|class| class.0.total_cmp(&bound).is_eq());
    class.map(|(_, count)| *count)
}

fn less(now: &Spread, before: &Spread) -> Spread {
    let classes = now.classes.iter().filter_map(|(bound, count)| {
        let before = up_to(before, *bound)?;
        Some((*bound, f64::max(count - before, 0.0)))
    });
    Spread {
        classes: classes.collect(),
        count: f64::max(now.count - before.count, 0.0),
        sum: now.sum.zip(before.sum).map(|(now, before)| now - before),
    }
}

fn added(all: &[Spread]) -> Spread {
    let Some((first, others)) = all.split_first() else {
        return Spread::default();
    };
    let mut sum = first.clone();
    for other in others {
        sum.classes
            .retain_mut(|(bound, count)| match up_to(other, *bound) {
                Some(more) => {
                    *count += more;
                    true
                }
                None => false,
            });
        sum.count += other.count;
        sum.sum = sum.sum.zip(other.sum).map(|(sum, more)| sum + more);
    }
    sum
}

/// Where a part of all events lies.
#[derive(Debug, PartialEq)]
pub(super) enum Lies {
    /// There, as near as the classes tell.
    At(f64),
    /// Beyond the last bound, wherever.
    Beyond(f64),
}

/// The value that such a part of the events is at most: within a class they are taken to lie evenly, as Prometheus does.
pub(super) fn quantile(spread: &Spread, part: f64) -> Option<Lies> {
    let (last, _) = spread.classes.last()?;
    let rank = part * spread.count;
    let (mut below, mut before) = (f64::min(0.0, spread.classes[0].0), 0.0);
    for (bound, count) in &spread.classes {
        if *count >= rank && *count > before {
            let inside = f64::clamp((rank - before) / (count - before), 0.0, 1.0);
            return Some(Lies::At(below + (bound - below) * inside));
        }
        (below, before) = (*bound, f64::max(*count, before));
    }
    Some(Lies::Beyond(*last))
}

pub(super) fn judge(question: &Question<'_>, record: &Record<'_>) -> Result<Judged, String> {
    let statistic = statistic(question)?;
    let (events, lost) = events(record);
    let unknown = record.unbounded().or(lost);
    if events.count <= 0.0 {
        let nothing = || format!("nothing that `{}` counts has happened", question.name);
        return Ok(Judged::open(None, unknown.unwrap_or_else(nothing)));
    }
    let of = format!("of {} events", grouped(events.count));
    let value = match statistic {
        Statistic::Number => events.count,
        Statistic::Average => {
            let sum = events.sum.ok_or_else(|| {
                format!(
                    "`{}` does not tell the sum of its events, so they have no average",
                    question.name
                )
            })?;
            sum / events.count
        }
        Statistic::Quantile(part) => match quantile(&events, part) {
            Some(Lies::At(value)) => value,
            Some(Lies::Beyond(last)) => return beyond(question, last, &of, unknown),
            None => {
                return Err(format!(
                    "`{}` tells no classes that all of its instances share",
                    question.name
                ));
            }
        },
        Statistic::Most | Statistic::Least => return Err(unfit(question)),
    };
    let measured = match statistic {
        Statistic::Number => format!("{} events", grouped(value)),
        _ => format!("{} {of}", question.said(value)),
    };
    let few = few(question, statistic, &events, &of);
    let holds = question.holds(value)?;
    Ok(Judged::whole(question, measured, holds, unknown.or(few)))
}

/// A quantile is known from as many events on as have one beyond it.
fn few(question: &Question<'_>, statistic: Statistic, events: &Spread, of: &str) -> Option<String> {
    let Statistic::Quantile(part) = statistic else {
        return None;
    };
    let rest = 1.0 - part;
    (events.count * rest < 1.0 - 1e-9).then(|| {
        let least = if rest > 0.0 {
            format!(", which takes {}", grouped((1.0 / rest - 1e-9).ceil()))
        } else {
            String::new()
        };
        format!("`{}` cannot be told {of}{least}", question.keep)
    })
}

/// It is larger than every bound of the classes, and nobody knows how large.
fn beyond(question: &Question<'_>, last: f64, of: &str, unknown: Option<String>) -> Result<Judged, String> {
    let measured = format!("more than {} {of}", question.said(last));
    let is_too_much = match question.keep.op {
        Op::Lt | Op::Le | Op::Eq => question.scale.is_at_or_beyond(last, &question.keep.value),
        _ => false,
    };
    let is_enough = matches!(question.keep.op, Op::Gt | Op::Ge | Op::Ne)
        && question.scale.is_at_or_beyond(last, &question.keep.value);
    if is_too_much || is_enough {
        return Ok(Judged::whole(question, measured, is_enough, unknown));
    }
    let why = format!(
        "the classes of `{}` end at {}, so `{}` cannot be told; give it a larger one",
        question.name,
        question.said(last),
        question.keep
    );
    Ok(Judged::open(Some(measured), unknown.unwrap_or(why)))
}

fn statistic(question: &Question<'_>) -> Result<Statistic, String> {
    match question.subject() {
        // Most promises about latency are about this part of the requests.
        "" if question.metric.measured == Some(Measured::Latency) => Ok(Statistic::Quantile(0.95)),
        subject => Statistic::of(subject).ok_or_else(|| unfit(question)),
    }
}

fn unfit(question: &Question<'_>) -> String {
    format!(
        "`{}` is many events of different size, and `{}` does not say what is made of them; write p95, p99, avg or count: \"p95 {} {}\"",
        question.name, question.keep, question.keep.op, question.keep.value
    )
}
