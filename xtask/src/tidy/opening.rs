//! Every Rust file opens with `//!` and a sentence.

use super::Finding;
use crate::tree::Tree;

pub(super) const WHY: &str = "a reader who opens a file knows in one sentence whether to read on";

pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for file in &tree.rust {
        let what = match opening(&file.text) {
            None => "does not open with `//!`",
            // An empty file keeps a place, and has nothing to say yet.
            Some(text) if !is_sentence(&text) && !file.is_empty => {
                "opens with something that is not a sentence"
            }
            Some(_) => continue,
        };
        let next = "say in one sentence on the first line what the file is for, with a full stop";
        findings.push(Finding::new(&file.path, 1, what.to_owned(), next));
    }
    findings
}

/// The first paragraph of the `//!` lines with which the text begins.
fn opening(text: &str) -> Option<String> {
    let lines = text.lines().map_while(|line| line.strip_prefix("//!"));
    let paragraph: Vec<&str> = lines.map(str::trim).take_while(|line| !line.is_empty()).collect();
    if paragraph.is_empty() {
        None
    } else {
        Some(paragraph.join(" "))
    }
}

/// It begins with a capital or with code, and ends as a sentence does; two words are the least.
fn is_sentence(text: &str) -> bool {
    let begins =
        text.starts_with(|letter: char| letter.is_uppercase() || letter.is_numeric() || letter == '`');
    let ends = text.ends_with(['.', '?', '!', ':']);
    begins && ends && text.contains(' ')
}

#[cfg(test)]
mod tests {
    use super::super::found;
    use super::*;

    const PATH: &str = "crates/model/src/lib.rs";

    #[test]
    fn a_file_without_an_opening_is_found() {
        assert_eq!(
            found(check, &[(PATH, "use std::fmt;")]),
            ["crates/model/src/lib.rs:1 does not open with `//!`"]
        );
        assert_eq!(
            found(
                check,
                &[(PATH, "//! `Unit` is what\n//! people write.\n//!\n//! More")]
            ),
            [""; 0]
        );
    }

    #[test]
    fn a_word_is_no_sentence() {
        for text in [
            "//! Units.",
            "//! units as people write them.",
            "//! Units as people write them",
        ] {
            let text = format!("{text}\nmod unit;");
            assert_eq!(
                found(check, &[(PATH, &text)]),
                ["crates/model/src/lib.rs:1 opens with something that is not a sentence"]
            );
        }
    }
}
