//! A part of a product: some components, and all that they need.

use super::{Launched, Problem};
use std::collections::{BTreeMap, BTreeSet};
use towpath_model::finding::{Shown, listed};
use towpath_model::near::nearest;
use towpath_model::run::{
    Build, Component, Product, SPANS_HEADERS, SPANS_OF, SPANS_SHARE, SPANS_TO, Value, Variable,
};
use towpath_model::unit::Name;

/// The most names that a hint lists.
const SHOWN: usize = 8;

/// Only these components with what they need, whoever needs it of them, and the builds of all of those. What a component
/// needs is what it waits for, what answers parts of its address space, and whatever its variables hold an address of.
/// No names: all.
pub fn select(product: &Product, names: &[String]) -> Result<Product, Problem> {
    if names.is_empty() {
        return Ok(product.clone());
    }
    match names
        .iter()
        .find(|name| !product.components.contains_key(name.as_str()))
    {
        Some(name) => Err(unknown(product, name)),
        None => Ok(part(product, &reached(product, names))),
    }
}

/// Leaves of everything that is started only these components with what they need. What stands in the way of others does
/// not stand in theirs.
pub fn narrow(launched: &mut Launched, names: &[String]) -> Result<(), Problem> {
    if names.is_empty() {
        return Ok(());
    }
    let product = &launched.product;
    // One that cannot be started is not among the components; that has been told.
    let told: BTreeSet<&String> = launched.problems.iter().flat_map(|problem| &problem.of).collect();
    let known = |name: &&String| product.components.contains_key(name.as_str()) || told.contains(name);
    if let Some(name) = names.iter().find(|name| !known(name)) {
        return Err(unknown(product, name));
    }
    let reached = reached(product, names);
    let part = part(product, &reached);
    let concerns = |problem: &Problem| {
        let here = |name: &String| reached.contains(name.as_str()) || part.builds.contains_key(name.as_str());
        problem.of.is_empty() || problem.of.iter().any(here)
    };
    launched.problems.retain(concerns);
    launched.notes.retain(concerns);
    let sealed = sealed(&part);
    launched.generate.retain(|(name, _)| sealed.contains(name));
    launched.values.retain(|name, _| sealed.contains(name));
    launched.product = part;
    Ok(())
}

/// These names, and those of everything that is needed, whether it is there or not.
fn reached(product: &Product, names: &[String]) -> BTreeSet<String> {
    let mut waiting: Vec<&str> = names.iter().map(String::as_str).collect();
    let mut reached: BTreeSet<String> = BTreeSet::new();
    while let Some(name) = waiting.pop() {
        if !reached.insert(name.to_owned()) {
            continue;
        }
        let Some(component) = product.components.get(name) else {
            continue;
        };
        let build = component
            .build
            .as_ref()
            .and_then(|build| product.builds.get(build));
        waiting.extend(needed(component, build.map(|build| &**build)).map(Name::as_str));
    }
    reached
}

/// The components that one needs, as it is started and built.
fn needed<'a>(component: &'a Component, build: Option<&'a Build>) -> impl Iterator<Item = &'a Name> {
    let needs = component.needs.iter().map(|need| &need.name);
    let routes = component.listens.iter().flat_map(|listens| &listens.routes);
    let built = build.into_iter().flat_map(|build| addressed(&build.env));
    needs
        .chain(routes.filter_map(|route| route.to.as_ref()))
        .chain(addressed(&component.env))
        .chain(built)
}

/// The components whose addresses are among these variables.
fn addressed(env: &BTreeMap<String, Variable>) -> impl Iterator<Item = &Name> {
    let parts = env.values().flat_map(|variable| variable.value.parts());
    parts.filter_map(|part| match part {
        Value::Address { of, .. } | Value::Public(of) => Some(of),
        Value::Text(_) | Value::Sealed(_) | Value::Port | Value::Credential { .. } | Value::Joined(_) => None,
    })
}

/// The values that a product names.
fn sealed(product: &Product) -> BTreeSet<String> {
    let builds = product.builds.values().flat_map(|build| sealed_in(&build.env));
    let mut sealed = named(product);
    sealed.extend(builds);
    sealed
}

fn sealed_in(env: &BTreeMap<String, Variable>) -> impl Iterator<Item = String> + '_ {
    let parts = env.values().flat_map(|variable| variable.value.parts());
    parts.filter_map(|part| match part {
        Value::Sealed(name) => Some(name.clone()),
        _ => None,
    })
}

/// The values that the components of a product name, and what is in front of them.
pub(super) fn named(product: &Product) -> BTreeSet<String> {
    let components = product.components.values();
    let sealed = components.flat_map(|component| sealed_in(&component.env));
    // What the edge checks with is in nobody's variables.
    let listens = product.components.values().filter_map(|one| one.listens.as_ref());
    let rules = listens.flat_map(|listens| {
        let routes = listens.routes.iter().map(|route| &route.rules);
        routes.chain([&listens.rules])
    });
    let asked = rules.flat_map(|rules| {
        let access = rules.access.as_ref().and_then(|access| access.secret.as_ref());
        access.into_iter().chain(&rules.signs).cloned()
    });
    let spans = [SPANS_TO, SPANS_HEADERS, SPANS_SHARE, SPANS_OF].map(str::to_owned);
    sealed.chain(asked).chain(spans).collect()
}

fn part(product: &Product, reached: &BTreeSet<String>) -> Product {
    let mut part = product.clone();
    part.components.retain(|name, _| reached.contains(name.as_str()));
    let built: BTreeSet<&Name> = part
        .components
        .values()
        .filter_map(|one| one.build.as_ref())
        .collect();
    part.builds.retain(|name, _| built.contains(name));
    part
}

fn unknown(product: &Product, name: &str) -> Problem {
    let here = &product.environment;
    let message = format!("there is no component `{}` in {here}", Shown(name));
    let names = || product.components.keys().map(Name::as_str);
    let hint = match (nearest(name, names()), product.components.len()) {
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
