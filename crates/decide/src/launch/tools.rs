//! Tools: what has to be on a machine before a product can be built and started, and whether what is there will do.
//!
//! A build says what it needs, with versions. A command says it by its first word, without. What neither says is not
//! guessed at: a script of the product may need anything, and says so itself when it is started.

mod known;
#[cfg(test)]
mod tests;
mod words;

pub use known::{KNOWN, Tool, find};

use std::collections::{BTreeMap, BTreeSet};
use towpath_model::run::{Kind, Product};
use towpath_model::unit::Name;

/// A tool that a product needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Requirement {
    /// The tool, as people call it: `python`.
    pub tool: String,
    /// The version, as far as it is written: `3.12` asks for any 3.12.
    pub version: Option<String>,
    /// What it is called when it is started, and how it is asked and got; nothing for one that we do not know.
    pub known: Option<&'static Tool>,
    /// The components and builds that need it.
    pub wanted_by: BTreeSet<Name>,
    /// How it is known that they do.
    pub why: Why,
}

/// How it is known that a tool is needed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Why {
    /// A build names it in `needs`.
    Named,
    /// A command begins with it.
    Started,
    /// A resource of ours is its work.
    Kept,
}

/// Whether a tool will do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// It is there, in a version that fits.
    Fits,
    /// It is not there.
    Missing,
    /// It is there in another version.
    Other {
        /// The version that was found.
        found: String,
    },
    /// It is there, and does not say its version in a way that we can read.
    Unclear,
}

impl Requirement {
    /// What is started to ask for it: `python3 --version`.
    pub fn question(&self) -> (&str, &'static str) {
        match self.known {
            Some(known) => (known.command, known.version_argument),
            None => (self.tool.as_str(), "--version"),
        }
    }

    /// The packages of Debian that it comes in; empty where it has none, or none that suits.
    pub fn packages(&self) -> &'static [&'static str] {
        self.known.map_or(&[], |known| known.packages)
    }
}

/// Every tool that a product needs, each once for each version, in the order of their names.
pub fn requirements(product: &Product) -> Vec<Requirement> {
    let mut all: BTreeMap<(String, Option<String>), Requirement> = BTreeMap::new();
    let mut add = |tool: &str, version: Option<String>, by: &Name, why: Why| {
        let known = find(tool);
        let tool = known.map_or(tool, |known| known.name).to_owned();
        let entry = all
            .entry((tool.clone(), version.clone()))
            .or_insert_with(|| Requirement {
                tool,
                version,
                known,
                wanted_by: BTreeSet::new(),
                why,
            });
        entry.wanted_by.insert(by.clone());
        entry.why = entry.why.min(why);
    };
    for (name, build) in &product.builds {
        for need in &build.needs {
            let (tool, version) = words::need(need);
            add(&tool, version, name, Why::Named);
        }
        for tool in words::started(&build.command) {
            add(tool, None, name, Why::Started);
        }
    }
    for (name, component) in &product.components {
        match component.kind {
            // Whether the version that is here will do is said by whoever starts it: what is kept may be of another one.
            Kind::Postgres => add("postgres", None, name, Why::Kept),
            Kind::Redis => add("redis", None, name, Why::Kept),
            Kind::Pool => add("pgbouncer", None, name, Why::Kept),
            _ => {}
        }
        for tool in component
            .command
            .iter()
            .flat_map(|command| words::started(command))
        {
            add(tool, None, name, Why::Started);
        }
    }
    merged(all)
}

/// A tool that is needed in some version anyway is not asked for without one, too.
fn merged(mut all: BTreeMap<(String, Option<String>), Requirement>) -> Vec<Requirement> {
    let versioned: BTreeSet<String> = all
        .keys()
        .filter_map(|(tool, version)| version.as_ref().map(|_| tool.clone()))
        .collect();
    for tool in versioned {
        let Some(plain) = all.remove(&(tool.clone(), None)) else {
            continue;
        };
        for ((other, _), requirement) in &mut all {
            if *other == tool {
                requirement.wanted_by.extend(plain.wanted_by.iter().cloned());
            }
        }
    }
    all.into_values().collect()
}

/// Whether what was found will do. `found` is what the tool has answered when it was asked for its version; nothing where
/// it is not there.
pub fn judge(requirement: &Requirement, found: Option<&str>) -> Verdict {
    let Some(said) = found else {
        return Verdict::Missing;
    };
    let Some(wanted) = &requirement.version else {
        return Verdict::Fits;
    };
    match words::version(said) {
        None => Verdict::Unclear,
        Some(found) if words::fits(wanted, &found) => Verdict::Fits,
        Some(found) => Verdict::Other { found },
    }
}
