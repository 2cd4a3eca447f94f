//! Every decision, as a pure function: no clock, no randomness, no files.

pub mod cost;
pub mod lint;
pub mod plan;
pub mod restart;
pub mod review;
