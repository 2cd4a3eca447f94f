//! What was written: a tree of words in which every value knows its place.
//!
//! A [`Node`] is the manifest before it means anything. The checker turns it into its normal form (shorthands
//! spelled out, single values where a list is meant made a list), environments are laid over it by [`merge`],
//! and only then is it read into [`crate::Desired`]. Because a laid-over node keeps the place that it was written
//! at, every later message can point at the line that decided.

mod merge;
mod node;
mod path;

pub use merge::{Difference, differences, merge};
pub use node::{Entries, Kind, Node, Place, Span, Tree};
pub use path::{Path, Step};
