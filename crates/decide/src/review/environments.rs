//! Rules about environments.

mod contents;
mod path;
mod place;
mod steps;
mod strategy;
mod times;

use super::setting::environment_at;
use super::{Rule, Scene, component_at};
use towpath_model::desired::component::ComponentKind;
use towpath_model::desired::rollout::Rollout;
use towpath_model::spec::Path;

pub(super) const RULES: &[Rule] = &[
    Rule::Whole(path::circle),
    Rule::Whole(path::same_trigger),
    Rule::Scene(path::pull_request),
    Rule::Scene(path::previews),
    Rule::Scene(strategy::unit),
    Rule::Whole(strategy::words),
    Rule::Scene(strategy::no_room),
    Rule::Scene(strategy::together),
    Rule::Scene(steps::steps),
    Rule::Scene(steps::stores),
    Rule::Scene(contents::real),
    Rule::Scene(contents::origin),
    Rule::Scene(contents::stand_ins),
    Rule::Scene(times::warm),
    Rule::Scene(times::window),
    Rule::Scene(times::freeze),
    Rule::Scene(times::ready),
    Rule::Scene(place::engine),
];

/// The rollout that holds for everything in an environment that has none of its own.
fn usual_rollout<'a>(scene: &Scene<'a>) -> Option<(Path, &'a Rollout)> {
    let own = scene.environment.and_then(|(name, own)| {
        let rollout = own.rollout.as_ref()?;
        Some((environment_at(name).key("rollout"), rollout))
    });
    own.or_else(|| Some((Path::of(["rollout"]), scene.product.rollout.as_ref()?)))
}

/// Every rollout that is written for a place, with its path.
fn rollouts<'a>(scene: &Scene<'a>) -> Vec<(Path, &'a Rollout)> {
    let product = scene.product;
    let mut all: Vec<(Path, &Rollout)> = usual_rollout(scene).into_iter().collect();
    for (kind, name, component) in product.components() {
        let at = component_at(kind, name);
        all.extend(
            component
                .rollout
                .as_ref()
                .map(|rollout| (at.key("rollout"), rollout)),
        );
        if kind == ComponentKind::Extension {
            for (store, one) in &component.store {
                let rollout = one.rollout.as_ref();
                all.extend(rollout.map(|rollout| (at.key("store").key(store).key("rollout"), rollout)));
            }
        }
    }
    all
}
