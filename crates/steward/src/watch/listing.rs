//! The files that patterns name, as they lie there now, without those that are ignored.

use super::ignores::Ignores;
use super::pattern::Pattern;
use crate::door::files::{self, Kind, Stat};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use towpath_model::unit::Glob;

/// Files by their whole paths.
pub(crate) type Listed = BTreeMap<PathBuf, Stat>;

/// Every file that one of the patterns names. A pattern that is no whole path starts at the base folder.
pub(crate) fn listing(globs: &[Glob], base: &Path) -> Listed {
    let mut listed = Listed::new();
    for glob in globs {
        let pattern = Pattern::new(glob.as_str(), base);
        let named = pattern.base();
        match files::stat_through(named) {
            Some(stat) if stat.kind == Kind::Folder => {
                let mut left = vec![(named.to_owned(), Ignores::above(named, base))];
                while let Some((folder, above)) = left.pop() {
                    left.extend(list(&folder, &above.enter(&folder), &pattern, &mut listed));
                }
            }
            Some(stat) if pattern.holds(named) => drop(listed.insert(named.to_owned(), stat)),
            _ => {}
        }
    }
    listed
}

/// Lists the files in a folder, and answers the folders in it.
fn list(
    folder: &Path,
    ignores: &Arc<Ignores>,
    pattern: &Pattern,
    listed: &mut Listed,
) -> Vec<(PathBuf, Arc<Ignores>)> {
    let mut inner = Vec::new();
    for (name, kind) in files::list(folder).unwrap_or_default() {
        let path = folder.join(name);
        let is_folder = kind == Kind::Folder;
        if kind == Kind::Other || ignores.ignores(&path, is_folder) {
            continue;
        }
        if is_folder && pattern.may_hold(&path) {
            inner.push((path, Arc::clone(ignores)));
        } else if !is_folder && pattern.holds(&path) {
            listed.extend(files::stat(&path).map(|stat| (path, stat)));
        }
    }
    inner
}
