//! The command line: one file a command, and the doors to the outside.

pub mod checked;
pub mod cli;
mod attend;
mod columns;
mod command;
mod door;
pub mod failure;
pub mod init;
mod here;
mod render;
mod talk;
mod tools;
mod veil;
mod view;

pub use command::run;
pub use render::{as_json as render_json, diagnostics as render_diagnostics};
