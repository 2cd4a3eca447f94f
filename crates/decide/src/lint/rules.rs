//! What must hold of every plan.

use super::graph::Graph;
use super::{Defect, Fault};
use std::collections::BTreeSet;
use towpath_model::Desired;
use towpath_model::desired::component::{Component, ComponentKind, Handover};
use towpath_model::desired::gate::{Stage, ToGate};
use towpath_model::desired::resource::Phase;
use towpath_model::plan::{Action, ComponentId, Named, Plan, Step, StepId};
use towpath_model::unit::{Amount, Name, Share};
use towpath_model::word::Ref;

/// A look at one plan.
pub(super) struct Look<'a> {
    pub(super) plan: &'a Plan,
    pub(super) product: &'a Desired,
    pub(super) graph: Graph,
    pub(super) defects: Vec<Defect>,
}

impl<'a> Look<'a> {
    pub(super) fn all(&mut self) {
        self.numbers();
        self.starts();
        self.uses();
        self.work();
        self.sessions();
        self.resources();
        self.stores();
        self.gates_named();
        self.gates_placed();
        self.ends();
    }

    fn tell(&mut self, step: Option<StepId>, fault: Fault) {
        self.defects.push(Defect { step, fault });
    }

    /// The steps whose action is like this.
    fn steps<L: Fn(&Action) -> bool>(&self, like: L) -> impl Iterator<Item = &'a Step> + use<'a, L> {
        self.plan.steps.iter().filter(move |step| like(&step.action))
    }

    /// The numbers of the steps whose action is like this.
    fn ids<L: Fn(&Action) -> bool>(&self, like: L) -> Vec<StepId> {
        self.steps(like).map(|step| step.id).collect()
    }

    /// Every number is its place, and every need comes before.
    fn numbers(&mut self) {
        let mut seen = BTreeSet::new();
        for (index, step) in self.plan.steps.iter().enumerate() {
            if usize::try_from(step.id.0).ok() != Some(index + 1) {
                self.tell(Some(step.id), Fault::Number);
            }
            for need in &step.needs {
                if !seen.contains(need) {
                    self.tell(Some(step.id), Fault::Needs(*need));
                }
            }
            seen.insert(step.id);
        }
    }

    /// Everything that is here is brought to life once, and nothing else is.
    fn starts(&mut self) {
        for (kind, name, component) in self.product.components() {
            let id = Named::new(kind, name);
            let times = self.steps(births(id.clone())).count();
            if times != 1 {
                self.tell(None, Fault::Starts(id.clone(), times));
            }
            if kind.runs() && kind != ComponentKind::Job {
                self.instances(&id, component);
            }
        }
        for step in &self.plan.steps {
            if let Some(id) = born(&step.action)
                && self.product.components_of(id.kind).get(&id.name).is_none()
            {
                self.tell(Some(step.id), Fault::Stranger(id.clone()));
            }
        }
    }

    /// A bot without shards has one instance.
    fn instances(&mut self, id: &ComponentId, component: &Component) {
        if id.kind != ComponentKind::Bot || component.handover == Handover::Shards {
            return;
        }
        for step in self.steps(births(id.clone())) {
            if let Action::Start { instances, .. } = &step.action
                && *instances > 1
            {
                self.tell(Some(step.id), Fault::TwoSessions(id.clone()));
            }
        }
    }

    /// The step behind which a component can be called.
    fn ready(&self, name: &str) -> Option<StepId> {
        let (kind, name, _) = self.product.component(name)?;
        let id = Named::new(kind, name);
        if matches!(kind, ComponentKind::Job | ComponentKind::Extension) {
            return None;
        }
        self.well(&id)
    }

    /// The step that finds a component well; for files, the one that publishes them.
    fn well(&self, id: &ComponentId) -> Option<StepId> {
        let id = id.clone();
        let like = move |action: &Action| match action {
            Action::AwaitHealthy { component, .. } => *component == id,
            Action::Publish { component, .. } => component.kind == ComponentKind::Site && *component == id,
            _ => false,
        };
        self.steps(like).next().map(|step| step.id)
    }

    /// Each component comes after all that it uses.
    fn uses(&mut self) {
        for (kind, name, component) in self.product.components() {
            let id = Named::new(kind, name);
            let Some(start) = self.steps(births(id.clone())).next().map(|step| step.id) else {
                continue;
            };
            for used in component
                .uses
                .iter()
                .filter(|used| !used.optional && used.name.as_str() != name.as_str())
            {
                let ready: Vec<StepId> = match self.product.resource(used.name.as_str()) {
                    Some((_, resource, _)) => self.of_resource(resource).map(|step| step.id).collect(),
                    None => self.ready(used.name.as_str()).into_iter().collect(),
                };
                if ready.iter().any(|ready| !self.graph.is_before(*ready, start)) {
                    self.tell(Some(start), Fault::BeforeUsed(id.clone(), used.name.to_string()));
                }
            }
        }
    }

    /// The steps that make a resource ready: all of them but the one that takes away.
    fn of_resource(&self, name: &Name) -> impl Iterator<Item = &'a Step> {
        let name = name.clone();
        self.steps(move |action| match action {
            Action::Migrate {
                phase: Phase::Contract,
                ..
            } => false,
            Action::Provision { resource }
            | Action::Bind { resource, .. }
            | Action::BackUp { resource, .. }
            | Action::Copy { resource, .. }
            | Action::Empty { resource }
            | Action::Fill { resource, .. }
            | Action::Migrate { resource, .. } => resource.name == name,
            _ => false,
        })
    }

    /// Nothing gets work before it is well, and all that takes work gets all of it.
    fn work(&mut self) {
        for step in &self.plan.steps {
            let given: &[ComponentId] = match &step.action {
                Action::Route { component, .. } => std::slice::from_ref(component),
                Action::Shift { components, .. } | Action::Switch { components, .. } => components,
                _ => continue,
            };
            for id in given {
                let well = self.well(id);
                if !well.is_some_and(|well| self.graph.is_before(well, step.id)) {
                    self.tell(Some(step.id), Fault::WorkBeforeWell(id.clone()));
                }
            }
        }
        for (kind, name, _) in self.product.components() {
            let moved = kind.takes_requests() || kind == ComponentKind::Worker;
            let id = Named::new(kind, name);
            if moved && self.whole(&id).is_none() {
                self.tell(None, Fault::NoWork(id));
            }
        }
    }

    /// The step that gives a component all of its work.
    fn whole(&self, id: &ComponentId) -> Option<StepId> {
        let id = id.clone();
        let like = move |action: &Action| match action {
            Action::Switch { components, .. } => components.contains(&id),
            Action::Shift { components, to, .. } => {
                components.contains(&id) && *to.amount() == Amount::Share(Share::ALL)
            }
            _ => false,
        };
        self.steps(like).next().map(|step| step.id)
    }

    /// A bot's one session ends before the next one opens.
    fn sessions(&mut self) {
        for (name, component) in &self.product.bot {
            let id = Named::new(ComponentKind::Bot, name);
            let bot = id.clone();
            let handed =
                move |action: &Action| matches!(action, Action::HandOver { bot: of, .. } if *of == bot);
            let handed: Vec<StepId> = self.steps(handed).map(|step| step.id).collect();
            let start = self.steps(births(id.clone())).next().map(|step| step.id);
            let right = match (handed.as_slice(), start) {
                ([one], Some(start)) if component.handover == Handover::StopFirst => {
                    self.graph.is_before(*one, start)
                }
                ([one], Some(start)) => self.graph.is_before(start, *one),
                _ => false,
            };
            if !right {
                self.tell(handed.first().copied(), Fault::TwoSessions(id));
            }
        }
    }

    /// Every resource is there, and loses what it has to lose behind everything else.
    fn resources(&mut self) {
        for (kind, name, resource) in self.product.resources() {
            let id = Named::new(kind, name);
            let there = |step: &Step| matches!(step.action, Action::Provision { .. } | Action::Bind { .. });
            if !self.of_resource(name).any(there) {
                self.tell(None, Fault::ResourceMissing(id.clone()));
            }
            let of = id.clone();
            let takes = move |action: &Action| matches!(action, Action::Migrate { resource, phase: Phase::Contract, .. } if *resource == of);
            let contract: Vec<StepId> = self.steps(takes).map(|step| step.id).collect();
            let wanted = resource.migrate.as_ref().is_some_and(|migrate| {
                migrate.contract.is_some() || migrate.phases.contains(&Phase::Contract)
            });
            if wanted && contract.is_empty() {
                self.tell(None, Fault::ContractMissing(id.clone()));
            }
            let takes_away = |step: &Step| {
                matches!(
                    step.action,
                    Action::Migrate {
                        phase: Phase::Contract,
                        ..
                    }
                )
            };
            for last in contract {
                let rest = self
                    .plan
                    .steps
                    .iter()
                    .filter(|step| step.id != last && !takes_away(step));
                if rest.into_iter().any(|step| !self.graph.is_before(step.id, last)) {
                    self.tell(Some(last), Fault::AfterContract(id.clone()));
                }
            }
        }
    }

    /// Every store gets every extension, and gives it out when it has been reviewed.
    fn stores(&mut self) {
        for (name, component) in &self.product.extension {
            let id = Named::new(ComponentKind::Extension, name);
            for store in component.store.keys() {
                let at = |extension: &ComponentId, to: &Name| *extension == id && to == store;
                let uploads = self.ids(|action| match action {
                    Action::Upload { extension, store, .. } => at(extension, store),
                    _ => false,
                });
                let reviews = self.ids(|action| match action {
                    Action::Review { extension, store, .. } => at(extension, store),
                    _ => false,
                });
                let rolls = self.ids(|action| match action {
                    Action::Roll { extension, store, .. } => at(extension, store),
                    _ => false,
                });
                let right = match (uploads.as_slice(), reviews.as_slice()) {
                    ([upload], [review]) => {
                        !rolls.is_empty()
                            && self.graph.is_before(*upload, *review)
                            && rolls.iter().all(|roll| self.graph.is_before(*review, *roll))
                    }
                    _ => false,
                };
                if !right {
                    self.tell(uploads.first().copied(), Fault::Store(id.clone(), store.clone()));
                }
            }
        }
    }

    /// Every gate that is named for this environment is asked.
    fn gates_named(&mut self) {
        let asked: BTreeSet<&str> = self.plan.gates().map(|(_, gate)| gate.name.as_str()).collect();
        let missing: BTreeSet<String> = self
            .named()
            .into_iter()
            .filter(|name| !asked.contains(name.as_str()))
            .collect();
        for name in missing {
            self.tell(None, Fault::GateMissing(name));
        }
    }

    /// The gates that `ci`, the environment and the rollouts in it name, without those for what is not here.
    fn named(&self) -> Vec<String> {
        let gate = |name: &Ref<ToGate>| self.product.gate.get(name.as_str());
        let environment = self.plan.environment.as_str();
        let own = self.product.environment.get(environment);
        let mut named: Vec<&Ref<ToGate>> = Vec::new();
        named.extend(self.product.ci.iter().flat_map(|ci| &ci.gates));
        named.extend(own.into_iter().flat_map(|own| &own.gates));
        for (_, rollout) in self.product.rollouts(Some(environment)) {
            let all = rollout.gates.iter().chain(&rollout.after);
            named.extend(all.filter(|name| rollout.asks(gate(name))));
        }
        let here = |name: &&Ref<ToGate>| match gate(name) {
            Some(gate) => {
                gate.on.is_empty()
                    || gate
                        .on
                        .iter()
                        .any(|on| self.product.component(on.as_str()).is_some())
            }
            None => true,
        };
        named.into_iter().filter(here).map(ToString::to_string).collect()
    }

    /// Each gate stands where its answer can still hold something back.
    fn gates_placed(&mut self) {
        let id = |like: fn(&Action) -> bool| self.steps(like).map(|step| step.id).collect::<Vec<_>>();
        let release = id(|action| matches!(action, Action::Release));
        let finish = id(|action| matches!(action, Action::Finish));
        let begins = id(|action| {
            matches!(action, Action::Provision { .. } | Action::Bind { .. })
                || matches!(
                    action,
                    Action::Start { .. } | Action::Publish { .. } | Action::Upload { .. }
                )
        });
        let moves = id(|action| {
            matches!(action, Action::Shift { .. } | Action::Switch { .. })
                || matches!(action, Action::Bake { .. } | Action::Roll { .. })
        });
        let gates: Vec<(StepId, String, Stage, bool)> = self
            .plan
            .gates()
            .map(|(step, gate)| {
                (
                    step.id,
                    gate.name.clone(),
                    gate.stage,
                    gate.environment == self.plan.environment,
                )
            })
            .collect();
        for (step, name, stage, here) in gates {
            let before_all = |later: &[StepId]| later.iter().all(|later| self.graph.is_before(step, *later));
            let late = match stage {
                Stage::Build => !before_all(&release),
                Stage::Enter if here => !before_all(&begins),
                // It holds back a share, the switch, or at least the end of the watch.
                Stage::During if here => {
                    !moves.is_empty() && !moves.iter().any(|later| self.graph.is_before(step, *later))
                }
                Stage::Enter | Stage::During | Stage::After => false,
            };
            let idle = !before_all(&finish);
            if late {
                self.tell(Some(step), Fault::GateLate(name.clone()));
            }
            if idle {
                self.tell(Some(step), Fault::GateIdle(name));
            }
        }
    }

    /// There is one release and one end, and the end waits for everything but what takes away.
    fn ends(&mut self) {
        let releases = self.steps(|action| matches!(action, Action::Release)).count();
        if releases != 1 {
            self.tell(None, Fault::Release(releases));
        }
        let ends: Vec<StepId> = self
            .steps(|action| matches!(action, Action::Finish))
            .map(|step| step.id)
            .collect();
        let [end] = ends.as_slice() else {
            self.tell(None, Fault::Finish(ends.len()));
            return;
        };
        for step in &self.plan.steps {
            let behind = matches!(
                step.action,
                Action::Migrate {
                    phase: Phase::Contract,
                    ..
                }
            );
            if step.id != *end && !behind && !self.graph.is_before(step.id, *end) {
                self.tell(Some(step.id), Fault::Unfinished);
            }
        }
    }
}

/// The component that an action brings to life.
fn born(action: &Action) -> Option<&ComponentId> {
    match action {
        Action::Start { component, .. } | Action::Publish { component, .. } => Some(component),
        Action::ScheduleJob { job, .. } => Some(job),
        Action::Pack { extension } => Some(extension),
        _ => None,
    }
}

/// Whether an action brings this component to life.
fn births(id: ComponentId) -> impl Fn(&Action) -> bool {
    move |action| born(action) == Some(&id)
}
