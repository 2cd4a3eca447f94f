//! Values that must not be known: they pass through our hands without being shown.

use std::fmt;

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
        f.write_str("[sealed]")
    }
}
