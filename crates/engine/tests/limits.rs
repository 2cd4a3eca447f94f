//! Memory and processor of real processes are kept within their limits, and it is told in words when they are not.
#![allow(clippy::unwrap_used, reason = "what is not there is a failed test")]
#![allow(clippy::disallowed_methods, reason = "real processes are what is tested")]

mod bed;

use bed::bed;
use towpath_engine::conformance::{Bed, Does, lines, order, runs, until};
use towpath_engine::{Engine, LimitsKept, LogQuery, Stream};
use towpath_model::run::{Exit, Life};
use towpath_model::unit::{Bytes, Cpu};

/// A shell that holds about so many MiB in a variable of its own.
fn holding(mib: u64) -> String {
    format!(
        "x=$(head -c {} /dev/zero | tr \"\\0\" x); echo holds; sleep 1000",
        mib * 1024 * 1024
    )
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_uses_more_memory_than_it_may_is_killed_and_that_is_told() {
    let bed = bed();
    let mut start = order(&bed, "web", 1, Does::Stays);
    start.command = holding(100);
    start.limits.memory = Some(Bytes::from_mib(64));
    bed.engine.start(start.clone()).await.unwrap();
    let seen = until(&bed, &start.id, |seen| seen.life.is_over()).await;
    let exit = Exit::OutOfMemory {
        limit: Bytes::from_mib(64),
    };
    assert_eq!(exit.to_string(), "killed: out of memory at 64MiB");
    assert_eq!(seen.life, Life::Ended { exit });
    let told = |line: &towpath_engine::LogLine| {
        line.stream == Stream::Engine && line.text.contains("out of memory at")
    };
    lines(&bed, LogQuery::default(), told, 1).await;
    bed.clear().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn when_one_process_of_several_runs_out_of_memory_all_of_them_end() {
    let bed = bed();
    let mut start = order(&bed, "web", 1, Does::Stays);
    start.command = format!("sh -c '{}' & while :; do sleep 1; done", holding(100));
    start.limits.memory = Some(Bytes::from_mib(64));
    bed.engine.start(start.clone()).await.unwrap();
    let seen = until(&bed, &start.id, |seen| seen.life.is_over()).await;
    assert!(
        matches!(
            seen.life,
            Life::Ended {
                exit: Exit::OutOfMemory { .. }
            }
        ),
        "{seen:?}"
    );
    bed.clear().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_stays_within_its_limits_runs_and_is_measured() {
    let bed = bed();
    let mut start = order(&bed, "web", 1, Does::Stays);
    start.command = holding(20);
    start.limits.memory = Some(Bytes::from_mib(256));
    start.limits.cpu = Some(Cpu::from_millis(500));
    let seen = bed.engine.start(start.clone()).await.unwrap();
    assert!(runs(&seen));
    lines(&bed, LogQuery::default(), |line| line.text == "holds", 1).await;
    let used = bed.engine.usage(std::slice::from_ref(&start.id)).await[0].1;
    assert!(used.memory > Bytes::from_mib(20).count(), "{used:?}");
    assert!(used.memory < Bytes::from_mib(256).count(), "{used:?}");
    assert!(used.cpu > 1000, "{used:?}");
    if bed.engine.limits() == LimitsKept::CgroupsV1 {
        let groups = std::fs::read_to_string(format!("/proc/{}/cgroup", seen.life.pid().unwrap())).unwrap();
        for control in ["memory:", "pids:", "cpu:"] {
            let line = groups.lines().find(|line| line.contains(control)).unwrap();
            assert!(line.ends_with("/web.1"), "{line}");
        }
    }
    bed.clear().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn where_there_are_no_cgroups_memory_is_looked_at_and_kept_all_the_same() {
    let bed = bed::bed_without_groups();
    assert_eq!(bed.engine.limits(), LimitsKept::Watched);
    let mut start = order(&bed, "web", 1, Does::Stays);
    start.command = format!("sh -c '{}' & wait", holding(100));
    start.limits.memory = Some(Bytes::from_mib(64));
    bed.engine.start(start.clone()).await.unwrap();
    let seen = until(&bed, &start.id, |seen| seen.life.is_over()).await;
    let exit = Exit::OutOfMemory {
        limit: Bytes::from_mib(64),
    };
    assert_eq!(seen.life, Life::Ended { exit });
    bed.clear().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn where_there_are_no_cgroups_usage_is_that_of_all_processes() {
    let bed = bed::bed_without_groups();
    let mut start = order(&bed, "web", 1, Does::Stays);
    start.command = format!("sh -c '{}' & wait", holding(20));
    bed.engine.start(start.clone()).await.unwrap();
    lines(&bed, LogQuery::default(), |line| line.text == "holds", 1).await;
    let used = bed.engine.usage(std::slice::from_ref(&start.id)).await[0].1;
    assert!(used.memory > Bytes::from_mib(20).count(), "{used:?}");
    bed.clear().await;
}
