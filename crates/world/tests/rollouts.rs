//! Thousands of rollouts with faults, each from its seed. `TOWPATH_SEED=7` plays one, `TOWPATH_SEEDS=100000` plays so many.
#![allow(clippy::disallowed_methods, reason = "the seeds may be given from outside")]

use towpath_world::simulation::failing;
use towpath_world::simulation_of_rollouts::{script, simulate, verdict};

/// So many are played each time.
const SEEDS: u64 = 10_000;

/// So many faults and wishes has each.
const LENGTH: u64 = 12;

fn given(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}

#[test]
fn every_rollout_ends_or_holds_with_a_reason() {
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
    let tell = || towpath_world::script::run(&script(7, 60).join("\n"));
    assert_eq!(tell(), tell());
}

/// What the laws say when a rule is broken on purpose, of the first seed that they notice it in.
fn noticed(sabotage: &str) -> Option<String> {
    (0..200).find_map(|seed| {
        let mut script = script(seed, LENGTH);
        script.insert(0, sabotage.to_owned());
        verdict(&script)
    })
}

#[test]
fn a_steward_that_does_not_wait_for_instances_is_found_out() {
    let wrong = noticed("sabotage ready").expect("a share that grows too early is noticed");
    assert!(
        wrong.contains("ready, and needs") || wrong.contains("take visitors"),
        "{wrong}"
    );
}

#[test]
fn a_steward_that_does_not_wait_for_the_edge_is_found_out() {
    let wrong = noticed("sabotage edge").expect("an instance that is stopped too early is noticed");
    assert!(wrong.contains("while the edge sends visitors to it"), "{wrong}");
}

#[test]
fn a_steward_that_writes_down_what_it_starts_with_is_found_out() {
    let wrong = noticed("sabotage journal").expect("a secret in an intent is noticed");
    assert!(
        wrong.contains("a secret stands in the journal, in the intent to start"),
        "{wrong}"
    );
}

#[test]
fn a_steward_that_repeats_what_gates_and_stores_have_said_is_found_out() {
    let wrong = noticed("sabotage words").expect("a secret in a reason is noticed");
    assert!(
        wrong.contains("a secret stands in the journal, in the course"),
        "{wrong}"
    );
    assert!(wrong.contains("a secret was told"), "{wrong}");
}
