//! No dependency is listed that the crate does not use.

use super::Finding;
use crate::tree::{Dependency, Member, Section, Tree};

pub(super) const WHY: &str = "every package costs build time, trust and upgrades";

/// Dependencies that no code names: the crate, the dependency and the reason.
const ALLOWED: &[(&str, &str, &str)] = &[("edge", "log", SILENT), ("edge", "tracing", SILENT)];

const SILENT: &str = "its feature leaves out what h2 would tell of each frame, which nobody reads";

pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    tree.members
        .iter()
        .flat_map(|member| check_member(tree, member))
        .collect()
}

fn check_member(tree: &Tree, member: &Member) -> Vec<Finding> {
    let name = member.short_name();
    let normal = || {
        member
            .dependencies
            .iter()
            .filter(|dependency| dependency.section == Section::Normal)
    };
    // A crate that uses nothing of what it lists has only been laid out: that is worth a note.
    let is_begun = normal().any(|dependency| used_by(tree, member, dependency) == User::Code);
    let mut findings = Vec::new();
    for dependency in normal().filter(|dependency| !is_allowed(name, &dependency.package)) {
        let (what, next) = match used_by(tree, member, dependency) {
            User::Code => continue,
            User::Tests => (
                format!("only tests of `{name}` use `{}`", dependency.key),
                "move it to [dev-dependencies]",
            ),
            User::Nobody => (
                format!("nothing in `{name}` uses `{}`", dependency.key),
                "remove the line, or name it with its reason in xtask/src/tidy/unused.rs",
            ),
        };
        let make = if is_begun { Finding::new } else { Finding::note };
        findings.push(make(&member.path, dependency.line, what, next));
    }
    findings
}

/// Who names a dependency in a crate.
#[derive(PartialEq, Eq)]
enum User {
    Code,
    Tests,
    Nobody,
}

fn used_by(tree: &Tree, member: &Member, dependency: &Dependency) -> User {
    let identifier = dependency.identifier();
    let mut user = User::Nobody;
    for file in tree.sources(member) {
        for line in file.lines_naming_crate(&identifier) {
            if !file.in_test(line) {
                return User::Code;
            }
            user = User::Tests;
        }
    }
    user
}

fn is_allowed(member: &str, package: &str) -> bool {
    ALLOWED
        .iter()
        .any(|(allowed_member, allowed, _)| *allowed_member == member && *allowed == package)
}

#[cfg(test)]
mod tests {
    use super::super::Weight;
    use super::*;

    const CARGO: (&str, &str) = (
        "crates/model/Cargo.toml",
        "[dependencies]\njiff.workspace = true\nrust-decimal.workspace = true\n",
    );

    fn with(text: &str) -> Vec<Finding> {
        let text = format!("use jiff::Timestamp;\n{text}");
        check(&Tree::of(&[CARGO, ("crates/model/src/lib.rs", &text)]))
    }

    #[test]
    fn a_dependency_that_no_code_names_is_found() {
        let findings = with("// rust_decimal::Decimal\nfn rust_decimal() {}");
        assert_eq!(findings.len(), 1);
        assert_eq!(findings[0].what, "nothing in `model` uses `rust-decimal`");
        assert_eq!((findings[0].line, findings[0].weight), (3, Weight::Fault));
        assert_eq!(with("use rust_decimal::Decimal;"), []);
    }

    #[test]
    fn a_dependency_of_tests_belongs_to_tests() {
        let findings = with("#[cfg(test)]\nmod tests {\n use rust_decimal::Decimal;\n}");
        assert_eq!(findings[0].what, "only tests of `model` use `rust-decimal`");
    }

    #[test]
    fn a_crate_that_has_only_been_laid_out_is_worth_a_note() {
        // The code of another crate does not count.
        let source = ("crates/model-two/src/lib.rs", "use rust_decimal::Decimal;");
        let findings = check(&Tree::of(&[CARGO, source]));
        assert_eq!(
            findings.iter().map(|finding| finding.weight).collect::<Vec<_>>(),
            [Weight::Note; 2]
        );
    }
}
