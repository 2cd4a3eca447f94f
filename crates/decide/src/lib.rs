//! Every decision, as a pure function: no clock, no randomness, no files.

pub mod cost;
mod here;
pub mod launch;
pub mod lint;
pub mod plan;
pub mod review;
