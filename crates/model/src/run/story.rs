//! The story of a rollout: what happened in it, word for word, for whoever asks years later.
//!
//! It is text, and not what was decided with: a version that decides otherwise can still tell what an earlier one did.

use super::release::ReleaseId;
use super::rollout::Stage;
use super::verdict::Verdict;
use crate::unit::Duration;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::fmt;

/// Something that happened in a rollout.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Line {
    /// When.
    pub at: Timestamp,
    /// What, in a word or two: `begins`, `waits`, `done`, `returns`, `promoted`.
    pub what: String,
    /// What it was about: a step, a task, gates.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub about: String,
    /// Why, as everybody was told.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub because: String,
    /// Who wanted it, where somebody did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
    /// Where it came from, in the first line.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<ReleaseId>,
    /// Where it went, in the first line and the last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<ReleaseId>,
    /// How long it took, in the last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub took: Option<Duration>,
}

impl Line {
    /// Something that happened, without anything beside.
    pub fn new(at: Timestamp, what: &str, about: String, because: String) -> Self {
        Line {
            at,
            what: what.to_owned(),
            about,
            because,
            by: None,
            from: None,
            to: None,
            took: None,
        }
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Verdict::Pass => f.write_str("pass"),
            Verdict::Fail(why) => write!(f, "fail: {why}"),
            Verdict::Inconclusive(why) => write!(f, "inconclusive: {why}"),
            Verdict::Waived(why) => write!(f, "waived: {why}"),
            Verdict::Awaits(why) => write!(f, "waits: {why}"),
        }
    }
}

impl fmt::Display for Stage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Stage::Enter(gates) => write!(f, "ask {}", joined(gates)),
            Stage::Try(names) => write!(f, "try {}", joined(names)),
            Stage::Migrate(all) => write!(f, "migrate {}", joined(all)),
            Stage::Fill(all) => write!(f, "fill in {}", joined(all)),
            Stage::Leg(leg) => {
                write!(f, "{} {}", leg.way.strategy, joined(&leg.components))?;
                if leg.steps.len() > 1 {
                    let step = (leg.step + 1).min(leg.steps.len());
                    write!(f, ", step {step} of {}", leg.steps.len())?;
                }
                match leg.tenants {
                    Some(tenants) => write!(f, ", {tenants} tenants"),
                    None => write!(f, ", {}", percent(leg.moved)),
                }
            }
            Stage::Bake(way) => write!(f, "watch for {}", way.bake),
        }
    }
}

/// Names, one behind the other.
fn joined<T: ToString>(all: &[T]) -> String {
    let all: Vec<String> = all.iter().map(ToString::to_string).collect();
    all.join(", ")
}

/// So many of ten thousand, as people write it.
pub fn percent(parts: u16) -> String {
    let (whole, rest) = (parts / 100, parts % 100);
    match rest {
        0 => format!("{whole}%"),
        rest if rest % 10 == 0 => format!("{whole}.{}%", rest / 10),
        rest => format!("{whole}.{rest:02}%"),
    }
}
