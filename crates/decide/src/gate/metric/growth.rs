//! What has been added over a time: to a count, or to what lies somewhere.

use super::record::{Record, told};
use super::{Judged, Question};
use jiff::Timestamp;
use std::collections::BTreeMap;
use towpath_model::run::Reading;
use towpath_model::unit::Op;

/// By how much it has grown.
#[derive(Debug)]
pub(super) struct Growth {
    pub(super) by: f64,
    /// Why some of it may be lost.
    lost: Option<String>,
    /// Whether each moment has to be known, because nothing counts on while nobody looks.
    every_moment: bool,
}

impl Growth {
    /// Why it is not known over all of the time.
    pub(super) fn unknown(&self, record: &Record<'_>) -> Option<String> {
        if self.every_moment {
            record.unknown()
        } else {
            record.unbounded().or_else(|| self.lost.clone())
        }
    }
}

/// The growth of counts, each by the name of who counts.
///
/// One that falls has begun again, and one that was not there before has begun since: all that they show has come since.
pub(super) fn of_series<'a, T: Copy + 'a>(
    readings: impl Iterator<Item = (Timestamp, BTreeMap<&'a str, T>)>,
    size: impl Fn(T) -> f64,
    mut grown: impl FnMut(Option<T>, T),
) -> Option<Timestamp> {
    let mut seen: BTreeMap<&str, T> = BTreeMap::new();
    let (mut is_first, mut again) = (true, None);
    for (at, by) in readings {
        for (name, value) in by {
            let before = seen.insert(name, value);
            if is_first {
                continue;
            }
            let goes_on = before.filter(|before| size(*before) <= size(value));
            if before.is_some() && goes_on.is_none() {
                again = Some(at);
            }
            grown(goes_on, value);
        }
        is_first = false;
    }
    again
}

pub(super) fn of_counts(record: &Record<'_>) -> Growth {
    let mut by = 0.0;
    let readings = record.known.iter().map(|(at, reading)| {
        let counts = match reading {
            Reading::Count(counts) => counts
                .iter()
                .map(|(name, value)| (name.as_str(), *value))
                .collect(),
            _ => BTreeMap::new(),
        };
        (*at, counts)
    });
    let again = of_series(
        readings,
        |value| value,
        |before, value| {
            by += value - before.unwrap_or(0.0);
        },
    );
    Growth {
        by: f64::max(by, 0.0),
        lost: again.and_then(|at| record.lost_before(at)),
        every_moment: false,
    }
}

/// What has been added to what lies somewhere: what was taken away in between is not taken off.
pub(super) fn of_pile(record: &Record<'_>) -> Growth {
    let levels: Vec<f64> = record
        .known
        .iter()
        .filter_map(|(_, reading)| match reading {
            Reading::Level(value) => Some(*value),
            _ => None,
        })
        .collect();
    let added = levels.windows(2).map(|pair| f64::max(pair[1] - pair[0], 0.0));
    Growth {
        by: added.sum(),
        lost: None,
        every_moment: true,
    }
}

pub(super) fn judge(question: &Question<'_>, record: &Record<'_>) -> Result<Judged, String> {
    verdict(question, record, &of_counts(record))
}

pub(super) fn piled(question: &Question<'_>, record: &Record<'_>) -> Result<Judged, String> {
    verdict(question, record, &of_pile(record))
}

fn verdict(question: &Question<'_>, record: &Record<'_>, growth: &Growth) -> Result<Judged, String> {
    let subject = question.subject();
    if !subject.is_empty() {
        return Err(format!(
            "`{}` is a count, and has no `{subject}`; write the bound alone: \"{} {}\"",
            question.name, question.keep.op, question.keep.value
        ));
    }
    let holds = question.holds(growth.by)?;
    let first = record.known.first().map_or(question.now, |(first, _)| *first);
    let long = told(super::record::between(first, question.now));
    let measured = format!("{} in {long}", question.said(growth.by));
    // It only grows: what is too much already stays too much.
    let is_too_much = match question.keep.op {
        Op::Lt | Op::Le => !holds,
        Op::Eq => !holds && question.scale.is_beyond(growth.by, &question.keep.value),
        _ => false,
    };
    if is_too_much {
        return Ok(Judged::fail(question, measured));
    }
    Ok(Judged::whole(question, measured, holds, growth.unknown(record)))
}
