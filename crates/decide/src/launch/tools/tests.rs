//! Tools that are read out of manifests, and answers that are judged.

use super::*;
use crate::launch::tests::{environment, launched};

fn listed(text: &str) -> String {
    let launched = launched(text, "dev");
    let all = requirements(&launched.product);
    let line = |one: &Requirement| {
        let version = one.version.as_deref().unwrap_or("any");
        let by: Vec<&str> = one.wanted_by.iter().map(Name::as_str).collect();
        let (command, argument) = one.question();
        format!(
            "{} {version}: {command} {argument} | {} | {}",
            one.tool,
            one.packages().join(" "),
            by.join(" ")
        )
    };
    all.iter().map(line).collect::<Vec<_>>().join("\n")
}

#[test]
fn tools_are_those_that_builds_name_and_commands_begin_with() {
    let text = r#"
[build.py]
command = "uv sync"
needs = ["python 3.12", "uv"]

[service.api]
run = "PYTHONPATH=. python3 -m api | ./filter && exec node 'a; ruby' > x"
build = "py"

[worker.native]
run = "target/release/native"
build = { command = "cargo build --release", needs = "rust 1.95" }

[job.script]
run = "bin/script; go run . & echo $(perl x)"

[bot.odd]
run = "odd"
build = { command = "make", needs = ["frobnicator v2", "Node@22"] }
"#;
    insta::assert_snapshot!(listed(&environment(text)), @r"
    cargo 1.95: cargo --version | cargo | native
    frobnicator 2: frobnicator --version |  | odd
    go any: go version | golang-go | script
    make any: make --version | make | odd
    node 22: node --version | nodejs | api odd
    python 3.12: python3 --version | python3 python3-venv | api py
    uv any: uv --version |  | py
    ");
}

#[test]
fn a_version_fits_as_far_as_it_is_written() {
    let requirement = |text: &str| {
        let (tool, version) = words::need(text);
        Requirement {
            known: find(&tool),
            tool,
            version,
            wanted_by: BTreeSet::new(),
            why: Why::Named,
        }
    };
    for (need, said, verdict) in [
        ("python 3.12", "Python 3.12.4\n", "fits"),
        ("python 3.12", "Python 3.11.2", "3.11.2"),
        ("python 3.1", "Python 3.12.4", "3.12.4"),
        ("python 3", "Python 3.11.2", "fits"),
        ("node 22", "v22.11.0", "fits"),
        ("node 22.11.0", "v22.11.0", "fits"),
        ("node 22.x", "v22.11.0", "fits"),
        ("node 22", "v18.20.4", "18.20.4"),
        ("go 1.22", "go version go1.22.1 linux/amd64", "fits"),
        ("cargo 1.95", "cargo 1.95.0 (f2d3ce0bd 2026-03-21)", "fits"),
        ("java 17", "openjdk 17 2021-09-14", "fits"),
        ("uv", "whatever", "fits"),
        ("deno 2", "no number", "unclear"),
    ] {
        let shown = match judge(&requirement(need), Some(said)) {
            Verdict::Fits => "fits".to_owned(),
            Verdict::Missing => "missing".to_owned(),
            Verdict::Other { found } => found,
            Verdict::Unclear => "unclear".to_owned(),
        };
        assert_eq!(shown, verdict, "{need} of {said}");
    }
    assert_eq!(judge(&requirement("uv"), None), Verdict::Missing);
}

#[test]
fn no_tool_is_known_twice_and_each_can_be_got() {
    let mut seen = BTreeSet::new();
    for tool in KNOWN {
        let names: BTreeSet<&str> = [tool.name, tool.command]
            .into_iter()
            .chain(tool.also.iter().copied())
            .collect();
        for name in names {
            assert!(seen.insert(name), "{name}");
        }
        assert!(
            !tool.packages.is_empty() || !tool.otherwise.is_empty(),
            "{}",
            tool.name
        );
    }
}
