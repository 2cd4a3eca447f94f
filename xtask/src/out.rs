//! The one place from which xtask prints.
#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a command-line tool prints its answer, and only here"
)]

/// Prints a line of the answer.
pub(crate) fn line(text: &str) {
    println!("{text}");
}

/// Prints a line about why there is no good answer.
pub(crate) fn problem(text: &str) {
    eprintln!("{text}");
}
