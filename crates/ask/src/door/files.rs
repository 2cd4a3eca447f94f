//! Files and folders.
#![allow(clippy::disallowed_methods, reason = "this is the door to the file system")]

use std::fs;
use std::io::{self, Read};
use std::os::unix::fs::MetadataExt;
use std::path::Path;

/// What a name stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A regular file.
    File,
    /// A folder.
    Folder,
    /// A socket, a pipe, a device; in a list also a link.
    Other,
}

impl From<fs::FileType> for Kind {
    fn from(of: fs::FileType) -> Self {
        if of.is_file() {
            Kind::File
        } else if of.is_dir() {
            Kind::Folder
        } else {
            Kind::Other
        }
    }
}

/// What the system knows about a file without opening it: two are equal where nobody has touched it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Stamp {
    pub(crate) kind: Kind,
    pub(crate) size: u64,
    /// When what stands in it was changed last, in nanoseconds since 1970.
    pub(crate) modified: i64,
    /// When anything about it was changed last, which nobody can set back.
    changed: i64,
    /// Its number on its disk.
    inode: u64,
}

/// What stands where the path leads to.
pub(crate) fn stamp(path: &Path) -> Option<Stamp> {
    let about = fs::metadata(path).ok()?;
    let nanoseconds = |seconds: i64, rest: i64| seconds.saturating_mul(1_000_000_000).saturating_add(rest);
    Some(Stamp {
        kind: about.file_type().into(),
        size: about.len(),
        modified: nanoseconds(about.mtime(), about.mtime_nsec()),
        changed: nanoseconds(about.ctime(), about.ctime_nsec()),
        inode: about.ino(),
    })
}

/// The bytes of a file, and one more where it has more than so many.
pub(crate) fn read(path: &Path, most: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    fs::File::open(path)?
        .take(most.saturating_add(1))
        .read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// The names in a folder that are text, and what they stand for; a link stands for itself.
pub(crate) fn list(folder: &Path) -> io::Result<Vec<(String, Kind)>> {
    let mut names = Vec::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        // What is deleted between the two questions is not there.
        if let (Ok(kind), Ok(name)) = (entry.file_type(), entry.file_name().into_string()) {
            names.push((name, kind.into()));
        }
    }
    names.sort_unstable_by(|a, b| a.0.cmp(&b.0));
    Ok(names)
}
