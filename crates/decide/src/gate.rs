//! Gates: questions about a release, and how their answers are reached from what has been counted.

pub mod canary;
pub mod change;
pub mod statistics;
mod words;
