//! Nothing is left for later in the code, and no test is switched off or waits for luck.

use super::Finding;
use crate::tree::{RustFile, Tree};

pub(super) const WHY: &str = "a promise in the code is kept by nobody: do it now, or write it down as a plan";

/// Code that is no code yet.
const UNFINISHED: &[&str] = &["todo!", "unimplemented!"];

/// Words of a note to oneself, as whole words in any text. Written in halves, so that this line holds none.
const MARKS: &[&str] = &[concat!("FIX", "ME"), concat!("XX", "X")];

/// Files in which the marks stand for something else: the file and the reason.
const ALLOWED: &[(&str, &str)] = &[("Cargo.lock", "checksums and names of packages")];

/// Loops that wait on a condition with a bound need a pause between two looks: the file and the reason.
const PAUSES: &[(&str, &str)] = &[
    (
        "crates/measure/tests/",
        "it waits for real servers to come and for killed processes to be gone, within a bound",
    ),
    (
        "crates/probe/tests/probes/",
        "it waits for killed processes to be gone, within a bound",
    ),
    (
        "crates/resource/tests/kit/mod.rs",
        "it waits for real servers to say that they are ready, or gone, within a bound",
    ),
    (
        "crates/towpath/tests/stories/kit.rs",
        "it looks again and again at processes of the system, with a bound, and kills at moments that are counted out",
    ),
    (
        "crates/towpath/tests/stories/programs.rs",
        "these are the programs that are run: one counts at its pace, and one is silent on purpose",
    ),
];

pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    let texts = tree.texts.iter().filter(|(path, _)| !lists(ALLOWED, path));
    let mut findings: Vec<Finding> = texts.flat_map(|(path, text)| marks(path, text)).collect();
    findings.extend(tree.rust.iter().flat_map(check_code));
    findings
}

fn marks(path: &str, text: &str) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (at, line) in text.lines().enumerate() {
        if let Some(mark) = MARKS.iter().find(|mark| holds_word(line, mark)) {
            let what = format!("`{mark}` is left in the text");
            findings.push(Finding::new(path, at + 1, what, "do it, or take it out"));
        }
    }
    findings
}

fn check_code(file: &RustFile) -> Vec<Finding> {
    let finding = |line: usize, what: &str, next: &str| Finding::new(&file.path, line, what.to_owned(), next);
    let mut findings = Vec::new();
    for pattern in UNFINISHED {
        for line in file.lines_with(pattern) {
            findings.push(finding(
                line,
                &format!("`{pattern}` is left in the code"),
                "write the code",
            ));
        }
    }
    for line in file.lines_with("#[ignore") {
        let next = "make it pass or delete it; one that lacks something prints `left out: what is missing`";
        findings.push(finding(line, "a test is switched off", next));
    }
    if !lists(PAUSES, &file.path) {
        let sleeps = file
            .lines_with("thread::sleep")
            .into_iter()
            .filter(|line| file.in_test(*line));
        findings
            .extend(sleeps.map(|line| finding(line, "a test sleeps", "wait on a condition, with a bound")));
    }
    findings
}

fn lists(list: &[(&str, &str)], path: &str) -> bool {
    list.iter()
        .any(|(file, _)| *file == path || file.ends_with('/') && path.starts_with(file))
}

fn holds_word(line: &str, word: &str) -> bool {
    let is_part = |letter: char| letter.is_alphanumeric() || letter == '_';
    line.match_indices(word)
        .any(|(at, _)| !line[..at].ends_with(is_part) && !line[at + word.len()..].starts_with(is_part))
}

#[cfg(test)]
mod tests {
    use super::super::found;
    use super::*;

    const PATH: &str = "crates/model/src/lib.rs";

    #[test]
    fn what_was_left_for_later_is_found() {
        let text = format!(
            "fn a() {{ todo!() }}\n// {}: later\n#[test]\n#[ignore = \"slow\"]\nfn b() {{}}\n",
            MARKS[0]
        );
        assert_eq!(
            found(check, &[(PATH, &text)]),
            [
                format!("{PATH}:2 `{}` is left in the text", MARKS[0]),
                format!("{PATH}:1 `todo!` is left in the code"),
                format!("{PATH}:4 a test is switched off"),
            ]
        );
        assert_eq!(found(check, &[(PATH, "fn a() { ignore(todo); }")]), [""; 0]);
    }

    #[test]
    fn a_mark_counts_as_a_whole_word() {
        let text = format!("mktemp name.{}X", MARKS[1]);
        assert_eq!(found(check, &[("notes.md", &text)]), [""; 0]);
        assert_eq!(found(check, &[("notes.md", MARKS[1])]).len(), 1);
    }

    #[test]
    fn a_test_that_sleeps_is_found() {
        let text = "fn a() { std::thread::sleep(x) }\n#[test]\nfn b() { std::thread::sleep(x) }\n";
        assert_eq!(found(check, &[(PATH, text)]), [format!("{PATH}:3 a test sleeps")]);
    }
}
