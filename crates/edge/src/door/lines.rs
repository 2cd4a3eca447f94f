//! The door to files of lines: appended to, rotated, and never left with half a line.
#![allow(clippy::disallowed_methods, reason = "this is the door to files of lines")]

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::PathBuf;

/// A file is put aside when it is as long as this, in place of the one that was put aside before: as the logs of instances.
const LONGEST: u64 = 8 * 1024 * 1024;

/// A file of lines.
#[derive(Debug)]
pub(crate) struct LinesFile {
    path: PathBuf,
    /// The file with its length, once it could be opened.
    open: Option<(File, u64)>,
}

impl LinesFile {
    pub(crate) fn new(path: PathBuf) -> LinesFile {
        LinesFile { path, open: None }
    }

    /// Adds lines, all of them or none.
    pub(crate) fn append(&mut self, lines: &[u8]) -> io::Result<()> {
        if lines.is_empty() {
            return Ok(());
        }
        if self.open.as_ref().is_some_and(|(_, length)| *length >= LONGEST) {
            self.open = None;
            let mut older = self.path.clone().into_os_string();
            older.push(".1");
            fs::rename(&self.path, older)?;
        }
        let (file, length) = match &mut self.open {
            Some(open) => open,
            closed => closed.insert(opened(&self.path)?),
        };
        if let Err(error) = file.write_all(lines) {
            // What was written of them would be read as a line that it is not.
            let _ = file.set_len(*length);
            return Err(error);
        }
        *length += lines.len() as u64;
        Ok(())
    }
}

fn opened(path: &std::path::Path) -> io::Result<(File, u64)> {
    if let Some(folder) = path.parent() {
        fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    }
    let mut options = OpenOptions::new();
    let file = options.append(true).create(true).mode(0o600).open(path)?;
    let length = file.metadata()?.len();
    Ok((file, length))
}
