//! Versions: a release names the version of each secret that it is started with, and so does everything in it.
//!
//! Two releases may stand beside each other, and each is given its own values: what one calls `KEY@3` is for the other
//! `KEY@4`. So there is one store of values for all of them, and nobody has to know whose value he looks up.

use std::collections::BTreeMap;
use std::sync::Arc;
use towpath_model::run::{Component, Content, Route, Rules, Value};

/// How a version of a secret is called among the values.
pub fn version_of(name: &str, version: u64) -> String {
    format!("{name}@{version}")
}

/// The same content, in which every secret is called by the version that it names. What it names no version of stays.
pub fn versioned(content: &Content) -> Content {
    let names: BTreeMap<&str, String> = content
        .secrets
        .iter()
        .map(|(name, version)| (name.as_str(), version_of(name, *version)))
        .collect();
    let mut content = content.clone();
    for portion in content.components.values_mut() {
        portion.component = Arc::new(component(&portion.component, &names));
    }
    content
}

type Names<'a> = BTreeMap<&'a str, String>;

fn rename(name: &mut String, names: &Names<'_>) {
    if let Some(version) = names.get(name.as_str()) {
        name.clone_from(version);
    }
}

fn component(component: &Component, names: &Names<'_>) -> Component {
    let mut component = component.clone();
    for variable in component.env.values_mut() {
        value(&mut variable.value, names);
    }
    if let Some(resource) = &mut component.resource {
        rename(&mut Arc::make_mut(resource).password, names);
    }
    if let Some(listens) = &mut component.listens {
        let routes = listens.routes.iter_mut().map(|Route { rules, .. }| rules);
        for rules in routes.chain([&mut listens.rules]) {
            self::rules(rules, names);
        }
    }
    component
}

fn value(value: &mut Value, names: &Names<'_>) {
    match value {
        Value::Sealed(name) => rename(name, names),
        Value::Joined(parts) => parts.iter_mut().for_each(|part| self::value(part, names)),
        Value::Text(_)
        | Value::Port
        | Value::Address { .. }
        | Value::Public(_)
        | Value::Credential { .. } => {}
    }
}

fn rules(rules: &mut Arc<Rules>, names: &Names<'_>) {
    let asks = rules
        .access
        .as_ref()
        .is_some_and(|access| access.secret.is_some());
    if !asks && rules.signs.is_empty() {
        return;
    }
    let rules = Arc::make_mut(rules);
    rules.signs.iter_mut().for_each(|name| rename(name, names));
    if let Some(secret) = rules.access.as_mut().and_then(|access| access.secret.as_mut()) {
        rename(secret, names);
    }
}
