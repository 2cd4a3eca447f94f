//! The daemon that watches and acts.

pub mod build;
mod door;
pub mod pack;
pub mod watch;
