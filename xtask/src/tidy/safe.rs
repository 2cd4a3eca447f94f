//! Unsafe code stands in one file.

use super::Finding;
use crate::tree::Tree;

pub(super) const WHY: &str = "what the compiler cannot check is read by people, and they read one short file";

/// The one file that may hold unsafe code. It says why in its opening.
const PLACE: &str = "crates/keeper/src/process.rs";

pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for file in tree.rust.iter().filter(|file| file.path != PLACE) {
        for (at, line) in file.text.lines().enumerate() {
            if allows(line) {
                let next = format!("move it to {PLACE}, or find a safe way (rustix has most of them)");
                findings.push(Finding::new(
                    &file.path,
                    at + 1,
                    "allows unsafe code".to_owned(),
                    &next,
                ));
            }
        }
    }
    findings
}

/// Whether a line names the lint where an attribute can, alone or with others. Whatever it does to it, it has no business.
fn allows(line: &str) -> bool {
    let line = line.trim_start();
    line.trim_end_matches(',') == LINT || (line.starts_with("#") && line.contains(LINT))
}

const LINT: &str = "unsafe_code";

#[cfg(test)]
mod tests {
    use super::super::found;
    use super::*;

    #[test]
    fn unsafe_code_elsewhere_is_found() {
        for text in [
            "#![allow(unsafe_code)]\n",
            "#[expect(unsafe_code, reason = \"fast\")]\nfn a() {}\n",
            "#![allow(\n    unsafe_code,\n    reason = \"fast\"\n)]\n",
        ] {
            assert_eq!(
                found(check, &[("crates/edge/src/lib.rs", text)]).len(),
                1,
                "{text}"
            );
            assert_eq!(found(check, &[(PLACE, text)]), [""; 0]);
        }
        let text = "// unsafe_code is denied\nconst A: &str = \"unsafe_code\";\n";
        assert_eq!(found(check, &[("crates/edge/src/lib.rs", text)]), [""; 0]);
    }
}
