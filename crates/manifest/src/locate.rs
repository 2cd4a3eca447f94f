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
    let first = named.map(|layer| &layer.tree).next().unwrap_or(&reading.root);
    let trees: Vec<&Node> = std::iter::once(first)
        .chain(reading.environments.values().map(|layer| &layer.tree))
        .map(|tree| &**tree)
        .collect();
    let span = |place: &Where| match place {
        Where::Span(span) => *span,
        Where::Key(path) => nearest_place(&trees, path, true),
        Where::Value(path) => nearest_place(&trees, path, false),
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

/// The place of a node in the first tree that has it, or of the nearest one above it that was written.
fn nearest_place(trees: &[&Node], path: &Path, key: bool) -> Span {
    let mut here = Some(path.clone());
    while let Some(path) = here {
        for node in trees.iter().filter_map(|tree| tree.at_path(&path)) {
            if let Some(place) = &node.at {
                return pick(place, key || path.steps().len() < 2 || node.table().is_some());
            }
        }
        here = path.parent();
    }
    Span::default()
}

/// The key of a table is a better place to point at than all of its lines.
fn pick(place: &Place, key: bool) -> Span {
    if key { place.key } else { place.value }
}
