//! The crates that decide have no dependency by which they could act.

use super::Finding;
use crate::tree::{Section, Tree};

pub(super) const WHY: &str =
    "a decision that reaches no clock, dice or network can be replayed and tested in memory";

const PURE: &[&str] = &["model", "manifest", "decide", "document", "export"];

/// Packages that act, each with those whose name begins with it: `tokio`, `tokio-util`.
const ACTORS: &[&str] = &[
    "async-std",
    "axum",
    "fastrand",
    "getrandom",
    "hyper",
    "rand",
    "reqwest",
    "smol",
    "sqlx",
    "tokio",
    "tower",
    "ureq",
];

pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for member in tree
        .members
        .iter()
        .filter(|member| PURE.contains(&member.short_name()))
    {
        // What a test needs does not reach the crate; a test of a pure crate may throw dice.
        for dependency in member
            .dependencies
            .iter()
            .filter(|dependency| dependency.section != Section::Dev)
        {
            if is_actor(&dependency.package) {
                let what = format!(
                    "`{}` decides, and `{}` acts",
                    member.short_name(),
                    dependency.package
                );
                let next = "take what you need as an argument, and let a crate above fetch it";
                findings.push(Finding::new(&member.path, dependency.line, what, next));
            }
        }
    }
    findings
}

fn is_actor(package: &str) -> bool {
    ACTORS.iter().any(|actor| {
        package
            .strip_prefix(actor)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with(['-', '_']))
    })
}

#[cfg(test)]
mod tests {
    use super::super::found;
    use super::*;

    #[test]
    fn a_crate_that_decides_has_no_runtime() {
        let text = "[dependencies]\ntokio-util.workspace = true\n";
        assert_eq!(
            found(check, &[("crates/decide/Cargo.toml", text)]),
            ["crates/decide/Cargo.toml:2 `decide` decides, and `tokio-util` acts"]
        );
        assert_eq!(found(check, &[("crates/edge/Cargo.toml", text)]), [""; 0]);
    }

    #[test]
    fn a_name_that_only_begins_alike_is_no_relative() {
        let text = "[dependencies]\nrandom-names.workspace = true\n";
        assert_eq!(found(check, &[("crates/decide/Cargo.toml", text)]), [""; 0]);
    }
}
