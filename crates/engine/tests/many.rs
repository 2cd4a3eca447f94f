//! A thousand instances at once; the times are printed, and not judged.
#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "it measures, and what is not there is a failed measurement"
)]
#![allow(
    clippy::disallowed_methods,
    reason = "real processes are what is tested, and how long they take is printed"
)]

mod bed;

use bed::bed;
use rustix::process::{Pid, Signal, kill_process};
use std::sync::Arc;
use std::time::Instant;
use tokio::task::JoinSet;
use towpath_engine::Engine;
use towpath_engine::conformance::{Bed, Does, order, runs, within};
use towpath_model::desired::component::Restart;
use towpath_model::unit::Duration;

const MANY: u64 = 1000;

/// What only this process has in its memory, in KiB.
fn private(pid: &str) -> u64 {
    let text = std::fs::read_to_string(format!("/proc/{pid}/smaps_rollup")).unwrap();
    text.lines()
        .filter(|line| line.starts_with("Private_"))
        .filter_map(|line| line.split_ascii_whitespace().nth(1)?.parse::<u64>().ok())
        .sum()
}

/// Prints how long one start takes, and how long it takes until one that was killed runs again.
async fn measure_one(bed: &bed::Real) {
    let mut changes = bed.engine.changes().unwrap();
    let (mut starts, mut restarts) = (Vec::new(), Vec::new());
    for number in 1..=20 {
        let mut start = order(bed, "one", number, Does::Stays);
        start.restart = Restart::Always;
        let begun = Instant::now();
        let seen = bed.engine.start(start.clone()).await.unwrap();
        starts.push(begun.elapsed());
        let first = Pid::from_raw(seen.life.pid().unwrap().cast_signed()).unwrap();
        let begun = Instant::now();
        kill_process(first, Signal::KILL).unwrap();
        while !changes
            .recv()
            .await
            .is_some_and(|seen| seen.restarts == 1 && runs(&seen))
        {}
        restarts.push(begun.elapsed());
        bed.end(&start.id).await;
        while !changes.recv().await.is_some_and(|seen| seen.life.is_over()) {}
    }
    starts.sort();
    restarts.sort();
    println!(
        "one started in {:?}, the slowest of 20 in {:?}",
        starts[10], starts[19]
    );
    println!("one that was killed runs again after {:?}", restarts[10]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thousand_instances_are_started_adopted_and_stopped_without_an_error() {
    let bed = Arc::new(bed());
    measure_one(&bed).await;
    let begun = Instant::now();
    let mut starts = JoinSet::new();
    for number in 1..=MANY {
        let bed = Arc::clone(&bed);
        starts.spawn(async move {
            let start = order(&*bed, "web", number, Does::Stays);
            bed.engine.start(start).await.unwrap()
        });
    }
    let seen = starts.join_all().await;
    assert!(seen.iter().all(runs));
    println!("{MANY} started in {:?}", begun.elapsed());

    let begun = Instant::now();
    let other = bed.anew();
    let opened = begun.elapsed();
    assert_eq!(other.observe().await.unwrap().len(), seen.len());
    println!(
        "{MANY} adopted in {:?}, {opened:?} of it to open the engine",
        begun.elapsed()
    );
    let pid = seen[500].life.pid().unwrap();
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
    let keeper = stat
        .rsplit_once(')')
        .unwrap()
        .1
        .split_ascii_whitespace()
        .nth(1)
        .unwrap();
    println!("a keeper has {} KiB of its own", private(keeper));
    println!(
        "this process with both engines has {} KiB of its own",
        private("self")
    );
    drop(other);

    let begun = Instant::now();
    let mut stops = JoinSet::new();
    for one in seen {
        let bed = Arc::clone(&bed);
        stops.spawn(async move {
            let stopped = bed
                .engine
                .stop(&one.id, within(Duration::from_secs(60)))
                .await
                .unwrap();
            assert!(stopped.life.is_over());
            bed.engine.forget(&one.id).await.unwrap();
        });
    }
    stops.join_all().await;
    println!("{MANY} stopped and forgotten in {:?}", begun.elapsed());
    assert_eq!(bed.engine.observe().await.unwrap(), []);
}
