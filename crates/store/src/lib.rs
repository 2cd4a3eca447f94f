//! What outlives us: the journal of every intent and outcome, and the records.
//!
//! One folder, one SQLite file in it, one writer. Whoever writes holds a lock that the system takes back when its owner
//! dies. An intent is in the journal before it is acted on; its outcome follows. What has an intent and no outcome when
//! we start was under way when we died, and is looked at again.

mod artifacts;
mod door;
mod open;
mod passphrase;
mod read;
mod refusal;
mod schema;
mod seal;
mod vault;
mod write;

#[cfg(test)]
mod tests;

pub use artifacts::{Artifacts, Coming};
pub use passphrase::{Locked, is_locked, lock, unlock};
pub use seal::chance;
pub use vault::{Keys, Secret, Vault};

use crate::door::folder::Lock;
use crate::write::Writer;
use jiff::Timestamp;
use serde_json::Value;
use std::path::Path;
use tokio::sync::Mutex;

/// The number of an entry; later ones are greater.
pub type Seq = i64;

/// Something that is about to be done, or that has happened.
///
/// Nothing here can hold a secret: what is sealed does not become a [`Value`].
///
/// ```compile_fail
/// let secret = towpath_model::sealed::Sealed::new("hunter2");
/// let body = serde_json::to_value(secret);
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    /// What: `start`, `stop`, `build`, `apply`. The same word for ever.
    pub what: String,
    /// To what: an instance, a component, a build.
    pub subject: String,
    /// Everything that doing it needs, without anything secret.
    pub body: Value,
    /// Why, in words.
    pub because: String,
    /// Whether an outcome will follow.
    pub intent: bool,
}

/// How an intent ended.
#[derive(Debug, Clone, PartialEq)]
pub struct Outcome {
    /// The intent.
    pub of: Seq,
    /// Whether it was done.
    pub done: bool,
    /// What came of it, without anything secret.
    pub body: Value,
}

/// An entry of the journal as it was written.
#[derive(Debug, Clone, PartialEq)]
pub struct Written {
    /// Its number.
    pub seq: Seq,
    /// When it was written.
    pub at: Timestamp,
    /// What was written.
    pub entry: Entry,
    /// How it ended, where it has.
    pub outcome: Option<Outcome>,
}

/// Several things that become true together or not at all.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Batch {
    /// New entries.
    pub entries: Vec<Entry>,
    /// Outcomes of earlier ones.
    pub outcomes: Vec<Outcome>,
    /// Records: kind, name, and what stands there from now on. `None` removes it.
    pub records: Vec<(String, String, Option<Value>)>,
}

/// The store of one environment of one product on this machine.
///
/// It has one connection, and so one write at a time: whoever comes second waits for the first, which takes well under a
/// millisecond. What a dropped future leaves half done is taken back before the next thing is done.
#[derive(Debug)]
pub struct Store {
    /// As it is named to people.
    folder: String,
    // Before the lock: what is dropped first is the connection.
    writer: Mutex<Writer>,
    lock: Option<Lock>,
}

impl Store {
    /// Opens the store in a folder, makes it where there is none, brings an older one up to date, and takes the lock.
    pub async fn open(folder: &Path, now: Timestamp) -> Result<Store, StoreError> {
        open::open(folder, now, schema::MIGRATIONS).await
    }

    /// A store in memory, which is gone when it is dropped: for simulations and tests.
    pub async fn in_memory() -> Result<Store, StoreError> {
        open::in_memory(schema::MIGRATIONS).await
    }

    /// Writes a batch, and answers with the numbers of its entries once it is kept.
    ///
    /// It may be tried again after an error: nothing of it was written. The first outcome of an intent stands; a second
    /// one, and that of an entry that is not there, change nothing, so that whoever was killed before the answer came may
    /// tell it again.
    pub async fn write(&self, batch: Batch, now: Timestamp) -> Result<Vec<Seq>, StoreError> {
        let mut writer = self.writer.lock().await;
        writer
            .write(batch, now)
            .await
            .map_err(|why| self.refused("writing", why))
    }

    /// Intents without an outcome, oldest first.
    pub async fn open_intents(&self) -> Result<Vec<Written>, StoreError> {
        let mut writer = self.writer.lock().await;
        let found = read::open_intents(writer.settled().await).await;
        found.map_err(|why| self.refused("reading the open intents", why))
    }

    /// The newest entries, oldest of them first; of one subject only where it is named.
    pub async fn newest(&self, subject: Option<&str>, most: u32) -> Result<Vec<Written>, StoreError> {
        let mut writer = self.writer.lock().await;
        let found = read::newest(writer.settled().await, subject, most).await;
        found.map_err(|why| self.refused("reading the journal", why))
    }

    /// The records of a kind, by their names.
    pub async fn records(&self, kind: &str) -> Result<Vec<(String, Value)>, StoreError> {
        let mut writer = self.writer.lock().await;
        let found = read::records(writer.settled().await, kind).await;
        found.map_err(|why| self.refused("reading the records", why))
    }

    /// Closes it: everything stands in the one file, is on the disk, and the lock is free. A store that is dropped instead,
    /// or whose process is killed, loses nothing; the next one to open it has a little more to read.
    pub async fn close(self) -> Result<(), StoreError> {
        let Store { folder, writer, lock } = self;
        let closed = writer.into_inner().close().await;
        if let Some(lock) = lock {
            lock.release();
        }
        closed.map_err(|why| StoreError::of("closing", &folder, why))
    }

    fn refused(&self, doing: &'static str, source: sqlx::Error) -> StoreError {
        StoreError::of(doing, &self.folder, source)
    }
}

/// Why the store could not do it.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// Somebody else has it open.
    #[error("{folder} is held by process {pid} since {since}")]
    Held {
        /// The folder.
        folder: String,
        /// Who.
        pid: u32,
        /// Since when.
        since: String,
    },
    /// The disk is full. Nothing was written, and nothing is damaged; the same call works when there is room.
    #[error("the disk is full: {folder} cannot be written")]
    Full {
        /// The folder.
        folder: String,
    },
    /// It was written by a newer version.
    #[error("{folder} was written by a newer version (schema {found}, this one knows {known})")]
    Newer {
        /// The folder.
        folder: String,
        /// The schema found.
        found: i64,
        /// The newest schema known.
        known: i64,
    },
    /// The database refused.
    #[error("{doing} failed in {folder}")]
    Database {
        /// What was being done.
        doing: &'static str,
        /// The folder.
        folder: String,
        /// Why.
        #[source]
        source: sqlx::Error,
    },
    /// The file system refused.
    #[error("{doing} failed in {folder}")]
    Files {
        /// What was being done.
        doing: &'static str,
        /// The folder.
        folder: String,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// What was put under a digest has another one.
    #[error("what came as {digest} is {found}")]
    Unlike {
        /// The digest that it should have.
        digest: String,
        /// The one that it has.
        found: String,
    },
    /// A file is larger than any may be.
    #[error("{digest} is larger than {largest} bytes, and no file of a release may be")]
    TooLarge {
        /// Its digest.
        digest: String,
        /// How large it may be.
        largest: u64,
    },
    /// A file that a tree names is not there.
    #[error("the file `{path}` is not here, and {tree} cannot be laid out without it")]
    Absent {
        /// Its path in the tree.
        path: String,
        /// Where the tree would stand.
        tree: String,
    },
    /// Something cannot stand where it is named in a tree.
    #[error("`{path}` {why}")]
    Misplaced {
        /// Where.
        path: String,
        /// Why not.
        why: &'static str,
    },
    /// What was named as a digest is none.
    #[error("`{text}` is no digest of a file")]
    NoDigest {
        /// What was named.
        text: String,
    },
    /// It is closed: whoever had it open is ending.
    #[error("the store is closed")]
    Closed,
    /// The key of this machine is gone, and what it has sealed is there.
    #[error("the key of this machine is not in {file} any more, and what it has sealed cannot be opened")]
    KeyLost {
        /// Where it should be.
        file: String,
    },
    /// There is a key, but another one.
    #[error("what stands in {file} is not the key that the secrets here were sealed with")]
    AnotherKey {
        /// Where it stands.
        file: String,
    },
    /// Others can read the key.
    #[error("{file} is the key of this machine, and others than its owner can read it")]
    OpenKey {
        /// Where it stands.
        file: String,
    },
    /// What is here was sealed by a passphrase, and none is given.
    #[error("the secrets here are sealed by a passphrase, and none is given")]
    NoPassphrase,
    /// A passphrase is empty.
    #[error("there is no passphrase in {file}")]
    EmptyPassphrase {
        /// Where it should be.
        file: String,
    },
    /// A passphrase does not open what it should.
    #[error("the passphrase in {file} does not open the secrets here")]
    Locked {
        /// Where it stands.
        file: String,
        /// Why not.
        #[source]
        source: Locked,
    },
    /// Something that was sealed was changed since, or written by another version of us.
    #[error("{what} cannot be opened: it is not as it was sealed")]
    Unsealable {
        /// What.
        what: String,
    },
    /// These versions of secrets have no value.
    #[error("there is no value of {}", .names.join(", "))]
    NoValues {
        /// Each with its version.
        names: Vec<String>,
    },
}
