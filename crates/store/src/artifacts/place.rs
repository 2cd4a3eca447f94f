//! Where something of a tree may stand, and where its links may lead: never out of it.

use crate::StoreError;
use std::collections::VecDeque;
use towpath_model::run::{Entry, Tree};

/// So many links may lead to each other, as the system itself allows.
const HOPS: usize = 40;

/// A path, or what a link says, is at most so long: the system takes no more either.
const LONGEST: usize = 4000;

/// The characters of a digest.
const DIGITS: usize = 64;

/// Whether this is a digest, as they are written.
pub(super) fn digest(text: &str) -> Result<(), StoreError> {
    let is_digit = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
    if text.len() == DIGITS && text.bytes().all(is_digit) {
        return Ok(());
    }
    Err(StoreError::NoDigest {
        text: text.chars().take(2 * DIGITS).collect(),
    })
}

/// Whether a tree can have this name: it is one of a folder.
pub(super) fn name(text: &str) -> Result<(), StoreError> {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    if !text.is_empty() && text.len() <= 200 && !text.starts_with('.') && text.bytes().all(is_plain) {
        return Ok(());
    }
    Err(misplaced(text, "is no name of a tree"))
}

/// Whether everything in a tree stands in it, and no link leads out.
pub(super) fn check(tree: &Tree) -> Result<(), StoreError> {
    for (path, entry) in &tree.entries {
        if let Some(why) = misplacement(path) {
            return Err(misplaced(path, why));
        }
        let above = path.char_indices().filter(|(_, letter)| *letter == '/');
        for (end, _) in above {
            let above = path.get(..end).unwrap_or_default();
            if tree.entries.contains_key(above) {
                return Err(misplaced(path, "stands below something that is no folder"));
            }
        }
        match entry {
            Entry::File { digest: named, .. } => digest(named)?,
            Entry::Link(_) if !stays_inside(tree, path) => {
                return Err(misplaced(
                    path,
                    "is a link that does not lead to a place in its folder",
                ));
            }
            Entry::Link(_) => {}
        }
    }
    Ok(())
}

/// What is wrong with a path.
fn misplacement(path: &str) -> Option<&'static str> {
    if path.is_empty() {
        return Some("is no path");
    }
    if path.starts_with('/') {
        return Some("does not begin in its folder");
    }
    if path.len() > LONGEST {
        return Some("is longer than a path can be");
    }
    if path.contains('\0') {
        return Some("has a character that no path has");
    }
    path.split('/')
        .any(|part| matches!(part, "" | "." | ".."))
        .then_some("is not written as the shortest way to its place")
}

/// Whether a link leads to a place in the tree, or to nothing in it. It is followed as the system would: what stands on the
/// way may be a link, and `..` behind one is not the folder that the link stands in.
fn stays_inside(tree: &Tree, link: &str) -> bool {
    let mut way: VecDeque<&str> = link.split('/').collect();
    let mut at: Vec<&str> = Vec::new();
    let mut hops = 0;
    while let Some(part) = way.pop_front() {
        match part {
            "" | "." => {}
            ".." => {
                if at.pop().is_none() {
                    return false;
                }
            }
            part => {
                at.push(part);
                if let Some(Entry::Link(target)) = tree.entries.get(&at.join("/")) {
                    hops += 1;
                    let is_odd = target.is_empty() || target.len() > LONGEST || target.contains('\0');
                    if hops > HOPS || is_odd || target.starts_with('/') {
                        return false;
                    }
                    at.pop();
                    for part in target.split('/').rev() {
                        way.push_front(part);
                    }
                }
            }
        }
    }
    true
}

fn misplaced(path: &str, why: &'static str) -> StoreError {
    StoreError::Misplaced {
        // It is told to people, and may be anything.
        path: path.escape_debug().take(200).collect(),
        why,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tree(entries: &[(&str, &str)]) -> Tree {
        let entry = |target: &str| match target {
            "" => Entry::File {
                digest: "0".repeat(DIGITS),
                bytes: 0,
                runs: false,
            },
            target => Entry::Link(target.to_owned()),
        };
        let entries = entries
            .iter()
            .map(|(path, target)| ((*path).to_owned(), entry(target)));
        Tree {
            entries: entries.collect(),
        }
    }

    fn told(entries: &[(&str, &str)]) -> String {
        check(&tree(entries)).map_or_else(|why| why.to_string(), |()| "fine".to_owned())
    }

    #[test]
    fn a_path_that_is_not_the_shortest_way_to_a_place_in_the_tree_is_refused() {
        let told = |path| told(&[(path, "")]);
        for path in ["a", "a/b", "..a", "a..", "a b", "ä/ö", ".env"] {
            assert_eq!(told(path), "fine", "{path:?}");
        }
        for path in ["", "/a", "..", "a/..", "a/../b", "./a", "a//b", "a/", "a\0b"] {
            assert_ne!(told(path), "fine", "{path:?}");
        }
    }

    #[test]
    fn nothing_stands_below_a_file_or_a_link() {
        assert_eq!(told(&[("a", ""), ("ab/c", "")]), "fine");
        assert_eq!(
            told(&[("a", ""), ("a/b", "")]),
            "`a/b` stands below something that is no folder"
        );
        assert_eq!(
            told(&[("a", "b"), ("a/x/y", ""), ("b/c", "")]),
            "`a/x/y` stands below something that is no folder"
        );
    }

    #[test]
    fn a_link_leads_to_a_place_in_the_tree_however_it_gets_there() {
        for target in ["b", "../b", "./b", "missing", "..", "../x/../b"] {
            assert_eq!(told(&[("x/a", target), ("b", "")]), "fine", "{target:?}");
        }
        for target in [
            "/etc/passwd",
            "../../b",
            "../..",
            "../x/../../y",
            "a",
            "../x/a",
            "b\0",
        ] {
            assert_eq!(
                told(&[("x/a", target), ("b", "")]),
                "`x/a` is a link that does not lead to a place in its folder",
                "{target:?}"
            );
        }
    }

    #[test]
    fn a_way_back_behind_a_link_is_the_one_that_the_system_takes() {
        // By its letters the second one leads to the root of the tree; the system gets above it.
        let told = told(&[("a/b", ".."), ("c", "a/b/../x")]);
        assert_eq!(told, "`c` is a link that does not lead to a place in its folder");
    }

    #[test]
    fn the_name_of_a_tree_is_that_of_a_folder_and_a_digest_is_one() {
        for good in ["0a1b", "web-1.2_x"] {
            assert!(name(good).is_ok(), "{good}");
        }
        for bad in ["", ".", "..", "a/b", "/a", "a\0", ".hidden", &"x".repeat(300)] {
            assert!(name(bad).is_err(), "{bad:?}");
        }
        assert!(digest(&"0a".repeat(32)).is_ok());
        for bad in ["", "0a", &"0A".repeat(32), &"g0".repeat(32), &"../".repeat(22)] {
            assert!(digest(bad).is_err(), "{bad:?}");
        }
    }
}
