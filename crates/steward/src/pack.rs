//! Packing an extension: its folder becomes a zip, and the same folder becomes the same bytes.
//!
//! A store shows reviewers what it was given, and people compare what they have built with what was published. So nothing
//! gets into the zip but names and contents: names are sorted, with forward slashes and without the folder's own path; every
//! time is the beginning of 1980, the first that a zip knows; every file may be read by all and written by its owner; the way
//! of compressing is fixed. What systems leave lying (`.DS_Store`) stays out, source maps stay in, since reviewers ask
//! for them. A link is followed as long as it stays inside the folder; one that leads out would pack what nobody has looked at.

mod manifest;
#[cfg(test)]
mod tests;

use crate::door::files::{self, Kind};
use std::io::{self, Cursor, Write};
use std::path::{Path, PathBuf};
use towpath_model::run::Pack;
use towpath_model::unit::Name;
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, DateTime, System, ZipWriter};

/// What is never packed.
const LEFT_OUT: &[&str] = &[
    ".DS_Store",
    ".git",
    ".towpath",
    "Thumbs.db",
    "__MACOSX",
    "desktop.ini",
];

/// More than this is no extension: the stores take 200 MB at most, packed.
const MOST_BYTES: u64 = 1024 * 1024 * 1024;

/// A packed extension.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Packed {
    /// The zip.
    pub path: PathBuf,
    /// The version that its manifest says.
    pub version: String,
    /// How many bytes the zip has.
    pub size: u64,
    /// The digest of the zip.
    pub digest: String,
    /// How many files are in it.
    pub files: usize,
    /// It is not what was packed before.
    pub is_new: bool,
}

/// Why an extension was not packed. The text says what to do next, on its own line.
#[derive(Debug, thiserror::Error)]
pub enum PackError {
    /// There is no folder, or no `manifest.json` in it.
    #[error("there is no {missing} to pack\n{next}")]
    Missing {
        /// What is not there.
        missing: String,
        /// What to do.
        next: String,
    },
    /// What `manifest.json` says is no extension.
    #[error("{path} {wrong}\n{next}")]
    Manifest {
        /// The file.
        path: String,
        /// What is wrong in it.
        wrong: String,
        /// What to do.
        next: String,
    },
    /// Something in the folder cannot be packed.
    #[error("{path} {wrong}\n{next}")]
    Refused {
        /// What it is.
        path: String,
        /// Why.
        wrong: String,
        /// What to do.
        next: String,
    },
    /// The system refused.
    #[error("{path} cannot be {doing}")]
    System {
        /// What was being done.
        doing: &'static str,
        /// What it was done to.
        path: String,
        /// Why.
        #[source]
        source: io::Error,
    },
}

/// Packs an extension into `<out>/<name>-<version>.zip`, which is there whole or not at all.
pub fn pack(name: &Name, pack: &Pack, out: &Path) -> Result<Packed, PackError> {
    let folder = Path::new(&pack.folder);
    let version = manifest::version(folder, pack.policy.as_deref())?;
    let listed = listed(folder)?;
    let bytes = zipped(&listed)?;
    let path = out.join(format!("{name}-{version}.zip"));
    let is_new = files::read(&path).ok().as_ref() != Some(&bytes);
    if is_new {
        files::write_whole(&path, &bytes).map_err(|source| system("written", &path, source))?;
    }
    Ok(Packed {
        is_new,
        version,
        size: bytes.len() as u64,
        digest: blake3::hash(&bytes).to_hex().to_string(),
        files: listed.len(),
        path,
    })
}

/// A file of the extension: its name in the zip, and where it lies.
type Listed = Vec<(String, PathBuf)>;

/// Everything that is packed, in the order of the names.
fn listed(top: &Path) -> Result<Listed, PackError> {
    let real = files::real(top).map_err(|source| system("read", top, source))?;
    let mut listed = Listed::new();
    let mut size = 0;
    let mut left = vec![(String::new(), top.to_owned())];
    while let Some((before, folder)) = left.pop() {
        let names = files::list(&folder).map_err(|source| system("read", &folder, source))?;
        for (name, kind) in names {
            let path = folder.join(&name);
            let Some(name) = name.to_str() else {
                return Err(refused(
                    &path,
                    "has a name that is no text",
                    "give it another name",
                ));
            };
            if LEFT_OUT.contains(&name) {
                continue;
            }
            let inside = format!("{before}{name}");
            match kind {
                Kind::Folder => left.push((format!("{inside}/"), path)),
                Kind::File => {
                    size += files::stat(&path).map_or(0, |stat| stat.size);
                    listed.push((inside, path));
                }
                Kind::Link => listed.push((inside, linked(&real, &path)?)),
                Kind::Other => {
                    return Err(refused(
                        &path,
                        "is no file",
                        "delete it, or build into another folder",
                    ));
                }
            }
        }
    }
    if size > MOST_BYTES {
        let wrong = format!("holds {} MiB", size / 1024 / 1024);
        return Err(refused(
            top,
            &wrong,
            "let `files` name the folder that the build writes, and nothing else",
        ));
    }
    listed.sort();
    Ok(listed)
}

/// What a link leads to, if that is a file of the same folder.
fn linked(top: &Path, link: &Path) -> Result<PathBuf, PackError> {
    let target = files::real(link).map_err(|_| {
        refused(
            link,
            "is a link that leads nowhere",
            "delete it, or put the file in its place",
        )
    })?;
    if !target.starts_with(top) {
        return Err(refused(
            link,
            "is a link that leads out of the folder",
            "let the build copy the file in its place",
        ));
    }
    match files::stat(&target) {
        Some(stat) if stat.kind == Kind::File => Ok(target),
        _ => Err(refused(
            link,
            "is a link to a folder",
            "let the build copy the files in its place",
        )),
    }
}

/// The zip of these files.
fn zipped(listed: &Listed) -> Result<Vec<u8>, PackError> {
    let options = SimpleFileOptions::default()
        .compression_method(CompressionMethod::Deflated)
        .compression_level(Some(9))
        .last_modified_time(DateTime::default())
        .system(System::Unix)
        .unix_permissions(0o644);
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, path) in listed {
        let bytes = files::read(path).map_err(|source| system("read", path, source))?;
        let begun = zip.start_file(name.as_str(), options).map_err(io::Error::from);
        let written = begun.and_then(|()| zip.write_all(&bytes));
        written.map_err(|source| system("packed", path, source))?;
    }
    let done = zip.finish().map_err(io::Error::from);
    Ok(done
        .map_err(|source| system("packed", Path::new("the zip"), source))?
        .into_inner())
}

fn refused(path: &Path, wrong: &str, next: &str) -> PackError {
    PackError::Refused {
        path: path.display().to_string(),
        wrong: wrong.to_owned(),
        next: next.to_owned(),
    }
}

fn system(doing: &'static str, path: &Path, source: io::Error) -> PackError {
    PackError::System {
        doing,
        path: path.display().to_string(),
        source,
    }
}
