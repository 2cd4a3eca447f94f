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
    /// An environment lays it over the root, itself or through another one that is like it.
    Environment {
        /// The environment in which it is written.
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
    // What is said of an environment is looked up with all that it takes from the one that it is like.
    let environment = environment.or_else(|| environment_of(path).map(|(name, _)| name));
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

/// The environment that a path leads into, and the steps in it.
fn environment_of(path: &Path) -> Option<(&str, &[Step])> {
    match path.steps() {
        [Step::Key(table), Step::Key(name), rest @ ..] if table == "environment" => Some((name, rest)),
        _ => None,
    }
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
    let before = at(&reading.root, path).filter(|_| environment_of(path).is_none());
    let Some(place) = laid(value, before.as_ref()).or(value.at) else {
        return Origin::Default;
    };
    let Some((file, line)) = line_of(reading, place) else {
        return Origin::Default;
    };
    match writer(reading, path, place) {
        Some(name) if environment.is_some() && environment_of(path).is_none_or(|(own, _)| own != name) => {
            Origin::Environment { name, file, line }
        }
        _ => Origin::Line { file, line },
    }
}

/// The source of a place, and its line from 1.
fn line_of(reading: &Reading, place: Place) -> Option<(String, usize)> {
    let source = reading.sources.get(usize::from(place.value.source))?;
    let start = usize::try_from(place.key.start).ok()?.min(source.text.len());
    let before = source.text.as_bytes().iter().take(start);
    let line = 1 + before.filter(|byte| **byte == b'\n').count();
    Some((source.name.clone(), line))
}

/// The environment in whose words a place lies.
fn writer(reading: &Reading, path: &Path, place: Place) -> Option<String> {
    let word = match environment_of(path) {
        Some((_, rest)) => rest.iter().cloned().collect(),
        None => path.clone(),
    };
    let holds = |node: &Tree| at(node, &word).is_some_and(|node| stands_in(&node, place));
    let environments = reading.root.get("environment")?.table()?;
    let found = environments.iter().find(|(_, node)| holds(node));
    found.map(|(name, _)| name.clone())
}

/// Whether a place is that of a node or of something in it.
fn stands_in(node: &Tree, place: Place) -> bool {
    node.at == Some(place)
        || node
            .table()
            .is_some_and(|entries| entries.values().any(|node| stands_in(node, place)))
        || node
            .list()
            .is_some_and(|list| list.iter().any(|node| stands_in(node, place)))
}
