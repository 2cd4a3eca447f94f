//! What the rules want to know of a `Cargo.toml`.

use std::collections::{BTreeMap, BTreeSet};

use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// A package of the workspace.
pub(crate) struct Member {
    /// From the root: `crates/model`.
    pub(crate) folder: String,
    /// The path of its `Cargo.toml`.
    pub(crate) path: String,
    pub(crate) dependencies: Vec<Dependency>,
    /// The keys of `[package]` that say `workspace = true`.
    pub(crate) inherited: BTreeSet<String>,
    /// Whether `[lints]` says `workspace = true`.
    pub(crate) inherits_lints: bool,
}

/// One line of a table of dependencies.
pub(crate) struct Dependency {
    /// The name by which the code uses it, before hyphens become underscores.
    pub(crate) key: String,
    /// The name of the package behind the key.
    pub(crate) package: String,
    pub(crate) section: Section,
    /// Whether it says `workspace = true`.
    pub(crate) inherited: bool,
    pub(crate) line: usize,
}

/// The table in which a dependency stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Section {
    Normal,
    Build,
    Dev,
}

/// Packages that the workspace renames: key to package.
pub(super) type Shared = BTreeMap<String, String>;

const SECTIONS: [(&str, Section); 3] = [
    ("dependencies", Section::Normal),
    ("build-dependencies", Section::Build),
    ("dev-dependencies", Section::Dev),
];

/// The folder of a member, from the path of its `Cargo.toml`: the workspace is `crates/*` and `xtask`.
///
/// A `Cargo.toml` that lies deeper is a fixture, and `fuzz` is a workspace of its own.
pub(super) fn member_folder(path: &str) -> Option<&str> {
    let folder = path.strip_suffix("/Cargo.toml")?;
    let is_crate = folder
        .strip_prefix("crates/")
        .is_some_and(|name| !name.contains('/'));
    (is_crate || folder == "xtask").then_some(folder)
}

/// The packages behind the keys of `[workspace.dependencies]` that are not called like their key.
pub(super) fn shared_packages(text: &str) -> Shared {
    let Ok(root) = DeTable::parse(text) else {
        return Shared::new();
    };
    let Some(shared) =
        table(root.get_ref(), "workspace").and_then(|workspace| table(workspace, "dependencies"))
    else {
        return Shared::new();
    };
    shared
        .iter()
        .filter_map(|(key, value)| Some((key.get_ref().to_string(), renamed(value)?.to_owned())))
        .collect()
}

impl Member {
    pub(super) fn parse(
        folder: &str,
        path: &str,
        text: &str,
        shared: &Shared,
    ) -> Result<Member, (usize, String)> {
        let parsed = DeTable::parse(text).map_err(|error| {
            (
                line_at(text, error.span().map_or(0, |span| span.start)),
                error.message().to_owned(),
            )
        })?;
        let root = parsed.get_ref();
        let mut dependencies = Vec::new();
        collect(root, text, shared, &mut dependencies);
        for (_, target) in table(root, "target").into_iter().flatten() {
            if let Some(target) = target.get_ref().as_table() {
                collect(target, text, shared, &mut dependencies);
            }
        }
        let inherited = table(root, "package")
            .into_iter()
            .flatten()
            .filter(|(_, value)| inherits(value))
            .map(|(key, _)| key.get_ref().to_string())
            .collect();
        Ok(Member {
            folder: folder.to_owned(),
            path: path.to_owned(),
            dependencies,
            inherited,
            inherits_lints: root.get("lints").is_some_and(inherits),
        })
    }

    /// The last part of the folder, which is how the floors call it.
    pub(crate) fn short_name(&self) -> &str {
        self.folder.rsplit('/').next().unwrap_or(&self.folder)
    }
}

impl Dependency {
    /// The name by which Rust code knows it.
    pub(crate) fn identifier(&self) -> String {
        self.key.replace('-', "_")
    }
}

fn collect(root: &DeTable<'_>, text: &str, shared: &Shared, into: &mut Vec<Dependency>) {
    for (name, section) in SECTIONS {
        for (key, value) in table(root, name).into_iter().flatten() {
            let key_text = key.get_ref().to_string();
            let package = renamed(value)
                .map(str::to_owned)
                .or_else(|| shared.get(&key_text).cloned());
            into.push(Dependency {
                package: package.unwrap_or_else(|| key_text.clone()),
                key: key_text,
                section,
                inherited: inherits(value),
                line: line_at(text, key.span().start),
            });
        }
    }
}

fn table<'a, 'i>(root: &'a DeTable<'i>, key: &str) -> Option<&'a DeTable<'i>> {
    root.get(key)?.get_ref().as_table()
}

fn renamed<'a>(value: &'a Spanned<DeValue<'_>>) -> Option<&'a str> {
    value.get_ref().as_table()?.get("package")?.get_ref().as_str()
}

fn inherits(value: &Spanned<DeValue<'_>>) -> bool {
    value
        .get_ref()
        .as_table()
        .and_then(|table| table.get("workspace"))
        .is_some_and(|flag| flag.get_ref().as_bool() == Some(true))
}

fn line_at(text: &str, offset: usize) -> usize {
    1 + text.bytes().take(offset).filter(|byte| *byte == b'\n').count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dependencies_keep_their_section_their_line_and_their_real_name() {
        let text = "[dependencies]\na.workspace = true\nb = { version = \"1\", package = \"bee\" }\n\n\
                    [target.'cfg(unix)'.dev-dependencies]\nc = \"1\"\n";
        let shared = shared_packages("[workspace.dependencies]\na = { path = \"x\", package = \"ay\" }\n");
        let member = Member::parse("crates/x", "crates/x/Cargo.toml", text, &shared).unwrap();
        let seen: Vec<_> = member
            .dependencies
            .iter()
            .map(|d| (d.key.as_str(), d.package.as_str(), d.section, d.inherited, d.line))
            .collect();
        assert_eq!(
            seen,
            [
                ("a", "ay", Section::Normal, true, 2),
                ("b", "bee", Section::Normal, false, 3),
                ("c", "c", Section::Dev, false, 6),
            ]
        );
    }

    #[test]
    fn a_manifest_that_lies_deeper_is_no_member() {
        assert_eq!(member_folder("crates/model/Cargo.toml"), Some("crates/model"));
        assert_eq!(member_folder("crates/model/tests/fixture/Cargo.toml"), None);
        assert_eq!(member_folder("Cargo.toml"), None);
        assert_eq!(member_folder("fuzz/Cargo.toml"), None);
    }
}
