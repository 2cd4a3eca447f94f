//! Every rule: its page breaks it and keeps it, and what is told stands in a golden text beside this file.
//!
//! `UPDATE_GOLDEN=1 cargo test -p towpath --test rules` writes the golden texts anew; read them before committing.
#![allow(clippy::disallowed_methods, reason = "golden texts are files")]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use towpath::checked::{Checked, check_example};
use towpath_model::code::{Code, FAMILIES, Gravity};

fn codes() -> impl Iterator<Item = &'static Code> {
    FAMILIES.iter().flat_map(|family| family.codes).copied()
}

fn found(checked: &Checked) -> BTreeSet<&'static str> {
    checked
        .diagnostics
        .iter()
        .map(|diagnostic| diagnostic.code.id)
        .collect()
}

/// Compares with a golden text, or writes it anew when asked to.
fn golden(path: &Path, text: &str, wrong: &mut Vec<String>) {
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        fs::write(path, text).expect("a golden text can be written");
        return;
    }
    let known = fs::read_to_string(path).unwrap_or_default();
    if known != text {
        let name = path
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        wrong.push(format!(
            "{name} is not what is told now:\n--- golden\n{known}\n--- now\n{text}"
        ));
    }
}

fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests").join(name)
}

#[test]
fn every_page_breaks_and_keeps_its_rule() {
    let mut wrong = Vec::new();
    for code in codes() {
        // What cannot be shown as a text, bytes that are not UTF-8 for example, is shown by tests of its own.
        let breaking = code.examples("wrong");
        let keeping = code.examples("right");
        if breaking.is_empty() != keeping.is_empty()
            || (breaking.is_empty() && !UNSHOWABLE.contains(&code.id))
        {
            wrong.push(format!(
                "{} has to show how it is broken and how it is kept",
                code.id
            ));
        }
        for (position, text) in breaking.iter().enumerate() {
            let checked = check_example(text);
            if !found(&checked).contains(code.id) {
                wrong.push(format!(
                    "{}: its wrong example {position} does not break it:\n{}",
                    code.id,
                    checked.told()
                ));
            }
            let name = if position == 0 {
                format!("{}.txt", code.id)
            } else {
                format!("{}-{position}.txt", code.id)
            };
            golden(&folder("rules").join(name), &checked.told(), &mut wrong);
        }
        for text in &keeping {
            let checked = check_example(text);
            let bad = checked
                .diagnostics
                .iter()
                .any(|one| one.code.id == code.id || one.code.gravity == Gravity::Error);
            if bad {
                wrong.push(format!(
                    "{}: its right example is not right:\n{}",
                    code.id,
                    checked.told()
                ));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}

/// Rules that no text in a page can break: see `tests/hostile.rs`.
const UNSHOWABLE: &[&str] = &["TP0001", "TP0002", "TP0003", "TP0010", "TP0011", "TP0113"];

#[test]
fn what_tired_people_write_is_told_as_in_its_golden_text() {
    let mut wrong = Vec::new();
    for family in FAMILIES {
        let mut names: Vec<PathBuf> = fs::read_dir(folder("broken").join(family.prefix))
            .map(|entries| entries.filter_map(|entry| Some(entry.ok()?.path())).collect())
            .unwrap_or_default();
        names.retain(|path| path.extension().is_some_and(|extension| extension == "toml"));
        names.sort();
        if names.len() < 10 {
            wrong.push(format!(
                "{} ({}) has {} broken manifests, and needs ten",
                family.prefix,
                family.title,
                names.len()
            ));
        }
        for path in names {
            let text = fs::read_to_string(&path).expect("a broken manifest is readable");
            let checked = check_example(&text);
            if !found(&checked).iter().any(|code| code.starts_with(family.prefix)) {
                wrong.push(format!(
                    "{} breaks no rule of its family:\n{}",
                    path.display(),
                    checked.told()
                ));
            }
            golden(&path.with_extension("txt"), &checked.told(), &mut wrong);
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}

#[test]
fn there_are_at_least_eighty_rules_and_no_code_stands_twice() {
    let all: Vec<&str> = codes().map(|code| code.id).collect();
    let different: BTreeSet<&str> = all.iter().copied().collect();
    assert_eq!(all.len(), different.len());
    assert!(all.len() >= 80, "{} rules", all.len());
    for family in FAMILIES {
        assert!(
            family.codes.iter().all(|code| code.id.starts_with(family.prefix)),
            "{}",
            family.prefix
        );
    }
}
