//! The doors to the outside: files of a machine's folder, chance, and the clock.

pub(crate) mod clock;
pub(crate) mod disk;
