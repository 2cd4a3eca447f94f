//! The door to what releases are made of: files by what stands in them, and folders that are made of those.
//!
//! Whatever comes is written beside, and gets its name when it is whole and on the disk. Whatever goes loses its name first.
//! So nothing that has a name is ever half of what it should be, and what has none is swept away by whoever opens it next.
#![allow(
    clippy::disallowed_methods,
    reason = "this is the door to what releases are made of"
)]

use rustix::fs::{CWD, Timespec, Timestamps, UTIME_NOW};
use std::collections::BTreeSet;
use std::fs::{self, DirBuilder, File, OpenOptions, Permissions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::SystemTime;

/// So many files are waited for one by one until they are on the disk. The system is asked once for all of more: that also
/// waits for what others have written, but a folder of ten thousand packages would wait ten thousand times.
const ONE_BY_ONE: usize = 64;

/// What makes names of what is being written differ.
static NEXT: AtomicU64 = AtomicU64::new(0);

/// Something that is being written, or taken away: it has no name that anybody else knows, and goes when nobody wants it.
#[derive(Debug)]
struct Nameless(PathBuf);

impl Nameless {
    fn new(folder: &Path) -> io::Result<Self> {
        make_folders(folder)?;
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        Ok(Nameless(folder.join(format!("{}-{number}", std::process::id()))))
    }
}

impl Drop for Nameless {
    fn drop(&mut self) {
        // Whoever opens it next takes away what cannot be taken away now.
        let _ = remove(&self.0);
    }
}

/// A file that is being written.
#[derive(Debug)]
pub(crate) struct Writing {
    file: File,
    at: Nameless,
}

impl Writing {
    /// Begins one in this folder.
    pub(crate) fn begin(coming: &Path) -> io::Result<Self> {
        let at = Nameless::new(coming)?;
        let file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&at.0)?;
        Ok(Writing { file, at })
    }

    /// Goes on with it.
    pub(crate) fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.file.write_all(bytes)
    }

    /// It is whole: once this has come back, it is on the disk under this name.
    pub(crate) fn finish(self, name: &Path) -> io::Result<()> {
        self.file.set_permissions(Permissions::from_mode(0o400))?;
        self.file.sync_all()?;
        let folder = name.parent().unwrap_or(Path::new("."));
        make_folders(folder)?;
        fs::rename(&self.at.0, name)?;
        sync(folder)
    }
}

/// Something that a folder is made of.
#[derive(Debug)]
pub(crate) enum Piece {
    /// A copy of this file, which is so long, and whether it can be run.
    Copy { from: PathBuf, bytes: u64, runs: bool },
    /// A link.
    Link(String),
}

/// Why a folder could not be made.
#[derive(Debug)]
pub(crate) enum Unmade {
    /// This file is not there, or not as long as it should be.
    Absent(PathBuf),
    /// The system refused.
    Refused(io::Error),
}

impl From<io::Error> for Unmade {
    fn from(why: io::Error) -> Self {
        Unmade::Refused(why)
    }
}

/// Makes a folder of these pieces, each at its path. Once this has come back, all of it is on the disk under this name.
pub(crate) fn make(coming: &Path, pieces: &[(&str, Piece)], name: &Path) -> Result<(), Unmade> {
    let at = Nameless::new(coming)?;
    make_open(&at.0)?;
    let mut folders = BTreeSet::new();
    let waits = pieces.len() <= ONE_BY_ONE;
    for (path, piece) in pieces {
        for above in Path::new(path)
            .ancestors()
            .skip(1)
            .collect::<Vec<_>>()
            .iter()
            .rev()
        {
            if above.as_os_str().is_empty() || !folders.insert(above.to_path_buf()) {
                continue;
            }
            make_open(&at.0.join(above))?;
        }
        let to = at.0.join(path);
        match piece {
            Piece::Copy { from, bytes, runs } => copy(from, *bytes, *runs, &to, waits)?,
            Piece::Link(target) => std::os::unix::fs::symlink(target, &to)?,
        }
    }
    if waits {
        for folder in &folders {
            sync(&at.0.join(folder))?;
        }
        sync(&at.0)?;
    } else {
        rustix::fs::syncfs(File::open(&at.0)?).map_err(io::Error::from)?;
    }
    let folder = name.parent().unwrap_or(Path::new("."));
    make_folders(folder)?;
    match fs::rename(&at.0, name) {
        // Somebody else has made the same meanwhile.
        Err(_) if is_there(name) => Ok(()),
        renamed => renamed.and_then(|()| sync(folder)).map_err(Unmade::from),
    }
}

/// Copies a file. The system shares what stands in both where it can, until one of them changes.
fn copy(from: &Path, bytes: u64, runs: bool, to: &Path, waits: bool) -> Result<(), Unmade> {
    let mut content = match File::open(from) {
        Err(why) if why.kind() == io::ErrorKind::NotFound => return Err(Unmade::Absent(from.to_owned())),
        opened => opened?,
    };
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(to)?;
    if io::copy(&mut content, &mut file)? != bytes {
        return Err(Unmade::Absent(from.to_owned()));
    }
    // Said, because what a new file is made with depends on whoever starts us.
    let mode = if runs { 0o755 } else { 0o644 };
    file.set_permissions(Permissions::from_mode(mode))?;
    if waits {
        file.sync_all()?;
    }
    Ok(())
}

/// Whether there is something.
pub(crate) fn is_there(name: &Path) -> bool {
    fs::symlink_metadata(name).is_ok()
}

/// Says of a file that it is wanted now; whether it is there.
pub(crate) fn touch(name: &Path) -> bool {
    let now = Timespec {
        tv_sec: 0,
        tv_nsec: UTIME_NOW,
    };
    let times = Timestamps {
        last_access: now,
        last_modification: now,
    };
    rustix::fs::utimensat(CWD, name, &times, rustix::fs::AtFlags::empty()).is_ok()
}

/// What stands in a folder and was not wanted since then, by its name; nothing where there is no folder.
pub(crate) fn unwanted_since(folder: &Path, since: SystemTime) -> io::Result<Vec<String>> {
    let mut found = Vec::new();
    for entry in entries(folder)? {
        let entry = entry?;
        // One that is taken away meanwhile is not there any more.
        let Ok(metadata) = fs::symlink_metadata(entry.path()) else {
            continue;
        };
        if metadata.modified()? < since {
            found.push(entry.file_name().to_string_lossy().into_owned());
        }
    }
    Ok(found)
}

/// The names of what stands in a folder; none where there is no folder.
pub(crate) fn names(folder: &Path) -> io::Result<Vec<String>> {
    entries(folder)?
        .map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned()))
        .collect()
}

fn entries(folder: &Path) -> io::Result<Box<dyn Iterator<Item = io::Result<fs::DirEntry>>>> {
    match fs::read_dir(folder) {
        Ok(entries) => Ok(Box::new(entries)),
        Err(why) if why.kind() == io::ErrorKind::NotFound => Ok(Box::new(std::iter::empty())),
        Err(why) => Err(why),
    }
}

/// Takes something away: first its name, so that nobody takes what is left of it for the whole.
pub(crate) fn take_away(coming: &Path, name: &Path) -> io::Result<()> {
    let at = Nameless::new(coming)?;
    match fs::rename(name, &at.0) {
        Err(why) if why.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(why) => Err(why),
        Ok(()) => remove(&at.0),
    }
}

/// Takes away what was being written, or taken away, when whoever did it died.
pub(crate) fn sweep_nameless(coming: &Path) {
    for name in names(coming).unwrap_or_default() {
        // What stays is in nobody's way, and the next one tries again.
        let _ = remove(&coming.join(name));
    }
}

fn remove(path: &Path) -> io::Result<()> {
    let removed = match fs::symlink_metadata(path) {
        Ok(metadata) if metadata.is_dir() => fs::remove_dir_all(path),
        Ok(_) => fs::remove_file(path),
        Err(why) => Err(why),
    };
    match removed {
        Err(why) if why.kind() == io::ErrorKind::NotFound => Ok(()),
        removed => removed,
    }
}

/// Makes a folder and those above it, for their owner alone, and waits until the disk knows of them.
fn make_folders(folder: &Path) -> io::Result<()> {
    if is_there(folder) {
        return Ok(());
    }
    let above = folder.parent().unwrap_or(Path::new("."));
    make_folders(above)?;
    match DirBuilder::new().mode(0o700).create(folder) {
        Err(why) if why.kind() != io::ErrorKind::AlreadyExists => Err(why),
        _ => sync(above),
    }
}

/// Makes a folder that everybody can read who gets there.
fn make_open(folder: &Path) -> io::Result<()> {
    fs::create_dir(folder)?;
    fs::set_permissions(folder, Permissions::from_mode(0o755))
}

fn sync(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}
