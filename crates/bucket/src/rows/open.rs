//! Opening the database: its settings, its shape, and what it knows at first.

use super::bytes_of;
use crate::content::Piece;
use crate::refusal::Refusal;
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use sqlx::{ConnectOptions, Connection, Row};
use std::path::Path;

/// What is set on the connection.
///
/// `synchronous`: FULL waits for the disk at each change. What a client was told is kept has to be there after a power cut.
///
/// `locking_mode`: nobody else may write here, and our own lock says so already.
const SETTINGS: &str = "
PRAGMA locking_mode = EXCLUSIVE;
PRAGMA journal_mode = WAL;
PRAGMA synchronous = FULL;
PRAGMA cache_size = -4096;
PRAGMA mmap_size = 0;
PRAGMA temp_store = MEMORY;
PRAGMA wal_autocheckpoint = 1000;
PRAGMA journal_size_limit = 4194304;
";

/// The shape that we know. What has been released is never changed; a newer shape is a further step.
const SHAPE: i64 = 1;

/// The first index of `version` serves listings of what there is, the second those of all versions, the third the ages.
const TABLES: &str = "
BEGIN;
CREATE TABLE version (
    seq BIGINT PRIMARY KEY,
    key TEXT NOT NULL,
    id TEXT NOT NULL,
    latest BIGINT NOT NULL,
    marker BIGINT NOT NULL,
    size BIGINT NOT NULL,
    tag TEXT NOT NULL,
    modified BIGINT NOT NULL,
    replaced BIGINT,
    body TEXT NOT NULL
);
CREATE UNIQUE INDEX version_latest ON version (key) WHERE latest = 1;
CREATE INDEX version_by_key ON version (key, seq);
CREATE UNIQUE INDEX version_by_id ON version (key, id);
CREATE TABLE file (
    id TEXT PRIMARY KEY,
    uses BIGINT NOT NULL,
    length BIGINT NOT NULL
);
CREATE TABLE upload (
    id TEXT PRIMARY KEY,
    key TEXT NOT NULL,
    started BIGINT NOT NULL,
    body TEXT NOT NULL
);
CREATE INDEX upload_by_key ON upload (key, id);
CREATE TABLE part (
    upload TEXT NOT NULL,
    number BIGINT NOT NULL,
    size BIGINT NOT NULL,
    tag TEXT NOT NULL,
    modified BIGINT NOT NULL,
    body TEXT NOT NULL,
    PRIMARY KEY (upload, number)
);
CREATE TABLE setting (
    name TEXT PRIMARY KEY,
    body TEXT NOT NULL
);
PRAGMA user_version = 1;
COMMIT;
";

/// The one connection, and how much is kept.
#[derive(Debug)]
pub(crate) struct Database {
    pub(super) connection: SqliteConnection,
    pub(crate) held: Held,
}

/// How much content there is.
#[derive(Debug)]
pub(crate) struct Held {
    /// The bytes of all files, each counted once.
    pub(crate) bytes: u64,
    /// The most that there may be.
    most: Option<u64>,
}

impl Held {
    /// How much there will be, unless that is more than there may be. What shrinks is never refused.
    pub(super) fn after(&self, added: u64, free: &[Piece]) -> Result<u64, Refusal> {
        let bytes = (self.bytes + added).saturating_sub(bytes_of(free));
        match self.most {
            Some(most) if bytes > most && bytes > self.bytes => Err(Refusal::Most { most }),
            _ => Ok(bytes),
        }
    }
}

/// Why it could not be opened.
#[derive(Debug)]
pub(crate) enum Unopened {
    /// It was written by a newer version.
    Newer(i64),
    /// The database refused.
    Refused(sqlx::Error),
}

impl From<sqlx::Error> for Unopened {
    fn from(refusal: sqlx::Error) -> Self {
        Unopened::Refused(refusal)
    }
}

/// Opens the database in this file.
pub(crate) async fn open(file: &Path, most: Option<u64>) -> Result<Database, Unopened> {
    let options = SqliteConnectOptions::new()
        .filename(file)
        .statement_cache_capacity(64)
        .thread_name(|_| "bucket".to_owned())
        .disable_statement_logging();
    let mut connection: SqliteConnection = options.connect().await?;
    sqlx::raw_sql(SETTINGS).execute(&mut connection).await?;
    let shape = sqlx::query("PRAGMA user_version")
        .fetch_one(&mut connection)
        .await?;
    match shape.try_get::<i64, _>(0)? {
        0 => sqlx::raw_sql(TABLES).execute(&mut connection).await.map(|_| ())?,
        SHAPE => {}
        newer => return Err(Unopened::Newer(newer)),
    }
    let bytes = sqlx::query("SELECT coalesce(sum(length), 0) FROM file")
        .fetch_one(&mut connection)
        .await?;
    let bytes = u64::try_from(bytes.try_get::<i64, _>(0)?).unwrap_or(0);
    let held = Held { bytes, most };
    Ok(Database { connection, held })
}

impl Database {
    /// How many objects there are, and how many versions of them, with the marks of deletion.
    pub(crate) async fn count(&mut self) -> Result<(u64, u64), Refusal> {
        let text = "SELECT (SELECT count(*) FROM version WHERE latest = 1 AND marker = 0), \
            (SELECT count(*) FROM version)";
        let row = sqlx::query(text).fetch_one(&mut self.connection).await?;
        let number = |at: usize| {
            row.try_get::<i64, _>(at)
                .map(|number| u64::try_from(number).unwrap_or(0))
        };
        Ok((number(0)?, number(1)?))
    }

    /// The files of one shard that rows name.
    pub(crate) async fn files(&mut self, shard: &str) -> Result<Vec<String>, Refusal> {
        let until = super::behind(shard).unwrap_or_default();
        let query = sqlx::query("SELECT id FROM file WHERE id >= $1 AND id < $2 ORDER BY id");
        let rows = query
            .bind(shard)
            .bind(until)
            .fetch_all(&mut self.connection)
            .await?;
        Ok(rows.iter().map(|row| row.try_get(0)).collect::<Result<_, _>>()?)
    }

    /// Moves everything into the one file, and closes it.
    pub(crate) async fn close(mut self) -> Result<(), sqlx::Error> {
        let moved = sqlx::raw_sql("PRAGMA wal_checkpoint(TRUNCATE)")
            .execute(&mut self.connection)
            .await;
        self.connection.close().await?;
        moved.map(|_| ())
    }
}
