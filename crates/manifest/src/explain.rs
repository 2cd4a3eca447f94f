//! What a word means, and what its value is here and where that came from.

use crate::Reading;
use std::sync::Arc;
use towpath_model::Desired;
use towpath_model::spec::{Node, Path, Place, Step, Tree};
use towpath_model::word::{Field, Shape, Table};

/// Where a value came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// Nothing is written, and there is no default.
    Nothing,
    /// Nothing is written, and the default holds.
    Default,
    /// It was written there.
    Line {
        /// The source.
        file: String,
        /// The line, from 1.
        line: usize,
    },
    /// An environment lays it over the root.
    Environment {
        /// The environment.
        name: String,
        /// The source.
        file: String,
        /// The line, from 1.
        line: usize,
    },
}

/// What is known about a path.
#[derive(Debug)]
pub struct Explained {
    /// The path.
    pub path: Path,
    /// The kind of the table that it lies in.
    pub kind: String,
    /// The field, unless the path is a named thing or the root.
    pub field: Option<&'static Field>,
    /// What may stand there.
    pub shape: Shape,
    /// The default.
    pub default: Option<Node>,
    /// The value here.
    pub value: Option<Tree>,
    /// Where that came from.
    pub origin: Origin,
}

/// Explains a path, in an environment or without one. `Err` holds the part of the path that is right, and the names
/// that may follow it.
pub fn explain_path(
    reading: &Reading,
    path: &Path,
    environment: Option<&str>,
) -> Result<Explained, (Path, Vec<String>)> {
    let mut way = Path::root();
    let mut shape = Shape::Table(Desired::table);
    let mut field: Option<&'static Field> = None;
    let mut kind = String::new();
    let mut holder = String::new();
    for step in path.steps() {
        let known = |names: Vec<String>| (way.clone(), names);
        match (step, shape) {
            (Step::Key(name), Shape::Table(table)) => {
                let table = table();
                let found = table.field(name).ok_or_else(|| known(names_of(table, &kind)))?;
                holder = kind.clone();
                if !found.kind.is_empty() {
                    kind = found.kind.to_owned();
                }
                shape = (found.shape)();
                field = Some(found);
            }
            (Step::Key(_), Shape::Map(_, value)) => {
                shape = value();
                field = None;
            }
            (Step::Nth(_), Shape::List(element)) => {
                shape = element();
                field = None;
            }
            // `uses.0` is how other tools write `uses[0]`.
            (Step::Key(name), Shape::List(element)) if let Ok(index) = name.parse() => {
                shape = element();
                field = None;
                way = way.nth(index);
                continue;
            }
            _ => return Err(known(Vec::new())),
        }
        way = match step {
            Step::Key(name) => way.key(name),
            Step::Nth(index) => way.nth(*index),
        };
    }
    let path = &way;
    let layer = environment.and_then(|name| reading.environments.get(name));
    let tree = layer.map_or(&reading.root, |layer| &layer.tree);
    let value = at(tree, path);
    let default = field.and_then(|field| (field.default)(&holder));
    let origin = origin(reading, path, value.as_ref(), default.is_some(), environment);
    Ok(Explained {
        path: path.clone(),
        kind,
        field,
        shape,
        default,
        value,
        origin,
    })
}

fn names_of(table: &Table, kind: &str) -> Vec<String> {
    table.fields_on(kind).map(|field| field.name.to_owned()).collect()
}

fn at(tree: &Tree, path: &Path) -> Option<Tree> {
    let mut node = tree.clone();
    for step in path.steps() {
        let next = match step {
            Step::Key(name) => node.get(name)?.clone(),
            Step::Nth(index) => node.list()?.get(*index)?.clone(),
        };
        node = next;
    }
    Some(node)
}

/// Where the first part of a value that is not the same in the root was written.
fn laid(value: &Tree, before: Option<&Tree>) -> Option<Place> {
    let before = before?;
    if Arc::ptr_eq(value, before) {
        return None;
    }
    let (Some(entries), Some(known)) = (value.table(), before.table()) else {
        return value.at.filter(|_| value.at != before.at);
    };
    entries.iter().find_map(|(name, entry)| match known.get(name) {
        Some(before) => laid(entry, Some(before)),
        None => entry.at,
    })
}

fn origin(
    reading: &Reading,
    path: &Path,
    value: Option<&Tree>,
    defaulted: bool,
    environment: Option<&str>,
) -> Origin {
    let Some(value) = value else {
        return if defaulted {
            Origin::Default
        } else {
            Origin::Nothing
        };
    };
    let before = at(&reading.root, path);
    let Some(place) = laid(value, before.as_ref()).or(value.at) else {
        return Origin::Default;
    };
    let Some(source) = reading.sources.get(usize::from(place.value.source)) else {
        return Origin::Default;
    };
    let start = usize::try_from(place.key.start)
        .unwrap_or(usize::MAX)
        .min(source.text.len());
    let line = 1 + source
        .text
        .as_bytes()
        .iter()
        .take(start)
        .filter(|byte| **byte == b'\n')
        .count();
    let file = source.name.clone();
    let root = before.and_then(|node| node.at);
    match environment {
        Some(name) if root != Some(place) => Origin::Environment {
            name: name.to_owned(),
            file,
            line,
        },
        _ => Origin::Line { file, line },
    }
}
