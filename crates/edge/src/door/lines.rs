//! The door to files of lines: appended to, rotated, and never left with half a line.
#![allow(clippy::disallowed_methods, reason = "this is the door to files of lines")]

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

/// A file is put aside when it is as long as this, in place of the one that was put aside before: as the logs of instances.
const LONGEST: u64 = 8 * 1024 * 1024;

/// A file of lines. Several processes may write to one: while an edge is followed by another one, both do. Whoever writes
/// holds the file for as long as that takes; so lines stay whole, and only one of them puts the file aside.
#[derive(Debug)]
pub(crate) struct LinesFile {
    path: PathBuf,
    /// The file, once it could be opened.
    open: Option<File>,
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
        // Somebody else may have put the file aside, or deleted it, while it was waited for.
        for _ in 0..TRIES {
            let file = match self.open.take() {
                Some(file) => file,
                None => opened(&self.path)?,
            };
            file.lock()?;
            let length = match (is_at(&self.path, &file)?, file.metadata()?.len()) {
                (true, length) if length < LONGEST => length,
                (true, _) => {
                    let mut older = self.path.clone().into_os_string();
                    older.push(".1");
                    fs::rename(&self.path, older)?;
                    continue;
                }
                (false, _) => continue,
            };
            let written = (&file).write_all(lines);
            if written.is_err() {
                // What was written of them would be read as a line that it is not.
                let _ = file.set_len(length);
            }
            let _ = file.unlock();
            self.open = Some(file);
            return written;
        }
        Err(io::Error::other("somebody else puts it aside again and again"))
    }
}

/// How often a file is opened anew that somebody else has put aside.
const TRIES: u32 = 10;

/// Whether the file at a path is this one.
fn is_at(path: &Path, file: &File) -> io::Result<bool> {
    let here = file.metadata()?;
    match fs::metadata(path) {
        Ok(there) => Ok((here.dev(), here.ino()) == (there.dev(), there.ino())),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}

fn opened(path: &Path) -> io::Result<File> {
    if let Some(folder) = path.parent() {
        fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    }
    let mut options = OpenOptions::new();
    options.append(true).create(true).mode(0o600).open(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_who_write_put_the_file_aside_once_and_every_line_is_whole() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("requests.log");
        let line = |who: usize, turn: usize| format!("{who} {turn} {}\n", "x".repeat(64 * 1024));
        let count = usize::try_from(LONGEST).expect("it fits") / (64 * 1024) * 3 / 4;
        std::thread::scope(|scope| {
            for who in 0..2 {
                let path = path.clone();
                scope.spawn(move || {
                    let mut file = LinesFile::new(path);
                    for turn in 0..count {
                        file.append(line(who, turn).as_bytes())
                            .expect("it can be written");
                    }
                });
            }
        });
        let older = fs::read_to_string(folder.path().join("requests.log.1")).expect("it was put aside");
        let newer = fs::read_to_string(&path).expect("it is there");
        let mut all: Vec<&str> = older.lines().chain(newer.lines()).collect();
        assert!(older.len() as u64 >= LONGEST && !newer.is_empty());
        let mut wanted: Vec<String> = (0..2)
            .flat_map(|who| (0..count).map(move |turn| line(who, turn).trim_end().to_owned()))
            .collect();
        all.sort_unstable();
        wanted.sort_unstable();
        assert!(all == wanted, "a line is missing or torn");
    }

    #[test]
    fn a_file_that_was_deleted_is_made_anew() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("requests.log");
        let mut file = LinesFile::new(path.clone());
        file.append(b"one\n").expect("it can be written");
        fs::remove_file(&path).expect("it is there");
        file.append(b"two\n").expect("it can be written");
        assert_eq!(fs::read_to_string(&path).expect("it is there"), "two\n");
    }
}
