//! Environments, laid over the root.
//!
//! An environment's table holds its own fields and words of the root. Its own fields come from the environment that
//! it is like, and then from itself; the words of the root are laid over the root in the same order.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use towpath_model::Desired;
use towpath_model::code;
use towpath_model::desired::component::ToComponent;
use towpath_model::desired::environment::Environment;
use towpath_model::finding::{Finding, Where, listed};
use towpath_model::spec::{Entries, Kind, Node, Tree, merge};
use towpath_model::unit::{Name, Unit};
use towpath_model::word::{Map, Shape, Table, Target};

/// Fields that say what an environment is by itself; they are not taken from the one that it is like.
const ITS_OWN: &[&str] = &[
    "about", "on", "after", "like", "data", "domain", "flags", "notes", "freeze", "preview",
];

/// The most environments that are looked at. Each is a whole product, so that many of many would fill the memory.
const MOST_ENVIRONMENTS: usize = 100;

/// The most components that are looked at in all environments together.
const MOST_IN_ALL: usize = 200_000;

/// The product in each environment, in the order in which they were written.
pub(crate) fn layers(root: &Tree, findings: &mut Vec<Finding>) -> Map<Name, Tree> {
    let Some(mut written) = root.get("environment").and_then(|node| node.table().cloned()) else {
        return Map::new();
    };
    let most = most(root);
    if let Some((_, first)) = written.get_index(most) {
        findings.extend(too_many(first, most));
        written.truncate(most);
    }
    let resolved = resolved(&written, findings);
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
            let over = chosen(&base, &Arc::new(split(node).1), Desired::table());
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

/// How many environments are looked at: fewer where each of them holds very many components.
fn most(root: &Tree) -> usize {
    let components: usize = ToComponent::TABLES
        .iter()
        .filter_map(|table| Some(root.get(table)?.table()?.len()))
        .sum();
    MOST_IN_ALL.div_ceil(components.max(1)).min(MOST_ENVIRONMENTS)
}

fn too_many(first: &Node, most: usize) -> Option<Finding> {
    let message = format!("this product has more than {most} environments");
    let message = if most < MOST_ENVIRONMENTS {
        format!("{message}, which is too many for that many components")
    } else {
        message
    };
    let finding = Finding::new(&code::TOO_MANY_ENVIRONMENTS, Where::Span(first.at?.key), message);
    Some(
        finding
            .label("this and all further ones are left out")
            .hint("what comes and goes with a branch is one environment: preview = { expires = \"3d\" }"),
    )
}

/// Every environment with all that it takes from the one that it is like, in the order in which they were written.
fn resolved(written: &Entries, findings: &mut Vec<Finding>) -> Entries {
    let mut done: BTreeMap<&str, Tree> = BTreeMap::new();
    for name in written.keys() {
        let mut way: Vec<&str> = Vec::new();
        let mut passed: BTreeSet<&str> = BTreeSet::new();
        let mut next = Some(name.as_str());
        while let Some(name) = next.filter(|name| !done.contains_key(name) && written.contains_key(*name)) {
            if !passed.insert(name) {
                break;
            }
            way.push(name);
            next = like(written, name);
        }
        let back = next.and_then(|back| way.iter().position(|name| *name == back));
        let circle = back.map(|start| way.split_off(start)).unwrap_or_default();
        findings.extend(in_a_circle(&circle, written));
        // In a circle each says only what it says itself.
        let alone = |name| Some((name, Arc::clone(written.get(name)?)));
        done.extend(circle.into_iter().filter_map(alone));
        for name in way.into_iter().rev() {
            let Some(node) = written.get(name) else { continue };
            let below = like(written, name).and_then(|like| done.get(like));
            let tree = below.map_or_else(|| Arc::clone(node), |below| laid_over(below, node));
            done.insert(name, tree);
        }
    }
    let in_order = |name: &String| Some((name.clone(), Arc::clone(done.get(name.as_str())?)));
    written.keys().filter_map(in_order).collect()
}

/// The environment that one is like.
fn like<'a>(written: &'a Entries, name: &str) -> Option<&'a str> {
    match &written.get(name)?.get("like")?.kind {
        Kind::Text(like) => Some(like),
        _ => None,
    }
}

/// Environments that are like each other in a circle. One that is like itself is told where references are looked at.
fn in_a_circle(circle: &[&str], written: &Entries) -> Option<Finding> {
    const SHOWN: usize = 8;
    let (last, _) = circle.split_last().filter(|(_, rest)| !rest.is_empty())?;
    let at = written.get(*last)?.get("like")?.at?.value;
    let more = if circle.len() > SHOWN {
        format!(" and {} more", circle.len() - SHOWN)
    } else {
        String::new()
    };
    let joint = if more.is_empty() { "and" } else { "," };
    let names = listed(circle.iter().copied().take(SHOWN), joint);
    let message = format!("{names}{more} are like each other in a circle");
    Some(
        Finding::new(&code::LIKE_LOOP, Where::Span(at), message)
            .label("leads back")
            .hint("one of them has to stand on its own: take its `like` out"),
    )
}

/// What an environment says, laid over all that it takes from the one that it is like.
fn laid_over(below: &Tree, node: &Tree) -> Tree {
    let Kind::Table(entries) = &below.kind else {
        return Arc::clone(node);
    };
    let mut taken = entries.clone();
    taken.retain(|field, _| !ITS_OWN.contains(&field.as_str()));
    let below = Arc::new(below.with(Kind::Table(taken)));
    let merged = merge(&below, &chosen(&below, node, Environment::table()));
    Arc::new(Node {
        at: node.at,
        ..Node::clone(&merged)
    })
}

/// What is laid over a table, with the choices in it made: where exactly one of several fields is written, the one
/// that is laid over takes the place of the one below, as a person means it who writes only the new one.
fn chosen(base: &Tree, over: &Tree, table: &'static Table) -> Tree {
    let (Some(below), Some(above)) = (base.table(), over.table()) else {
        return Arc::clone(over);
    };
    if over.fresh {
        return Arc::clone(over);
    }
    let field = |name: &str| {
        let words = table.overlays.then(Desired::table);
        table.field(name).or_else(|| words?.field(name))
    };
    let mut changed = Entries::new();
    for (name, node) in above {
        if let (Some(old), Some(field)) = (below.get(name), field(name)) {
            let inner = chosen_in(old, node, (field.shape)());
            if !Arc::ptr_eq(&inner, node) {
                changed.insert(name.clone(), inner);
            }
        }
    }
    let says = |name: &&str| above.get(*name).filter(|node| node.kind != Kind::Off);
    if let Some(choice) = table.one_of.iter().find_map(says) {
        for name in table.one_of.iter().copied() {
            if below.contains_key(name) && !above.contains_key(name) {
                changed.insert(name.to_owned(), Arc::new(choice.with(Kind::Off)));
            }
        }
    }
    if changed.is_empty() {
        return Arc::clone(over);
    }
    let mut entries = above.clone();
    entries.extend(changed);
    Arc::new(over.with(Kind::Table(entries)))
}

/// The same for whatever may stand in a field; a list replaces the one below as a whole.
fn chosen_in(base: &Tree, over: &Tree, shape: Shape) -> Tree {
    match shape {
        Shape::Table(table) => chosen(base, over, table()),
        Shape::Map(_, value) => {
            let (Some(below), Some(above)) = (base.table(), over.table()) else {
                return Arc::clone(over);
            };
            let mut changed = Entries::new();
            for (name, node) in above {
                let inner = below.get(name).map(|old| chosen_in(old, node, value()));
                if let Some(inner) = inner.filter(|inner| !Arc::ptr_eq(inner, node)) {
                    changed.insert(name.clone(), inner);
                }
            }
            if changed.is_empty() {
                return Arc::clone(over);
            }
            let mut entries = above.clone();
            entries.extend(changed);
            Arc::new(over.with(Kind::Table(entries)))
        }
        _ => Arc::clone(over),
    }
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
    let on: BTreeSet<String> = desired
        .flag
        .keys()
        .filter(|flag| desired.is_on(flag.as_str(), here))
        .map(ToString::to_string)
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
