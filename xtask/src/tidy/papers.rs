//! The change log is kept, and the architecture page stays short.

use super::Finding;
use crate::tree::Tree;

pub(super) const WHY: &str =
    "users read the change log, newcomers the architecture page: both only while they are short and true";

const CHANGE_LOG: &str = "CHANGELOG.md";
const ARCHITECTURE: &str = "ARCHITECTURE.md";

/// A quarter of an hour of reading; what is longer belongs into `docs/decisions/`.
const ARCHITECTURE_LINES: usize = 300;

pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    match tree.texts.get(CHANGE_LOG) {
        None => findings.push(Finding::new(
            CHANGE_LOG,
            0,
            "is missing".to_owned(),
            "write it, with `## Unreleased`",
        )),
        Some(text)
            if !text
                .lines()
                .any(|line| matches!(line.trim_end(), "## Unreleased" | "## [Unreleased]")) =>
        {
            let what = "has no section `## Unreleased`".to_owned();
            findings.push(Finding::new(
                CHANGE_LOG,
                0,
                what,
                "add it above the newest version",
            ));
        }
        Some(_) => {}
    }
    if let Some(text) = tree.texts.get(ARCHITECTURE) {
        let lines = text.lines().count();
        if lines > ARCHITECTURE_LINES {
            let what = format!("has {lines} lines, over {ARCHITECTURE_LINES}");
            findings.push(Finding::new(
                ARCHITECTURE,
                0,
                what,
                "move a decision to docs/decisions/, and link to it",
            ));
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::super::found;
    use super::*;

    const LOG: (&str, &str) = ("CHANGELOG.md", "# Change log\n\n## Unreleased\n");

    #[test]
    fn a_change_log_without_its_section_is_found() {
        assert_eq!(found(check, &[]), ["CHANGELOG.md:0 is missing"]);
        assert_eq!(
            found(check, &[("CHANGELOG.md", "## 1.0\n")]),
            ["CHANGELOG.md:0 has no section `## Unreleased`"]
        );
        assert_eq!(found(check, &[LOG]), [""; 0]);
    }

    #[test]
    fn a_long_architecture_page_is_found() {
        let long = "line\n".repeat(301);
        assert_eq!(
            found(check, &[LOG, ("ARCHITECTURE.md", &long)]),
            ["ARCHITECTURE.md:0 has 301 lines, over 300"]
        );
        assert_eq!(
            found(check, &[LOG, ("ARCHITECTURE.md", "# Architecture\n")]),
            [""; 0]
        );
    }
}
