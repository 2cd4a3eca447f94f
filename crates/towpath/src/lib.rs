//! The command line: one file a command, and the doors to the outside.

mod asking;
mod attend;
mod awaited;
mod building;
pub mod checked;
pub mod cli;
mod columns;
mod command;
mod door;
mod error_page;
pub mod failure;
mod following;
mod here;
mod identity;
pub mod init;
pub mod launched;
mod observed;
mod provided;
mod releasing;
mod render;
mod talk;
mod tools;
mod veil;
mod view;

pub use command::run;
pub use door::processes::STEWARD;
pub use render::{as_json as render_json, diagnostics as render_diagnostics};
pub use towpath_steward::EDGE;
