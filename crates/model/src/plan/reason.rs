//! Why a step is in a plan, and why there.

use super::listed;
use crate::desired::component::Handover;
use crate::desired::rollout::{Strategy, WhenInconclusive};
use crate::spec::Path;
use crate::unit::{Duration, Name};
use std::fmt;

/// Why a step is in a plan, and why there.
#[derive(Debug, Clone, PartialEq)]
pub enum Reason {
    /// Nothing but a person makes a change arrive.
    NoTrigger,
    /// This makes a change arrive.
    Triggered,
    /// It arrives by itself once the gates have passed.
    ByItself,
    /// Written there.
    Written(Path),
    /// A missing value is found before anything has changed.
    FoundEarly,
    /// Built once for these.
    BuiltOnce(Vec<Name>),
    /// Whoever runs it can see that it is ours.
    SeenAsOurs,
    /// Hosts fetch it by its digest.
    FetchedByDigest,
    /// Nothing of it changes from here on.
    Fixed,
    /// The next environment takes releases from this one.
    ComesFrom(Name),
    /// The place that names the gate.
    NamedAt(Path),
    /// These need it.
    NeededBy(Vec<Name>),
    /// Nothing needs it, but it is part of the product.
    PartOfProduct,
    /// It exists already.
    Exists,
    /// No more than this may be lost.
    Promise(Option<Duration>),
    /// The environment's policy for data.
    DataOf(Name),
    /// A fresh one is filled once.
    FreshOnly,
    /// It adds; the old release runs with it.
    Adds,
    /// It fills in, beside what runs.
    FillsIn,
    /// It takes away; there is no way back behind it.
    TakesAway,
    /// The outside is not called here.
    NotOutside(Name),
    /// All that it uses is ready.
    UsesReady(Vec<Name>),
    /// It uses nothing that has to be ready.
    UsesNothing,
    /// Two sessions would answer twice.
    OneSession(Handover),
    /// Nothing gets work before it is well.
    WellFirst,
    /// Its own addresses.
    Public,
    /// A fault reaches only a share, and too little to judge by does this.
    SmallShare(WhenInconclusive),
    /// All steps before went well.
    StepsPassed,
    /// The strategy.
    By(Strategy),
    /// A fault that shows late is still rolled back.
    LateFaults,
    /// A rollback has to be that fast.
    RollbackWithin(Duration),
    /// Stores take packages.
    StoresTakePackages,
    /// Another store has to accept it first.
    AfterStore(Name),
    /// People at the store look at it.
    PeopleReview,
    /// Exactly one release runs it.
    OnceAcross,
    /// Faults show between releases, too.
    BetweenReleases,
    /// Everything that was asked was answered well.
    AllPassed,
}

impl Reason {
    /// Its word, the same in every version: for machines.
    pub fn word(&self) -> &'static str {
        match self {
            Reason::NoTrigger => "no-trigger",
            Reason::Triggered => "triggered",
            Reason::ByItself => "by-itself",
            Reason::Written(_) => "written",
            Reason::FoundEarly => "found-early",
            Reason::BuiltOnce(_) => "built-once",
            Reason::SeenAsOurs => "seen-as-ours",
            Reason::FetchedByDigest => "fetched-by-digest",
            Reason::Fixed => "fixed",
            Reason::ComesFrom(_) => "comes-from",
            Reason::NamedAt(_) => "named-at",
            Reason::NeededBy(_) => "needed-by",
            Reason::PartOfProduct => "part-of-product",
            Reason::Exists => "exists",
            Reason::Promise(_) => "promise",
            Reason::DataOf(_) => "data-of",
            Reason::FreshOnly => "fresh-only",
            Reason::Adds => "adds",
            Reason::FillsIn => "fills-in",
            Reason::TakesAway => "takes-away",
            Reason::NotOutside(_) => "not-outside",
            Reason::UsesReady(_) => "uses-ready",
            Reason::UsesNothing => "uses-nothing",
            Reason::OneSession(_) => "one-session",
            Reason::WellFirst => "well-first",
            Reason::Public => "public",
            Reason::SmallShare(_) => "small-share",
            Reason::StepsPassed => "steps-passed",
            Reason::By(_) => "by-strategy",
            Reason::LateFaults => "late-faults",
            Reason::RollbackWithin(_) => "rollback-within",
            Reason::StoresTakePackages => "stores-take-packages",
            Reason::AfterStore(_) => "after-store",
            Reason::PeopleReview => "people-review",
            Reason::OnceAcross => "once-across",
            Reason::BetweenReleases => "between-releases",
            Reason::AllPassed => "all-passed",
        }
    }

    /// The sentence, where it has no names in it.
    fn plain(&self) -> Option<&'static str> {
        Some(match self {
            Reason::NoTrigger => "nothing makes a change arrive here by itself",
            Reason::Triggered => "that is what makes a change arrive",
            Reason::ByItself => "it comes by itself once the gates have passed",
            Reason::FoundEarly => "what is missing is found before anything has changed",
            Reason::SeenAsOurs => "whoever runs it can check that it is what was built",
            Reason::FetchedByDigest => "it is fetched by its digest, so that a tag cannot change what runs",
            Reason::Fixed => "from here on nothing of it changes: artifacts, configuration, secrets, flags",
            Reason::PartOfProduct => "it is part of the product",
            Reason::Exists => "it exists already: it is checked and used, never made or deleted",
            Reason::FreshOnly => "a fresh one is filled once, and never again",
            Reason::Adds => "it adds, and the old release runs with it",
            Reason::FillsIn => "it fills in beside what runs",
            Reason::TakesAway => "it takes away what the old release needs: behind it there is no rollback",
            Reason::UsesNothing => "it uses nothing that has to be ready first",
            Reason::WellFirst => "nothing gets work before it is well",
            Reason::Public => "it is public",
            Reason::StepsPassed => "every step before it went well",
            Reason::LateFaults => "a fault that shows late still rolls back",
            Reason::StoresTakePackages => "stores take packages",
            Reason::PeopleReview => "people at the store decide, and a late answer is an alert",
            Reason::OnceAcross => "from now on this release runs it, and no other",
            Reason::BetweenReleases => "faults show between releases, too",
            Reason::AllPassed => "everything that was asked was answered well",
            _ => return None,
        })
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(sentence) = self.plain() {
            return f.write_str(sentence);
        }
        match self {
            Reason::Written(path) => write!(f, "`{path}` says so"),
            Reason::BuiltOnce(names) if names.len() > 1 => {
                write!(
                    f,
                    "{} share it, and it is built once for every environment",
                    listed(names)
                )
            }
            Reason::BuiltOnce(_) => f.write_str("it is built once for every environment"),
            Reason::ComesFrom(next) => {
                write!(f, "`{next}` takes releases from there, with the same artifacts")
            }
            Reason::NamedAt(path) => write!(f, "`{path}` names it"),
            Reason::NeededBy(names) if names.len() == 1 => write!(f, "{} needs it", listed(names)),
            Reason::NeededBy(names) => write!(f, "{} need it", listed(names)),
            Reason::Promise(Some(most)) => write!(f, "no more than {most} may be lost"),
            Reason::Promise(None) => f.write_str("what it keeps can be restored"),
            Reason::DataOf(name) => write!(f, "`environment.{name}.data` says so"),
            Reason::NotOutside(name) => write!(f, "`{name}` does not call the real one"),
            Reason::UsesReady(names) if names.len() == 1 => {
                write!(f, "it uses {}, which is ready", listed(names))
            }
            Reason::UsesReady(names) => write!(f, "it uses {}, which are ready", listed(names)),
            Reason::OneSession(Handover::StopFirst) => {
                f.write_str("two sessions on one token would answer twice, so the old one ends first")
            }
            Reason::OneSession(Handover::Lease) => f.write_str(
                "two sessions on one token would answer twice, so only the holder of the lease opens one",
            ),
            Reason::OneSession(Handover::Shards) => f.write_str(
                "a shard has one session, so each ends in the old instance before it opens in the new",
            ),
            Reason::SmallShare(WhenInconclusive::Hold) => f.write_str(
                "a fault reaches no more than this; too little to judge by holds it, and somebody is told",
            ),
            Reason::SmallShare(WhenInconclusive::Promote) => {
                f.write_str("a fault reaches no more than this; too little to judge by lets it go on")
            }
            Reason::SmallShare(WhenInconclusive::Rollback) => {
                f.write_str("a fault reaches no more than this; too little to judge by rolls it back")
            }
            Reason::By(Strategy::Rolling) => f.write_str("instances are replaced a few at a time"),
            Reason::By(Strategy::Recreate) => f.write_str("the old release stops before the new one starts"),
            Reason::By(Strategy::BlueGreen) => {
                f.write_str("the new release stands whole beside the old one, and all of it switches at once")
            }
            Reason::By(Strategy::Canary) => f.write_str("it has done well with a small share"),
            Reason::RollbackWithin(time) => write!(f, "a rollback has to take less than {time}"),
            Reason::AfterStore(name) => write!(f, "store `{name}` has to accept it first"),
            _ => Ok(()),
        }
    }
}
