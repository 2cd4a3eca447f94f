//! Why a rollout goes on, holds, comes back or is refused: the same words for a terminal, a program and the journal.

use super::Exit;
use super::release::ReleaseId;
use super::rollout::{Moved, Rehearsed};
use crate::unit::{Duration, Name};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::fmt;

/// What gates have answered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// It may go on.
    Pass,
    /// It must not: which gate, and what it found.
    Fail(String),
    /// Nobody can say yet, and why not.
    Inconclusive(String),
    /// It may go on though it does not pass: who says so, and why.
    Waived(String),
    /// Somebody has to do or say something first: who, and what.
    Awaits(String),
}

/// What is wrong with instances of a release.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Trouble {
    /// It ended, before it had ever been well.
    Ended(Exit),
    /// It ends again and again.
    Loops(Exit),
    /// It could not be started.
    NotStarted(String),
    /// It has not become well in its time.
    Late(String),
    /// It was well, and is not any more.
    Lost(String),
}

/// Who has asked, and how: `ana: why`.
pub type Blame = String;

/// Why a rollout is where it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Reason {
    /// Nothing has been deployed.
    Nothing,
    /// Nothing is under way.
    Rests(ReleaseId),
    /// What is seen may be old: the steward has just begun.
    Looks,
    /// Jobs are tried.
    Tries(Name),
    /// A migration runs.
    Migrates(Moved),
    /// A resource has not said yet what has run in it.
    AsksSchema(Name),
    /// Instances of a component are not ready: so many of so many.
    Starts(Name, u32, u32),
    /// The old ones are stopping first.
    StopsFirst(Name),
    /// The edge has not said yet that it knows.
    EdgeFollows,
    /// It is watched: for so long, of so long.
    Watches(Duration, Duration),
    /// An instance was started again: for so long none must be, before it goes on.
    Steadies(Duration),
    /// Gates are being asked.
    Asks(Vec<String>),
    /// There is too little to judge by, and it is watched for longer.
    TooLittle(String),
    /// There was too little to judge by in all the time that it may be watched, and a person has to decide.
    Undecided(String),
    /// Somebody has to do or say something.
    Awaits(String),
    /// A gate said no, and a person has to decide.
    Disputed(String),
    /// A person has to say that it goes on.
    AwaitsPerson,
    /// A person has said stop.
    Paused(Blame),
    /// Nothing goes forward now.
    Frozen {
        /// Until when.
        until: Timestamp,
        /// Why.
        why: String,
    },
    /// Nothing goes forward outside a window.
    OutsideWindow(String),
    /// It comes back: the old release is being brought up again.
    Returns(Box<Reason>),
    /// All went well.
    Promoted,
    /// It was there already.
    Unchanged,
    /// A person has said that it has to come back.
    Aborted(Blame),
    /// Another release is wanted.
    Superseded(ReleaseId),
    /// Something of the new release fails.
    Failed(Name, Trouble),
    /// A gate said no.
    GateFailed(String),
    /// Nobody could say in all the time there was.
    NeverConclusive(String),
    /// A migration failed.
    MigrationFailed(Moved, String),
    /// A job could not be run.
    TryFailed(Name, String),
    /// Nothing got on for so long, and what was waited for.
    NoProgress(Duration, Box<Reason>),
    /// A person wants an earlier one back.
    RolledBack(Blame),
    /// It could not begin when it was its turn.
    Refused(Refusal),
    /// The way back was rehearsed, and that was the way back.
    Rehearsed,
    /// Nobody looked at its time.
    Missed(Timestamp),
    /// Another rollout is under way.
    Underway(u64),
    /// What takes away waits until nobody can come back any more.
    ContractWaits(Moved, Option<String>),
    /// What takes away has failed; it is not tried again by itself.
    ContractFailed(Moved, String),
}

/// Why something that a person asks for is not done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Refusal {
    /// There is no such release here.
    Unknown(ReleaseId),
    /// There is none to go back to.
    NoneBefore,
    /// No rollout lives.
    NoRollout,
    /// It is coming back already.
    ComesBack,
    /// It does not wait for a person.
    NotWaiting,
    /// Nothing goes forward now.
    Frozen {
        /// Until when.
        until: Timestamp,
        /// Why.
        why: String,
    },
    /// A second instance cannot stand beside the first.
    StandsAlone(Name, String),
    /// The schema has lost what the release needs.
    BehindContract(ReleaseId, Moved),
    /// There is no reason given.
    NoReason,
}

impl fmt::Display for Moved {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` of `{}`", self.migration, self.resource)
    }
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Trouble::Ended(exit) => write!(f, "it {}", ended(exit)),
            Trouble::Loops(exit) => write!(f, "it ends again and again: {exit}"),
            Trouble::NotStarted(why) => write!(f, "it could not be started: {why}"),
            Trouble::Late(why) => write!(f, "it has not become well in its time: {why}"),
            Trouble::Lost(why) => write!(f, "it was well and is not any more: {why}"),
        }
    }
}

fn ended(exit: &Exit) -> String {
    match exit {
        Exit::Code { .. } => exit.to_string(),
        other => format!("was {other}"),
    }
}

impl Reason {
    /// Whether nothing happens before a person, or the calendar, says so.
    pub fn holds(&self) -> bool {
        matches!(
            self,
            Reason::AwaitsPerson
                | Reason::Paused(_)
                | Reason::Frozen { .. }
                | Reason::OutsideWindow(_)
                | Reason::Undecided(_)
                | Reason::Awaits(_)
                | Reason::Disputed(_)
                | Reason::ContractFailed(..)
        )
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Reason::Nothing => f.write_str("nothing has been deployed here; `towpath deploy` begins"),
            Reason::Rests(id) => write!(f, "release {id} is current, and nothing is under way"),
            Reason::Looks => f.write_str("the steward has just begun, and looks what stands"),
            Reason::Tries(name) => write!(f, "job `{name}` is tried without effect"),
            Reason::Migrates(moved) => write!(f, "migration {moved} runs"),
            Reason::AsksSchema(name) => {
                write!(f, "`{name}` has not said yet which migrations have run in it")
            }
            Reason::Starts(name, ready, of) => {
                write!(f, "{ready} of {of} new instances of `{name}` are ready")
            }
            Reason::StopsFirst(name) => write!(
                f,
                "the old instances of `{name}` stop first: two cannot stand beside each other"
            ),
            Reason::EdgeFollows => f.write_str("the edge has not said yet that it follows"),
            Reason::Watches(spent, of) => write!(f, "it has been watched for {spent} of {of}"),
            Reason::Steadies(time) => write!(
                f,
                "an instance was started again; it goes on when none has been for {time}"
            ),
            Reason::Asks(gates) => write!(f, "the gates are asked: {}", gates.join(", ")),
            Reason::TooLittle(why) => {
                write!(
                    f,
                    "there is too little to judge by, and it is watched for longer: {why}"
                )
            }
            Reason::Undecided(why) => write!(
                f,
                "there was too little to judge by in all its time: {why}; `towpath rollout` approves, skips or aborts"
            ),
            Reason::Awaits(why) => f.write_str(why),
            Reason::Disputed(why) => write!(
                f,
                "{why}, and nothing goes back by itself here; `towpath rollout` skips or aborts"
            ),
            Reason::AwaitsPerson => {
                f.write_str("it waits for a person; `towpath rollout` approves or aborts")
            }
            Reason::Paused(blame) => write!(f, "it was paused by {blame}; `towpath rollout` resumes"),
            Reason::Frozen { until, why } => write!(f, "nothing goes forward until {until:.0}: {why}"),
            Reason::OutsideWindow(window) => write!(f, "it goes on only {window}"),
            Reason::Returns(why) => write!(f, "it goes back: {why}"),
            Reason::Promoted => f.write_str("all of it went well"),
            Reason::Unchanged => f.write_str("it is what runs already"),
            Reason::Aborted(blame) => write!(f, "it was aborted by {blame}"),
            Reason::Superseded(id) => write!(f, "release {id} is wanted instead"),
            Reason::Failed(name, trouble) => write!(f, "`{name}` fails: {trouble}"),
            Reason::GateFailed(why) => write!(f, "a gate said no: {why}"),
            Reason::NeverConclusive(why) => write!(f, "no verdict came in all its time: {why}"),
            Reason::MigrationFailed(moved, why) => write!(f, "migration {moved} failed: {why}"),
            Reason::TryFailed(name, why) => write!(f, "job `{name}` could not be run: {why}"),
            Reason::NoProgress(time, what) => write!(f, "nothing got on for {time}: {what}"),
            Reason::RolledBack(blame) => write!(f, "it was rolled back by {blame}"),
            Reason::Rehearsed => f.write_str("a rollback was rehearsed, and it goes forward again"),
            Reason::Missed(at) => write!(f, "nobody looked at its time, {at:.0}"),
            Reason::Underway(number) => write!(f, "rollout {number} was under way"),
            Reason::Refused(refusal) => write!(f, "it could not begin: {refusal}"),
            Reason::ContractWaits(moved, Some(window)) => write!(
                f,
                "migration {moved} takes away, and waits for its window ({window})"
            ),
            Reason::ContractWaits(moved, None) => write!(
                f,
                "migration {moved} takes away, and waits until the release before is not kept ready any more"
            ),
            Reason::ContractFailed(moved, why) => {
                write!(f, "migration {moved} failed: {why}; `towpath rollout` resumes it")
            }
        }
    }
}

impl fmt::Display for Rehearsed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.took, &self.why) {
            (Some(took), _) if *took > self.within => {
                let within = self.within;
                write!(
                    f,
                    "a rollback was rehearsed, and took {took}: longer than the {within} that it may"
                )
            }
            (Some(took), _) => write!(
                f,
                "a rollback was rehearsed, and took {took} of the {} that it may",
                self.within
            ),
            (None, Some(why)) => write!(f, "no rollback was rehearsed: {why}"),
            (None, None) => f.write_str("no rollback was rehearsed"),
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Refusal::Unknown(id) => write!(f, "there is no release {id} here; `towpath releases` lists them"),
            Refusal::NoneBefore => f.write_str("there is no earlier release to go back to"),
            Refusal::NoRollout => f.write_str("nothing is under way; `towpath deploy` begins something"),
            Refusal::ComesBack => f.write_str("it is on its way back already"),
            Refusal::NotWaiting => f.write_str("it does not wait for a person"),
            Refusal::Frozen { until, why } => write!(
                f,
                "nothing is deployed until {until:.0}: {why}; a rollback is not kept back"
            ),
            Refusal::StandsAlone(name, strategy) => write!(
                f,
                "`{name}` cannot be rolled out as `{strategy}`: two of it cannot stand beside each other, and that would be an \
                 outage nobody asked for; write `rollout = \"recreate\"` for it, or take its `port` out"
            ),
            Refusal::BehindContract(id, moved) => write!(
                f,
                "release {id} does not know migration {moved}, which has taken away what it needs; switch what is new off by a \
                 flag, deploy a release that mends it, or restore the data to a time before, which loses what came since"
            ),
            Refusal::NoReason => {
                f.write_str("a reason is missing; it stands in the journal for whoever asks later")
            }
        }
    }
}
