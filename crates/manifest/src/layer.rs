//! Environments, laid over the root.
//!
//! An environment's table holds its own fields and words of the root. Its own fields come from the environment that
//! it is like, and then from itself; the words of the root are laid over the root in the same order.

use std::collections::BTreeSet;
use std::sync::Arc;
use towpath_model::Desired;
use towpath_model::code;
use towpath_model::desired::environment::Environment;
use towpath_model::finding::{Finding, Where};
use towpath_model::spec::{Entries, Kind, Node, Tree, merge};
use towpath_model::unit::{Name, Unit};
use towpath_model::word::Map;

/// Fields that say what an environment is by itself; they are not taken from the one that it is like.
const ITS_OWN: &[&str] = &[
    "about", "on", "after", "like", "data", "domain", "flags", "notes", "freeze", "preview",
];

/// The product in each environment, in the order in which they were written.
pub(crate) fn layers(root: &Tree, findings: &mut Vec<Finding>) -> Map<Name, Tree> {
    let Some(written) = root.get("environment").and_then(|node| node.table().cloned()) else {
        return Map::new();
    };
    let resolved: Entries = written
        .keys()
        .filter_map(|name| Some((name.clone(), resolve(name, &written, &mut Vec::new(), findings)?)))
        .collect();
    let mut own = Entries::new();
    for (name, node) in &resolved {
        own.insert(name.clone(), Arc::new(split(node).0));
    }
    let settings = environments(root, own);
    let base = match &root.kind {
        Kind::Table(entries) => {
            let mut entries = entries.clone();
            entries.insert("environment".to_owned(), settings);
            Arc::new(root.with(Kind::Table(entries)))
        }
        _ => Arc::clone(root),
    };
    resolved
        .iter()
        .filter_map(|(name, node)| {
            let over = Arc::new(split(node).1);
            Some((Name::parse(name).ok()?, merge(&base, &over)))
        })
        .collect()
}

/// The table of environments with only their own fields.
fn environments(root: &Tree, own: Entries) -> Tree {
    let kind = Kind::Table(own);
    match root.get("environment") {
        Some(node) => Arc::new(node.with(kind)),
        None => Arc::new(Node::new(kind)),
    }
}

/// An environment with all that it takes from the one that it is like.
fn resolve(name: &str, all: &Entries, way: &mut Vec<String>, findings: &mut Vec<Finding>) -> Option<Tree> {
    let node = all.get(name)?;
    let Some(like) = node.get("like").and_then(|like| like.scalar()) else {
        return Some(Arc::clone(node));
    };
    way.push(name.to_owned());
    if way.contains(&like) {
        // Each circle is told once: from the environment that comes first in it.
        if way.first() == way.iter().min() && way.first() == Some(&like) {
            let at = node
                .get("like")
                .and_then(|like| like.at)
                .map(|place| place.value)
                .unwrap_or_default();
            let message = format!("{}, {like} are like each other in a circle", way.join(", "));
            findings.push(
                Finding::new(&code::LIKE_LOOP, Where::Span(at), message)
                    .label("leads back")
                    .hint("one of them has to stand on its own"),
            );
        }
        way.pop();
        return Some(Arc::clone(node));
    }
    let below = all.get(&like).and_then(|_| resolve(&like, all, way, findings));
    way.pop();
    let Some(below) = below else {
        return Some(Arc::clone(node));
    };
    let Kind::Table(entries) = &below.kind else {
        return Some(Arc::clone(node));
    };
    let mut taken = entries.clone();
    taken.retain(|field, _| !ITS_OWN.contains(&field.as_str()));
    Some(merge(&Arc::new(below.with(Kind::Table(taken))), node)).map(|tree| {
        Arc::new(Node {
            at: node.at,
            ..Node::clone(&tree)
        })
    })
}

/// An environment's own fields, and the words of the root in it.
fn split(node: &Node) -> (Node, Node) {
    let mut own = Entries::new();
    let mut over = Entries::new();
    for (field, value) in node.table().into_iter().flatten() {
        let side = if Environment::table().field(field).is_some() {
            &mut own
        } else {
            &mut over
        };
        side.insert(field.clone(), Arc::clone(value));
    }
    (node.with(Kind::Table(own)), Node::new(Kind::Table(over)))
}

/// The tree with a name for the product, so that a manifest that forgot it can be read for everything else.
pub(crate) fn with_product(tree: Tree) -> Tree {
    match &tree.kind {
        Kind::Table(entries)
            if !entries
                .get("product")
                .is_some_and(|node| matches!(node.kind, Kind::Text(_))) =>
        {
            let mut entries = entries.clone();
            entries.insert("product".to_owned(), Arc::new(Node::text("unnamed")));
            Arc::new(tree.with(Kind::Table(entries)))
        }
        _ => tree,
    }
}

/// What is present in an environment: components that are not meant for others, and whose flag is on; variables
/// that are not meant for others.
pub(crate) fn present(mut desired: Desired, environment: &Name) -> Desired {
    let here = environment.as_str();
    let set = desired
        .environment
        .get(here)
        .map(|own| own.flags.clone())
        .unwrap_or_default();
    let on: BTreeSet<String> = desired
        .flag
        .iter()
        .filter(|(name, flag)| {
            let named = set.get(name.as_str()).or_else(|| flag.env.get(here));
            named.copied().unwrap_or(flag.default)
        })
        .map(|(name, _)| name.to_string())
        .collect();
    for kind in towpath_model::desired::component::ComponentKind::ALL {
        let components = desired.components_of_mut(*kind);
        components.retain(|_, component| {
            let meant = component.only.is_empty() || component.only.iter().any(|only| only.as_str() == here);
            let switched = component
                .when
                .as_ref()
                .is_none_or(|flag| on.contains(flag.as_str()));
            meant && switched
        });
        for component in components.values_mut() {
            component.env.retain(|_, variable| {
                variable.only.is_empty() || variable.only.iter().any(|only| only.as_str() == here)
            });
        }
    }
    desired
}
