//! Files and functions stay short, tests left out.

use super::Finding;
use crate::tree::{RustFile, Tree};

pub(super) const WHY: &str = "what fits in a head gets read before it is changed; a list becomes a folder";

/// Lines of a file that are not tests: about two hours of reading is the most that one file may ask for.
const FILE: Budget = Budget { soft: 400, hard: 700 };

/// Lines of a function, from `fn` to its brace: one screen, two at the most.
const FUNCTION: Budget = Budget { soft: 40, hard: 80 };

struct Budget {
    /// Worth a note.
    soft: usize,
    /// Not to be passed.
    hard: usize,
}

pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for file in tree.rust.iter().filter(|file| !file.is_test) {
        let lines = file.lines_without_tests();
        findings.extend(judge(
            &FILE,
            file,
            0,
            "the file",
            lines,
            "move a part of it into a module below it",
        ));
        for function in file
            .functions
            .iter()
            .filter(|function| !file.in_test(function.first))
        {
            let lines = function.last + 1 - function.first;
            let subject = format!("`{}`", function.name);
            findings.extend(judge(
                &FUNCTION,
                file,
                function.first,
                &subject,
                lines,
                "give its parts names of their own",
            ));
        }
    }
    findings
}

fn judge(
    budget: &Budget,
    file: &RustFile,
    line: usize,
    subject: &str,
    lines: usize,
    next: &str,
) -> Option<Finding> {
    let what = |limit: usize| format!("{subject} has {lines} lines, over {limit}");
    if lines > budget.hard {
        Some(Finding::new(&file.path, line, what(budget.hard), next))
    } else if lines > budget.soft {
        Some(Finding::note(&file.path, line, what(budget.soft), next))
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Weight, found};
    use super::*;

    const PATH: &str = "crates/model/src/lib.rs";

    fn function(lines: usize) -> String {
        format!("fn long() {{\n{}}}\n", "a();\n".repeat(lines - 2))
    }

    #[test]
    fn a_long_function_is_found() {
        assert_eq!(
            found(check, &[(PATH, &function(81))]),
            ["crates/model/src/lib.rs:1 `long` has 81 lines, over 80"]
        );
        assert_eq!(found(check, &[(PATH, &function(40))]), [""; 0]);
    }

    #[test]
    fn a_function_over_the_soft_limit_is_a_note() {
        let findings = check(&Tree::of(&[(PATH, &function(80))]));
        assert_eq!(findings.len(), 1);
        assert_eq!(findings[0].weight, Weight::Note);
    }

    #[test]
    fn a_long_file_is_found() {
        let text = "const A: u8 = 0;\n".repeat(701);
        assert_eq!(
            found(check, &[(PATH, &text)]),
            ["crates/model/src/lib.rs:0 the file has 701 lines, over 700"]
        );
    }

    #[test]
    fn tests_may_be_long() {
        let text = format!("#[cfg(test)]\nmod tests {{\n#[test]\n{}}}\n", function(900));
        assert_eq!(found(check, &[(PATH, &text)]), [""; 0]);
        assert_eq!(
            found(check, &[("crates/model/tests/story.rs", &function(900))]),
            [""; 0]
        );
    }
}
