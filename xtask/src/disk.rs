//! The door of xtask: reads the repository's files, and writes the generated ones.
#![allow(
    clippy::disallowed_methods,
    reason = "this is the door through which xtask reaches files and git"
)]

use std::fmt;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;

/// What could not be done with a file.
#[derive(Debug)]
pub(crate) struct Failure {
    what: String,
    source: io::Error,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.what, self.source)
    }
}

impl std::error::Error for Failure {}

/// The root of the repository: xtask is built from a folder directly below it.
pub(crate) fn root() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.parent().unwrap_or(here).to_owned()
}

/// Every text file of the repository, tracked or about to be, with its path from the root.
///
/// Files that are not UTF-8 are left out: no rule reads them.
pub(crate) fn files(root: &Path) -> Result<Vec<(String, String)>, Failure> {
    let paths = match listed_by_git(root) {
        Some(paths) => paths,
        None => listed_by_walking(root)?,
    };
    let mut files = Vec::new();
    for path in paths {
        match read(&root.join(&path)) {
            Ok(Some(text)) => files.push((path, text)),
            // Deleted but still tracked, or not text.
            Ok(None) => {}
            Err(failure) => return Err(failure),
        }
    }
    Ok(files)
}

/// The text of a file, or nothing when there is no such file or it is not text.
pub(crate) fn read(path: &Path) -> Result<Option<String>, Failure> {
    // A symbolic link may lead to a folder, or out of the repository.
    match fs::symlink_metadata(path) {
        Ok(about) if !about.is_file() => return Ok(None),
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Ok(_) | Err(_) => {}
    }
    let bytes = fs::read(path).map_err(|source| failure("read", path, source))?;
    Ok(String::from_utf8(bytes).ok())
}

/// Writes a file, and the folders above it.
pub(crate) fn write(path: &Path, text: &str) -> Result<(), Failure> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).map_err(|source| failure("create", folder, source))?;
    }
    fs::write(path, text).map_err(|source| failure("write", path, source))
}

/// The names in a folder, sorted; none where there is no such folder.
pub(crate) fn names(folder: &Path) -> Result<Vec<String>, Failure> {
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(source) => return Err(failure("list", folder, source)),
    };
    let mut names = Vec::new();
    for entry in entries {
        let entry = entry.map_err(|source| failure("list", folder, source))?;
        names.push(entry.file_name().to_string_lossy().into_owned());
    }
    names.sort();
    Ok(names)
}

/// Removes a file.
pub(crate) fn remove(path: &Path) -> Result<(), Failure> {
    fs::remove_file(path).map_err(|source| failure("remove", path, source))
}

fn failure(verb: &str, path: &Path, source: io::Error) -> Failure {
    Failure {
        what: format!("cannot {verb} {}", path.display()),
        source,
    }
}

/// New files count too, so that a rule speaks before a commit and not after it.
fn listed_by_git(root: &Path) -> Option<Vec<String>> {
    let listed = Command::new("git")
        .args(["ls-files", "-z", "--cached", "--others", "--exclude-standard"])
        .current_dir(root)
        .output()
        .ok()
        .filter(|output| output.status.success())?;
    let names = String::from_utf8(listed.stdout).ok()?;
    Some(
        names
            .split('\0')
            .filter(|name| !name.is_empty())
            .map(str::to_owned)
            .collect(),
    )
}

/// For an unpacked archive, which has no git in it.
fn listed_by_walking(root: &Path) -> Result<Vec<String>, Failure> {
    let mut found = Vec::new();
    let mut open = vec![root.to_owned()];
    while let Some(folder) = open.pop() {
        let entries = fs::read_dir(&folder).map_err(|source| failure("list", &folder, source))?;
        for entry in entries {
            let entry = entry.map_err(|source| failure("list", &folder, source))?;
            let path = entry.path();
            let kind = entry
                .file_type()
                .map_err(|source| failure("read", &path, source))?;
            let name = entry.file_name();
            if kind.is_dir() && name != "target" && name != ".git" {
                open.push(path);
            } else if kind.is_file()
                && let Ok(below) = path.strip_prefix(root)
            {
                found.push(below.to_string_lossy().replace('\\', "/"));
            }
        }
    }
    found.sort();
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn walking_finds_what_git_finds() {
        let walked = listed_by_walking(&root()).unwrap();
        for name in ["Cargo.toml", "xtask/src/main.rs"] {
            assert!(
                walked.iter().any(|path| path == name),
                "{name} is not in {walked:?}"
            );
        }
        assert!(
            !walked
                .iter()
                .any(|path| path.starts_with("target/") || path.starts_with(".git/"))
        );
    }

    #[test]
    fn a_file_that_is_not_there_reads_as_nothing() {
        assert_eq!(read(&root().join("no/such/file")).unwrap(), None);
    }
}
