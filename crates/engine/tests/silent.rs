//! Keepers that were stopped: they hold up nobody, are told as what they are, and are ended when somebody wants that.
#![allow(
    clippy::unwrap_used,
    reason = "a step of a test that fails is a test that fails"
)]
#![allow(clippy::disallowed_methods, reason = "real processes are what is tested")]

mod bed;

use bed::bed;
use rustix::process::{Pid, Signal, kill_process, test_kill_process};
use std::future::Future;
use towpath_engine::conformance::{Bed, Does, order, patiently, runs};
use towpath_engine::process::Process;
use towpath_engine::{Engine, Start};
use towpath_keeper::{Facts, Layout, connect_to};
use towpath_model::run::{InstanceId, Life, Seen};

/// What hangs is a failure, too.
async fn bounded<T>(work: impl Future<Output = T>) -> T {
    let bound = std::time::Duration::from_secs(40);
    tokio::time::timeout(bound, work).await.expect("it never ended")
}

/// An instance with a daemon of its own, which has left everybody.
fn start(bed: &bed::Real, number: u64) -> Start {
    let mut start = order(bed, "web", number, Does::Stays);
    if number == 1 {
        start.command = "setsid sleep 1000 & echo $! >daemon; exec sleep 1000".to_owned();
    }
    start.dir = bed.state.path().to_string_lossy().into_owned();
    start
}

fn keeper(bed: &bed::Real, id: &InstanceId) -> Pid {
    let facts = Facts::read(&Layout::new(bed.state.path()), id).unwrap();
    Pid::from_raw(facts.keeper.cast_signed()).unwrap()
}

/// Starts two, of which the first has a daemon, and lets go of them; then the first one's keeper is stopped.
async fn two_and_one_stopped(bed: &bed::Real) -> (Seen, Seen, Pid) {
    let engine = bed.anew();
    let first = engine.start(start(bed, 1)).await.unwrap();
    let daemon = bed.state.path().join("daemon");
    while !std::fs::read_to_string(&daemon).is_ok_and(|text| text.ends_with('\n')) {
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    }
    let second = engine.start(start(bed, 2)).await.unwrap();
    let keeper = keeper(bed, &first.id);
    kill_process(keeper, Signal::STOP).unwrap();
    (first, second, keeper)
}

fn daemon(bed: &bed::Real) -> Pid {
    let text = std::fs::read_to_string(bed.state.path().join("daemon")).unwrap();
    Pid::from_raw(text.trim().parse().unwrap()).unwrap()
}

/// Whether a process runs; one that has ended and was not asked how does not.
fn lives(process: Pid) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{}/stat", process.as_raw_nonzero()));
    test_kill_process(process).is_ok() && !stat.is_ok_and(|stat| stat.contains(") Z "))
}

fn is_silent(seen: &Seen, keeper: Pid) -> bool {
    let keeper = Some(keeper.as_raw_nonzero().get().cast_unsigned());
    seen.life == Life::Silent { keeper }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stopped_keeper_holds_up_nobody_and_tells_how_it_is_when_it_comes_back() {
    let bed = bed();
    let (first, second, keeper) = bounded(two_and_one_stopped(&bed)).await;
    let next = bed.anew();
    let mut changes = next.changes().unwrap();
    let all = bounded(next.observe()).await.unwrap();
    assert!(is_silent(&all[0], keeper), "{all:?}");
    assert_eq!((&all[0].digest, all[0].port), (&first.digest, first.port));
    assert_eq!(all[1], second);
    // Nothing is started beside it.
    let again = bounded(next.start(start(&bed, 1))).await.unwrap();
    assert!(is_silent(&again, keeper), "{again:?}");
    kill_process(keeper, Signal::CONT).unwrap();
    bounded(async { while changes.recv().await.unwrap() != first {} }).await;
    bed.clear().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stopped_keeper_is_ended_with_all_that_it_keeps_when_its_instance_is_to_stop() {
    end_a_stopped_one(bed()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stopped_keeper_is_ended_with_all_that_it_keeps_without_cgroups() {
    end_a_stopped_one(bed::bed_without_groups()).await;
}

async fn end_a_stopped_one(bed: bed::Real) {
    let (first, second, _) = bounded(two_and_one_stopped(&bed)).await;
    let (daemon, process) = (
        daemon(&bed),
        Pid::from_raw(first.life.pid().unwrap().cast_signed()),
    );
    assert!(lives(daemon));
    let next = bed.anew();
    bounded(next.observe()).await.unwrap();
    ends(&next, &first.id, &[daemon, process.unwrap()]).await;
    let left = bounded(next.observe()).await.unwrap();
    assert!(left.len() == 1 && left[0] == second && runs(&left[0]), "{left:?}");
    bed.clear().await;
}

async fn ends(engine: &Process, id: &InstanceId, processes: &[Pid]) {
    let ended = bounded(engine.stop(id, patiently())).await.unwrap();
    assert_eq!(ended.life, Life::Lost);
    assert!(!processes.iter().copied().any(lives));
    engine.forget(id).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_keeper_that_is_stopped_after_it_was_known_is_ended_too() {
    let bed = bed();
    let seen = bed.engine.start(start(&bed, 1)).await.unwrap();
    kill_process(keeper(&bed, &seen.id), Signal::STOP).unwrap();
    let process = Pid::from_raw(seen.life.pid().unwrap().cast_signed()).unwrap();
    ends(&bed.engine, &seen.id, &[process]).await;
    bed.clear().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stopped_keeper_at_which_many_wait_is_told_and_ended_as_well() {
    let bed = bed();
    let (first, second, keeper) = bounded(two_and_one_stopped(&bed)).await;
    let layout = Layout::new(bed.state.path());
    let mut waiting = Vec::new();
    while let Ok(socket) = connect_to(&layout, &first.id) {
        waiting.push(socket);
    }
    let next = bed.anew();
    let all = bounded(next.observe()).await.unwrap();
    assert!(is_silent(&all[0], keeper) && all[1] == second, "{all:?}");
    ends(&next, &first.id, &[daemon(&bed)]).await;
    bed.clear().await;
}
