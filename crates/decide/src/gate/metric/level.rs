//! How something stands: each reading has to keep the bound, or what is made of all of them.

use super::record::Record;
use super::{Judged, Question};
use jiff::Timestamp;
use towpath_model::desired::metric::Measured;
use towpath_model::run::Reading;
use towpath_model::unit::Op;

/// What is made of readings over a time.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Statistic {
    Average,
    Most,
    Least,
    /// The value that this part of all is at most.
    Quantile(f64),
    /// How many there were.
    Number,
}

impl Statistic {
    /// `p95`, `p99.9`, `avg`, `max`.
    pub(super) fn of(subject: &str) -> Option<Self> {
        let subject = subject.to_lowercase();
        Some(match subject.as_str() {
            "avg" | "average" | "mean" => Statistic::Average,
            "max" | "maximum" => Statistic::Most,
            "min" | "minimum" => Statistic::Least,
            "median" => Statistic::Quantile(0.5),
            "count" => Statistic::Number,
            _ => {
                let digits = subject.strip_prefix('p')?;
                let plain = digits.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
                let percent: f64 = digits.parse().ok().filter(|_| plain)?;
                (0.0..=100.0)
                    .contains(&percent)
                    .then_some(Statistic::Quantile(percent / 100.0))?
            }
        })
    }

    /// Of some values, which are all there are.
    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "there are fewer readings than a number can count, and a rank lies among them"
    )]
    fn over(self, values: &[f64]) -> Option<f64> {
        let number = values.len() as f64;
        let mut sorted = values.to_vec();
        sorted.sort_by(f64::total_cmp);
        match self {
            Statistic::Average => (number > 0.0).then(|| values.iter().map(|value| value / number).sum()),
            Statistic::Most => sorted.last().copied(),
            Statistic::Least => sorted.first().copied(),
            Statistic::Quantile(part) => {
                let rank = (part * number).ceil() as usize;
                sorted.get(rank.saturating_sub(1)).copied()
            }
            Statistic::Number => Some(number),
        }
    }
}

pub(super) fn judge(question: &Question<'_>, record: &Record<'_>) -> Result<Judged, String> {
    let (values, statistic) = values(question, record)?;
    if values.is_empty() {
        return Err(record.unknown().unwrap_or_else(|| record.nothing()));
    }
    if let Some(statistic) = statistic {
        let all: Vec<f64> = values.iter().map(|(_, value)| *value).collect();
        let value = statistic.over(&all).ok_or_else(|| record.nothing())?;
        let measured = format!(
            "{} {}, in {}",
            question.keep.subject,
            question.said(value),
            counted(all.len())
        );
        let holds = question.holds(value)?;
        return Ok(Judged::whole(question, measured, holds, record.unknown()));
    }
    for (at, value) in &values {
        if !question.holds(*value)? {
            let measured = format!("{} at {at:.0}", question.said(*value));
            return Ok(Judged::fail(question, measured));
        }
    }
    Ok(Judged::whole(
        question,
        nearest(question, &values),
        true,
        record.unknown(),
    ))
}

fn counted(number: usize) -> String {
    match number {
        1 => "1 reading".to_owned(),
        number => format!("{number} readings"),
    }
}

/// The reading that comes nearest to the bound, for people.
fn nearest(question: &Question<'_>, values: &[(Timestamp, f64)]) -> String {
    let of = counted(values.len());
    let mut values = values.iter().map(|(_, value)| *value);
    let (word, value) = match question.keep.op {
        Op::Lt | Op::Le => ("at most ", values.reduce(f64::max)),
        Op::Gt | Op::Ge => ("at least ", values.reduce(f64::min)),
        _ => ("", values.next_back()),
    };
    format!("{word}{}, in {of}", question.said(value.unwrap_or(0.0)))
}

type Values = Vec<(Timestamp, f64)>;

/// The values that the bound is about, and what is to be made of them.
fn values(question: &Question<'_>, record: &Record<'_>) -> Result<(Values, Option<Statistic>), String> {
    let subject = question.subject();
    let statistic = Statistic::of(subject).filter(|statistic| *statistic != Statistic::Number);
    let mut values = Vec::new();
    let mut made = None;
    for (at, reading) in record.judged() {
        let value = match reading {
            Reading::Level(_) if !subject.is_empty() && statistic.is_none() => {
                return Err(format!(
                    "`{}` is one number, and has no `{subject}`; write the bound alone, or one of avg, max, min, p95",
                    question.name
                ));
            }
            Reading::Level(value) => {
                made = statistic;
                *value
            }
            Reading::Named(named) => {
                // Of latencies the one that is meant is the one that most promises are about.
                let wanted = match subject {
                    "" if question.metric.measured == Some(Measured::Latency) => "p95",
                    subject => subject,
                };
                let only = named
                    .values()
                    .next()
                    .filter(|_| named.len() == 1 && wanted.is_empty());
                let value = named.get(&wanted.to_lowercase()).or(only);
                *value.ok_or_else(|| unnamed(question, subject, named.keys()))?
            }
            _ => continue,
        };
        values.push((*at, value));
    }
    Ok((values, made))
}

fn unnamed<'a>(question: &Question<'_>, subject: &str, names: impl Iterator<Item = &'a String>) -> String {
    let names: Vec<&str> = names.map(String::as_str).collect();
    if names.is_empty() {
        return format!("nothing has come of `{}` yet", question.name);
    }
    let (all, first) = (names.join(", "), names[0]);
    let (op, value) = (question.keep.op, &question.keep.value);
    let has = match subject {
        "" => format!("has several numbers, {all}, and the bound names none"),
        subject => format!("has {all}, and no `{subject}`"),
    };
    format!(
        "`{}` {has}; write the one that is meant: \"{first} {op} {value}\"",
        question.name
    )
}
