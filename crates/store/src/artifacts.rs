//! Artifacts: the files that releases are made of, by what stands in them, and the folders that are made of those.
//!
//! A file is named by the digest of what stands in it, so that what is the same is there once, and nobody can put anything
//! else under its name. A folder is laid out as copies: whoever runs in it may write into its files, and the content stays
//! what its name says. What is asked about or put is not swept away for a while, because whoever makes a release brings its
//! files first and names them afterwards.

mod place;

use crate::StoreError;
use crate::door::content::{self, Piece, Unmade, Writing};
use jiff::Timestamp;
use std::collections::BTreeSet;
use std::io;
use std::path::{Path, PathBuf};
use std::time::SystemTime;
use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::task::spawn_blocking;
use towpath_model::run::{Entry, Tree};

/// A file is at most so large. The largest that people put beside their code are models and databases of places, of a few
/// gigabytes; what is larger belongs into a bucket, where it is not copied for each release.
const LARGEST: u64 = 8 << 30;

/// So much is read at once: small beside what a machine has, large beside what a call costs.
const CHUNK: usize = 256 << 10;

/// The artifacts in a folder.
#[derive(Debug, Clone)]
pub struct Artifacts {
    folder: PathBuf,
    largest: u64,
}

/// A file that is coming. One that nobody ends has never been there.
#[derive(Debug)]
pub struct Coming {
    digest: String,
    name: PathBuf,
    folder: String,
    largest: u64,
    /// Taken out while a chunk of it is written.
    written: Option<Half>,
}

/// What is there of it.
#[derive(Debug)]
struct Half {
    writing: Writing,
    hasher: blake3::Hasher,
    bytes: u64,
}

impl Artifacts {
    /// Those in this folder, which nobody else uses. It is made when something is put; what somebody has left half done who
    /// was killed is taken away.
    pub fn open(folder: &Path) -> Self {
        let artifacts = Artifacts {
            folder: folder.to_path_buf(),
            largest: LARGEST,
        };
        content::sweep_nameless(&artifacts.coming());
        artifacts
    }

    /// The same, where a file is at most so large.
    #[must_use]
    pub fn with_largest(mut self, largest: u64) -> Self {
        self.largest = largest;
        self
    }

    /// Those of these digests that are not there, each once, in their order. The others stay for a while.
    pub async fn missing(&self, digests: &[String]) -> Vec<String> {
        let (artifacts, digests) = (self.clone(), digests.to_vec());
        let look = move || {
            let mut seen = BTreeSet::new();
            digests
                .into_iter()
                .filter(|digest| seen.insert(digest.clone()))
                .filter(|digest| !artifacts.file(digest).is_ok_and(|name| content::touch(&name)))
                .collect()
        };
        undisturbed(look).await
    }

    /// Puts a file there, of which this is the content. It is there when this has come back, even when we are killed.
    pub async fn put(&self, digest: &str, mut from: impl AsyncRead + Unpin) -> Result<(), StoreError> {
        let mut coming = self.begin(digest).await?;
        loop {
            let mut chunk = Vec::with_capacity(CHUNK);
            let read = from.read_buf(&mut chunk).await;
            if read.map_err(|why| self.refused("reading what comes", why))? == 0 {
                return coming.end().await;
            }
            coming.more(chunk).await?;
        }
    }

    /// Begins to put a file there that comes in pieces.
    pub async fn begin(&self, digest: &str) -> Result<Coming, StoreError> {
        let name = self.file(digest)?;
        let coming = self.coming();
        let begun = undisturbed(move || Writing::begin(&coming)).await;
        let writing = begun.map_err(|why| self.refused("beginning a file", why))?;
        Ok(Coming {
            digest: digest.to_owned(),
            name,
            folder: self.named(),
            largest: self.largest,
            written: Some(Half {
                writing,
                hasher: blake3::Hasher::new(),
                bytes: 0,
            }),
        })
    }

    /// The folder that is made of a tree, which is made where it is not there yet. All of its files have to be there.
    pub async fn lay_out(&self, name: &str, tree: &Tree) -> Result<PathBuf, StoreError> {
        let to = self.laid_out(name)?;
        let (artifacts, tree) = (self.clone(), tree.clone());
        undisturbed(move || artifacts.make(to, &tree)).await
    }

    /// Where a tree of this name is laid out, or will be.
    pub fn laid_out(&self, name: &str) -> Result<PathBuf, StoreError> {
        place::name(name)?;
        Ok(self.trees().join(name))
    }

    fn make(&self, to: PathBuf, tree: &Tree) -> Result<PathBuf, StoreError> {
        place::check(tree)?;
        if content::is_there(&to) {
            return Ok(to);
        }
        let mut pieces = Vec::with_capacity(tree.entries.len());
        for (path, entry) in &tree.entries {
            let piece = match entry {
                Entry::Link(target) => Piece::Link(target.clone()),
                Entry::File { digest, bytes, runs } => Piece::Copy {
                    from: self.file(digest)?,
                    bytes: *bytes,
                    runs: *runs,
                },
            };
            pieces.push((path.as_str(), piece));
        }
        match content::make(&self.coming(), &pieces, &to) {
            Ok(()) => Ok(to),
            Err(Unmade::Refused(why)) => Err(self.refused("laying out a tree", why)),
            Err(Unmade::Absent(file)) => Err(StoreError::Absent {
                path: self.path_of(tree, &file),
                tree: to.display().to_string(),
            }),
        }
    }

    /// Where a file is wanted whose content is not there.
    fn path_of(&self, tree: &Tree, file: &Path) -> String {
        let wants = |entry: &Entry| match entry {
            Entry::File { digest, .. } => self.file(digest).is_ok_and(|name| name == file),
            Entry::Link(_) => false,
        };
        let mut entries = tree.entries.iter();
        let found = entries.find(|(_, entry)| wants(entry));
        found.map_or_else(|| file.display().to_string(), |(path, _)| path.clone())
    }

    /// Takes away all other trees and files, but for those that were made, put or asked about since then: somebody may be
    /// about to name them.
    pub async fn sweep(
        &self,
        trees: BTreeSet<String>,
        files: BTreeSet<String>,
        since: Timestamp,
    ) -> Result<(), StoreError> {
        let artifacts = self.clone();
        let swept = undisturbed(move || artifacts.take_away(&trees, &files, since.into())).await;
        swept.map_err(|why| self.refused("taking away what is not wanted any more", why))
    }

    fn take_away(
        &self,
        trees: &BTreeSet<String>,
        files: &BTreeSet<String>,
        since: SystemTime,
    ) -> io::Result<()> {
        let (coming, folder) = (self.coming(), self.trees());
        for name in content::unwanted_since(&folder, since)? {
            if !trees.contains(&name) {
                content::take_away(&coming, &folder.join(name))?;
            }
        }
        for first in content::names(&self.files())? {
            let folder = self.files().join(&first);
            for rest in content::unwanted_since(&folder, since)? {
                if !files.contains(&format!("{first}{rest}")) {
                    content::take_away(&coming, &folder.join(rest))?;
                }
            }
        }
        Ok(())
    }

    /// Where the content of this digest stands.
    fn file(&self, digest: &str) -> Result<PathBuf, StoreError> {
        place::digest(digest)?;
        let (first, rest) = digest.split_at(2);
        Ok(self.files().join(first).join(rest))
    }

    fn files(&self) -> PathBuf {
        self.folder.join("files")
    }

    fn trees(&self) -> PathBuf {
        self.folder.join("trees")
    }

    fn coming(&self) -> PathBuf {
        self.folder.join("coming")
    }

    fn named(&self) -> String {
        self.folder.display().to_string()
    }

    fn refused(&self, doing: &'static str, why: io::Error) -> StoreError {
        StoreError::of_files(doing, &self.named(), why)
    }
}

impl Coming {
    /// The next piece of it.
    pub async fn more(&mut self, chunk: impl AsRef<[u8]> + Send + 'static) -> Result<(), StoreError> {
        // It is gone where a piece before was refused, or nobody waited for it.
        let Some(mut half) = self.written.take() else {
            return Err(self.refused(io::ErrorKind::BrokenPipe.into()));
        };
        half.bytes = half.bytes.saturating_add(chunk.as_ref().len() as u64);
        if half.bytes > self.largest {
            return Err(StoreError::TooLarge {
                digest: self.digest.clone(),
                largest: self.largest,
            });
        }
        let write = move || {
            half.hasher.update(chunk.as_ref());
            half.writing.write(chunk.as_ref()).map(|()| half)
        };
        match undisturbed(write).await {
            Ok(half) => {
                self.written = Some(half);
                Ok(())
            }
            Err(why) => Err(self.refused(why)),
        }
    }

    /// That was all of it.
    pub async fn end(mut self) -> Result<(), StoreError> {
        let Some(half) = self.written.take() else {
            return Err(self.refused(io::ErrorKind::BrokenPipe.into()));
        };
        let found = half.hasher.finalize().to_hex();
        if found.as_str() != self.digest {
            return Err(StoreError::Unlike {
                digest: self.digest,
                found: found.to_string(),
            });
        }
        let name = self.name.clone();
        let finished = undisturbed(move || half.writing.finish(&name)).await;
        finished.map_err(|why| self.refused(why))
    }

    fn refused(&self, why: io::Error) -> StoreError {
        StoreError::of_files("writing a file", &self.folder, why)
    }
}

/// Does what waits for the disk where nobody else waits for it.
async fn undisturbed<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    match spawn_blocking(work).await {
        Ok(done) => done,
        Err(ended) => match ended.try_into_panic() {
            Ok(panic) => std::panic::resume_unwind(panic),
            // The runtime is ending, and everything that waits in it with it.
            Err(_) => std::future::pending().await,
        },
    }
}
