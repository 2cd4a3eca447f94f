//! Stories of the real binary with real processes: what a person types, and what runs then.
#![allow(clippy::disallowed_methods, reason = "the real binary runs real processes")]

use serde_json::Value;
use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

const SHIFT: &str = r#"product = "shift"

[worker.tick]
run = "while true; do echo tick; sleep 0.1; done"
env = { GREETING = "hello" }

[worker.last]
run = "while true; do sleep 1; done"

[environment.dev]
"#;

/// How long something may take on a busy machine before it is said not to happen.
const BOUND: Duration = Duration::from_secs(60);

/// A product in a folder of its own, which is down and gone when this is dropped.
struct Product {
    root: tempfile::TempDir,
}

impl Product {
    fn new(manifest: &str) -> Self {
        let root = tempfile::tempdir().expect("a folder can be made");
        let product = Product { root };
        fs::create_dir(product.folder()).expect("a folder can be made");
        fs::write(product.folder().join("towpath.toml"), manifest).expect("it can be written");
        product
    }

    fn folder(&self) -> PathBuf {
        self.root.path().join("shift")
    }

    fn command(&self, words: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_towpath"));
        command.args(words).current_dir(self.folder());
        // The certificate authority of whoever runs the tests is not ours to make.
        command
            .env("HOME", self.root.path())
            .env_remove("XDG_DATA_HOME")
            .env_remove("NO_COLOR");
        command.stdin(Stdio::null());
        command
    }

    fn towpath(&self, words: &[&str]) -> Output {
        self.command(words).output().expect("the binary runs")
    }

    /// Runs it, and it ends well.
    fn well(&self, words: &[&str]) -> String {
        let output = self.towpath(words);
        assert_eq!(
            output.status.code(),
            Some(0),
            "{words:?}: {}{}",
            out(&output),
            err(&output)
        );
        out(&output)
    }

    fn status(&self) -> Value {
        serde_json::from_str(&self.well(&["status", "--json"])).expect("it is JSON")
    }

    /// Every first process that runs here.
    fn pids(&self) -> Vec<u64> {
        let status = self.status();
        let components = status["components"].as_array().expect("a list").iter();
        let instances = components.flat_map(|one| one["instances"].as_array().expect("a list").clone());
        instances.filter_map(|one| one["pid"].as_u64()).collect()
    }
}

impl Drop for Product {
    fn drop(&mut self) {
        let _ = self.towpath(&["down", "--now", "--delete-data", "--yes"]);
    }
}

fn out(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn err(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn is_alive(pid: u64) -> bool {
    // A process that has ended and was not waited for yet has no command line any more.
    fs::read(format!("/proc/{pid}/cmdline")).is_ok_and(|line| !line.is_empty())
}

/// Waits until it is so.
fn until(what: &str, is: impl Fn() -> bool) {
    let begun = Instant::now();
    while !is() {
        assert!(begun.elapsed() < BOUND, "{what}: it did not happen");
        std::thread::yield_now();
    }
}

fn signal(pid: u32, signal: rustix::process::Signal) {
    let pid = rustix::process::Pid::from_raw(pid.cast_signed()).expect("it is a process");
    rustix::process::kill_process(pid, signal).expect("it can be told");
}

/// Reads what a command prints until a line contains this.
fn read_until(child: &mut Child, wanted: &str) {
    let out = child.stdout.as_mut().expect("it is piped");
    let mut lines = BufReader::new(out).lines();
    let found = lines.any(|line| line.is_ok_and(|line| line.contains(wanted)));
    assert!(found, "`{wanted}` was never printed");
}

#[test]
fn a_product_comes_up_and_can_be_asked_and_stopped() {
    let shift = Product::new(SHIFT);
    let told = shift.well(&["up", "--detach"]);
    assert!(told.contains("tick") && told.contains("ready"), "{told}");
    let status = shift.status();
    assert_eq!(status["product"], "shift");
    assert!(status["steward"]["pid"].is_u64());
    assert_eq!(status["components"].as_array().map(Vec::len), Some(2));
    let pids = shift.pids();
    assert_eq!(pids.len(), 2);

    until("it says something", || {
        shift.well(&["logs", "tick"]).contains("| tick")
    });
    let said = shift.towpath(&["run", "tick", "--", "echo $GREETING; exit 7"]);
    assert_eq!((out(&said).as_str(), said.status.code()), ("hello\n", Some(7)));
    assert!(
        shift
            .well(&["explain", "tick"])
            .contains("tick (worker) is ready")
    );
    let refused = shift.towpath(&["restart", "tikc"]);
    assert_eq!(refused.status.code(), Some(2));
    assert!(
        err(&refused).contains("did you mean `tick`?"),
        "{}",
        err(&refused)
    );

    shift.well(&["stop", "last"]);
    assert!(!is_alive(pids[0]), "{:?}", shift.status());
    shift.well(&["start", "last"]);
    let told = shift.well(&["up", "--detach"]);
    assert!(told.contains("nothing to do: 2 components, all well"), "{told}");

    let pids = shift.pids();
    shift.well(&["down"]);
    assert!(!pids.iter().any(|pid| is_alive(*pid)));
    assert_eq!(shift.towpath(&["status"]).status.code(), Some(3));
    let twice = shift.towpath(&["down"]);
    assert!(
        err(&twice).contains("nothing of shift in dev runs"),
        "{}",
        err(&twice)
    );
    shift.well(&["down", "--delete-data", "--yes"]);
    assert!(!shift.folder().join(".towpath").exists());
}

#[test]
fn what_is_deleted_is_named_and_asked_about() {
    let shift = Product::new(SHIFT);
    shift.well(&["up", "--detach"]);
    let refused = shift.towpath(&["down", "--delete-data"]);
    assert_eq!(refused.status.code(), Some(2));
    let told = err(&refused);
    assert!(
        told.contains("this goes for ever") && told.contains("logs/"),
        "{told}"
    );
    assert!(told.contains("nothing was stopped and nothing deleted"), "{told}");
    assert_eq!(shift.pids().len(), 2, "it runs on");
}

#[test]
fn whoever_owns_it_stops_it_and_a_guest_does_not() {
    let shift = Product::new(SHIFT);
    let begin = || {
        let mut command = shift.command(&["up"]);
        let spawned = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
        let mut child = spawned.expect("the binary runs");
        read_until(&mut child, "| tick");
        child
    };
    let owner = begin();
    let guest = begin();
    let pids = shift.pids();
    signal(guest.id(), rustix::process::Signal::INT);
    let guest = guest.wait_with_output().expect("it ends");
    assert_eq!(guest.status.code(), Some(0), "{}", err(&guest));
    assert!(
        err(&guest).contains("owns it") && err(&guest).contains("it runs on"),
        "{}",
        err(&guest)
    );
    assert!(pids.iter().all(|pid| is_alive(*pid)));

    signal(owner.id(), rustix::process::Signal::INT);
    let owner = owner.wait_with_output().expect("it ends");
    assert_eq!(owner.status.code(), Some(0), "{}", err(&owner));
    assert!(
        err(&owner).contains("shift in dev has stopped"),
        "{}",
        err(&owner)
    );
    assert!(!pids.iter().any(|pid| is_alive(*pid)));
}

#[test]
fn a_steward_that_is_killed_is_followed_by_another_one() {
    let shift = Product::new(SHIFT);
    shift.well(&["up", "--detach"]);
    let pids = shift.pids();
    let steward = shift.status()["steward"]["pid"].as_u64().expect("a number");
    signal(
        u32::try_from(steward).expect("it is a process"),
        rustix::process::Signal::KILL,
    );
    until("nobody answers", || {
        // While it dies it may still take a question, and never answer it.
        let told = shift.towpath(&["status", "--json"]);
        let status = serde_json::from_slice::<Value>(&told.stdout);
        told.status.success() && status.is_ok_and(|status| status["steward"].is_null())
    });
    let told = shift.well(&["status"]);
    assert!(
        told.contains("looked after by nobody: 2 instances run on under their keepers"),
        "{told}"
    );
    shift.well(&["up", "--detach"]);
    assert_eq!(shift.pids(), pids, "the same processes go on");
}

#[test]
fn a_steward_holds_nothing_of_whoever_has_started_it() {
    let shift = Product::new(SHIFT);
    let held = shift.root.path().join("held");
    let mut shell = Command::new("/bin/sh");
    shell.current_dir(shift.folder()).env("HOME", shift.root.path());
    let script = "exec 9>\"$1\"; exec \"$2\" up --detach";
    shell
        .args(["-c", script, "sh"])
        .arg(&held)
        .arg(env!("CARGO_BIN_EXE_towpath"));
    assert!(shell.output().expect("a shell runs").status.success());
    let steward = shift.status()["steward"]["pid"].as_u64().expect("a number");
    let open = fs::read_dir(format!("/proc/{steward}/fd")).expect("it runs");
    let kept = open
        .filter_map(Result::ok)
        .filter_map(|file| fs::read_link(file.path()).ok());
    assert!(!kept.into_iter().any(|path| path == held));
}

#[test]
fn a_component_that_fails_is_told_with_what_it_said() {
    let wrong = SHIFT.replace(
        "[worker.last]\n",
        "[worker.last]\nbuild = \"echo no such table; exit 3\"\n",
    );
    let shift = Product::new(&wrong);
    let output = shift.towpath(&["up", "--detach"]);
    assert_eq!(output.status.code(), Some(1), "{}", err(&output));
    let told = err(&output);
    assert!(
        told.contains("code 3") && told.contains("| no such table"),
        "{told}"
    );
    assert!(told.contains("`towpath logs last`"), "{told}");
    assert_eq!(shift.towpath(&["status"]).status.code(), Some(1));
}

#[test]
fn a_tool_that_is_missing_is_told_before_anything_starts() {
    let manifest = SHIFT.replace(
        "[worker.last]\n",
        "[worker.last]\nbuild = { command = \"true\", needs = [\"no-such-tool 1\"] }\n",
    );
    let shift = Product::new(&manifest);
    let output = shift.towpath(&["up", "--detach"]);
    assert_eq!(output.status.code(), Some(3), "{}", err(&output));
    assert!(
        err(&output).contains("no-such-tool 1 is missing on this machine"),
        "{}",
        err(&output)
    );
    assert_eq!(shift.towpath(&["status"]).status.code(), Some(3));
    let doctor = shift.towpath(&["doctor"]);
    assert_eq!(doctor.status.code(), Some(3));
    assert!(
        out(&doctor).contains("missing  no-such-tool 1"),
        "{}",
        out(&doctor)
    );
}

#[test]
fn a_manifest_that_is_wrong_starts_nothing() {
    let shift = Product::new(&SHIFT.replace("[worker.tick]", "[worker.tick]\nreplicas = \"two\""));
    let output = shift.towpath(&["up", "--detach"]);
    assert_eq!(output.status.code(), Some(1), "{}", err(&output));
    assert!(err(&output).contains("towpath.toml:4"), "{}", err(&output));
    assert!(!Path::new(&shift.folder().join(".towpath/dev/steward.sock")).exists());
}
