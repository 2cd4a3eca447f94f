//! The manifest's words: one definition for each, from which everything else follows.
//!
//! A table of the manifest is declared once, with [`crate::table!`]: its fields with their documentation, types,
//! defaults, and the kinds of component that they belong to. The declaration makes a Rust type, and a description
//! ([`Table`], [`Field`], [`Shape`]) that is walked to check what was written, to fill in defaults, to write the
//! JSON Schema and the reference, to explain a value and to tell two manifests apart. Nothing about a field is said
//! anywhere else.

mod basic;
mod macros;
mod refer;
mod shape;
mod wire;

pub use refer::{Ref, Target};
pub use shape::{Choice, Field, Shape, Table, UnitShape, Word};

use indexmap::IndexMap;

/// Named things in the order in which they were written.
pub type Map<K, V> = IndexMap<K, V>;

/// The documentation of a word as running text.
pub fn prose(about: &str) -> String {
    about
        .lines()
        .map(str::trim)
        .collect::<Vec<_>>()
        .join(" ")
        .trim()
        .to_owned()
}

/// Its first sentence, without the dot.
pub fn summary(about: &str) -> String {
    let text = prose(about);
    match text.find(". ") {
        Some(end) => text[..end].to_owned(),
        None => text.trim_end_matches('.').to_owned(),
    }
}
