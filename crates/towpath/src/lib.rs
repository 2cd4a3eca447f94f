//! The command line: one file a command, and the doors to the outside.

pub mod checked;
pub mod cli;
mod command;
mod door;
pub mod failure;
pub mod init;
mod render;
mod veil;

pub use command::run;
pub use render::diagnostics as render_diagnostics;
