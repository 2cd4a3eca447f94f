//! Measures our edge beside other reverse proxies, all in turn, and each within the same part of a processor.
//!
//! The generator of load is busy before a good proxy is. So each proxy has less than half of a core, and what counts is the
//! processor time that the scheduler has counted for it, divided by the requests that were answered: neighbours on the
//! machine move throughput by half, and this hardly.
#![allow(
    clippy::disallowed_methods,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a measurement starts programs, limits and kills them, reads what they took, and prints what it found"
)]

mod clock;
mod group;
mod handshake;
mod http_two;
mod open_loop;
mod pair;
mod peer;
mod place;
mod row;
mod serve;
mod upstream;
mod visitor;
mod wrk;

use place::Place;
use row::Row;
use std::process::ExitCode;
use towpath_keeper::Memory;

/// As in the program that is measured here.
#[global_allocator]
static MEMORY: Memory = Memory;

/// The part of a core that each proxy has: with two of them, load and upstream have four times as much.
const QUOTA: f64 = 0.4;

const ROUNDS: usize = 9;

/// Threads of our edge, as the others have one worker.
const THREADS: usize = 1;

fn main() -> ExitCode {
    place::many_descriptors();
    let words: Vec<String> = std::env::args().skip(1).collect();
    let hidden = match words.first().map(String::as_str) {
        Some("--sweep") => return place::wait_and_sweep(),
        Some("--launch") => Some(place::launch(&words[1..])),
        Some("--upstream") => Some(match &words[1..] {
            [port, name] => upstream::serve(port, name),
            _ => Err("a port and a name are wanted".to_owned()),
        }),
        Some("--serve") => {
            let order = serve::Order::read(&words[1..]);
            Some(
                order
                    .ok_or("it is not ordered rightly".to_owned())
                    .and_then(serve::serve),
            )
        }
        Some("--help" | "-h") => return usage(),
        _ => None,
    };
    match hidden {
        None => measure(&words),
        Some(Ok(())) => ExitCode::SUCCESS,
        Some(Err(why)) => {
            eprintln!("{why}");
            ExitCode::FAILURE
        }
    }
}

/// What was asked for.
struct Asked {
    rows: Vec<&'static Row>,
    quota: f64,
    rounds: usize,
    threads: usize,
    /// Nothing is measured: it is only asked, by a program that counts which way its code goes.
    train: bool,
}

fn asked(words: &[String]) -> Result<Asked, String> {
    let mut asked = Asked {
        rows: Vec::new(),
        quota: QUOTA,
        rounds: ROUNDS,
        threads: THREADS,
        train: false,
    };
    for word in words {
        let wrong = || format!("`{word}` is no number that can be used");
        match word.split_once('=') {
            Some(("--quota", value)) => asked.quota = value.parse().map_err(|_| wrong())?,
            Some(("--rounds", value)) => asked.rounds = value.parse().map_err(|_| wrong())?,
            Some(("--threads", value)) => asked.threads = value.parse().map_err(|_| wrong())?,
            None if word == "--train" => asked.train = true,
            _ => {
                let row = Row::ALL.iter().find(|row| row.word == word);
                asked
                    .rows
                    .push(row.ok_or_else(|| format!("there is no row `{word}`"))?);
            }
        }
    }
    if asked.rows.is_empty() && !asked.train {
        asked.rows = Row::ALL.iter().collect();
    }
    Ok(asked)
}

fn measure(words: &[String]) -> ExitCode {
    let asked = match asked(words) {
        Ok(asked) => asked,
        Err(why) => {
            eprintln!("{why}");
            usage();
            return ExitCode::from(2);
        }
    };
    let missing = peer::missing();
    if !missing.is_empty() {
        eprintln!(
            "this machine lacks {}\n  apt-get install {}",
            missing.join(", "),
            missing.join(" ")
        );
        return ExitCode::from(2);
    }
    let place = match Place::prepare(asked.quota, asked.rounds, asked.threads) {
        Ok(place) => place,
        Err(why) => {
            eprintln!("{why}");
            return ExitCode::from(2);
        }
    };
    if asked.train
        && let Err(why) = row::train(&place)
    {
        eprintln!("{why}");
        return ExitCode::FAILURE;
    }
    if asked.rows.is_empty() {
        return ExitCode::SUCCESS;
    }
    println!("{}", place.machine());
    let mut failed = 0;
    for row in asked.rows {
        println!(
            "\n## {}\n\n`{}`. Bar: {}. Aim: {}.\n",
            row.title, row.word, row.bar, row.aim
        );
        if let Err(why) = (row.measure)(&place) {
            println!("FAILED: {why}");
            failed += 1;
        }
    }
    if failed > 0 {
        return ExitCode::FAILURE;
    }
    ExitCode::SUCCESS
}

fn usage() -> ExitCode {
    println!("bench-edge [--quota=0.4] [--rounds=9] [--threads=1] [--train] [row ...]\n");
    for row in Row::ALL {
        println!("  {:<12} {}", row.word, row.title);
    }
    ExitCode::SUCCESS
}
