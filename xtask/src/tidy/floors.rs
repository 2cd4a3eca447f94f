//! The floors: which crate of ours may use which.

use super::Finding;
use crate::tree::{Dependency, Member, Section, Tree};

pub(super) const WHY: &str = "a crate is understood without those above it, so edges lead one way only";

/// Everything below the steward.
const BELOW_STEWARD: &[&str] = &[
    "model", "manifest", "decide", "document", "keeper", "engine", "resource", "bucket", "edge", "store",
    "link", "ask", "measure", "api", "console", "probe",
];

/// A crate and those that it may use, by their folders. A crate that does not exist yet is fine.
const FLOORS: &[(&str, &[&str])] = &[
    ("model", &[]),
    ("manifest", &["model"]),
    ("decide", &["model"]),
    ("document", &["model", "decide"]),
    // What other tools read follows from what is desired alone.
    ("export", &["model"]),
    // A keeper decides by itself how its instance is started again, because that has to go on while nobody looks.
    ("keeper", &["model", "decide"]),
    ("engine", &["model", "keeper"]),
    ("resource", &["model"]),
    // What is read stays a reading: what it says is decided elsewhere.
    ("measure", &["model", "resource"]),
    // Apart from the other resources, because what speaks S3 is heavy to build.
    ("bucket", &["model"]),
    // Whoever has the product's folder asks: a client, and whoever runs one for it.
    ("ask", &["model", "decide"]),
    ("edge", &["model", "decide"]),
    ("store", &["model"]),
    // It does what a probe says. What that means, and what follows, is decided.
    ("probe", &["model", "decide", "resource"]),
    ("link", &["model"]),
    ("api", &["model"]),
    // It passes questions on to stewards, and starts none itself: whoever runs it hands that in.
    ("serve", &["api", "model", "decide"]),
    ("console", &["api"]),
    ("steward", BELOW_STEWARD),
    (
        "towpath",
        &[
            "api", "ask", "bucket", "model", "manifest", "decide", "document", "export", "keeper",
            "resource", "serve", "steward",
        ],
    ),
    ("world", &["model", "decide", "engine", "store"]),
    // It writes the references, and they are made of what these crates say about themselves.
    (
        "xtask",
        &[
            "api", "model", "manifest", "decide", "document", "export", "towpath",
        ],
    ),
];

/// The test kit, which nothing that is shipped may hold.
const TEST_KIT: &str = "world";

const TABLE: &str = "xtask/src/tidy/floors.rs";

pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    tree.members.iter().flat_map(check_member).collect()
}

fn check_member(member: &Member) -> Vec<Finding> {
    let name = member.short_name();
    let Some((_, allowed)) = FLOORS.iter().find(|(floor, _)| *floor == name) else {
        let next = format!("give it a row in {TABLE}, and one in ARCHITECTURE.md");
        return vec![Finding::new(
            &member.path,
            0,
            format!("`{name}` stands on no floor"),
            &next,
        )];
    };
    let edges = member
        .dependencies
        .iter()
        .filter(|dependency| dependency.section != Section::Dev);
    edges
        .filter_map(|edge| check_edge(member, allowed, edge))
        .collect()
}

fn check_edge(member: &Member, allowed: &[&str], edge: &Dependency) -> Option<Finding> {
    let name = member.short_name();
    let floor = floor_of(&edge.package)?;
    if floor == TEST_KIT {
        let what = format!("`{name}` uses the test kit `{floor}` outside its tests");
        return Some(Finding::new(
            &member.path,
            edge.line,
            what,
            "move it to [dev-dependencies]",
        ));
    }
    if allowed.contains(&floor) {
        return None;
    }
    let below = if allowed.is_empty() {
        "nothing of ours".to_owned()
    } else {
        allowed.join(", ")
    };
    let what = format!("`{name}` may not use `{floor}`");
    let next =
        format!("it may use {below}; move what it needs down, or change the table in {TABLE} and say why");
    Some(Finding::new(&member.path, edge.line, what, &next))
}

/// The folder behind a package of ours.
fn floor_of(package: &str) -> Option<&str> {
    match package {
        "towpath" | "xtask" => Some(package),
        other => other.strip_prefix("towpath-"),
    }
}

#[cfg(test)]
mod tests {
    use super::super::found;
    use super::*;

    const MODEL: &str = "[dependencies]\ntowpath-model.workspace = true\n";

    #[test]
    fn an_edge_that_leads_up_is_found() {
        let up = "[dependencies]\ntowpath-engine.workspace = true\n";
        assert_eq!(
            found(check, &[("crates/decide/Cargo.toml", up)]),
            ["crates/decide/Cargo.toml:2 `decide` may not use `engine`"]
        );
        assert_eq!(found(check, &[("crates/decide/Cargo.toml", MODEL)]), [""; 0]);
    }

    #[test]
    fn an_edge_of_tests_is_free() {
        let text = "[dev-dependencies]\ntowpath-world.workspace = true\ntowpath-manifest.workspace = true\n";
        assert_eq!(found(check, &[("crates/decide/Cargo.toml", text)]), [""; 0]);
    }

    #[test]
    fn the_test_kit_is_for_tests() {
        let text = "[dependencies]\ntowpath-world.workspace = true\n";
        assert_eq!(
            found(check, &[("crates/steward/Cargo.toml", text)]),
            ["crates/steward/Cargo.toml:2 `steward` uses the test kit `world` outside its tests"]
        );
    }

    #[test]
    fn a_renamed_edge_is_still_an_edge() {
        let root =
            "[workspace.dependencies]\nhidden = { path = \"crates/engine\", package = \"towpath-engine\" }\n";
        let text = "[dependencies]\nhidden.workspace = true\n";
        assert_eq!(
            found(check, &[("Cargo.toml", root), ("crates/decide/Cargo.toml", text)]).len(),
            1
        );
    }

    #[test]
    fn a_crate_without_a_row_is_found() {
        assert_eq!(
            found(check, &[("crates/attic/Cargo.toml", MODEL)]),
            ["crates/attic/Cargo.toml:0 `attic` stands on no floor"]
        );
    }

    #[test]
    fn the_table_has_no_way_up() {
        for (row, (name, allowed)) in FLOORS.iter().enumerate() {
            for used in *allowed {
                let below = FLOORS.iter().position(|(floor, _)| floor == used).unwrap();
                assert!(below < row, "`{name}` uses `{used}`, which stands above it");
            }
        }
    }
}
