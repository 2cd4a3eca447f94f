//! What lies below one file or folder that rules name, as it was seen last, and what of it has changed.

use super::ignores::{Ignores, is_ignore_file};
use super::rule::Rule;
use super::seats::Seats;
use super::seen::{Files, Folders, Seen};
use crate::door::files::{self, Kind};
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::ffi::OsString;
use std::ops::Bound;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// A folder that is watched.
#[derive(Debug, Default)]
struct Folder {
    ignores: Arc<Ignores>,
    watch: Option<i32>,
    files: Files,
    inner: BTreeSet<OsString>,
}

/// What a look is for, and what it found.
#[derive(Debug, Default)]
pub(crate) struct Look {
    /// Size and time are no proof: something was told of this file.
    pub(crate) is_told: bool,
    /// Nothing is known yet, so nothing has changed.
    pub(crate) is_first: bool,
    /// An ignore file has changed: what is seen for the first time was there before.
    pub(crate) adopts: bool,
    /// The files that have changed.
    pub(crate) changed: BTreeSet<PathBuf>,
    /// The folders with files whose content is not known yet.
    pub(crate) unread: VecDeque<PathBuf>,
}

/// A file or folder that rules name, and what lies below it.
#[derive(Debug)]
pub(crate) struct Root {
    place: usize,
    named: PathBuf,
    base: PathBuf,
    pub(crate) rules: Vec<Rule>,
    above: Arc<Ignores>,
    folders: BTreeMap<PathBuf, Folder>,
    way: Vec<(PathBuf, i32)>,
}

impl Root {
    /// A root of which nothing has been seen yet.
    pub(crate) fn new(place: usize, named: PathBuf, base: &Path, rules: Vec<Rule>) -> Self {
        Root {
            place,
            above: Arc::default(),
            base: base.to_owned(),
            named,
            rules,
            folders: BTreeMap::new(),
            way: Vec::new(),
        }
    }

    /// What is named.
    pub(crate) fn named(&self) -> &Path {
        &self.named
    }

    /// Which files are asked for, as a digest: what was seen for other ones cannot be compared.
    pub(crate) fn key(&self) -> [u8; 32] {
        let mut hasher = blake3::Hasher::new();
        hasher.update(self.named.as_os_str().as_encoded_bytes());
        let asked: BTreeSet<&str> = self.rules.iter().map(|rule| rule.asked()).collect();
        for asked in asked {
            hasher.update(asked.as_bytes());
        }
        *hasher.finalize().as_bytes()
    }

    /// Remembers what was seen before.
    pub(crate) fn remember(&mut self, folders: Folders) {
        for (path, files) in folders {
            if let (Some(parent), Some(name)) = (path.parent(), path.file_name())
                && let Some(parent) = self.folders.get_mut(parent)
            {
                parent.inner.insert(name.to_owned());
            }
            self.folders.insert(
                path,
                Folder {
                    files,
                    ..Folder::default()
                },
            );
        }
    }

    /// What is seen now, to be remembered.
    pub(crate) fn seen(&self) -> Vec<(&Path, &Files)> {
        self.folders
            .iter()
            .map(|(path, folder)| (path.as_path(), &folder.files))
            .collect()
    }

    /// How many files are seen.
    pub(crate) fn len(&self) -> usize {
        self.folders.values().map(|folder| folder.files.len()).sum()
    }

    /// Whether something that was told of this path can matter.
    pub(crate) fn concerns(&self, path: &Path, is_folder: bool) -> bool {
        if path == self.named || is_ignore_file(path) {
            return true;
        }
        let Some(folder) = path.parent().and_then(|parent| self.folders.get(parent)) else {
            return false;
        };
        self.wants(folder, path, is_folder)
    }

    fn wants(&self, folder: &Folder, path: &Path, is_folder: bool) -> bool {
        let asked = |rule: &Rule| {
            if is_folder {
                rule.may_hold(path)
            } else {
                rule.holds(path)
            }
        };
        !folder.ignores.ignores(path, is_folder) && self.rules.iter().any(asked)
    }

    /// Looks at everything: what is named, how one comes there, and what lies below.
    pub(crate) fn look_at_all(&mut self, seats: &mut Seats, look: &mut Look) {
        self.above = Ignores::above(&self.named, &self.base);
        self.look_at_way(seats);
        match files::stat_through(&self.named) {
            Some(stat) if stat.kind == Kind::Folder => {
                // What was a file is a folder now.
                let parent = self.named.parent().map(Path::to_owned);
                if let Some(folder) = parent.and_then(|parent| self.folders.remove(&parent)) {
                    look.changed
                        .extend(folder.files.keys().map(|_| self.named.clone()));
                }
                self.look_below(self.named.clone(), seats, look);
            }
            Some(stat) => {
                self.lose(&self.named.clone(), seats, Some(look));
                let (Some(parent), Some(name)) = (self.named.parent(), self.named.file_name()) else {
                    return;
                };
                let folder = self.folders.entry(parent.to_owned()).or_default();
                compare(&mut folder.files, name, &self.named, &stat, look);
            }
            None => {
                self.lose(&self.named.clone(), seats, Some(look));
                let parent = self.named.parent().map(Path::to_owned);
                if let Some(folder) = parent.and_then(|parent| self.folders.remove(&parent)) {
                    look.changed
                        .extend(folder.files.keys().map(|_| self.named.clone()));
                }
            }
        }
    }

    /// Watches the folders that lead to what is named, so that it is seen when it goes and comes again: those from the base
    /// folder on, and where it is not there the nearest one that is.
    fn look_at_way(&mut self, seats: &mut Seats) {
        let is_there = files::stat_through(&self.named).is_some();
        let is_folder =
            |folder: &&Path| files::stat_through(folder).is_some_and(|stat| stat.kind == Kind::Folder);
        let nearest = self.named.ancestors().skip(1).find(is_folder);
        let is_file = is_there && !is_folder(&self.named.as_path());
        let outside = !self.named.starts_with(&self.base);
        let on_way = |folder: &&Path| {
            folder.starts_with(&self.base) || Some(*folder) == nearest && (!is_there || is_file || outside)
        };
        let ways: Vec<PathBuf> = self
            .named
            .ancestors()
            .skip(1)
            .filter(on_way)
            .filter(is_folder)
            .map(Path::to_owned)
            .collect();
        let before = std::mem::take(&mut self.way);
        for folder in ways {
            if let Some(watch) = seats.take(self.place, &folder, true) {
                self.way.push((folder, watch));
            }
        }
        for old in before {
            if !self.way.contains(&old) {
                seats.leave(self.place, &old.0, true, old.1);
            }
        }
    }

    /// Looks at one path of which something was told.
    pub(crate) fn look_at(&mut self, path: &Path, seats: &mut Seats, look: &mut Look) {
        if path == self.named || !path.starts_with(&self.named) {
            return self.look_at_all(seats, look);
        }
        let (Some(parent), Some(name)) = (path.parent(), path.file_name()) else {
            return;
        };
        if !self.folders.contains_key(parent) {
            return;
        }
        let stat = files::stat(path);
        let is_folder = stat.is_some_and(|stat| stat.kind == Kind::Folder);
        if !is_folder {
            self.lose(path, seats, Some(look));
        }
        let wanted = self
            .folders
            .get(parent)
            .is_some_and(|folder| self.wants(folder, path, is_folder));
        let Some(folder) = self.folders.get_mut(parent) else {
            return;
        };
        match stat {
            Some(_) if wanted && is_folder => {
                if folder.files.remove(name).is_some() {
                    look.changed.insert(path.to_owned());
                }
                folder.inner.insert(name.to_owned());
                self.look_below(path.to_owned(), seats, look);
            }
            Some(stat) if wanted => {
                folder.inner.remove(name);
                compare(&mut folder.files, name, path, &stat, look);
            }
            // It is gone, or a folder that nobody asks for has taken its name.
            _ => {
                folder.inner.remove(name);
                if folder.files.remove(name).is_some() {
                    look.changed.insert(path.to_owned());
                }
            }
        }
    }

    /// Watches a folder and everything below it, without looking: what is there counts when it is looked at.
    pub(crate) fn watch_below(&mut self, top: &Path, seats: &mut Seats) {
        let mut left = vec![top.to_owned()];
        while let Some(path) = left.pop() {
            let Some(above) = path.parent().and_then(|parent| self.folders.get(parent)) else {
                continue;
            };
            let Some(watch) = seats.take(self.place, &path, false) else {
                continue;
            };
            let ignores = above.ignores.enter(&path);
            let folder = self.folders.entry(path.clone()).or_default();
            folder.ignores = ignores;
            if let Some(old) = folder.watch.replace(watch).filter(|old| *old != watch) {
                seats.leave(self.place, &path, false, old);
            }
            let listed = files::list(&path).unwrap_or_default().into_iter();
            let inner = listed
                .filter(|(_, kind)| *kind == Kind::Folder)
                .map(|(name, _)| path.join(name));
            let folder = &self.folders[&path];
            left.extend(inner.filter(|inner| self.wants(folder, inner, true)));
        }
    }

    /// Looks at a folder and everything below it. It is watched before it is listed, so that nothing falls in between.
    fn look_below(&mut self, top: PathBuf, seats: &mut Seats, look: &mut Look) {
        let mut left = vec![top];
        while let Some(path) = left.pop() {
            let above = match path.parent().and_then(|parent| self.folders.get(parent)) {
                Some(parent) if path != self.named => Arc::clone(&parent.ignores),
                _ => Arc::clone(&self.above),
            };
            let mut folder = self.folders.remove(&path).unwrap_or_default();
            let watch = seats.take(self.place, &path, false);
            if let Some(old) = folder.watch.filter(|old| Some(*old) != watch) {
                seats.leave(self.place, &path, false, old);
            }
            folder.watch = watch;
            folder.ignores = above.enter(&path);
            self.look_in(&path, &mut folder, seats, look, &mut left);
            self.folders.insert(path, folder);
        }
    }

    /// Compares what is in a folder with what was, and adds the folders in it to those that are left.
    fn look_in(
        &mut self,
        path: &Path,
        folder: &mut Folder,
        seats: &mut Seats,
        look: &mut Look,
        left: &mut Vec<PathBuf>,
    ) {
        let mut files_before = std::mem::take(&mut folder.files);
        let mut inner_before = std::mem::take(&mut folder.inner);
        for (name, kind) in files::list(path).unwrap_or_default() {
            let below = path.join(&name);
            let is_folder = kind == Kind::Folder;
            if kind == Kind::Other || !self.wants(folder, &below, is_folder) {
                // Ignored from now on: that is no change of it.
                files_before.remove(&name);
                if inner_before.remove(&name) {
                    self.lose(&below, seats, None);
                }
            } else if is_folder {
                inner_before.remove(&name);
                folder.inner.insert(name);
                left.push(below);
            } else if let Some(stat) = files::stat(&below) {
                if let Some(seen) = files_before.remove(&name) {
                    folder.files.insert(name.clone(), seen);
                }
                compare(&mut folder.files, &name, &below, &stat, look);
            }
        }
        look.changed
            .extend(files_before.into_keys().map(|name| path.join(name)));
        for name in inner_before {
            self.lose(&path.join(name), seats, Some(look));
        }
    }

    /// Forgets a folder and everything below it; its files have changed where a look says so.
    fn lose(&mut self, top: &Path, seats: &mut Seats, mut look: Option<&mut Look>) {
        let below = self.folders.range(top.to_owned()..).map(|(path, _)| path);
        let below: Vec<PathBuf> = below.take_while(|path| path.starts_with(top)).cloned().collect();
        for path in below {
            let Some(folder) = self.folders.remove(&path) else {
                continue;
            };
            if let Some(watch) = folder.watch {
                seats.leave(self.place, &path, false, watch);
            }
            if let Some(look) = &mut look {
                look.changed
                    .extend(folder.files.into_keys().map(|name| path.join(name)));
            }
        }
    }

    /// Reads files of a folder that were only looked at so far, those behind this name, until so many bytes or files are
    /// read. Answers how much was read, and the last name where there is more.
    pub(crate) fn read(
        &mut self,
        folder: &Path,
        behind: Option<OsString>,
        most: Portion,
    ) -> (u64, Option<OsString>) {
        let Some(known) = self.folders.get_mut(folder) else {
            return (0, None);
        };
        let begin = behind.map_or(Bound::Unbounded, Bound::Excluded);
        let (mut bytes, mut files) = (0, 0);
        for (name, seen) in known.files.range_mut::<OsString, _>((begin, Bound::Unbounded)) {
            bytes += read(&folder.join(name), seen);
            files += 1;
            if bytes >= most.bytes || files >= most.files {
                return (bytes, Some(name.clone()));
            }
        }
        (bytes, None)
    }
}

/// How much is read in one go.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Portion {
    pub(crate) bytes: u64,
    pub(crate) files: usize,
}

/// Reads a file that was only looked at so far, unless it is not what it was any more.
fn read(path: &Path, seen: &mut Seen) -> u64 {
    // A link is known by itself, but what a rule names is known by what it leads to.
    let stats = [files::stat(path), files::stat_through(path)];
    let Some(stat) = stats
        .into_iter()
        .flatten()
        .find(|stat| seen.digest.is_none() && seen.is_like(stat))
    else {
        return 0;
    };
    let read = Seen::read(path, &stat);
    // One that is written meanwhile stays unknown, so that what is told of it counts.
    if files::stat(path) == Some(stat) || files::stat_through(path) == Some(stat) {
        *seen = read;
    }
    stat.size
}

/// Compares one file with what was seen of it.
fn compare(files: &mut Files, name: &std::ffi::OsStr, path: &Path, stat: &files::Stat, look: &mut Look) {
    if look.is_first {
        // Whether a young file is written again later cannot be told by its time.
        let seen = match Seen::new(stat) {
            young if young.modified == 0 => Seen::read(path, stat),
            seen => seen,
        };
        if seen.modified != 0 {
            let folder = path.parent().unwrap_or(path);
            if look.unread.back().is_none_or(|last| last != folder) {
                look.unread.push_back(folder.to_owned());
            }
        }
        files.insert(name.to_owned(), seen);
        return;
    }
    let before = files.get(name).copied();
    if before.is_some_and(|seen| seen.is_like(stat)) && !look.is_told {
        return;
    }
    let now = Seen::read(path, stat);
    let is_same = before.is_some_and(|seen| match (seen.digest, now.digest) {
        (Some(before), Some(now)) => before == now,
        _ => seen.is_like(stat),
    });
    files.insert(name.to_owned(), now);
    let is_adopted = look.adopts && before.is_none();
    if !is_same && !is_adopted {
        look.changed.insert(path.to_owned());
    }
}
