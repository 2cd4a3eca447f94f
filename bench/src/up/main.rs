//! Measures how long running a product takes, beside what else could be used for it.
//!
//! Everything that is compared is measured in turn, round after round, so that a slow moment falls on all of it. What
//! counts is the ratio of two medians of one run, and never a time alone: the machine may be shared.
#![allow(
    clippy::disallowed_methods,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a measurement starts programs, kills them, reads what time and memory they took, and prints what it found"
)]

mod figure;
mod outside;
mod peer;
mod place;
mod sweep;
mod table;
mod visitors;

use figure::Figure;
use place::Place;
use std::process::ExitCode;

/// How often it is gone forward and back among programs that behave badly.
const CYCLES: usize = 1_000;

/// Why something was not measured.
pub(crate) enum Miss {
    /// This machine lacks something.
    Lacks(String),
    /// It was tried, and went wrong.
    Failed(String),
}

impl From<String> for Miss {
    fn from(why: String) -> Self {
        Miss::Failed(why)
    }
}

impl std::fmt::Display for Miss {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Miss::Lacks(why) => write!(f, "left out: {why}"),
            Miss::Failed(why) => write!(f, "FAILED: {why}"),
        }
    }
}

/// What a measurement ends with.
pub(crate) type Outcome = Result<(), Miss>;

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    match words.first().map(String::as_str) {
        Some("--sweep") => return sweep::wait_and_sweep(),
        Some("--help" | "-h") => return usage(),
        _ => {}
    }
    let peers_only = words.iter().any(|word| word == "--peers");
    let cycles = words.iter().find_map(|word| word.strip_prefix("--cycles="));
    let Ok(cycles) = cycles.map_or(Ok(CYCLES), str::parse) else {
        eprintln!("--cycles takes a number");
        return ExitCode::from(2);
    };
    let is_option = |word: &&str| *word == "--peers" || word.starts_with("--cycles=");
    let wanted: Vec<&str> = words
        .iter()
        .map(String::as_str)
        .filter(|word| !is_option(word))
        .collect();
    let known = |word: &&str| Figure::ALL.iter().any(|figure| figure.word == *word);
    if let Some(unknown) = wanted.iter().find(|word| !known(word)) {
        eprintln!("there is no figure `{unknown}`");
        usage();
        return ExitCode::from(2);
    }
    let place = match Place::prepare(peers_only, cycles) {
        Ok(place) => place,
        Err(why) => {
            eprintln!("{why}");
            return ExitCode::from(2);
        }
    };
    println!("{}\n", place.machine());
    let mut failed = 0;
    for figure in Figure::ALL {
        if !wanted.is_empty() && !wanted.contains(&figure.word) {
            continue;
        }
        println!("## {}\n", figure.title);
        if let Err(miss) = (figure.measure)(&place) {
            println!("{miss}");
            failed += usize::from(matches!(miss, Miss::Failed(_)));
        }
        println!("\nagain: target/release/bench-up {}\n", figure.word);
    }
    if failed == 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

fn usage() -> ExitCode {
    println!("bench-up [--peers] [--cycles=N] [FIGURE…]: measures running a product\n");
    for figure in Figure::ALL {
        println!("  {:<10} {}", figure.word, figure.title);
    }
    println!("\n  --peers    only what does not need towpath");
    println!("  --cycles=N how often `cycles` goes forward and back; {CYCLES} unless it is said");
    ExitCode::SUCCESS
}
