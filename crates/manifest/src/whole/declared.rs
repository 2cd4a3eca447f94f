//! Declared names: that each stands for one thing, and for none of Towpath's own.

use super::refer::{spoken, with_article};
use std::collections::BTreeMap;
use std::sync::Arc;
use towpath_model::code;
use towpath_model::desired::component::ToNeeded;
use towpath_model::finding::{Finding, Shown, Where};
use towpath_model::spec::{Node, Place, Tree};
use towpath_model::unit::Name;
use towpath_model::word::{Map, Target};

/// Names of components, resources and outside things that would stand for something else on the private network or
/// among what runs, and what that is.
const RESERVED: &[(&str, &str)] = &[
    ("localhost", "the machine itself, for everything that runs on it"),
    ("towpath", "Towpath's own network, folder and database"),
    ("steward", "the daemon that watches over the product"),
    (
        "keeper",
        "the parent of each process, under whose name its logs stand",
    ),
];

/// Names of environments that commands understand as something else.
const RESERVED_ENVIRONMENTS: &[(&str, &str)] = &[
    ("all", "every environment, where a command asks for one"),
    ("none", "no environment, where a command asks for one"),
];

type Seen<'a> = BTreeMap<&'a str, (&'static str, Option<Place>)>;

/// Looks at every name in the root, and at those that environments add.
pub(super) fn check(root: &Tree, layers: &Map<Name, Tree>, findings: &mut Vec<Finding>) {
    let mut seen = Seen::new();
    tree(root, None, &mut seen, findings);
    for layer in layers.values() {
        tree(layer, Some(root), &mut seen, findings);
    }
    for (name, entry) in root
        .get("environment")
        .and_then(|node| node.table())
        .into_iter()
        .flatten()
    {
        reserved(name, entry, "an environment", RESERVED_ENVIRONMENTS, findings);
    }
}

fn tree<'a>(tree: &'a Tree, base: Option<&Tree>, seen: &mut Seen<'a>, findings: &mut Vec<Finding>) {
    for table in ToNeeded::TABLES {
        let Some(entries) = tree.get(table) else { continue };
        let before = base.and_then(|base| base.get(table));
        if before.is_some_and(|before| Arc::ptr_eq(before, entries)) {
            continue;
        }
        for (name, entry) in entries.table().into_iter().flatten() {
            if before.is_some_and(|before| before.get(name).is_some()) {
                continue;
            }
            match seen.get(name.as_str()) {
                None => {
                    seen.insert(name, (table, entry.at));
                    reserved(name, entry, &with_article(&spoken(table)), RESERVED, findings);
                }
                Some((first, place)) if first != table => {
                    twice(name, entry, (first, *place), table, findings)
                }
                Some(_) => {}
            }
        }
    }
}

fn twice(name: &str, entry: &Node, first: (&str, Option<Place>), table: &str, findings: &mut Vec<Finding>) {
    let Some(place) = entry.at else { return };
    let one = with_article(&spoken(first.0));
    let other = with_article(&spoken(table));
    let message = format!("`{}` is {one} and {other}", Shown(name));
    let hint = format!(
        "call this one something else, {} for example: `uses` has to know which of them is meant",
        proposal(name, table)
    );
    let mut finding = Finding::new(&code::NAME_TWICE, Where::Span(place.key), message)
        .label(format!("{other} of the same name"))
        .hint(hint);
    if let Some(place) = first.1 {
        finding = finding.also(Where::Span(place.key), format!("{one} already"));
    }
    findings.push(finding);
}

/// A name beside the one that is taken.
fn proposal(name: &str, table: &str) -> String {
    match table {
        "postgres" => format!("`{}-db`", Shown(name)),
        "redis" => format!("`{}-cache`", Shown(name)),
        "bucket" => format!("`{}-files`", Shown(name)),
        "external" => format!("`{}-api`", Shown(name)),
        other => format!("`{}-{other}`", Shown(name)),
    }
}

fn reserved(name: &str, entry: &Node, what: &str, names: &[(&str, &str)], findings: &mut Vec<Finding>) {
    let (Some((_, stands_for)), Some(place)) = (names.iter().find(|(one, _)| *one == name), entry.at) else {
        return;
    };
    let message = format!("{what} cannot be called `{name}`: that is {stands_for}");
    findings.push(
        Finding::new(&code::RESERVED_NAME, Where::Span(place.key), message)
            .label("taken by Towpath")
            .hint("call it what it does"),
    );
}
