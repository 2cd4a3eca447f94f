//! Every promise of the five reference systems is expressed by words of an example.
//!
//! `checklist/ids.txt` names the promises. Each `checklist/sN.txt` holds, a line for a promise, its id, the folder of
//! the example, and the paths that express it. `@prod:service.edge.tls` is a path in an environment.
#![allow(
    clippy::disallowed_methods,
    reason = "examples and tables are files of the repository, and tests read them as they are"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path as Folder, PathBuf};
use towpath_manifest::{Reading, read};
use towpath_model::spec::{Kind, Node, Path};

/// The promises of the five systems that are more than a fact about one of them: 161 of 166.
const PROMISES: usize = 161;

/// A line of a table.
struct Row {
    /// The table and the line, for a message.
    at: String,
    id: String,
    example: String,
    paths: Vec<String>,
}

fn folder(name: &str) -> PathBuf {
    Folder::new(env!("CARGO_MANIFEST_DIR")).join(name)
}

fn lines(file: &Folder) -> Vec<(usize, String)> {
    let text = std::fs::read_to_string(file).expect("the file is there");
    let lines = text.lines().enumerate();
    lines
        .filter(|(_, line)| !line.trim().is_empty() && !line.starts_with('#'))
        .map(|(number, line)| (number + 1, line.to_owned()))
        .collect()
}

fn ids() -> Vec<String> {
    let lines = lines(&folder("tests/checklist/ids.txt"));
    lines
        .into_iter()
        .map(|(_, line)| line.trim().to_owned())
        .collect()
}

fn rows() -> Vec<Row> {
    let mut files: Vec<PathBuf> = std::fs::read_dir(folder("tests/checklist"))
        .expect("the tables are there")
        .map(|entry| entry.expect("it can be listed").path())
        .filter(|file| file.extension().is_some_and(|end| end == "txt") && !file.ends_with("ids.txt"))
        .collect();
    files.sort();
    let mut rows = Vec::new();
    for file in files {
        for (number, line) in lines(&file) {
            let mut words = line.split_whitespace().map(str::to_owned);
            rows.push(Row {
                at: format!(
                    "{}:{number}",
                    file.file_name().unwrap_or_default().to_string_lossy()
                ),
                id: words.next().unwrap_or_default(),
                example: words.next().unwrap_or_default(),
                paths: words.collect(),
            });
        }
    }
    rows
}

fn example(name: &str) -> Option<Reading> {
    let file = folder("../../examples").join(name).join("towpath.toml");
    let sources = BTreeMap::from([("towpath.toml".to_owned(), std::fs::read(file).ok()?)]);
    Some(read("towpath.toml", &sources))
}

/// What a path expresses: something that is written and readable.
fn expresses(reading: &Reading, path: &str) -> bool {
    let (tree, path) = match path.strip_prefix('@').and_then(|path| path.split_once(':')) {
        Some((environment, path)) => match reading.environments.get(environment) {
            Some(layered) => (&layered.tree, path),
            None => return false,
        },
        None => (&reading.root, path),
    };
    let way = Path::parse(path);
    let written = |node: &Node| !matches!(node.kind, Kind::Bad | Kind::Off);
    !way.steps().is_empty() && tree.at_path(&way).is_some_and(written)
}

/// What is wrong with a row, if anything.
fn faults(row: &Row, readings: &BTreeMap<String, Option<Reading>>) -> Vec<String> {
    let Some(Some(reading)) = readings.get(&row.example) else {
        return vec![format!("{}: there is no example `{}`", row.at, row.example)];
    };
    if row.paths.is_empty() {
        return vec![format!("{}: {} has no path", row.at, row.id)];
    }
    let lost = row.paths.iter().filter(|path| !expresses(reading, path));
    lost.map(|path| format!("{}: {} has nothing at `{path}`", row.at, row.id))
        .collect()
}

#[test]
fn the_promises_are_counted() {
    let ids = ids();
    let distinct: BTreeSet<&String> = ids.iter().collect();
    assert_eq!((ids.len(), distinct.len()), (PROMISES, PROMISES));
}

#[test]
fn a_row_names_a_promise_and_words_that_express_it() {
    let rows = rows();
    let ids: BTreeSet<String> = ids().into_iter().collect();
    let mut readings = BTreeMap::new();
    for row in &rows {
        readings
            .entry(row.example.clone())
            .or_insert_with(|| example(&row.example));
    }
    let mut wrong = Vec::new();
    let mut seen = BTreeSet::new();
    for row in &rows {
        if !ids.contains(&row.id) {
            wrong.push(format!("{}: `{}` is no promise of the list", row.at, row.id));
        }
        if !seen.insert(&row.id) {
            wrong.push(format!("{}: {} stands in two lines", row.at, row.id));
        }
        wrong.extend(faults(row, &readings));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_promise_has_a_row() {
    let rows = rows();
    let told: BTreeSet<&String> = rows.iter().map(|row| &row.id).collect();
    let ids = ids();
    let missing: Vec<&str> = ids
        .iter()
        .filter(|id| !told.contains(id))
        .map(String::as_str)
        .collect();
    assert!(
        missing.is_empty(),
        "{} of {PROMISES} promises are expressed nowhere: {}",
        missing.len(),
        missing.join(" ")
    );
}
