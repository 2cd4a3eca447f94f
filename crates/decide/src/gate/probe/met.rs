//! Whether an answer is the right one.

use super::words;
use super::{Act, Bound, Seen, Step, Subject, Veil};
use std::time::Duration as Span;
use towpath_model::unit::{Comparison, Quantity, Unit};

/// The longest text that is looked into as JSON: the body is bounded by whoever has read it, and this is far more than any.
const LONGEST_JSON: usize = 16 * 1024 * 1024;

/// What is not as it should be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Miss {
    /// What was expected, as it is written.
    pub expected: String,
    came: Came,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Came {
    /// This, which is another one.
    Other(String),
    /// This, which cannot be compared with it.
    Unlike(String),
    /// Nothing that it could be compared with, and why.
    Nothing(String),
    /// After so long.
    Time(Span),
}

impl Miss {
    /// What was measured, by itself.
    pub(super) fn measured(&self, veil: &Veil) -> String {
        match &self.came {
            Came::Other(text) | Came::Unlike(text) => words::came(text, veil),
            Came::Nothing(why) => why.clone(),
            Came::Time(span) => words::time(*span),
        }
    }

    /// What is wrong, in a sentence behind the step's words.
    pub fn told(&self, within: Option<String>, veil: &Veil) -> String {
        let within = within.map(|time| format!(" within {time}")).unwrap_or_default();
        let expected = format!("`{}` is expected{within}", self.expected);
        match &self.came {
            Came::Other(text) => format!("{expected}, and {} came", words::came(text, veil)),
            Came::Unlike(text) => {
                format!(
                    "{expected}, and {} came, which cannot be compared",
                    words::came(text, veil)
                )
            }
            Came::Nothing(why) => format!("{expected}, and {why}"),
            Came::Time(span) => format!("{expected}, and it took {}", words::time(*span)),
        }
    }
}

/// Whether what came of a step is what must come; or the first thing that is not so.
pub fn met(step: &Step, seen: &Seen) -> Result<(), Miss> {
    // The digest of an error page is worth nothing.
    let asks_status = step.expect.iter().any(|bound| bound.subject == Subject::Status);
    if matches!(step.act, Act::Fixture { .. }) && !asks_status {
        let status = seen.status.unwrap_or_default();
        if !(200..300).contains(&status) {
            return Err(Miss {
                expected: "status matches 2*".to_owned(),
                came: Came::Other(status.to_string()),
            });
        }
    }
    step.expect.iter().try_for_each(|bound| keeps(bound, seen))
}

fn keeps(bound: &Bound, seen: &Seen) -> Result<(), Miss> {
    let miss = |came| {
        Err(Miss {
            expected: bound.keep.to_string(),
            came,
        })
    };
    if bound.is_time() {
        return match in_time(&bound.keep, seen.took) {
            true => Ok(()),
            false => miss(Came::Time(seen.took)),
        };
    }
    let raw = match raw(&bound.subject, seen) {
        Ok(raw) => raw,
        Err(why) => return miss(Came::Nothing(why)),
    };
    match compare(&bound.keep, &raw) {
        Some(true) => Ok(()),
        Some(false) => miss(Came::Other(raw)),
        None => miss(Came::Unlike(raw)),
    }
}

/// What was measured, as a text; or why there is nothing.
pub(super) fn raw(subject: &Subject, seen: &Seen) -> Result<String, String> {
    match subject {
        Subject::Status => match seen.status {
            Some(status) => Ok(status.to_string()),
            None => Err("nothing was answered".to_owned()),
        },
        Subject::Body => Ok(seen.body.clone()),
        Subject::Header(name) => {
            let found = seen.headers.iter().find(|(known, _)| known == name);
            match found {
                Some((_, value)) => Ok(value.clone()),
                None => Err(format!("the answer has no header `{name}`")),
            }
        }
        Subject::Rows => Ok(seen.rows.to_string()),
        Subject::Messages => Ok(seen.messages.to_string()),
        Subject::Value => match seen.row.first() {
            Some((_, value)) => Ok(value.clone().unwrap_or_else(|| "null".to_owned())),
            None => Err("no row came".to_owned()),
        },
        Subject::Field(path) => field(path, seen),
        Subject::Latency | Subject::Percentile(_) => Ok(words::time(seen.took)),
    }
}

fn field(path: &[String], seen: &Seen) -> Result<String, String> {
    let name = path.join(".");
    if !seen.row.is_empty() {
        let column = seen.row.iter().find(|(column, _)| *column == name);
        return match column {
            Some((_, value)) => Ok(value.clone().unwrap_or_else(|| "null".to_owned())),
            None => Err(format!("the row has no column `{name}`")),
        };
    }
    if seen.body.len() > LONGEST_JSON {
        return Err("the answer is too long to be looked into".to_owned());
    }
    let read: Result<serde_json::Value, _> = serde_json::from_str(&seen.body);
    let mut value = match &read {
        Ok(value) => value,
        Err(_) if seen.body.trim().is_empty() => return Err("nothing came to look for it in".to_owned()),
        Err(_) => return Err("what came is no JSON to look for it in".to_owned()),
    };
    for part in path {
        let next = match value {
            serde_json::Value::Array(items) => part.parse().ok().and_then(|at: usize| items.get(at)),
            other => other.get(part),
        };
        match next {
            Some(next) => value = next,
            None => return Err(format!("what came has no `{name}`")),
        }
    }
    Ok(match value {
        serde_json::Value::String(text) => text.clone(),
        other => other.to_string(),
    })
}

/// Whether a text keeps a bound; nothing where the two cannot be compared. A bound that is a text is compared with the text,
/// any other one with what the text says: `100%` in an answer is a share.
fn compare(keep: &Comparison, raw: &str) -> Option<bool> {
    let measured = match &keep.value {
        Quantity::Text(_) => Quantity::Text(raw.trim().to_owned()),
        _ => Quantity::parse(raw.trim()).ok()?,
    };
    keep.holds(&measured)
}

/// Whether a time keeps a bound. A time that was measured is not rounded to the millisecond before.
pub(super) fn in_time(keep: &Comparison, took: Span) -> bool {
    match &keep.value {
        Quantity::Duration(bound) => keep.op.holds(took.cmp(&bound.to_std())),
        _ => false,
    }
}
