//! The store as its callers see it: what is written is read back, by one owner at a time.
#![allow(clippy::unwrap_used, reason = "a test fails by it")]
#![allow(
    clippy::disallowed_methods,
    reason = "these tests look at the files that are made"
)]

use jiff::Timestamp;
use serde_json::{Value, json};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use tokio::task::JoinSet;
use towpath_model::sealed::Sealed;
use towpath_store::{Batch, Entry, Outcome, Store, StoreError};

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_700_000_000 + second).unwrap()
}

fn entry(what: &str, subject: &str, intent: bool) -> Entry {
    Entry {
        what: what.to_owned(),
        subject: subject.to_owned(),
        body: json!({"port": 4000, "env": {"A": "b"}, "none": null}),
        because: format!("`{subject}` is wanted"),
        intent,
    }
}

fn of_entries(entries: Vec<Entry>) -> Batch {
    Batch {
        entries,
        ..Batch::default()
    }
}

fn of_outcome(of: i64, done: bool, body: Value) -> Batch {
    Batch {
        outcomes: vec![Outcome { of, done, body }],
        ..Batch::default()
    }
}

fn of_record(name: &str, body: Option<Value>) -> Batch {
    Batch {
        records: vec![("component".to_owned(), name.to_owned(), body)],
        ..Batch::default()
    }
}

fn mode(path: &Path) -> u32 {
    std::fs::metadata(path).unwrap().permissions().mode() & 0o777
}

#[tokio::test]
async fn what_was_written_is_read_back_by_the_next_one_to_open_it() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path(), at(0)).await.unwrap();
    let start = entry("start", "web.1", true);
    let applied = entry("apply", "web", false);
    let batch = of_entries(vec![start.clone(), applied.clone()]);
    assert_eq!(store.write(batch, at(1)).await.unwrap(), [1, 2]);
    store
        .write(of_outcome(1, true, json!({"pid": 7})), at(2))
        .await
        .unwrap();
    store.close().await.unwrap();

    let store = Store::open(folder.path(), at(3)).await.unwrap();
    let newest = store.newest(None, 10).await.unwrap();
    assert_eq!(newest.len(), 2);
    assert_eq!(
        (newest[0].seq, newest[0].at, &newest[0].entry),
        (1, at(1), &start)
    );
    let outcome = newest[0].outcome.as_ref().unwrap();
    assert_eq!(
        (outcome.of, outcome.done, &outcome.body),
        (1, true, &json!({"pid": 7}))
    );
    assert_eq!((&newest[1].entry, &newest[1].outcome), (&applied, &None));
    assert_eq!(store.write(of_entries(vec![start]), at(4)).await.unwrap(), [3]);
}

#[tokio::test]
async fn the_newest_entries_are_told_oldest_first_and_of_one_subject_where_it_is_named() {
    let store = Store::in_memory().await.unwrap();
    let entries = (0..10).map(|n| entry("start", ["web", "bot"][n % 2], false));
    store.write(of_entries(entries.collect()), at(0)).await.unwrap();
    let seqs = async |subject, most| {
        let newest = store.newest(subject, most).await.unwrap();
        newest.iter().map(|written| written.seq).collect::<Vec<_>>()
    };
    assert_eq!(seqs(None, 3).await, [8, 9, 10]);
    assert_eq!(seqs(Some("web"), 2).await, [7, 9]);
    assert_eq!(seqs(Some("nobody"), 2).await, [0; 0]);
    assert_eq!(seqs(None, 0).await, [0; 0]);
}

#[tokio::test]
async fn an_intent_is_open_until_its_first_outcome_which_stands() {
    let store = Store::in_memory().await.unwrap();
    let entries = vec![
        entry("start", "web.1", true),
        entry("start", "web.2", true),
        entry("apply", "web", false),
    ];
    store.write(of_entries(entries), at(0)).await.unwrap();
    store
        .write(of_outcome(1, false, json!("no port")), at(1))
        .await
        .unwrap();
    // A second outcome, that of what is no intent, and that of what is not there.
    for of in [1, 3, 99] {
        store
            .write(of_outcome(of, true, Value::Null), at(2))
            .await
            .unwrap();
    }
    let open = store.open_intents().await.unwrap();
    assert_eq!(open.iter().map(|written| written.seq).collect::<Vec<_>>(), [2]);
    let newest = store.newest(None, 10).await.unwrap();
    let outcome = newest[0].outcome.as_ref().unwrap();
    assert_eq!((outcome.done, &outcome.body), (false, &json!("no port")));
    assert_eq!(newest[2].outcome, None);
}

#[tokio::test]
async fn a_record_stands_until_it_is_replaced_or_removed() {
    let store = Store::in_memory().await.unwrap();
    for (name, body) in [
        ("web", Some(json!(1))),
        ("bot", Some(json!({"b": 1, "a": 2}))),
        ("web", Some(json!(2))),
    ] {
        store.write(of_record(name, body), at(0)).await.unwrap();
    }
    let records = store.records("component").await.unwrap();
    assert_eq!(
        records,
        [
            ("bot".to_owned(), json!({"b": 1, "a": 2})),
            ("web".to_owned(), json!(2))
        ]
    );
    store.write(of_record("bot", None), at(1)).await.unwrap();
    store.write(of_record("nobody", None), at(1)).await.unwrap();
    assert_eq!(
        store.records("component").await.unwrap(),
        [("web".to_owned(), json!(2))]
    );
    assert_eq!(store.records("instance").await.unwrap(), []);
}

#[tokio::test]
async fn a_large_batch_is_one_batch() {
    let store = Store::in_memory().await.unwrap();
    let batch = of_entries(vec![entry("start", "web", true); 3001]);
    let seqs = store.write(batch, at(0)).await.unwrap();
    assert_eq!(seqs, (1..=3001).collect::<Vec<_>>());
    assert_eq!(store.open_intents().await.unwrap().len(), 3001);
}

#[tokio::test]
async fn a_batch_without_anything_is_written_too() {
    let store = Store::in_memory().await.unwrap();
    assert_eq!(store.write(Batch::default(), at(0)).await.unwrap(), [0; 0]);
}

#[tokio::test]
async fn several_writers_at_once_get_numbers_of_their_own() {
    let store = Arc::new(Store::in_memory().await.unwrap());
    let mut writes = JoinSet::new();
    for n in 0..20 {
        let store = Arc::clone(&store);
        let entries = vec![entry("start", "web", false); n % 4];
        writes.spawn(async move { store.write(of_entries(entries), at(0)).await.unwrap() });
    }
    let mut seqs = writes.join_all().await.concat();
    seqs.sort_unstable();
    assert_eq!(seqs, (1..=30).collect::<Vec<_>>());
}

#[tokio::test]
async fn whoever_comes_second_is_told_who_has_it_and_since_when() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path(), at(0)).await.unwrap();
    let refusal = Store::open(folder.path(), at(1)).await.unwrap_err();
    let StoreError::Held { pid, since, .. } = &refusal else {
        panic!("{refusal}")
    };
    assert_eq!((*pid, since), (std::process::id(), &at(0).to_string()));
    store.close().await.unwrap();
    Store::open(folder.path(), at(2)).await.unwrap();
}

#[tokio::test]
async fn a_store_that_was_dropped_is_opened_again_with_all_it_had() {
    let folder = tempfile::tempdir().unwrap();
    for round in 1..=20 {
        let store = Store::open(folder.path(), at(round)).await.unwrap();
        let batch = of_entries(vec![entry("start", "web", false)]);
        assert_eq!(store.write(batch, at(round)).await.unwrap(), [round]);
        drop(store);
    }
}

#[tokio::test]
async fn a_child_that_lives_on_does_not_hold_the_lock() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path(), at(0)).await.unwrap();
    let mut child = Command::new("cat").stdin(Stdio::piped()).spawn().unwrap();
    drop(store);
    let opened = Store::open(folder.path(), at(1)).await;
    let lived = child.try_wait().unwrap().is_none();
    drop(child.stdin.take());
    child.wait().unwrap();
    assert!(lived);
    opened.unwrap();
}

#[tokio::test]
async fn folder_and_files_are_for_their_owner_alone() {
    let folder = tempfile::tempdir().unwrap();
    let inner = folder.path().join("a/b");
    let store = Store::open(&inner, at(0)).await.unwrap();
    store
        .write(of_record("web", Some(json!(1))), at(0))
        .await
        .unwrap();
    assert_eq!(mode(&inner), 0o700);
    for file in ["lock", "store.db", "store.db-wal"] {
        assert_eq!(mode(&inner.join(file)), 0o600, "{file}");
    }
}

#[tokio::test]
async fn a_clean_end_leaves_one_file_and_a_lock_without_a_name() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path(), at(0)).await.unwrap();
    store
        .write(of_record("web", Some(json!(1))), at(0))
        .await
        .unwrap();
    store.close().await.unwrap();
    let mut files: Vec<_> = std::fs::read_dir(folder.path())
        .unwrap()
        .map(|file| file.unwrap().file_name().into_string().unwrap())
        .collect();
    files.sort();
    assert_eq!(files, ["lock", "store.db"]);
    assert_eq!(std::fs::read(folder.path().join("lock")).unwrap(), b"");
}

#[tokio::test]
async fn a_file_that_is_no_store_is_refused_and_left_as_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("store.db");
    std::fs::write(&file, "somebody's letters\n".repeat(500)).unwrap();
    let refusal = Store::open(folder.path(), at(0)).await.unwrap_err();
    assert!(
        matches!(refusal, StoreError::Database { doing: "opening", .. }),
        "{refusal}"
    );
    assert_eq!(
        std::fs::read_to_string(&file).unwrap(),
        "somebody's letters\n".repeat(500)
    );
}

#[tokio::test]
async fn a_folder_that_cannot_be_made_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    std::fs::write(&file, "").unwrap();
    let refusal = Store::open(&file.join("store"), at(0)).await.unwrap_err();
    let said = refusal.to_string();
    assert!(
        said.starts_with("making the folder of the store failed in "),
        "{said}"
    );
    assert!(said.ends_with("/file/store"), "{said}");
}

#[tokio::test]
async fn a_sealed_value_does_not_reach_the_disk() {
    const SECRET: &str = "correct-horse-battery-staple";
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path(), at(0)).await.unwrap();
    let env = vec![("TOKEN".to_owned(), Sealed::new(SECRET.to_owned()))];
    let mut start = entry("start", "web.1", true);
    start.body = json!({ "env": format!("{env:?}") });
    start.because = format!("{:?} is new", env[0].1);
    store.write(of_entries(vec![start]), at(0)).await.unwrap();
    let mut seen = 0;
    for file in std::fs::read_dir(folder.path()).unwrap() {
        let bytes = std::fs::read(file.unwrap().path()).unwrap();
        let holds = |text: &str| bytes.windows(text.len()).any(|part| part == text.as_bytes());
        assert!(!holds(SECRET));
        seen += i32::from(holds("TOKEN"));
    }
    assert_eq!(seen, 1, "the entry itself stands in one of the files");
}
