//! Looking changes nothing: what is dead stays as it lies, and what runs goes on.
#![allow(
    clippy::unwrap_used,
    reason = "a step of a test that fails is a test that fails"
)]
#![allow(clippy::disallowed_methods, reason = "real processes are what is tested")]

mod bed;

use rustix::process::{Pid, Signal, kill_process, test_kill_process};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use towpath_engine::conformance::{Bed, Does, order};
use towpath_engine::process::{look, said};
use towpath_engine::{Engine, LogQuery};
use towpath_keeper::{Facts, Layout};
use towpath_model::run::Life;

/// Every file and folder below one, with when it was changed.
fn all_below(folder: &Path, all: &mut BTreeMap<PathBuf, std::time::SystemTime>) {
    for entry in std::fs::read_dir(folder).unwrap().flatten() {
        let about = entry.metadata().unwrap();
        all.insert(entry.path(), about.modified().unwrap());
        if about.is_dir() {
            all_below(&entry.path(), all);
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_looks_changes_nothing() {
    let bed = bed::bed_without_groups();
    let (runs, killed) = {
        let engine = bed.anew();
        let mut dies = order(&bed, "web", 2, Does::Stays);
        dies.command = "setsid sleep 1000 & echo $!; exec sleep 1000".to_owned();
        let runs = engine.start(order(&bed, "web", 1, Does::Stays)).await.unwrap();
        (runs, engine.start(dies).await.unwrap())
    };
    let query = || LogQuery {
        components: vec![killed.id.component.clone()],
        ..LogQuery::default()
    };
    let mut daemon = None;
    while daemon.is_none() {
        let mut lines = said(bed.state.path(), query()).unwrap();
        while let Some(line) = lines.recv().await {
            daemon = daemon.or(line.text.parse().ok().and_then(Pid::from_raw));
        }
    }
    let facts = Facts::read(&Layout::new(bed.state.path()), &killed.id).unwrap();
    kill_process(Pid::from_raw(facts.keeper.cast_signed()).unwrap(), Signal::KILL).unwrap();
    let (mut before, mut after) = (BTreeMap::new(), BTreeMap::new());
    // One that was killed before it had written down anything is nobody.
    std::fs::create_dir(bed.state.path().join("instances/web.3")).unwrap();
    let seen = loop {
        before.clear();
        all_below(bed.state.path(), &mut before);
        let seen = look(bed.state.path()).await.unwrap();
        if seen.len() == 2 && seen[1].life == Life::Lost {
            break seen;
        }
        // It takes a moment to be gone.
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    };
    all_below(bed.state.path(), &mut after);
    assert_eq!(before, after);
    assert_eq!(seen[0], runs);
    // What it has left is ended by who adopts it, and not by who looks.
    let daemon = daemon.unwrap();
    let lives = test_kill_process(daemon).is_ok();
    let _ = kill_process(daemon, Signal::KILL);
    assert!(lives);
    std::fs::remove_dir(bed.state.path().join("instances/web.3")).unwrap();
    bed.clear().await;
}
