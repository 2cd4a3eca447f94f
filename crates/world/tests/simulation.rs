//! Thousands of schedules of faults, each from its seed. `TOWPATH_SEED=7` plays one, `TOWPATH_SEEDS=100000` plays so many.
#![allow(clippy::disallowed_methods, reason = "the seeds may be given from outside")]

use towpath_world::simulation::{failing, script, shorten, simulate, verdict};

/// So many are played each time.
const SEEDS: u64 = 2000;

/// So many faults and wishes has each.
const LENGTH: u64 = 25;

fn given(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}

#[test]
fn every_schedule_of_faults_ends_well() {
    let seeds = match given("TOWPATH_SEED") {
        Some(seed) => seed..seed + 1,
        None => 0..given("TOWPATH_SEEDS").unwrap_or(SEEDS),
    };
    let failing = failing(seeds, |seed| simulate(seed, LENGTH));
    assert!(
        failing.is_empty(),
        "TOWPATH_SEED plays one again\n\n{}",
        failing.join("\n")
    );
}

#[test]
fn the_same_seed_is_the_same_story() {
    let tell = || towpath_world::script::run(&script(7, 100).join("\n"));
    let once = tell();
    assert_eq!(once, tell());
    assert!(once.contains("the steward was killed"), "{once}");
}

#[test]
fn what_goes_wrong_is_told_by_the_lines_that_it_needs() {
    // A program that takes an hour to answer is not there after ten minutes.
    let lines = "apply db; web needs=db\nadvance 5s\ntemper web boots=1h\nkill db.1\nadvance 1s\nkill web.1\nadvance 9s";
    let script: Vec<String> = lines.lines().map(str::to_owned).collect();
    assert!(verdict(&script).is_some_and(|wrong| wrong.contains("web is unwell")));
    let shortest = shorten(script);
    assert_eq!(
        shortest,
        [
            "apply db; web needs=db",
            "advance 5s",
            "temper web boots=1h",
            "kill web.1"
        ]
    );
}
