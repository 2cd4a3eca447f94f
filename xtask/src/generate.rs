//! `cargo xtask generate`: the files that are written from code, so that they cannot say anything else.

mod codes;
mod commands;
mod documents;
mod openapi;

use std::collections::BTreeSet;
use std::error::Error;
use std::path::Path;

use crate::{disk, out};

/// A file that is written from code.
#[derive(Debug, PartialEq, Eq)]
struct Generated {
    /// From the root of the repository.
    path: String,
    /// Its whole text.
    text: String,
}

impl Generated {
    fn new(path: impl Into<String>, text: impl Into<String>) -> Self {
        Generated {
            path: path.into(),
            text: text.into(),
        }
    }
}

/// A folder in which every file is generated: what is in it and no longer generated is stale.
const WHOLLY_GENERATED: &str = "docs/reference/codes";

/// Every generated file.
fn generated(root: &Path) -> Result<Vec<Generated>, Box<dyn Error>> {
    let mut all = vec![
        Generated::new("docs/reference/manifest.md", towpath_manifest::reference()),
        Generated::new(
            "docs/reference/towpath.schema.json",
            format!("{:#}\n", towpath_manifest::schema()),
        ),
        Generated::new("docs/reference/commands.md", commands::reference()),
        Generated::new(
            "docs/reference/openapi.json",
            format!("{:#}\n", openapi::document(env!("CARGO_PKG_VERSION"))),
        ),
    ];
    all.extend(codes::pages());
    all.extend(documents::documents(root)?);
    Ok(all)
}

/// What to do about a stale file.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mode {
    Write,
    Check,
}

/// Writes the stale files, or says which are stale; the answer is whether the repository is as it should be.
pub(crate) fn run(mode: Mode) -> Result<bool, Box<dyn Error>> {
    let root = disk::root();
    let all = generated(&root)?;
    let count = all.len();
    let left = left_over(&all, &disk::names(&root.join(WHOLLY_GENERATED))?);
    let stale = stale(all, |path| Ok(disk::read(&root.join(path))?))?;
    if mode == Mode::Write {
        for file in &stale {
            disk::write(&root.join(&file.path), &file.text)?;
        }
        for path in &left {
            disk::remove(&root.join(path))?;
        }
    }
    out::line(&report(mode, count, &stale, &left));
    Ok(mode == Mode::Write || (stale.is_empty() && left.is_empty()))
}

/// The files whose text differs from what the code says, or that are not there.
fn stale(
    files: Vec<Generated>,
    read: impl Fn(&str) -> Result<Option<String>, Box<dyn Error>>,
) -> Result<Vec<Generated>, Box<dyn Error>> {
    let mut stale = Vec::new();
    for file in files {
        if read(&file.path)?.as_deref() != Some(file.text.as_str()) {
            stale.push(file);
        }
    }
    Ok(stale)
}

/// The files of a wholly generated folder that nothing generates any more.
fn left_over(all: &[Generated], there: &[String]) -> Vec<String> {
    let known: BTreeSet<&str> = all.iter().map(|file| file.path.as_str()).collect();
    let paths = there.iter().map(|name| format!("{WHOLLY_GENERATED}/{name}"));
    paths.filter(|path| !known.contains(path.as_str())).collect()
}

fn report(mode: Mode, all: usize, stale: &[Generated], left: &[String]) -> String {
    let mut list: String = stale.iter().map(|file| format!("  {}\n", file.path)).collect();
    list.extend(
        left.iter()
            .map(|path| format!("  {path} (nothing generates it any more)\n")),
    );
    match mode {
        _ if list.is_empty() => format!("generate: nothing is stale among the generated files ({all})"),
        Mode::Write => format!("generate: written\n{}", list.trim_end()),
        Mode::Check => format!("generate: stale\n{list}Run `cargo xtask generate` and commit what it writes"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn files() -> Vec<Generated> {
        vec![
            Generated::new("docs/fresh.md", "same\n"),
            Generated::new("docs/old.md", "new\n"),
            Generated::new("docs/missing.md", "first\n"),
        ]
    }

    fn read(path: &str) -> Result<Option<String>, Box<dyn Error>> {
        Ok(match path {
            "docs/fresh.md" => Some("same\n".to_owned()),
            "docs/old.md" => Some("old\n".to_owned()),
            _ => None,
        })
    }

    #[test]
    fn a_file_is_stale_when_it_differs_or_is_missing() {
        let stale = stale(files(), read).unwrap();
        let paths: Vec<&str> = stale.iter().map(|file| file.path.as_str()).collect();
        assert_eq!(paths, ["docs/old.md", "docs/missing.md"]);
    }

    #[test]
    fn a_check_names_the_stale_files_and_the_command() {
        let stale = stale(files(), read).unwrap();
        assert_eq!(
            report(Mode::Check, 3, &stale, &["docs/gone.md".to_owned()]),
            "generate: stale\n  docs/old.md\n  docs/missing.md\n  docs/gone.md (nothing generates it any more)\n\
             Run `cargo xtask generate` and commit what it writes"
        );
        assert_eq!(
            report(Mode::Check, 3, &[], &[]),
            "generate: nothing is stale among the generated files (3)"
        );
    }

    #[test]
    fn a_page_of_a_rule_that_is_gone_is_left_over() {
        let all = [Generated::new("docs/reference/codes/TP0101.md", "")];
        let there = ["TP0101.md".to_owned(), "TP9999.md".to_owned()];
        assert_eq!(left_over(&all, &there), ["docs/reference/codes/TP9999.md"]);
    }

    #[test]
    fn no_file_is_generated_twice() {
        let all = generated(&disk::root()).unwrap();
        let paths: BTreeSet<_> = all.iter().map(|file| &file.path).collect();
        assert_eq!(paths.len(), all.len());
    }
}
