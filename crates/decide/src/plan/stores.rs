//! Extensions: packed, uploaded, reviewed by people, and given to users share by share.

use super::Draft;
use std::collections::BTreeMap;
use towpath_model::desired::component::{Component, ComponentKind};
use towpath_model::desired::extension::Store;
use towpath_model::desired::gate::Stage;
use towpath_model::desired::rollout::{Rollout, Strategy};
use towpath_model::plan::{Action, ComponentId, Named, Part, Reason, StepId};
use towpath_model::spec::Path;
use towpath_model::unit::{Hold, Name, Ramp};

/// Releases every extension to its stores.
pub(super) fn release(draft: &mut Draft<'_>) {
    let product = draft.product;
    for (name, component) in &product.extension {
        let id = Named::new(ComponentKind::Extension, name);
        ask_shared(draft, &id, component, Stage::During);
        let needs = draft.all();
        let pack = Action::Pack {
            extension: id.clone(),
        };
        let packed = draft.step(Part::Stores, pack, &needs, Reason::StoresTakePackages);
        let mut accepted: BTreeMap<&str, StepId> = BTreeMap::new();
        for (store, listing) in ordered(component) {
            let first = listing
                .after
                .as_ref()
                .and_then(|after| Some((after, *accepted.get(after.as_str())?)));
            let (needs, because) = match first {
                Some((after, reviewed)) => (vec![packed, reviewed], Reason::AfterStore(after.clone())),
                None => {
                    let at = Path::of(["extension", name.as_str(), "store", store.as_str()]);
                    (vec![packed], Reason::Written(at))
                }
            };
            let upload = Action::Upload {
                extension: id.clone(),
                store: store.clone(),
                kind: listing.kind,
            };
            let uploaded = draft.step(Part::Stores, upload, &needs, because);
            let review = Action::Review {
                extension: id.clone(),
                store: store.clone(),
                expected: listing.review,
            };
            let reviewed = draft.step(Part::Stores, review, &[uploaded], Reason::PeopleReview);
            accepted.insert(store.as_str(), reviewed);
            roll(draft, &id, component, (store, listing), reviewed);
        }
        ask_shared(draft, &id, component, Stage::After);
    }
}

/// The stores, each after the one that has to accept it first. In a circle the one written first goes first.
fn ordered(component: &Component) -> Vec<(&Name, &Store)> {
    let mut waiting: Vec<(&Name, &Store)> = component.store.iter().collect();
    let mut order = Vec::with_capacity(waiting.len());
    while !waiting.is_empty() {
        let waits = |after: &Name| waiting.iter().any(|(name, _)| *name == after);
        let free = waiting
            .iter()
            .position(|(_, store)| !store.after.as_ref().is_some_and(waits));
        order.push(waiting.remove(free.unwrap_or(0)));
    }
    order
}

/// Gives it to users: share by share where the rollout says so, else to everybody. The store's own rollout counts
/// before that of the extension.
fn roll(
    draft: &mut Draft<'_>,
    id: &ComponentId,
    component: &Component,
    (store, listing): (&Name, &Store),
    reviewed: StepId,
) {
    let usual = Rollout::usual();
    let holds = component.rollout_in_store(&id.name, store);
    let rollout = holds.map_or(&usual, |(_, rollout)| rollout);
    let of = match &listing.rollout {
        Some(_) => format!("{}.{store}", id.name),
        None => id.name.to_string(),
    };
    let steps: Vec<Option<Ramp>> = match rollout.strategy {
        Strategy::Canary if !rollout.steps.is_empty() => rollout.steps.iter().cloned().map(Some).collect(),
        _ => vec![None],
    };
    let end = steps.len() - 1;
    let mut last = vec![reviewed];
    if end == 0 && steps.iter().flatten().all(|ramp| ramp.hold() == Hold::None) {
        last = asked(draft, &of, last);
    }
    for (index, to) in steps.into_iter().enumerate() {
        let because = if index < end {
            Reason::SmallShare(rollout.inconclusive)
        } else {
            Reason::StepsPassed
        };
        let held = to.as_ref().is_some_and(|ramp| ramp.hold() != Hold::None);
        let action = Action::Roll {
            extension: id.clone(),
            store: store.clone(),
            to,
        };
        last = vec![draft.step(Part::Stores, action, &last, because)];
        if index < end || held {
            last = asked(draft, &of, last);
        }
    }
    draft.ask_of(Part::Stores, Stage::After, &of, &last);
}

fn asked(draft: &mut Draft<'_>, of: &str, needs: Vec<StepId>) -> Vec<StepId> {
    let asked = draft.ask_of(Part::Stores, Stage::During, of, &needs);
    if asked.is_empty() { needs } else { asked }
}

/// Asks the gates of the extension's own rollout where each of its stores has its own rollout: what would stand between
/// shares stands before all stores, and the rest behind them.
fn ask_shared(draft: &mut Draft<'_>, id: &ComponentId, component: &Component, stage: Stage) {
    if component.store.values().all(|listing| listing.rollout.is_some()) {
        let needs = draft.all();
        draft.ask_of(Part::Stores, stage, id.name.as_str(), &needs);
    }
}
