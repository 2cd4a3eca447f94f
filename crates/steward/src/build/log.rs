//! What builds write: bytes into lines, and lines into a file that does not grow for ever.

use crate::door::files::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// A line that is longer is cut into several: something that writes no ends of lines must not fill the memory.
const LONGEST_LINE: usize = 64 * 1024;

/// A log that is larger makes room for a new one. The one before it is kept, so there is twice as much at most.
const LARGEST_LOG: u64 = 4 * 1024 * 1024;

/// Bytes on their way to lines.
#[derive(Debug, Default)]
pub(super) struct Lines {
    rest: Vec<u8>,
}

impl Lines {
    /// Takes bytes, and says each line that ends in them.
    pub(super) fn take(&mut self, bytes: &[u8], mut say: impl FnMut(&str)) {
        for part in bytes.split_inclusive(|byte| *byte == b'\n') {
            self.rest.extend_from_slice(part);
            if part.ends_with(b"\n") || self.rest.len() >= LONGEST_LINE {
                self.end(&mut say);
            }
        }
    }

    /// Says what is left at the end.
    pub(super) fn end(&mut self, mut say: impl FnMut(&str)) {
        if !self.rest.is_empty() {
            let text = String::from_utf8_lossy(&self.rest);
            let line = text.trim_end_matches(['\n', '\r']);
            // A bar of progress writes itself over and over; what stands there in the end is its line.
            say(line.rsplit('\r').next().unwrap_or(line));
            self.rest.clear();
        }
    }
}

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

    fn lines(parts: &[&[u8]]) -> Vec<String> {
        let mut said = Vec::new();
        let mut lines = Lines::default();
        for part in parts {
            lines.take(part, |line| said.push(line.to_owned()));
        }
        lines.end(|line| said.push(line.to_owned()));
        said
    }

    #[test]
    fn bytes_become_lines_wherever_they_are_cut() {
        assert_eq!(lines(&[b"a\nb", b"c\r\n\nd"]), ["a", "bc", "", "d"]);
        assert_eq!(lines(&[b"10 %\r50 %\r100 %\n"]), ["100 %"]);
        assert_eq!(lines(&[b"\xff\n"]), ["\u{fffd}"]);
        assert_eq!(
            lines(&[&[b'x'; 3 * LONGEST_LINE]]).len(),
            1,
            "one read is never that long"
        );
        assert_eq!(lines(&[&[b'x'; LONGEST_LINE], b"y\n"]).len(), 2);
    }

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
