//! The door to the file with the key of this machine, and to that with a passphrase.
#![allow(clippy::disallowed_methods, reason = "this is the door to the files of keys")]

use rustix::fs::{CWD, RenameFlags, renameat_with};
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::Path;
use zeroize::Zeroizing;

/// A file with a key or a passphrase in it is at most so long.
const LONGEST: u64 = 16 << 10;

/// What stands in a file of which nobody else may know.
#[derive(Debug)]
pub(crate) enum Found {
    /// This.
    Text(Zeroizing<String>),
    /// There is no such file.
    Nothing,
    /// Others than its owner may read it.
    Open,
}

/// Reads a file of which only its owner may know.
pub(crate) fn read_closed(path: &Path) -> io::Result<Found> {
    match File::open(path) {
        Err(why) if why.kind() == io::ErrorKind::NotFound => Ok(Found::Nothing),
        Err(why) => Err(why),
        Ok(file) if file.metadata()?.permissions().mode() & 0o077 != 0 => Ok(Found::Open),
        Ok(file) => Ok(Found::Text(text_of(file)?)),
    }
}

/// Reads a file whoever else may: what the system hands over as a credential is closed by its folder.
pub(crate) fn read(path: &Path) -> io::Result<Zeroizing<String>> {
    text_of(File::open(path)?)
}

fn text_of(file: File) -> io::Result<Zeroizing<String>> {
    let mut text = Zeroizing::new(String::new());
    file.take(LONGEST).read_to_string(&mut text)?;
    Ok(text)
}

/// Makes a file of which only its owner may know, unless somebody else has made it first. It is whole and on the disk when this
/// has come back, for what is sealed with it is lost without it.
pub(crate) fn make_closed(path: &Path, text: &str) -> io::Result<()> {
    let folder = path.parent().unwrap_or(Path::new("/"));
    DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    let mut name = path.file_name().unwrap_or_default().to_os_string();
    name.push(format!(".{}.tmp", std::process::id()));
    let beside = path.with_file_name(name);
    // One that somebody has left behind who was killed is nobody's key.
    let _ = fs::remove_file(&beside);
    let written = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(&beside)
        .and_then(|mut file| file.write_all(text.as_bytes()).and_then(|()| file.sync_all()))
        .and_then(|()| Ok(renameat_with(CWD, &beside, CWD, path, RenameFlags::NOREPLACE)?));
    match written {
        Ok(()) => File::open(folder)?.sync_all(),
        Err(why) => {
            let _ = fs::remove_file(&beside);
            if why.kind() == io::ErrorKind::AlreadyExists {
                return Ok(());
            }
            Err(why)
        }
    }
}
