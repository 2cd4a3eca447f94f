//! Units as people write them: durations, sizes, shares, money, rates, schedules, comparisons.

use std::fmt;

/// A value that people write as one short piece of text.
///
/// The canonical text (`Display`) parses back to the same value.
pub trait Unit: Sized + Clone + PartialEq + fmt::Debug + fmt::Display {
    /// What it is, with its article: `a duration`.
    const WHAT: &'static str;
    /// Texts that parse, the plainest first.
    const EXAMPLES: &'static [&'static str];
    /// Reads the text.
    fn parse(text: &str) -> Result<Self, Misread>;
}

/// Why a text is not a value of the unit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Misread {
    /// What is wrong, to stand behind the unit's name: ``has no unit``.
    pub because: String,
    /// The text that was probably meant, to be offered as the fix.
    pub meant: Option<String>,
}
