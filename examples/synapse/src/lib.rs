//! What the programs of Synapse share: settings, logs, a graceful stop, and the few words that they say to each other.
#![allow(
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "these are small programs of their own, which read variables and the clock, and log to where they were started"
)]

pub mod call;
pub mod frame;
pub mod launch;
pub mod log;
pub mod setting;
pub mod token;

/// What a program ends with: nothing, or a sentence that says why.
pub type Outcome<T = ()> = Result<T, String>;
