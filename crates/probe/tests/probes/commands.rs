//! Commands: what they are told, how they end, and that nothing of them is left.

use crate::kit::{aim, told, tried};
use std::path::Path;
use std::time::{Duration, Instant};
use towpath_probe::Aim;

#[tokio::test]
async fn a_command_knows_whom_it_is_about_and_what_it_writes_is_looked_at() {
    let at = "127.0.0.1:4711".parse().unwrap();
    let asks = r#"
command = "printf '{\"url\":\"%s\",\"probe\":\"%s\"}' \"$TOWPATH_PROBE_URL\" \"$TOWPATH_PROBE\""
expect = ["url = http://127.0.0.1:4711", "probe = it"]
"#;
    assert_eq!(told(&tried(asks, &aim(&[at])).await), "pass");
}

#[tokio::test]
async fn a_command_that_fails_is_told_with_its_last_words() {
    let all = [
        told(
            &tried(
                "command = \"echo before; echo hunter2hunter2 is wrong >&2; exit 3\"",
                &aim(&[]),
            )
            .await,
        ),
        told(&tried("command = \"echo no >&1; kill -9 $$\"", &aim(&[])).await),
        told(&tried("command = \"true\"\nexpect = \"body contains ok\"", &aim(&[])).await),
        told(
            &tried(
                "command = \"echo busy; sleep 1000\"\nwithin = \"200ms\"",
                &aim(&[]),
            )
            .await,
        ),
        told(
            &tried(
                "command = \"true\"",
                &Aim {
                    folder: "/nowhere".into(),
                    ..aim(&[])
                },
            )
            .await,
        ),
    ];
    insta::assert_snapshot!(all.join("\n"), @r#"
    FAIL probe `it`: `echo before; echo hunter2hunter2 is wrong >&2; exit 3`: it ended with exit code 3: [sealed] is wrong
    FAIL probe `it`: `echo no >&1; kill -9 $$`: it was ended by signal 9: no
    FAIL probe `it`: `true`: `body contains ok` is expected, and nothing came
    FAIL probe `it`: `echo busy; sleep 1000`: it still ran after 200ms, and was ended: busy
    open probe `it`: `true`: it cannot be started: No such file or directory (os error 2)
    "#);
}

#[tokio::test]
async fn whatever_a_command_has_started_ends_with_it() {
    let folder = tempfile::tempdir().unwrap();
    let aim = Aim {
        folder: folder.path().to_owned(),
        ..aim(&[])
    };
    for (name, ends) in [("left", "true"), ("over", "sleep 1000")] {
        let asks = format!("command = \"sleep 1000 & echo $! > {name}; {ends}\"\nwithin = \"2s\"");
        let outcome = tried(&asks, &aim).await;
        assert_eq!(told(&outcome) == "pass", name == "left", "{outcome:?}");
        let pid = std::fs::read_to_string(folder.path().join(name)).unwrap();
        let begun = Instant::now();
        while lives(pid.trim()) {
            assert!(begun.elapsed() < Duration::from_secs(30), "{pid} goes on");
            std::thread::sleep(Duration::from_millis(5));
        }
    }
}

/// Whether a process runs; one that nobody has buried yet does not.
fn lives(pid: &str) -> bool {
    let stat = std::fs::read_to_string(Path::new("/proc").join(pid).join("stat")).unwrap_or_default();
    let state = stat.rsplit(") ").next().and_then(|rest| rest.chars().next());
    !matches!(state, None | Some('Z' | 'X'))
}
