//! The command line: one file a command, and the doors to the outside.

pub mod checked;
pub mod cli;
mod command;
mod door;
pub mod failure;
pub mod init;
pub mod launched;
mod render;
mod veil;

pub use command::run;
pub use render::{as_json as render_json, diagnostics as render_diagnostics};
