//! A bucket of this machine: what every S3 SDK talks to, kept in a folder.
//!
//! Content stands in files under names of our own, and what an object is stands in one SQLite file beside them. An object is
//! written to a file that nobody sees, brought to the disk, moved to its place, and only then named by a row: a listing never
//! shows half an object, and what was acknowledged is there after a crash. What a crash leaves behind is removed at the next
//! start. `s3s` checks signatures and speaks XML; what the operations mean is decided here.

mod backend;
mod bucket;
mod client;
mod content;
mod digest;
mod door;
mod expire;
mod refusal;
mod rows;
mod seal;
mod serve;

pub use client::{Access, Listing, Object, authorization, list, look, put};
pub use door::Clock;

use serde::{Deserialize, Serialize};
use std::future::Future;
use std::path::PathBuf;
use std::time::Duration;
use tokio::net::TcpListener;
use towpath_model::sealed::Sealed;

/// Where anybody may ask whether the bucket is well. No bucket can have this name.
pub const HEALTH: &str = "/-/health";

/// Where whoever has the key may ask how much there is.
pub const FACTS: &str = "/-/facts";

/// What a bucket is.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Where it is kept. The folder is ours alone.
    pub folder: PathBuf,
    /// Its name, as clients say it.
    pub name: String,
    /// The access key of its clients.
    pub key: String,
    /// Their secret key.
    pub secret: Sealed<String>,
    /// The region that it says it is in.
    pub region: String,
    /// Old versions are kept.
    pub versioning: bool,
    /// Anybody may read an object whose key they know.
    pub public: bool,
    /// What goes as it ages.
    pub lifecycle: Vec<Rule>,
    /// What is written is encrypted.
    pub encrypted: bool,
    /// The key that it is encrypted with. What has been encrypted once is read with it, also when nothing new is.
    pub encryption_key: Option<Sealed<[u8; 32]>>,
    /// How many bytes it may hold.
    pub most: Option<u64>,
}

/// What goes as it ages.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rule {
    /// Only objects whose keys begin so.
    pub prefix: String,
    /// The age.
    pub after: Duration,
    /// Only versions that have been replaced, by the time since then.
    pub old_versions: bool,
}

/// How much there is in a bucket.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Facts {
    /// Objects that a listing shows.
    pub objects: u64,
    /// The bytes of all content, with old versions and uploads that are under way. What several share is counted once.
    pub bytes: u64,
    /// All versions, with the marks of deletion.
    pub versions: u64,
}

/// Serves a bucket until the future is done. Then requests that are under way are finished, everything is on the disk, and
/// the folder is free.
pub async fn serve(
    listener: TcpListener,
    settings: Settings,
    until: impl Future<Output = ()>,
) -> Result<(), BucketError> {
    serve::serve(listener, settings, Clock::default(), until).await
}

/// Serves a bucket whose objects age by this clock, so that a test need not wait for a month.
pub async fn serve_by(
    clock: Clock,
    listener: TcpListener,
    settings: Settings,
    until: impl Future<Output = ()>,
) -> Result<(), BucketError> {
    serve::serve(listener, settings, clock, until).await
}

/// Why a bucket could not be served, or asked.
#[derive(Debug, thiserror::Error)]
pub enum BucketError {
    /// Somebody else has it open.
    #[error("{folder} is held by another process")]
    Held {
        /// The folder.
        folder: String,
    },
    /// The disk is full. Nothing is damaged; the same call works when there is room.
    #[error("the disk is full: {folder} cannot be written")]
    Full {
        /// The folder.
        folder: String,
    },
    /// It was written by a newer version.
    #[error("{folder} was written by a newer version (shape {found})")]
    Newer {
        /// The folder.
        folder: String,
        /// The shape found.
        found: i64,
    },
    /// It is to be encrypted, and there is nothing to encrypt with.
    #[error("{folder} is to be encrypted, and no key is given")]
    NoKey {
        /// The folder.
        folder: String,
    },
    /// It answers anybody who asks, so it may be asked only from this machine.
    #[error("a bucket is served on this machine alone, and not at {address}")]
    Outside {
        /// The address.
        address: String,
    },
    /// The file system or the database refused.
    #[error("{doing} failed in {folder}")]
    Failed {
        /// What was being done.
        doing: &'static str,
        /// The folder.
        folder: String,
        /// Why.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// It does not answer as it should.
    #[error("the bucket at {address} did not answer: {why}")]
    Silent {
        /// Where it was asked.
        address: String,
        /// What came instead.
        why: String,
    },
}

impl BucketError {
    /// Whether the same call may work later, without anybody changing anything here.
    pub fn may_pass(&self) -> bool {
        matches!(
            self,
            BucketError::Full { .. } | BucketError::Held { .. } | BucketError::Silent { .. }
        )
    }
}
