//! What the programs of this product share: the model, how they call each other, and how they begin, log and end.
#![allow(
    clippy::disallowed_methods,
    reason = "these are small programs of their own, which read variables, files and the clock"
)]

pub mod call;
pub mod citizen;
pub mod model;
