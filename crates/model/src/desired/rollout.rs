//! Rollouts: how an environment goes from one release to another, and which of those that are written holds.

use super::Desired;
use super::component::{Component, ComponentKind};
use super::extension::Store;
use super::gate::{Gate, ToGate};
use crate::spec::Path;
use crate::unit::{Duration, Name, Ramp, Schedule, Share, Window, known};
use crate::word::Ref;
use crate::{choice, table};

choice! {
    /// How one release takes the place of another.
    Strategy
    /// Instances are replaced a few at a time.
    Rolling = "rolling";
    /// The old release stops before the new one starts.
    Recreate = "recreate";
    /// The new release starts whole beside the old one, and everything switches at once.
    BlueGreen = "blue-green";
    /// The new release gets a small share first, which grows while it does well.
    Canary = "canary";
}

choice! {
    /// What a canary is a share of.
    CanaryUnit
    /// Visitors, sticky and weight-exact.
    Traffic = "traffic";
    /// Jobs taken from queues.
    Jobs = "jobs";
    /// Tenants, guilds for example, by a stable hash or a list.
    Tenants = "tenants";
    /// Visitors of a site, by a stable cohort.
    Cohort = "cohort";
    /// Users of a store that rolls out by itself.
    Store = "store";
}

choice! {
    /// What happens when there is too little to judge by.
    WhenInconclusive
    /// The step is extended, then held, and somebody is told.
    Hold = "hold";
    /// The release goes on.
    Promote = "promote";
    /// The release goes back.
    Rollback = "rollback";
}

table! {
    /// How an environment, or one component, goes from one release to another.
    Rollout { short [strategy] }
    /// The strategy.
    strategy: Strategy = Strategy::Rolling;
    /// The shares that a canary takes one after the other, and how long each is watched.
    steps: Vec<Ramp> { eg "10% for 30m" };
    /// What a canary is a share of; by default what the component gets.
    unit: Option<CanaryUnit> { eg "tenants" };
    /// The first ones, by name, where the unit is tenants.
    first: Vec<String> { eg "guild 1234" };
    /// What must hold for a step to go on.
    gates: Vec<Ref<ToGate>> { eg "login" };
    /// What is looked at after the last step; a failure rolls back.
    after: Vec<Ref<ToGate>> { eg "smoke" };
    /// How long the new release is watched after the last step before it counts as done.
    bake: Duration = known("10m");
    /// How long the old release stays warm for a rollback within seconds.
    warm: Duration = known("10m");
    /// How often a canary is judged.
    judge_every: Duration = known("60s");
    /// The fewest requests or jobs that a verdict rests on.
    min_sample: u32 = 300;
    /// What happens when there is too little to judge by.
    inconclusive: WhenInconclusive = WhenInconclusive::Hold;
    /// How long a step may be extended for lack of a verdict.
    extend: Duration = known("2h");
    /// How many more instances than wanted may run while rolling.
    surge: Share = known("25%");
    /// How many fewer instances than wanted may run while rolling.
    missing: Share = known("0%");
    /// How long without progress until it fails.
    progress: Duration = known("10m");
    /// A failed gate or a rise in errors rolls back without asking.
    auto_rollback: bool = true;
    /// How fast a rollback has to be; measured and reported.
    rollback_within: Duration = known("2m");
    /// When a rollback is rehearsed: back to the release before, and forward again, as a whole environment. How long the way back
    /// took is kept; where it would not be safe, it is said why.
    rehearse: Option<Schedule> { eg "monthly" };
    /// When a rollout may run.
    window: Option<Window> { eg "weekdays 08:00-16:00" };
    /// Components that switch together, in one instant.
    together: Vec<Ref<super::component::ToComponent>> { eg "edge" };
}

table! {
    /// How releases are numbered and kept.
    Releases {}
    /// How many releases are kept with everything that they need.
    keep: u32 = 5;
    /// How many revisions of the configuration are kept at the least.
    keep_config: u32 = 3;
    /// Branches that nobody pushes to without a review.
    protected: Vec<String> { eg "main" };
    /// Artifacts have to be signed.
    signed: bool = false;
}

/// A rollout that holds for something, and where it is written.
pub type Written<'a> = (Path, &'a Rollout);

/// Which rollout holds: the most exact one, as a whole. Nothing that it leaves out comes from a less exact one, so that
/// whoever reads it has read all of it.
impl Desired {
    /// The rollout of every component in an environment that has none of its own: the environment's, or else the
    /// product's. Jobs and extensions take no part in it.
    pub fn usual_rollout(&self, environment: Option<&str>) -> Option<Written<'_>> {
        let own = environment.and_then(|name| {
            let rollout = self.environment.get(name)?.rollout.as_ref()?;
            Some((Path::of(["environment", name, "rollout"]), rollout))
        });
        own.or_else(|| Some((Path::of(["rollout"]), self.rollout.as_ref()?)))
    }

    /// Every rollout that is written for something in an environment: the usual one, and those of components and stores.
    pub fn rollouts(&self, environment: Option<&str>) -> Vec<Written<'_>> {
        let mut all: Vec<Written<'_>> = self.usual_rollout(environment).into_iter().collect();
        for (kind, name, component) in self.components() {
            all.extend(component.own_rollout(kind, name));
            for (store, one) in &component.store {
                all.extend(one.own_rollout(name, store));
            }
        }
        all
    }
}

impl Rollout {
    /// Whether a gate that it names is asked. One that judges a canary is not where there is none: an environment that is
    /// like another one, with a strategy of its own, takes the names of its gates over.
    pub fn asks(&self, gate: Option<&Gate>) -> bool {
        self.strategy == Strategy::Canary || gate.is_none_or(|gate| gate.canary.is_none())
    }
}

impl Component {
    /// Its own rollout.
    pub fn own_rollout(&self, kind: ComponentKind, name: &Name) -> Option<Written<'_>> {
        let at = Path::of([kind.word(), name.as_str(), "rollout"]);
        Some((at, self.rollout.as_ref()?))
    }

    /// The rollout that holds in one of an extension's stores: the store's, or else the extension's.
    pub fn rollout_in_store(&self, name: &Name, store: &Name) -> Option<Written<'_>> {
        let own = self.store.get(store.as_str())?.own_rollout(name, store);
        own.or_else(|| self.own_rollout(ComponentKind::Extension, name))
    }
}

impl Store {
    /// Its own rollout.
    pub fn own_rollout(&self, extension: &Name, store: &Name) -> Option<Written<'_>> {
        let kind = ComponentKind::Extension.word();
        let at = Path::of([kind, extension.as_str(), "store", store.as_str(), "rollout"]);
        Some((at, self.rollout.as_ref()?))
    }
}
