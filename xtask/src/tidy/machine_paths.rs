//! No text names a path of the machine on which it was written.

use super::Finding;
use crate::tree::Tree;

pub(super) const WHY: &str =
    "such a path exists nowhere else, and tells about a person what need not be told";

/// How paths of a person's machine begin. After a home folder a name must follow.
const BEGINNINGS: &[&str] = &["/home/", "/Users/", "/root/", "C:\\Users\\"];

/// Texts that may stand although they begin so: the file (or all, when it is empty), the text and the reason.
const ALLOWED: &[(&str, &str, &str)] = &[
    ("xtask/src/tidy/machine_paths.rs", "/", "the rule itself"),
    ("xtask/src/tidy/machine_paths.rs", "C:", "the rule itself"),
];

pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (path, text) in &tree.texts {
        for (at, line) in text.lines().enumerate() {
            for found in machine_paths(line) {
                if !is_allowed(path, found) {
                    let what = format!("names `{found}`");
                    let next = "use a path from the root, a temporary folder, or `~`; \
                                what must stand goes into xtask/src/tidy/machine_paths.rs with its reason";
                    findings.push(Finding::new(path, at + 1, what, next));
                }
            }
        }
    }
    findings
}

/// The paths in a line that begin like those of a person's machine, each up to its end.
fn machine_paths(line: &str) -> Vec<&str> {
    let mut found = Vec::new();
    for beginning in BEGINNINGS {
        for (at, _) in line.match_indices(beginning) {
            // `site.org/home/` and `~/home/` are longer paths that only hold the text.
            let is_inside =
                line[..at].ends_with(|before: char| before.is_alphanumeric() || "._-~/})$*".contains(before));
            let path = line[at..]
                .split(|letter: char| letter.is_whitespace() || "\"'`<>()[]{},;|*".contains(letter))
                .next();
            let path = path.unwrap_or_default().trim_end_matches(['.', ':']);
            // `/home/<name>/`, `/home/{user}` and `/home/$USER` are patterns, and name nobody.
            let names_somebody = path.len() > beginning.len() && !path[beginning.len()..].starts_with('$');
            let needs_name = !matches!(*beginning, "/root/");
            if !is_inside && (names_somebody || !needs_name) {
                found.push(path);
            }
        }
    }
    found
}

fn is_allowed(file: &str, path: &str) -> bool {
    ALLOWED.iter().any(|(in_file, beginning, _)| {
        (in_file.is_empty() || *in_file == file) && path.starts_with(beginning)
    })
}

#[cfg(test)]
mod tests {
    use super::super::found;
    use super::*;

    #[test]
    fn a_path_of_a_machine_is_found() {
        for path in [
            "/home/ann/towpath",
            "/Users/ann",
            "/root/.cargo",
            "C:\\Users\\ann",
        ] {
            let text = format!("first\ncd {path}.");
            assert_eq!(
                found(check, &[("notes.md", &text)]),
                [format!("notes.md:2 names `{path}`")]
            );
        }
    }

    #[test]
    fn a_pattern_a_page_and_a_folder_below_are_free() {
        for text in [
            "/home/<name>/",
            "https://site.org/home/page",
            "cd ~/home/towpath",
            "docs/home/page.md",
            "/homes/ann",
        ] {
            assert_eq!(found(check, &[("notes.md", text)]), [""; 0], "{text}");
        }
    }

    #[test]
    fn what_is_allowed_is_allowed_in_its_file_only() {
        assert!(is_allowed("xtask/src/tidy/machine_paths.rs", "/root/"));
        assert!(!is_allowed("notes.md", "/root/"));
    }
}
