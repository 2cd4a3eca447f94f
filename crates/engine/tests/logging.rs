//! Logs on a real disk: full, rotated, old, and with anything in them.
#![allow(clippy::unwrap_used, reason = "what is not there is a failed test")]
#![allow(clippy::disallowed_methods, reason = "real files are what is tested")]

mod bed;

use bed::bed;
use std::path::Path;
use std::process::Command;
use towpath_engine::conformance::{Bed, Does, lines, order, until};
use towpath_engine::process::Process;
use towpath_engine::{Engine, LogLine, LogQuery, Start, Stream};
use towpath_keeper::{KEPT_LOGS, ROTATED_AT};

fn saying(bed: &bed::Real, number: u64, command: &str) -> Start {
    let mut start = order(bed, "web", number, Does::Stays);
    start.command = command.to_owned();
    start
}

async fn said(engine: &Process) -> Vec<LogLine> {
    let mut lines = engine.logs(LogQuery::default()).await.unwrap();
    let mut read = Vec::new();
    while let Some(line) = lines.recv().await {
        read.push(line);
    }
    read
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_disk_loses_no_line_in_silence_and_stops_nobody() {
    let bed = bed();
    let disk = bed.state.path().join("disk");
    std::fs::create_dir(&disk).unwrap();
    let mounted = Command::new("mount")
        .args(["-t", "tmpfs", "-o", "size=256k", "tmpfs"])
        .arg(&disk)
        .status();
    if !mounted.is_ok_and(|status| status.success()) {
        println!("left out: only root can mount a small disk");
        return;
    }
    let engine = Process::open(&disk, bed::program(), "test-full").unwrap();
    let ballast = disk.join("ballast");
    let script = "n=0; while [ $n -lt 5000 ]; do n=$((n+1)); echo line $n; done; echo written >&2; \
                  while [ ! -e go ]; do sleep 0.02; done; echo room; sleep 1000";
    let mut start = saying(&bed, 1, script);
    start.dir = bed.state.path().to_string_lossy().into_owned();
    std::fs::write(&ballast, vec![0; 200 * 1024]).unwrap();
    engine.start(start.clone()).await.unwrap();
    // It has written everything although there is no room for it.
    let pid = engine.observe().await.unwrap()[0].life.pid().unwrap();
    for _ in 0..1000 {
        let children = std::fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")).unwrap();
        if !children.is_empty() {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    std::fs::remove_file(&ballast).unwrap();
    std::fs::write(bed.state.path().join("go"), "").unwrap();
    let mut all = Vec::new();
    for _ in 0..1000 {
        all = said(&engine).await;
        if all.iter().any(|line| line.text == "room") {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    let written = all
        .iter()
        .filter(|line| line.text.starts_with("line ") || line.text == "written")
        .count();
    let lost: usize = all
        .iter()
        .filter(|line| line.stream == Stream::Engine && line.text.ends_with("lost: the disk is full"))
        .map(|line| line.text.split(' ').next().unwrap().parse::<usize>().unwrap())
        .sum();
    assert!(lost > 0, "the disk was full");
    assert_eq!(written + lost, 5001);
    assert_eq!(engine.observe().await.unwrap()[0].life.pid(), Some(pid));
    engine.stop(&start.id, start.stop).await.unwrap();
    engine.forget(&start.id).await.unwrap();
    drop(engine);
    assert!(
        Command::new("umount")
            .arg("-l")
            .arg(&disk)
            .status()
            .unwrap()
            .success()
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_log_is_rotated_and_a_follower_misses_nothing() {
    let bed = bed();
    let query = LogQuery {
        follow: true,
        ..LogQuery::default()
    };
    let mut followed = bed.engine.logs(query).await.unwrap();
    let counted = "awk 'BEGIN { for (n = 1; n <= 30000; n++) printf \"%d %0400d\\n\", n, 0 }'";
    let start = saying(&bed, 1, counted);
    bed.engine.start(start.clone()).await.unwrap();
    let mut wanted = 1;
    while wanted <= 30_000 {
        let line = followed.recv().await.unwrap();
        if line.stream == Stream::Out {
            assert_eq!(line.text.split(' ').next().unwrap().parse(), Ok(wanted));
            wanted += 1;
        }
    }
    until(&bed, &start.id, |seen| seen.life.is_over()).await;
    let folder = bed.state.path().join("logs/web");
    let older = std::fs::metadata(folder.join("1.log.1")).unwrap().len();
    assert!((ROTATED_AT..ROTATED_AT * 2).contains(&older), "{older}");
    assert!(std::fs::metadata(folder.join("1.log")).unwrap().len() < ROTATED_AT);
    let last = LogQuery {
        last: Some(3),
        ..LogQuery::default()
    };
    let last = lines(&bed, last, |_| true, 3).await;
    let starts: Vec<&str> = last
        .iter()
        .map(|line| line.text.split(' ').next().unwrap())
        .collect();
    assert_eq!(starts, ["29999", "30000", "ended"]);
    bed.clear().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_has_no_end_of_line_is_shown_all_the_same_and_bytes_stay_as_they_are() {
    let bed = bed();
    let start = saying(
        &bed,
        1,
        "printf 'password: '; sleep 0.5; printf '\\033[31mred\\000\\377\\n'; sleep 1000",
    );
    bed.engine.start(start).await.unwrap();
    let all = lines(&bed, LogQuery::default(), |line| line.stream == Stream::Out, 2).await;
    let texts: Vec<&str> = all
        .iter()
        .filter(|line| line.stream == Stream::Out)
        .map(|line| line.text.as_str())
        .collect();
    assert_eq!(texts, ["password: ", "\u{1b}[31mred\0\u{fffd}"]);
    let raw = std::fs::read(bed.state.path().join("logs/web/1.log")).unwrap();
    assert!(raw.ends_with(b"\x1b[31mred\x00\xff\n"));
    bed.clear().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn old_logs_go_and_those_of_living_instances_stay() {
    let bed = bed();
    bed.engine.start(saying(&bed, 1, "sleep 1000")).await.unwrap();
    let many = 2 + KEPT_LOGS as u64;
    for number in 2..=many {
        let start = saying(&bed, number, "true");
        bed.engine.start(start.clone()).await.unwrap();
        until(&bed, &start.id, |seen| seen.life.is_over()).await;
        bed.engine.forget(&start.id).await.unwrap();
    }
    // The next start looks after them.
    bed.engine
        .start(saying(&bed, many + 1, "sleep 1000"))
        .await
        .unwrap();
    let folder = bed.state.path().join("logs/web");
    let log = |number: u64| folder.join(format!("{number}.log"));
    let is_there = |path: &Path| path.exists();
    for _ in 0..1000 {
        if !is_there(&log(2)) {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    let kept: Vec<u64> = (1..=many + 1).filter(|number| is_there(&log(*number))).collect();
    // The newest one may have had no line yet when the others were counted.
    assert!(kept.starts_with(&[1]) && kept[1] >= 3, "{kept:?}");
    assert!((KEPT_LOGS..=KEPT_LOGS + 2).contains(&kept.len()), "{kept:?}");
    bed.clear().await;
}
