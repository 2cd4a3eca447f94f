//! Commands as people write them: ones that print a number, and all the others.
#![allow(clippy::unwrap_used, reason = "a test fails by it")]
#![allow(clippy::disallowed_methods, reason = "these tests run real commands")]

mod kit;

use kit::read;
use serde_json::json;
use std::time::{Duration, Instant};
use towpath_measure::Sources;
use towpath_model::Sealed;
use towpath_model::run::Reading;

fn sources(folder: &std::path::Path, millis: u64) -> Sources {
    Sources {
        folder: folder.to_owned(),
        environment: vec![
            ("PATH".to_owned(), Sealed::new("/usr/bin:/bin".to_owned())),
            ("TOKEN".to_owned(), Sealed::new("hunter2".to_owned())),
        ],
        bound: towpath_model::unit::Duration::from_millis(millis),
        ..Sources::default()
    }
}

#[tokio::test]
async fn what_a_command_prints_is_the_number() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("depth"), "17").unwrap();
    let sources = sources(folder.path(), 20_000);
    let of = |command: &str| json!({ "command": command });
    assert_eq!(read(&of("cat depth"), &sources).await, Ok(Reading::Level(17.0)));
    assert_eq!(
        read(&of("echo for people >&2; echo 2.5"), &sources).await,
        Ok(Reading::Level(2.5))
    );
    let told = read(&of("echo depth: 3"), &sources).await.unwrap_err();
    assert!(
        told.starts_with("`echo depth: 3` printed `depth: 3`; it has to print one number"),
        "{told}"
    );
    assert!(
        read(&of("true"), &sources)
            .await
            .unwrap_err()
            .contains("printed nothing")
    );
    assert!(
        read(&of("echo 1; echo 2"), &sources)
            .await
            .unwrap_err()
            .contains("one number")
    );
    let told = read(&of("echo \"no: $TOKEN\" >&2; exit 3"), &sources)
        .await
        .unwrap_err();
    assert!(told.ends_with("ended with exit code 3: no: [sealed]"), "{told}");
}

#[tokio::test]
async fn a_command_has_its_time_and_leaves_nobody_behind() {
    let folder = tempfile::tempdir().unwrap();
    // Long enough for a shell to begin on a busy machine.
    let sources = sources(folder.path(), 3_000);
    let told = read(
        &json!({ "command": "sleep 1000 & echo $! > child; wait" }),
        &sources,
    )
    .await
    .unwrap_err();
    assert!(told.contains("did not end within 3s"), "{told}");
    let child = std::fs::read_to_string(folder.path().join("child")).unwrap();
    let begun = Instant::now();
    while is_alive(child.trim()) {
        assert!(begun.elapsed() < Duration::from_secs(60), "{child} lives");
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// Whether a process is there and has not ended.
fn is_alive(pid: &str) -> bool {
    let status = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    let state = status
        .rsplit(')')
        .next()
        .and_then(|rest| rest.split_whitespace().next().map(str::to_owned));
    state.is_some_and(|state| state != "Z" && state != "X")
}

#[tokio::test]
async fn a_command_that_never_stops_printing_fills_no_memory() {
    let folder = tempfile::tempdir().unwrap();
    let told = read(&json!({ "command": "yes 1" }), &sources(folder.path(), 500))
        .await
        .unwrap_err();
    assert!(told.contains("did not end within 500ms"), "{told}");
}
