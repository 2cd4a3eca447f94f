//! What stays of a site's earlier builds: files that have a digest in their name.
//!
//! A page that somebody has open asks for parts of itself later, by names that the next build does not have any more. So when
//! a build is over, its files with a digest in their name are linked into a folder of the state, a folder a build, and are
//! answered from there when the site does not have them. A link costs nothing while both are there, and keeps the content when
//! a bundler takes the file away. (One that writes into it writes the same: that is what the digest says.)
//!
//! **When it forgets.** A day after a newer build came, and of more than five builds the oldest. A file that must not be
//! reached any more, though it was published under such a name, is reached so long; `towpath down --delete-data` ends it.
//!
//! **When it refuses.** Of a site with more than five thousand such files, or 256 MiB of them, the rest is left out.

use crate::core::{Core, Message};
use crate::door::{clock, files};
use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use towpath_edge::Answer;
use towpath_engine::Engine;
use towpath_model::unit::Name;

/// How many builds are kept.
const BUILDS: usize = 5;
/// How long a build is kept after there is a newer one, in seconds: a page that is open longer is loaded again some time.
const KEPT: i64 = 24 * 60 * 60;
/// The most files of a build, and their bytes.
const MOST: usize = 5_000;
const MOST_BYTES: u64 = 256 * 1024 * 1024;
/// Folders in folders.
const DEEPEST: usize = 16;

impl<E: Engine> Core<E> {
    /// Keeps what is there of sites now, for those who ask for it when it is not there any more.
    pub(crate) fn keep_assets(&self) {
        for (name, part) in self.tended.parts() {
            let site = part
                .component
                .as_ref()
                .and_then(|component| component.site.as_ref());
            let Some(site) = site.filter(|_| part.missing.is_none()) else {
                continue;
            };
            let (site, name, inbox) = (PathBuf::from(&site.folder), name.clone(), self.inbox.clone());
            let attic = self.config.state.join("assets").join(name.as_str());
            let now = clock::today().as_second();
            tokio::task::spawn_blocking(move || {
                static ONE_AFTER_THE_OTHER: Mutex<()> = Mutex::new(());
                let _turn = ONE_AFTER_THE_OTHER.lock().unwrap_or_else(PoisonError::into_inner);
                // Where nothing can be kept, nothing is: the site is served all the same.
                let kept = keep(&site, &attic, now).unwrap_or_default();
                // That nobody listens any more means that we are ending.
                let _ = inbox.send(Message::Kept(name, kept));
            });
        }
    }

    /// It is known where earlier assets of a site are.
    pub(crate) async fn assets_kept(&mut self, name: Name, kept: Vec<PathBuf>) {
        if self.attics.get(&name) != Some(&kept) {
            self.attics.insert(name.clone(), kept);
            self.turn_faces(vec![name]).await;
        }
    }

    /// Tells what answers for a site where its earlier assets are.
    pub(crate) fn with_former(&self, name: &Name, answer: &mut Answer) {
        if let (Answer::Files { former, .. }, Some(kept)) = (answer, self.attics.get(name)) {
            former.clone_from(kept);
        }
    }
}

/// Keeps the assets of a site beside those of earlier builds; answers the folders of all of them, the newest first.
fn keep(site: &Path, attic: &Path, now: i64) -> io::Result<Vec<PathBuf>> {
    let mut there = BTreeMap::new();
    let mut left = MOST_BYTES;
    gather(site, Path::new(""), DEEPEST, &mut left, &mut there);
    let mut builds = builds(attic);
    if !there.is_empty() && !is_same(builds.last(), &there) {
        let number = builds.last().map_or(now, |(last, _)| now.max(last + 1));
        let whole = attic.join(number.to_string());
        let beside = attic.join(format!("{number}.new"));
        files::remove_folder(&beside)?;
        for relative in there.keys() {
            let to = beside.join(relative);
            files::make_private(to.parent().unwrap_or(&beside))?;
            // One that has gone meanwhile is not kept.
            let _ = files::link_to(&site.join(relative), &to);
        }
        files::rename(&beside, &whole)?;
        builds.push((number, whole));
    }
    while builds.len() > BUILDS || builds.get(1).is_some_and(|(newer, _)| now - newer > KEPT) {
        let (_, folder) = builds.remove(0);
        files::remove_folder(&folder)?;
    }
    Ok(builds.into_iter().rev().map(|(_, folder)| folder).collect())
}

/// The builds that are kept, the oldest first, by when they came.
fn builds(attic: &Path) -> Vec<(i64, PathBuf)> {
    let names = files::list(attic).unwrap_or_default().into_iter();
    let read = |name: std::ffi::OsString| {
        let number: i64 = name.to_str()?.parse().ok()?;
        Some((number, attic.join(name)))
    };
    let mut builds: Vec<_> = names.filter_map(|(name, _)| read(name)).collect();
    builds.sort_unstable();
    builds
}

fn is_same(build: Option<&(i64, PathBuf)>, there: &BTreeMap<PathBuf, u64>) -> bool {
    let Some((_, folder)) = build else { return false };
    let mut kept = BTreeMap::new();
    gather(folder, Path::new(""), DEEPEST, &mut MOST_BYTES.clone(), &mut kept);
    kept == *there
}

/// Files with a digest in their name below a folder, with their lengths. What a link leads to is not looked at.
fn gather(root: &Path, below: &Path, deep: usize, left: &mut u64, found: &mut BTreeMap<PathBuf, u64>) {
    for (name, kind) in files::list(&root.join(below)).unwrap_or_default() {
        let relative = below.join(&name);
        match kind {
            files::Kind::Folder if deep > 0 => gather(root, &relative, deep - 1, left, found),
            files::Kind::File if name.to_str().is_some_and(towpath_edge::has_digest) => {
                let length = files::stat(&root.join(&relative)).map_or(0, |stat| stat.size);
                if found.len() < MOST && length <= *left {
                    *left -= length;
                    found.insert(relative, length);
                }
            }
            _ => {}
        }
    }
}

#[cfg(test)]
#[allow(clippy::disallowed_methods, reason = "the test makes what is kept")]
mod tests {
    use super::*;
    use std::fs;

    fn build(site: &Path, names: &[&str]) {
        let _ = fs::remove_dir_all(site);
        for name in names {
            let path = site.join(name);
            fs::create_dir_all(path.parent().expect("it is below")).expect("a folder");
            fs::write(path, name).expect("a file");
        }
    }

    fn names(folders: &[PathBuf]) -> Vec<String> {
        let name = |folder: &PathBuf| {
            folder
                .file_name()
                .and_then(|name| name.to_str())
                .map(str::to_owned)
        };
        folders.iter().filter_map(name).collect()
    }

    #[test]
    fn assets_of_earlier_builds_stay_for_a_day() {
        let folder = tempfile::tempdir().expect("a folder");
        let (site, attic) = (folder.path().join("dist"), folder.path().join("attic"));
        build(&site, &["index.html", "assets/app.4f3a2b1c.js"]);
        assert_eq!(names(&keep(&site, &attic, 1_000).expect("it is kept")), ["1000"]);
        assert_eq!(
            names(&keep(&site, &attic, 1_001).expect("it is kept")),
            ["1000"],
            "it is the same"
        );
        build(&site, &["index.html", "assets/app.9c8d7e6f.js"]);
        let kept = keep(&site, &attic, 1_001).expect("it is kept");
        assert_eq!(names(&kept), ["1001", "1000"]);
        assert_eq!(
            fs::read_to_string(kept[1].join("assets/app.4f3a2b1c.js")).expect("it is there"),
            "assets/app.4f3a2b1c.js"
        );
        assert!(
            !kept[1].join("index.html").exists(),
            "a page is the newest or none"
        );
        let later = keep(&site, &attic, 1_001 + KEPT).expect("it is kept");
        assert_eq!(names(&later), ["1001", "1000"]);
        let later = keep(&site, &attic, 1_002 + KEPT).expect("it is kept");
        assert_eq!(names(&later), ["1001"]);
    }

    #[test]
    fn only_the_newest_builds_stay() {
        let folder = tempfile::tempdir().expect("a folder");
        let (site, attic) = (folder.path().join("dist"), folder.path().join("attic"));
        for number in 0..9 {
            build(&site, &[&format!("app.4f3a2b1{number}.js")]);
            keep(&site, &attic, 1_000).expect("it is kept");
        }
        let kept = keep(&site, &attic, 1_000).expect("it is kept");
        assert_eq!(names(&kept), ["1008", "1007", "1006", "1005", "1004"]);
        assert_eq!(fs::read_dir(&attic).expect("it is there").count(), BUILDS);
        build(&site, &["index.html"]);
        assert_eq!(
            keep(&site, &attic, 1_000).expect("it is kept").len(),
            BUILDS,
            "a build without any"
        );
    }
}
