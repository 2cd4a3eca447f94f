//! Whether a product makes sense: what cannot work, what is unsafe, what a careful engineer would look at again.
//!
//! Reading a manifest tells whether each word is right by itself. This looks at what the words mean together. Most
//! rules look at the product in one environment; they run once for each, and a finding that all of them share is
//! told once. Some look at all environments together. A rule never guesses: where it lacks what it needs to judge,
//! it says nothing, because whatever is missing has been told already.

mod components;
mod costs;
mod edge;
mod environments;
mod gates;
mod listed;
mod names;
mod resources;
mod secrets;
mod setting;

pub use secrets::looks_secret;

use std::collections::BTreeMap;
use towpath_model::Desired;
use towpath_model::desired::component::ComponentKind;
use towpath_model::desired::environment::Environment;
use towpath_model::desired::resource::ResourceKind;
use towpath_model::finding::Finding;
use towpath_model::spec::{Path, Tree};
use towpath_model::unit::Name;

/// A product with all of its environments.
#[derive(Debug, Clone, Copy)]
pub struct Whole<'a> {
    /// What was written.
    pub tree: &'a Tree,
    /// The product where no environment is laid over.
    pub root: &'a Desired,
    /// The product in each environment, in the order in which they were written.
    pub environments: &'a [(&'a Name, &'a Desired)],
}

/// A product in one environment.
#[derive(Debug, Clone, Copy)]
pub struct Scene<'a> {
    /// The product there.
    pub product: &'a Desired,
    /// The environment; `None` for a product that has none.
    pub environment: Option<(&'a Name, &'a Environment)>,
}

/// A rule, by what it looks at.
enum Rule {
    /// The product in one environment.
    Scene(fn(&Scene<'_>, &mut Vec<Finding>)),
    /// The product with all of its environments.
    Whole(fn(&Whole<'_>, &mut Vec<Finding>)),
}

/// Everything that makes no sense in a product.
pub fn review(whole: &Whole<'_>) -> Vec<Finding> {
    let rules = [
        names::RULES,
        components::RULES,
        resources::RULES,
        environments::RULES,
        gates::RULES,
        secrets::RULES,
        edge::RULES,
        costs::RULES,
    ];
    let mut found = Vec::new();
    for rule in rules.into_iter().flatten() {
        match rule {
            Rule::Whole(look) => look(whole, &mut found),
            Rule::Scene(look) => found.extend(in_each(whole, *look)),
        }
    }
    found
}

/// Runs a rule in every environment, and joins what it finds in several of them.
fn in_each(whole: &Whole<'_>, look: fn(&Scene<'_>, &mut Vec<Finding>)) -> Vec<Finding> {
    let mut found = Vec::new();
    if whole.environments.is_empty() {
        look(
            &Scene {
                product: whole.root,
                environment: None,
            },
            &mut found,
        );
        return found;
    }
    let mut joined: Vec<Finding> = Vec::new();
    let mut places = BTreeMap::new();
    for (name, product) in whole.environments {
        let Some(own) = product.environment.get(name.as_str()) else {
            continue;
        };
        let mut here = Vec::new();
        look(
            &Scene {
                product,
                environment: Some((name, own)),
            },
            &mut here,
        );
        for mut finding in here {
            let key = (finding.code.id, finding.at.clone(), finding.message.clone());
            match places.get(&key) {
                Some(index) => {
                    if let Some(known) = joined.get_mut(*index) {
                        let known: &mut Finding = known;
                        known.environments.push((*name).clone());
                    }
                }
                None => {
                    places.insert(key, joined.len());
                    finding.environments = vec![(*name).clone()];
                    joined.push(finding);
                }
            }
        }
    }
    for finding in &mut joined {
        if finding.environments.len() == whole.environments.len() {
            finding.environments.clear();
        }
    }
    joined
}

/// The path of a component.
fn component_at(kind: ComponentKind, name: &Name) -> Path {
    Path::of([kind.word(), name.as_str()])
}

/// The path of a resource.
fn resource_at(kind: ResourceKind, name: &Name) -> Path {
    Path::of([kind.word(), name.as_str()])
}

/// What is doubtful in the text of an `error_page`, which is named at this place.
pub fn error_page(at: &Path, file: &str, text: &str) -> Vec<Finding> {
    edge::error_page(at, file, text)
}

/// What is wrong with a `.env` file that git tracks.
pub fn tracked_file(source: u16, text: &str) -> Vec<Finding> {
    secrets::tracked_file(source, text)
}
