//! Every Rust file and every `Cargo.toml` parses, so that the other rules have seen it.

use super::Finding;
use crate::tree::Tree;

pub(super) const WHY: &str = "a rule cannot speak about a file that it could not read";

pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    let finding = |(file, line, why): &(String, usize, String)| {
        Finding::new(file, *line, format!("does not parse: {why}"), "mend it")
    };
    tree.unreadable.iter().map(finding).collect()
}

#[cfg(test)]
mod tests {
    use super::super::found;
    use super::*;

    #[test]
    fn a_file_that_does_not_parse_is_found() {
        assert_eq!(found(check, &[("crates/model/src/lib.rs", "fn a() {")]).len(), 1);
        assert_eq!(found(check, &[("crates/model/src/lib.rs", "fn a() {}")]), [""; 0]);
    }
}
