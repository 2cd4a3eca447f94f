//! The door to the store's folder: its lock, and the file that the database is made in.
#![allow(clippy::disallowed_methods, reason = "this is the door to the store's folder")]

use jiff::Timestamp;
use rustix::fs::FlockOperation;
use rustix::process::Pid;
use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{self, Read};
use std::os::unix::fs::{DirBuilderExt, FileExt, OpenOptionsExt};
use std::path::Path;

/// The lock of a folder. The system takes it back when the last descriptor of it is closed, and so at the latest when its
/// owner dies; it is closed on exec, so that no child of the owner holds it.
#[derive(Debug)]
pub(crate) struct Lock {
    file: File,
}

/// Who holds a lock, as it says in the lock.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Holder {
    pub(crate) pid: u32,
    pub(crate) since: String,
}

/// What came of an attempt to take a lock.
#[derive(Debug)]
pub(crate) enum Attempt {
    /// It is ours.
    Taken(Lock),
    /// Somebody has it, who lives.
    Held(Holder),
    /// Somebody has it and has not said yet who it is: between taking and saying there is a moment.
    Unclear,
}

/// Makes the folder where there is none, for its owner alone.
pub(crate) fn make_folder(folder: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(folder)
}

/// Makes the file of the database where there is none, for its owner alone. SQLite gives the files that it puts beside it
/// the same mode.
pub(crate) fn make_database(file: &Path) -> io::Result<()> {
    match OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(file)
    {
        Err(refusal) if refusal.kind() != io::ErrorKind::AlreadyExists => Err(refusal),
        _ => Ok(()),
    }
}

/// Tries to take the lock, and says in it who we are.
pub(crate) fn take_lock(path: &Path, since: Timestamp) -> io::Result<Attempt> {
    let mut file = OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .open(path)?;
    match rustix::fs::flock(&file, FlockOperation::NonBlockingLockExclusive) {
        Ok(()) => {
            // Written over what was there and then cut: so it works on a full disk as well.
            let text = format!("{} {since}\n", std::process::id());
            file.write_all_at(text.as_bytes(), 0)?;
            file.set_len(text.len() as u64)?;
            Ok(Attempt::Taken(Lock { file }))
        }
        Err(rustix::io::Errno::WOULDBLOCK) => {
            let mut text = String::new();
            file.read_to_string(&mut text)?;
            Ok(match holder(&text) {
                Some(holder) if lives(holder.pid) => Attempt::Held(holder),
                _ => Attempt::Unclear,
            })
        }
        Err(refusal) => Err(refusal.into()),
    }
}

impl Lock {
    /// Gives it back, and leaves no name in it.
    pub(crate) fn release(self) {
        // A name that stays behind names nobody who lives, and is overwritten by the next owner.
        let _ = self.file.set_len(0);
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        // Said, and not left to the closing of the file: a child that is being started has a copy of it for a moment longer
        // than whoever starts it waits.
        let _ = rustix::fs::flock(&self.file, FlockOperation::Unlock);
    }
}

/// Reads who holds a lock; nobody, where the text is not whole.
fn holder(text: &str) -> Option<Holder> {
    let (pid, since) = text.strip_suffix('\n')?.split_once(' ')?;
    Some(Holder {
        pid: pid.parse().ok()?,
        since: since.to_owned(),
    })
}

fn lives(pid: u32) -> bool {
    let Some(pid) = i32::try_from(pid).ok().and_then(Pid::from_raw) else {
        return false;
    };
    // Not ours to signal is alive, too.
    !matches!(
        rustix::process::test_kill_process(pid),
        Err(rustix::io::Errno::SRCH)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_is_not_whole_names_nobody() {
        for text in ["", "12", "12 2026-01-01T00:00:00Z", "x y\n", "\n"] {
            assert_eq!(holder(text), None, "{text:?}");
        }
        let whole = holder("12 2026-01-01T00:00:00Z\n").expect("whole");
        assert_eq!((whole.pid, whole.since.as_str()), (12, "2026-01-01T00:00:00Z"));
    }

    #[test]
    fn a_lock_that_says_nothing_yet_is_unclear_and_not_somebody_elses() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("lock");
        let Attempt::Taken(lock) = take_lock(&path, Timestamp::UNIX_EPOCH).unwrap() else {
            panic!("nobody has it")
        };
        lock.file.set_len(0).unwrap();
        assert!(matches!(
            take_lock(&path, Timestamp::UNIX_EPOCH).unwrap(),
            Attempt::Unclear
        ));
        lock.release();
        assert!(matches!(
            take_lock(&path, Timestamp::UNIX_EPOCH).unwrap(),
            Attempt::Taken(_)
        ));
    }
}
