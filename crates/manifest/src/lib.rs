//! Text to what is desired, with diagnostics that point at the place.
//!
//! [`read`] goes through the stages of a manifest, and goes on as far as it can, so that one run tells all that is
//! wrong: *parse* (TOML to a tree with places), *include* (further files join the tree), *normal* (each node checked
//! against the shape of its field, shorthands spelled out), *layer* (each environment laid over the root), *whole*
//! (what is required is there, what is referred to exists), and last the typed [`Desired`] for the root and for each
//! environment. What cannot be read is marked and left out, and nothing more is said about it.

mod explain;
mod include;
mod layer;
mod locate;
mod normal;
mod parse;
mod print;
mod reference;
mod schema;
mod source;
mod whole;

pub use explain::{Explained, Origin, explain_path};
pub use locate::{Diagnostic, locate, place};
pub use print::{print, print_value};
pub use reference::reference;
pub use schema::schema;
pub use source::{Source, Sources, Unread};
pub use towpath_model::near::nearest;

use std::sync::Arc;
use towpath_model::finding::Finding;
use towpath_model::spec::{Kind, Node, Tree};
use towpath_model::unit::Name;
use towpath_model::word::{Map, Word};
use towpath_model::{Desired, code};

/// What came of reading a manifest.
#[derive(Debug)]
pub struct Reading {
    /// The texts that were read, the first one the manifest itself.
    pub sources: Vec<Source>,
    /// What was written, in its normal form.
    pub root: Tree,
    /// What it means where no environment is laid over; `None` where it could not be read at all.
    pub desired: Option<Desired>,
    /// What it means in each environment.
    pub environments: Map<Name, Layered>,
    /// What is wrong with it.
    pub findings: Vec<Finding>,
}

/// The product in one environment.
#[derive(Debug)]
pub struct Layered {
    /// What was written, the environment laid over the root.
    pub tree: Tree,
    /// What it means; only what is present there.
    pub desired: Desired,
}

/// Reads the manifest of that name, and whatever it includes, from the sources.
pub fn read(name: &str, sources: &dyn Sources) -> Reading {
    let mut findings = Vec::new();
    let mut texts = Vec::new();
    let written = include::gather(name, sources, &mut texts, &mut findings);
    let Some(written) = written else {
        let root = Arc::new(Node::new(Kind::Bad));
        return Reading {
            sources: texts,
            root,
            desired: None,
            environments: Map::new(),
            findings,
        };
    };
    let (root, told) = normal::normalize(&written, &mut findings);
    // The normal form stands for it from here on; in a large product its room is used again at once.
    drop(written);
    let layers = layer::layers(&root, &mut findings);
    whole::check(&root, &layers, &told, &mut findings);
    let root = layer::with_product(root);
    let desired = Desired::read(&root, "");
    let environments = layers
        .into_iter()
        .filter_map(|(name, tree)| {
            let tree = layer::with_product(tree);
            let desired = layer::present(Desired::read(&tree, "")?, &name);
            Some((name, Layered { tree, desired }))
        })
        .collect();
    settle(&mut findings);
    Reading {
        sources: texts,
        root,
        desired,
        environments,
        findings,
    }
}

/// Brings findings into the order of the text, each of them once. What seems to be missing may stand where nothing
/// could be read, so that nothing is said about it then.
fn settle(findings: &mut Vec<Finding>) {
    const UNREAD: &[&str] = &[
        "TP0001", "TP0002", "TP0003", "TP0004", "TP0006", "TP0007", "TP0008", "TP0010", "TP0011",
    ];
    const MISSING: &[&str] = &["TP0104", "TP0107", "TP0201", "TP0204", "TP0209"];
    if findings.iter().any(|finding| UNREAD.contains(&finding.code.id)) {
        findings.retain(|finding| !MISSING.contains(&finding.code.id));
    }
    findings.sort_by(|one, other| {
        (&one.at, one.code.id, &one.message).cmp(&(&other.at, other.code.id, &other.message))
    });
    findings.dedup();
}

impl Reading {
    /// Whether anything in it is an error.
    pub fn has_errors(&self) -> bool {
        self.findings
            .iter()
            .any(|finding| finding.code.gravity == code::Gravity::Error)
    }
}
