//! What goes wrong with real processes: killed keepers, deaf and bombing and double-forking components, a steward that
//! was killed.
#![allow(clippy::unwrap_used, reason = "what is not there is a failed test")]
#![allow(clippy::disallowed_methods, reason = "real processes are what is tested")]

mod bed;

use bed::bed;
use rustix::process::{Pid, Signal, kill_process, test_kill_process};
use std::path::Path;
use towpath_engine::conformance::{Bed, Does, lines, now, order, patiently, runs, until, within};
use towpath_engine::{Engine, LogLine, LogQuery, Start, Stream};
use towpath_model::desired::component::Restart;
use towpath_model::run::{Exit, Life};
use towpath_model::unit::{Duration, known};

/// A start of this command, in the state folder.
fn start(bed: &bed::Real, command: &str) -> Start {
    let mut start = order(bed, "web", 1, Does::Stays);
    start.command = command.to_owned();
    start.dir = bed.state.path().to_string_lossy().into_owned();
    start
}

fn pid(number: u32) -> Pid {
    Pid::from_raw(number.cast_signed()).unwrap()
}

/// The processes whose command line holds this word.
fn with_word(word: &str) -> Vec<Pid> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir("/proc").unwrap().flatten() {
        let Ok(number) = entry.file_name().to_string_lossy().parse::<i32>() else {
            continue;
        };
        let text = std::fs::read(entry.path().join("cmdline")).unwrap_or_default();
        if String::from_utf8_lossy(&text).contains(word) {
            found.extend(Pid::from_raw(number));
        }
    }
    found
}

/// Waits for something of the system, and fails when it does not come.
async fn eventually(what: &str, mut is_so: impl FnMut() -> bool) {
    for _ in 0..3000 {
        if is_so() {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    panic!("{what}");
}

/// The parent of a process: that of an instance's first process is its keeper.
fn parent(of: u32) -> Pid {
    let stat = std::fs::read_to_string(format!("/proc/{of}/stat")).unwrap();
    let fields: Vec<&str> = stat
        .rsplit_once(')')
        .unwrap()
        .1
        .split_ascii_whitespace()
        .collect();
    Pid::from_raw(fields[1].parse().unwrap()).unwrap()
}

/// A number that no other test sleeps for, so that its processes can be found.
fn unique(bed: &bed::Real) -> String {
    let name = bed.state.path().to_string_lossy();
    let hash = name.bytes().fold(7_u64, |hash, byte| {
        hash.wrapping_mul(31).wrapping_add(byte.into())
    });
    format!("{}.5", 100_000 + hash % 800_000)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_killed_keeper_takes_everything_with_it_and_is_told_as_lost() {
    kill_a_keeper(bed()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_killed_keeper_takes_everything_with_it_and_is_told_as_lost_without_cgroups() {
    kill_a_keeper(bed::bed_without_groups()).await;
}

async fn kill_a_keeper(bed: bed::Real) {
    let word = unique(&bed);
    let script = format!("sleep {word} & setsid sh -c 'setsid sleep {word} & sleep {word}' & wait");
    let seen = bed.engine.start(start(&bed, &script)).await.unwrap();
    eventually("all are there", || with_word(&word).len() >= 4).await;
    kill_process(parent(seen.life.pid().unwrap()), Signal::KILL).unwrap();
    let lost = until(&bed, &seen.id, |seen| seen.life == Life::Lost).await;
    assert_eq!((lost.digest, lost.restarts), (seen.digest, 0));
    assert_eq!(with_word(&word), []);
    // It stays so, for whoever comes, and whatever is called.
    assert_eq!(
        bed.engine.start(start(&bed, &script)).await.unwrap().life,
        Life::Lost
    );
    assert_eq!(
        bed.engine.stop(&seen.id, patiently()).await.unwrap().life,
        Life::Lost
    );
    assert_eq!(bed.anew().observe().await.unwrap()[0].life, Life::Lost);
    bed.engine.forget(&seen.id).await.unwrap();
    assert_eq!(now(&bed, &seen.id).await, None);
    bed.clear().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_keeper_that_was_killed_while_nobody_looked_is_found_and_ended() {
    let bed = bed();
    let word = unique(&bed);
    let script = format!("setsid sleep {word} & sleep {word}");
    let (keeper, id) = {
        // This engine goes, and its nursery with it, so that nobody ends the orphan before the next one looks.
        let engine = bed.anew();
        let seen = engine.start(start(&bed, &script)).await.unwrap();
        (parent(seen.life.pid().unwrap()), seen.id)
    };
    eventually("both are there", || with_word(&word).len() >= 2).await;
    kill_process(keeper, Signal::KILL).unwrap();
    eventually("the keeper has gone", || {
        test_kill_process(keeper).is_err() || is_zombie(keeper)
    })
    .await;
    assert_eq!(now(&bed, &id).await.unwrap().life, Life::Lost);
    eventually("nothing is left", || with_word(&word).is_empty()).await;
    bed.clear().await;
}

fn is_zombie(process: Pid) -> bool {
    std::fs::read_to_string(format!("/proc/{}/stat", process.as_raw_nonzero()))
        .is_ok_and(|stat| stat.contains(") Z "))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_double_forks_leaves_no_orphan() {
    double_fork(bed()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_double_forks_leaves_no_orphan_without_cgroups() {
    double_fork(bed::bed_without_groups()).await;
}

async fn double_fork(bed: bed::Real) {
    let word = unique(&bed);
    let daemon = format!(
        "setsid sh -c 'trap \"\" TERM HUP; (setsid sleep {word} &) ; sleep {word}' >/dev/null 2>&1 &"
    );
    let mut ends = start(&bed, &format!("{daemon} sleep 0.2"));
    ends.restart = Restart::Never;
    bed.engine.start(ends.clone()).await.unwrap();
    let seen = until(&bed, &ends.id, |seen| seen.life.is_over()).await;
    assert_eq!(
        seen.life,
        Life::Ended {
            exit: Exit::Code { code: 0 }
        }
    );
    assert_eq!(with_word(&word), []);
    // The same when it is stopped: what has left the group does not hold the stop up.
    let mut stays = start(&bed, &format!("{daemon} exec sleep {word}"));
    stays.id.number = 2;
    bed.engine.start(stays.clone()).await.unwrap();
    eventually("all are there", || with_word(&word).len() >= 3).await;
    let seen = bed
        .engine
        .stop(&stays.id, within(Duration::from_hours(1)))
        .await
        .unwrap();
    assert_eq!(
        seen.life,
        Life::Ended {
            exit: Exit::Signal { signal: 15 }
        }
    );
    assert_eq!(with_word(&word), []);
    bed.clear().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_fork_bomb_is_held_by_its_limit_and_ends_as_a_whole() {
    let bed = bed();
    if bed.engine.limits() == towpath_engine::LimitsKept::Watched {
        println!("left out: cgroups cannot be made here, so that nothing would hold the bomb");
        return;
    }
    if std::process::Command::new("perl").arg("-v").output().is_err() {
        println!("left out: without perl there is nothing that goes on forking when it may not");
        return;
    }
    let word = format!("bomb-{}", unique(&bed));
    let bomb = format!("perl -e 'while (1) {{ fork; select(undef, undef, undef, 0.01) }}' {word}");
    let mut start = start(&bed, &bomb);
    start.limits.pids = 60;
    bed.engine.start(start.clone()).await.unwrap();
    eventually("it forks", || with_word(&word).len() > 30).await;
    assert!(with_word(&word).len() <= 60);
    let stopped = bed
        .engine
        .stop(&start.id, within(Duration::from_millis(50)))
        .await
        .unwrap();
    assert!(stopped.life.is_over());
    assert_eq!(with_word(&word), []);
    bed.clear().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_shell_in_front_may_go_while_what_it_started_still_finishes() {
    let bed = bed();
    let script = "sh -c 'trap \"sleep 0.3; echo finished; exit 0\" TERM; echo ready; while :; do sleep 0.05; done' & wait";
    let start = start(&bed, script);
    bed.engine.start(start.clone()).await.unwrap();
    lines(&bed, LogQuery::default(), |line| line.text == "ready", 1).await;
    bed.engine.stop(&start.id, patiently()).await.unwrap();
    lines(&bed, LogQuery::default(), |line| line.text == "finished", 1).await;
    bed.clear().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_new_steward_adopts_everything_and_logs_are_unbroken() {
    let bed = bed();
    let script = "n=0; while :; do n=$((n+1)); echo $n; sleep 0.01; done";
    let mut ids = Vec::new();
    {
        let engine = bed.anew();
        for number in 1..=5 {
            let mut start = start(&bed, script);
            start.id.number = number;
            assert!(runs(&engine.start(start.clone()).await.unwrap()));
            ids.push(start.id);
        }
    }
    let said = |line: &LogLine| line.stream == Stream::Out;
    let before = lines(&bed, LogQuery::default(), said, 50).await.len();
    for id in &ids {
        assert!(runs(&now(&bed, id).await.unwrap()));
    }
    let all = lines(&bed, LogQuery::default(), said, before + 50).await;
    for id in &ids {
        let numbers: Vec<usize> = all
            .iter()
            .filter(|line| line.id == *id && said(line))
            .map(|line| line.text.parse().unwrap())
            .collect();
        assert_eq!(numbers, (1..=numbers.len()).collect::<Vec<_>>());
    }
    bed.clear().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_nursery_that_was_killed_is_replaced_and_its_keepers_live_on() {
    let bed = bed();
    let first = bed.engine.start(start(&bed, "sleep 1000")).await.unwrap();
    let nursery = parent(
        parent(first.life.pid().unwrap())
            .as_raw_nonzero()
            .get()
            .cast_unsigned(),
    );
    kill_process(nursery, Signal::KILL).unwrap();
    eventually("the nursery has gone", || {
        test_kill_process(nursery).is_err() || is_zombie(nursery)
    })
    .await;
    let mut second = start(&bed, "sleep 1000");
    second.id.number = 2;
    assert!(runs(&bed.engine.start(second).await.unwrap()));
    assert_eq!(now(&bed, &first.id).await, Some(first));
    bed.clear().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_with_one_lease_never_live_at_once_even_when_a_keeper_is_killed() {
    share_a_lease(bed()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_with_one_lease_never_live_at_once_even_when_a_keeper_is_killed_without_cgroups() {
    share_a_lease(bed::bed_without_groups()).await;
}

async fn share_a_lease(bed: bed::Real) {
    let word = unique(&bed);
    // It cannot make the folder twice, and its orphan holds the folder a moment longer than itself.
    let script = format!(
        "mkdir live || echo 'two at once'; (trap '' TERM; setsid sleep {word} & wait) & trap 'exit 0' TERM; wait; sleep {word}"
    );
    let mut first = start(&bed, &script);
    first.lease = Some(known("bot"));
    let mut second = first.clone();
    second.id.number = 2;
    second.command = format!("pgrep -f 'sleep {word}' && echo 'two at once'; sleep 1000");
    let seen = bed.engine.start(first.clone()).await.unwrap();
    eventually("the first one works", || with_word(&word).len() >= 2).await;
    let waits = bed.engine.start(second.clone()).await.unwrap();
    assert!(matches!(waits.life, Life::Resting { .. }), "{waits:?}");
    kill_process(parent(seen.life.pid().unwrap()), Signal::KILL).unwrap();
    until(&bed, &second.id, runs).await;
    let mut query = LogQuery::default();
    query.components.push(known("web"));
    let all = lines(
        &bed,
        query,
        |line| line.id.number == 2 && line.text.starts_with("started"),
        1,
    )
    .await;
    assert!(all.iter().all(|line| line.text != "two at once"), "{all:?}");
    bed.clear().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_process_gets_exactly_what_it_is_given() {
    let bed = bed();
    let mut start = start(
        &bed,
        "env; ls /proc/self/fd; ulimit -n; cat \"$KEY\"; cat; grep SigBlk /proc/self/status",
    );
    start.env = vec![(
        "GREETING".to_owned(),
        towpath_model::sealed::Sealed::new("a secret".to_owned()),
    )];
    start.files = vec![(
        "KEY".to_owned(),
        towpath_model::sealed::Sealed::new("a key\n".to_owned()),
    )];
    bed.engine.start(start.clone()).await.unwrap();
    until(&bed, &start.id, |seen| seen.life.is_over()).await;
    let all = lines(&bed, LogQuery::default(), |_| true, 1).await;
    let said: Vec<&str> = all
        .iter()
        .filter(|line| line.stream == Stream::Out)
        .map(|line| line.text.as_str())
        .collect();
    let path = said.iter().find_map(|line| line.strip_prefix("KEY=")).unwrap();
    assert!(
        !Path::new(path).exists(),
        "the file of a value goes with its instance"
    );
    for wanted in [
        "GREETING=a secret",
        "a key",
        "0",
        "1",
        "2",
        "SigBlk:\t0000000000000000",
    ] {
        assert!(said.contains(&wanted), "{wanted} in {said:?}");
    }
    // The shell adds its own; `ls` has its folder open.
    let others: Vec<_> = said
        .iter()
        .filter(|line| line.contains('='))
        .filter(|line| {
            !["GREETING=", "KEY=", "PWD=", "OLDPWD=", "SHLVL=", "_="]
                .iter()
                .any(|own| line.starts_with(own))
        })
        .collect();
    assert_eq!(others, [""; 0].iter().collect::<Vec<_>>());
    assert!(!said.contains(&"4"), "{said:?}");
    assert!(!said.contains(&"5"), "{said:?}");
    // Nothing of it stands anywhere in the state folder but in its own log.
    for file in ["facts.json", "lock"] {
        let text = std::fs::read_to_string(bed.state.path().join("instances/web.1").join(file)).unwrap();
        assert!(!text.contains("a secret") && !text.contains("a key"));
    }
    bed.clear().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_state_folder_may_have_a_path_longer_than_a_socket() {
    let state = tempfile::tempdir().unwrap();
    let deep = state.path().join("a-folder-with-a-long-name".repeat(8));
    let engine = towpath_engine::process::Process::open(&deep, bed::program(), "test-deep").unwrap();
    let bed = bed();
    let start = start(&bed, "sleep 1000");
    assert!(runs(&engine.start(start.clone()).await.unwrap()));
    let again = towpath_engine::process::Process::open(&deep, bed::program(), "test-deep").unwrap();
    assert!(runs(&again.observe().await.unwrap()[0]));
    again.stop(&start.id, patiently()).await.unwrap();
    again.forget(&start.id).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_large_environment_reaches_its_process() {
    let bed = bed();
    let mut start = start(&bed, "sh -c 'echo ${#A} ${#Z}'");
    for name in ["A", "B", "C", "D", "E", "Z"] {
        let value = towpath_model::sealed::Sealed::new("x".repeat(100_000));
        start.env.push((name.to_owned(), value));
    }
    bed.engine.start(start.clone()).await.unwrap();
    lines(&bed, LogQuery::default(), |line| line.text == "100000 100000", 1).await;
    bed.clear().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn processes_that_are_killed_serve_again_with_the_same_number_of_files() {
    let bed = bed();
    let mut start = start(&bed, "ls /proc/self/fd | wc -l; sleep 1000");
    start.restart = Restart::Always;
    let mut seen = bed.engine.start(start.clone()).await.unwrap();
    for restarts in 1..=3 {
        let count = usize::try_from(restarts).unwrap();
        lines(
            &bed,
            LogQuery::default(),
            |line| line.stream == Stream::Out,
            count,
        )
        .await;
        kill_process(pid(seen.life.pid().unwrap()), Signal::KILL).unwrap();
        seen = until(&bed, &start.id, |seen| seen.restarts == restarts && runs(seen)).await;
    }
    let all = lines(&bed, LogQuery::default(), |line| line.stream == Stream::Out, 4).await;
    let counts: Vec<&str> = all
        .iter()
        .filter(|line| line.stream == Stream::Out)
        .map(|line| line.text.as_str())
        .collect();
    assert_eq!(counts, [counts[0]; 4]);
    bed.clear().await;
}
