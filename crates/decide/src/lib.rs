//! Every decision, as a pure function: no clock, no randomness, no files.

pub mod converge;
pub mod cost;
pub mod health;
pub mod job;
pub mod lint;
pub mod plan;
pub mod review;
pub mod tend;
