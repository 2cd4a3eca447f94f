//! The folder of a machine: its lock, its socket, its tokens, its key and its log.
#![allow(clippy::disallowed_methods, reason = "this is the door to the file system")]

use rustix::fs::{AtFlags, FlockOperation, Mode, OFlags, flock, open};
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::Path;
use tokio::net::UnixListener;

/// No file of ours is longer than that.
const LONGEST: u64 = 16 * 1024 * 1024;

/// Where the kernel's own randomness comes from.
const CHANCE: &str = "/dev/urandom";

/// Makes a folder that only its owner may open, and those above it.
pub(crate) fn make_private_folder(path: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(path)
}

/// Holds a file locked, which the system takes back when we end; nothing where somebody else holds it.
pub(crate) fn hold(path: &Path) -> io::Result<Option<File>> {
    let mut options = OpenOptions::new();
    options.create(true).truncate(false).write(true).mode(0o600);
    let file = options.open(path)?;
    match flock(&file, FlockOperation::NonBlockingLockExclusive) {
        Ok(()) => Ok(Some(file)),
        Err(rustix::io::Errno::WOULDBLOCK) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// Listens on a socket in a folder that only we may open. Whoever was there before is dead: we hold the lock. The folder is
/// named by its handle, because the name of a socket may have 108 letters at the most and a path may have more.
pub(crate) fn listen(folder: &Path, name: &str) -> io::Result<UnixListener> {
    let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let handle: OwnedFd = open(folder, flags, Mode::empty())?;
    match rustix::fs::unlinkat(&handle, name, AtFlags::empty()) {
        Err(error) if error != rustix::io::Errno::NOENT => return Err(error.into()),
        _ => {}
    }
    let listener = UnixListener::bind(format!("/proc/self/fd/{}/{name}", handle.as_raw_fd()))?;
    rustix::fs::chmodat(&handle, name, Mode::RUSR | Mode::WUSR, AtFlags::empty())?;
    Ok(listener)
}

/// The text of a file; nothing where there is none.
pub(crate) fn text(path: &Path) -> io::Result<Option<String>> {
    let mut text = String::new();
    match File::open(path) {
        Ok(file) => file.take(LONGEST).read_to_string(&mut text).map(|_| Some(text)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// Replaces a file that only its owner may read, as a whole. It is on the disk when this is done.
pub(crate) fn replace_private(path: &Path, text: &str) -> io::Result<()> {
    let mut name = path.file_name().unwrap_or_default().to_os_string();
    name.push(".new");
    let beside = path.with_file_name(name);
    // What was left of an earlier one may have been anybody's to read.
    let _ = fs::remove_file(&beside);
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(&beside)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    fs::rename(&beside, path)?;
    File::open(path.parent().unwrap_or(Path::new(".")))?.sync_all()
}

/// A log that is written on at its end.
#[derive(Debug)]
pub(crate) struct Log {
    file: File,
    /// How long it is.
    pub(crate) length: u64,
}

impl Log {
    /// Opens one, and makes it where there is none.
    pub(crate) fn open(path: &Path) -> io::Result<Self> {
        let mut options = OpenOptions::new();
        let file = options.create(true).append(true).mode(0o600).open(path)?;
        let length = file.metadata()?.len();
        Ok(Log { file, length })
    }

    /// Writes at its end.
    pub(crate) fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.file.write_all(bytes)?;
        self.length += bytes.len() as u64;
        Ok(())
    }
}

/// Gives a file another name, in the place of what has it.
pub(crate) fn rename(from: &Path, to: &Path) -> io::Result<()> {
    fs::rename(from, to)
}

/// Whether there is something of that name.
pub(crate) fn is_there(path: &Path) -> bool {
    path.symlink_metadata().is_ok()
}

/// The names of the folders in a folder, sorted; none where there is no such folder.
pub(crate) fn folders(path: &Path) -> Vec<String> {
    let entries = fs::read_dir(path).into_iter().flatten().flatten();
    let mut names: Vec<String> = entries
        .filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()))
        .filter_map(|entry| entry.file_name().into_string().ok())
        .collect();
    names.sort();
    names
}

/// Bytes that nobody can guess.
pub(crate) fn chance() -> io::Result<[u8; 32]> {
    let mut bytes = [0; 32];
    File::open(CHANCE)?.read_exact(&mut bytes)?;
    Ok(bytes)
}

/// What this machine calls itself.
pub(crate) fn machine() -> String {
    rustix::system::uname().nodename().to_string_lossy().into_owned()
}
