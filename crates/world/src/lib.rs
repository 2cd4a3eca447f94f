//! The test kit: products in virtual time, with faults.
//!
//! A world has a machine on which instances run, a journal, and a steward that decides with the real decisions. Time is
//! virtual: an hour passes in a millisecond, in the same way each time. Everything that can go wrong is a command of a
//! script: an instance is killed, its keeper is lost, a port is taken, a disk is full, a clock jumps, the steward is killed
//! between any two of its instructions. What must hold whatever happens are the `Laws`, which are looked at all the time.
//!
//! Scripts are text (`script`), read by people, with what they print beside them. A simulation (`simulation`) writes
//! scripts by chance: one that fails is a script that can be kept.

mod agenda;
mod chance;
mod clock;
mod journal;
mod laws;
mod laws_of_rollouts;
mod machine;
mod product;
mod reached;
pub mod script;
mod secrets;
mod shore;
pub mod simulation;
pub mod simulation_of_rollouts;
mod steward;
mod trace;
mod world;

pub use chance::Chance;
pub use clock::Clock;
pub use journal::Journal;
pub use laws::Laws;
pub use machine::{Machine, Temper};
pub use product::Product;
pub use shore::{Shore, Table};
pub use steward::{Steward, Wanted};
pub use trace::Trace;
pub use world::World;
