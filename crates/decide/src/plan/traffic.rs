//! Work for the release: addresses, shares, the switch, and the watch behind it.

use super::Draft;
use crate::here::domains;
use towpath_model::desired::component::{Component, ComponentKind, Handover};
use towpath_model::desired::gate::Stage;
use towpath_model::desired::rollout::{CanaryUnit, Rollout, Strategy};
use towpath_model::plan::{Action, ComponentId, Named, Part, Reason, StepId};
use towpath_model::unit::{Amount, Hold, Name, Ramp, Share, known};

/// The steps of a canary that names none: the defaults of the product.
const USUAL_STEPS: [&str; 2] = ["10% for 30m", "100%"];

/// Components that go from one release to the next together.
struct Group<'a> {
    rollout: Rollout,
    /// The component whose own rollout it is; nothing for the environment's.
    of: Option<&'a Name>,
    members: Vec<(ComponentId, &'a Component)>,
}

/// Lets every group have its work.
pub(super) fn switch(draft: &mut Draft<'_>) {
    let mut started = draft.all();
    for group in groups(draft) {
        let routed = routes(draft, &group, &started);
        let of = group.of.map(ToString::to_string);
        let switched = match group.rollout.strategy {
            Strategy::Canary => canary(draft, &group, of.as_deref(), routed),
            _ => at_once(draft, &group, of.as_deref(), routed),
        };
        behind(draft, &group, of.as_deref(), &switched);
        if group.movable().next().is_none() {
            // The environment's gates have nothing of their own to hold back: they hold back the rest.
            started = switched;
        }
    }
}

/// The environment's group, and one for each component with a rollout of its own. The environment's is there even
/// without components, so that its gates are asked.
fn groups<'a>(draft: &Draft<'a>) -> Vec<Group<'a>> {
    let usual = draft.product.usual_rollout(Some(draft.environment.as_str()));
    let mut whole = Group {
        rollout: usual.map_or_else(Rollout::usual, |(_, rollout)| rollout.clone()),
        of: None,
        members: Vec::new(),
    };
    let mut own = Vec::new();
    for (kind, name, component) in draft.product.components() {
        if matches!(kind, ComponentKind::Job | ComponentKind::Extension) {
            continue;
        }
        let member = (Named::new(kind, name), component);
        match &component.rollout {
            Some(rollout) => own.push(Group {
                rollout: rollout.clone(),
                of: Some(name),
                members: vec![member],
            }),
            None => whole.members.push(member),
        }
    }
    let mut all = vec![whole];
    all.extend(own);
    all
}

impl Group<'_> {
    fn ids(&self) -> Vec<ComponentId> {
        self.members.iter().map(|(id, _)| id.clone()).collect()
    }

    /// Members whose work moves with a share or a switch. A bot without shards has one session, which was handed over.
    fn movable(&self) -> impl Iterator<Item = &(ComponentId, &Component)> {
        self.members.iter().filter(|(id, component)| {
            id.kind != ComponentKind::Bot || component.handover == Handover::Shards || self.by_tenants()
        })
    }

    fn by_tenants(&self) -> bool {
        self.rollout.unit == Some(CanaryUnit::Tenants)
    }

    /// The members by what a canary of them is a share of.
    fn units(&self) -> Vec<(CanaryUnit, Vec<ComponentId>)> {
        let mut units: Vec<(CanaryUnit, Vec<ComponentId>)> = Vec::new();
        for (id, _) in self.movable() {
            let unit = self.rollout.unit.unwrap_or(usual_unit(id.kind));
            match units.iter_mut().find(|(known, _)| *known == unit) {
                Some((_, ids)) => ids.push(id.clone()),
                None => units.push((unit, vec![id.clone()])),
            }
        }
        units
    }
}

fn usual_unit(kind: ComponentKind) -> CanaryUnit {
    match kind {
        ComponentKind::Worker | ComponentKind::Job => CanaryUnit::Jobs,
        ComponentKind::Bot => CanaryUnit::Tenants,
        ComponentKind::Site => CanaryUnit::Cohort,
        ComponentKind::Extension => CanaryUnit::Store,
        ComponentKind::Service | ComponentKind::Function => CanaryUnit::Traffic,
    }
}

/// Lets the edge answer for what is public.
fn routes(draft: &mut Draft<'_>, group: &Group<'_>, started: &[StepId]) -> Vec<StepId> {
    let mut routed = started.to_vec();
    for (id, component) in &group.members {
        if component.public {
            let domains = domains(draft.own, &id.name, component);
            let route = Action::Route {
                component: id.clone(),
                domains,
            };
            routed.push(draft.step(Part::Traffic, route, started, Reason::Public));
        }
    }
    routed
}

/// Asks, and switches everything over.
fn at_once(draft: &mut Draft<'_>, group: &Group<'_>, of: Option<&str>, routed: Vec<StepId>) -> Vec<StepId> {
    let asked = asked(draft, of, routed);
    let components: Vec<ComponentId> = group.movable().map(|(id, _)| id.clone()).collect();
    if components.is_empty() {
        return asked;
    }
    let strategy = group.rollout.strategy;
    let switch = Action::Switch { components, strategy };
    vec![draft.step(Part::Traffic, switch, &asked, Reason::By(strategy))]
}

/// Asks what is asked while a release gets its share; without any gate nothing is added.
fn asked(draft: &mut Draft<'_>, of: Option<&str>, needs: Vec<StepId>) -> Vec<StepId> {
    let asked = draft.ask_of_or_whole(Stage::During, of, &needs);
    if asked.is_empty() { needs } else { asked }
}

/// Gives one share after the other. What is held is asked before it goes on; where nothing is held before the end,
/// the gates are asked before anything moves.
fn canary(draft: &mut Draft<'_>, group: &Group<'_>, of: Option<&str>, routed: Vec<StepId>) -> Vec<StepId> {
    let steps = steps(&group.rollout);
    let units = group.units();
    let end = steps.len().saturating_sub(1);
    let watched = |index: usize, ramp: &Ramp| index < end || ramp.hold() != Hold::None;
    let none = units.is_empty() || !steps.iter().enumerate().any(|(index, ramp)| watched(index, ramp));
    let mut last = if none { asked(draft, of, routed) } else { routed };
    if units.is_empty() {
        return last;
    }
    for (index, ramp) in steps.iter().enumerate() {
        let because = match index {
            _ if index == end => Reason::StepsPassed,
            _ => Reason::SmallShare(group.rollout.inconclusive),
        };
        let shifted = units.iter().map(|(unit, components)| {
            let shift = Action::Shift {
                components: components.clone(),
                to: ramp.clone(),
                unit: *unit,
            };
            draft.step(Part::Traffic, shift, &last, because.clone())
        });
        last = shifted.collect();
        if watched(index, ramp) {
            last = asked(draft, of, last);
        }
    }
    last
}

/// The steps of a canary, up to all of it.
fn steps(rollout: &Rollout) -> Vec<Ramp> {
    let mut steps = rollout.steps.clone();
    if steps.is_empty() {
        steps = USUAL_STEPS.map(known).to_vec();
    }
    if steps
        .last()
        .is_none_or(|last| *last.amount() != Amount::Share(Share::ALL))
    {
        steps.push(Ramp::new(Amount::Share(Share::ALL), Hold::None));
    }
    steps
}

/// What follows the last share: gates, the watch, and the old release kept warm beside it.
fn behind(draft: &mut Draft<'_>, group: &Group<'_>, of: Option<&str>, switched: &[StepId]) {
    let components = group.ids();
    let rollout = &group.rollout;
    if !components.is_empty() {
        if rollout.strategy != Strategy::Recreate && group.movable().next().is_some() {
            let warm: Vec<ComponentId> = group.movable().map(|(id, _)| id.clone()).collect();
            let keep = Action::KeepWarm {
                components: warm,
                time: rollout.warm,
            };
            draft.step(
                Part::Traffic,
                keep,
                switched,
                Reason::RollbackWithin(rollout.rollback_within),
            );
        }
        let bake = Action::Bake {
            components,
            time: rollout.bake,
        };
        draft.step(Part::Traffic, bake, switched, Reason::LateFaults);
    }
    draft.ask_of_or_whole(Stage::After, of, switched);
}

impl Draft<'_> {
    fn ask_of_or_whole(&mut self, stage: Stage, of: Option<&str>, needs: &[StepId]) -> Vec<StepId> {
        match of {
            Some(of) => self.ask_of(Part::Traffic, stage, of, needs),
            None => self.ask(Part::Traffic, stage, needs),
        }
    }
}
