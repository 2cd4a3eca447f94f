//! Findings, at their place in the text.

use crate::Reading;
use towpath_model::code::Code;
use towpath_model::finding::{Finding, Where};
use towpath_model::spec::{Node, Path, Place, Span};
use towpath_model::unit::Name;

/// A finding with its places in the sources.
#[derive(Debug, Clone, PartialEq)]
pub struct Diagnostic {
    /// The rule.
    pub code: &'static Code,
    /// What is wrong.
    pub message: String,
    /// Where.
    pub span: Span,
    /// What stands under the underlined place.
    pub label: String,
    /// What to do next.
    pub hint: Option<String>,
    /// Further places that matter, and why.
    pub also: Vec<(Span, String)>,
    /// The environments in which it is so; empty where it is so in all of them.
    pub environments: Vec<Name>,
    /// What stands there is secret: wherever its line is shown, it is left out.
    pub sealed: bool,
}

/// Finds the places of a finding.
pub fn locate(reading: &Reading, finding: &Finding) -> Diagnostic {
    // The tree in which it is so comes first; where it is so in all, what one environment alone says still has a place.
    let named = finding
        .environments
        .iter()
        .filter_map(|name| reading.environments.get(name.as_str()));
    let named = named.map(|layer| &*layer.tree).next();
    let layers: Vec<&Node> = reading.environments.values().map(|layer| &*layer.tree).collect();
    let place_of = |path: &Path, key: bool| {
        let root = &*reading.root;
        // What every environment says otherwise holds nowhere as the root says it: the first of them has the place.
        let first = named.unwrap_or_else(|| match layers.first() {
            Some(layer) if said_nowhere(root, &layers, path) => layer,
            _ => root,
        });
        let trees = std::iter::once(first).chain(layers.iter().copied());
        nearest_place(trees, path, key)
    };
    let span = |place: &Where| match place {
        Where::Span(span) => *span,
        Where::Key(path) => place_of(path, true),
        Where::Value(path) => place_of(path, false),
    };
    Diagnostic {
        code: finding.code,
        message: finding.message.clone(),
        span: span(&finding.at),
        label: finding.label.clone(),
        hint: finding.hint.clone(),
        also: finding
            .also
            .iter()
            .map(|(place, why)| (span(place), why.clone()))
            .collect(),
        environments: finding.environments.clone(),
        sealed: finding.sealed,
    }
}

/// Where something of the product in an environment was written: the key of a table, the value of anything else, or the
/// nearest node above it that was written.
pub fn place(reading: &Reading, environment: &Name, path: &Path) -> Span {
    let layer = reading.environments.get(environment.as_str());
    let trees = layer
        .map(|layer| &*layer.tree)
        .into_iter()
        .chain([&*reading.root]);
    nearest_place(trees, path, false)
}

/// The place of a node in the first tree that has it, or of the nearest one above it that was written.
fn nearest_place<'a>(trees: impl Iterator<Item = &'a Node> + Clone, path: &Path, key: bool) -> Span {
    let mut here = Some(path.clone());
    while let Some(path) = here {
        for node in trees.clone().filter_map(|tree| tree.at_path(&path)) {
            if let Some(place) = &node.at {
                return pick(place, key || path.steps().len() < 2 || node.table().is_some());
            }
        }
        here = path.parent();
    }
    Span::default()
}

/// Whether the root says something at a path that no environment leaves as it is.
fn said_nowhere(root: &Node, layers: &[&Node], path: &Path) -> bool {
    let Some(said) = root.at_path(path) else {
        return false;
    };
    layers
        .iter()
        .all(|layer| layer.at_path(path).is_none_or(|node| node.at != said.at))
}

/// The key of a table is a better place to point at than all of its lines.
fn pick(place: &Place, key: bool) -> Span {
    if key { place.key } else { place.value }
}
