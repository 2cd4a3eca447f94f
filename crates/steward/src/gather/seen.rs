//! Digests of files, and those that are known from before: by path, size, time and number.

use super::walk::Item;
use super::{Refused, gone};
use crate::door::files::{self, Stat};
use crate::door::{clock, processes};
use std::collections::{BTreeMap, HashMap};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// The file in the state folder: a line each, the path at its end.
const KEPT: &str = "hashed";

/// A file that was changed so lately may be changed again within what its time can tell, in nanoseconds.
const YOUNG: i64 = 2_000_000_000;

/// What was known of a file, and its digest.
type Known = HashMap<PathBuf, (u64, i64, u64, String)>;

/// The digests of these files, and how many had to be read. Without a state folder each is read, and nothing is kept.
pub(super) async fn digests(
    all: BTreeMap<&Path, &Item>,
    state: Option<&Path>,
) -> Result<(BTreeMap<PathBuf, String>, usize), Vec<Refused>> {
    let kept = state.map(|state| state.join(KEPT));
    let known = kept.as_deref().map(read).unwrap_or_default();
    let now = clock::stamp();
    let mut digests = BTreeMap::new();
    let mut wanted: Vec<(PathBuf, Stat)> = Vec::new();
    for (path, item) in all {
        let Item::File { stat, .. } = item else { continue };
        let is_same = |(size, modified, inode, _): &&(u64, i64, u64, String)| {
            (*size, *modified, *inode) == (stat.size, stat.modified, stat.inode)
                && stat.modified < now - YOUNG
        };
        match known.get(path).filter(is_same) {
            Some((.., digest)) => drop(digests.insert(path.to_owned(), digest.clone())),
            None => wanted.push((path.to_owned(), *stat)),
        }
    }
    let hashed = wanted.len();
    let stale = known.len() != digests.len();
    let old: Vec<(PathBuf, String)> = digests.clone().into_iter().collect();
    let new = hash(wanted).await?;
    let mut text = String::new();
    for (path, digest) in &old {
        if let Some((size, modified, inode, _)) = known.get(path) {
            line(&mut text, path, (*size, *modified, *inode), digest);
        }
    }
    for (path, stat, digest) in new {
        if stat.modified < now - YOUNG {
            line(&mut text, &path, (stat.size, stat.modified, stat.inode), &digest);
        }
        digests.insert(path, digest);
    }
    if let (Some(state), Some(kept)) = (state, kept)
        && (stale || hashed > 0)
    {
        // Not kept: it is hashed once more next time.
        let _ = files::make_private(state).and_then(|()| files::write_whole(&kept, text.as_bytes()));
    }
    Ok((digests, hashed))
}

/// Hashes files, on as many threads as there are processors.
async fn hash(wanted: Vec<(PathBuf, Stat)>) -> Result<Vec<(PathBuf, Stat, String)>, Vec<Refused>> {
    let wanted = Arc::new(wanted);
    let next = Arc::new(AtomicUsize::new(0));
    let threads = processes::processors().min(wanted.len());
    let work = (0..threads).map(|_| {
        let (wanted, next) = (Arc::clone(&wanted), Arc::clone(&next));
        tokio::task::spawn_blocking(move || {
            let (mut done, mut refused) = (Vec::new(), Vec::new());
            while let Some((path, stat)) = wanted.get(next.fetch_add(1, Ordering::Relaxed)) {
                match files::digest(path) {
                    Ok(hash) => done.push((path.clone(), *stat, hash.to_hex().to_string())),
                    Err(error) => refused.push(Refused::new(
                        format!("{} cannot be read: {error}", path.display()),
                        "let its owner release it; where it was deleted just now, call it again",
                    )),
                }
            }
            (done, refused)
        })
    });
    let (mut all, mut refused) = (Vec::with_capacity(wanted.len()), Vec::new());
    for part in futures_util::future::join_all(work).await {
        let (done, not_read) = part.map_err(|_| vec![gone()])?;
        all.extend(done);
        refused.extend(not_read);
    }
    match refused.is_empty() {
        true => Ok(all),
        false => Err(refused),
    }
}

fn line(text: &mut String, path: &Path, (size, modified, inode): (u64, i64, u64), digest: &str) {
    if let Some(path) = path.to_str().filter(|path| !path.contains('\n')) {
        let _ = writeln!(text, "{digest} {size} {modified} {inode} {path}");
    }
}

fn read(kept: &Path) -> Known {
    let text = files::read(kept).unwrap_or_default();
    let text = String::from_utf8(text).unwrap_or_default();
    let one = |line: &str| {
        let mut words = line.splitn(5, ' ');
        let digest = words.next().filter(|digest| digest.len() == 64)?.to_owned();
        let size = words.next()?.parse().ok()?;
        let modified = words.next()?.parse().ok()?;
        let inode = words.next()?.parse().ok()?;
        Some((PathBuf::from(words.next()?), (size, modified, inode, digest)))
    };
    text.lines().filter_map(one).collect()
}
