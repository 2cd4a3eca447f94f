//! Files that are asked for often, kept in memory as they lie on disk.
//!
//! A file is kept by what the system says of it: the same place, length and times mean the same content. That is asked for
//! each request, so that nobody gets what a file was. What is kept is shared by all who read it, however slowly they do.

use std::cell::Cell;
use std::collections::{HashMap, VecDeque};
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use foldhash::fast::RandomState;

use super::words::Words;
use crate::door::clock;
use crate::door::disk::{self, Opened, Seen, Stamp};

/// What is kept, in bytes: the files that the pages of some sites are made of.
const KEPT: usize = 16 * 1024 * 1024;

/// The largest file that is kept.
const LARGEST: u64 = 1024 * 1024;

/// How many are kept at most.
const MOST: usize = 4_096;

/// Times of files go on in steps of some milliseconds: what has changed only just may change again and not show it.
const SETTLED: Duration = Duration::from_millis(100);

/// What is at a path.
pub(super) enum There {
    File(Filed),
    Folder,
    /// Nothing that may be served.
    Nothing,
}

/// A file, and what is said of it.
#[derive(Debug)]
pub(super) struct Filed {
    pub(super) file: Opened,
    pub(super) words: Arc<Words>,
}

impl Filed {
    fn new(file: Opened) -> Filed {
        let words = Arc::new(Words::of(&file));
        Filed { file, words }
    }

    /// The same once more, if it is in memory.
    fn again(&self) -> Option<Filed> {
        let words = Arc::clone(&self.words);
        self.file.again().map(|file| Filed { file, words })
    }

    fn weight(&self) -> usize {
        usize::try_from(self.file.length).unwrap_or(usize::MAX)
    }
}

/// Files in memory. The first that came goes first when there is no room.
#[derive(Debug, Default)]
pub(super) struct Shelf(Mutex<Kept>);

#[derive(Debug, Default)]
struct Kept {
    files: HashMap<OsString, Filed, RandomState>,
    order: VecDeque<OsString>,
    size: usize,
}

impl Shelf {
    /// A file that has this stamp still.
    fn get(&self, path: &Path, stamp: Stamp) -> Option<Filed> {
        let kept = self.lock();
        let filed = kept.files.get(path.as_os_str())?;
        (filed.file.stamp == stamp).then(|| filed.again()).flatten()
    }

    /// Keeps a file, if it is one to be kept, and hands it back.
    fn keep(&self, path: PathBuf, file: Opened) -> Filed {
        if file.length > LARGEST {
            return Filed::new(file);
        }
        let filed = Filed::new(file.load());
        if clock::since_epoch().saturating_sub(filed.file.modified) < SETTLED {
            return filed;
        }
        let Some(copy) = filed.again() else {
            return filed;
        };
        let path = path.into_os_string();
        let mut kept = self.lock();
        kept.size += filed.weight();
        match kept.files.insert(path.clone(), copy) {
            Some(before) => kept.size -= before.weight(),
            None => kept.order.push_back(path),
        }
        while (kept.size > KEPT || kept.order.len() > MOST)
            && let Some(first) = kept.order.pop_front()
        {
            let gone = kept.files.remove(&first);
            kept.size -= gone.as_ref().map_or(0, Filed::weight);
        }
        filed
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Kept> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Looks for files below a folder.
pub(super) struct Eyes<'f> {
    shelf: &'f Shelf,
    folder: &'f Path,
    /// It may wait for the disk.
    waits: bool,
    /// Something could not be told without waiting.
    missed: Cell<bool>,
}

impl<'f> Eyes<'f> {
    /// Eyes that see what is kept, and what is not there.
    pub(super) fn quick(shelf: &'f Shelf, folder: &'f Path) -> Eyes<'f> {
        Eyes {
            shelf,
            folder,
            waits: false,
            missed: Cell::new(false),
        }
    }

    /// Eyes that see everything.
    pub(super) fn patient(shelf: &'f Shelf, folder: &'f Path) -> Eyes<'f> {
        Eyes {
            waits: true,
            ..Eyes::quick(shelf, folder)
        }
    }

    /// What is at a path below the folder.
    pub(super) fn look(&self, relative: &Path) -> There {
        self.look_in(self.folder, relative)
    }

    /// What is at a path below another folder.
    pub(super) fn look_in(&self, folder: &Path, relative: &Path) -> There {
        let path = folder.join(relative);
        let seen = disk::glance(&path);
        if let Seen::File(stamp) = seen
            && let Some(filed) = self.shelf.get(&path, stamp)
        {
            return There::File(filed);
        }
        match (self.waits, seen) {
            (_, Seen::Nothing) => There::Nothing,
            // What leads out of the folder shows when something in it is looked for.
            (false, Seen::Folder) => There::Folder,
            (false, Seen::File(_)) => {
                self.misses();
                There::Nothing
            }
            (true, _) => match disk::look(folder, relative) {
                disk::There::File(file) => There::File(self.shelf.keep(path, file)),
                disk::There::Folder => There::Folder,
                disk::There::Nothing => There::Nothing,
            },
        }
    }

    /// Whether this may take a while.
    pub(super) fn may_wait(&self) -> bool {
        if !self.waits {
            self.misses();
        }
        self.waits
    }

    fn misses(&self) {
        self.missed.set(true);
    }

    /// Whether everything has been seen that there is to see.
    pub(super) fn has_seen(&self) -> bool {
        !self.missed.get()
    }
}

#[cfg(test)]
#[allow(clippy::disallowed_methods, reason = "files of a test lie on a disk")]
mod tests {
    use super::*;
    use std::time::SystemTime;

    fn write(path: &Path, content: &[u8], age: u64) {
        std::fs::write(path, content).expect("it is written");
        let file = std::fs::File::options()
            .write(true)
            .open(path)
            .expect("it is there");
        let then = SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000 - age);
        file.set_modified(then).expect("it takes a time");
    }

    fn read(eyes: &Eyes<'_>, name: &str) -> Option<Vec<u8>> {
        match eyes.look(Path::new(name)) {
            There::File(Filed { mut file, .. }) => {
                Some(file.read(0, file.length).expect("it is read").to_vec())
            }
            _ => None,
        }
    }

    #[test]
    fn what_is_kept_is_seen_at_once_and_only_while_it_is_the_same() {
        let folder = tempfile::tempdir().expect("a folder");
        let folder = folder.path().canonicalize().expect("it is there");
        let shelf = Shelf::default();
        let file = folder.join("a.txt");
        write(&file, b"one", 10);
        let quick = Eyes::quick(&shelf, &folder);
        assert_eq!(read(&quick, "a.txt"), None);
        assert!(!quick.has_seen(), "nobody has read it");
        assert_eq!(
            read(&Eyes::patient(&shelf, &folder), "a.txt").as_deref(),
            Some(&b"one"[..])
        );
        let quick = Eyes::quick(&shelf, &folder);
        assert_eq!(read(&quick, "a.txt").as_deref(), Some(&b"one"[..]));
        assert_eq!(read(&quick, "b.txt"), None);
        assert!(quick.has_seen(), "what is not there is known not to be");
        write(&file, b"two", 10);
        assert_eq!(
            read(&quick, "a.txt"),
            None,
            "it has changed since, whatever its time says"
        );
        assert_eq!(
            read(&Eyes::patient(&shelf, &folder), "a.txt").as_deref(),
            Some(&b"two"[..])
        );
        std::fs::remove_file(&file).expect("it is there");
        let quick = Eyes::quick(&shelf, &folder);
        assert!(read(&quick, "a.txt").is_none() && quick.has_seen());
    }

    #[test]
    fn what_is_kept_is_bounded() {
        let folder = tempfile::tempdir().expect("a folder");
        let folder = folder.path().canonicalize().expect("it is there");
        let shelf = Shelf::default();
        let large = usize::try_from(LARGEST).expect("it fits");
        for name in 0..20 {
            let name = name.to_string();
            write(&folder.join(&name), &vec![0; large], 10);
            assert_eq!(
                read(&Eyes::patient(&shelf, &folder), &name).map(|content| content.len()),
                Some(large)
            );
        }
        write(&folder.join("larger"), &vec![0; large + 1], 10);
        assert!(read(&Eyes::patient(&shelf, &folder), "larger").is_some());
        let kept = shelf.lock();
        assert_eq!((kept.files.len(), kept.size), (KEPT / large, KEPT));
        assert!(
            kept.files.contains_key(folder.join("19").as_os_str())
                && !kept.files.contains_key(folder.join("0").as_os_str())
        );
    }
}
