//! Simulates canaries, and counts what our gate and two others make of the same streams of requests.
//!
//! Each rollout is drawn from a seed: counts per look, which are distributed as single requests would be. Three judges see the same
//! counts until each has decided. What has a bar is printed beside it, and a bar that is missed is a failure.
#![allow(
    clippy::disallowed_methods,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a measurement reads its options and the clock, and prints what it found"
)]

mod fixed;
mod ours;
mod quick;
mod rank;
mod rollout;
mod traffic;

use rollout::{Tally, simulate};
use std::process::ExitCode;
use std::time::Instant;
use traffic::{Fault, Scene};

const HELP: &str = "Usage: bench-gates [--rollouts=N] [--good=N] [--quick=N]

Simulates canaries and prints what becomes of them.

  --rollouts=N   rollouts of each row (1000)
  --good=N       rollouts of each row without a fault (10000; the bar is meant for 100000)
  --quick=N      rollouts of each row at 1,000 requests a second (1000)
  --help         this text
";

/// All requests a second, and whether a probe is run every ten seconds.
const TRAFFIC: [(f64, bool); 6] = [
    (0.1, false),
    (0.1, true),
    (1.0, false),
    (1.0, true),
    (10.0, false),
    (100.0, false),
];

const FAULTS: [(&str, Fault); 7] = [
    ("none", Fault::NONE),
    ("1 % errors", Fault::errors(0.01)),
    ("5 % errors", Fault::errors(0.05)),
    ("20 % errors", Fault::errors(0.2)),
    ("10 % slower", Fault::slower(1.1)),
    ("50 % slower", Fault::slower(1.5)),
    ("200 % slower", Fault::slower(3.0)),
];

struct Options {
    rollouts: u64,
    good: u64,
    quick: u64,
}

fn main() -> ExitCode {
    let options = match options() {
        Ok(Some(options)) => options,
        Ok(None) => {
            print!("{HELP}");
            return ExitCode::SUCCESS;
        }
        Err(word) => {
            eprint!("`{word}` is not an option\n\n{HELP}");
            return ExitCode::from(2);
        }
    };
    let started = Instant::now();
    let mut missed = table(&options);
    missed.extend(quick::table(options.quick));
    println!("\n{:.0} s", started.elapsed().as_secs_f64());
    for bar in &missed {
        println!("missed: {bar}");
    }
    if missed.is_empty() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

/// What is asked for; nothing where it is help.
fn options() -> Result<Option<Options>, String> {
    let mut options = Options {
        rollouts: 1_000,
        good: 10_000,
        quick: 1_000,
    };
    for word in std::env::args().skip(1) {
        let (name, value) = word.split_once('=').unwrap_or((&word, ""));
        let place = match name {
            "--rollouts" => &mut options.rollouts,
            "--good" => &mut options.good,
            "--quick" => &mut options.quick,
            "--help" | "-h" => return Ok(None),
            _ => return Err(word),
        };
        *place = value.parse().map_err(|_| word.clone())?;
    }
    Ok(Some(options))
}

fn table(options: &Options) -> Vec<String> {
    let mut missed = Vec::new();
    println!(
        "10 % of the traffic for 30 minutes, held for 2 hours at the most; of each judge: promoted, rolled back, held, and"
    );
    println!("how many visitors met the fault, on average, before the judge had decided\n");
    println!("| requests/s | fault | ours | | | | fixed threshold | | | | Mann-Whitney | | | |");
    println!(
        "| --- | --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |"
    );
    for (rate, probed) in TRAFFIC {
        for (name, fault) in FAULTS {
            let scene = Scene::new(rate, probed, fault);
            let rollouts = if fault == Fault::NONE {
                options.good
            } else {
                options.rollouts
            };
            let tallies = spread(rollouts, |seed| simulate(&scene, seed));
            let cells: Vec<String> = tallies.iter().map(Tally::cells).collect();
            let traffic = if probed {
                format!("{rate} and probes")
            } else {
                rate.to_string()
            };
            println!("| {traffic} | {name} | {} |", cells.join(" | "));
            let ours = &tallies[0];
            if fault == Fault::NONE && ours.rolled_back_share() >= 0.001 {
                missed.push(format!(
                    "{traffic}: a good release came back in {}",
                    ours.rolled_back()
                ));
            }
            if name == "5 % errors" && ours.promoted_share() >= 0.01 {
                missed.push(format!(
                    "{traffic}: 5 % errors were promoted in {}",
                    ours.promoted()
                ));
            }
        }
    }
    println!(
        "\nbars: without a fault rolled back in less than 0.1 % (aim 0.01 %), 5 % errors promoted in less than 1 %"
    );
    missed
}

/// Simulates on all cores, and adds up what came of it.
fn spread(rollouts: u64, simulate: impl Fn(u64) -> [Tally; 3] + Sync) -> [Tally; 3] {
    let cores = std::thread::available_parallelism().map_or(1, |cores| cores.get() as u64);
    std::thread::scope(|scope| {
        let workers: Vec<_> = (0..cores)
            .map(|core| {
                let simulate = &simulate;
                scope.spawn(move || {
                    let mut sum = [Tally::default(); 3];
                    for seed in (core..rollouts).step_by(cores as usize) {
                        for (sum, one) in sum.iter_mut().zip(simulate(seed)) {
                            sum.add(one);
                        }
                    }
                    sum
                })
            })
            .collect();
        let mut sum = [Tally::default(); 3];
        for worker in workers {
            let part = worker.join().expect("a worker ends");
            for (sum, part) in sum.iter_mut().zip(part) {
                sum.add(part);
            }
        }
        sum
    })
}
