//! The doors to the disk: the store's own folder, and what releases are made of.

pub(crate) mod content;
pub(crate) mod folder;
