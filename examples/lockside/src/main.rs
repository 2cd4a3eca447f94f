//! The programs of Lockside, in one binary: the first word says which one.
#![allow(
    clippy::disallowed_methods,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "these are small programs of their own, which read files, clocks and variables, and log to where they were started"
)]

mod airwaves;
mod call;
mod canal;
mod clock;
mod flight;
mod form;
mod http;
mod launch;
mod logbook;
mod radio;
mod record;
mod setting;
mod snapshot;
mod toll;
mod windlass;

use std::process::ExitCode;

/// What a program ends with: nothing, or a sentence that says why.
type Outcome = Result<(), String>;

/// A program and the word that calls it.
type Program = (&'static str, fn() -> Outcome);

const PROGRAMS: &[Program] = &[
    ("canal", canal::serve),
    ("windlass", windlass::work),
    ("radio", radio::listen),
    ("radio-health", radio::health),
    ("airwaves", airwaves::serve),
    ("toll", toll::serve),
    ("logbook", logbook::write),
    ("launch", launch::launch),
];

fn main() -> ExitCode {
    let word = std::env::args().nth(1).unwrap_or_default();
    let Some((_, program)) = PROGRAMS.iter().find(|(name, _)| *name == word) else {
        let names: Vec<&str> = PROGRAMS.iter().map(|(name, _)| *name).collect();
        eprintln!("there is no program `{word}`\n  one of: {}", names.join(", "));
        return ExitCode::from(2);
    };
    match program() {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            eprintln!("{word}: {why}");
            ExitCode::FAILURE
        }
    }
}
