//! An artifact: the files that a component of a release runs from, as they were when it was made.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The folder of a component in a release, in place of the folder of the product: the paths of a release begin with it, and
/// mean the same wherever its files are laid out.
pub const ARTIFACT: &str = "@";

/// A folder of files. Its name is the digest of this, so that what is the same is there once.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Tree {
    /// What is in it, by its path from there; folders follow from that.
    pub entries: BTreeMap<String, Entry>,
}

/// Something in a folder.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Entry {
    /// A file.
    File {
        /// The digest of what stands in it, as 64 hexadecimal digits of BLAKE3.
        digest: String,
        /// How long it is.
        bytes: u64,
        /// It can be run.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        runs: bool,
    },
    /// A link to another place in the same folder.
    Link(String),
}

impl Tree {
    /// The digests of all its files.
    pub fn files(&self) -> impl Iterator<Item = (&str, u64)> {
        self.entries.values().filter_map(|entry| match entry {
            Entry::File { digest, bytes, .. } => Some((digest.as_str(), *bytes)),
            Entry::Link(_) => None,
        })
    }
}
