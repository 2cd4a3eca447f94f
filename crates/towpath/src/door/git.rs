//! Git: which files it tracks, and which commit is here.
#![allow(clippy::disallowed_methods, reason = "this is the door to git")]

use std::path::Path;
use std::process::{Command, Stdio};

/// Which of these files in a folder git tracks. Without git, or outside a repository, none.
pub(crate) fn tracked(folder: &Path, names: &[String]) -> Vec<String> {
    if names.is_empty() {
        return Vec::new();
    }
    let listed = Command::new("git")
        .arg("-C")
        .arg(folder)
        .args(["ls-files", "-z", "--"])
        .args(names)
        .env("GIT_OPTIONAL_LOCKS", "0")
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .output();
    match listed {
        Ok(output) if output.status.success() => output
            .stdout
            .split(|byte| *byte == 0)
            .filter(|name| !name.is_empty())
            .map(|name| String::from_utf8_lossy(name).into_owned())
            .collect(),
        _ => Vec::new(),
    }
}

/// The address of the person who works here, as git knows it.
pub(crate) fn person(folder: &Path) -> Option<String> {
    asked(folder, &["config", "user.email"]).filter(|address| !address.is_empty())
}

/// The commit that a folder is at, and whether anything in it differs from that. Nothing without git, or outside a repository.
pub(crate) fn commit(folder: &Path) -> Option<(String, bool)> {
    let head = asked(folder, &["rev-parse", "HEAD"])?;
    let changed = asked(folder, &["status", "--porcelain", "--", "."])?;
    Some((head, !changed.is_empty()))
}

fn asked(folder: &Path, words: &[&str]) -> Option<String> {
    let output = Command::new("git")
        .arg("-C")
        .arg(folder)
        .args(words)
        .env("GIT_OPTIONAL_LOCKS", "0")
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .output()
        .ok()?;
    let text = String::from_utf8_lossy(&output.stdout).trim().to_owned();
    output.status.success().then_some(text)
}
