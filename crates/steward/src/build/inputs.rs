//! Whether anything that a build is made of has changed since it succeeded last.

use crate::door::{clock, files};
use crate::watch::{Listed, YOUNG, listing};
use serde::{Deserialize, Serialize};
use std::io;
use std::path::Path;
use towpath_model::run::{Build, Value};

/// What a build was made of. Sizes and times are looked at first; where they prove nothing, contents are.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Fingerprint {
    /// Of names, sizes and times. None: a file is so young that its time proves nothing.
    quick: Option<String>,
    /// Of names and contents.
    whole: String,
    /// It is as it was kept.
    #[serde(skip)]
    pub(super) is_unchanged: bool,
}

impl Fingerprint {
    /// The fingerprint of what the build would be made of now; none where it does not say what that is.
    pub(super) fn take(build: &Build, kept: &Path) -> Option<Self> {
        if build.inputs.is_empty() {
            return None;
        }
        let before: Option<Fingerprint> = files::read(kept)
            .ok()
            .and_then(|bytes| serde_json::from_slice(&bytes).ok());
        let recipe = recipe(build);
        let listed = listing(&build.inputs, Path::new(&build.dir));
        let quick = quick(&recipe, &listed);
        if let Some(before) = &before
            && quick.is_some()
            && before.quick == quick
        {
            return Some(Fingerprint {
                quick,
                whole: before.whole.clone(),
                is_unchanged: true,
            });
        }
        let whole = whole(&recipe, &listed);
        let is_unchanged = before.is_some_and(|before| before.whole == whole);
        let print = Fingerprint {
            quick,
            whole,
            is_unchanged,
        };
        if is_unchanged {
            // Only the times have changed: not kept means only that the contents are read again.
            let _ = print.keep(kept);
        }
        Some(print)
    }

    /// Keeps it.
    pub(super) fn keep(&self, at: &Path) -> io::Result<()> {
        files::write_whole(at, &serde_json::to_vec(self).map_err(io::Error::from)?)
    }
}

/// The digest of everything about a build that is no file. Values that stand in the manifest count; of other variables the
/// names do, so that nothing about a secret is kept.
fn recipe(build: &Build) -> blake3::Hasher {
    let mut hasher = blake3::Hasher::new();
    let mut put = |text: &str| {
        hasher.update(&(text.len() as u64).to_le_bytes());
        hasher.update(text.as_bytes());
    };
    put("build 1");
    put(&build.command);
    put(&build.dir);
    for (name, variable) in &build.env {
        put(name);
        if let Value::Text(text) = &variable.value {
            put(text);
        }
    }
    put("needs");
    build.needs.iter().for_each(|tool| put(tool));
    put("inputs");
    build.inputs.iter().for_each(|glob| put(glob.as_str()));
    hasher
}

fn quick(recipe: &blake3::Hasher, listed: &Listed) -> Option<String> {
    let young = clock::stamp().saturating_sub(YOUNG);
    let mut hasher = recipe.clone();
    for (path, stat) in listed {
        if stat.modified > young {
            return None;
        }
        name(&mut hasher, path);
        hasher.update(&stat.size.to_le_bytes());
        hasher.update(&stat.modified.to_le_bytes());
    }
    Some(hasher.finalize().to_hex().to_string())
}

fn whole(recipe: &blake3::Hasher, listed: &Listed) -> String {
    let mut hasher = recipe.clone();
    for (path, stat) in listed {
        name(&mut hasher, path);
        match stat.kind {
            files::Kind::Link => {
                let target = files::link(path).unwrap_or_default();
                name(&mut hasher, &target);
            }
            // A file that cannot be read is like one that is not there, until it can.
            _ => drop(files::digest(path).map(|digest| hasher.update(digest.as_bytes()).count())),
        }
    }
    hasher.finalize().to_hex().to_string()
}

fn name(hasher: &mut blake3::Hasher, path: &Path) {
    let bytes = path.as_os_str().as_encoded_bytes();
    hasher.update(&(bytes.len() as u64).to_le_bytes());
    hasher.update(bytes);
}
