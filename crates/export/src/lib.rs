//! What is desired, as files for other tools.
//!
//! Each tool has a folder of its own. What it writes follows from the manifest alone: the same product gives the same files,
//! to the byte, so that a file that is stale can be told from one that is not. What a tool cannot be told is refused, and
//! never left out silently.

mod github;
mod yaml;

#[cfg(test)]
mod tests;

pub use github::github;

use std::fmt;
use towpath_model::Desired;
use towpath_model::desired::environment::Environment;
use towpath_model::unit::Name;

/// How the first line of each file begins that was written here. What begins otherwise belongs to somebody.
const MARK: &str = "# Written by `towpath export ";

/// A product with all of its environments.
#[derive(Debug, Clone, Copy)]
pub struct Product<'a> {
    /// Where no environment is laid over.
    pub root: &'a Desired,
    /// In each environment.
    pub environments: &'a [(&'a Name, &'a Desired)],
    /// The folder of its manifest, from the one that is exported to; empty where they are the same.
    pub folder: &'a str,
}

impl<'a> Product<'a> {
    /// Every environment with its own table and the product in it.
    fn places(&self) -> impl Iterator<Item = (&'a Name, &'a Environment, &'a Desired)> {
        let root = self.root;
        self.environments.iter().filter_map(move |(name, product)| {
            let own = product.environment.get(*name);
            let own = own.or_else(|| root.environment.get(*name))?;
            Some((*name, own, *product))
        })
    }
}

/// A file for another tool.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct File {
    /// Where it belongs, from the folder that is exported to.
    pub path: String,
    /// All of it.
    pub text: String,
}

/// Something of a manifest that a tool cannot be told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Untold {
    /// What it is, and where it stands.
    pub what: String,
    /// What to do next.
    pub hint: String,
}

impl fmt::Display for Untold {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.what)
    }
}

/// Whether a text was written here, and may be replaced.
pub fn is_ours(text: &str) -> bool {
    text.starts_with(MARK)
}
