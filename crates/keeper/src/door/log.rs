//! The file of a log: appended to, rotated, and never left with half a record.
#![allow(clippy::disallowed_methods, reason = "this is the door to the files of logs")]

use super::disk;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

/// The log of one instance.
#[derive(Debug)]
pub(crate) struct LogFile {
    path: PathBuf,
    older: PathBuf,
    /// The file with its length, once it could be opened.
    open: Option<(File, u64)>,
}

impl LogFile {
    pub(crate) fn new(path: PathBuf, older: PathBuf) -> Self {
        LogFile {
            path,
            older,
            open: None,
        }
    }

    /// Adds records, all of them or none.
    pub(crate) fn append(&mut self, records: &[u8], limit: u64) -> io::Result<()> {
        if self.open.as_ref().is_some_and(|(_, length)| *length >= limit) {
            self.open = None;
            fs::rename(&self.path, &self.older)?;
        }
        let (file, length) = match &mut self.open {
            Some(open) => open,
            closed => closed.insert(opened(&self.path)?),
        };
        if let Err(error) = file.write_all(records) {
            // What was written of them would be read as a record that it is not.
            let _ = file.set_len(*length);
            return Err(error);
        }
        *length += records.len() as u64;
        Ok(())
    }
}

fn opened(path: &Path) -> io::Result<(File, u64)> {
    if let Some(folder) = path.parent() {
        disk::make_folder(folder)?;
    }
    let mut options = OpenOptions::new();
    let file = options.append(true).create(true).mode(0o600).open(path)?;
    let length = file.metadata()?.len();
    Ok((file, length))
}
