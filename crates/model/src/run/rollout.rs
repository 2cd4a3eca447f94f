//! A rollout: an environment on its way from one release to another, as it stands in the journal.
//!
//! A `Course` is everything that has to survive of it. It is written whole, in one batch with what is about to be done, so
//! that whoever reads the newest one knows where to go on; nothing of it is ever computed from what was written before.

use super::release::{ReleaseId, Step, Way};
use super::verdict::{Reason, Verdict};
use crate::unit::{Duration, Name};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// Where an environment stands between its releases.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Course {
    /// The one release that is current. Nothing before the first.
    pub current: Option<ReleaseId>,
    /// The one that was current before: where a rollback goes that names none.
    pub before: Option<ReleaseId>,
    /// The one rollout that lives.
    pub rollout: Option<Rollout>,
    /// What begins when that has come back.
    pub next: Option<Next>,
    /// What is kept ready to come back after a rollout has ended.
    pub warm: Option<Warm>,
    /// Nothing goes forward until then.
    pub frozen: Option<Frozen>,
    /// How the last rollout ended.
    pub ended: Option<Ended>,
    /// The number of the last rollout: what carries an older one is of no more interest.
    pub number: u64,
    /// How often visitors have been divided anew: the edge says which of these it has.
    pub turn: u64,
    /// Every migration that takes away and was begun. Behind it, no release can run that does not know it.
    pub contracted: Vec<Moved>,
    /// The windows of them are looked at: the current release has been watched long enough.
    pub may_contract: bool,
    /// From when on it is looked for the next time of a rehearsal.
    #[serde(default)]
    pub rehearse: Option<Since>,
    /// The rehearsal that is on its way back.
    #[serde(default)]
    pub rehearsing: Option<Rehearsing>,
    /// How the last rehearsal went.
    #[serde(default)]
    pub rehearsed: Option<Rehearsed>,
}

/// From when on a schedule is looked at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Since {
    /// The schedule, as it is written: for another one it begins anew.
    pub schedule: String,
    /// From then on.
    pub at: Timestamp,
}

/// A rehearsal that is on its way back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rehearsing {
    /// The rollout that goes back.
    pub number: u64,
    /// The time that it was for.
    pub at: Timestamp,
    /// How long it may take.
    pub within: Duration,
}

/// How a rehearsal of a rollback went.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rehearsed {
    /// The time that it was for.
    pub at: Timestamp,
    /// The release that it went back to.
    pub release: Option<ReleaseId>,
    /// How long the way back took; nothing where there was none.
    pub took: Option<Duration>,
    /// How long it may take.
    pub within: Duration,
    /// Why it was not done, or did not get there.
    pub why: Option<Reason>,
}

/// A migration of a resource.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Moved {
    /// The resource.
    pub resource: Name,
    /// The migration.
    pub migration: String,
}

/// A release that waits until the one before has come back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Next {
    /// Which.
    pub to: ReleaseId,
    /// Whether it is a way back.
    pub is_rollback: bool,
    /// Who wants it.
    pub by: String,
    /// It belongs to a rehearsal.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub rehearses: bool,
}

/// A release that is kept ready.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Warm {
    /// Which.
    pub release: ReleaseId,
    /// For how long still.
    pub clock: Clock,
    /// For how long in all.
    pub keep: Duration,
}

/// A freeze that a person has asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Frozen {
    /// Until when.
    pub until: Timestamp,
    /// Why.
    pub why: String,
    /// Who.
    pub by: String,
}

/// Time that was watched. It grows by what passes between two looks, and by no more than a look may be late: neither a
/// clock that is set, nor a time in which nobody looked, counts.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Clock {
    /// How long.
    pub spent: Duration,
    /// When it was looked at last.
    pub at: Option<Timestamp>,
}

/// A rollout.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Rollout {
    /// Its number, by which everything that is done for it is known again.
    pub number: u64,
    /// The release that was current when it began.
    pub from: Option<ReleaseId>,
    /// The release that it brings.
    pub to: ReleaseId,
    /// It brings back what was there before.
    pub is_rollback: bool,
    /// It belongs to a rehearsal.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub rehearses: bool,
    /// Who asked for it.
    pub by: String,
    /// When.
    pub began: Timestamp,
    /// What it goes through, one after the other.
    pub stages: Vec<Stage>,
    /// The stage that it is in.
    pub at: usize,
    /// What is watched and judged now.
    pub vigil: Vigil,
    /// How long nothing has got on.
    pub idle: Clock,
    /// How long the new release has not been well, after it had been.
    pub unwell: Clock,
    /// How often instances of the new release have been started again, as it was seen last, and since it began.
    #[serde(default)]
    pub restarts: (u32, u32),
    /// How long none has.
    #[serde(default)]
    pub calm: Clock,
    /// A person has said stop.
    pub paused: Option<String>,
    /// It goes back, and why.
    pub back: Option<Reason>,
    /// The new release was current once: the pointer has been moved.
    pub switched: bool,
}

/// A part of a rollout.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Stage {
    /// These gates are asked before anything begins.
    Enter(Vec<String>),
    /// Jobs are run without effect, so that what cannot start is found before anything has changed.
    Try(Vec<Name>),
    /// These migrations run, one after the other.
    Migrate(Vec<Moved>),
    /// These fill in, a batch at a time, and may be interrupted between two.
    Fill(Vec<Moved>),
    /// These components go together from one release to the other.
    Leg(Leg),
    /// All of it has moved: it is watched.
    Bake(Arc<Way>),
}

/// Components that go together. Three shares of the new release follow one another through the steps: what has been
/// *grown*, what of the work has *moved*, and what the old release has *left*. On the way forward grown comes first, so
/// that nobody is sent to what is not ready; on the way back left comes first, for the same reason.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Leg {
    /// Which.
    pub components: Vec<Name>,
    /// How.
    pub way: Arc<Way>,
    /// The old ones go before the new ones come.
    pub apart: bool,
    /// The steps.
    pub steps: Vec<Step>,
    /// The step that it is in.
    pub step: usize,
    /// So much of the new release is started.
    pub grown: u16,
    /// So much of the work is its.
    pub moved: u16,
    /// So much of the old release is stopped.
    pub left: u16,
    /// Some of the old may be missing while the new ones start.
    pub early: bool,
    /// So many tenants are the new release's; nothing is all that there are.
    pub tenants: Option<u64>,
}

/// What is watched and judged at a point: before a switch, during a step, at the end.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Vigil {
    /// How long.
    pub clock: Clock,
    /// How often gates have been asked in this rollout.
    pub look: u32,
    /// How long it had been watched when they were asked last at this point.
    pub asked: Option<Duration>,
    /// What they said.
    pub verdict: Option<Verdict>,
    /// They are asked once more at once: something is known that was not.
    #[serde(default)]
    pub again: bool,
    /// A person has said that it goes on, and why.
    pub waved: Option<String>,
    /// The question before the switch is answered.
    pub cleared: bool,
}

/// How a rollout ended.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Ended {
    /// Its number.
    pub number: u64,
    /// Where it came from.
    pub from: Option<ReleaseId>,
    /// Where it went.
    pub to: ReleaseId,
    /// Whether the new release is the current one.
    pub promoted: bool,
    /// Why it ended so.
    pub because: Reason,
    /// When.
    pub at: Timestamp,
    /// How long it took.
    pub took: Duration,
}

/// What is done for a rollout beside its instances and shares.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Task {
    /// The rollout: what an earlier one has asked for is of no interest any more.
    pub number: u64,
    /// What.
    pub work: Work,
}

/// What is done.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Work {
    /// A job is run without effect.
    Try(Name),
    /// A migration runs; of one that fills in, the next batch.
    Migrate(Moved),
    /// Gates are asked.
    Judge {
        /// The stage of the rollout.
        stage: usize,
        /// The step of it.
        step: usize,
        /// For the so-many-th time.
        look: u32,
    },
}
