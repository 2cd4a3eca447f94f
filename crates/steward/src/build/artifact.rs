//! What a build has made, so far as one can know it: whether what runs has to be started again.

use crate::door::files::{self, Kind};
use std::io::Read;
use std::path::{Path, PathBuf};
use towpath_model::run::Component;

/// How every executable of Linux begins.
const EXECUTABLE: &[u8; 4] = b"\x7fELF";

/// The digest of what a component runs, serves or packs; none where that cannot be known, and the component has to be
/// restarted after each build.
///
/// It is known for folders, which are listed and read, and for an executable that the command begins with and that lies
/// below the folder of the product. It is not known for a script or an interpreter: what these read is up to them.
pub fn artifact(component: &Component, folder: &Path) -> Option<String> {
    let mut hasher = blake3::Hasher::new();
    if let Some(command) = &component.command {
        let path = program(command, Path::new(&component.dir), folder)?;
        if !is_executable(&path) {
            return None;
        }
        hasher.update(files::digest(&path).ok()?.as_bytes());
    }
    let folders = folders(component);
    if component.command.is_none() && folders.is_empty() {
        return None;
    }
    for top in folders {
        for (path, digest) in contents(&top)? {
            let name = path.as_os_str().as_encoded_bytes();
            hasher
                .update(&(name.len() as u64).to_le_bytes())
                .update(name)
                .update(digest.as_bytes());
        }
    }
    Some(hasher.finalize().to_hex().to_string())
}

/// What a component needs from its build: its executable, where the command names one by its path, and its folders.
pub fn outputs(component: &Component, folder: &Path) -> Vec<PathBuf> {
    let program = component
        .command
        .as_deref()
        .and_then(|command| program(command, Path::new(&component.dir), folder));
    program.into_iter().chain(folders(component)).collect()
}

fn folders(component: &Component) -> Vec<PathBuf> {
    let site = component.site.iter().map(|site| PathBuf::from(&site.folder));
    site.chain(component.pack.iter().map(|pack| PathBuf::from(&pack.folder)))
        .collect()
}

/// The program that a command begins with, where it is named by a path below the folder.
fn program(command: &str, dir: &Path, folder: &Path) -> Option<PathBuf> {
    let found = towpath_decide::launch::program(command, dir.to_str()?)?;
    Some(PathBuf::from(found.path)).filter(|path| path.starts_with(folder))
}

/// Whether a file is a program that needs nothing to be read by.
pub(crate) fn is_executable(path: &Path) -> bool {
    let mut begin = [0; 4];
    let read = files::open(path).and_then(|mut file| file.read_exact(&mut begin));
    read.is_ok() && begin == *EXECUTABLE
}

/// Every file below a folder, by its name there, with its digest; none where the folder is not there.
fn contents(top: &Path) -> Option<Vec<(PathBuf, blake3::Hash)>> {
    let mut contents = Vec::new();
    let mut left = vec![top.to_owned()];
    while let Some(folder) = left.pop() {
        for (name, kind) in files::list(&folder).ok()? {
            let path = folder.join(name);
            if kind == Kind::Folder {
                left.push(path);
            } else if let (Ok(digest), Ok(name)) = (files::digest(&path), path.strip_prefix(top)) {
                contents.push((name.to_owned(), digest));
            }
        }
    }
    contents.sort_by(|a, b| a.0.cmp(&b.0));
    Some(contents)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_names_its_program_by_a_path_below_the_folder() {
        let of = |command: &str| program(command, Path::new("/p/api"), Path::new("/p"));
        for command in [
            "../target/release/api --x",
            "A=1 exec ../target/release/api",
            "/p/target/release/api",
        ] {
            assert_eq!(of(command), Some("/p/target/release/api".into()), "{command}");
        }
        for command in [
            "python -m api",
            "/usr/bin/node x",
            "../../q/api",
            "\"../a b\"",
            "$BIN/api",
            "",
        ] {
            assert_eq!(of(command), None, "{command}");
        }
    }
}
