//! The doors: the clock, files, and processes.

pub(crate) mod clock;
pub(crate) mod files;
pub(crate) mod processes;
