//! How much faster than real time the simulation of rollouts is.

use crate::{Miss, Outcome};
use std::time::{Duration, Instant};
use towpath_world::simulation_of_rollouts::{script, simulate};
use towpath_world::{Clock, World};

/// So many are played.
const SEEDS: u64 = 2_000;

/// So many faults and wishes has each, as in the tests.
const LENGTH: u64 = 12;

/// So many times real time it has to be, and should be.
const BOUND: f64 = 1_000.0;
const AIM: f64 = 10_000.0;

pub(super) fn measure(_: &crate::place::Place) -> Outcome {
    let (mut virtually, mut slowest) = (Duration::ZERO, Duration::ZERO);
    // How long each lasts in its own time; that is looked up before, and takes no part in what is measured.
    for seed in 0..SEEDS {
        virtually += lasts(seed);
    }
    let begin = Instant::now();
    for seed in 0..SEEDS {
        let start = Instant::now();
        simulate(seed, LENGTH).map_err(Miss::Failed)?;
        slowest = slowest.max(start.elapsed());
    }
    let took = begin.elapsed();
    let ratio = virtually.as_secs_f64() / took.as_secs_f64();
    println!(
        "{SEEDS} seeds: {:.1} hours of their own time in {:.2} s on one core; the slowest took {:.1} ms",
        virtually.as_secs_f64() / 3_600.0,
        took.as_secs_f64(),
        slowest.as_secs_f64() * 1_000.0
    );
    let verdict = match ratio {
        ratio if ratio >= AIM => "as aimed",
        ratio if ratio >= BOUND => "within its bound",
        _ => "TOO SLOW",
    };
    println!("to real time: {ratio:.0} times, {verdict} (bound {BOUND}, aim {AIM})");
    Ok(())
}

/// How long the script of a seed lasts. What comes after it, until all is calm, is not counted, though it is measured.
fn lasts(seed: u64) -> Duration {
    let mut world = World::default();
    for line in script(seed, LENGTH) {
        if line.starts_with("advance") {
            towpath_world::script::play(&mut world, &line);
        }
    }
    let lasted = world.clock.steady.duration_since(Clock::beginning().steady);
    Duration::try_from(lasted).unwrap_or_default()
}
