//! The state folder and the files of logs.
#![allow(clippy::disallowed_methods, reason = "this is the door to the state folder")]

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{self, Read, Seek, SeekFrom};
use std::os::unix::fs::{DirBuilderExt, MetadataExt};
use std::path::{Path, PathBuf};
use towpath_keeper::Layout;
use towpath_model::run::InstanceId;
use towpath_model::unit::{Name, Unit};

/// What is read of a log at once.
const PIECE: usize = 64 * 1024;

/// Makes the folders that the engine looks into, and answers the whole path of the state folder.
pub(crate) fn prepared(state: &Path) -> io::Result<PathBuf> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true).mode(0o700).create(state)?;
    let state = fs::canonicalize(state)?;
    let layout = Layout::new(&state);
    builder.create(layout.instances())?;
    builder.create(layout.logs())?;
    Ok(state)
}

/// The instances that have a folder.
pub(crate) fn instances(layout: &Layout) -> io::Result<Vec<InstanceId>> {
    let entries = fs::read_dir(layout.instances())?;
    Ok(entries
        .flatten()
        .filter_map(|entry| InstanceId::parse(entry.file_name().to_str()?).ok())
        .collect())
}

pub(crate) fn has_instance(layout: &Layout, id: &InstanceId) -> bool {
    layout.instance(id).exists()
}

/// The components that have logs.
pub(crate) fn names_of_logs(layout: &Layout) -> Vec<Name> {
    let entries = fs::read_dir(layout.logs()).into_iter().flatten().flatten();
    let mut names: Vec<Name> = entries
        .filter_map(|entry| Name::parse(entry.file_name().to_str()?).ok())
        .collect();
    names.sort();
    names
}

/// The numbers of a component's instances that have a log, oldest first.
pub(crate) fn logs_of(layout: &Layout, component: &Name) -> BTreeSet<u64> {
    let entries = fs::read_dir(layout.logs_of(component))
        .into_iter()
        .flatten()
        .flatten();
    entries
        .filter_map(|entry| {
            let name = entry.file_name();
            let (number, rest) = name.to_str()?.split_once('.')?;
            matches!(rest, "log" | "log.1").then_some(())?;
            number.parse().ok()
        })
        .collect()
}

/// Removes the log of an instance, both parts.
pub(crate) fn remove_log(layout: &Layout, id: &InstanceId) {
    let _ = fs::remove_file(layout.log(id));
    let _ = fs::remove_file(layout.older_log(id));
}

/// A log that is read, and stays open: what is still written to it after it was rotated is read, too.
#[derive(Debug)]
pub(crate) struct LogFile {
    file: File,
    number: u64,
}

impl LogFile {
    pub(crate) fn open(path: &Path) -> Option<Self> {
        let file = File::open(path).ok()?;
        let number = file.metadata().ok()?.ino();
        Some(LogFile { file, number })
    }

    /// Whether another file stands at this path by now.
    pub(crate) fn is_replaced(&self, path: &Path) -> bool {
        fs::metadata(path).is_ok_and(|found| found.ino() != self.number)
    }

    /// Whether both are one file.
    pub(crate) fn is_same(&self, other: &LogFile) -> bool {
        self.number == other.number
    }

    /// Reads what comes next onto the end of this; whether there was anything.
    pub(crate) fn read(&mut self, to: &mut Vec<u8>) -> bool {
        let before = to.len();
        to.resize(before + PIECE, 0);
        let read = self.file.read(&mut to[before..]).unwrap_or(0);
        to.truncate(before + read);
        read > 0
    }

    /// Goes to where the last lines begin, so many of them, and at most to the beginning.
    pub(crate) fn skip_to_last(&mut self, lines: usize) -> io::Result<()> {
        let mut end = self.file.seek(SeekFrom::End(0))?;
        let mut piece = vec![0; PIECE];
        // The last byte ends the last line, and is counted as one.
        let mut left = lines + 1;
        while end > 0 {
            let length = end.min(PIECE as u64);
            let start = end - length;
            let piece = &mut piece[..usize::try_from(length).unwrap_or(PIECE)];
            self.file.seek(SeekFrom::Start(start))?;
            self.file.read_exact(piece)?;
            for (at, byte) in piece.iter().enumerate().rev() {
                if *byte == b'\n' {
                    left -= 1;
                }
                if left == 0 {
                    self.file.seek(SeekFrom::Start(start + at as u64 + 1))?;
                    return Ok(());
                }
            }
            end = start;
        }
        self.file.seek(SeekFrom::Start(0)).map(|_| ())
    }
}
