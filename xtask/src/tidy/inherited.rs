//! Every member takes its lints, license, edition and Rust version from the workspace.

use super::Finding;
use crate::tree::Tree;

pub(super) const WHY: &str = "a crate that sets its own terms is checked by other rules than its neighbors";

const KEYS: &[&str] = &["edition", "license", "rust-version", "version"];

pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for member in &tree.members {
        if !member.inherits_lints {
            let what = "has no lints from the workspace".to_owned();
            findings.push(Finding::new(
                &member.path,
                0,
                what,
                "write `workspace = true` below [lints]",
            ));
        }
        for key in KEYS.iter().filter(|key| !member.inherited.contains(**key)) {
            let what = format!("does not take `{key}` from the workspace");
            let next = format!("write `{key}.workspace = true` below [package]");
            findings.push(Finding::new(&member.path, 0, what, &next));
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::super::found;
    use super::*;

    const WHOLE: &str = "[package]\nname = \"towpath-model\"\nversion.workspace = true\nedition.workspace = true\n\
                         rust-version.workspace = true\nlicense.workspace = true\n\n[lints]\nworkspace = true\n";

    #[test]
    fn a_member_with_terms_of_its_own_is_found() {
        let own = WHOLE
            .replace("license.workspace = true", "license = \"MIT\"")
            .replace("[lints]", "[other]");
        assert_eq!(
            found(check, &[("crates/model/Cargo.toml", &own)]),
            [
                "crates/model/Cargo.toml:0 has no lints from the workspace",
                "crates/model/Cargo.toml:0 does not take `license` from the workspace",
            ]
        );
        assert_eq!(found(check, &[("crates/model/Cargo.toml", WHOLE)]), [""; 0]);
    }
}
