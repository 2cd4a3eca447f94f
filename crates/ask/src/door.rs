//! The doors: files, processes and the clock.

pub(crate) mod clock;
pub(crate) mod files;
pub(crate) mod processes;
