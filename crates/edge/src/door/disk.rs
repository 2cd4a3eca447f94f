//! The door to files.
#![allow(clippy::disallowed_methods, reason = "this is the door to files")]

use std::fs::{self, DirBuilder, File, Metadata, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, UNIX_EPOCH};

use bytes::{Buf, Bytes};

/// The text of a file.
pub(crate) fn read_text(path: &Path) -> io::Result<String> {
    fs::read_to_string(path)
}

/// The text of a file that has no more than so many bytes.
pub(crate) fn read_text_within(path: &Path, most: u64) -> io::Result<String> {
    let mut text = String::new();
    let file = OpenOptions::new()
        .read(true)
        .custom_flags(NEVER_WAIT)
        .open(path)?;
    let read = file.take(most + 1).read_to_string(&mut text)?;
    if read as u64 > most {
        return Err(io::Error::other("it is too large"));
    }
    Ok(text)
}

/// Opening a pipe would wait for somebody to write into it.
const NEVER_WAIT: i32 = rustix::fs::OFlags::NONBLOCK.bits() as i32;

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

/// Writes a file that only its owner may read, as a whole, in the place of what is there. It is on the disk when this is done.
pub(crate) fn replace_private(path: &Path, text: &str) -> io::Result<()> {
    let beside = write_beside(path, text, 0o600)?;
    File::open(&beside)?.sync_all()?;
    fs::rename(&beside, path)?;
    match path.parent() {
        Some(folder) => File::open(folder)?.sync_all(),
        None => Ok(()),
    }
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

/// What the system says is at a path, wherever links lead.
pub(crate) enum Seen {
    File(Stamp),
    Folder,
    Nothing,
}

/// By what a file is known to be the one that it was: where it lies, how long it is, and when it and its place changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Stamp {
    place: (u64, u64),
    length: u64,
    modified: (i64, i64),
    changed: (i64, i64),
}

impl Stamp {
    fn of(found: &Metadata) -> Stamp {
        Stamp {
            place: (found.dev(), found.ino()),
            length: found.len(),
            modified: (found.mtime(), found.mtime_nsec()),
            changed: (found.ctime(), found.ctime_nsec()),
        }
    }
}

/// A file that is open, or in memory.
#[derive(Debug)]
pub(crate) struct Opened {
    pub(crate) path: Arc<Path>,
    pub(crate) length: u64,
    /// Its last change, since 1970.
    pub(crate) modified: Duration,
    pub(crate) stamp: Stamp,
    /// The digest of what is in it, where that is in memory.
    pub(crate) digest: Option<u128>,
    content: Content,
}

#[derive(Debug)]
enum Content {
    Disk(File),
    Memory(Bytes),
}

/// Asks the system what is at a path. It knows of what has been asked for lately without looking at a disk.
pub(crate) fn glance(path: &Path) -> Seen {
    match path.metadata() {
        Ok(found) if found.is_dir() => Seen::Folder,
        Ok(found) if found.is_file() => Seen::File(Stamp::of(&found)),
        _ => Seen::Nothing,
    }
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
        path: path.into(),
        length: found.len(),
        modified,
        stamp: Stamp::of(&found),
        digest: None,
        content: Content::Disk(file),
    })
}

impl Opened {
    /// Takes it into memory, as a whole, unless it changes meanwhile.
    pub(crate) fn load(mut self) -> Opened {
        if let Ok(bytes) = self.read(0, self.length)
            && let Content::Disk(file) = &self.content
            && file.metadata().is_ok_and(|found| Stamp::of(&found) == self.stamp)
        {
            let mut first = [0; 16];
            first.copy_from_slice(&blake3::hash(&bytes).as_bytes()[..16]);
            self.digest = Some(u128::from_le_bytes(first));
            self.content = Content::Memory(bytes);
        }
        self
    }

    /// The same once more, if it is in memory.
    pub(crate) fn again(&self) -> Option<Opened> {
        let Content::Memory(bytes) = &self.content else {
            return None;
        };
        Some(Opened {
            path: Arc::clone(&self.path),
            content: Content::Memory(bytes.clone()),
            ..*self
        })
    }

    pub(crate) fn is_in_memory(&self) -> bool {
        matches!(self.content, Content::Memory(_))
    }

    /// A part of it, as a whole. A file that has become shorter meanwhile is an error.
    pub(crate) fn read(&mut self, from: u64, length: u64) -> io::Result<Bytes> {
        let (begin, count) = (as_size(from)?, as_size(length)?);
        match &mut self.content {
            Content::Memory(bytes) => {
                let end = begin.checked_add(count).filter(|end| *end <= bytes.len());
                end.map(|end| bytes.slice(begin..end))
                    .ok_or_else(|| io::ErrorKind::UnexpectedEof.into())
            }
            Content::Disk(file) => {
                file.seek(SeekFrom::Start(from))?;
                piece(file, count)
            }
        }
    }

    /// Reads it from a place on, while it is sent.
    pub(crate) fn reader(self, from: u64) -> io::Result<Reader> {
        match self.content {
            Content::Memory(mut bytes) => {
                bytes.advance(as_size(from)?.min(bytes.len()));
                Ok(Reader::Memory(bytes))
            }
            Content::Disk(mut file) => {
                file.seek(SeekFrom::Start(from))?;
                Ok(Reader::Disk(file))
            }
        }
    }
}

/// What is read while it is sent.
#[derive(Debug)]
pub(crate) enum Reader {
    Disk(File),
    Memory(Bytes),
}

impl Reader {
    /// Reads so many bytes. Less than that is an error.
    pub(crate) fn piece(&mut self, count: usize) -> io::Result<Bytes> {
        match self {
            Reader::Disk(file) => piece(file, count),
            Reader::Memory(bytes) if bytes.len() >= count => Ok(bytes.split_to(count)),
            Reader::Memory(_) => Err(io::ErrorKind::UnexpectedEof.into()),
        }
    }
}

fn piece(file: &mut File, count: usize) -> io::Result<Bytes> {
    // The memory is not filled with zeros first, as it would be to be read into as a slice.
    let mut bytes = Vec::with_capacity(count);
    if file.take(count as u64).read_to_end(&mut bytes)? < count {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    Ok(Bytes::from(bytes))
}

fn as_size(count: u64) -> io::Result<usize> {
    usize::try_from(count).map_err(io::Error::other)
}
