//! The door to files: what is written is written whole, and what is there is not written over.
#![allow(clippy::disallowed_methods, reason = "this is the door to files")]

use rustix::fs::FlockOperation;
use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{self, Write};
use std::os::fd::OwnedFd;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

/// The text of a file; nothing where there is none.
pub(crate) fn read(path: &Path) -> io::Result<Option<String>> {
    match std::fs::read_to_string(path) {
        Ok(text) => Ok(Some(text)),
        Err(refusal) if refusal.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(refusal) => Err(refusal),
    }
}

/// Whether something is there.
pub(crate) fn is_there(path: &Path) -> bool {
    path.symlink_metadata().is_ok()
}

/// Whether a program is there that may be started.
pub(crate) fn is_program(path: &Path) -> bool {
    path.metadata()
        .is_ok_and(|file| file.is_file() && file.mode() & 0o111 != 0)
}

/// The same path without links; as it is, where it leads nowhere.
pub(crate) fn real(path: &Path) -> PathBuf {
    path.canonicalize().unwrap_or_else(|_| path.to_owned())
}

/// The names in a folder, in order; none where it is not there.
pub(crate) fn names(folder: &Path) -> io::Result<Vec<String>> {
    let entries = match std::fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(refusal) if refusal.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(refusal) => return Err(refusal),
    };
    let mut names = entries
        .map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned()))
        .collect::<io::Result<Vec<String>>>()?;
    names.sort();
    Ok(names)
}

/// Makes a folder for its owner alone, with those that it is in.
pub(crate) fn make_folder(folder: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    // One that was there may have been left open by others; Postgres refuses such a folder, and so do we.
    if folder.metadata()?.mode() & 0o077 != 0 {
        std::fs::set_permissions(folder, std::fs::Permissions::from_mode(0o700))?;
    }
    Ok(())
}

/// Makes a folder for its owner alone in a place that others may write to, and says whether it is really ours: no link, not
/// somebody else's, not open to others.
pub(crate) fn make_own_folder(folder: &Path) -> bool {
    let _ = DirBuilder::new().mode(0o700).create(folder);
    folder.symlink_metadata().is_ok_and(|found| {
        found.is_dir() && found.uid() == rustix::process::geteuid().as_raw() && found.mode() & 0o077 == 0
    })
}

/// Writes a file for its owner alone, so that it is there whole or as it was. What says the same already is left alone: a
/// store whose disk is full can still start.
pub(crate) fn write_whole(path: &Path, text: &str) -> io::Result<()> {
    if read(path).is_ok_and(|there| there.as_deref() == Some(text)) && is_private(path) {
        return Ok(());
    }
    let beside = path.with_extension("new");
    let written = write_synced(&beside, text).and_then(|()| std::fs::rename(&beside, path));
    if written.is_err() {
        let _ = std::fs::remove_file(&beside);
    }
    written?;
    sync_folder_of(path)
}

fn is_private(path: &Path) -> bool {
    path.symlink_metadata()
        .is_ok_and(|file| file.is_file() && file.mode() & 0o077 == 0)
}

fn write_synced(path: &Path, text: &str) -> io::Result<()> {
    let _ = std::fs::remove_file(path);
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()
}

/// Gives a whole folder its name, for good.
pub(crate) fn rename_folder(from: &Path, to: &Path) -> io::Result<()> {
    std::fs::rename(from, to)?;
    sync_folder_of(to)
}

fn sync_folder_of(path: &Path) -> io::Result<()> {
    match path.parent() {
        Some(folder) => File::open(folder)?.sync_all(),
        None => Ok(()),
    }
}

/// Removes a folder with everything in it.
pub(crate) fn remove_folder(folder: &Path) -> io::Result<()> {
    match std::fs::remove_dir_all(folder) {
        Err(refusal) if refusal.kind() == io::ErrorKind::NotFound => Ok(()),
        other => other,
    }
}

/// Removes a file, if it is there.
pub(crate) fn remove_file(path: &Path) -> io::Result<()> {
    match std::fs::remove_file(path) {
        Err(refusal) if refusal.kind() == io::ErrorKind::NotFound => Ok(()),
        other => other,
    }
}

/// Whose something is: user, group and mode.
pub(crate) fn owner(path: &Path) -> Option<(u32, u32, u32)> {
    let found = path.metadata().ok()?;
    Some((found.uid(), found.gid(), found.mode()))
}

/// Gives a folder to a user.
pub(crate) fn give(path: &Path, user: u32, group: u32) -> io::Result<()> {
    std::os::unix::fs::chown(path, Some(user), Some(group))
}

/// How many bytes there is room for; nothing where that cannot be known.
pub(crate) fn room(path: &Path) -> Option<u64> {
    let system = rustix::fs::statvfs(path).ok()?;
    Some(system.f_bavail.saturating_mul(system.f_frsize))
}

/// Tries to take the lock of a folder. It is *not* closed when another program takes our place, nor in what that starts: it
/// is free again when the last process of the server is gone, and not before, whatever the first one died of.
pub(crate) fn take_lock(path: &Path) -> io::Result<Option<OwnedFd>> {
    let file = OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .open(path)?;
    match rustix::fs::flock(&file, FlockOperation::NonBlockingLockExclusive) {
        Ok(()) => {
            rustix::io::fcntl_setfd(&file, rustix::io::FdFlags::empty())?;
            Ok(Some(file.into()))
        }
        Err(rustix::io::Errno::WOULDBLOCK) => Ok(None),
        Err(refusal) => Err(refusal.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_for_its_owner_and_is_not_written_again() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("redis.conf");
        write_whole(&path, "one\n").unwrap();
        let first = path.metadata().unwrap();
        assert_eq!(first.mode() & 0o777, 0o600);
        write_whole(&path, "one\n").unwrap();
        assert_eq!(path.metadata().unwrap().ino(), first.ino());
        write_whole(&path, "two\n").unwrap();
        assert_eq!(read(&path).unwrap().as_deref(), Some("two\n"));
        assert_eq!(names(folder.path()).unwrap(), ["redis.conf"]);
    }

    #[test]
    fn a_lock_is_held_once() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("lock");
        let held = take_lock(&path).unwrap().unwrap();
        assert!(take_lock(&path).unwrap().is_none());
        drop(held);
        assert!(take_lock(&path).unwrap().is_some());
    }

    #[test]
    fn a_link_in_a_place_of_others_is_not_ours() {
        let folder = tempfile::tempdir().unwrap();
        let link = folder.path().join("link");
        std::os::unix::fs::symlink("/", &link).unwrap();
        assert!(!make_own_folder(&link));
        assert!(make_own_folder(&folder.path().join("own")));
    }
}
