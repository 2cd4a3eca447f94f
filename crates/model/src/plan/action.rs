//! What a step of a plan does.

use super::question::GateStep;
use super::{ComponentId, ResourceId};
use crate::desired::build::Sbom;
use crate::desired::component::Handover;
use crate::desired::extension::StoreKind;
use crate::desired::resource::Phase;
use crate::desired::rollout::{CanaryUnit, Strategy};
use crate::unit::{
    Bytes, Column, Command, Domain, Duration, Name, Path, Ramp, Schedule, Severity, Trigger, VarName, Window,
};
use std::fmt;

/// What is built.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BuildOf {
    /// A build that several components share.
    Shared(Name),
    /// The build of one component.
    Component(ComponentId),
}

impl fmt::Display for BuildOf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            BuildOf::Shared(name) => write!(f, "build `{name}`"),
            BuildOf::Component(component) => component.fmt(f),
        }
    }
}

/// By what something is made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum How {
    /// A command.
    Command(Command),
    /// A Dockerfile.
    Dockerfile(Path),
    /// A file or folder.
    Files(Path),
    /// What the kind does by itself.
    Usual,
}

impl fmt::Display for How {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            How::Command(command) => write!(f, " with `{command}`"),
            How::Dockerfile(path) | How::Files(path) => write!(f, " from {path}"),
            How::Usual => Ok(()),
        }
    }
}

/// How it is known that an instance is well.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Well {
    /// It answers 200 on this path.
    Path(String),
    /// A command ends with 0.
    Command(Command),
    /// It stays up.
    Stays,
}

/// When a command around a release runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HookTime {
    /// Before anything of the release starts.
    Before,
    /// After everything runs.
    After,
}

/// What a step does, with its subject.
#[derive(Debug, Clone, PartialEq)]
pub enum Action {
    /// Waits for what makes a change arrive in the first environment on the way; for a person where it is empty.
    Begin { environment: Name, on: Vec<Trigger> },
    /// Takes the release over from the environment before.
    Promote { from: Name, to: Name, on: Vec<Trigger> },
    /// Checks that whoever deploys has one of these roles.
    CheckDeployer { roles: Vec<String> },
    /// Checks that nothing freezes the environment.
    CheckFreeze { why: String },
    /// Checks that it is the time for it.
    CheckWindow { window: Window },
    /// Checks that secrets have a value, and makes those that can be made.
    CheckSecrets { secrets: Vec<VarName> },
    /// Checks that variables have a value.
    CheckVariables {
        component: ComponentId,
        variables: Vec<VarName>,
    },
    /// Builds.
    Build { of: BuildOf, how: How },
    /// Weighs what was built.
    Weigh { of: BuildOf, most: Bytes },
    /// Lists the parts that went into it.
    ListParts { of: BuildOf, format: Sbom },
    /// Signs it.
    Sign { of: BuildOf },
    /// Pushes it to where artifacts are kept.
    Push { of: Vec<ComponentId>, image: String },
    /// Finds the digest of an artifact that is built elsewhere.
    Resolve { of: Vec<ComponentId>, image: String },
    /// Makes the release.
    Release,
    /// Runs in an environment on the way.
    Pass { environment: Name },
    /// Asks a gate.
    Ask(GateStep),
    /// Makes a resource.
    Provision { resource: ResourceId },
    /// Checks and uses a resource that exists.
    Bind { resource: ResourceId, secret: String },
    /// Sets up backups.
    BackUp {
        resource: ResourceId,
        full: Option<Schedule>,
        log: Option<Duration>,
        drill: Option<Schedule>,
    },
    /// Copies the data of another environment.
    Copy {
        resource: ResourceId,
        from: Name,
        masked: Vec<Column>,
    },
    /// Makes the data anew.
    Empty { resource: ResourceId },
    /// Fills it once.
    Fill { resource: ResourceId, how: How },
    /// Moves the schema.
    Migrate {
        resource: ResourceId,
        phase: Phase,
        how: How,
        window: Option<Window>,
    },
    /// Starts a stand-in for something outside.
    StandIn { external: Name, how: How },
    /// Runs a command around the release.
    Hook {
        component: ComponentId,
        when: HookTime,
        command: Command,
    },
    /// Passes the one live session of a bot on.
    HandOver { bot: ComponentId, how: Handover },
    /// Starts instances.
    Start { component: ComponentId, instances: u32 },
    /// Puts files where the edge serves them.
    Publish {
        component: ComponentId,
        files: Option<Path>,
    },
    /// Waits until every instance is well.
    AwaitHealthy {
        component: ComponentId,
        well: Well,
        deadline: Duration,
    },
    /// Lets the edge answer for a component.
    Route {
        component: ComponentId,
        domains: Vec<Domain>,
    },
    /// Gives the release a share of the work.
    Shift {
        components: Vec<ComponentId>,
        to: Ramp,
        unit: CanaryUnit,
    },
    /// Gives the release all of the work.
    Switch {
        components: Vec<ComponentId>,
        strategy: Strategy,
    },
    /// Watches.
    Bake {
        components: Vec<ComponentId>,
        time: Duration,
    },
    /// Keeps the old release warm.
    KeepWarm {
        components: Vec<ComponentId>,
        time: Duration,
    },
    /// Packs an extension.
    Pack { extension: ComponentId },
    /// Uploads it to a store.
    Upload {
        extension: ComponentId,
        store: Name,
        kind: StoreKind,
    },
    /// Waits for a store's review.
    Review {
        extension: ComponentId,
        store: Name,
        expected: Option<Duration>,
    },
    /// Lets a store release to a share of its users.
    Roll {
        extension: ComponentId,
        store: Name,
        to: Option<Ramp>,
    },
    /// Runs a job from now on.
    ScheduleJob {
        job: ComponentId,
        cron: Option<Schedule>,
    },
    /// Runs a probe from now on.
    ScheduleProbe { probe: Name, every: Duration },
    /// Watches an objective from now on.
    WatchObjective { objective: Name },
    /// Arms an alert.
    Arm { alert: Name, severity: Severity },
    /// Counts the release as done.
    Finish,
}

impl Action {
    /// Its word, the same in every version: for machines.
    pub fn word(&self) -> &'static str {
        match self {
            Action::Begin { .. } => "begin",
            Action::Promote { .. } => "promote",
            Action::CheckDeployer { .. } => "check-deployer",
            Action::CheckFreeze { .. } => "check-freeze",
            Action::CheckWindow { .. } => "check-window",
            Action::CheckSecrets { .. } => "check-secrets",
            Action::CheckVariables { .. } => "check-variables",
            Action::Build { .. } => "build",
            Action::Weigh { .. } => "weigh",
            Action::ListParts { .. } => "list-parts",
            Action::Sign { .. } => "sign",
            Action::Push { .. } => "push",
            Action::Resolve { .. } => "resolve",
            Action::Release => "release",
            Action::Pass { .. } => "pass",
            Action::Ask(_) => "ask",
            Action::Provision { .. } => "provision",
            Action::Bind { .. } => "bind",
            Action::BackUp { .. } => "back-up",
            Action::Copy { .. } => "copy",
            Action::Empty { .. } => "empty",
            Action::Fill { .. } => "fill",
            Action::Migrate { .. } => "migrate",
            Action::StandIn { .. } => "stand-in",
            Action::Hook { .. } => "hook",
            Action::HandOver { .. } => "hand-over",
            Action::Start { .. } => "start",
            Action::Publish { .. } => "publish",
            Action::AwaitHealthy { .. } => "await-healthy",
            Action::Route { .. } => "route",
            Action::Shift { .. } => "shift",
            Action::Switch { .. } => "switch",
            Action::Bake { .. } => "bake",
            Action::KeepWarm { .. } => "keep-warm",
            Action::Pack { .. } => "pack",
            Action::Upload { .. } => "upload",
            Action::Review { .. } => "review",
            Action::Roll { .. } => "roll",
            Action::ScheduleJob { .. } => "schedule-job",
            Action::ScheduleProbe { .. } => "schedule-probe",
            Action::WatchObjective { .. } => "watch-objective",
            Action::Arm { .. } => "arm",
            Action::Finish => "finish",
        }
    }

    /// The names in the manifest that it is about.
    pub fn subjects(&self) -> Vec<String> {
        match self {
            Action::CheckVariables { component, .. }
            | Action::Start { component, .. }
            | Action::Publish { component, .. }
            | Action::AwaitHealthy { component, .. }
            | Action::Route { component, .. }
            | Action::Hook { component, .. }
            | Action::HandOver { bot: component, .. }
            | Action::Pack { extension: component }
            | Action::ScheduleJob { job: component, .. } => vec![component.name.to_string()],
            Action::Upload { extension, store, .. }
            | Action::Review { extension, store, .. }
            | Action::Roll { extension, store, .. } => vec![extension.name.to_string(), store.to_string()],
            Action::Shift { components, .. }
            | Action::Switch { components, .. }
            | Action::Bake { components, .. }
            | Action::KeepWarm { components, .. }
            | Action::Push { of: components, .. }
            | Action::Resolve { of: components, .. } => {
                components.iter().map(|c| c.name.to_string()).collect()
            }
            Action::Provision { resource }
            | Action::Bind { resource, .. }
            | Action::BackUp { resource, .. }
            | Action::Copy { resource, .. }
            | Action::Empty { resource }
            | Action::Fill { resource, .. }
            | Action::Migrate { resource, .. } => vec![resource.name.to_string()],
            Action::Build { of, .. }
            | Action::Weigh { of, .. }
            | Action::ListParts { of, .. }
            | Action::Sign { of } => {
                vec![match of {
                    BuildOf::Shared(name) => name.to_string(),
                    BuildOf::Component(component) => component.name.to_string(),
                }]
            }
            Action::CheckSecrets { secrets } => secrets.iter().map(ToString::to_string).collect(),
            Action::CheckDeployer { roles } => roles.clone(),
            Action::Ask(gate) => vec![gate.name.clone()],
            Action::Begin {
                environment: name, ..
            }
            | Action::Pass { environment: name }
            | Action::StandIn { external: name, .. }
            | Action::ScheduleProbe { probe: name, .. }
            | Action::WatchObjective { objective: name }
            | Action::Arm { alert: name, .. } => vec![name.to_string()],
            Action::Promote { from, to, .. } => vec![from.to_string(), to.to_string()],
            Action::CheckFreeze { .. } | Action::CheckWindow { .. } | Action::Release | Action::Finish => {
                Vec::new()
            }
        }
    }
}
