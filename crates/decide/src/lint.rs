//! Whether a plan keeps its promises, looked at again without the planner.
//!
//! **What it decides.** It knows nothing of how plans are made. It takes a plan and the product, and asks what must hold
//! of every plan: that needs lead to earlier steps, that everything present is started once and after what it uses,
//! that nothing gets work before it is well, that every gate is asked and waited for at its place, that a bot never has
//! two sessions, and that what takes away from a schema comes last.
//!
//! **Why by needs.** "Before" means that one step needs the other, directly or through others. The place in the list is
//! not enough, because a plan may be carried out as fast as needs allow.
//!
//! **When it acts.** Each plan is looked at before it is carried out, and one with a defect is not. That is a fault of
//! ours, and never of a manifest, but for one case: where components use each other in a circle no order is right.

mod graph;
mod rules;
#[cfg(test)]
mod tests;

use std::fmt;
use towpath_model::Desired;
use towpath_model::plan::{ComponentId, Plan, ResourceId, StepId};
use towpath_model::unit::Name;

/// Something that is wrong with a plan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Defect {
    /// The step that it shows at; nothing where one is missing.
    pub step: Option<StepId>,
    /// What is wrong.
    pub fault: Fault,
}

/// What can be wrong with a plan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fault {
    /// Its number is not its place.
    Number,
    /// It needs a step that does not come before it.
    Needs(StepId),
    /// A component is not started, published, scheduled or packed as often as once.
    Starts(ComponentId, usize),
    /// A component is started though it is not here.
    Stranger(ComponentId),
    /// A component is started before what it uses is ready.
    BeforeUsed(ComponentId, String),
    /// A component gets work without having been waited for.
    WorkBeforeWell(ComponentId),
    /// A component never gets all of its work.
    NoWork(ComponentId),
    /// A gate that something names is not asked.
    GateMissing(String),
    /// A gate is asked where nothing waits for its answer.
    GateIdle(String),
    /// A gate of the build or of the entry is asked after what it should hold back.
    GateLate(String),
    /// A bot can have two sessions.
    TwoSessions(ComponentId),
    /// Something is left to do to a resource or component after its schema has lost what was there before.
    AfterContract(ResourceId),
    /// A schema that has to lose something never does.
    ContractMissing(ResourceId),
    /// A resource is never made or bound.
    ResourceMissing(ResourceId),
    /// A store never gets its extension, or gives it out before its review.
    Store(ComponentId, Name),
    /// There is not exactly one release made.
    Release(usize),
    /// There is not exactly one end.
    Finish(usize),
    /// The end does not wait for it.
    Unfinished,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Fault::Number => f.write_str("its number is not its place"),
            Fault::Needs(id) => write!(f, "it needs step {id}, which does not come before it"),
            Fault::Starts(component, times) => {
                write!(f, "{component} is started {times} times instead of once")
            }
            Fault::Stranger(component) => write!(f, "{component} is not here"),
            Fault::BeforeUsed(component, used) => write!(f, "{component} starts before `{used}` is ready"),
            Fault::WorkBeforeWell(component) => write!(f, "{component} gets work before it is well"),
            Fault::NoWork(component) => write!(f, "{component} never gets all of its work"),
            Fault::GateMissing(gate) => write!(f, "gate `{gate}` is not asked"),
            Fault::GateIdle(gate) => write!(f, "nothing waits for the answer of gate `{gate}`"),
            Fault::GateLate(gate) => write!(f, "gate `{gate}` is asked too late to hold anything back"),
            Fault::TwoSessions(bot) => write!(f, "{bot} can have two sessions at once"),
            Fault::AfterContract(resource) => {
                write!(
                    f,
                    "the schema of {resource} loses what something that comes later may need"
                )
            }
            Fault::ContractMissing(resource) => write!(f, "the schema of {resource} is never cleared up"),
            Fault::ResourceMissing(resource) => write!(f, "{resource} is neither made nor bound"),
            Fault::Store(extension, store) => {
                write!(
                    f,
                    "store `{store}` does not get {extension}, or gives it out before its review"
                )
            }
            Fault::Release(times) => write!(f, "the release is made {times} times instead of once"),
            Fault::Finish(times) => write!(f, "the release ends {times} times instead of once"),
            Fault::Unfinished => f.write_str("the end of the release does not wait for it"),
        }
    }
}

impl fmt::Display for Defect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.step {
            Some(step) => write!(f, "step {step}: {}", self.fault),
            None => self.fault.fmt(f),
        }
    }
}

/// Everything that is wrong with a plan for a product as it is in the plan's environment.
pub fn lint(plan: &Plan, product: &Desired) -> Vec<Defect> {
    let graph = graph::Graph::of(plan);
    let mut look = rules::Look {
        plan,
        product,
        graph,
        defects: Vec::new(),
    };
    look.all();
    look.defects
}
