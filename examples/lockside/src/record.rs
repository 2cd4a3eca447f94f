//! The record: the canal in a file, which all instances of the service share.
//!
//! Whoever changes it holds a lock on a file beside it, writes all of it anew and renames it: an instance that is killed
//! in the middle leaves the old one or the new one, never half of one.

use crate::flight::Flight;
use crate::{clock, setting};
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

/// Where the canal is kept.
pub(crate) struct Record {
    folder: PathBuf,
    pub(crate) pace: u64,
}

impl Record {
    /// Opens it in the folder that the environment names.
    pub(crate) fn open() -> Result<Record, String> {
        let folder = setting::state_folder()?;
        fs::create_dir_all(&folder).map_err(|why| format!("{}: {why}", folder.display()))?;
        Ok(Record {
            folder,
            pace: setting::pace()?,
        })
    }

    /// The canal as it is now.
    pub(crate) fn look(&self) -> io::Result<Flight> {
        let mut flight = read(&self.folder.join("canal"))?;
        flight.settle(clock::now(), self.pace);
        Ok(flight)
    }

    /// Changes the canal.
    pub(crate) fn change<T>(&self, change: impl FnOnce(&mut Flight, u64) -> T) -> io::Result<T> {
        let turn = File::create(self.folder.join("turn"))?;
        turn.lock()?;
        let file = self.folder.join("canal");
        let mut flight = read(&file)?;
        let now = clock::now();
        flight.settle(now, self.pace);
        let answer = change(&mut flight, now);
        let new = self.folder.join("canal.new");
        fs::write(&new, flight.text())?;
        fs::rename(&new, &file)?;
        Ok(answer)
    }
}

fn read(file: &Path) -> io::Result<Flight> {
    match fs::read_to_string(file) {
        Ok(text) => Ok(Flight::read(&text)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Flight::default()),
        Err(error) => Err(error),
    }
}
