//! The door to the bucket's folder, its lock, and the time.
#![allow(
    clippy::disallowed_methods,
    reason = "this is the door to the bucket's folder and to the clock"
)]

use jiff::Timestamp;
use rustix::fs::FlockOperation;
use std::fs::{self, DirBuilder, OpenOptions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;
use tokio::sync::Notify;

pub(crate) use std::fs::File;

/// The time, as a bucket sees it. Only the ages of objects depend on it: signatures are compared with the time of the
/// machine.
#[derive(Debug, Clone, Default)]
pub struct Clock {
    inner: Arc<Ahead>,
}

#[derive(Debug, Default)]
struct Ahead {
    milliseconds: AtomicI64,
    moved: Notify,
}

impl Clock {
    /// Now, and by how much the clock was moved.
    pub(crate) fn now(&self) -> Timestamp {
        let ahead = self.inner.milliseconds.load(Ordering::SeqCst);
        let now = Timestamp::now().as_millisecond().saturating_add(ahead);
        Timestamp::from_millisecond(now).unwrap_or(Timestamp::MAX)
    }

    /// Moves it forward, and lets what has grown old by that go at once.
    pub fn forward(&self, by: Duration) {
        let by = i64::try_from(by.as_millis()).unwrap_or(i64::MAX);
        self.inner.milliseconds.fetch_add(by, Ordering::SeqCst);
        self.inner.moved.notify_one();
    }

    /// Waits until it has been moved.
    pub(crate) async fn moved(&self) {
        self.inner.moved.notified().await;
    }
}

/// The folder of a bucket, held by us as long as this lives.
///
/// What is being written stands in `making/`, what is whole in `content/`, in 256 folders by the first letters of its name.
/// Every name is one that we made up; no key of an object ever becomes a part of a path.
#[derive(Debug)]
pub(crate) struct Folder {
    path: PathBuf,
    _lock: File,
}

impl Folder {
    /// Opens it, makes it where there is none, and takes its lock. `None` where somebody else has it.
    pub(crate) fn open(path: &Path) -> io::Result<Option<Folder>> {
        let mut make = DirBuilder::new();
        make.recursive(true).mode(0o700);
        make.create(path.join("making"))?;
        for shard in shards() {
            make.create(path.join("content").join(shard))?;
        }
        let lock = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .open(path.join("lock"))?;
        match rustix::fs::flock(&lock, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => {}
            Err(rustix::io::Errno::WOULDBLOCK) => return Ok(None),
            Err(refusal) => return Err(refusal.into()),
        }
        // The 256 folders are on the disk before anything is promised to be in one of them.
        File::open(path.join("content"))?.sync_all()?;
        File::open(path)?.sync_all()?;
        Ok(Some(Folder {
            path: path.to_owned(),
            _lock: lock,
        }))
    }

    /// The file of the database; made for its owner alone, and SQLite gives the files beside it the same mode.
    pub(crate) fn database(&self) -> io::Result<PathBuf> {
        let file = self.path.join("bucket.db");
        match OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&file)
        {
            Err(refusal) if refusal.kind() != io::ErrorKind::AlreadyExists => Err(refusal),
            _ => Ok(file),
        }
    }

    /// A new file to write content to.
    pub(crate) fn make(&self, name: &str) -> io::Result<File> {
        let path = self.path.join("making").join(name);
        OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(path)
    }

    /// Moves a file that is whole, and on the disk, to where content is kept, and waits until the disk has that, too.
    pub(crate) fn keep(&self, name: &str) -> io::Result<()> {
        let to = self.content(name);
        fs::rename(self.path.join("making").join(name), &to)?;
        to.parent().map_or(Ok(()), |shard| File::open(shard)?.sync_all())
    }

    /// Forgets a file that was never whole.
    pub(crate) fn give_up(&self, name: &str) {
        // What cannot be removed now is removed by the next start.
        let _ = fs::remove_file(self.path.join("making").join(name));
    }

    /// Opens content.
    pub(crate) fn read(&self, name: &str) -> io::Result<File> {
        File::open(self.content(name))
    }

    /// Removes content that nothing refers to any more.
    pub(crate) fn remove(&self, name: &str) {
        let _ = fs::remove_file(self.content(name));
    }

    /// Removes everything that was being written when the last one to have this folder died.
    pub(crate) fn clear_making(&self) -> io::Result<u64> {
        let mut cleared = 0;
        for entry in fs::read_dir(self.path.join("making"))? {
            fs::remove_file(entry?.path())?;
            cleared += 1;
        }
        Ok(cleared)
    }

    /// The names of the content in one of the 256 folders.
    pub(crate) fn names(&self, shard: &str) -> io::Result<Vec<String>> {
        let mut names = Vec::new();
        for entry in fs::read_dir(self.path.join("content").join(shard))? {
            names.push(entry?.file_name().to_string_lossy().into_owned());
        }
        names.sort_unstable();
        Ok(names)
    }

    fn content(&self, name: &str) -> PathBuf {
        let shard = name.get(..2).unwrap_or("00");
        self.path.join("content").join(shard).join(name)
    }
}

/// The names of the folders that content is in.
pub(crate) fn shards() -> impl Iterator<Item = String> {
    (0..=u8::MAX).map(|number| format!("{number:02x}"))
}
