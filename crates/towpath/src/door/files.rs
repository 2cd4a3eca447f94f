//! Files: reading manifests, and writing what a command makes.
#![allow(clippy::disallowed_methods, reason = "this is the door to the file system")]

use crate::failure::{Failure, Kind};
use std::ffi::OsStr;
use std::fs;
use std::io::{self, Read, Write};
use std::path::{Component, Path, PathBuf};
use towpath_manifest::{Sources, Unread};

/// The name of a manifest.
pub(crate) const MANIFEST: &str = "towpath.toml";

/// Where a manifest is.
#[derive(Debug, Clone)]
pub(crate) struct Place {
    /// The folder that the manifest lies in, and that its paths are relative to.
    pub(crate) folder: PathBuf,
    /// Its name from the folder that the command was started in, as it is shown.
    pub(crate) name: String,
}

impl Place {
    /// The name of a file beside the manifest, as it is shown.
    pub(crate) fn beside(&self, name: &str) -> String {
        let folder = self.name.rsplit_once('/').map(|(folder, _)| folder);
        folder.map_or_else(|| name.to_owned(), |folder| format!("{folder}/{name}"))
    }
}

/// Finds the manifest that a command is about: the file or folder that is named, or the nearest one from here upwards.
pub(crate) fn find_manifest(path: Option<&Path>) -> Result<Place, Failure> {
    match path {
        Some(path) if path.is_dir() => Ok(place(path, MANIFEST)),
        Some(path) => {
            let file = path.file_name().and_then(OsStr::to_str).unwrap_or(MANIFEST);
            let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
            Ok(place(folder.unwrap_or(Path::new(".")), file))
        }
        None => {
            let here =
                std::env::current_dir().map_err(|error| refused("the current folder", "found", &error))?;
            let mut up = String::new();
            for folder in here.ancestors() {
                if folder.join(MANIFEST).is_file() {
                    let way = if up.is_empty() { "." } else { up.as_str() };
                    return Ok(place(Path::new(way), MANIFEST));
                }
                up.push_str("../");
            }
            Err(Failure::new(
                Kind::User,
                format!("there is no {MANIFEST} here, nor in any folder above"),
            )
            .hint("`towpath init` writes one that fits what is here, or name a folder: `towpath check PATH`"))
        }
    }
}

fn place(folder: &Path, file: &str) -> Place {
    let shown = folder.to_string_lossy();
    let shown = shown.strip_prefix("./").unwrap_or(&shown).trim_end_matches('/');
    let name = match shown {
        "" if folder.is_absolute() => format!("/{file}"),
        "" | "." => file.to_owned(),
        folder => format!("{folder}/{file}"),
    };
    Place {
        folder: folder.to_path_buf(),
        name,
    }
}

/// The files in and below the folder of a product, by their names from the folder that the command was started in.
#[derive(Debug)]
pub(crate) struct Folder {
    real: PathBuf,
    /// The manifest itself, which may be a link: whoever has named it has it.
    manifest: Option<String>,
}

impl Folder {
    /// The folder of a manifest.
    pub(crate) fn new(root: &Path) -> Self {
        Folder {
            real: root.canonicalize().unwrap_or_else(|_| root.to_path_buf()),
            manifest: None,
        }
    }

    /// The folder of this manifest.
    pub(crate) fn of(place: &Place) -> Self {
        Folder {
            manifest: Some(place.name.clone()),
            ..Folder::new(&place.folder)
        }
    }
}

impl Sources for Folder {
    fn read(&self, name: &str, most: usize) -> Result<Vec<u8>, Unread> {
        let real = Path::new(name).canonicalize().map_err(|error| unread(&error))?;
        if !real.starts_with(&self.real) && self.manifest.as_deref() != Some(name) {
            return Err(Unread::Outside);
        }
        read_bounded(&real, most)
    }

    fn identity(&self, name: &str) -> String {
        let path = Path::new(name);
        whole(path).to_string_lossy().into_owned()
    }
}

/// Reads a regular file that has no more than so many bytes. A device or a pipe could go on for ever.
fn read_bounded(path: &Path, most: usize) -> Result<Vec<u8>, Unread> {
    let about = fs::metadata(path).map_err(|error| unread(&error))?;
    if about.is_dir() {
        return Err(Unread::Folder);
    }
    if !about.is_file() {
        return Err(Unread::Refused("it is not a regular file".to_owned()));
    }
    let limit = u64::try_from(most).unwrap_or(u64::MAX);
    let file = fs::File::open(path).map_err(|error| unread(&error))?;
    let mut bytes = Vec::new();
    file.take(limit.saturating_add(1))
        .read_to_end(&mut bytes)
        .map_err(|error| unread(&error))?;
    if bytes.len() > most {
        Err(Unread::TooLarge)
    } else {
        Ok(bytes)
    }
}

fn unread(error: &io::Error) -> Unread {
    match error.kind() {
        io::ErrorKind::NotFound => Unread::Missing,
        io::ErrorKind::IsADirectory => Unread::Folder,
        // Linux answers ELOOP (40) to a circle of links; the standard library has no stable name for it.
        _ if error.raw_os_error() == Some(40) => Unread::LinkLoop,
        _ => Unread::Refused(error.to_string()),
    }
}

/// A path without dots, where it does not exist and cannot be asked of the system.
fn plain(path: &Path) -> PathBuf {
    let mut plain = PathBuf::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir => {
                plain.pop();
            }
            other => plain.push(other),
        }
    }
    plain
}

/// The text of a file, or `None` where there is none.
pub(crate) fn text(path: &Path, most: usize) -> Result<Option<String>, Failure> {
    let bytes = bytes(path, most)?;
    Ok(bytes.map(|bytes| String::from_utf8_lossy(&bytes).into_owned()))
}

/// The bytes of a file that a manifest names.
pub(crate) fn beside(place: &Place, name: &str, most: usize) -> Result<Vec<u8>, Unread> {
    read_bounded(&place.folder.join(name), most)
}

/// The bytes of a file, or `None` where there is none.
pub(crate) fn bytes(path: &Path, most: usize) -> Result<Option<Vec<u8>>, Failure> {
    match read_bounded(path, most) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(Unread::Missing) => Ok(None),
        Err(unread) => Err(Failure::new(
            Kind::Remote,
            format!("{} cannot be read: {}", path.display(), said(&unread)),
        )),
    }
}

/// The digest of what stands in a file, however large it is, or `None` where there is none. It is read piece by piece.
pub(crate) fn digest(path: &Path) -> Result<Option<blake3::Hash>, Failure> {
    let about = match fs::metadata(path) {
        Ok(about) => about,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(refused(&path.display().to_string(), "read", &error)),
    };
    if !about.is_file() {
        // A device or a pipe could go on for ever.
        let message = format!("{} cannot be read: it is not a regular file", path.display());
        return Err(Failure::new(Kind::Remote, message));
    }
    let mut hasher = blake3::Hasher::new();
    let read = fs::File::open(path).and_then(|file| hasher.update_reader(file).map(|_| ()));
    read.map_err(|error| refused(&path.display().to_string(), "read", &error))?;
    Ok(Some(hasher.finalize()))
}

/// Why a file that a command is about cannot be read.
fn said(unread: &Unread) -> String {
    match unread {
        Unread::Missing => "it is not there".to_owned(),
        Unread::Folder => "it is a folder".to_owned(),
        Unread::LinkLoop => "it is a link that leads to itself".to_owned(),
        Unread::Outside => "it lies outside the folder".to_owned(),
        Unread::TooLarge => "it is too large".to_owned(),
        Unread::Refused(why) => why.clone(),
    }
}

/// Opens a file to be read beside everything else.
pub(crate) async fn open_beside(path: &Path) -> Result<tokio::fs::File, Failure> {
    tokio::fs::File::open(path)
        .await
        .map_err(|error| refused(&path.display().to_string(), "read", &error))
}

/// Whether there is a folder of that name.
pub(crate) fn is_folder(path: &Path) -> bool {
    path.is_dir()
}

/// Whether it is a link to something else.
pub(crate) fn is_link(path: &Path) -> bool {
    path.is_symlink()
}

/// The whole path of something, without links and dots.
pub(crate) fn whole(path: &Path) -> PathBuf {
    path.canonicalize().unwrap_or_else(|_| plain(path))
}

/// What a folder is called, also where it is named by dots.
pub(crate) fn folder_name(path: &Path) -> String {
    let real = path.canonicalize().unwrap_or_else(|_| path.to_path_buf());
    real.file_name()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned()
}

/// The whole path of a folder, without dots and links.
pub(crate) fn whole_folder(folder: &Path) -> Result<PathBuf, Failure> {
    let found = folder.canonicalize();
    found.map_err(|_| {
        Failure::new(Kind::User, format!("there is no folder {}", folder.display()))
            .hint("name one with a manifest in it; `towpath init` writes a first one")
    })
}

/// Whether there is something of that name, be it a link that leads nowhere.
pub(crate) fn exists(path: &Path) -> bool {
    path.symlink_metadata().is_ok()
}

/// The names in a folder, sorted; folders with a slash behind them.
pub(crate) fn names(folder: &Path) -> Vec<String> {
    let Ok(entries) = fs::read_dir(folder) else {
        return Vec::new();
    };
    let mut names: Vec<String> = entries
        .filter_map(Result::ok)
        .map(|entry| {
            let name = entry.file_name().to_string_lossy().into_owned();
            if entry.path().is_dir() {
                format!("{name}/")
            } else {
                name
            }
        })
        .collect();
    names.sort();
    names
}

/// There is something of that name, which is not ours to replace.
pub(crate) fn taken(path: &Path) -> Failure {
    Failure::new(
        Kind::User,
        format!("{} is there already and is never overwritten", path.display()),
    )
    .hint("look whether it is right: `towpath check`; or move it away first")
}

/// Writes a file that must not be there yet.
pub(crate) fn write_new(path: &Path, text: &str) -> Result<(), Failure> {
    let refused = |error: &io::Error| refused(&path.display().to_string(), "written", error);
    let opened = fs::OpenOptions::new().write(true).create_new(true).open(path);
    let mut file = match opened {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => return Err(taken(path)),
        Err(error) => return Err(refused(&error)),
    };
    let written = file.write_all(text.as_bytes()).and_then(|()| file.sync_all());
    written.map_err(|error| {
        // Half a file would stand in the way of the next try; that it cannot be removed changes nothing.
        let _ = fs::remove_file(path);
        refused(&error)
    })
}

/// Replaces a file as a whole: whoever reads it sees the old text or the new one.
pub(crate) fn replace(path: &Path, text: &str) -> Result<(), Failure> {
    let mut name = path.file_name().unwrap_or_default().to_os_string();
    name.push(format!(".{}.tmp", std::process::id()));
    let beside = path.with_file_name(name);
    let written = fs::File::create(&beside)
        .and_then(|mut file| file.write_all(text.as_bytes()).and_then(|()| file.sync_all()))
        .and_then(|()| fs::rename(&beside, path));
    written.map_err(|error| {
        // What is left of a failed write helps nobody; that it cannot be removed changes nothing.
        let _ = fs::remove_file(&beside);
        refused(&path.display().to_string(), "written", &error)
    })
}

/// Replaces a file as a whole, and makes the folders above it that are not there yet.
pub(crate) fn replace_within(path: &Path, text: &str) -> Result<(), Failure> {
    let folder = path.parent().unwrap_or(Path::new("."));
    fs::create_dir_all(folder).map_err(|error| refused(&folder.display().to_string(), "made", &error))?;
    replace(path, text)
}

/// The way from a folder down to another one, with slashes; empty where they are the same, or it does not lie below.
pub(crate) fn way_down(from: &Path, to: &Path) -> String {
    let (from, to) = (whole(from), whole(to));
    let parts = to.strip_prefix(from).unwrap_or(Path::new("")).components();
    let parts: Vec<_> = parts.map(|part| part.as_os_str().to_string_lossy()).collect();
    parts.join("/")
}

/// The root of the repository that a folder is a part of, where it is not the root itself.
pub(crate) fn repository(folder: &Path) -> Option<PathBuf> {
    let real = whole(folder);
    let root = real.ancestors().find(|folder| folder.join(".git").exists())?;
    (root != real).then(|| root.to_path_buf())
}

pub(super) fn refused(what: &str, verb: &str, error: &io::Error) -> Failure {
    Failure::new(Kind::Remote, format!("{what} cannot be {verb}: {error}"))
}
