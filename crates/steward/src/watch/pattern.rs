//! Files as a rule names them, taken apart once: the folder that they lie below, and what they look like there.

use std::path::{Component, Path, PathBuf};
use towpath_model::unit::{Glob, Unit};

/// Files that a text names: one file, everything below a folder, or whatever is like a pattern.
///
/// A name without stars covers what lies below it, also at the end of a pattern: `packages/*/src` names folders. A star
/// at the end names what it says: `src/*` is what lies in `src` itself, `src/**` everything below it.
#[derive(Debug, Clone)]
pub(crate) struct Pattern {
    base: PathBuf,
    parts: Vec<Glob>,
    rest: Option<Glob>,
    ending: String,
}

impl Pattern {
    /// Takes a text apart. One that is no whole path starts at this folder.
    pub(crate) fn new(text: &str, folder: &Path) -> Self {
        let mut base = PathBuf::new();
        let mut parts: Vec<&str> = Vec::new();
        if !text.starts_with('/') {
            base.push(folder);
        } else {
            base.push("/");
        }
        for part in text.split('/').filter(|part| !matches!(*part, "" | ".")) {
            if parts.is_empty() && !part.contains(['*', '?', '[']) {
                base.push(part);
            } else {
                parts.push(part);
            }
        }
        // What is after the last star of the last part has to stand at the end of a name, and is compared first.
        let ending = match parts.last() {
            Some(last) if !last.contains(['?', '[']) => last.rsplit('*').next().unwrap_or_default(),
            _ => "",
        };
        let covers_below = parts.last().is_some_and(|last| !last.contains('*'));
        Pattern {
            base: plain(&base),
            ending: if covers_below {
                String::new()
            } else {
                ending.to_owned()
            },
            rest: Glob::parse(&parts.join("/")).ok(),
            parts: parts.iter().filter_map(|part| Glob::parse(part).ok()).collect(),
        }
    }

    /// The file or folder that is named without stars.
    pub(crate) fn base(&self) -> &Path {
        &self.base
    }

    /// Whether this file is one of them.
    pub(crate) fn holds(&self, path: &Path) -> bool {
        let Ok(below) = path.strip_prefix(&self.base) else {
            return false;
        };
        let Some(rest) = &self.rest else {
            return true;
        };
        let below = below.to_string_lossy();
        if !below.ends_with(&self.ending) {
            return false;
        }
        if rest.as_str() == "**" || rest.is_match(&below) {
            return true;
        }
        let covers_below = self.parts.last().is_some_and(Glob::is_plain);
        covers_below
            && below
                .match_indices('/')
                .any(|(at, _)| rest.is_match(&below[..at]))
    }

    /// Whether one of them may lie in or below this folder.
    pub(crate) fn may_hold(&self, folder: &Path) -> bool {
        if self.base.starts_with(folder) {
            return true;
        }
        let Ok(below) = folder.strip_prefix(&self.base) else {
            return false;
        };
        let mut parts = self.parts.iter();
        for name in below.components() {
            match parts.next() {
                None => return self.parts.last().is_none_or(Glob::is_plain),
                Some(part) if part.as_str().contains("**") => return true,
                Some(part) if part.is_match(&name.as_os_str().to_string_lossy()) => {}
                Some(_) => return false,
            }
        }
        parts.next().is_some() || self.parts.last().is_none_or(Glob::is_plain)
    }
}

/// The path without `.` and `..`, by its text alone: what it names need not be there.
fn plain(path: &Path) -> PathBuf {
    let mut plain = PathBuf::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir => {
                plain.pop();
            }
            other => plain.push(other),
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pattern(text: &str) -> Pattern {
        Pattern::new(text, Path::new("/p"))
    }

    #[test]
    fn a_name_without_stars_covers_what_lies_below_it() {
        for text in ["/p/src", "src", "./src/", "lib/../src"] {
            let src = pattern(text);
            assert_eq!(src.base(), Path::new("/p/src"), "{text}");
            assert!(src.holds(Path::new("/p/src")) && src.holds(Path::new("/p/src/a/b.rs")));
            assert!(!src.holds(Path::new("/p/srcs")) && !src.holds(Path::new("/p")));
        }
        let packages = pattern("packages/*/src");
        assert!(packages.holds(Path::new("/p/packages/web/src/a/b.js")));
        assert!(!packages.holds(Path::new("/p/packages/web/test/b.js")));
    }

    #[test]
    fn a_star_at_the_end_stops_at_a_slash() {
        let direct = pattern("src/*");
        assert!(direct.holds(Path::new("/p/src/a")) && !direct.holds(Path::new("/p/src/a/b")));
        let kind = pattern("src/**/*.py");
        assert!(kind.holds(Path::new("/p/src/a.py")) && kind.holds(Path::new("/p/src/a/b/c.py")));
        assert!(!kind.holds(Path::new("/p/src/a.pyc")));
        assert!(pattern("src/**").holds(Path::new("/p/src/a/b")));
    }

    #[test]
    fn a_folder_is_entered_where_something_may_lie_below_it() {
        let packages = pattern("packages/*/src");
        for inside in [
            "/",
            "/p",
            "/p/packages",
            "/p/packages/web",
            "/p/packages/web/src/deep",
        ] {
            assert!(packages.may_hold(Path::new(inside)), "{inside}");
        }
        for outside in ["/p/web", "/p/packages/web/test", "/q"] {
            assert!(!packages.may_hold(Path::new(outside)), "{outside}");
        }
        let direct = pattern("*.toml");
        assert!(direct.may_hold(Path::new("/p")) && !direct.may_hold(Path::new("/p/src")));
        assert!(pattern("a/**/b").may_hold(Path::new("/p/a/x/y/z")));
    }
}
