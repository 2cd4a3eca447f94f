//! The folder in which Towpath keeps what it knows of an environment: who starts the steward, who owns what runs, and what
//! goes when it is deleted.
#![allow(clippy::disallowed_methods, reason = "this is the door to the state folder")]

use super::kept::{self, STATE};
use crate::failure::{Failure, Kind};
use rustix::fs::{FlockOperation, flock};
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use towpath_steward::{Keys, RESOURCES};

/// The most of a log that is read to tell its end.
const TAIL: u64 = 16 * 1024;

/// Who holds this file locked starts a steward, or deletes everything.
const START: &str = "start.lock";

/// A steward writes a few lines in its life. So much of them is the history of years, or of something that went wrong.
const LONGEST_LOG: u64 = 2 * 1024 * 1024;

/// What is kept of one environment.
#[derive(Debug, Clone)]
pub(crate) struct State {
    folder: PathBuf,
}

impl State {
    /// Of this environment of the product in this folder.
    pub(crate) fn of(folder: &Path, environment: &str) -> Self {
        State {
            folder: folder.join(STATE).join(environment),
        }
    }

    /// Where it is.
    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    /// The socket of its steward.
    pub(crate) fn socket(&self) -> PathBuf {
        self.folder.join("steward.sock")
    }

    /// What its steward has written about itself.
    pub(crate) fn log(&self) -> PathBuf {
        self.folder.join("steward.log")
    }

    /// Whether the log of requests can be written, as far as may be seen without writing it.
    pub(crate) fn may_log_requests(&self) -> bool {
        let log = self.folder.join(towpath_steward::REQUESTS);
        let place = if log.exists() { &log } else { &self.folder };
        rustix::fs::access(place, rustix::fs::Access::WRITE_OK).is_ok()
    }

    /// Whether anything was ever looked after here.
    pub(crate) fn has_journal(&self) -> bool {
        self.folder.join("store.db").is_file()
    }

    /// Whether there is any.
    pub(crate) fn is_there(&self) -> bool {
        self.folder.is_dir()
    }

    /// Makes the folder, for its owner only, and keeps it out of git.
    pub(crate) fn make(&self) -> Result<(), Failure> {
        let product = self.folder.ancestors().nth(2).unwrap_or(&self.folder);
        let environment = self.folder.file_name().unwrap_or_default();
        kept::make(product, &environment.to_string_lossy()).map(|_| ())
    }

    /// A log for a new steward, which goes on where the last one ended. One that has become long is put aside, in place of
    /// the one that was put aside before.
    pub(crate) fn open_log(&self) -> Result<File, Failure> {
        if fs::metadata(self.log()).is_ok_and(|about| about.len() >= LONGEST_LOG) {
            // Where that fails, it grows: a steward without a log would be worse.
            let _ = fs::rename(self.log(), self.folder.join("steward.log.1"));
        }
        let opened = OpenOptions::new()
            .create(true)
            .append(true)
            .mode(0o600)
            .open(self.log());
        opened.map_err(|error| self.refused("written", &error))
    }

    /// The last lines of the steward's log.
    pub(crate) fn last_words(&self, lines: usize) -> Vec<String> {
        let read = || -> io::Result<String> {
            let mut file = File::open(self.log())?;
            let length = file.metadata()?.len();
            file.seek(SeekFrom::Start(length.saturating_sub(TAIL)))?;
            let mut bytes = Vec::new();
            file.take(TAIL).read_to_end(&mut bytes)?;
            Ok(String::from_utf8_lossy(&bytes).into_owned())
        };
        let text = read().unwrap_or_default();
        let all: Vec<&str> = text.lines().collect();
        all[all.len().saturating_sub(lines)..]
            .iter()
            .map(|line| (*line).to_owned())
            .collect()
    }

    /// What a build has written in its last run.
    pub(crate) fn build_log(&self, build: &str) -> Option<String> {
        let path = self.folder.join("logs/build").join(format!("{build}.log"));
        let bytes = fs::read(path).ok()?;
        Some(String::from_utf8_lossy(&bytes).into_owned())
    }

    /// Waits until nobody else is starting a steward here. The system takes it back when we end, however we do.
    pub(crate) fn start_alone(&self) -> Result<Alone, Failure> {
        loop {
            self.make()?;
            let file = self.open_lock(START)?;
            flock(&file, FlockOperation::LockExclusive)
                .map_err(|error| self.refused("locked", &error.into()))?;
            // Whoever had it may have deleted everything, and this file with it.
            let number = |about: fs::Metadata| (about.dev(), about.ino());
            let (ours, there) = (file.metadata(), fs::metadata(self.folder.join(START)));
            if ours.map(number).ok() == there.map(number).ok() {
                return Ok(Alone { _lock: file });
            }
        }
    }

    /// Owns what runs here, or says which process does.
    pub(crate) fn own(&self) -> Result<Owner, Failure> {
        let mut file = self.open_lock("up.lock")?;
        match flock(&file, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => {
                let written = file
                    .set_len(0)
                    .and_then(|()| write!(file, "{}", std::process::id()));
                written.map_err(|error| self.refused("written", &error))?;
                Ok(Owner::We { _lock: file })
            }
            Err(rustix::io::Errno::WOULDBLOCK) => {
                let mut pid = String::new();
                let _ = file.read_to_string(&mut pid);
                Ok(Owner::Other {
                    pid: pid.trim().parse().ok(),
                })
            }
            Err(error) => Err(self.refused("locked", &error.into())),
        }
    }

    fn open_lock(&self, name: &str) -> Result<File, Failure> {
        let mut options = OpenOptions::new();
        options
            .create(true)
            .truncate(false)
            .read(true)
            .write(true)
            .mode(0o600);
        let opened = options.open(self.folder.join(name));
        opened.map_err(|error| self.refused("written", &error))
    }

    /// The files and folders in it with what they weigh.
    pub(crate) fn contents(&self) -> Vec<(String, u64)> {
        super::files::names(&self.folder)
            .into_iter()
            .map(|name| {
                let weight = weight(&self.folder.join(name.trim_end_matches('/')));
                (name, weight)
            })
            .collect()
    }

    /// Deletes all of it, and the folder of all environments when it was the last one.
    pub(crate) fn delete(&self) -> Result<(), Failure> {
        match fs::remove_dir_all(&self.folder) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                return Err(self.refused("deleted", &error));
            }
            _ => {}
        }
        if let Some(all) = self.folder.parent()
            && environments(all.parent().unwrap_or(all)).is_empty()
        {
            // What somebody else has put there stays.
            let _ = fs::remove_file(all.join(".gitignore"));
            let _ = fs::remove_dir(all);
        }
        Ok(())
    }

    /// Where a resource keeps what it keeps.
    fn of_resource(&self, name: &str) -> PathBuf {
        self.folder.join(RESOURCES).join(name)
    }

    /// What weighs what a resource keeps; nothing where there is none of it.
    pub(crate) fn kept_by(&self, resource: &str) -> Option<u64> {
        let folder = self.of_resource(resource);
        folder.is_dir().then(|| weight(&folder))
    }

    /// Deletes all that a resource keeps. It is moved aside first, as a whole. Whether nobody served it meanwhile, who would
    /// have kept it.
    pub(crate) fn take_away(&self, resource: &str) -> Result<bool, Failure> {
        take_away(&self.of_resource(resource)).map_err(|error| self.refused("emptied", &error))
    }

    fn refused(&self, verb: &str, error: &io::Error) -> Failure {
        let folder = self.folder.display();
        let failure = Failure::new(Kind::Remote, format!("{folder} cannot be {verb}: {error}"));
        match error.kind() {
            io::ErrorKind::PermissionDenied => failure.hint(
                "it belongs to somebody else: run this as who has started it, or give the folder to yourself",
            ),
            io::ErrorKind::StorageFull => failure.hint("the disk is full: make room, and do it again"),
            _ => failure,
        }
    }
}

/// Nobody else starts a steward here, as long as this is kept.
#[derive(Debug)]
pub(crate) struct Alone {
    _lock: File,
}

/// Who stops what runs here when they go.
#[derive(Debug)]
pub(crate) enum Owner {
    /// We, as long as this is kept.
    We {
        /// What the system takes back when we end.
        _lock: File,
    },
    /// Another `up`.
    Other {
        /// Its process.
        pid: Option<u32>,
    },
}

/// The folder with the certificate authority of this person: all of their products share it, so that it is trusted once.
pub(crate) fn authority() -> PathBuf {
    let named = |name: &str| {
        std::env::var_os(name)
            .filter(|value| !value.is_empty())
            .map(PathBuf::from)
    };
    let home = named("HOME").unwrap_or_else(|| PathBuf::from("/"));
    let kept = named("XDG_DATA_HOME").filter(|path| path.is_absolute());
    kept.unwrap_or_else(|| home.join(".local/share"))
        .join("towpath/authority")
}

/// What seals the secrets of this person's environments: a key of theirs on this machine, or a passphrase.
pub(crate) fn keys() -> Keys {
    Keys {
        machine: authority().with_file_name("vault.key"),
        passphrase: super::person::passphrase_file(),
    }
}

/// The certificate of that authority, which is what is trusted.
pub(crate) fn certificate() -> PathBuf {
    authority().join("authority.pem")
}

/// The environments of the product in this folder that something is kept of.
pub(crate) fn environments(folder: &Path) -> Vec<String> {
    super::files::names(&folder.join(STATE))
        .into_iter()
        .filter_map(|name| name.strip_suffix('/').map(str::to_owned))
        .collect()
}

/// Where what a resource kept stands until it is deleted. No resource can have this name.
fn aside(folder: &Path) -> PathBuf {
    folder.with_extension("deleted")
}

/// Deletes a folder with all that is in it, as `State::take_away`.
fn take_away(folder: &Path) -> io::Result<bool> {
    remove_aside(folder)?;
    // A server holds this as long as it lives.
    let lock = match File::open(folder.join("lock")) {
        Ok(lock) => Some(lock),
        Err(error) if error.kind() == io::ErrorKind::NotFound => None,
        Err(error) => return Err(error),
    };
    if let Some(lock) = &lock {
        match flock(lock, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => {}
            Err(rustix::io::Errno::WOULDBLOCK) => return Ok(false),
            Err(error) => return Err(error.into()),
        }
    }
    fs::rename(folder, aside(folder))?;
    File::open(folder.parent().unwrap_or(folder))?.sync_all()?;
    remove_aside(folder)?;
    Ok(true)
}

/// Empties the folder of a store once for each making of its environment: it holds a mark of the one that it was emptied
/// for. Whoever is killed in the middle leaves no mark, and it is emptied again. Whether nobody served it meanwhile.
pub(crate) fn empty_for(folder: &Path, making: &str) -> io::Result<bool> {
    let mark = folder.join("making");
    if fs::read_to_string(&mark).is_ok_and(|known| known == making) {
        return Ok(true);
    }
    if folder.symlink_metadata().is_ok() && !take_away(folder)? {
        return Ok(false);
    }
    fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    fs::write(folder.join("making.new"), making)?;
    fs::rename(folder.join("making.new"), mark)?;
    Ok(true)
}

/// Deletes what somebody who was killed has left aside of what a resource kept.
pub(crate) fn remove_aside(folder: &Path) -> io::Result<()> {
    match fs::remove_dir_all(aside(folder)) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// What a file, or everything in a folder, weighs. Links are not followed.
fn weight(path: &Path) -> u64 {
    let Ok(about) = path.symlink_metadata() else {
        return 0;
    };
    if !about.is_dir() {
        return about.len();
    }
    let entries = fs::read_dir(path).into_iter().flatten().filter_map(Result::ok);
    entries.map(|entry| weight(&entry.path())).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_store_is_emptied_once_for_each_making_also_by_whoever_was_killed_in_the_middle() {
        let root = tempfile::tempdir().expect("a folder can be made");
        let folder = root.path().join("resources/db");
        let (kept, mark) = (folder.join("cluster"), folder.join("making"));
        let write = || fs::write(&kept, "rows").expect("it can be written");
        assert!(
            empty_for(&folder, "1").expect("it is emptied"),
            "one that is not there yet"
        );
        write();
        assert!(empty_for(&folder, "1").expect("it is looked at"));
        assert!(kept.exists(), "a server that starts again keeps what it has");
        assert!(empty_for(&folder, "2").expect("it is emptied"));
        assert!(!kept.exists());
        // Killed before the mark was there.
        fs::remove_file(&mark).expect("it was there");
        write();
        assert!(empty_for(&folder, "2").expect("it is emptied"));
        assert!(!kept.exists() && mark.exists());
        // Somebody serves it.
        write();
        let lock = File::create(folder.join("lock")).expect("it can be made");
        flock(&lock, FlockOperation::LockExclusive).expect("it can be locked");
        assert!(!empty_for(&folder, "3").expect("it is looked at"));
        assert!(kept.exists());
    }

    #[test]
    fn of_two_who_come_the_first_one_owns_it() {
        let root = tempfile::tempdir().expect("a folder can be made");
        let state = State::of(root.path(), "dev");
        state.make().expect("it can be made");
        let first = state.own().expect("it can be locked");
        assert!(matches!(first, Owner::We { .. }), "{first:?}");
        let second = state.own().expect("it can be asked");
        assert!(
            matches!(second, Owner::Other { pid: Some(pid) } if pid == std::process::id()),
            "{second:?}"
        );
        drop(first);
        assert!(
            matches!(state.own(), Ok(Owner::We { .. })),
            "nobody owns it any more"
        );
    }

    #[test]
    fn what_a_resource_keeps_goes_as_a_whole_unless_somebody_serves_it() {
        let root = tempfile::tempdir().expect("a folder can be made");
        let state = State::of(root.path(), "dev");
        let folder = state.folder().join(RESOURCES).join("db");
        fs::create_dir_all(folder.join("cluster")).expect("it can be made");
        fs::write(folder.join("cluster/rows"), "many rows").expect("it can be written");
        let lock = File::create(folder.join("lock")).expect("it can be made");
        flock(&lock, FlockOperation::LockExclusive).expect("it can be locked");
        assert_eq!(state.kept_by("db"), Some(9));
        assert_eq!(state.take_away("db"), Ok(false), "somebody serves it");
        assert_eq!(state.kept_by("db"), Some(9));
        drop(lock);
        // Somebody was killed while they deleted an earlier one.
        fs::create_dir_all(aside(&folder).join("cluster")).expect("it can be made");
        assert_eq!(state.take_away("db"), Ok(true));
        assert_eq!(state.kept_by("db"), None);
        assert!(!aside(&folder).exists());
    }

    #[test]
    fn a_long_log_is_put_aside_once() {
        let root = tempfile::tempdir().expect("a folder can be made");
        let state = State::of(root.path(), "dev");
        state.make().expect("it can be made");
        let older = || fs::read(state.folder().join("steward.log.1")).unwrap_or_default();
        for text in ["first", "second"] {
            let long = text.repeat(LONGEST_LOG as usize / text.len() + 1);
            fs::write(state.log(), &long).expect("it can be written");
            drop(state.open_log().expect("it can be opened"));
            assert_eq!(older(), long.as_bytes());
            assert_eq!(fs::metadata(state.log()).expect("it is there").len(), 0);
        }
        fs::write(state.log(), "short").expect("it can be written");
        drop(state.open_log().expect("it can be opened"));
        assert_eq!(fs::read(state.log()).expect("it is there"), b"short");
    }

    #[test]
    fn who_waits_to_start_while_everything_is_deleted_starts_in_a_new_folder() {
        let root = tempfile::tempdir().expect("a folder can be made");
        let state = State::of(root.path(), "dev");
        let deleting = state.start_alone().expect("nobody else is there");
        let waits = std::thread::spawn({
            let state = state.clone();
            move || state.start_alone().expect("it can be locked")
        });
        let is_waiting = || {
            let text = fs::read_to_string("/proc/locks").unwrap_or_default();
            let own = format!(" {} ", std::process::id());
            text.lines()
                .any(|line| line.contains("->") && line.contains(&own))
        };
        while !is_waiting() && !waits.is_finished() {
            std::thread::yield_now();
        }
        state.delete().expect("it can be deleted");
        drop(deleting);
        let started = waits.join().expect("it ends");
        assert!(state.folder().join(START).exists(), "what it has locked is there");
        drop(started);
    }

    #[test]
    fn what_is_deleted_is_gone_and_what_belongs_to_others_stays() {
        let root = tempfile::tempdir().expect("a folder can be made");
        let (dev, prod) = (State::of(root.path(), "dev"), State::of(root.path(), "prod"));
        dev.make().expect("it can be made");
        prod.make().expect("it can be made");
        fs::write(dev.log(), "one\ntwo\nthree\n").expect("it can be written");
        assert_eq!(dev.last_words(2), ["two", "three"]);
        assert_eq!(dev.contents(), [("steward.log".to_owned(), 14)]);
        assert_eq!(environments(root.path()), ["dev", "prod"]);
        dev.delete().expect("it can be deleted");
        assert_eq!(environments(root.path()), ["prod"]);
        prod.delete().expect("it can be deleted");
        prod.delete().expect("it is gone already");
        assert!(!root.path().join(STATE).exists());
    }
}
