//! A plan: the ordered steps that bring a release into an environment, and the reason for each.

mod action;
mod question;
mod reason;
mod sentence;

pub use action::{Action, BuildOf, HookTime, How, Well};
pub use question::{GateStep, Question};
pub use reason::Reason;

use crate::choice;
use crate::desired::component::ComponentKind;
use crate::desired::resource::ResourceKind;
use crate::finding;
use crate::unit::Name;
use std::fmt;

/// The steps that bring a release into an environment. Each step comes after all that it needs.
#[derive(Debug, Clone, PartialEq)]
pub struct Plan {
    /// The product.
    pub product: Name,
    /// Where the release is brought.
    pub environment: Name,
    /// The steps, in an order in which they can be taken one by one.
    pub steps: Vec<Step>,
}

/// One step of a plan.
#[derive(Debug, Clone, PartialEq)]
pub struct Step {
    /// Its number, counted from 1.
    pub id: StepId,
    /// The part of the plan that it belongs to.
    pub part: Part,
    /// What is done.
    pub action: Action,
    /// The steps that have to have succeeded before.
    pub needs: Vec<StepId>,
    /// Why it is done, and done here.
    pub because: Reason,
}

/// The number of a step in its plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StepId(pub u32);

impl fmt::Display for StepId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

choice! {
    /// A part of a plan.
    Part
    /// What has to hold before anything is done.
    Before = "before";
    /// From sources to a release.
    Build = "build";
    /// The environments that the release comes through.
    Way = "way";
    /// What lets it into this environment.
    Enter = "enter";
    /// Resources, what they are filled with, and their schema.
    Data = "data";
    /// Instances.
    Start = "start";
    /// Visitors, jobs and tenants.
    Traffic = "traffic";
    /// Stores that release packages.
    Stores = "stores";
    /// What goes on from now.
    After = "after";
}

impl Part {
    /// Its heading, for people.
    pub fn title(self) -> &'static str {
        match self {
            Part::Before => "Before",
            Part::Build => "Build",
            Part::Way => "On the way",
            Part::Enter => "Enter",
            Part::Data => "Data",
            Part::Start => "Start",
            Part::Traffic => "Traffic",
            Part::Stores => "Stores",
            Part::After => "After",
        }
    }
}

/// The kind and the name of something.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Named<K> {
    /// The kind, which is the name of its table.
    pub kind: K,
    /// The name.
    pub name: Name,
}

/// Which component.
pub type ComponentId = Named<ComponentKind>;
/// Which resource.
pub type ResourceId = Named<ResourceKind>;

impl<K> Named<K> {
    /// The thing of that kind and name.
    pub fn new(kind: K, name: &Name) -> Self {
        Named {
            kind,
            name: name.clone(),
        }
    }
}

impl<K: fmt::Display> fmt::Display for Named<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} `{}`", self.kind, self.name)
    }
}

impl Plan {
    /// The step of that number.
    pub fn step(&self, id: StepId) -> Option<&Step> {
        self.steps.iter().find(|step| step.id == id)
    }

    /// The gates on the way, in order.
    pub fn gates(&self) -> impl Iterator<Item = (&Step, &GateStep)> {
        self.steps.iter().filter_map(|step| match &step.action {
            Action::Ask(gate) => Some((step, gate)),
            _ => None,
        })
    }
}

/// Names in a row: `a`, `b` and `c`; `nothing` where there are none.
pub fn listed<T: fmt::Display>(names: impl IntoIterator<Item = T>) -> String {
    match finding::listed(names, "and") {
        none if none.is_empty() => "nothing".to_owned(),
        all => all,
    }
}
