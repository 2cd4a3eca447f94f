//! The doors to the disk: the store's own folder, what releases are made of, and the key of this machine.

pub(crate) mod content;
pub(crate) mod folder;
pub(crate) mod key;
