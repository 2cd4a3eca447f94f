//! Secrets of this world: canaries, which are known wherever they sing.
//!
//! Every component is given one, and every release another. What is started knows it, and says it when something goes wrong, as
//! programs and stores do.

use std::collections::BTreeMap;
use towpath_model::desired::secret::Delivery;
use towpath_model::run::{Component, Value, Variable};
use towpath_model::sealed::Sealed;

/// The name under which each component is told its secret.
const NAME: &str = "KEY";

/// How every value begins. Nothing else in this world is called so.
const CANARY: &str = "canary-5f1c9a";

/// The value of a name.
pub(crate) fn value(name: &str) -> Sealed<String> {
    Sealed::new(format!("{CANARY}-{name}"))
}

/// The variables of a component that is told this version of it.
pub(crate) fn variables(version: &str) -> BTreeMap<String, Variable> {
    let variable = Variable {
        value: Value::Sealed(format!("{NAME}@{version}")),
        deliver: Delivery::Variable,
    };
    BTreeMap::from([(NAME.to_owned(), variable)])
}

/// What a component is started with.
pub(crate) fn dress(component: &Component) -> Vec<(String, Sealed<String>)> {
    let env = component.env.iter();
    env.filter_map(|(name, variable)| match &variable.value {
        Value::Sealed(of) => Some((name.clone(), value(of))),
        _ => None,
    })
    .collect()
}

/// Whether a value stands in a text.
pub(crate) fn sings(text: &str) -> bool {
    text.contains(CANARY)
}
