//! The product: what one manifest describes.

use super::build::{Build, Registry};
use super::component::{Component, ComponentKind, External, Health};
use super::cost::CostItem;
use super::edge::Edge;
use super::environment::Environment;
use super::gate::Gate;
use super::metric::{Alert, Channel, Metric, Objective, Rotation};
use super::operations::{
    Ci, Control, DecisionRecord, Export, Future, GoLive, Link, Maintenance, Role, Runbook, ServiceLevel,
    Shortcut, Telemetry,
};
use super::place::Host;
use super::probe::Probe;
use super::resource::{Resource, ResourceKind};
use super::rollout::{Releases, Rollout};
use super::scale::Lever;
use super::secret::{Flag, Secret, Secrets};
use crate::table;
use crate::unit::{Money, Name, Path, Region, VarName, Zone, known};
use crate::word::Map;

table! {
    /// A product: what one manifest describes.
    Desired {}
    /// Its name, used for folders, addresses and databases.
    product: Name { required eg "reflect" };
    /// What it is called, where the name is not enough.
    title: Option<String> { eg "Reflect Coach" };
    /// What it is, in a sentence.
    about: Option<String> { eg "A diary that answers" };
    /// What the way it is run has to achieve.
    goals: Vec<String> { eg "Cost little today" };
    /// Further manifests that belong to this one, as if they stood here.
    include: Vec<Path> { eg "alerts.toml" };
    /// The region in which everything runs, unless something says otherwise.
    region: Option<Region> { eg "sin" };
    /// Why it is this region.
    region_why: Option<String> { eg "Most users are in Southeast Asia" };
    /// The time zone of schedules that name none.
    time_zone: Zone = known("UTC");
    /// How many people use tools that are paid for by the seat.
    seats: u32 = 1;
    /// What the whole product may cost in a month. More is an error.
    budget: Option<Money> { eg "$50" };
    /// Components that take requests.
    service: Map<Name, Component> { kind "service" };
    /// Components that take jobs.
    worker: Map<Name, Component> { kind "worker" };
    /// Components that keep one connection, with exactly one live instance.
    bot: Map<Name, Component> { kind "bot" };
    /// Static files.
    site: Map<Name, Component> { kind "site" };
    /// Services that sleep at zero.
    function: Map<Name, Component> { kind "function" };
    /// Components that run and end.
    job: Map<Name, Component> { kind "job" };
    /// Packages that are released to stores.
    extension: Map<Name, Component> { kind "extension" };
    /// Postgres databases.
    postgres: Map<Name, Resource> { kind "postgres" };
    /// Redis or Valkey.
    redis: Map<Name, Resource> { kind "redis" };
    /// S3-compatible buckets.
    bucket: Map<Name, Resource> { kind "bucket" };
    /// What components need from outside.
    external: Map<Name, External>;
    /// Builds that several components share.
    build: Map<Name, Build>;
    /// Where artifacts are kept.
    registry: Map<Name, Registry>;
    /// Where things run.
    host: Map<Name, Host>;
    /// Where the product runs, and how a release gets there.
    environment: Map<Name, Environment>;
    /// How an environment goes from one release to the next, unless it has a rollout of its own.
    rollout: Option<Rollout>;
    /// How releases are kept.
    releases: Releases = Releases::usual();
    /// The edge: the reverse proxy in front of everything that is public.
    edge: Edge = Edge::usual();
    /// Gates: what has to hold before a release goes on.
    gate: Map<Name, Gate>;
    /// Probes: synthetic users that try the product.
    probe: Map<Name, Probe>;
    /// Metrics: numbers that gates, alerts and scaling look at.
    metric: Map<Name, Metric>;
    /// Objectives: what users can count on, each with its error budget.
    objective: Map<Name, Objective>;
    /// Alerts: what people are told about.
    alert: Map<Name, Alert>;
    /// Where people are told.
    channel: Map<Name, Channel>;
    /// Who is on call.
    oncall: Map<Name, Rotation>;
    /// Secrets: which there are, without their values.
    secret: Map<VarName, Secret>;
    /// How secrets are kept.
    secrets: Secrets = Secrets::usual();
    /// Flags: switches that change what runs without a release.
    flag: Map<Name, Flag>;
    /// What costs money, for `towpath cost`.
    cost: Map<Name, CostItem>;
    /// What to do when something is short.
    lever: Map<Name, Lever>;
    /// Roles: who does what, and may do what.
    role: Map<Name, Role>;
    /// Runbooks: what to do when something happens.
    runbook: Map<Name, Runbook>;
    /// Decisions, with what led to them, for the document.
    decision: Map<Name, DecisionRecord>;
    /// Maintenance: what is done again and again.
    maintenance: Map<Name, Maintenance>;
    /// What has to be true before going live.
    golive: Map<Name, GoLive>;
    /// What people promise: how soon something is done.
    service_level: Map<Name, ServiceLevel>;
    /// How changes are built and tested.
    ci: Option<Ci>;
    /// Tools for which files are kept beside the manifest; one that is stale is told.
    exports: Vec<Export> { eg "compose" };
    /// Where logs, metrics and traces go.
    telemetry: Telemetry = Telemetry::usual();
    /// Rules of security that the document states.
    control: Map<Name, Control>;
    /// Commands that people type, for the quick reference.
    command: Map<Name, Shortcut> { eg "{ logs = \"towpath logs prod\" }" };
    /// Addresses that people need.
    link: Map<Name, Link>;
    /// What is to come, for the document.
    future: Map<Name, Future>;
    /// Remarks for the document.
    notes: Vec<String>;
}

/// A table without fields written, read back: its defaults.
macro_rules! usual {
    ($($table:ty),+) => {
        $(impl $table {
            /// What holds where nothing is written.
            pub fn usual() -> Self {
                let nothing = crate::spec::Node::new(crate::spec::Kind::Table(crate::spec::Entries::new()));
                <$table as crate::word::Word>::read(&nothing, "").expect("every field of it has a default")
            }
        })+
    };
}

usual!(Releases, Edge, Secrets, Telemetry, Rollout, Health);

impl Desired {
    /// Every component with its kind and name, kind by kind, each in the order in which it was written.
    pub fn components(&self) -> impl Iterator<Item = (ComponentKind, &Name, &Component)> {
        ComponentKind::ALL
            .iter()
            .flat_map(|kind| self.components_of(*kind).iter().map(|(n, c)| (*kind, n, c)))
    }

    /// The components of a kind.
    pub fn components_of(&self, kind: ComponentKind) -> &Map<Name, Component> {
        match kind {
            ComponentKind::Service => &self.service,
            ComponentKind::Worker => &self.worker,
            ComponentKind::Bot => &self.bot,
            ComponentKind::Site => &self.site,
            ComponentKind::Function => &self.function,
            ComponentKind::Job => &self.job,
            ComponentKind::Extension => &self.extension,
        }
    }

    /// The components of a kind, to change.
    pub fn components_of_mut(&mut self, kind: ComponentKind) -> &mut Map<Name, Component> {
        match kind {
            ComponentKind::Service => &mut self.service,
            ComponentKind::Worker => &mut self.worker,
            ComponentKind::Bot => &mut self.bot,
            ComponentKind::Site => &mut self.site,
            ComponentKind::Function => &mut self.function,
            ComponentKind::Job => &mut self.job,
            ComponentKind::Extension => &mut self.extension,
        }
    }

    /// The component of that name.
    pub fn component(&self, name: &str) -> Option<(ComponentKind, &Name, &Component)> {
        ComponentKind::ALL.iter().find_map(|kind| {
            self.components_of(*kind)
                .get_key_value(name)
                .map(|(name, component)| (*kind, name, component))
        })
    }

    /// Whether a flag is on in an environment: what the environment says, else what the flag says for it, else its default.
    pub fn is_on(&self, flag: &str, environment: &str) -> bool {
        let own = self.environment.get(environment);
        let said = own.and_then(|own| own.flags.get(flag)).copied();
        let flag = self.flag.get(flag);
        let named = || flag?.env.get(environment).copied();
        said.or_else(named)
            .unwrap_or_else(|| flag.is_some_and(|flag| flag.default))
    }

    /// Every resource with its kind and name.
    pub fn resources(&self) -> impl Iterator<Item = (ResourceKind, &Name, &Resource)> {
        ResourceKind::ALL
            .iter()
            .flat_map(|kind| self.resources_of(*kind).iter().map(|(n, r)| (*kind, n, r)))
    }

    /// The resources of a kind.
    pub fn resources_of(&self, kind: ResourceKind) -> &Map<Name, Resource> {
        match kind {
            ResourceKind::Postgres => &self.postgres,
            ResourceKind::Redis => &self.redis,
            ResourceKind::Bucket => &self.bucket,
        }
    }

    /// The resource of that name.
    pub fn resource(&self, name: &str) -> Option<(ResourceKind, &Name, &Resource)> {
        ResourceKind::ALL.iter().find_map(|kind| {
            self.resources_of(*kind)
                .get_key_value(name)
                .map(|(name, resource)| (*kind, name, resource))
        })
    }
}
