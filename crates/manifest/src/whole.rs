//! Whether the whole is complete: what is required is there, and what is referred to exists.

mod declared;
mod refer;
mod repeated;
mod unused;

use crate::normal::Told;
use refer::Names;
pub(crate) use refer::{spoken, with_article};
use std::collections::BTreeSet;
use std::sync::Arc;
use towpath_model::Desired;
use towpath_model::code;
use towpath_model::finding::{Finding, Shown, Where, listed};
use towpath_model::spec::{Kind, Node, Place, Tree};
use towpath_model::unit::Name;
use towpath_model::word::{Field, Map, Shape, Table};

/// Checks the root, and of each environment what it lays over the root.
pub(crate) fn check(root: &Tree, layers: &Map<Name, Tree>, told: &Told, findings: &mut Vec<Finding>) {
    let mut seen = BTreeSet::new();
    let names = Names::of(root, layers, told);
    for tree in std::iter::once(root).chain(layers.values()) {
        let base = if Arc::ptr_eq(tree, root) { None } else { Some(root) };
        let mut found = Vec::new();
        let mut walk = Walk {
            names: &names,
            told,
            findings: &mut found,
        };
        let whole = Here {
            from: tree.at,
            ..Here::default()
        };
        walk.table(tree, base.map(|base| &**base), Desired::table(), whole);
        for finding in found {
            if seen.insert((finding.at.clone(), finding.message.clone())) {
                findings.push(finding);
            }
        }
    }
    declared::check(root, layers, findings);
    unused::check(root, findings);
}

/// Where a walk is.
#[derive(Debug, Clone, Copy, Default)]
struct Here<'a> {
    /// The kind of the table.
    kind: &'a str,
    /// The place of the nearest node above that was written.
    from: Option<Place>,
    /// The name of the nearest thing or field.
    name: &'a str,
    /// The table of the root, and the thing in it, that it is a part of.
    owner: (&'a str, &'a str),
    /// How many tables lie above.
    depth: usize,
}

struct Walk<'a> {
    names: &'a Names<'a>,
    told: &'a Told,
    findings: &'a mut Vec<Finding>,
}

impl Walk<'_> {
    /// `base` is the same table in the root: what is the same there has been checked.
    fn table(&mut self, node: &Node, base: Option<&Node>, table: &'static Table, here: Here<'_>) {
        let Some(entries) = node.table() else { return };
        let at = node.at.or(here.from);
        self.required(node, table, at, here);
        for (key, value) in entries {
            let Some(field) = table.field(key) else { continue };
            let before = base.and_then(|base| base.get(key));
            if before.is_some_and(|before| Arc::ptr_eq(before, value)) {
                continue;
            }
            let below = Here {
                kind: if field.kind.is_empty() {
                    here.kind
                } else {
                    field.kind
                },
                from: value.at.or(at),
                name: key,
                owner: if here.depth == 0 { (key, "") } else { here.owner },
                depth: here.depth + 1,
            };
            self.value(value, before.map(|before| &**before), (field.shape)(), below);
        }
    }

    fn value(&mut self, node: &Node, base: Option<&Node>, shape: Shape, here: Here<'_>) {
        match shape {
            Shape::List(element) => {
                repeated::check(node, element(), here.name, self.findings);
                for one in node.list().into_iter().flatten() {
                    let below = Here {
                        from: one.at.or(here.from),
                        ..here
                    };
                    self.value(one, None, element(), below);
                }
            }
            Shape::Map(_, entry) => {
                for (key, value) in node.table().into_iter().flatten() {
                    let before = base.and_then(|base| base.get(key));
                    if before.is_some_and(|before| Arc::ptr_eq(before, value)) {
                        continue;
                    }
                    let below = Here {
                        from: value.at.or(here.from),
                        name: key,
                        owner: if here.depth == 1 {
                            (here.owner.0, key)
                        } else {
                            here.owner
                        },
                        ..here
                    };
                    self.value(value, before.map(|before| &**before), entry(), below);
                }
            }
            Shape::Table(table) => self.table(node, base, table(), here),
            Shape::Refer(tables) => self
                .findings
                .extend(self.names.reference(node, tables, here.name, here.owner)),
            Shape::Text => self.findings.extend(self.names.taken(node, here.owner)),
            Shape::Bool | Shape::Integer { .. } | Shape::Unit(_) | Shape::Choice(_) => {}
        }
    }

    fn required(&mut self, node: &Node, table: &'static Table, at: Option<Place>, here: Here<'_>) {
        let key = at.map(|place| place.key).unwrap_or_default();
        let place = Where::Span(key);
        let told = self.told;
        let meant = |field: &'static str| told.meant.contains(&(key, field));
        for field in table.fields_on(here.kind).filter(|field| field.required) {
            if says(node, field.name) || meant(field.name) {
                continue;
            }
            self.findings.push(
                Finding::new(
                    &code::MISSING_WORD,
                    place.clone(),
                    format!("{} has no `{}`", whose(here), field.name),
                )
                .label(format!("`{}` is missing", field.name))
                .hint(proposal(field)),
            );
        }
        if table.one_of.is_empty() || table.one_of.iter().any(|one| meant(one)) {
            return;
        }
        let written: Vec<&str> = table
            .one_of
            .iter()
            .copied()
            .filter(|one| says(node, one))
            .collect();
        if written.len() != 1 {
            self.findings
                .push(one_of(node, table, &written, place, &whose(here)));
        }
    }
}

/// Whether a table says something in a field. A list with nothing in it says no more than none.
fn says(table: &Node, field: &str) -> bool {
    table.get(field).is_some_and(|node| match &node.kind {
        Kind::List(list) => !list.is_empty(),
        kind => *kind != Kind::Off,
    })
}

/// Whose field it is, for a message: `the registry ghcr`, `queue of the service web`.
fn whose(here: Here<'_>) -> String {
    let (table, thing) = here.owner;
    let owner = match thing {
        "" => "the manifest".to_owned(),
        thing => format!("the {} `{}`", spoken(table), Shown(thing)),
    };
    if here.depth < 2 && here.name.is_empty() || thing == here.name {
        owner
    } else if thing.is_empty() {
        format!("`{}`", Shown(here.name))
    } else {
        format!("`{}` of {owner}", Shown(here.name))
    }
}

/// None or several of the fields of which exactly one is written.
fn one_of(node: &Node, table: &Table, written: &[&str], place: Where, whose: &str) -> Finding {
    if written.is_empty() {
        let all = listed(table.one_of.iter().copied(), "or");
        let message = format!("{whose} does not say what it is");
        return Finding::new(&code::ONE_OF, place, message)
            .label("one field is missing")
            .hint(format!("write exactly one of {all}"));
    }
    let both = listed(written.iter().copied(), "and");
    let message = format!("{whose} has {both}, but can be only one of them");
    let mut places = written
        .iter()
        .filter_map(|one| node.get(one)?.at)
        .map(|place| Where::Span(place.key));
    let mut finding = Finding::new(&code::ONE_OF, places.next().unwrap_or(place), message)
        .label("this")
        .hint("keep one of them, and give what the others do a name of its own");
    for other in places {
        finding = finding.also(other, "or this");
    }
    finding
}

/// How a missing field would be written.
fn proposal(field: &Field) -> String {
    let about = field
        .about
        .trim()
        .lines()
        .next()
        .unwrap_or_default()
        .trim_end_matches('.');
    let example = match (field.shape)() {
        Shape::Integer { .. } | Shape::Bool => field.example.to_owned(),
        _ if field.example.starts_with(['{', '[']) => field.example.to_owned(),
        Shape::List(_) if field.example.is_empty() => "[\"..\"]".to_owned(),
        _ => format!("\"{}\"", field.example),
    };
    format!(
        "add it, for example {} = {example}: {}",
        field.name,
        lower_first(about)
    )
}

fn lower_first(text: &str) -> String {
    let mut letters = text.chars();
    match letters.next() {
        Some(first) => first.to_lowercase().chain(letters).collect(),
        None => String::new(),
    }
}
