//! A tree of 50,000 files, watched: what it costs is printed, that it works is asserted.
//!
//! `cargo test -p towpath-steward --release --test large_tree -- --nocapture` prints the figures.
#![allow(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    reason = "what is measured are real files and a real clock, and a test may fail"
)]

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
use towpath_model::desired::component::WatchAction;
use towpath_model::run::WatchRule;
use towpath_model::unit::{Name, known};
use towpath_steward::watch::{Event, Watcher};

/// Longer than any machine takes; a test that waits so long has failed.
const LONGEST: Duration = Duration::from_secs(120);

/// How long it is looked at while nothing happens.
const IDLE: Duration = Duration::from_secs(3);

const FOLDERS: usize = 2_000;
const FILES_IN_EACH: usize = 25;
const EDITS: usize = 30;

struct Large {
    folder: tempfile::TempDir,
}

impl Large {
    fn new() -> Self {
        let large = Large {
            folder: tempfile::tempdir().unwrap(),
        };
        for at in 0..FOLDERS {
            let folder = large
                .base()
                .join(format!("part-{}/group-{}/folder-{at}", at % 7, at % 50));
            fs::create_dir_all(&folder).unwrap();
            for file in 0..FILES_IN_EACH {
                fs::write(
                    folder.join(format!("file-{file}.rs")),
                    format!("{at} {file}\n").repeat(40),
                )
                .unwrap();
            }
        }
        for at in 0..5_000 {
            let folder = large.base().join(format!("node_modules/package-{}", at % 500));
            fs::create_dir_all(&folder).unwrap();
            fs::write(folder.join(format!("{at}.js")), "ignored").unwrap();
        }
        large
    }

    fn base(&self) -> PathBuf {
        self.folder.path().join("p")
    }

    fn record(&self) -> PathBuf {
        self.folder.path().join("state/watch.seen")
    }

    /// Watches everything, and answers when the first look is done, with what it says of itself.
    async fn watch(&self) -> (Watcher, UnboundedReceiver<Event>, String) {
        let rule = WatchRule {
            path: known("."),
            action: WatchAction::Restart,
            ignore: vec![known("*.tmp")],
        };
        let (sender, mut events) = unbounded_channel();
        let web: Name = known("web");
        let state = self.folder.path().join("state");
        let watcher = Watcher::new(vec![(web, rule)], &self.base(), &state, sender).unwrap();
        match next(&mut events).await {
            Event::Watching { folders, files, took } => {
                assert_eq!(files, FOLDERS * FILES_IN_EACH);
                (
                    watcher,
                    events,
                    format!("{files} files, {folders} folders, {took:.1?}"),
                )
            }
            other => panic!("the first event says that it is watched: {other:?}"),
        }
    }
}

async fn next(events: &mut UnboundedReceiver<Event>) -> Event {
    tokio::time::timeout(LONGEST, events.recv())
        .await
        .expect("an event comes")
        .expect("it is watched")
}

/// The processor time of this process, in milliseconds, as /proc counts it: in hundredths of a second.
fn processor() -> u64 {
    let stat = fs::read_to_string("/proc/self/stat").unwrap();
    let fields: Vec<&str> = stat.rsplit(") ").next().unwrap().split(' ').collect();
    (fields[11].parse::<u64>().unwrap() + fields[12].parse::<u64>().unwrap()) * 10
}

/// The memory of this process that is its own, in KiB.
fn memory() -> u64 {
    let text = fs::read_to_string("/proc/self/smaps_rollup").unwrap();
    let field = |name: &str| -> u64 {
        let line = text.lines().find(|line| line.starts_with(name)).unwrap();
        line.split_whitespace().nth(1).unwrap().parse().unwrap()
    };
    field("Private_Clean:") + field("Private_Dirty:")
}

fn read_all(folder: &Path) -> usize {
    let mut read = 0;
    for entry in fs::read_dir(folder).unwrap() {
        let entry = entry.unwrap();
        read += if entry.file_type().unwrap().is_dir() {
            read_all(&entry.path())
        } else {
            usize::from(fs::read(entry.path()).is_ok())
        };
    }
    read
}

/// Waits until what was seen is written down for the first time.
async fn recorded(large: &Large) -> u64 {
    let look = async {
        while !large.record().is_file() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(LONGEST, look).await.expect("it is written");
    fs::metadata(large.record()).unwrap().len()
}

#[tokio::test]
async fn a_tree_of_fifty_thousand_files_is_watched_and_each_edit_is_told_once() {
    let large = Large::new();
    let (memory_before, processor_before) = (memory(), processor());
    let (watcher, mut events, first) = large.watch().await;
    let size = recorded(&large).await;
    println!("first look:        {first}");
    println!(
        "made known in all: {} ms of processor time",
        processor() - processor_before
    );
    println!(
        "memory:            {} KiB more than before",
        memory().saturating_sub(memory_before)
    );
    println!("record:            {} KiB", size / 1024);

    let before = processor();
    tokio::time::sleep(IDLE).await;
    println!(
        "idle:              {} ms of processor time in {IDLE:?}",
        processor() - before
    );

    let mut took = Vec::new();
    for edit in 0..EDITS {
        let path = large
            .base()
            .join(format!("part-{0}/group-{0}/folder-{0}/file-3.rs", edit % 7));
        fs::write(&path, format!("edit {edit}")).unwrap();
        let since = Instant::now();
        match next(&mut events).await {
            Event::Changed(change) => assert_eq!((change.paths, change.count), (vec![path], 1)),
            other => panic!("no change: {other:?}"),
        }
        took.push(since.elapsed());
    }
    took.sort();
    println!(
        "change to event:   median {:.1?}, longest {:.1?}",
        took[EDITS / 2],
        took[EDITS - 1]
    );

    // Whoever only reads does not wake anybody.
    assert_eq!(read_all(&large.base()), FOLDERS * FILES_IN_EACH + 5_000);
    assert!(events.try_recv().is_err());

    drop(watcher);
    let since = large.base().join("part-0/group-0/folder-0/file-0.rs");
    fs::write(&since, "while nobody watched").unwrap();
    let (_watcher, mut events, again) = large.watch().await;
    println!("next start:        {again}");
    match next(&mut events).await {
        Event::Changed(change) => assert_eq!((change.paths, change.count), (vec![since], 1)),
        other => panic!("no change: {other:?}"),
    }
}
