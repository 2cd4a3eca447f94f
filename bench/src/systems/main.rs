//! Measures how long each of the five example products takes from the command to the last component that is well.
//!
//! Beside it honcho starts the same programs with the same settings on the same stores, by the scripts that a team would
//! write: `peer/honcho.rs` has them. Both start from nothing (`first`: a database that is made, migrated and seeded) and again
//! with what is there (`again`). Programs have been built, and both ask cargo whether they still are. They are measured in turn,
//! round after round; what counts is the ratio of two medians of one run.
#![allow(
    clippy::disallowed_methods,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a measurement starts programs, asks them, and prints what it found"
)]

mod known;
#[allow(dead_code, reason = "`bench-up` uses all of it")]
#[path = "../up/outside.rs"]
mod outside;
mod part;
mod peer;
mod place;
mod store;
#[path = "../up/sweep.rs"]
mod sweep;
#[allow(dead_code, reason = "`bench-up` uses all of it")]
#[path = "../up/table.rs"]
mod table;

use known::{SYSTEMS, System};
use peer::{Honcho, Peer, Towpath};
use place::Place;
use std::process::ExitCode;
use std::time::Instant;
use table::{Times, millis};

/// How often each is started from nothing, and again. A round of all five takes a minute and a half.
const ROUNDS: usize = 3;

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    match words.first().map(String::as_str) {
        Some("--sweep") => return sweep::wait_and_sweep(),
        Some("--bucket") => return store::serve_bucket(&words[1..]),
        Some("--help" | "-h") => return usage(),
        Some("--build") => return build(),
        _ => {}
    }
    let known = |word: &String| SYSTEMS.iter().any(|system| system.name == *word);
    if let Some(unknown) = words.iter().find(|word| !known(word)) {
        eprintln!("there is no system `{unknown}`");
        usage();
        return ExitCode::from(2);
    }
    let place = match Place::prepare() {
        Ok(place) => place,
        Err(why) => {
            eprintln!("{why}");
            return ExitCode::from(2);
        }
    };
    println!("| system | | towpath | least | honcho | least | towpath / honcho |");
    println!("| --- | --- | ---: | ---: | ---: | ---: | ---: |");
    let mut failed = false;
    for system in SYSTEMS {
        if (words.is_empty() || words.iter().any(|word| word == system.name))
            && let Err(why) = measure(&place, system)
        {
            println!("{}: FAILED: {why}", system.name);
            failed = true;
        }
    }
    println!("\nmilliseconds, the median of {ROUNDS}; again: target/release/bench-systems [SYSTEM…]");
    match failed {
        true => ExitCode::FAILURE,
        false => ExitCode::SUCCESS,
    }
}

/// Builds the programs and measures nothing.
fn build() -> ExitCode {
    match Place::prepare() {
        Ok(_) => ExitCode::SUCCESS,
        Err(why) => {
            eprintln!("{why}");
            ExitCode::from(2)
        }
    }
}

fn usage() -> ExitCode {
    println!("bench-systems [--build] [SYSTEM…]: measures how long the example products take to start\n");
    for system in SYSTEMS {
        println!("  {}", system.name);
    }
    println!("\n  --build    only builds their programs");
    ExitCode::SUCCESS
}

/// Starts a system in turn by both, from nothing and again.
fn measure(place: &Place, system: &'static System) -> Result<(), String> {
    let mut towpath = Towpath::new(place, system);
    // What each component is given is learned from a first start, which is not counted.
    towpath.forget()?;
    towpath.start()?;
    let learned = towpath.learn();
    towpath.stop()?;
    let mut honcho = Honcho::new(place, system, &learned?)?;
    let mut first: [Times; 2] = Default::default();
    let mut again: [Times; 2] = Default::default();
    for _ in 0..ROUNDS {
        let peers: [&mut dyn Peer; 2] = [&mut towpath, &mut honcho];
        for (number, peer) in peers.into_iter().enumerate() {
            peer.forget()?;
            for times in [&mut first, &mut again] {
                let begin = Instant::now();
                peer.start()?;
                times[number].each.push(begin.elapsed());
                peer.stop()?;
            }
        }
    }
    for (word, [towpath, honcho]) in [("first", &first), ("again", &again)] {
        println!(
            "| {} | {word} | {:.0} | {:.0} | {:.0} | {:.0} | {:.2} |",
            system.name,
            millis(towpath.median()),
            least(towpath),
            millis(honcho.median()),
            least(honcho),
            towpath.median().as_secs_f64() / honcho.median().as_secs_f64().max(1e-9)
        );
    }
    Ok(())
}

fn least(times: &Times) -> f64 {
    times.each.iter().min().copied().map(millis).unwrap_or_default()
}
