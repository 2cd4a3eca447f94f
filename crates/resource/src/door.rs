//! The doors: folders and their locks, programs, and who we are.

pub(crate) mod clock;
pub(crate) mod commands;
pub(crate) mod files;
pub(crate) mod person;
pub(crate) mod processes;
