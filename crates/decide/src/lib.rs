//! Every decision, as a pure function: no clock, no randomness, no files.

pub mod calls;
pub mod certificate;
pub mod converge;
pub mod cost;
pub mod credential;
pub mod gate;
pub mod headers;
pub mod health;
mod here;
pub mod hours;
pub mod job;
pub mod launch;
pub mod lint;
pub mod maintenance;
pub mod moving;
pub mod plan;
pub mod restart;
pub mod review;
pub mod rollout;
pub mod scale;
pub mod tend;
pub mod trust;
