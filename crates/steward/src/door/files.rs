//! Files and folders.
#![allow(clippy::disallowed_methods, reason = "this is the door to the file system")]

use std::ffi::OsString;
use std::fs;
pub(crate) use std::fs::File;
use std::io::{self, Read, Write};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

/// What a name stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A regular file.
    File,
    /// A folder.
    Folder,
    /// A link to something else.
    Link,
    /// A socket, a pipe, a device.
    Other,
}

impl From<fs::FileType> for Kind {
    fn from(of: fs::FileType) -> Self {
        if of.is_file() {
            Kind::File
        } else if of.is_dir() {
            Kind::Folder
        } else if of.is_symlink() {
            Kind::Link
        } else {
            Kind::Other
        }
    }
}

/// What the system knows about a file without opening it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Stat {
    /// What it is.
    pub(crate) kind: Kind,
    /// Its size in bytes.
    pub(crate) size: u64,
    /// When it was changed last, in nanoseconds since 1970.
    pub(crate) modified: i64,
    /// Its number on its disk: another file of the same name has another one.
    pub(crate) inode: u64,
    /// Its owner may run it.
    pub(crate) runs: bool,
}

impl From<fs::Metadata> for Stat {
    fn from(about: fs::Metadata) -> Self {
        Stat {
            kind: about.file_type().into(),
            size: about.len(),
            modified: about
                .mtime()
                .saturating_mul(1_000_000_000)
                .saturating_add(about.mtime_nsec()),
            inode: about.ino(),
            runs: about.mode() & 0o100 != 0,
        }
    }
}

/// What stands at the path itself: a link is a link.
pub(crate) fn stat(path: &Path) -> Option<Stat> {
    fs::symlink_metadata(path).ok().map(Stat::from)
}

/// What stands where the path leads to.
pub(crate) fn stat_through(path: &Path) -> Option<Stat> {
    fs::metadata(path).ok().map(Stat::from)
}

/// Where a link points.
pub(crate) fn link(path: &Path) -> Option<PathBuf> {
    fs::read_link(path).ok()
}

/// The path without links in it.
pub(crate) fn real(path: &Path) -> io::Result<PathBuf> {
    fs::canonicalize(path)
}

/// The names in a folder and what they stand for, in the order of the names.
pub(crate) fn list(folder: &Path) -> io::Result<Vec<(OsString, Kind)>> {
    let mut names = Vec::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        // What is deleted between the two questions is not there.
        if let Ok(kind) = entry.file_type() {
            names.push((entry.file_name(), kind.into()));
        }
    }
    names.sort_unstable_by(|a, b| a.0.as_bytes().cmp(b.0.as_bytes()));
    Ok(names)
}

/// Opens a file for reading.
pub(crate) fn open(path: &Path) -> io::Result<fs::File> {
    fs::File::open(path)
}

/// Opens a file to be read beside everything else, and says how long it is.
pub(crate) async fn open_beside(path: &Path) -> io::Result<(tokio::fs::File, u64)> {
    let file = tokio::fs::File::open(path).await?;
    let length = file.metadata().await?.len();
    Ok((file, length))
}

/// All bytes of a file.
pub(crate) fn read(path: &Path) -> io::Result<Vec<u8>> {
    fs::read(path)
}

/// The text of a file that has no more than so many bytes; none where there is no such file or it is no text.
pub(crate) fn text(path: &Path, most: u64) -> Option<String> {
    let mut text = String::new();
    fs::File::open(path)
        .ok()?
        .take(most)
        .read_to_string(&mut text)
        .ok()?;
    Some(text)
}

/// The digest of what stands in a file.
pub(crate) fn digest(path: &Path) -> io::Result<blake3::Hash> {
    let mut file = fs::File::open(path)?;
    let mut hasher = blake3::Hasher::new();
    let mut buffer = [0; 64 * 1024];
    loop {
        match file.read(&mut buffer)? {
            0 => return Ok(hasher.finalize()),
            read => hasher.update(&buffer[..read]),
        };
    }
}

/// Writes a file that is either there whole or as it was before, also after a power cut.
pub(crate) fn write_whole(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let folder = path.parent().unwrap_or(Path::new("."));
    fs::create_dir_all(folder)?;
    let mut beside = path.file_name().unwrap_or_default().to_owned();
    beside.push(format!(".{}.new", std::process::id()));
    let beside = folder.join(beside);
    let written = write_and_name(&beside, path, bytes);
    if written.is_err() {
        let _ = fs::remove_file(&beside);
    }
    written
}

fn write_and_name(beside: &Path, path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = fs::File::create(beside)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    fs::rename(beside, path)?;
    // The name is in the folder, and the folder is a file, too.
    fs::File::open(path.parent().unwrap_or(Path::new(".")))?.sync_all()
}

/// Makes a folder that only its owner may look into.
pub(crate) fn make_private(path: &Path) -> io::Result<()> {
    fs::DirBuilder::new().recursive(true).mode(0o700).create(path)
}

/// The edge writes a few lines in its life. So much of them is the history of years, or of something that went wrong.
const LONGEST_EDGE_LOG: u64 = 2 * 1024 * 1024;

/// A log for a new edge, which goes on where the last one ended. One that has become long is put aside, in place of the one
/// that was put aside before.
pub(crate) fn edge_log(state: &Path) -> io::Result<fs::File> {
    let path = state.join("edge.log");
    if fs::metadata(&path).is_ok_and(|about| about.len() >= LONGEST_EDGE_LOG) {
        // Where that fails, it grows: an edge without a log would be worse.
        let _ = fs::rename(&path, state.join("edge.log.1"));
    }
    fs::OpenOptions::new()
        .create(true)
        .append(true)
        .mode(0o600)
        .open(path)
}

/// Opens a file for lines that are put behind what it holds, and says how much that is.
pub(crate) fn append(path: &Path) -> io::Result<(fs::File, u64)> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    let file = fs::File::options().create(true).append(true).open(path)?;
    let size = file.metadata()?.len();
    Ok((file, size))
}

/// Gives a file another name; what had that name is gone.
pub(crate) fn rename(from: &Path, to: &Path) -> io::Result<()> {
    fs::rename(from, to)
}

/// Gives a file a second name, or copies it where one cannot be had.
pub(crate) fn link_to(from: &Path, to: &Path) -> io::Result<()> {
    fs::hard_link(from, to).or_else(|_| fs::copy(from, to).map(drop))
}

/// Deletes a folder with all that is in it, if it is there.
pub(crate) fn remove_folder(path: &Path) -> io::Result<()> {
    match fs::remove_dir_all(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        done => done,
    }
}

/// Deletes a file, if it is there.
pub(crate) fn remove(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        done => done,
    }
}
