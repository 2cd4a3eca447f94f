//! How everything is. `towpath status --json` prints this, and nothing in it is ever renamed or taken away.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use towpath_model::run::{Certified, InstanceId, Kind, State};

/// How a product is in an environment.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Status {
    /// The product.
    pub product: String,
    /// The environment.
    pub environment: String,
    /// Who looks after it; nobody when it is not there, and what is told then is what the keepers know.
    pub steward: Option<Steward>,
    /// Who answers visitors; nothing where nothing is public, or an older version answers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub edge: Option<Edge>,
    /// The components, in the order of their names.
    pub components: Vec<Component>,
    /// What is not as it should be with the whole: limits that cannot be kept, a disk that is full, a port that was taken.
    pub notes: Vec<String>,
    /// The certificate of each domain that is no name of this machine.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[cfg_attr(feature = "schema", schemars(with = "Vec<crate::Opaque>"))]
    pub certificates: Vec<Certified>,
}

/// Who looks after it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Steward {
    /// Its process.
    pub pid: u32,
    /// Since when it does.
    #[cfg_attr(feature = "schema", schemars(with = "String"))]
    pub since: Timestamp,
    /// The version of Towpath that it is.
    pub version: String,
    /// The port at which it takes plain HTTP; none where nothing is public, or an older version answers.
    #[serde(default)]
    pub http: Option<u16>,
    /// The same for HTTPS.
    #[serde(default)]
    pub https: Option<u16>,
    /// The addresses at which it takes both: `0.0.0.0` is every IPv4 address of the machine, `::` every IPv6 address.
    #[serde(default)]
    pub listens: Vec<String>,
}

/// How a component is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Component {
    /// Its name.
    pub name: String,
    /// Its kind.
    #[cfg_attr(feature = "schema", schemars(with = "String"))]
    pub kind: Kind,
    /// Its state.
    #[cfg_attr(feature = "schema", schemars(with = "String"))]
    pub state: State,
    /// Why it is in that state.
    pub because: String,
    /// Where people reach it.
    pub url: Option<String>,
    /// Where other components reach it.
    pub inside: Option<String>,
    /// The requests that came through for it.
    pub requests: u64,
    /// What came through in the last minute or so; nothing where nobody has ever asked it anything.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lately: Option<Lately>,
    /// What browsers have measured of its pages since the edge began to count, by its name: `ttfb`, `fcp`, `lcp`, `cls`, `inp`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub vitals: BTreeMap<String, Vital>,
    /// Its instances.
    pub instances: Vec<Instance>,
    /// What its schedule says, where it has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub schedule: Option<Schedule>,
    /// What it keeps, where it is a resource that answers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub keeps: Option<Keeps>,
}

/// Who answers visitors.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Edge {
    /// Its process.
    pub pid: u32,
    /// Since when it runs.
    #[cfg_attr(feature = "schema", schemars(with = "String"))]
    pub since: Timestamp,
    /// It is the same program as the steward.
    pub ours: bool,
    /// Connections that are open.
    pub connections: u64,
    /// Edges before it that still end what they have begun.
    pub leaving: u32,
    /// Requests a second, in the last minute or so.
    pub per_second: f64,
    /// Its memory: its own, and its part of what it shares.
    pub memory_bytes: u64,
    /// Lines of the log of requests that were lost.
    pub lines_lost: u64,
    /// Why the log of requests cannot be written now.
    pub log_fault: Option<String>,
    /// Spans that no collector has taken.
    pub spans_dropped: u64,
    /// Why the last spans were not taken.
    pub spans_fault: Option<String>,
    /// What browsers have refused last because the policy of a page forbids it, the newest first.
    pub violations: Vec<Violation>,
}

/// Something that a browser has refused to do for a page.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Violation {
    /// When it was told.
    #[cfg_attr(feature = "schema", schemars(with = "String"))]
    pub at: Timestamp,
    /// The component.
    pub component: String,
    /// What of the policy forbids it.
    pub directive: String,
    /// What was refused: an address without its query, or a word such as `inline`.
    pub blocked: String,
    /// The path of the page.
    pub page: String,
    /// It is only told, and was done.
    pub only_told: bool,
}

/// What came through in the last minute or so.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Lately {
    /// In so many seconds.
    pub seconds: u64,
    /// Requests a second.
    pub per_second: f64,
    /// The share of them that was answered with 5xx, from 0 to 1.
    pub error_share: f64,
    /// Milliseconds in which 95 of 100 answers began; nothing where there was none.
    pub p95_ms: Option<f64>,
}

/// What browsers have measured of pages.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Vital {
    /// How many pages told it.
    pub count: u64,
    /// How many of them were good, by what is agreed on to be good for visitors.
    pub good: u64,
    /// What 75 of 100 pages did not exceed: milliseconds, and of `cls` a number without a unit.
    pub p75: f64,
}

/// What a schedule says about how many instances run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Schedule {
    /// How many are wanted now, be it by hand.
    pub wanted: u32,
    /// Whether that was asked for by hand, and not by the schedule.
    pub by_hand: bool,
    /// Until when; nothing where no other number will be wanted.
    #[cfg_attr(feature = "schema", schemars(with = "Option<String>"))]
    pub until: Option<Timestamp>,
    /// How many the schedule wants from then on.
    pub then: Option<u32>,
}

/// What a resource keeps.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Keeps {
    /// The version of its server, as that says it; none of a bucket, which is ours.
    pub version: Option<String>,
    /// How much it keeps.
    pub bytes: u64,
    /// How many are connected to it; none of a bucket.
    pub connections: Option<u32>,
    /// How many objects are in it; a bucket's alone.
    pub objects: Option<u64>,
    /// When it was last backed up; nothing where it never was.
    #[cfg_attr(feature = "schema", schemars(with = "Option<String>"))]
    pub last_backup: Option<Timestamp>,
}

/// How an instance is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Instance {
    /// Which one.
    #[cfg_attr(feature = "schema", schemars(with = "String"))]
    pub id: InstanceId,
    /// Its first process.
    pub pid: Option<u32>,
    /// Its state.
    #[cfg_attr(feature = "schema", schemars(with = "String"))]
    pub state: State,
    /// Why it is in that state.
    pub because: String,
    /// How often it was started again after it had ended by itself.
    pub restarts: u32,
    /// The memory of all its processes.
    pub memory_bytes: u64,
    /// The processor that they used since the last look, in percent of one core.
    pub cpu_percent: f64,
    /// Since when it is in that state.
    #[cfg_attr(feature = "schema", schemars(with = "String"))]
    pub since: Timestamp,
    /// That the edge sends it no requests, because it does worse than others; nothing where it is asked as they are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub left_out: Option<LeftOut>,
}

/// Why the edge asks others instead of an instance. It is tried again from time to time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct LeftOut {
    /// Why.
    pub because: String,
    /// Since when.
    #[cfg_attr(feature = "schema", schemars(with = "String"))]
    pub since: Timestamp,
}

/// Why a component is in its state, at length.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Explained {
    /// How it is.
    pub component: Component,
    /// Where the manifest says it: `towpath.toml:12`.
    pub place: Option<String>,
    /// What it waits for or was waiting for, and how that is.
    pub needs: Vec<String>,
    /// What was done to it last, newest first: time, what, why, how it ended.
    pub history: Vec<String>,
    /// What can be done next.
    pub next: Vec<String>,
}

/// Everything that a command needs to be run as the component itself would be.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Surroundings {
    /// The folder.
    pub dir: String,
    /// All of its environment, in clear: it is said over the socket to its owner, and never written.
    pub env: BTreeMap<String, String>,
    /// What is delivered as files: the variable that holds the file's path, and what stands in the file.
    #[serde(default)]
    pub files: BTreeMap<String, String>,
}
