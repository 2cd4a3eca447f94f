//! A disk that is really full: a small file system in memory.
#![allow(clippy::unwrap_used, reason = "a test fails by it")]
#![allow(
    clippy::disallowed_methods,
    reason = "this test mounts a file system and fills it"
)]

use jiff::Timestamp;
use serde_json::json;
use std::path::Path;
use std::process::{Command, Stdio};
use towpath_store::{Artifacts, Batch, Entry, Store, StoreError};

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_700_000_000 + second).unwrap()
}

/// A file system of its own on a folder, taken down when dropped.
struct Mount<'a>(&'a Path);

impl<'a> Mount<'a> {
    fn new(folder: &'a Path, size: &str) -> Option<Self> {
        let mounted = Command::new("mount")
            .args(["-t", "tmpfs", "-o", &format!("size={size}"), "towpath-test"])
            .arg(folder)
            .stderr(Stdio::null())
            .status();
        mounted
            .is_ok_and(|status| status.success())
            .then_some(Mount(folder))
    }
}

impl Drop for Mount<'_> {
    fn drop(&mut self) {
        // Lazily: the thread of a dropped store may hold its file for another moment.
        let _ = Command::new("umount").arg("-l").arg(self.0).status();
    }
}

fn batch(of: usize) -> Batch {
    let entry = Entry {
        what: "start".to_owned(),
        subject: "web".to_owned(),
        body: json!("x".repeat(4000)),
        because: "it is wanted".to_owned(),
        intent: true,
    };
    Batch {
        entries: vec![entry; of],
        records: vec![("count".to_owned(), "last".to_owned(), Some(json!(of)))],
        ..Batch::default()
    }
}

fn fill(file: &Path) {
    let mut size = 1024 * 1024;
    let mut text = Vec::new();
    while size > 0 {
        text.resize(text.len() + size, b'x');
        if std::fs::write(file, &text).is_err() {
            text.truncate(text.len() - size);
            size /= 2;
        }
    }
}

#[tokio::test]
async fn a_full_disk_loses_nothing_and_the_same_call_works_when_there_is_room() {
    let folder = tempfile::tempdir().unwrap();
    let Some(_mount) = Mount::new(folder.path(), "6m") else {
        println!("left out: only root may mount a file system to fill");
        return;
    };
    let (inner, ballast) = (folder.path().join("store"), folder.path().join("ballast"));
    std::fs::write(&ballast, vec![b'x'; 3 * 1024 * 1024]).unwrap();
    let store = Store::open(&inner, at(0)).await.unwrap();
    let mut kept = 0;
    let refusal = loop {
        match store.write(batch(kept % 40 + 1), at(1)).await {
            Ok(seqs) => kept += seqs.len(),
            Err(refusal) => break refusal,
        }
        assert!(kept < 5000, "it is never full");
    };
    assert!(matches!(refusal, StoreError::Full { .. }), "{refusal:?}");
    assert!(refusal.to_string().starts_with("the disk is full: "), "{refusal}");
    let count = async |store: &Store| store.open_intents().await.unwrap().len();
    assert_eq!(count(&store).await, kept);
    let records = store.records("count").await.unwrap();

    // Whoever opens it on the full disk reads it all, and writes nothing.
    drop(store);
    fill(&folder.path().join("rest"));
    let store = Store::open(&inner, at(2)).await.unwrap();
    assert_eq!(count(&store).await, kept);
    assert_eq!(store.records("count").await.unwrap(), records);
    let refusal = loop {
        match store.write(batch(20), at(3)).await {
            Ok(seqs) => kept += seqs.len(),
            Err(refusal) => break refusal,
        }
    };
    assert!(matches!(refusal, StoreError::Full { .. }), "{refusal:?}");
    let refusal = Store::open(&folder.path().join("another"), at(3))
        .await
        .unwrap_err();
    assert!(matches!(refusal, StoreError::Full { .. }), "{refusal:?}");

    std::fs::remove_file(&ballast).unwrap();
    let seqs = store.write(batch(20), at(4)).await.unwrap();
    let first = i64::try_from(kept).unwrap() + 1;
    assert_eq!(seqs, (first..first + 20).collect::<Vec<_>>());
    store.close().await.unwrap();
    let store = Store::open(&inner, at(5)).await.unwrap();
    assert_eq!(count(&store).await, kept + 20);
    store.close().await.unwrap();
}

#[tokio::test]
async fn a_full_disk_has_nothing_half_among_the_artifacts() {
    let folder = tempfile::tempdir().unwrap();
    let Some(_mount) = Mount::new(folder.path(), "3m") else {
        println!("left out: only root may mount a file system to fill");
        return;
    };
    let root = folder.path().join("artifacts");
    let artifacts = Artifacts::open(&root);
    let text = vec![b'x'; 1024 * 1024];
    let digest = blake3::hash(&text).to_hex().to_string();
    artifacts.put(&digest, text.as_slice()).await.unwrap();

    let large = vec![b'y'; 4 * 1024 * 1024];
    let too_large = blake3::hash(&large).to_hex().to_string();
    let refusal = artifacts.put(&too_large, large.as_slice()).await.unwrap_err();
    assert!(matches!(refusal, StoreError::Full { .. }), "{refusal:?}");
    let entry = || towpath_model::run::Entry::File {
        digest: digest.clone(),
        bytes: text.len() as u64,
        runs: false,
    };
    let entries = (0..3).map(|number| (number.to_string(), entry())).collect();
    let tree = towpath_model::run::Tree { entries };
    let refusal = artifacts.lay_out("t", &tree).await.unwrap_err();
    assert!(matches!(refusal, StoreError::Full { .. }), "{refusal:?}");

    // All that was begun is gone again, and what was there is there.
    assert!(!root.join("trees/t").exists());
    assert_eq!(std::fs::read_dir(root.join("coming")).unwrap().count(), 0);
    assert_eq!(artifacts.missing(&[digest, too_large.clone()]).await, [too_large]);
    let another = vec![b'z'; 1024 * 1024];
    let named = blake3::hash(&another).to_hex().to_string();
    artifacts.put(&named, another.as_slice()).await.unwrap();
}
