//! Reports of all kinds, as an operator reads what comes of them: the texts beside this file are what is told.

mod hostile;
mod loads;
mod numbers;
mod scans;
mod suites;

use super::*;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use towpath_model::desired::gate::Gate;
use towpath_model::run::{Exit, Found, Verdict};
use towpath_model::unit::Duration;

/// A gate as it is written in a manifest.
pub(crate) fn gate(text: &str) -> Gate {
    let text = format!("product = \"shop\"\n[gate.g]\n{text}\n[environment.dev]\n");
    let sources = BTreeMap::from([("towpath.toml".to_owned(), text.into_bytes())]);
    let reading = towpath_manifest::read("towpath.toml", &sources);
    let desired = reading.desired.expect("the manifest can be read");
    desired.gate.get("g").expect("it is there").clone()
}

/// What is found, as an operator reads it.
fn told(found: &Found) -> String {
    let (word, why) = match &found.verdict {
        Verdict::Pass => ("pass", None),
        Verdict::Fail(why) => ("FAIL", Some(why)),
        Verdict::Inconclusive(why) => ("open", Some(why)),
        Verdict::Waived(why) => ("waived", Some(why)),
        Verdict::Awaits(why) => ("waits", Some(why)),
    };
    let mut text = match why {
        Some(why) => format!("{word}  {why}\n"),
        None => format!("{word}\n"),
    };
    if let Some(measured) = &found.measured {
        let _ = writeln!(text, "      measured  {measured}");
    }
    if let Some(bound) = &found.bound {
        let _ = writeln!(text, "      bound     {bound}");
    }
    for one in &found.evidence {
        let _ = writeln!(
            text,
            "      evidence  {}: {}",
            one.name,
            one.text.replace('\n', " | ")
        );
    }
    text
}

/// Every scene, with its name above it.
fn all(scenes: &[(&str, Found)]) -> String {
    let scenes = scenes
        .iter()
        .map(|(name, found)| format!("# {name}\n{}", told(found)));
    scenes.collect::<Vec<_>>().join("\n")
}

/// What is told is what stands in the text beside this file.
#[track_caller]
fn same(told: &str, golden: &str, name: &str) {
    assert!(
        told.trim_end() == golden.trim_end(),
        "{name} says now:\n<<<{name}\n{told}>>>"
    );
}

#[test]
fn what_cannot_be_read_is_told_with_its_file_and_the_next_step() {
    let all = all(&[
        (
            "missing, and nothing makes it",
            unread("r.xml", &Unread::Missing, None),
        ),
        (
            "missing, after its command",
            unread("r.xml", &Unread::Missing, Some("pytest")),
        ),
        ("a folder", unread("r", &Unread::NoFile("a folder".into()), None)),
        ("too large", unread("r.xml", &Unread::TooLarge(MOST + 1), None)),
        (
            "not allowed",
            unread("r.xml", &Unread::Refused("Permission denied".into()), None),
        ),
        (
            "from before",
            unread("r.xml", &Unread::Stale("pytest".into()), Some("pytest")),
        ),
    ]);
    same(&all, include_str!("tests/unread.txt"), "unread");
}

#[test]
fn a_command_passes_by_its_end_and_nothing_else() {
    let ended = |exit: Exit| Ended {
        exit,
        took: Duration::from_secs(3),
        last: vec!["one".into(), "two".into()],
    };
    let told = all(&[
        ("well", command("make check", &ended(Exit::Code { code: 0 }))),
        ("badly", command("make check", &ended(Exit::Code { code: 2 }))),
        ("not found", command("mkae", &ended(Exit::Code { code: 127 }))),
        (
            "killed",
            command("make check", &ended(Exit::Signal { signal: 9 })),
        ),
        (
            "too late",
            command(
                "make check",
                &ended(Exit::TimedOut {
                    within: Duration::from_minutes(15),
                }),
            ),
        ),
    ]);
    same(&told, include_str!("tests/commands.txt"), "commands");
}

#[test]
fn files_are_weighed_together() {
    use towpath_model::unit::{Bytes, known};
    let most: Bytes = known("500KB");
    let files = |sizes: &[u64]| -> Vec<(String, u64)> {
        let all = sizes.iter().enumerate();
        all.map(|(at, bytes)| (format!("dist/{at}.js"), *bytes)).collect()
    };
    let told = all(&[
        ("none", size("dist/*.js", &[], most)),
        ("one", size("dist/0.js", &files(&[500_000]), most)),
        (
            "two that are too much",
            size("dist/*.js", &files(&[100, 500_000]), most),
        ),
        (
            "more than can be counted",
            size("dist/*.js", &files(&[u64::MAX, u64::MAX]), most),
        ),
        ("of a component", weight("bot", Some(499_999), most)),
        ("of a component that has nothing", weight("bot", None, most)),
    ]);
    same(&told, include_str!("tests/sizes.txt"), "sizes");
}
