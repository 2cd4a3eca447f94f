//! Weighing files: those like a pattern, each with its bytes.

use crate::door::files::{self, Kind};
use std::path::Path;
use towpath_model::unit::Glob;

/// So many files and folders are looked at for one pattern: what a folder of packages holds, several times.
pub(crate) const MOST: usize = 500_000;

/// The files below the product's folder that are like a pattern. A link counts as the file that it leads to, and a link to a
/// folder is not followed: it may lead anywhere, and back.
pub(crate) fn weigh(folder: &Path, pattern: &Glob) -> Result<Vec<(String, u64)>, String> {
    if pattern.is_plain() {
        let stamp = files::stamp(&folder.join(pattern.as_str()));
        let file = stamp.filter(|stamp| stamp.kind == Kind::File);
        return Ok(file
            .map(|stamp| (pattern.as_str().to_owned(), stamp.size))
            .into_iter()
            .collect());
    }
    let parts: Vec<&str> = pattern.as_str().split('/').collect();
    let fixed = parts
        .iter()
        .take_while(|part| !part.contains(['*', '?', '[']))
        .count();
    let begin = parts[..fixed].join("/");
    let deepest = (!pattern.as_str().contains("**")).then_some(parts.len());
    let mut found = Vec::new();
    let mut looked = 0_usize;
    let mut left = vec![(begin, fixed)];
    while let Some((below, depth)) = left.pop() {
        if deepest.is_some_and(|deepest| depth >= deepest) {
            continue;
        }
        // The root has a name of its own, and nothing before it.
        let at = if below.is_empty() && fixed > 0 {
            "/"
        } else {
            &below
        };
        for (name, kind) in files::list(&folder.join(at)).unwrap_or_default() {
            looked += 1;
            if looked > MOST {
                return Err(format!(
                    "more than {MOST} files and folders are below; write a closer pattern"
                ));
            }
            let name = match fixed == 0 && below.is_empty() {
                true => name,
                false => format!("{below}/{name}"),
            };
            if kind == Kind::Folder {
                left.push((name, depth + 1));
            } else if pattern.is_match(&name)
                && let Some(stamp) = files::stamp(&folder.join(&name))
                && stamp.kind == Kind::File
            {
                found.push((name, stamp.size));
            }
        }
    }
    found.sort();
    Ok(found)
}
