//! Files that only the person who has started us may read: they hold what is secret.
#![allow(clippy::disallowed_methods, reason = "this is the door to the file system")]

use super::files::refused;
use crate::failure::Failure;
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

/// The folder beside a manifest that everything is kept in which is not written by people.
pub(crate) const STATE: &str = ".towpath";

/// A folder of ours that nobody else writes to meanwhile.
pub(crate) struct Held {
    path: PathBuf,
    /// The lock ends with it, whatever we die of.
    folder: File,
}

/// Makes the folder that is kept for an environment, where there is none. Git is told to leave all of it alone.
pub(crate) fn make(product: &Path, environment: &str) -> Result<PathBuf, Failure> {
    let state = product.join(STATE);
    let path = state.join(environment);
    let told = |error: &io::Error| refused(&path.display().to_string(), "made", error);
    let made = DirBuilder::new().recursive(true).mode(0o700).create(&path);
    made.map_err(|error| told(&error))?;
    ignore(&state).map_err(|error| told(&error))?;
    Ok(path)
}

/// Makes the folder that is kept for an environment, and holds it until it is dropped.
pub(crate) fn hold(product: &Path, environment: &str) -> Result<Held, Failure> {
    let path = make(product, environment)?;
    let told = |error: &io::Error| refused(&path.display().to_string(), "held", error);
    let folder = File::open(&path).map_err(|error| told(&error))?;
    folder.lock().map_err(|error| told(&error))?;
    Ok(Held { path, folder })
}

fn ignore(state: &Path) -> io::Result<()> {
    let file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .open(state.join(".gitignore"));
    match file {
        Ok(mut file) => file.write_all(b"*\n"),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        Err(error) => Err(error),
    }
}

impl Held {
    /// Writes a file as a whole: whoever reads it, also after a crash, sees the old text or the new one.
    pub(crate) fn write(&self, name: &str, text: &str) -> Result<(), Failure> {
        let path = self.path.join(name);
        let beside = self.path.join(format!("{name}.tmp"));
        let written = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(true)
            .mode(0o600)
            .open(&beside)
            .and_then(|mut file| {
                // One that was left behind may have been anybody's to read.
                file.set_permissions(std::os::unix::fs::PermissionsExt::from_mode(0o600))?;
                file.write_all(text.as_bytes())?;
                file.sync_all()
            })
            .and_then(|()| fs::rename(&beside, &path))
            .and_then(|()| self.folder.sync_all());
        written.map_err(|error| {
            // What is left of a failed write helps nobody; that it cannot be removed changes nothing.
            let _ = fs::remove_file(&beside);
            refused(&path.display().to_string(), "written", &error)
        })
    }
}
