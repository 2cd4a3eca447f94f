//! Lists that name a thing twice.

use std::collections::BTreeMap;
use towpath_model::code;
use towpath_model::finding::{Finding, Shown, Where};
use towpath_model::spec::{Kind, Node};
use towpath_model::unit::{Ramp, Unit};
use towpath_model::word::Shape;

/// Tells of elements that stand in a list a second time. Free text may repeat itself, as the steps of a runbook do,
/// and so may the steps of a canary.
pub(super) fn check(node: &Node, element: Shape, field: &str, findings: &mut Vec<Finding>) {
    let counts = match element {
        Shape::Refer(_) | Shape::Choice(_) | Shape::Table(_) => true,
        Shape::Unit(unit) => unit.what != Ramp::WHAT,
        _ => false,
    };
    let Some(elements) = node.list().filter(|list| counts && list.len() > 1) else {
        return;
    };
    let mut seen: BTreeMap<String, &Node> = BTreeMap::new();
    for one in elements {
        let (mut key, Some(place)) = (String::new(), one.at) else {
            continue;
        };
        spell(one, &mut key);
        if key.is_empty() {
            continue;
        }
        let Some(first) = seen.get(&key) else {
            seen.insert(key, one);
            continue;
        };
        let name = one
            .scalar()
            .or_else(|| one.get("name").and_then(|name| name.scalar()));
        let message = match &name {
            Some(name) => format!("`{field}` names `{}` twice", Shown(name)),
            None => format!("`{field}` says the same twice"),
        };
        let mut finding = Finding::new(&code::REPEATED, Where::Span(place.value), message)
            .label("again")
            .hint("take one of them out");
        if let Some(place) = first.at {
            finding = finding.also(Where::Span(place.value), "first here");
        }
        findings.push(finding);
    }
}

/// Spells a node out, so that equal ones are spelled alike. What is unreadable is like nothing else.
fn spell(node: &Node, text: &mut String) {
    match &node.kind {
        Kind::Bad => text.clear(),
        Kind::List(list) => {
            text.push('[');
            list.iter().for_each(|one| spell(one, text));
            text.push(']');
        }
        Kind::Table(entries) => {
            let mut entries: Vec<_> = entries.iter().collect();
            entries.sort_by_key(|(name, _)| *name);
            for (name, entry) in entries {
                text.push_str(name);
                text.push('=');
                spell(entry, text);
            }
        }
        Kind::Off => text.push_str("off;"),
        _ => {
            text.push_str(&format!("{:?};", node.scalar().unwrap_or_default()));
        }
    }
}
