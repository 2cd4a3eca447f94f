//! Manifests that belong together.

use std::collections::BTreeMap;
use towpath_manifest::{Reading, read};

fn reading(files: &[(&str, &str)]) -> Reading {
    let held: BTreeMap<String, Vec<u8>> = files
        .iter()
        .map(|(name, text)| ((*name).to_owned(), text.as_bytes().to_vec()))
        .collect();
    read("towpath.toml", &held)
}

fn told(reading: &Reading) -> Vec<String> {
    reading
        .findings
        .iter()
        .map(|finding| format!("{} {}", finding.code.id, finding.message))
        .collect()
}

#[test]
fn paths_are_relative_to_the_manifest_that_names_them() {
    let reading = reading(&[
        ("towpath.toml", "product = \"x\"\ninclude = \"./ops/all.toml\"\n"),
        ("ops/all.toml", "include = [\"jobs.toml\", \"../data.toml\"]\n"),
        ("ops/jobs.toml", "[job.clean]\nrun = \"clean\"\n"),
        ("data.toml", "[postgres.db]\nversion = 16\n"),
    ]);
    assert_eq!(told(&reading), Vec::<String>::new());
    let names: Vec<&str> = reading
        .sources
        .iter()
        .map(|source| source.name.as_str())
        .collect();
    assert_eq!(
        names,
        ["towpath.toml", "ops/all.toml", "ops/jobs.toml", "data.toml"]
    );
    let desired = reading.desired.expect("it is readable");
    assert!(desired.job.contains_key("clean") && desired.postgres.contains_key("db"));
}

#[test]
fn a_manifest_that_two_include_is_read_once() {
    let reading = reading(&[
        (
            "towpath.toml",
            "product = \"x\"\ninclude = [\"a.toml\", \"b.toml\"]\n",
        ),
        ("a.toml", "include = \"c.toml\"\n"),
        ("b.toml", "include = \"./c.toml\"\n"),
        ("c.toml", "[postgres.db]\nversion = 16\n"),
    ]);
    assert_eq!(told(&reading), Vec::<String>::new());
    assert_eq!(reading.sources.len(), 4);
}

#[test]
fn a_circle_of_includes_names_each_once_and_leaves_the_rest_readable() {
    let reading = reading(&[
        (
            "towpath.toml",
            "product = \"x\"\ninclude = [\"a.toml\", \"towpath.toml\"]\n",
        ),
        ("a.toml", "include = \"b.toml\"\n"),
        ("b.toml", "include = \"a.toml\"\n[postgres.db]\nversion = 16\n"),
    ]);
    assert_eq!(
        told(&reading),
        [
            "TP0008 `towpath.toml` includes itself",
            "TP0008 `a.toml` and `b.toml` include each other in a circle",
        ]
    );
    assert!(
        reading
            .desired
            .expect("it is readable")
            .postgres
            .contains_key("db")
    );
}

#[test]
fn one_thing_in_two_manifests_is_told_once() {
    let reading = reading(&[
        (
            "towpath.toml",
            "product = \"x\"\ninclude = \"a.toml\"\n[service.web]\nrun = \"a\"\nport = 1\n",
        ),
        (
            "a.toml",
            "product = \"y\"\n[service.web]\nrun = \"b\"\nport = 2\n[service.api]\nrun = \"c\"\n",
        ),
    ]);
    assert_eq!(
        told(&reading),
        [
            "TP0009 `product` stands in two manifests",
            "TP0009 `service.web` stands in two manifests",
        ]
    );
    let desired = reading.desired.expect("it is readable");
    assert_eq!((desired.product.as_str(), desired.service.len()), ("x", 2));
}

#[test]
fn an_unreadable_part_is_told_once_and_nothing_that_follows_from_it() {
    let reading = reading(&[(
        "towpath.toml",
        "product = \"x\"\ninclude = [\"data.toml\", 5]\n[service.web]\nrun = \"a\"\nuses = [\"db\"]\n",
    )]);
    assert_eq!(
        told(&reading),
        [
            "TP0007 there is no file `data.toml`",
            "TP0007 there is no file `5`"
        ]
    );
}
