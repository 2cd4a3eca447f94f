//! Gates: the questions that are asked of a release, and what they have answered.
//!
//! **The questions** stand in the release (`Content::questions`), in the manifest's own words: a release that comes back
//! after a year is asked what was asked of it then. Who is asked when is the release's, too: `build` before it is handed over,
//! by whoever makes it; `enter` before it may begin, of the environment that it comes from where there is one; and what stands
//! in the `Way` of its components, while it has a share and when it has all.
//!
//! **An answer** is kept for ever, with what was measured, what it was held against, and what it rests on. A verdict of a
//! rollout is made of answers: one that fails fails it, one that nobody could give holds it.

use super::verdict::Verdict;
use crate::desired::gate::{Gate, Stage};
use crate::desired::metric::{Metric, Objective};
use crate::desired::place::Host;
use crate::desired::probe::Probe;
use crate::unit::{Duration, Email, Name};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What is asked of a release on its way into one environment.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Questions {
    /// The gates that are named somewhere on its way.
    pub gates: BTreeMap<Name, Gate>,
    /// The probes that are asked as gates, by them, or ever after on a schedule.
    pub probes: BTreeMap<Name, Probe>,
    /// The metrics that gates ask for.
    pub metrics: BTreeMap<Name, Metric>,
    /// The objectives that gates ask for.
    pub objectives: BTreeMap<Name, Objective>,
    /// The hosts that metrics are asked of, and the one that is asked where a metric names none.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub hosts: BTreeMap<Name, Host>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub telemetry: Option<Name>,
    /// The paths of components' own pages of metrics.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub pages: BTreeMap<Name, String>,
    /// Who has each role that an approval asks for.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub roles: BTreeMap<Name, Vec<Email>>,
    /// Asked before it is handed over, where it is made.
    pub build: Vec<Name>,
    /// Asked before it may begin.
    pub enter: Vec<Name>,
    /// What follows from the manifest alone was found out when the release was made.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub known: BTreeMap<Name, Found>,
    /// The environment that it comes from, of which `enter` is asked what only something that runs can answer.
    pub after: Option<Name>,
}

/// What a gate has answered.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Answer {
    /// The gate, or the probe that is one.
    pub gate: String,
    /// When on its way it was asked.
    pub stage: Stage,
    /// What was found.
    #[serde(flatten)]
    pub found: Found,
    /// When.
    pub at: Timestamp,
    /// How long it took.
    pub took: Duration,
    /// Who has asked: a machine, a person, a job of CI.
    pub by: String,
}

/// What was found out for an answer, whoever has asked.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Found {
    /// What follows from it.
    pub verdict: Verdict,
    /// What was measured, in words: `3 of 1,204 requests failed (0.25 %)`.
    pub measured: Option<String>,
    /// What it was held against: `< 1 %`.
    pub bound: Option<String>,
    /// What it rests on.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub evidence: Vec<Evidence>,
}

/// Something that an answer rests on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Evidence {
    /// What it is: a file, a series, the last lines of a command.
    pub name: String,
    /// What stands in it, as far as it is kept.
    pub text: String,
    /// The digest of all of it, where it is a file.
    pub digest: Option<String>,
}

/// Why a gate is passed over for a time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Waiver {
    /// The gate.
    pub gate: String,
    /// Who says so.
    pub by: String,
    /// Why.
    pub reason: String,
    /// Since when.
    pub at: Timestamp,
    /// Until when.
    pub until: Timestamp,
}

/// A person's yes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Approved {
    /// The gate.
    pub gate: String,
    /// Who.
    pub by: String,
    /// When.
    pub at: Timestamp,
}
