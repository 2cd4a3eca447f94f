//! Walking through folders: every file and link, what links need besides, and whether it is too much.

use super::Refused;
use super::choose::{Part, Root};
use crate::door::files::{self, Kind, Stat};
use crate::watch::ignores::Ignores;
use std::collections::{BTreeMap, VecDeque};
use std::ops::Bound;
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;
use towpath_model::unit::Bytes;

/// The most files that a component may run from: more is a folder that nobody meant, a cache or somebody's home.
const MOST_FILES: usize = 200_000;

/// The most bytes. A release is kept several times over, and brought over a network.
const MOST_BYTES: u64 = 4 << 30;

/// Where counting ends: which folder is the biggest is known long before.
const MOST_COUNTED: usize = 5 * MOST_FILES;

/// What no release holds.
const NEVER: &[&str] = &[".git", ".towpath"];

/// What begins so holds values.
const VALUES: &str = ".env";

/// Folders that are made anew by whoever needs them.
const CACHES: &[&str] = &[
    "__pycache__",
    ".cache",
    ".pytest_cache",
    ".mypy_cache",
    ".ruff_cache",
];

/// What Cargo builds into, and what it puts there so that others know.
const CARGO: (&str, [&str; 2]) = ("target", ["CACHEDIR.TAG", ".rustc_info.json"]);

/// The longest chain of links that is followed.
const LINKS: usize = 40;

/// Something in a tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Item {
    /// A file, where it lies, and how it was.
    File {
        /// Its whole path.
        path: PathBuf,
        /// How it was when it was looked at.
        stat: Stat,
    },
    /// A link to a place in the tree.
    Link(String),
}

/// What was found.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Walked {
    /// Each, by its place in the tree.
    pub(super) items: BTreeMap<String, Item>,
}

struct Walk<'a> {
    folder: &'a Path,
    /// The folder without links in it.
    real: PathBuf,
    name: &'a str,
    found: Walked,
    bytes: u64,
    refused: Vec<Refused>,
    left: VecDeque<Root>,
}

/// Everything that these are; or all that stands in the way.
pub(super) fn walk(roots: &[Root], folder: &Path, name: &str) -> Result<Walked, Vec<Refused>> {
    let mut walk = Walk {
        folder,
        real: files::real(folder).unwrap_or_else(|_| folder.to_owned()),
        name,
        found: Walked::default(),
        bytes: 0,
        refused: Vec::new(),
        left: roots.iter().cloned().collect(),
    };
    while let Some(root) = walk.left.pop_front() {
        walk.root(&root);
        if walk.left.is_empty() {
            walk.follow();
        }
    }
    if walk.found.items.len() > MOST_FILES || walk.bytes > MOST_BYTES {
        let refused = walk.too_much();
        walk.refused.push(refused);
    }
    match walk.refused.is_empty() {
        true => Ok(walk.found),
        false => Err(walk.refused),
    }
}

impl Walk<'_> {
    fn refuse(&mut self, path: &Path, what: &str, hint: &str) {
        let message = format!("`{}` cannot be released: {} {what}", self.name, path.display());
        self.refused.push(Refused::new(message, hint));
    }

    fn root(&mut self, root: &Root) {
        let Some(stat) = files::stat_through(&root.path) else {
            return;
        };
        if stat.kind != Kind::Folder {
            return self.file(root.at.clone(), &root.path, stat);
        }
        let ignores = match root.part {
            Part::Kept => Ignores::above(&root.path, self.folder).enter(&root.path),
            Part::Whole | Part::Run => Arc::default(),
        };
        let mut left = vec![(root.path.clone(), root.at.clone(), ignores)];
        while let Some((folder, at, ignores)) = left.pop() {
            let names = match files::list(&folder) {
                Ok(names) => names,
                Err(error) => {
                    self.refuse(
                        &folder,
                        &format!("cannot be read: {error}"),
                        "let its owner release it",
                    );
                    continue;
                }
            };
            for (name, kind) in names {
                let path = folder.join(&name);
                let Some(name) = name.to_str() else {
                    self.refuse(
                        &path,
                        "has a name that is no UTF-8",
                        "give it another name, or take it out",
                    );
                    continue;
                };
                if is_left_out(name, &path, kind, root.part) {
                    continue;
                }
                let is_folder = kind == Kind::Folder;
                if root.part == Part::Kept && ignores.ignores(&path, is_folder) {
                    continue;
                }
                let at = match at.as_str() {
                    "" => name.to_owned(),
                    at => format!("{at}/{name}"),
                };
                match kind {
                    Kind::Folder => {
                        let ignores = match root.part {
                            Part::Kept => ignores.enter(&path),
                            Part::Whole | Part::Run => Arc::clone(&ignores),
                        };
                        left.push((path, at, ignores));
                    }
                    Kind::File => {
                        if let Some(stat) = files::stat(&path) {
                            self.file(at, &path, stat);
                        }
                    }
                    Kind::Link => self.link(at, &path),
                    Kind::Other => {}
                }
            }
            if self.found.items.len() > MOST_COUNTED {
                return;
            }
        }
    }

    fn file(&mut self, at: String, path: &Path, stat: Stat) {
        let path = path.to_owned();
        if self.found.items.insert(at, Item::File { path, stat }).is_none() {
            self.bytes += stat.size;
        }
    }

    /// A link stays one where it leads to a place in the folder.
    fn link(&mut self, at: String, path: &Path) {
        let Some(to) = files::link(path) else { return };
        if to.is_relative()
            && let Some(text) = to.to_str()
            && resolved(&at, text).is_some()
        {
            self.found.items.insert(at, Item::Link(text.to_owned()));
            return;
        }
        match files::stat_through(path) {
            Some(stat) if stat.kind == Kind::File => self.file(at, path, stat),
            found => {
                let leads = match found {
                    None => "and nothing is there",
                    Some(_) => "which is no file",
                };
                let what = format!("is a link to {}, {leads}", to.display());
                let hint = "a release holds what lies below the manifest: link within it, or take it out";
                self.refuse(path, &what, hint);
            }
        }
    }

    /// What links lead to in the folder and was not taken comes into the tree, too; it may have links of its own.
    fn follow(&mut self) {
        if self.found.items.len() > MOST_COUNTED {
            return;
        }
        let mut wanted = Vec::new();
        for (at, item) in &self.found.items {
            let Item::Link(to) = item else { continue };
            let Some(place) = self.landing(at, to) else {
                continue;
            };
            let path = self.folder.join(&place);
            // What leads nowhere leads nowhere here, too.
            if let Some(stat) = files::stat(&path) {
                wanted.push((place, path, stat));
            }
        }
        for (at, path, stat) in wanted {
            match stat.kind {
                Kind::Link => self.link(at, &path),
                Kind::Other => {}
                Kind::File | Kind::Folder => {
                    let is_below = files::real(&path).is_ok_and(|real| real.starts_with(&self.real));
                    if is_below {
                        let part = Part::Run;
                        self.left.push_back(Root { path, at, part });
                    } else {
                        let hint = "link to where it lies, or take the link out";
                        self.refuse(
                            &path,
                            "is reached by a link through another one that leads outside",
                            hint,
                        );
                    }
                }
            }
        }
    }

    /// The place that a link leads to, where that is not in the tree.
    fn landing(&self, at: &str, to: &str) -> Option<String> {
        let mut place = resolved(at, to)?;
        for _ in 0..LINKS {
            if place.is_empty() || self.has(&place) {
                return None;
            }
            // The way there may go through a link that is in the tree.
            let through = place.match_indices('/').map(|(end, _)| end);
            let link = through
                .into_iter()
                .find_map(|end| match self.found.items.get(&place[..end])? {
                    Item::Link(to) => Some((end, to)),
                    Item::File { .. } => None,
                });
            match link {
                Some((end, to)) => place = format!("{}{}", resolved(&place[..end], to)?, &place[end..]),
                None => return Some(place),
            }
        }
        None
    }

    fn has(&self, place: &str) -> bool {
        let below = format!("{place}/");
        let next = self
            .found
            .items
            .range::<str, _>((Bound::Included(below.as_str()), Bound::Unbounded))
            .next();
        self.found.items.contains_key(place) || next.is_some_and(|(at, _)| at.starts_with(&below))
    }

    fn too_much(&self) -> Refused {
        let mut sizes: BTreeMap<&str, (usize, u64)> = BTreeMap::new();
        for (at, item) in &self.found.items {
            let Item::File { stat, .. } = item else { continue };
            let mut ends = at.match_indices('/').map(|(end, _)| end);
            let top = match (ends.next(), ends.next()) {
                (_, Some(end)) | (Some(end), None) => &at[..end],
                (None, None) => at,
            };
            let size = sizes.entry(top).or_default();
            *size = (size.0 + 1, size.1 + stat.size);
        }
        let mut sizes: Vec<_> = sizes.into_iter().collect();
        let by_bytes = self.bytes > MOST_BYTES;
        sizes.sort_by_key(|(_, (files, bytes))| {
            std::cmp::Reverse(if by_bytes { *bytes } else { *files as u64 })
        });
        let biggest = sizes
            .iter()
            .take(3)
            .map(|(top, (files, bytes))| format!("{top} ({files} files, {})", Bytes::new(*bytes)));
        let biggest: Vec<String> = biggest.collect();
        let message = format!(
            "`{}` cannot be released: it would run from {} files of {} in all, and no more than {MOST_FILES} and {} are taken; most are in {}",
            self.name,
            self.found.items.len(),
            Bytes::new(self.bytes),
            Bytes::new(MOST_BYTES),
            biggest.join(", "),
        );
        let hint = "give it a `dir` with only what it runs from, or put what it does not need elsewhere";
        Refused::new(message, hint)
    }
}

/// Whether a name is in no tree.
fn is_left_out(name: &str, path: &Path, kind: Kind, part: Part) -> bool {
    if NEVER.contains(&name) || name.starts_with(VALUES) {
        return true;
    }
    if part != Part::Run || kind != Kind::Folder {
        return false;
    }
    let is_cargos = || {
        let marks = CARGO.1.iter();
        name == CARGO.0
            && marks
                .into_iter()
                .any(|mark| files::stat(&path.join(mark)).is_some())
    };
    CACHES.contains(&name) || is_cargos()
}

/// The place that a link at a place leads to; nothing where that is outside of the tree.
fn resolved(at: &str, to: &str) -> Option<String> {
    let mut parts: Vec<&str> = at.split('/').collect();
    parts.pop();
    for part in Path::new(to).components() {
        match part {
            Component::ParentDir => drop(parts.pop()?),
            Component::CurDir => {}
            Component::Normal(name) => parts.push(name.to_str()?),
            Component::RootDir | Component::Prefix(_) => return None,
        }
    }
    Some(parts.join("/"))
}
