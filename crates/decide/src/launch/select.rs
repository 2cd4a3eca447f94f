//! A part of a product: some components, and all that they need.

use super::Problem;
use std::collections::BTreeSet;
use towpath_model::finding::{Shown, listed};
use towpath_model::run::Product;
use towpath_model::unit::Name;

/// The most names that a hint lists.
const SHOWN: usize = 8;

/// Only these components with what they need, whoever needs it of them, and the builds of all of those. No names: all.
pub fn select(product: &Product, names: &[String]) -> Result<Product, Problem> {
    if names.is_empty() {
        return Ok(product.clone());
    }
    let mut waiting: Vec<&Name> = Vec::with_capacity(names.len());
    for name in names {
        match product.components.get_key_value(name.as_str()) {
            Some((name, _)) => waiting.push(name),
            None => return Err(unknown(product, name)),
        }
    }
    let mut wanted: BTreeSet<&Name> = BTreeSet::new();
    while let Some(name) = waiting.pop() {
        let Some(component) = product.components.get(name).filter(|_| wanted.insert(name)) else {
            continue;
        };
        waiting.extend(component.needs.iter().map(|need| &need.name));
    }
    let mut part = Product {
        components: product.components.clone(),
        builds: product.builds.clone(),
        sources: product.sources.clone(),
        product: product.product.clone(),
        environment: product.environment.clone(),
        folder: product.folder.clone(),
    };
    part.components.retain(|name, _| wanted.contains(name));
    let built: BTreeSet<&Name> = part
        .components
        .values()
        .filter_map(|one| one.build.as_ref())
        .collect();
    part.builds.retain(|name, _| built.contains(name));
    Ok(part)
}

fn unknown(product: &Product, name: &str) -> Problem {
    let here = &product.environment;
    let message = format!("there is no component `{}` in {here}", Shown(name));
    let names = || product.components.keys().map(Name::as_str);
    let near = towpath_model::near::nearest(name, names());
    let hint = match (near, product.components.len()) {
        (Some(near), _) => format!("did you mean `{near}`?"),
        (None, 0) => "there is none at all here".to_owned(),
        (None, count) if count <= SHOWN => format!("there are {}", listed(names(), "and")),
        (None, count) => format!(
            "there are {count}, among them {}",
            listed(names().take(SHOWN), "and")
        ),
    };
    Problem::new(message, hint)
}
