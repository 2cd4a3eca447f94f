//! The repository as the rules see it: every text file, read and parsed once.

use std::collections::BTreeMap;
use std::collections::BTreeSet;

mod cargo;
mod rust;

pub(crate) use cargo::{Dependency, Member, Section};
pub(crate) use rust::{Named, RustFile};

/// The files of the repository, by their path from the root.
pub(crate) struct Tree {
    pub(crate) texts: BTreeMap<String, String>,
    pub(crate) rust: Vec<RustFile>,
    pub(crate) members: Vec<Member>,
    /// What could not be parsed: the file, the line and the parser's words.
    pub(crate) unreadable: Vec<(String, usize, String)>,
}

impl Tree {
    /// Parses the files.
    pub(crate) fn new(files: impl IntoIterator<Item = (String, String)>) -> Tree {
        let texts: BTreeMap<String, String> = files.into_iter().collect();
        let mut tree = Tree {
            texts,
            rust: Vec::new(),
            members: Vec::new(),
            unreadable: Vec::new(),
        };
        let shared = tree
            .texts
            .get("Cargo.toml")
            .map(|text| cargo::shared_packages(text))
            .unwrap_or_default();
        for (path, text) in &tree.texts {
            if path.ends_with(".rs") {
                match RustFile::parse(path, text) {
                    Ok(file) => tree.rust.push(file),
                    Err((line, why)) => tree.unreadable.push((path.clone(), line, why)),
                }
            } else if let Some(folder) = cargo::member_folder(path) {
                match Member::parse(folder, path, text, &shared) {
                    Ok(member) => tree.members.push(member),
                    Err((line, why)) => tree.unreadable.push((path.clone(), line, why)),
                }
            }
        }
        tree.mark_test_modules();
        tree
    }

    /// A tree of a few files, for the tests of the rules.
    #[cfg(test)]
    pub(crate) fn of(files: &[(&str, &str)]) -> Tree {
        Tree::new(
            files
                .iter()
                .map(|(path, text)| ((*path).to_owned(), (*text).to_owned())),
        )
    }

    /// The Rust files of a member, tests of the member included.
    pub(crate) fn sources<'a>(&'a self, member: &Member) -> impl Iterator<Item = &'a RustFile> + use<'a> {
        let folder = format!("{}/", member.folder);
        self.rust
            .iter()
            .filter(move |file| file.path.starts_with(&folder))
    }

    /// A file that is declared by `#[cfg(test)] mod name;` is a test, and so is everything below it.
    fn mark_test_modules(&mut self) {
        let roots: BTreeSet<String> = self.rust.iter().flat_map(RustFile::test_modules).collect();
        for file in &mut self.rust {
            let stem = file.path.trim_end_matches(".rs");
            let below_a_root = roots.iter().any(|root| {
                stem.strip_prefix(root.as_str())
                    .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
            });
            file.is_test = file.is_test || below_a_root;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_module_behind_cfg_test_is_a_test_with_all_below_it() {
        let tree = Tree::of(&[
            ("crates/model/src/lib.rs", "#[cfg(test)]\nmod proof;\nmod unit;"),
            ("crates/model/src/proof.rs", "mod deep;"),
            ("crates/model/src/proof/deep.rs", ""),
            ("crates/model/src/unit.rs", "#[cfg(test)]\nmod tests;"),
            ("crates/model/src/unit/tests.rs", ""),
            ("crates/model/tests/story.rs", ""),
        ]);
        let tests: Vec<&str> = tree
            .rust
            .iter()
            .filter(|file| file.is_test)
            .map(|file| file.path.as_str())
            .collect();
        assert_eq!(
            tests,
            [
                "crates/model/src/proof.rs",
                "crates/model/src/proof/deep.rs",
                "crates/model/src/unit/tests.rs",
                "crates/model/tests/story.rs",
            ]
        );
    }

    #[test]
    fn a_file_that_does_not_parse_is_kept_aside() {
        let tree = Tree::of(&[
            ("crates/model/src/lib.rs", "fn ("),
            ("crates/model/Cargo.toml", "[package"),
        ]);
        let files: Vec<&str> = tree.unreadable.iter().map(|(file, _, _)| file.as_str()).collect();
        assert_eq!(files, ["crates/model/Cargo.toml", "crates/model/src/lib.rs"]);
    }
}
