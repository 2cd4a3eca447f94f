//! Files and folders of instances.
#![allow(clippy::disallowed_methods, reason = "this is the door to files and folders")]

use rustix::fd::{AsFd, OwnedFd};
use rustix::fs::{CWD, FlockOperation, Mode, OFlags, StatFs, flock, openat, statfs};
use rustix::io::Errno;
use std::fs;
use std::io;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

/// The number by which a file system in memory is known.
const IN_MEMORY: i128 = 0x0102_1994;

/// An argument of this process.
pub(crate) fn argument(at: usize) -> Option<String> {
    std::env::args_os().nth(at)?.into_string().ok()
}

/// The file that is empty and takes everything.
pub(crate) fn open_null() -> Result<OwnedFd, Errno> {
    openat(CWD, "/dev/null", OFlags::RDWR | OFlags::CLOEXEC, Mode::empty())
}

/// Makes a folder that only we may enter, and those above it.
pub(crate) fn make_folder(path: &Path) -> io::Result<()> {
    fs::DirBuilder::new().recursive(true).mode(0o700).create(path)
}

/// Opens a folder, so that what is in it can be reached by a short path.
pub(crate) fn open_folder(path: &Path) -> Result<OwnedFd, Errno> {
    openat(
        CWD,
        path,
        OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC,
        Mode::empty(),
    )
}

/// Opens a folder, so that we can be told of what is deleted from it.
pub(crate) fn open_to_be_told(path: &Path) -> Result<OwnedFd, Errno> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    openat(CWD, path, flags, Mode::empty())
}

/// Whether an open file has no name any more.
pub(crate) fn is_deleted(file: impl AsFd) -> bool {
    rustix::fs::fstat(file).is_ok_and(|about| about.st_nlink == 0)
}

/// Whether something has that name.
pub(crate) fn is_there(path: &Path) -> bool {
    fs::symlink_metadata(path).is_ok()
}

pub(crate) fn remove_folder(path: &Path) {
    let _ = fs::remove_dir_all(path);
}

/// Opens a file that is there to be locked, and makes it where it is missing.
pub(crate) fn open_lock(path: &Path) -> Result<OwnedFd, Errno> {
    let flags = OFlags::RDWR | OFlags::CREATE | OFlags::CLOEXEC;
    openat(CWD, path, flags, Mode::RUSR | Mode::WUSR)
}

/// Locks a file unless somebody else has it; whether it is ours now.
pub(crate) fn lock(file: impl AsFd) -> Result<bool, Errno> {
    match flock(file, FlockOperation::NonBlockingLockExclusive) {
        Ok(()) => Ok(true),
        Err(Errno::WOULDBLOCK) => Ok(false),
        Err(errno) => Err(errno),
    }
}

/// Waits until a file can be locked, and locks it.
pub(crate) fn wait_for_lock(file: impl AsFd) -> Result<(), Errno> {
    loop {
        match flock(&file, FlockOperation::LockExclusive) {
            Err(Errno::INTR) => {}
            result => return result,
        }
    }
}

pub(crate) fn read(path: &Path) -> io::Result<Vec<u8>> {
    fs::read(path)
}

/// Writes a file that only we may read, whole or not at all.
pub(crate) fn write_whole(path: &Path, content: &[u8]) -> io::Result<()> {
    let beside = path.with_extension("new");
    write_private(&beside, content)?;
    fs::rename(&beside, path)
}

fn write_private(path: &Path, content: &[u8]) -> io::Result<()> {
    use io::Write;
    let mut options = fs::OpenOptions::new();
    options.write(true).create(true).truncate(true).mode(0o600);
    options.open(path)?.write_all(content)
}

/// A folder for values that must not reach a disk: in memory where the machine has such a place, otherwise this one.
pub(crate) fn private_folder(name: &str, otherwise: &Path) -> PathBuf {
    let memory = Path::new("/dev/shm");
    let is_in_memory = |stat: StatFs| i128::from(stat.f_type) == IN_MEMORY;
    if statfs(memory).is_ok_and(is_in_memory)
        && rustix::fs::access(memory, rustix::fs::Access::WRITE_OK).is_ok()
    {
        memory.join(name)
    } else {
        otherwise.join("files")
    }
}

/// Writes values into a folder of their own, each into the file of its name; each is told with its path.
pub(crate) fn write_values(folder: &Path, values: &[(String, String)]) -> io::Result<Vec<(String, String)>> {
    remove_folder(folder);
    fs::DirBuilder::new().mode(0o700).create(folder)?;
    let mut paths = Vec::new();
    for (name, value) in values {
        let path = folder.join(name);
        write_private(&path, value.as_bytes())?;
        paths.push((name.clone(), path.to_string_lossy().into_owned()));
    }
    Ok(paths)
}

/// Why a program cannot be started from a path, if so.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Standing {
    Fine,
    Missing,
    Folder,
    NotExecutable,
}

pub(crate) fn standing(path: &Path) -> Standing {
    match fs::metadata(path) {
        Err(_) => Standing::Missing,
        Ok(found) if found.is_dir() => Standing::Folder,
        Ok(found) if found.permissions().mode() & 0o111 == 0 => Standing::NotExecutable,
        Ok(_) if rustix::fs::access(path, rustix::fs::Access::EXEC_OK).is_err() => Standing::NotExecutable,
        Ok(_) => Standing::Fine,
    }
}

pub(crate) fn is_folder(path: &Path) -> bool {
    fs::metadata(path).is_ok_and(|found| found.is_dir())
}
