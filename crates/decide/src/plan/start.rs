//! Instances: each component after all that it uses, and each waited for until it is well.

use super::Draft;
use crate::here::{answers, fewest, stand_ins};
use std::collections::{BTreeMap, BTreeSet};
use towpath_model::desired::component::{Component, ComponentKind, Handover};
use towpath_model::plan::{Action, ComponentId, HookTime, How, Named, Part, Reason, StepId, Well};
use towpath_model::spec::Path;
use towpath_model::unit::{Duration, Name};

/// Without a question to ask, an instance is well when it has stayed up for so long: what cannot start ends within the
/// first seconds, and longer would slow every deployment.
const STAYS_UP: Duration = Duration::from_secs(10);

/// One component in the order of starting.
type Entry<'a> = (ComponentKind, &'a Name, &'a Component);

/// Components after all that they use. In a circle the one written first goes first. Each need is looked at once.
fn ordered<'a>(draft: &Draft<'a>) -> Vec<Entry<'a>> {
    let all: Vec<Entry<'a>> = draft
        .product
        .components()
        .filter(|(kind, _, _)| answers(*kind))
        .collect();
    let names = all.iter().enumerate();
    let numbers: BTreeMap<&str, usize> = names
        .map(|(number, (_, name, _))| (name.as_str(), number))
        .collect();
    let mut users: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    // Those that wait, each with how many it waits for; and of them those that wait for nothing any more.
    let mut waiting: BTreeMap<usize, usize> = BTreeMap::new();
    for (number, (_, _, component)) in all.iter().enumerate() {
        let needed = component.uses.iter().filter(|used| !used.optional);
        let needed: BTreeSet<usize> = needed
            .filter_map(|used| numbers.get(used.name.as_str()).copied())
            .filter(|used| *used != number)
            .collect();
        waiting.insert(number, needed.len());
        for used in needed {
            users.entry(used).or_default().push(number);
        }
    }
    let free = waiting.iter().filter(|(_, needs)| **needs == 0);
    let mut free: BTreeSet<usize> = free.map(|(number, _)| *number).collect();
    let mut order = Vec::with_capacity(all.len());
    while let Some(next) = free.pop_first().or_else(|| waiting.keys().next().copied()) {
        waiting.remove(&next);
        order.extend(all.get(next).copied());
        for user in users.remove(&next).unwrap_or_default() {
            if let Some(needs) = waiting.get_mut(&user) {
                *needs -= 1;
                if *needs == 0 {
                    free.insert(user);
                }
            }
        }
    }
    order
}

/// Starts everything that answers.
pub(super) fn start(draft: &mut Draft<'_>) {
    let entered = draft.all();
    stand_in(draft, &entered);
    for (kind, name, component) in ordered(draft) {
        let id = Named::new(kind, name);
        let (mut needs, because) = needs(draft, component, &entered);
        if let Some(command) = component.hooks.as_ref().and_then(|hooks| hooks.before.clone()) {
            let at = Path::of([kind.word(), name.as_str(), "hooks", "before"]);
            let hook = Action::Hook {
                component: id.clone(),
                when: HookTime::Before,
                command,
            };
            needs = vec![draft.step(Part::Start, hook, &needs, Reason::Written(at))];
        }
        let ready = if kind == ComponentKind::Site {
            let files = component.files.clone();
            draft.step(
                Part::Start,
                Action::Publish { component: id, files },
                &needs,
                because,
            )
        } else {
            instances(draft, &id, component, needs, because)
        };
        draft.ready.insert(name.to_string(), vec![ready]);
    }
}

/// What has to be ready before a component starts, and the sentence for it.
fn needs(draft: &Draft<'_>, component: &Component, entered: &[StepId]) -> (Vec<StepId>, Reason) {
    let mut needs = entered.to_vec();
    let mut used = Vec::new();
    for using in component.uses.iter().filter(|using| !using.optional) {
        if let Some(ready) = draft.ready.get(using.name.as_str()) {
            needs.extend(ready);
            let name = |name: &Name| used.push(name.clone());
            let product = draft.product;
            let known = product.component(using.name.as_str()).map(|(_, name, _)| name);
            let known = known.or_else(|| product.resource(using.name.as_str()).map(|(_, name, _)| name));
            known
                .or_else(|| {
                    product
                        .external
                        .get_key_value(using.name.as_str())
                        .map(|(name, _)| name)
                })
                .map(name);
        }
    }
    if used.is_empty() {
        (needs, Reason::UsesNothing)
    } else {
        (needs, Reason::UsesReady(used))
    }
}

/// Starts instances and waits until they are well; a bot gives its one session on.
fn instances(
    draft: &mut Draft<'_>,
    id: &ComponentId,
    component: &Component,
    mut needs: Vec<StepId>,
    because: Reason,
) -> StepId {
    let bot = id.kind == ComponentKind::Bot;
    let how = component.handover;
    let hand_over = Action::HandOver { bot: id.clone(), how };
    if bot && how == Handover::StopFirst {
        needs = vec![draft.step(Part::Start, hand_over.clone(), &needs, Reason::OneSession(how))];
    }
    let start = Action::Start {
        component: id.clone(),
        instances: fewest(draft.own, id.kind, component),
    };
    let started = draft.step(Part::Start, start, &needs, because);
    let await_healthy = healthy(id, component);
    let well = draft.step(Part::Start, await_healthy, &[started], Reason::WellFirst);
    if bot && how != Handover::StopFirst {
        return draft.step(Part::Start, hand_over, &[well], Reason::OneSession(how));
    }
    well
}

fn healthy(id: &ComponentId, component: &Component) -> Action {
    let health = component.health.as_ref();
    let path = health.and_then(|health| health.path.clone()).map(Well::Path);
    let well = path.or_else(|| {
        health
            .and_then(|health| health.command.clone())
            .map(Well::Command)
    });
    Action::AwaitHealthy {
        component: id.clone(),
        deadline: match (&well, health) {
            (Some(_), Some(health)) => health.deadline,
            _ => STAYS_UP,
        },
        well: well.unwrap_or(Well::Stays),
    }
}

/// Starts what stands in for the outside here.
fn stand_in(draft: &mut Draft<'_>, entered: &[StepId]) {
    let here = draft.environment;
    for (name, _, command) in stand_ins(draft.product, here) {
        let action = Action::StandIn {
            external: name.clone(),
            how: How::Command(command.clone()),
        };
        let id = draft.step(Part::Start, action, entered, Reason::NotOutside(here.clone()));
        draft.ready.insert(name.to_string(), vec![id]);
    }
}
