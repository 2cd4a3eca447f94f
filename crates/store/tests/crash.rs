//! A process that writes is killed at random moments: all that it was told is kept is there, and every batch is whole.
#![allow(clippy::unwrap_used, reason = "a test fails by it")]
#![allow(
    clippy::disallowed_methods,
    reason = "this test starts and kills a process of its own"
)]

use jiff::Timestamp;
use serde_json::json;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use towpath_store::{Batch, Entry, Outcome, Store};

const CHILD: &str = "TOWPATH_STORE_TEST_WRITES";

/// So many processes are killed.
const KILLS: u64 = 30;

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_700_000_000 + second).unwrap()
}

/// How many entries a batch has.
fn size(batch: i64) -> i64 {
    batch % 5 + 1
}

/// Writes one batch after the other, and says so when one is kept.
async fn write_for_ever(folder: &Path) {
    let store = Store::open(folder, at(0)).await.unwrap();
    let mut batch = match store.records("batch").await.unwrap().first() {
        Some((_, last)) => last.as_i64().unwrap() + 1,
        None => 0,
    };
    let open = store.open_intents().await.unwrap();
    let mut open: Vec<i64> = open.iter().map(|written| written.seq).collect();
    loop {
        let entry = Entry {
            what: "start".to_owned(),
            subject: "web".to_owned(),
            body: json!({ "batch": batch, "filled": "x".repeat(700) }),
            because: "it is wanted".to_owned(),
            intent: true,
        };
        let outcomes = open.iter().map(|of| Outcome {
            of: *of,
            done: true,
            body: json!(batch),
        });
        let whole = Batch {
            entries: vec![entry; usize::try_from(size(batch)).unwrap()],
            outcomes: outcomes.collect(),
            records: vec![("batch".to_owned(), "last".to_owned(), Some(json!(batch)))],
        };
        open = store.write(whole, at(batch)).await.unwrap();
        let mut out = std::io::stdout().lock();
        writeln!(out, "kept {batch}").unwrap();
        out.flush().unwrap();
        batch += 1;
    }
}

#[tokio::test]
async fn what_was_acknowledged_survives_a_kill_at_any_moment_and_every_batch_is_whole() {
    if let Some(folder) = std::env::var_os(CHILD) {
        write_for_ever(Path::new(&folder)).await;
    }
    let folder = tempfile::tempdir().unwrap();
    let mut seed = 0x2545_f491_4f6c_dd1d_u64;
    let mut acknowledged = -1;
    for kill in 0..KILLS {
        seed = seed
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(kill * 2 + 1);
        let last = run_and_kill(folder.path(), seed);
        acknowledged = last.unwrap_or(acknowledged);
        check(folder.path(), acknowledged).await;
    }
    assert!(acknowledged > 100, "only {acknowledged} batches were written");
}

/// Lets a process write, kills it at a moment that the seed decides, and says what it had last been told is kept.
fn run_and_kill(folder: &Path, seed: u64) -> Option<i64> {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args([
            "--exact",
            "what_was_acknowledged_survives_a_kill_at_any_moment_and_every_batch_is_whole",
            "--nocapture",
        ])
        .env(CHILD, folder)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let out = BufReader::new(child.stdout.take().unwrap());
    let kept = |line: std::io::Result<String>| line.ok()?.strip_prefix("kept ")?.parse().ok();
    let mut lines = out.lines();
    let mut last = None;
    // The first of them die while they open it, or while the first batch is written.
    let wanted = (seed >> 40) % 40;
    while wanted > 0 && last.is_none_or(|last: (i64, u64)| last.1 < wanted) {
        match lines.next() {
            Some(line) => {
                last = kept(line)
                    .map(|batch| (batch, last.map_or(1, |last| last.1 + 1)))
                    .or(last)
            }
            None => panic!("it ended by itself: {:?}", child.wait()),
        }
    }
    for _ in 0..(seed >> 16) % 400_000 {
        std::hint::spin_loop();
    }
    child.kill().unwrap();
    child.wait().unwrap();
    let rest = lines.filter_map(kept).last();
    rest.or(last.map(|last| last.0))
}

/// All batches up to the one that was acknowledged are there, perhaps one more, and each is whole.
async fn check(folder: &Path, acknowledged: i64) {
    let store = Store::open(folder, at(0)).await.unwrap();
    let records = store.records("batch").await.unwrap();
    let last = records.first().map_or(-1, |(_, last)| last.as_i64().unwrap());
    assert!(
        last == acknowledged || last == acknowledged + 1,
        "{acknowledged} was acknowledged, {last} is there"
    );
    let journal = store.newest(None, u32::MAX).await.unwrap();
    let expected = (0..=last).flat_map(|batch| (0..size(batch)).map(move |_| batch));
    let found = journal
        .iter()
        .map(|written| written.entry.body["batch"].as_i64().unwrap());
    assert!(found.eq(expected), "a batch is not whole");
    for (seq, written) in (1..).zip(&journal) {
        assert_eq!(written.seq, seq);
        let batch = written.entry.body["batch"].as_i64().unwrap();
        let outcome = written
            .outcome
            .as_ref()
            .map(|outcome| outcome.body.as_i64().unwrap());
        assert_eq!(
            outcome,
            (batch < last).then_some(batch + 1),
            "an outcome of batch {batch}"
        );
    }
    drop(store);
}
