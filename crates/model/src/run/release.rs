//! A release: everything that decides what runs in an environment, as one thing that never changes.

use super::{Component, Credentials, Front, Kind, Questions};
use crate::desired::resource::Phase;
use crate::desired::rollout::{Strategy, WhenInconclusive};
use crate::unit::{Date, Duration, Name, Schedule, Window, Zone};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

/// The name of a release: the digest of its content. Whatever is the same has the same name, and a name never means
/// anything else.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ReleaseId(String);

impl ReleaseId {
    /// So it is written. Whoever makes a release takes the one that its content has.
    pub fn new(text: impl Into<String>) -> Self {
        ReleaseId(text.into())
    }

    /// As it is written.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ReleaseId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

/// A release. No value of a secret is in it: variables name sealed values, and `Content::secrets` says which versions.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Release {
    /// Its name, which its content has.
    pub id: ReleaseId,
    /// What it is.
    pub content: Content,
    /// Where it comes from. It is no part of its name: the same made twice is the same release.
    pub origin: Origin,
}

/// What a release is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Content {
    /// The digest of the manifest that it was rendered from, with everything that it includes.
    pub manifest: String,
    /// What holds for all of them.
    pub frame: Arc<Frame>,
    /// Its components. Paths in them begin with `ARTIFACT`, and files of settings are among their artifacts.
    pub components: BTreeMap<Name, Portion>,
    /// The versions of the secrets that it is started with.
    pub secrets: BTreeMap<String, u64>,
    /// What its flags are where nobody has set them.
    pub flags: BTreeMap<Name, bool>,
    /// The schema that it knows, by the resource.
    pub schema: BTreeMap<Name, Schema>,
    /// What is asked of it on its way.
    #[serde(default)]
    pub questions: Arc<Questions>,
}

/// What holds for all components of a release.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Frame {
    /// The product.
    pub product: Name,
    /// The environment.
    pub environment: Name,
    /// What browsers are shown for what cannot be answered, where it is a page of the product's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error_page: Option<String>,
    /// What holds for everything that visitors reach.
    #[serde(default)]
    pub front: Front,
    /// Components show each other certificates.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub credentials: Option<Credentials>,
    /// When nothing is deployed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub closed: Vec<Closed>,
    /// The zone of times that name none.
    pub zone: Zone,
    /// How many releases are kept with everything that they need.
    pub keep: u32,
    /// When a rollback is rehearsed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rehearse: Option<Rehearsal>,
}

/// When a rollback is rehearsed, and how long it may take.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rehearsal {
    /// When.
    pub every: Schedule,
    /// How long the way back may take.
    pub within: Duration,
}

/// A time in which nothing is deployed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Closed {
    /// The first day.
    pub from: Option<Date>,
    /// The last day.
    pub to: Option<Date>,
    /// A time that comes again.
    pub every: Option<Window>,
    /// Why.
    pub why: String,
}

/// A component of a release.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Portion {
    /// Its rendered configuration.
    pub component: Arc<Component>,
    /// The digest of the tree of files that it runs from.
    pub artifact: Option<String>,
    /// The digest of what its instances are started from: where it is the same in two releases, they go on.
    pub digest: String,
    /// How it goes from one release to the next.
    pub way: Arc<Way>,
}

/// The schema that a release knows.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Schema {
    /// Its migrations, in their order.
    pub migrations: Vec<Migration>,
    /// When those may run that take away, where that is bounded.
    pub contract: Option<Window>,
    /// When the others may run, where that is bounded.
    pub window: Option<Window>,
}

/// A migration.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Migration {
    /// Its name, by which the resource knows whether it has run.
    pub name: String,
    /// What it does to code that runs.
    pub phase: Phase,
    /// The digest of what stands in it.
    pub digest: String,
}

/// Where a release comes from.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Origin {
    /// Who made it.
    pub by: String,
    /// When.
    pub at: Option<Timestamp>,
    /// Of which commit.
    pub commit: Option<String>,
    /// What is known of its build: by which machine or job, from what.
    pub build: BTreeMap<String, String>,
}

/// How a component goes from one release to the next: the rollout that is written for it, made exact.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Way {
    /// Whose rollout it is: the component's own, or nobody's, and then all without one go together.
    pub of: Option<Name>,
    /// The strategy.
    pub strategy: Strategy,
    /// The steps of a canary.
    pub steps: Vec<Step>,
    /// A share of tenants, not of requests: a bot is handed over with the first step, to these tenants only.
    pub tenants: Option<Vec<String>>,
    /// What is asked while it has a share.
    pub gates: Vec<String>,
    /// What is asked when it has all.
    pub after: Vec<String>,
    /// How long it is watched when it has all.
    pub bake: Duration,
    /// How long what was there before stays ready to come back.
    pub warm: Duration,
    /// How often gates are asked.
    pub judge_every: Duration,
    /// The fewest requests that a verdict rests on.
    pub min_sample: u32,
    /// What follows from too little to judge by.
    pub inconclusive: WhenInconclusive,
    /// How much longer is waited for a verdict.
    pub extend: Duration,
    /// How many more instances than wanted may run while it rolls, of ten thousand.
    pub surge: u16,
    /// How many fewer.
    pub missing: u16,
    /// How long without progress until it fails.
    pub progress: Duration,
    /// It goes back by itself.
    pub auto_rollback: bool,
    /// When it may move forward.
    pub window: Option<Window>,
    /// The zone of windows that name none.
    pub zone: Zone,
}

/// A step of a rollout.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Step {
    /// What the new release has with it, of ten thousand visitors or jobs.
    pub parts: u16,
    /// How many tenants, where it is a share of them; nothing is all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tenants: Option<u64>,
    /// How long it is watched.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hold: Option<Duration>,
    /// A person has to say that it may go on.
    #[serde(default)]
    pub person: bool,
}

impl Step {
    /// All of it, at once.
    pub fn all() -> Self {
        Step {
            parts: ALL,
            tenants: None,
            hold: None,
            person: false,
        }
    }
}

/// All of something of which a release has so many parts.
pub const ALL: u16 = 10_000;

impl Portion {
    /// Whether a second one can never stand beside it: it keeps data, is single, or listens on a port that is fixed.
    pub fn stands_alone(&self) -> bool {
        let fixed = self.component.listens.as_ref().and_then(|listens| listens.port);
        self.component.single || fixed.is_some()
    }

    /// Whether visitors come to it whom releases can share.
    pub fn is_shared(&self) -> bool {
        matches!(
            self.component.kind,
            Kind::Service | Kind::Function | Kind::StandIn | Kind::Pool
        ) && !self.component.single
    }

    /// Whether visitors can come to it, so that the edge counts what becomes of them.
    pub fn has_visitors(&self) -> bool {
        self.is_shared() || self.component.kind == Kind::Site
    }

    /// Whether instances of it run as long as nobody stops them.
    pub fn runs(&self) -> bool {
        !matches!(self.component.kind, Kind::Site | Kind::Extension | Kind::Job)
    }
}

impl Content {
    /// Whether it knows a migration.
    pub fn knows(&self, resource: &Name, migration: &str) -> bool {
        let schema = self.schema.get(resource);
        schema.is_some_and(|schema| schema.migrations.iter().any(|one| one.name == migration))
    }
}
