//! What the programs of this product share: how people are made unrecognizable, what is harsh, and how programs begin and end.
#![allow(
    clippy::disallowed_methods,
    reason = "these are small programs of their own, which read variables, files and the clock"
)]

pub mod beat;
pub mod call;
pub mod citizen;
pub mod person;
