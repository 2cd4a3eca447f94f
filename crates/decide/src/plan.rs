//! The steps that bring a product's release into an environment, from nothing running to everything watched.
//!
//! **What it decides.** Which steps there are, what each of them needs, and why it is there. The plan starts with what
//! makes a change arrive in the first environment on the way, and names every gate between there and the end.
//!
//! **Why in this order.** What can be found out without changing anything is found out first: secrets and variables,
//! then builds and their gates. A release is made once; from then on only its place changes. It passes the environments
//! before this one, and enters this one when its gates let it. Data comes before code, because code that adds nothing
//! to a schema can wait for it and the other way round it fails: first what expands, then what fills in. Components
//! start after all that they use, and get work only when all of them are well. Where two components need nothing of each
//! other their order is that of the manifest, so that the same manifest makes the same plan. What takes away from a
//! schema is last of all, behind the end of the release, because there is no rollback behind it.
//!
//! **Gates.** A gate stands where its `stage` says, or else where it is named: in `ci` after the build, in an
//! environment before it is entered, in a rollout while it goes on, in `after` behind it. A gate that is only for
//! components which are not here is not asked. A gate with a stage that is named nowhere holds for every environment.
//!
//! **When it refuses.** Never: a product that could be read has a plan. Circles of `uses` have been told by then; they
//! are cut at the component written first, and `lint` finds what that breaks. `needs` are complete: whoever takes steps
//! as soon as all that they need is done takes no step too early.

mod artifact;
mod gates;
mod resources;
mod start;
mod stores;
#[cfg(test)]
pub(crate) mod tests;
mod text;
mod traffic;
mod watch;
mod way;

pub use text::text;

use gates::Placed;
pub(crate) use gates::asked_when;
use std::collections::{BTreeMap, BTreeSet};
use towpath_model::Desired;
use towpath_model::desired::environment::Environment;
use towpath_model::desired::gate::Stage;
use towpath_model::plan::{Action, Part, Plan, Reason, Step, StepId};
use towpath_model::unit::Name;

/// The plan for a product as it is in an environment, with the product as it is in the others, as far as they are
/// known: a release comes through some of them.
pub fn plan(product: &Desired, environment: &Name, others: &[(&Name, &Desired)]) -> Plan {
    let mut draft = Draft::new(product, environment, others);
    way::before(&mut draft);
    artifact::build(&mut draft);
    way::pass(&mut draft);
    way::enter(&mut draft);
    resources::prepare(&mut draft);
    start::start(&mut draft);
    traffic::switch(&mut draft);
    stores::release(&mut draft);
    watch::watch(&mut draft);
    resources::contract(&mut draft);
    draft.plan
}

/// A plan that is being made.
struct Draft<'a> {
    product: &'a Desired,
    environment: &'a Name,
    /// The environment's own words; nothing for one that is not in the manifest.
    own: Option<&'a Environment>,
    others: &'a [(&'a Name, &'a Desired)],
    /// The gates of this environment.
    gates: Vec<Placed>,
    plan: Plan,
    /// Steps that no other needs yet.
    loose: BTreeSet<StepId>,
    /// The steps behind which a component or resource can be used.
    ready: BTreeMap<String, Vec<StepId>>,
}

impl<'a> Draft<'a> {
    fn new(product: &'a Desired, environment: &'a Name, others: &'a [(&'a Name, &'a Desired)]) -> Self {
        Draft {
            product,
            environment,
            own: product.environment.get(environment.as_str()),
            others,
            gates: gates::placed(product, environment),
            plan: Plan {
                product: product.product.clone(),
                environment: environment.clone(),
                steps: Vec::new(),
            },
            loose: BTreeSet::new(),
            ready: BTreeMap::new(),
        }
    }

    /// Adds a step behind those that it needs.
    fn step(&mut self, part: Part, action: Action, needs: &[StepId], because: Reason) -> StepId {
        // A plan has as many steps as a manifest has words, which is far below this bound.
        let id = StepId(u32::try_from(self.plan.steps.len() + 1).unwrap_or(u32::MAX));
        let needs: BTreeSet<StepId> = needs.iter().copied().collect();
        for need in &needs {
            self.loose.remove(need);
        }
        self.loose.insert(id);
        self.plan.steps.push(Step {
            id,
            part,
            action,
            needs: needs.into_iter().collect(),
            because,
        });
        id
    }

    /// Everything so far: whatever needs this comes after all of it.
    fn all(&self) -> Vec<StepId> {
        self.loose.iter().copied().collect()
    }

    /// Asks the gates of a stage that belong to the environment as a whole.
    fn ask(&mut self, part: Part, stage: Stage, needs: &[StepId]) -> Vec<StepId> {
        let gates: Vec<Placed> = self
            .gates
            .iter()
            .filter(|gate| gate.is(stage, None))
            .cloned()
            .collect();
        self.ask_all(part, gates, needs)
    }

    /// Asks the gates of a stage that belong to the rollout of a component or a store.
    fn ask_of(&mut self, part: Part, stage: Stage, of: &str, needs: &[StepId]) -> Vec<StepId> {
        let gates: Vec<Placed> = self
            .gates
            .iter()
            .filter(|gate| gate.is(stage, Some(of)))
            .cloned()
            .collect();
        self.ask_all(part, gates, needs)
    }

    fn ask_all(&mut self, part: Part, gates: Vec<Placed>, needs: &[StepId]) -> Vec<StepId> {
        gates
            .into_iter()
            .map(|gate| self.step(part, Action::Ask(gate.step), needs, Reason::NamedAt(gate.at)))
            .collect()
    }
}
