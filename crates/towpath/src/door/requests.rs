//! The log of requests, read while it is written and put aside.
#![allow(
    clippy::disallowed_methods,
    reason = "this is the door to the log of requests"
)]

use std::fs::{self, File};
use std::io::{self, Read};
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;

/// The lines of the log of requests.
#[derive(Debug)]
pub(crate) struct RequestLines {
    path: PathBuf,
    /// The file that is read, once it is there, and the beginning of a line whose end has not come.
    open: Option<File>,
    begun: Vec<u8>,
}

impl RequestLines {
    /// Of the log at this path.
    pub(crate) fn open(path: PathBuf) -> Self {
        RequestLines {
            path,
            open: None,
            begun: Vec::new(),
        }
    }

    /// Everything that there is: what was put aside, and what was written since.
    pub(crate) fn older_and_more(&mut self) -> io::Result<Vec<String>> {
        let mut older = self.path.clone().into_os_string();
        older.push(".1");
        match fs::read(older) {
            Ok(bytes) => self.begun = bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
        self.more()
    }

    /// What has come since it was read last.
    pub(crate) fn more(&mut self) -> io::Result<Vec<String>> {
        if let Some(file) = &mut self.open {
            file.read_to_end(&mut self.begun)?;
        }
        let there = match fs::metadata(&self.path) {
            Ok(about) => Some((about.dev(), about.ino())),
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(error) => return Err(error),
        };
        let ours = match &self.open {
            Some(file) => Some(file.metadata().map(|about| (about.dev(), about.ino()))?),
            None => None,
        };
        if there.is_some() && there != ours {
            let mut file = File::open(&self.path)?;
            file.read_to_end(&mut self.begun)?;
            self.open = Some(file);
        }
        let whole = self.begun.iter().rposition(|byte| *byte == b'\n');
        let whole: Vec<u8> = self.begun.drain(..whole.map_or(0, |end| end + 1)).collect();
        let text = String::from_utf8_lossy(&whole);
        Ok(text.lines().map(str::to_owned).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    #[test]
    fn lines_are_read_once_and_whole_also_when_the_file_is_put_aside_meanwhile() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("requests.log");
        let older = folder.path().join("requests.log.1");
        let mut lines = RequestLines::open(path.clone());
        assert!(lines.older_and_more().expect("it is read").is_empty());
        fs::write(&older, "a\n").expect("it is written");
        fs::write(&path, "b\nhal").expect("it is written");
        assert_eq!(lines.older_and_more().expect("it is read"), ["a", "b"]);
        let mut file = File::options().append(true).open(&path).expect("it is there");
        file.write_all(b"f\nlast\n").expect("it is written");
        fs::rename(&path, &older).expect("it is put aside");
        fs::write(&path, "new\n").expect("it is written");
        assert_eq!(lines.more().expect("it is read"), ["half", "last", "new"]);
        assert!(lines.more().expect("it is read").is_empty());
    }
}
