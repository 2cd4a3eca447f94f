//! What the programs of the web application share: settings, logs, a graceful stop, and what a session is.
#![allow(
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "these are small programs of their own, which read variables and the clock, and log to where they were started"
)]

pub mod call;
pub mod launch;
pub mod log;
pub mod setting;
pub mod token;

/// What a program ends with: nothing, or a sentence that says why.
pub type Outcome<T = ()> = Result<T, String>;
