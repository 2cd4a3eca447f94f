//! A resource of ours, spelled out: what its server is started with, and what is done to what it keeps.

use crate::desired::resource::{Evict, Phase, PoolMode, ResourceKind};
use crate::unit::{Bytes, Duration, Window, Zone};
use serde::{Deserialize, Serialize};

/// What a resource is started with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Resource {
    /// What it is.
    pub kind: ResourceKind,
    /// The version that is wanted; whichever there is, without it.
    pub version: Option<String>,
    /// The database in it, or the bucket's name.
    pub database: String,
    /// As whom everybody connects; the key's name of a bucket.
    pub user: String,
    /// The sealed value that opens it.
    pub password: String,
    /// The region that a bucket says it is in.
    pub region: String,
    /// The memory that it may use.
    pub memory: Option<Bytes>,
    /// The most that it may keep.
    pub storage: Option<Bytes>,
    /// The most connections.
    pub connections: u32,
    /// It keeps nothing itself: it lends connections of one that does.
    #[serde(default)]
    pub pool: Option<Pool>,
    /// Extensions to have.
    pub extensions: Vec<String>,
    /// What it holds survives.
    pub persistent: bool,
    /// What goes when memory is full.
    pub evict: Evict,
    /// Old versions of objects are kept.
    pub versioning: bool,
    /// Anybody may read.
    pub public: bool,
    /// What is stored is encrypted on the disk.
    pub encrypted: bool,
    /// When objects go.
    pub expiry: Vec<Expiry>,
    /// How its schema moves.
    pub migrate: Option<Migrate>,
    /// What a fresh one is filled with.
    pub seed: Option<Seed>,
    /// A file of rows that comes after the seed: the environment's own.
    #[serde(default)]
    pub load: Option<String>,
    /// It is empty each time the environment is made.
    #[serde(default)]
    pub fresh: bool,
    /// The digest of what stands in the files of all of these: when it is another one, what is new in them is done while it runs.
    #[serde(default)]
    pub contents: String,
}

impl Resource {
    /// What its server has to be started anew for: all but what is done to what it keeps.
    pub fn server(&self) -> Self {
        Resource {
            migrate: None,
            seed: None,
            load: None,
            fresh: false,
            contents: String::new(),
            ..self.clone()
        }
    }
}

/// A pooler, which lends connections.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pool {
    /// How many it has.
    pub size: u32,
    /// How long one belongs to a client.
    pub mode: PoolMode,
}

/// When objects go.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Expiry {
    /// The beginning of their names.
    pub prefix: String,
    /// Their age.
    pub after: Duration,
    /// Only versions that have been replaced.
    pub old_versions: bool,
}

/// How a schema moves.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Migrate {
    /// A folder of SQL files, as a whole path.
    pub folder: Option<String>,
    /// A command.
    pub command: Option<String>,
    /// The folder that the command runs in.
    pub dir: String,
    /// The phases that run here; all of them when empty.
    pub phases: Vec<Phase>,
    /// How long it is waited for a lock.
    pub lock: Duration,
    /// When any may run, where that is bounded here.
    #[serde(default)]
    pub window: Option<Window>,
    /// When those may run that take away, where that is bounded here.
    #[serde(default)]
    pub contract: Option<Window>,
    /// The zone of windows that name none.
    pub zone: Zone,
}

/// What a fresh resource is filled with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Seed {
    /// A file, as a whole path.
    pub file: Option<String>,
    /// A command.
    pub command: Option<String>,
    /// The folder that the command runs in.
    pub dir: String,
}
