//! Each outside thing has one door: the file system, processes, the clock, the environment.

use std::collections::BTreeSet;

use super::Finding;
use crate::tree::{RustFile, Tree};

pub(super) const WHY: &str =
    "what reaches outside in one place only can be replaced by a fake, and audited, there";

/// What may only be used behind a door. Clippy knows the same names, by what they stand for (`clippy.toml`).
const OUTSIDE: &[(&str, &[&str])] = &[
    ("files", &["std::fs", "tokio::fs"]),
    ("processes", &["process::Command"]),
    (
        "the clock",
        &["SystemTime::now", "Instant::now", "Timestamp::now", "Zoned::now"],
    ),
    (
        "the environment",
        &[
            "env::var",
            "env::var_os",
            "env::vars",
            "env::vars_os",
            "env::set_var",
            "env::remove_var",
        ],
    ),
];

/// The doors: a file, or a folder with its slash, and the reason. Tests and build scripts need none.
const DOORS: &[(&str, &str)] = &[
    (
        "crates/towpath/src/door/",
        "the binary reads its manifest, writes its files and asks the clock here",
    ),
    (
        "crates/store/src/door/",
        "the store makes its folder and its file, takes the lock, and keeps what releases are made of, here",
    ),
    (
        "crates/bucket/src/door.rs",
        "the bucket has its folder, its lock and its clock here",
    ),
    (
        "crates/keeper/src/door/",
        "a keeper has its files, its cgroups and its clocks, and looks at the processes below it",
    ),
    (
        "crates/engine/src/process/door/",
        "the process engine starts its nursery, reads logs and asks the clock here",
    ),
    (
        "crates/steward/src/door/",
        "the steward reads and watches files, starts builds and asks the clock here",
    ),
    (
        "crates/ask/src/door/",
        "gates run commands, read their reports and ask the clock here",
    ),
    (
        "crates/edge/src/door/",
        "the edge reads the files that it serves, keeps its authority and asks the clock here",
    ),
    (
        "crates/serve/src/door/",
        "a machine keeps its tokens, its key and its log, and asks the clock here",
    ),
    (
        "crates/resource/src/door/",
        "the folders of stores are made here, their servers are found, and this process becomes one",
    ),
    (
        "crates/probe/src/door/",
        "a synthetic user reads what it sends, runs commands and measures times here",
    ),
    (
        "crates/resource/src/bin/",
        "a program for tests is ordered by its environment to become a store",
    ),
    (
        "crates/measure/src/door.rs",
        "a metric may be a command of the product, which is run here",
    ),
    (
        "crates/measure/src/bin/",
        "a program for tests is ordered by its environment to become a store",
    ),
    (
        "crates/edge/examples/measure.rs",
        "a measurement reads how much time and memory it took",
    ),
    (
        "bench/src/main.rs",
        "a measurement reads how much time and memory it took",
    ),
    (
        "bench/src/bucket.rs",
        "a measurement writes the files that it compares with, and reads how long it took",
    ),
    (
        "bench/src/up/",
        "a measurement starts programs, kills them and reads what they took",
    ),
    (
        "bench/src/systems/",
        "a measurement starts whole products, and reads how long it took",
    ),
    (
        "bench/src/edge/",
        "a measurement starts proxies and their load, limits them, and reads what they took",
    ),
    ("bench/src/gates/", "a measurement reads how long it took"),
    (
        "bench/src/load/",
        "the load is a program of a few lines, and reads its port",
    ),
    (
        "examples/",
        "the programs of an example are plain programs, and their readers look for nothing of ours",
    ),
    (
        "examples/phishsentry/src/",
        "the programs of an example are plain programs, and their readers look for nothing of ours",
    ),
    (
        "examples/reflectpause/src/",
        "the programs of an example are plain programs, and their readers look for nothing of ours",
    ),
    (
        "xtask/src/disk.rs",
        "the tools read the repository and write generated files",
    ),
];

pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    tree.rust
        .iter()
        .filter(|file| !is_door(&file.path))
        .flat_map(check_file)
        .collect()
}

fn check_file(file: &RustFile) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (thing, patterns) in OUTSIDE {
        let mut seen = BTreeSet::new();
        for pattern in *patterns {
            for line in file.lines_with(pattern) {
                if !file.in_test(line) && seen.insert(line) {
                    let what = format!("reaches for {thing} by `{pattern}`");
                    let next = "call the door, or take the value as an argument (the doors: xtask/src/tidy/doors.rs)";
                    findings.push(Finding::new(&file.path, line, what, next));
                }
            }
        }
    }
    findings
}

fn is_door(path: &str) -> bool {
    let listed = DOORS.iter().any(|(door, _)| {
        if door.ends_with('/') {
            path.starts_with(door)
        } else {
            path == *door
        }
    });
    listed || path.ends_with("/build.rs")
}

#[cfg(test)]
mod tests {
    use super::super::found;
    use super::*;

    const TEXT: &str = "use std::{env, fs};\nfn now() -> Instant { Instant::now() }\n";

    #[test]
    fn a_way_out_that_is_no_door_is_found() {
        assert_eq!(
            found(check, &[("crates/decide/src/lib.rs", TEXT)]),
            [
                "crates/decide/src/lib.rs:1 reaches for files by `std::fs`",
                "crates/decide/src/lib.rs:2 reaches for the clock by `Instant::now`",
            ]
        );
    }

    #[test]
    fn doors_tests_and_build_scripts_reach_out() {
        for path in [
            "crates/towpath/src/door/disk.rs",
            "crates/towpath/build.rs",
            "crates/decide/tests/story.rs",
        ] {
            assert_eq!(found(check, &[(path, TEXT)]), [""; 0]);
        }
    }

    #[test]
    fn a_type_of_the_clock_is_no_look_at_it() {
        let text = "use std::time::{Instant, SystemTime};\nfn since(then: Instant) {}";
        assert_eq!(found(check, &[("crates/decide/src/lib.rs", text)]), [""; 0]);
    }
}
