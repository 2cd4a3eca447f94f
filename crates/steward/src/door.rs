//! The doors: what the steward reads and writes, starts, and asks the time of.

pub(crate) mod clock;
pub(crate) mod files;
pub(crate) mod listeners;
pub(crate) mod memory;
pub(crate) mod notices;
pub(crate) mod processes;
pub(crate) mod sockets;
