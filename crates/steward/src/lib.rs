//! The daemon that watches and acts.
//!
//! One task keeps what is known (`core`), learns facts, asks the pure decisions what to do, writes down what it is about
//! to do, and lets it be done; everything that takes time happens beside it and comes back as a fact. Nobody else changes
//! anything, so there is nothing to lock, and whatever happens has one order, which is the journal's.

mod act;
mod addresses;
#[cfg_attr(not(test), allow(dead_code, reason = "gates are asked with it"))]
mod aim;
mod artifacts;
mod ask;
mod attic;
pub mod build;
mod close;
mod core;
mod course;
mod credentials;
mod door;
mod dress;
mod errors;
mod face;
mod fill;
mod front;
mod gates;
pub mod gather;
mod idle;
mod keep;
mod lately;
mod listens;
mod make;
pub mod pack;
pub mod people;
mod probe;
mod secrets;
mod serve;
mod sign_out;
mod sleep;
mod start;
mod tell;
pub mod watch;

pub use door::memory::Handed;
pub use door::processes::EDGE;
pub use dress::{RESOURCE, RESOURCE_FOLDER, RESOURCE_MAKING, RESOURCES};
pub use errors::{StewardError, told};
pub use listens::{Unreached, can_listen};
pub use start::{Config, REQUESTS, edge_is_there, logs, now, observe, serve_edge, serve_processes};
pub use towpath_edge::apart::End as EdgeEnd;
pub use towpath_store::{Keys, Locked, is_locked, unlock};
