//! The door to files.
#![allow(clippy::disallowed_methods, reason = "this is the door to files")]

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, UNIX_EPOCH};

/// A file that is read while it is sent.
pub(crate) type Reader = tokio::fs::File;

/// The text of a file.
pub(crate) fn read_text(path: &Path) -> io::Result<String> {
    fs::read_to_string(path)
}

/// Whether there is certainly no file at a path.
pub(crate) fn is_missing(path: &Path) -> bool {
    matches!(path.try_exists(), Ok(false))
}

/// Makes a folder that only its owner may open, and those above it.
pub(crate) fn make_private_folder(path: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(path)
}

/// Writes a file that only its owner may read, as a whole, if there is none yet.
pub(crate) fn write_private_once(path: &Path, text: &str) -> io::Result<()> {
    let beside = write_beside(path, text, 0o600)?;
    // A link, unlike a renaming, does not take the place of what another process has put there.
    let linked = fs::hard_link(&beside, path);
    let removed = fs::remove_file(&beside);
    linked.and(removed)
}

/// Removes a file. One that has gone already has gone.
pub(crate) fn remove(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// Writes a file as a whole, in the place of what is there.
pub(crate) fn replace(path: &Path, text: &str) -> io::Result<()> {
    let beside = write_beside(path, text, 0o644)?;
    fs::rename(&beside, path)
}

fn write_beside(path: &Path, text: &str, mode: u32) -> io::Result<PathBuf> {
    static WRITTEN: AtomicUsize = AtomicUsize::new(0);
    let count = WRITTEN.fetch_add(1, Ordering::Relaxed);
    let mut name = path.as_os_str().to_owned();
    name.push(format!(".{}.{count}", std::process::id()));
    let beside = PathBuf::from(name);
    // What a process of the same number has left behind, when it was killed here, is nothing to anybody.
    let _ = fs::remove_file(&beside);
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(mode)
        .open(&beside)?;
    file.write_all(text.as_bytes())?;
    Ok(beside)
}

/// What is at a path.
pub(crate) enum There {
    File(Opened),
    Folder,
    /// Nothing that may be served.
    Nothing,
}

/// A file that is open.
pub(crate) struct Opened {
    pub(crate) path: PathBuf,
    pub(crate) length: u64,
    /// Its last change, since 1970.
    pub(crate) modified: Duration,
    file: File,
}

/// Looks what is at a path below a folder. What lies outside of the folder, by whatever links, is not there.
pub(crate) fn look(folder: &Path, relative: &Path) -> There {
    let Ok(folder) = folder.canonicalize() else {
        return There::Nothing;
    };
    let Ok(path) = folder.join(relative).canonicalize() else {
        return There::Nothing;
    };
    if !path.starts_with(&folder) {
        return There::Nothing;
    }
    // Opening a pipe would wait for somebody to write into it.
    match path.metadata() {
        Ok(found) if found.is_dir() => There::Folder,
        Ok(found) if found.is_file() => open(path).map_or(There::Nothing, There::File),
        _ => There::Nothing,
    }
}

fn open(path: PathBuf) -> io::Result<Opened> {
    let file = File::open(&path)?;
    let found = file.metadata()?;
    let modified = found.modified()?.duration_since(UNIX_EPOCH).unwrap_or_default();
    Ok(Opened {
        path,
        length: found.len(),
        modified,
        file,
    })
}

impl Opened {
    /// A part of it, as a whole. A file that has become shorter meanwhile is an error.
    pub(crate) fn read(&mut self, from: u64, length: u64) -> io::Result<Vec<u8>> {
        let mut bytes = vec![0; usize::try_from(length).map_err(io::Error::other)?];
        self.file.seek(SeekFrom::Start(from))?;
        self.file.read_exact(&mut bytes)?;
        Ok(bytes)
    }

    /// Reads it from a place on, while it is sent.
    pub(crate) fn reader(mut self, from: u64) -> io::Result<Reader> {
        self.file.seek(SeekFrom::Start(from))?;
        Ok(tokio::fs::File::from_std(self.file))
    }
}
