//! What a metric says, and whether that keeps a bound.
//!
//! **What a reading says** follows from what kind of thing was read.
//!
//! | what is read | of what | what is held against the bound |
//! | --- | --- | --- |
//! | a level | queue depth, locks, connections, cpu, memory, a query, a command, PromQL, a document | each reading |
//! | named levels | latencies as quantiles, web vitals | each reading of the one that the bound names: `lcp < 2.5s` |
//! | a count | requests, restarts, evictions, incidents, a counter of a component | its growth over the time |
//! | what lies somewhere | dead letters | what has been added over the time; what is taken away is no growth |
//! | a share | errors, availability, uptime | what went wrong over the time, of all in that time |
//! | a spread | latency, a histogram of a component | a quantile of what came in that time: `p95 < 3s` |
//! | a query with `:from` and `:to` | rows of a time | the number for all of that time |
//!
//! Of a level a bound may also name what is made of the readings over the time: `avg`, `max`, `min`, `p95`.
//!
//! **A bound has to hold over all of its time.** One reading beyond it fails, and so does a count that has grown past it: that
//! is known before the time is over. To pass, all of the time has to be known. What is not known is neither a pass nor a
//! failure but inconclusive, with the reason: the record is too short ("known for 3m of 10m"), a source did not answer,
//! nothing has happened that could be judged. A count bridges a gap by itself, unless it began again in it. The record is that
//! of one release: whoever asks hands over no readings from before it.
//!
//! **A count that falls has begun again**, and what it shows then has come since. It is never less than nothing.
//!
//! **Few events say little.** A share of one in a hundred cannot be told from ten requests. Below as many events as would
//! have one beyond the bound, nothing passes, and it fails only when chance would do as much less than one time in a thousand
//! (Chernoff's bound, which holds for any number of events).
//!
//! **Units** (`scale`): a bound with a unit is compared with a number that has one. The unit of a metric is what its `unit`
//! says (`ms`, `s`, `MB`, `%`, `ratio`, `USD`), or the end of the name of its series (`_ms`, `_seconds`, `_bytes`, `_ratio`);
//! what Towpath measures itself is in milliseconds, bytes and shares. A bound without a unit is compared with the number as it
//! was read. A number without a unit is never guessed to be seconds.

mod growth;
mod level;
mod objective;
mod record;
mod scale;
mod share;
mod spread;
#[cfg(test)]
mod tests;
mod words;

pub use objective::{Budget, Counted, budget_left, objective};
pub use record::cadence;

use jiff::Timestamp;
use record::Record;
use scale::Scale;
use towpath_model::desired::gate::MetricGate;
use towpath_model::desired::metric::{Measured, Metric};
use towpath_model::run::{Evidence, Found, Reading, Verdict};
use towpath_model::unit::{Comparison, Duration};

/// Who reads a metric.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// The steward and the edge see it themselves.
    Here(Measured),
    /// Somebody has to be asked: a resource, a component's page, an address, a command.
    Outside,
}

/// Who reads it.
pub fn origin(metric: &Metric) -> Origin {
    match metric.measured {
        None
        | Some(
            Measured::QueueDepth
            | Measured::DeadLetters
            | Measured::Locks
            | Measured::DatabaseConnections
            | Measured::Evictions,
        ) => Origin::Outside,
        Some(here) => Origin::Here(here),
    }
}

/// What is asked of a metric.
struct Question<'a> {
    name: &'a str,
    metric: &'a Metric,
    keep: &'a Comparison,
    over: Duration,
    scale: Scale,
    now: Timestamp,
}

impl Question<'_> {
    /// What the bound names, without what only says the metric's own name again.
    fn subject(&self) -> &str {
        let subject = self.keep.subject.as_str();
        let same = |name: &str| plain(name) == plain(subject);
        let measured = self.metric.measured.map(|measured| measured.to_string());
        let again = same(self.name) || same("value") || measured.is_some_and(|measured| same(&measured));
        if again || (self.is_share() && same("error rate")) {
            ""
        } else {
            subject
        }
    }

    fn is_share(&self) -> bool {
        matches!(
            self.metric.measured,
            Some(Measured::Errors | Measured::Availability | Measured::Uptime)
        )
    }

    /// Whether such a number keeps the bound.
    fn holds(&self, value: f64) -> Result<bool, String> {
        self.scale.holds(self.name, value, self.keep)
    }

    fn said(&self, value: f64) -> String {
        self.scale.said(value)
    }
}

fn plain(text: &str) -> String {
    text.to_lowercase().replace(['-', '_'], " ")
}

/// What was found out: what was measured, in words, and what follows.
struct Judged {
    measured: Option<String>,
    verdict: Verdict,
}

impl Judged {
    fn pass(measured: String) -> Self {
        Judged {
            measured: Some(measured),
            verdict: Verdict::Pass,
        }
    }

    /// The bound does not hold.
    fn fail(question: &Question<'_>, measured: String) -> Self {
        let why = format!(
            "`{}` is {measured}, and `{}` has to hold for {}",
            question.name, question.keep, question.over
        );
        Judged {
            measured: Some(measured),
            verdict: Verdict::Fail(why),
        }
    }

    /// Nobody can say.
    fn open(measured: Option<String>, why: String) -> Self {
        Judged {
            measured,
            verdict: Verdict::Inconclusive(why),
        }
    }

    /// A verdict over all of the time: what keeps the bound passes only where all of it is known.
    fn whole(question: &Question<'_>, measured: String, holds: bool, unknown: Option<String>) -> Self {
        match (holds, unknown) {
            (_, Some(why)) => Judged::open(Some(measured), why),
            (true, None) => Judged::pass(measured),
            (false, None) => Judged::fail(question, measured),
        }
    }
}

/// Whether a metric keeps its bound over all of the time, by the readings of the release that is asked about.
///
/// Total: any readings in any order have an answer. What is read after `now` is left out.
pub fn kept(metric: &Metric, gate: &MetricGate, samples: &[(Timestamp, Reading)], now: Timestamp) -> Found {
    let name = gate.metric.as_str();
    let question = Question {
        name,
        metric,
        keep: &gate.keep,
        over: gate.over,
        scale: Scale::of(metric),
        now,
    };
    let record = Record::of(name, samples, gate.over, now);
    let judged = judge(&question, &record).unwrap_or_else(|why| Judged::open(None, why));
    let readings = words::readings(&record, &question.scale);
    Found {
        verdict: judged.verdict,
        measured: judged.measured,
        bound: Some(format!("{} for {}", gate.keep, gate.over)),
        evidence: readings
            .map(|text| Evidence {
                name: format!("the readings of `{name}`"),
                text,
                digest: None,
            })
            .into_iter()
            .collect(),
    }
}

fn judge(question: &Question<'_>, record: &Record<'_>) -> Result<Judged, String> {
    question.scale.admits(question.name, question.keep)?;
    let Some((_, last)) = record.known.last() else {
        return Err(record.nothing());
    };
    match last {
        Reading::Level(_) if question.metric.measured == Some(Measured::DeadLetters) => {
            growth::piled(question, record)
        }
        Reading::Level(_) | Reading::Named(_) => level::judge(question, record),
        Reading::Count(_) => growth::judge(question, record),
        Reading::Share(_) => share::judge(question, record),
        Reading::Spread(_) => spread::judge(question, record),
        Reading::Span { from, to, value } => span(question, record, *from, *to, *value),
        Reading::Unknown(why) => Err(why.clone()),
    }
}

/// A number for all of a time, which has to be as long as the bound's, and to end now.
fn span(
    question: &Question<'_>,
    record: &Record<'_>,
    from: Timestamp,
    to: Timestamp,
    value: f64,
) -> Result<Judged, String> {
    let long = record::between(from, to);
    let unknown = record.stale(to).or_else(|| record.short(long));
    let measured = format!("{} in {long}", question.said(value));
    let holds = question.holds(value)?;
    Ok(Judged::whole(question, measured, holds, unknown))
}

/// How much of it there was in a time: events of a count, what was added to a pile, or what a query says of that time.
///
/// This is what a change is made of. What has no amount, such as a level, says so, and so does a time that is not known.
pub fn amount(
    metric: &Metric,
    name: &str,
    samples: &[(Timestamp, Reading)],
    from: Timestamp,
    to: Timestamp,
) -> Result<f64, String> {
    let over = record::between(from, to);
    let asked = samples.iter().rev().find_map(|(_, reading)| match reading {
        Reading::Span {
            from: since,
            to: until,
            value,
        } if (*since, *until) == (from, to) => Some(*value),
        _ => None,
    });
    if let Some(value) = asked {
        return Ok(value);
    }
    let record = Record::of(name, samples, over, to);
    let Some((_, last)) = record.known.last() else {
        return Err(record.nothing());
    };
    let grown = match last {
        Reading::Count(_) => growth::of_counts(&record),
        Reading::Level(_) if metric.measured == Some(Measured::DeadLetters) => growth::of_pile(&record),
        Reading::Span { .. } => {
            return Err(format!("`{name}` was not asked about {from:.0} to {to:.0}"));
        }
        _ => {
            return Err(format!(
                "`{name}` is no count, so it has no amount in a time; count events instead: a counter, or a query with :from and :to"
            ));
        }
    };
    match grown.unknown(&record) {
        None => Ok(grown.by),
        Some(why) => Err(why),
    }
}
