//! What outlives us: the journal of every intent and outcome, and the records.
//!
//! One folder, one SQLite file in it, one writer. Whoever writes holds a lock that the system takes back when its owner
//! dies. An intent is in the journal before it is acted on; its outcome follows. What has an intent and no outcome when
//! we start was under way when we died, and is looked at again.

use jiff::Timestamp;
use serde_json::Value;
use std::path::Path;

/// The number of an entry; later ones are greater.
pub type Seq = i64;

/// Something that is about to be done, or that has happened.
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
#[derive(Debug)]
pub struct Store {}

impl Store {
    /// Opens the store in a folder, makes it where there is none, brings an older one up to date, and takes the lock.
    pub async fn open(_folder: &Path) -> Result<Store, StoreError> {
        unimplemented!()
    }

    /// Writes a batch, and answers with the numbers of its entries once it is kept.
    pub async fn write(&self, _batch: Batch, _now: Timestamp) -> Result<Vec<Seq>, StoreError> {
        unimplemented!()
    }

    /// Intents without an outcome, oldest first.
    pub async fn open_intents(&self) -> Result<Vec<Written>, StoreError> {
        unimplemented!()
    }

    /// The newest entries, oldest of them first; of one subject only where it is named.
    pub async fn newest(&self, _subject: Option<&str>, _most: u32) -> Result<Vec<Written>, StoreError> {
        unimplemented!()
    }

    /// The records of a kind.
    pub async fn records(&self, _kind: &str) -> Result<Vec<(String, Value)>, StoreError> {
        unimplemented!()
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
}
