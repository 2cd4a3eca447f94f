//! What builds write: lines into a file that does not grow for ever.

use crate::door::files::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// A log that is larger makes room for a new one. The one before it is kept, so there is twice as much at most.
const LARGEST_LOG: u64 = 4 * 1024 * 1024;

/// The log of one run.
#[derive(Debug)]
pub(super) struct Log {
    path: PathBuf,
    file: Option<File>,
    size: u64,
    has_failed: bool,
}

impl Log {
    /// A new log. That of the run before is kept as `.old.log`.
    pub(super) fn begin(path: PathBuf) -> Self {
        let mut log = Log {
            path,
            file: None,
            size: 0,
            has_failed: false,
        };
        log.turn();
        log
    }

    /// Where it is.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    fn turn(&mut self) {
        self.file = None;
        self.size = 0;
        let _ = files::rename(&self.path, &self.path.with_extension("old.log"));
    }

    /// Writes a line. That it cannot be written is told once.
    pub(super) fn write(&mut self, line: &str) -> io::Result<()> {
        let written = self.try_write(line);
        let is_first = written.is_err() && !self.has_failed;
        self.has_failed |= written.is_err();
        if is_first { written } else { Ok(()) }
    }

    fn try_write(&mut self, line: &str) -> io::Result<()> {
        if self.size >= LARGEST_LOG {
            self.turn();
        }
        let file = match &mut self.file {
            Some(file) => file,
            None => {
                let (file, size) = files::append(&self.path)?;
                self.size = size;
                self.file.insert(file)
            }
        };
        self.size += line.len() as u64 + 1;
        file.write_all(format!("{line}\n").as_bytes())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_log_does_not_grow_for_ever() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("logs/web.log");
        let mut log = Log::begin(path.clone());
        let line = "x".repeat(64 * 1024);
        for _ in 0..200 {
            log.write(&line).unwrap();
        }
        let all: Vec<u64> = files::list(&folder.path().join("logs"))
            .unwrap()
            .iter()
            .map(|(name, _)| files::stat(&path.with_file_name(name)).unwrap().size)
            .collect();
        assert_eq!(all.len(), 2);
        assert!(
            all.iter().all(|size| *size < LARGEST_LOG + 2 * 64 * 1024),
            "{all:?}"
        );
    }
}
