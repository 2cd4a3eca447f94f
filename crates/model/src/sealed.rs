//! Values that must not be known: they pass through our hands without being shown.

use std::fmt;

/// What stands in the place of a value.
const MARK: &str = "[sealed]";

/// Shorter ones are not looked for in what others say: they stand in every second sentence by chance, guard nothing, and what
/// is left could not be read.
const SHORTEST: usize = 6;

/// A value that is not shown. It has no `Display`, its `Debug` prints `[sealed]`, and it is opened by name only, so that
/// every place that does so can be found.
#[derive(Clone, PartialEq, Eq)]
pub struct Sealed<T>(T);

impl<T> Sealed<T> {
    /// Seals a value.
    pub const fn new(value: T) -> Self {
        Sealed(value)
    }

    /// The value itself, for the one place that hands it on.
    pub const fn open(&self) -> &T {
        &self.0
    }
}

impl<T> fmt::Debug for Sealed<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(MARK)
    }
}

/// A text without these values: what a store, a program or a gate has said may repeat what it was told, and is shown and
/// written down.
pub fn hide<'a>(text: &str, values: impl IntoIterator<Item = &'a Sealed<String>>) -> String {
    let values = values.into_iter().map(|value| value.open().as_str());
    let mut found: Vec<&str> = values
        .filter(|value| value.len() >= SHORTEST && text.contains(value))
        .collect();
    // One may be the beginning of another.
    found.sort_by_key(|value| std::cmp::Reverse(value.len()));
    let without = |text: String, value: &&str| text.replace(*value, MARK);
    found.iter().fold(text.to_owned(), without)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_said_is_told_without_what_is_sealed() {
        let values = ["hunter", "hunter-of-the-snark", "42", ""].map(|value| Sealed::new(value.to_owned()));
        let said = "invalid input \"hunter-of-the-snark\" at 42, where hunter was";
        assert_eq!(
            hide(said, &values),
            "invalid input \"[sealed]\" at 42, where [sealed] was"
        );
    }
}
