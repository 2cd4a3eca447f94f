//! A server is killed in the middle of writes: what was acknowledged is there and whole, and nothing is there in part.
#![allow(clippy::unwrap_used, reason = "a test fails by it")]
#![allow(
    clippy::disallowed_methods,
    reason = "this test starts and kills a process of its own"
)]

mod kit;

use kit::{Client, pattern, settings};
use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::net::TcpListener;
use towpath_bucket::serve;

const CHILD: &str = "TOWPATH_BUCKET_TEST_SERVES";
const NAME: &str = "what_was_acknowledged_survives_a_kill_and_nothing_is_there_in_part";

/// So many servers are killed.
const KILLS: u64 = 12;

/// So many write at once.
const WRITERS: u64 = 4;

/// Serves until it is killed.
async fn serve_for_ever(folder: &Path) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let mut out = std::io::stdout();
    writeln!(out, "port {}", listener.local_addr().unwrap().port()).unwrap();
    out.flush().unwrap();
    serve(listener, settings(folder), std::future::pending())
        .await
        .unwrap();
}

fn start(folder: &Path) -> (Child, u16) {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", NAME, "--nocapture"])
        .env(CHILD, folder)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let port = lines.find_map(|line| line.unwrap().strip_prefix("port ")?.parse().ok());
    (child, port.unwrap())
}

/// How long an object is: some are one write, some many.
fn length(key: u64) -> usize {
    usize::try_from(key % 7 * 300_000 + 1).unwrap()
}

/// Writes one object after the other until nobody answers, and remembers what was acknowledged.
async fn write(port: u16, first: u64, kept: Arc<Mutex<BTreeMap<u64, usize>>>) {
    let client = Client::new(port);
    for key in (first..).step_by(usize::try_from(WRITERS).unwrap()) {
        let body = pattern(key, length(key));
        match client.put(&format!("key/{key}"), body).await {
            Some(200) => {
                kept.lock().unwrap().insert(key, length(key));
            }
            Some(other) => panic!("it said {other}"),
            None => return,
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_acknowledged_survives_a_kill_and_nothing_is_there_in_part() {
    if let Some(folder) = std::env::var_os(CHILD) {
        serve_for_ever(Path::new(&folder)).await;
    }
    let folder = tempfile::tempdir().unwrap();
    let kept = Arc::new(Mutex::new(BTreeMap::new()));
    let mut next = 0;
    for kill in 0..KILLS {
        let (mut child, port) = start(folder.path());
        kit::until_well(port).await;
        let writers: Vec<_> = (0..WRITERS)
            .map(|writer| tokio::spawn(write(port, next + writer, Arc::clone(&kept))))
            .collect();
        let (before, wanted) = (
            kept.lock().unwrap().len(),
            usize::try_from(kill % 5 * 3 + 2).unwrap(),
        );
        while kept.lock().unwrap().len() < before + wanted {
            tokio::time::sleep(Duration::from_micros(200 + kill * 130)).await;
        }
        child.kill().unwrap();
        child.wait().unwrap();
        for writer in writers {
            writer.await.unwrap();
        }
        next += 1000;
        let acknowledged = kept.lock().unwrap().clone();
        check(folder.path(), &acknowledged).await;
    }
}

/// Everything that was acknowledged is there, everything that is there is whole, and no file is there for nothing.
async fn check(folder: &Path, kept: &BTreeMap<u64, usize>) {
    let (mut child, port) = start(folder);
    kit::until_well(port).await;
    let client = Client::new(port);
    let keys = client.keys().await;
    let mut bytes = 0;
    for key in &keys {
        let number: u64 = key.strip_prefix("key/").unwrap().parse().unwrap();
        let body = client.get(key).await.unwrap();
        assert!(body == pattern(number, length(number)), "{key} is there in part");
        bytes += body.len();
    }
    for key in kept.keys() {
        assert!(keys.contains(&format!("key/{key}")), "{key} was acknowledged");
    }
    assert_eq!(std::fs::read_dir(folder.join("making")).unwrap().count(), 0);
    assert_eq!(kit::files(&folder.join("content")), (keys.len(), bytes));
    child.kill().unwrap();
    child.wait().unwrap();
}
