//! Manifests that nobody means well with: none of them hangs, crashes, or reaches the terminal as it is.
#![allow(
    clippy::disallowed_methods,
    reason = "the real binary runs on real files, pipes and devices"
)]

use std::fmt::Write as _;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::mpsc;
use std::time::Duration;

/// How long anything here may take before it counts as hanging: far more than a debug build on a busy machine needs.
const HANGS: Duration = Duration::from_secs(120);

const SMALL: &str = "product = \"x\"\n[service.web]\nrun = \"web\"\n";

/// The binary, with an end.
fn towpath(folder: &Path, words: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_towpath"));
    command.args(words).current_dir(folder).env_remove("NO_COLOR");
    let (tell, told) = mpsc::channel();
    std::thread::spawn(move || tell.send(command.output()));
    let ended = told.recv_timeout(HANGS);
    let output = ended
        .expect("the command ends")
        .expect("the binary can be started");
    // A signal or a panic is no answer.
    let code = output.status.code();
    assert!(matches!(code, Some(0..=3)), "{code:?}: {}", err(&output));
    output
}

/// A folder of its own, empty.
fn empty(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("hostile-{name}"));
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).expect("a folder can be made");
    folder
}

/// A folder of its own with a manifest in it.
fn folder(name: &str, manifest: impl AsRef<[u8]>) -> PathBuf {
    let folder = empty(name);
    fs::write(folder.join("towpath.toml"), manifest).expect("a manifest can be written");
    folder
}

fn out(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).expect("results are UTF-8")
}

fn err(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// Checks twice, for people and for programs; what people are told.
fn told(folder: &Path, code: i32) -> String {
    let people = towpath(folder, &["check"]);
    let text = err(&people);
    assert_eq!(people.status.code(), Some(code), "{text}");
    let raw = |letter: char| letter.is_control() && letter != '\n';
    assert!(!text.contains(raw), "control characters are told as they are");
    assert!(text.len() < 1_000_000, "{} bytes are told", text.len());
    if code != 2 {
        let programs = towpath(folder, &["check", "--json"]);
        assert_eq!(programs.status.code(), Some(code));
        let found: serde_json::Value = serde_json::from_str(&out(&programs)).expect("it is JSON");
        assert!(found.is_array());
        assert_eq!(err(&programs), "", "programs are told in JSON alone");
    }
    if code != 0 {
        assert_eq!(out(&people), "", "what is wrong goes to standard error");
    }
    text
}

/// What is told holds each of these.
fn tells(folder: &Path, code: i32, wanted: &[&str]) {
    let text = told(folder, code);
    for one in wanted {
        let start: String = text.chars().take(4000).collect();
        assert!(text.contains(one), "`{one}` is not in\n{start}");
    }
}

#[test]
fn no_manifest_is_a_wrong_call() {
    tells(&empty("none"), 2, &["there is no towpath.toml here"]);
}

#[test]
fn a_manifest_that_is_named_and_missing_is_told() {
    let output = towpath(&empty("named"), &["check", "other.toml"]);
    assert!(err(&output).contains("TP0001"), "{}", err(&output));
    assert_eq!(output.status.code(), Some(1));
}

#[test]
fn a_folder_named_towpath_toml_is_no_manifest() {
    let folder = empty("folder");
    fs::create_dir(folder.join("towpath.toml")).expect("a folder can be made");
    tells(&folder, 2, &["there is no towpath.toml here"]);
}

#[test]
fn what_is_not_utf_8_is_told_with_its_line() {
    let folder = folder("latin", b"product = \"x\"\nabout = \"caf\xe9\"\n");
    tells(
        &folder,
        1,
        &["TP0002", "`towpath.toml` is not UTF-8", "in line 2", "iconv"],
    );
}

#[test]
fn ten_mebibytes_are_too_many() {
    let text = format!("{SMALL}{}", "# nothing\n".repeat(1024 * 1024));
    tells(&folder("large", text), 1, &["TP0003", "larger than 8 MiB"]);
}

#[test]
fn devices_and_pipes_are_not_read() {
    let folder = folder(
        "pipe",
        format!("include = [\"pipe.toml\", \"zero.toml\"]\n{SMALL}"),
    );
    let made = Command::new("mkfifo").arg(folder.join("pipe.toml")).status();
    assert!(made.expect("mkfifo is at hand").success());
    symlink("/dev/zero", folder.join("zero.toml")).expect("a link can be made");
    tells(
        &folder,
        1,
        &[
            "`pipe.toml` cannot be read: it is not a regular file",
            "TP0010",
            "`zero.toml` lies outside",
        ],
    );
    for name in ["/dev/zero", "pipe.toml"] {
        let output = towpath(&folder, &["check", name]);
        assert!(err(&output).contains("not a regular file"), "{}", err(&output));
        assert_eq!(output.status.code(), Some(1));
    }
}

#[test]
fn a_file_that_cannot_be_read_is_told_with_its_name() {
    // Nobody can read the memory of a process from its beginning, not even root, who may open every file.
    let folder = folder("closed", SMALL);
    let output = towpath(&folder, &["check", "/proc/self/mem"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(
        err(&output).contains("`/proc/self/mem` cannot be read"),
        "{}",
        err(&output)
    );
    let output = towpath(&folder, &["check", "/proc/self/mem", "--json"]);
    let found: serde_json::Value = serde_json::from_slice(&output.stdout).expect("it is JSON");
    assert_eq!(found[0]["file"], "/proc/self/mem");
}

#[test]
fn ten_thousand_components_are_checked() {
    let mut text = "product = \"x\"\n".to_owned();
    for number in 0..10_000 {
        let _ = writeln!(
            text,
            "[service.s{number}]\nrun = \"bin/s{number}\"\nuses = [\"s{}\"]\nreplicas = \"two\"",
            (number + 1) % 10_001
        );
    }
    tells(
        &folder("many", text),
        1,
        &["TP0102", "more; `towpath check --json` lists all"],
    );
}

#[test]
fn brackets_nest_only_so_deep() {
    for (name, open, close) in [("lists", "[", "]"), ("tables", "{a=", "}"), ("open", "[", "")] {
        let text = format!(
            "{SMALL}goals = {}1{}\n",
            open.repeat(100_000),
            close.repeat(100_000)
        );
        told(&folder(name, text), 1);
    }
    let dotted = format!("product = \"x\"\n{}a = 1\n", "a.".repeat(100_000));
    told(&folder("dotted", dotted), 1);
    let headers = format!("product = \"x\"\n[{}a]\n", "a.".repeat(100_000));
    told(&folder("headers", headers), 1);
}

#[test]
fn a_key_of_a_megabyte_is_not_repeated_in_full() {
    let key = "k".repeat(1024 * 1024);
    let text = format!("{SMALL}{key} = 1\n{key} = 2\n[service.{key}]\nrun = \"x\"\nuses = [\"{key}\"]\n");
    let text = told(&folder("key", text), 1);
    assert!(text.len() < 20_000, "{} bytes are told", text.len());
}

#[test]
fn a_hundred_thousand_errors_are_counted_and_not_all_shown() {
    let mut text = SMALL.to_owned();
    for number in 0..100_000 {
        let _ = writeln!(text, "wrong-{number} = {number}");
    }
    tells(
        &folder("errors", text),
        1,
        &["and 99900 more", "100000 errors in towpath.toml"],
    );
    let broken = format!("{SMALL}{}", "?\n".repeat(100_000));
    tells(&folder("syntax", broken), 1, &["TP0004"]);
    let names: String = (0..20_000).map(|number| format!("\"nobody{number}\",")).collect();
    tells(
        &folder("unknown", format!("{SMALL}uses = [{names}]\n")),
        1,
        &["TP0201"],
    );
}

#[test]
fn keys_that_stand_twice_are_told_with_both_places() {
    let text = "product = \"x\"\n[service.web]\nrun = \"a\"\nrun = \"b\"\n";
    tells(&folder("twice", text), 1, &["TP0005", "first here", "again"]);
}

#[test]
fn links_in_a_circle_lead_nowhere() {
    let folder = folder("links", format!("include = \"a.toml\"\n{SMALL}"));
    symlink("b.toml", folder.join("a.toml")).expect("a link can be made");
    symlink("a.toml", folder.join("b.toml")).expect("a link can be made");
    tells(&folder, 1, &["TP0008", "`a.toml` go in a circle"]);
}

#[test]
fn what_lies_outside_is_not_read() {
    let outside = empty("outside");
    fs::write(outside.join("secret.toml"), "product = \"stolen\"\n").expect("a file can be written");
    let path = outside.join("secret.toml");
    let text = format!(
        "include = [\"../hostile-outside/secret.toml\", \"{}\", \"link.toml\"]\n{SMALL}",
        path.display()
    );
    let folder = folder("inside", text);
    symlink(&path, folder.join("link.toml")).expect("a link can be made");
    let text = told(&folder, 1);
    assert!(text.contains("lies outside the folder of the product"), "{text}");
    assert!(!text.contains("stolen"), "{text}");
}

#[test]
fn more_than_256_manifests_are_too_many() {
    let names: Vec<String> = (0..300).map(|number| format!("\"part-{number}.toml\"")).collect();
    let folder = folder("includes", format!("include = [{}]\n{SMALL}", names.join(", ")));
    for number in 0..300 {
        let text = format!("[job.j{number}]\nrun = \"x\"\ncron = \"daily\"\n");
        fs::write(folder.join(format!("part-{number}.toml")), text).expect("a part can be written");
    }
    tells(&folder, 1, &["TP0011", "more than 256 manifests"]);
}

#[test]
fn a_chain_of_includes_is_followed_to_its_end() {
    let folder = folder("chain", format!("include = \"sub/0.toml\"\n{SMALL}"));
    fs::create_dir(folder.join("sub")).expect("a folder can be made");
    for number in 0..200 {
        let text = format!("include = \"./../sub/{}.toml\"\n", number + 1);
        fs::write(folder.join(format!("sub/{number}.toml")), text).expect("a part can be written");
    }
    tells(&folder, 1, &["TP0007", "there is no file `sub/200.toml`"]);
}

#[test]
fn line_ends_of_windows_and_a_byte_order_mark_do_no_harm() {
    told(&folder("crlf", SMALL.replace('\n', "\r\n")), 0);
    told(&folder("bom", format!("\u{feff}{SMALL}")), 0);
    let wrong = format!("\u{feff}{SMALL}replicas = \"two\"\n").replace('\n', "\r\n");
    tells(
        &folder("bom-wrong", wrong),
        1,
        &["towpath.toml:4:12", "replicas = \"two\""],
    );
}

#[test]
fn an_empty_file_and_one_of_nothing_but_nul_are_told() {
    tells(&folder("empty", ""), 1, &["TP0104", "`product`"]);
    tells(&folder("comment", "# nothing\n"), 1, &["TP0104"]);
    tells(&folder("nul", [0_u8; 4096]), 1, &["TP0004"]);
    tells(
        &folder("nul-inside", format!("{SMALL}a\u{0}b = 1\n")),
        1,
        &["TP0004"],
    );
}

#[test]
fn codes_for_the_terminal_do_not_reach_it() {
    let escapes = "\\u001b[2J\\u001b]0;owned\\u0007\\u009b31m\\u202ex";
    let raw = "\u{202e}\u{200b}\u{9b}31m";
    let text = format!(
        "product = \"{escapes}\"\nabout = \"{raw}\"\n\"{escapes}\" = 1\n\"{raw}\" = 2\n[service.\"{escapes}\"]\n\
         run = \"x\"\n[service.web]\nrun = \"x\"\nuses = [\"{escapes}\", \"{raw}\"]\nrestart = \"{escapes}\"\n\
         [service.web.env]\n\"{escapes}\" = \"secret:{escapes}\"\nA = \"secret:{escapes}\"\n"
    );
    let folder = folder("escapes", &text);
    let text = told(&folder, 1);
    for unseen in ['\u{202e}', '\u{200b}', '\u{9b}', '\u{1b}', '\u{7}'] {
        assert!(!text.contains(unseen), "{unseen:?} is told as it is");
    }
    let output = towpath(&folder, &["check", "--color", "always"]);
    let text = err(&output);
    assert!(
        !text.contains("\u{1b}[2J") && !text.contains("\u{1b}]0"),
        "{text}"
    );
    let included = format!("include = \"{escapes}.toml\"\n{SMALL}");
    told(&self::folder("escapes-include", included), 1);
}

#[test]
fn a_hundred_thousand_environments_are_cut() {
    let mut text = SMALL.to_owned();
    for number in 0..100_000 {
        let _ = writeln!(text, "[environment.e{number}]\nlike = \"e{}\"", number + 1);
    }
    tells(
        &folder("environments", text),
        1,
        &["TP0113", "more than 100 environments"],
    );
}

#[test]
fn chains_of_environments_take_no_stack() {
    let mut text = SMALL.to_owned();
    for number in 0..60 {
        let _ = writeln!(text, "[environment.e{number}]\nlike = \"e{}\"", (number + 1) % 60);
    }
    tells(
        &folder("like", text),
        1,
        &["TP0203", "are like each other in a circle"],
    );
}
