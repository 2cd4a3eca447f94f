//! The nouns of Towpath: units that people write, the manifest's words, and what is desired.

pub mod unit;
