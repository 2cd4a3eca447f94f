//! Versions stand in one place: `[workspace.dependencies]`.

use super::Finding;
use crate::tree::Tree;

pub(super) const WHY: &str = "one line an upgrade, and never two versions of a package by accident";

pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for member in &tree.members {
        for dependency in member
            .dependencies
            .iter()
            .filter(|dependency| !dependency.inherited)
        {
            let what = format!("`{}` has a version or a path of its own", dependency.key);
            let next = format!(
                "move it to [workspace.dependencies], and write `{}.workspace = true` here",
                dependency.key
            );
            findings.push(Finding::new(&member.path, dependency.line, what, &next));
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::super::found;
    use super::*;

    #[test]
    fn a_version_in_a_member_is_found() {
        let text = "[dev-dependencies]\ninsta = \"1\"\ntoml = { workspace = true, features = [\"parse\"] }\n";
        assert_eq!(
            found(check, &[("crates/model/Cargo.toml", text)]),
            ["crates/model/Cargo.toml:2 `insta` has a version or a path of its own"]
        );
        let text = "[dependencies]\ninsta.workspace = true\n";
        assert_eq!(found(check, &[("crates/model/Cargo.toml", text)]), [""; 0]);
    }
}
