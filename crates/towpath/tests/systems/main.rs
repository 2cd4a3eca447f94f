//! The reference systems: each is started by the real binary, and does what its document says.
#![allow(clippy::disallowed_methods, reason = "the real binary runs real systems")]

mod beside;
mod example;
mod inside;
#[allow(dead_code, reason = "the stories use all of it")]
#[path = "../stories/kit.rs"]
mod kit;
mod phishsentry;
mod probes;
#[path = "../stories/programs.rs"]
mod programs;
mod reflect_coach;
mod reflectpause;
mod synapse;
mod webapp;
