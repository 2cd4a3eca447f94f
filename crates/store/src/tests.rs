//! Tests of what only the inside can reach: migrations of the future, small measures, dropped futures.
#![allow(
    clippy::disallowed_methods,
    reason = "these tests kill a process of their own and look at its time"
)]

use crate::open;
use crate::schema::{MIGRATIONS, Migration};
use crate::{Batch, Entry, Outcome, Seq, Store, StoreError};
use jiff::Timestamp;
use serde_json::{Value, json};
use sqlx::Row;
use std::future::Future;
use std::path::Path;
use std::pin::pin;
use std::process::{Child, Command, Stdio};
use std::task::Poll;

/// A future in which the shape changes twice.
const FUTURE: &[Migration] = &[
    MIGRATIONS[0],
    Migration {
        to: 2,
        text: "ALTER TABLE record ADD COLUMN note TEXT; UPDATE record SET note = 'from ' || kind;",
    },
    Migration {
        to: 3,
        text: "CREATE TABLE noted (name TEXT NOT NULL, note TEXT NOT NULL);
               INSERT INTO noted SELECT name, note FROM record WHERE note IS NOT NULL;",
    },
];

/// One whose second step ends badly, after it has changed something.
const BROKEN: &[Migration] = &[
    MIGRATIONS[0],
    Migration {
        to: 2,
        text: "ALTER TABLE record ADD COLUMN note TEXT; INSERT INTO nowhere VALUES (1);",
    },
];

/// One whose second step takes minutes, after it has changed something.
const SLOW: &[Migration] = &[
    MIGRATIONS[0],
    Migration {
        to: 2,
        text: "ALTER TABLE record ADD COLUMN note TEXT;
               WITH RECURSIVE counted (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM counted LIMIT 2000000000)
               INSERT INTO record SELECT 'slow', 'slow', count(*), '' FROM counted;",
    },
];

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_700_000_000 + second).unwrap()
}

fn entry(what: &str, intent: bool) -> Entry {
    Entry {
        what: what.to_owned(),
        subject: "web.1".to_owned(),
        body: json!({"port": 4000}),
        because: "it is wanted".to_owned(),
        intent,
    }
}

fn entries(count: usize, intent: bool) -> Batch {
    Batch {
        entries: vec![entry("start", intent); count],
        ..Batch::default()
    }
}

fn record(name: &str, body: Value) -> Batch {
    Batch {
        records: vec![("component".to_owned(), name.to_owned(), Some(body))],
        ..Batch::default()
    }
}

async fn seqs(store: &Store) -> Vec<Seq> {
    let newest = store.newest(None, u32::MAX).await.unwrap();
    newest.iter().map(|written| written.seq).collect()
}

async fn version(store: &Store) -> i64 {
    let mut writer = store.writer.lock().await;
    let query = sqlx::query("SELECT version FROM shape");
    let row = query.fetch_one(writer.settled().await).await.unwrap();
    row.get(0)
}

#[test]
fn migrations_are_numbered_from_one_without_a_gap() {
    for list in [MIGRATIONS, FUTURE] {
        for (place, migration) in (1..).zip(list) {
            assert_eq!(migration.to, place);
        }
    }
}

#[tokio::test]
async fn a_store_of_every_older_shape_is_brought_up_to_date_with_what_it_holds() {
    for older in 1..=FUTURE.len() {
        let folder = tempfile::tempdir().unwrap();
        let store = open::open(folder.path(), at(0), &FUTURE[..older]).await.unwrap();
        store.write(entries(3, true), at(1)).await.unwrap();
        store.write(record("web", json!(1)), at(1)).await.unwrap();
        let (journal, records) = (
            store.newest(None, 10).await.unwrap(),
            store.records("component").await.unwrap(),
        );
        store.close().await.unwrap();

        let store = open::open(folder.path(), at(2), FUTURE).await.unwrap();
        assert_eq!(version(&store).await, 3);
        assert_eq!(store.newest(None, 10).await.unwrap(), journal);
        assert_eq!(store.records("component").await.unwrap(), records);
        let mut writer = store.writer.lock().await;
        let query = sqlx::query("SELECT count(*) FROM noted");
        let noted: i64 = query.fetch_one(writer.settled().await).await.unwrap().get(0);
        assert_eq!(noted, i64::from(older < 2), "from shape {older}");
    }
}

#[tokio::test]
async fn a_store_of_a_newer_shape_is_refused_and_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let store = open::open(folder.path(), at(0), FUTURE).await.unwrap();
    store.write(entries(1, false), at(1)).await.unwrap();
    store.close().await.unwrap();

    let refusal = Store::open(folder.path(), at(2)).await.unwrap_err();
    assert!(
        matches!(
            refusal,
            StoreError::Newer {
                found: 3,
                known: 1,
                ..
            }
        ),
        "{refusal}"
    );
    let store = open::open(folder.path(), at(3), FUTURE).await.unwrap();
    assert_eq!((version(&store).await, seqs(&store).await), (3, vec![1]));
}

#[tokio::test]
async fn a_migration_that_is_refused_has_not_happened() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path(), at(0)).await.unwrap();
    store.write(record("web", json!(1)), at(1)).await.unwrap();
    store.close().await.unwrap();

    let refusal = open::open(folder.path(), at(2), BROKEN).await.unwrap_err();
    assert!(matches!(refusal, StoreError::Database { .. }), "{refusal}");
    let store = Store::open(folder.path(), at(3)).await.unwrap();
    assert_eq!(version(&store).await, 1);
    store.close().await.unwrap();
    let store = open::open(folder.path(), at(4), FUTURE).await.unwrap();
    assert_eq!(version(&store).await, 3);
}

const MIGRATES: &str = "TOWPATH_STORE_TEST_MIGRATES";

#[tokio::test]
async fn a_migration_that_is_killed_is_done_again() {
    if let Some(folder) = std::env::var_os(MIGRATES) {
        open::open(Path::new(&folder), at(2), SLOW).await.unwrap();
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path(), at(0)).await.unwrap();
    store.write(record("web", json!(1)), at(1)).await.unwrap();
    store.close().await.unwrap();

    let mut child = Command::new(std::env::current_exe().unwrap())
        .args([
            "--exact",
            "tests::a_migration_that_is_killed_is_done_again",
            "--nocapture",
        ])
        .env(MIGRATES, folder.path())
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    // All that it does before takes a few milliseconds: with a third of a second of work behind it, it is in the middle.
    while ticks(&child) < 30 {
        assert_eq!(child.try_wait().unwrap(), None, "it ended by itself");
        tokio::task::yield_now().await;
    }
    child.kill().unwrap();
    child.wait().unwrap();

    let store = open::open(folder.path(), at(3), FUTURE).await.unwrap();
    assert_eq!(version(&store).await, 3);
    assert_eq!(
        store.records("component").await.unwrap(),
        [("web".to_owned(), json!(1))]
    );
}

/// The processor time of a child, in hundredths of a second.
fn ticks(child: &Child) -> u64 {
    let text = std::fs::read_to_string(format!("/proc/{}/stat", child.id())).unwrap();
    let (_, after) = text.rsplit_once(") ").unwrap();
    let mut fields = after.split(' ').skip(11);
    let mut next = || fields.next().unwrap().parse::<u64>().unwrap();
    next() + next()
}

#[tokio::test]
async fn the_journal_keeps_its_newest_entries_and_every_open_intent() {
    let store = Store::in_memory().await.unwrap();
    store.writer.lock().await.keep(100);
    let open = store.write(entries(5, true), at(0)).await.unwrap();
    for second in 0..500 {
        store.write(entries(3, false), at(second)).await.unwrap();
    }
    let kept = seqs(&store).await;
    assert_eq!(kept[..5], open);
    assert_eq!(kept.last(), Some(&1505));
    // What is newer than the measure is all there; of what is older, less than one pruning waits.
    assert!(kept.len() >= 105 && kept.len() < 105 + 64 + 3, "{}", kept.len());
    assert!((1406..=1505).all(|seq| kept.contains(&seq)));

    let outcomes = open.iter().map(|of| Outcome {
        of: *of,
        done: true,
        body: Value::Null,
    });
    let settled = Batch {
        outcomes: outcomes.collect(),
        ..Batch::default()
    };
    store.write(settled, at(501)).await.unwrap();
    store.write(entries(200, false), at(502)).await.unwrap();
    let kept = seqs(&store).await;
    assert!(!open.iter().any(|of| kept.contains(of)));
}

#[tokio::test]
async fn after_an_age_of_open_intents_the_journal_shrinks_in_small_steps() {
    let store = Store::in_memory().await.unwrap();
    store.writer.lock().await.keep(100);
    let open = store.write(entries(2000, true), at(0)).await.unwrap();
    let outcomes = open.iter().map(|of| Outcome {
        of: *of,
        done: false,
        body: Value::Null,
    });
    let settled = Batch {
        outcomes: outcomes.collect(),
        ..Batch::default()
    };
    store.write(settled, at(1)).await.unwrap();
    let mut before = seqs(&store).await.len();
    for second in 2..100 {
        store.write(entries(1, false), at(second)).await.unwrap();
        let now = seqs(&store).await.len();
        assert!(before + 1 - now <= 2 * (64 + 2), "{before} became {now} at once");
        before = now;
    }
    assert!(before < 100 + 64 + 1, "{before}");
}

#[tokio::test]
async fn the_file_stays_as_large_as_its_fullest_moment() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path(), at(0)).await.unwrap();
    store.writer.lock().await.keep(500);
    let mut sizes = Vec::new();
    for second in 0..200 {
        store.write(entries(50, false), at(second)).await.unwrap();
        if second % 40 == 39 {
            let files = ["store.db", "store.db-wal"];
            let sizes_now = files.map(|file| std::fs::metadata(folder.path().join(file)).unwrap().len());
            sizes.push(sizes_now.iter().sum::<u64>());
        }
    }
    let most = 500 * 400 + 2 * 1024 * 1024;
    assert!(sizes.iter().all(|size| *size < most), "{sizes:?}");
}

#[tokio::test]
async fn a_database_that_may_not_grow_is_full_and_works_again_when_it_may() {
    let store = Store::in_memory().await.unwrap();
    let pages = async |most: u32| {
        let text = format!("PRAGMA max_page_count = {most}");
        let mut writer = store.writer.lock().await;
        let connection = writer.settled().await;
        sqlx::raw_sql(sqlx::AssertSqlSafe(text))
            .execute(connection)
            .await
            .unwrap();
    };
    pages(40).await;
    let mut kept = 0;
    let refusal = loop {
        match store.write(entries(20, false), at(0)).await {
            Ok(_) => kept += 20,
            Err(refusal) => break refusal,
        }
    };
    assert!(matches!(refusal, StoreError::Full { .. }), "{refusal}");
    assert!(refusal.may_pass());
    assert_eq!(seqs(&store).await.len(), kept);
    store.write(entries(500, false), at(1)).await.unwrap_err();
    assert_eq!(seqs(&store).await.len(), kept);
    pages(4000).await;
    let last = i64::try_from(kept).unwrap();
    let numbers = store.write(entries(20, false), at(2)).await.unwrap();
    assert_eq!(numbers, (last + 1..=last + 20).collect::<Vec<_>>());
}

#[tokio::test]
async fn a_write_that_nobody_waits_for_any_more_is_whole_or_has_not_happened() {
    let store = Store::in_memory().await.unwrap();
    let mut dropped = 0;
    for polls in 0..60 {
        let before = seqs(&store).await;
        let finished = {
            let mut batch = entries(3, true);
            batch.records = record("web", json!(polls)).records;
            poll_so_often(store.write(batch, at(polls)), polls).await
        };
        let after = seqs(&store).await;
        assert!(after.len() == before.len() || after.len() == before.len() + 3);
        let next = store.write(entries(1, false), at(polls)).await.unwrap();
        let last = after.last().copied().unwrap_or(0);
        assert_eq!(next, [last + 1]);
        dropped += i32::from(!finished);
    }
    assert!(dropped > 5, "only {dropped} were dropped under way");
}

/// Polls a future so often, and then drops it.
async fn poll_so_often(future: impl Future, polls: i64) -> bool {
    let mut future = pin!(future);
    for _ in 0..polls {
        let once = std::future::poll_fn(|context| Poll::Ready(future.as_mut().poll(context).is_ready()));
        if once.await {
            return true;
        }
        tokio::task::yield_now().await;
    }
    false
}
