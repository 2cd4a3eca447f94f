//! Building with real commands.
#![allow(
    clippy::disallowed_methods,
    reason = "what is built are real files, by real processes"
)]

use super::*;
use std::collections::BTreeMap;
use std::fs;
use tempfile::TempDir;
use towpath_model::run::Place;
use towpath_model::unit::{Unit, known};

/// Longer than any machine takes; a test that waits so long has failed.
const LONGEST: Duration = Duration::from_secs(20);

struct Scene {
    folder: TempDir,
    builds: Builds,
}

impl Scene {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("p")).unwrap();
        let builds = Builds::open(&folder.path().join("state"), 2);
        Scene { folder, builds }
    }

    fn of(&self, path: &str) -> PathBuf {
        self.folder.path().join("p").join(path)
    }

    fn text(&self, path: &str) -> String {
        fs::read_to_string(self.of(path)).unwrap_or_default()
    }

    fn request(&self, name: &str, command: &str, inputs: &[&str]) -> Request {
        let build = Build {
            name: known(name),
            at: Place {
                file: "towpath.toml".into(),
                line: 7,
            },
            command: command.into(),
            dir: self.of("").to_str().unwrap().into(),
            env: BTreeMap::new(),
            inputs: inputs
                .iter()
                .map(|text| towpath_model::unit::Glob::parse(text).unwrap())
                .collect(),
            needs: vec![],
        };
        Request {
            build: Arc::new(build),
            env: vec![("PATH".into(), Sealed::new("/usr/bin:/bin".into()))],
            files: vec![],
            force: false,
            changed: false,
            outputs: vec![],
            lines: None,
        }
    }

    async fn run(&self, request: &Request) -> Outcome {
        tokio::time::timeout(LONGEST, self.builds.run(request.clone()))
            .await
            .expect("the build ends")
    }

    /// Waits until a file holds a text that ends its line.
    async fn line_in(&self, path: &str) -> String {
        let look = async {
            loop {
                let text = self.text(path);
                if text.ends_with('\n') {
                    return text.trim().to_owned();
                }
                tokio::time::sleep(Duration::from_millis(2)).await;
            }
        };
        tokio::time::timeout(LONGEST, look)
            .await
            .expect("the file is written")
    }
}

/// Whether a process is there and no zombie.
fn lives(pid: &str) -> bool {
    fs::read_to_string(format!("/proc/{pid}/stat")).is_ok_and(|stat| !stat.contains(") Z "))
}

async fn dies(pid: &str) {
    let look = async {
        while lives(pid) {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    };
    tokio::time::timeout(LONGEST, look)
        .await
        .expect("the process ends");
}

/// A command that starts what leaves its group and its parent, and writes both numbers.
const ESCAPES: &str = "setsid sh -c 'sleep 300 & echo $! >away; wait' >/dev/null 2>&1 & \
                       (sleep 300 & echo $! >near); echo begun >begun; sleep 300";

#[tokio::test]
async fn a_build_says_its_lines_and_keeps_them() {
    let scene = Scene::new();
    let mut request = scene.request("web", "echo one; echo two >&2; printf '%s' \"$GREETING\"", &[]);
    let (sender, mut lines) = mpsc::channel(16);
    request.lines = Some(sender);
    request.env.push(("GREETING".into(), Sealed::new("hello".into())));
    assert!(matches!(scene.run(&request).await, Outcome::Done { .. }));
    drop(request);
    let mut said = Vec::new();
    while let Some(line) = lines.recv().await {
        said.push(format!("{} {:?} {}", line.build, line.stream, line.text));
    }
    said.sort();
    assert_eq!(said, ["web Err two", "web Out hello", "web Out one"]);
    let log = fs::read_to_string(scene.folder.path().join("state/logs/build/web.log")).unwrap();
    assert_eq!(log.lines().count(), 3);
    assert!(
        fs::read_dir(scene.folder.path().join("state/build"))
            .unwrap()
            .next()
            .is_none()
    );
}

#[tokio::test]
async fn a_failure_says_how_it_ended_and_its_last_lines() {
    let scene = Scene::new();
    let ended = |outcome: Outcome| match outcome {
        Outcome::Failed { exit, last, .. } => (exit.to_string(), last),
        other => panic!("it failed: {other:?}"),
    };
    let (exit, last) = ended(scene.run(&scene.request("web", "seq 100; exit 3", &[])).await);
    assert_eq!(
        (exit.as_str(), last.len(), last[29].as_str()),
        ("ended with code 3", 30, "100")
    );
    let (exit, last) = ended(scene.run(&scene.request("web", "no-such-tool --x", &[])).await);
    assert_eq!(exit, "ended with code 127: its command was not found");
    assert!(last[0].contains("no-such-tool"), "{last:?}");
    let (exit, _) = ended(scene.run(&scene.request("web", "kill -9 $$", &[])).await);
    assert_eq!(exit, "killed by SIGKILL");
    let mut request = scene.request("web", "true", &[]);
    Arc::make_mut(&mut request.build).dir = "/nowhere/at/all".into();
    let (exit, _) = ended(scene.run(&request).await);
    assert_eq!(
        exit,
        "not started: there is no folder /nowhere/at/all\n\
         let `dir` of the build at towpath.toml:7 name one that is there"
    );
}

#[tokio::test]
async fn a_build_is_skipped_while_nothing_of_it_has_changed() {
    let scene = Scene::new();
    fs::create_dir(scene.of("src")).unwrap();
    fs::write(scene.of("src/a"), "1").unwrap();
    let mut request = scene.request(
        "web",
        "echo run >>runs; mkdir -p out; cp src/a out/a",
        &["src/**"],
    );
    request.outputs = vec![scene.of("out/a")];
    let runs = || scene.text("runs").lines().count();
    for _ in 0..3 {
        assert!(scene.run(&request).await.is_success());
    }
    assert_eq!(runs(), 1);
    fs::write(scene.of("src/a"), "1").unwrap();
    assert_eq!(scene.run(&request).await, Outcome::Unchanged, "the same bytes");
    fs::write(scene.of("src/a"), "2").unwrap();
    assert!(
        matches!(scene.run(&request).await, Outcome::Done { .. }),
        "another content of the same size"
    );
    fs::write(scene.of("src/new"), "").unwrap();
    assert!(
        matches!(scene.run(&request).await, Outcome::Done { .. }),
        "a new file"
    );
    fs::remove_file(scene.of("out/a")).unwrap();
    assert!(
        matches!(scene.run(&request).await, Outcome::Done { .. }),
        "what it makes is gone"
    );
    request.force = true;
    assert!(
        matches!(scene.run(&request).await, Outcome::Done { .. }),
        "it is forced"
    );
    request.force = false;
    assert_eq!(scene.run(&request).await, Outcome::Unchanged);
    Arc::make_mut(&mut request.build).needs = vec!["node 22".into()];
    assert!(
        matches!(scene.run(&request).await, Outcome::Done { .. }),
        "another tool"
    );
    assert_eq!(runs(), 6);
}

#[tokio::test]
async fn a_build_that_failed_or_names_no_inputs_runs_again() {
    let scene = Scene::new();
    fs::write(scene.of("a"), "1").unwrap();
    let fails = scene.request("web", "echo run >>runs; test -e b", &["a"]);
    assert!(!scene.run(&fails).await.is_success());
    assert!(!scene.run(&fails).await.is_success());
    fs::write(scene.of("b"), "1").unwrap();
    assert!(matches!(scene.run(&fails).await, Outcome::Done { .. }));
    assert_eq!(scene.run(&fails).await, Outcome::Unchanged);
    let asked = scene.request("api", "echo run >>asked", &[]);
    for _ in 0..2 {
        assert!(matches!(scene.run(&asked).await, Outcome::Done { .. }));
    }
    assert_eq!(scene.text("asked").lines().count(), 2);
}

#[tokio::test]
async fn a_build_that_writes_among_its_inputs_settles() {
    let scene = Scene::new();
    fs::create_dir(scene.of("src")).unwrap();
    fs::write(scene.of("src/a"), "1").unwrap();
    let request = scene.request("web", "cp src/a src/generated", &["src"]);
    assert!(matches!(scene.run(&request).await, Outcome::Done { .. }));
    assert!(
        matches!(scene.run(&request).await, Outcome::Done { .. }),
        "it may have been an edit"
    );
    assert_eq!(scene.run(&request).await, Outcome::Unchanged);
}

#[tokio::test]
async fn who_asks_meanwhile_waits_for_the_same_run_and_a_change_for_the_next() {
    let scene = Scene::new();
    let command = "echo run >>runs; echo begun >begun; while ! test -e go; do sleep 0.01; done";
    let request = scene.request("web", command, &[]);
    let changed = Request {
        changed: true,
        ..request.clone()
    };
    let (first, second) = (
        scene.builds.begin(request.clone()),
        scene.builds.begin(request.clone()),
    );
    scene.line_in("begun").await;
    let same = scene.builds.begin(request.clone());
    let (next, with_next) = (scene.builds.begin(changed.clone()), scene.builds.begin(changed));
    fs::write(scene.of("go"), "").unwrap();
    for mut outcome in [first, second, same, next, with_next] {
        let ended = tokio::time::timeout(LONGEST, outcome.wait_for(Option::is_some))
            .await
            .unwrap()
            .unwrap()
            .clone();
        assert!(ended.unwrap().is_success());
    }
    assert_eq!(scene.text("runs").lines().count(), 2);
}

#[tokio::test]
async fn no_more_run_at_once_than_allowed() {
    let scene = Scene::new();
    // Each adds itself, sees how many there are, and leaves.
    let command = "mkdir -p in; touch in/$$; ls in | wc -l >>seen; sleep 0.05; rm in/$$";
    let outcomes: Vec<_> = ["a", "b", "c", "d", "e"]
        .iter()
        .map(|name| scene.builds.begin(scene.request(name, command, &[])))
        .collect();
    for mut outcome in outcomes {
        tokio::time::timeout(LONGEST, ended(&mut outcome)).await.unwrap();
    }
    let seen = scene.text("seen");
    assert_eq!(seen.lines().count(), 5);
    assert!(
        seen.lines()
            .all(|count| count.trim().parse::<u32>().unwrap() <= 2),
        "{seen}"
    );
}

#[tokio::test]
async fn a_cancelled_build_leaves_no_process() {
    let scene = Scene::new();
    let request = scene.request("web", ESCAPES, &[]);
    let mut outcome = scene.builds.begin(request.clone());
    let mut waiting = scene.builds.begin(Request {
        changed: true,
        ..request
    });
    scene.line_in("begun").await;
    let (near, away) = (scene.line_in("near").await, scene.line_in("away").await);
    assert!(lives(&near) && lives(&away));
    tokio::time::timeout(LONGEST, scene.builds.cancel(&known("web")))
        .await
        .unwrap();
    for outcome in [&mut outcome, &mut waiting] {
        assert_eq!(
            *outcome.wait_for(Option::is_some).await.unwrap(),
            Some(Outcome::Cancelled)
        );
    }
    dies(&near).await;
    dies(&away).await;
    assert!(
        scene.run(&scene.request("web", "true", &[])).await.is_success(),
        "nothing is left that blocks the next"
    );
}

#[test]
fn who_goes_away_takes_the_builds_along() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let (near, away) = runtime.block_on(async {
        let scene = Scene::new();
        scene.builds.begin(scene.request("web", ESCAPES, &[]));
        scene.line_in("begun").await;
        (scene.line_in("near").await, scene.line_in("away").await)
    });
    drop(runtime);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        dies(&near).await;
        dies(&away).await;
    });
}

#[tokio::test]
async fn what_a_killed_steward_left_running_is_ended_by_the_next() {
    let scene = Scene::new();
    let state = scene.folder.path().join("state");
    // As a steward leaves it that was killed: marked, and noted.
    let mark = format!("{}4711.0.", scene.builds.shared.mark);
    let (name, value) = mark.split_once('=').unwrap();
    let mut child = std::process::Command::new("sleep")
        .arg("300")
        .env(name, value)
        .spawn()
        .unwrap();
    fs::create_dir_all(state.join("build")).unwrap();
    fs::write(state.join("build/web.running"), &mark).unwrap();
    let mut other = std::process::Command::new("sleep")
        .arg("300")
        .env(name, "another.1.0.")
        .spawn()
        .unwrap();
    let next = Builds::open(&state, Builds::at_once());
    assert!(!child.wait().unwrap().success());
    assert!(
        lives(&other.id().to_string()),
        "that of another product is left alone"
    );
    assert!(!state.join("build/web.running").exists());
    other.kill().unwrap();
    other.wait().unwrap();
    assert!(next.run(scene.request("web", "true", &[])).await.is_success());
}

#[tokio::test]
async fn what_a_build_leaves_on_purpose_does_not_hold_it() {
    let scene = Scene::new();
    let request = scene.request("web", "sleep 300 & echo $! >daemon; echo done", &[]);
    assert!(scene.run(&request).await.is_success());
    let daemon = scene.line_in("daemon").await;
    assert!(lives(&daemon));
    processes::kill_marked(&scene.builds.shared.mark);
    dies(&daemon).await;
}

#[tokio::test]
async fn a_log_that_cannot_be_written_does_not_stop_the_build() {
    let scene = Scene::new();
    let state = scene.folder.path().join("state");
    fs::create_dir_all(&state).unwrap();
    fs::write(state.join("logs"), "no folder").unwrap();
    let mut request = scene.request("web", "echo one; echo two", &[]);
    let (sender, mut lines) = mpsc::channel(16);
    request.lines = Some(sender);
    assert!(scene.run(&request).await.is_success());
    let first = lines.recv().await.unwrap();
    assert!(
        first.stream == Stream::Engine && first.text.ends_with("; the build goes on"),
        "{}",
        first.text
    );
    assert_eq!(lines.recv().await.unwrap().text, "one");
    assert_eq!(lines.recv().await.unwrap().text, "two");
}
