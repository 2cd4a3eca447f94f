//! What comes before what in a plan.

use std::collections::{BTreeMap, BTreeSet};
use towpath_model::plan::{Plan, StepId};

/// For each step all steps that it needs, directly or through others.
pub(super) struct Graph {
    before: BTreeMap<StepId, BTreeSet<StepId>>,
}

impl Graph {
    /// Needs that lead nowhere or forward are told elsewhere, and left out here.
    pub(super) fn of(plan: &Plan) -> Self {
        let mut before: BTreeMap<StepId, BTreeSet<StepId>> = BTreeMap::new();
        for step in &plan.steps {
            let mut all = BTreeSet::new();
            for need in &step.needs {
                if let Some(known) = before.get(need) {
                    all.extend(known.iter().copied());
                    all.insert(*need);
                }
            }
            before.insert(step.id, all);
        }
        Graph { before }
    }

    /// Whether one step has to be done before another one begins.
    pub(super) fn is_before(&self, one: StepId, other: StepId) -> bool {
        self.before
            .get(&other)
            .is_some_and(|before| before.contains(&one))
    }
}
