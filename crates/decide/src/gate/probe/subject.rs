//! What of an answer is compared.

use super::Act;
use towpath_model::unit::{Comparison, Op, Quantity};

/// What is compared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Subject {
    /// The status of an answer.
    Status,
    /// All of its body; of a WebSocket a message, of a command what it has written.
    Body,
    /// A header, in small letters.
    Header(String),
    /// How long it took.
    Latency,
    /// A percentile of the times of all runs, in thousandths of a percent.
    Percentile(u32),
    /// How many rows were answered or changed.
    Rows,
    /// The first column of the first row.
    Value,
    /// How many messages came.
    Messages,
    /// A field of a body that is JSON, or a column of the first row.
    Field(Vec<String>),
}

/// What must hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bound {
    /// What is compared.
    pub subject: Subject,
    /// With what, and how.
    pub keep: Comparison,
}

/// All of something, in thousandths of a percent.
pub(super) const ALL: u32 = 100_000;

impl Bound {
    /// Reads what must hold of the answer to something.
    pub(super) fn read(keep: &Comparison, act: &Act) -> Result<Bound, String> {
        let subject = Subject::read(keep, act);
        let is_time = matches!(subject, Subject::Latency | Subject::Percentile(_));
        if is_time && !matches!(keep.value, Quantity::Duration(_)) {
            return Err(format!(
                "`{keep}` compares a time with {}; write a duration such as 250ms",
                keep.value.kind()
            ));
        }
        if is_time && matches!(keep.op, Op::Contains | Op::Matches) {
            return Err(format!("`{keep}` compares a time as if it were a text"));
        }
        if !subject.is_known_of(act) {
            return Err(format!(
                "`{keep}` asks for something that {} does not have; it has {}",
                what(act),
                subjects(act)
            ));
        }
        Ok(Bound {
            subject,
            keep: keep.clone(),
        })
    }

    /// Whether it is a bound of times.
    pub(super) fn is_time(&self) -> bool {
        matches!(self.subject, Subject::Latency | Subject::Percentile(_))
    }

    /// Whether it is a bound over all runs.
    pub(super) fn is_across(&self) -> bool {
        matches!(self.subject, Subject::Percentile(_))
    }
}

impl Subject {
    fn read(keep: &Comparison, act: &Act) -> Subject {
        let subject = keep.subject.as_str();
        let small = subject.to_ascii_lowercase();
        if let Some(name) = small.strip_prefix("header ") {
            return Subject::Header(name.trim().to_owned());
        }
        if let Some(part) = percentile(&small) {
            return Subject::Percentile(part);
        }
        match small.as_str() {
            "" if matches!(keep.value, Quantity::Duration(_)) => Subject::Latency,
            "" if matches!(act, Act::Sql { .. }) => Subject::Value,
            "" if matches!(act, Act::WebSocket(_)) && matches!(keep.value, Quantity::Count(_)) => {
                Subject::Messages
            }
            "" | "body" => Subject::Body,
            "status" => Subject::Status,
            "latency" => Subject::Latency,
            "rows" if matches!(act, Act::Sql { .. }) => Subject::Rows,
            "messages" if matches!(act, Act::WebSocket(_)) => Subject::Messages,
            // A field that has the name of something else is reached by `body.`.
            _ => Subject::Field(path(subject.strip_prefix("body.").unwrap_or(subject))),
        }
    }

    fn is_known_of(&self, act: &Act) -> bool {
        let answers = matches!(act, Act::Http(_) | Act::Wait(_) | Act::Fixture { .. });
        let says = answers || matches!(act, Act::WebSocket(_) | Act::Command(_));
        let queries = matches!(act, Act::Sql { .. });
        match self {
            Subject::Latency | Subject::Percentile(_) => true,
            Subject::Status | Subject::Header(_) => answers,
            Subject::Body => says,
            Subject::Rows | Subject::Value => queries,
            Subject::Messages => matches!(act, Act::WebSocket(_)),
            Subject::Field(_) => says || queries,
        }
    }
}

/// `95_000` of `p95`; from p0.001 to p100.
fn percentile(subject: &str) -> Option<u32> {
    let (whole, part) = match subject.strip_prefix('p')?.split_once('.') {
        Some((whole, part)) => (whole, part),
        None => (subject.strip_prefix('p')?, ""),
    };
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() || whole.len() > 3 || part.len() > 3 || !digits(whole) || !digits(part) {
        return None;
    }
    let thousandths: u32 = format!("{whole}{part:0<3}").parse().ok()?;
    (1..=ALL).contains(&thousandths).then_some(thousandths)
}

/// `data`, `items`, `0` of `data.items[0]`.
fn path(subject: &str) -> Vec<String> {
    let parts = subject.split(['.', '[']);
    parts.map(|part| part.trim_end_matches(']').to_owned()).collect()
}

fn what(act: &Act) -> &'static str {
    match act {
        Act::Http(_) | Act::Wait(_) => "an answer",
        Act::Fixture { .. } => "the answer to a fixture",
        Act::WebSocket(_) => "a WebSocket",
        Act::Tcp(_) => "a connection",
        Act::Sql { .. } => "a query",
        Act::Queue { .. } => "a job",
        Act::Command(_) => "a command",
    }
}

fn subjects(act: &Act) -> &'static str {
    match act {
        Act::Http(_) | Act::Wait(_) | Act::Fixture { .. } => {
            "`status`, `body`, `header NAME`, fields of JSON, `latency`, and percentiles such as `p95`"
        }
        Act::WebSocket(_) => "`body`, fields of JSON, `messages`, `latency`, and percentiles such as `p95`",
        Act::Tcp(_) | Act::Queue { .. } => "`latency`, and percentiles such as `p95`",
        Act::Sql { .. } => "`rows`, the columns of its first row, `latency`, and percentiles such as `p95`",
        Act::Command(_) => "`body`, fields of JSON, `latency`, and percentiles such as `p95`",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_percentile_is_read_to_the_thousandth() {
        for (text, wanted) in [
            ("p95", Some(95_000)),
            ("p99.9", Some(99_900)),
            ("p50", Some(50_000)),
            ("p100", Some(100_000)),
            ("p0", None),
            ("p101", None),
            ("p", None),
            ("progress", None),
            ("p9.12345", None),
            ("p.5", None),
        ] {
            assert_eq!(percentile(text), wanted, "{text}");
        }
    }

    #[test]
    fn a_field_is_reached_by_dots_and_by_numbers() {
        assert_eq!(path("progress"), ["progress"]);
        assert_eq!(path("data.items[0].name"), ["data", "items", "0", "name"]);
        assert_eq!(path("data.items.0.name"), ["data", "items", "0", "name"]);
    }
}
