//! What ran, as the database knows it: the schema `towpath` and its one table.

use super::Bounds;
use super::split::Statement;
use crate::ResourceError;
use crate::connect::Place;
use sqlx::postgres::PgConnection;
use sqlx::{Connection, Row};
use std::time::Duration;
use towpath_model::Sealed;
use towpath_model::desired::resource::Phase;

/// The number of our lock among the locks of a database: the letters of our name.
const LOCK: i64 = 0x0074_6f77_7061_7468;

const TABLE: &str = "
CREATE SCHEMA IF NOT EXISTS towpath;
CREATE TABLE IF NOT EXISTS towpath.history (
  name text PRIMARY KEY,
  kind text NOT NULL,
  phase text,
  digest text NOT NULL,
  statements_done integer,
  outcome text NOT NULL,
  at timestamptz NOT NULL DEFAULT now(),
  took_ms bigint NOT NULL
);
COMMENT ON TABLE towpath.history IS
  'What Towpath ran here, once each. statements_done is set while a file without a transaction is unfinished.'";

/// What ran here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ran {
    /// The file.
    pub name: String,
    /// What it said: all of it, or, while it is unfinished, what of it is done.
    pub digest: String,
    /// How far it came, where it was interrupted.
    pub unfinished: Option<Unfinished>,
}

/// How far a file came that runs without a transaction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unfinished {
    /// The statements that are done.
    pub done: u32,
}

/// A line of the table.
#[derive(Debug)]
pub(crate) struct Line<'a> {
    pub(crate) name: &'a str,
    pub(crate) kind: &'a str,
    pub(crate) phase: Option<Phase>,
    pub(crate) digest: &'a str,
    pub(crate) done: Option<u32>,
    pub(crate) outcome: &'a str,
    pub(crate) took: i64,
}

/// A connection, and what is written through it.
#[derive(Debug)]
pub(crate) struct History {
    pub(crate) connection: PgConnection,
    at: String,
}

impl History {
    /// Connects, and changes nothing yet.
    pub(crate) async fn open(address: &Sealed<String>, bounds: Bounds) -> Result<Self, ResourceError> {
        let place = Place::read(address)?;
        Ok(History {
            connection: place.postgres(bounds.connect).await?,
            at: place.to_string(),
        })
    }

    /// Takes the lock, which is free again when the connection is closed, whatever it is closed by, and makes the table.
    pub(crate) async fn locked(address: &Sealed<String>, bounds: Bounds) -> Result<Self, ResourceError> {
        let mut history = History::open(address, bounds).await?;
        history.wait_at_most(bounds.lock).await?;
        let lock = format!("SELECT pg_advisory_lock({LOCK})");
        if let Err(refusal) = sqlx::raw_sql(sqlx::AssertSqlSafe(lock))
            .execute(&mut history.connection)
            .await
        {
            if !is_about_a_lock(&refusal) {
                return Err(history.failed("taking the lock", &refusal));
            }
            let holder = history.holder().await;
            return Err(ResourceError::Locked {
                what: format!("migrating {}", history.at),
                waited: bounds.lock,
                holder,
            });
        }
        let made = sqlx::raw_sql(TABLE).execute(&mut history.connection).await;
        made.map_err(|why| history.failed("making the schema towpath", &why))?;
        Ok(history)
    }

    /// How long any lock is waited for, from now on.
    pub(crate) async fn wait_at_most(&mut self, bound: Duration) -> Result<(), ResourceError> {
        let set = format!("SET lock_timeout = {}", bound.as_millis().clamp(1, 86_400_000));
        self.run("setting the bound of locks", &set).await
    }

    /// Says something of our own to the server.
    pub(crate) async fn run(&mut self, doing: &str, sql: &str) -> Result<(), ResourceError> {
        let said = sqlx::raw_sql(sqlx::AssertSqlSafe(sql))
            .execute(&mut self.connection)
            .await;
        said.map(|_| ()).map_err(|why| self.failed(doing, &why))
    }

    /// Who has our lock, as far as we may know.
    async fn holder(&mut self) -> String {
        let question = "SELECT l.pid, coalesce(a.application_name, '') FROM pg_locks l \
                        LEFT JOIN pg_stat_activity a ON a.pid = l.pid \
                        WHERE l.locktype = 'advisory' AND l.granted AND l.objsubid = 1 \
                        AND (l.classid::bigint << 32 | l.objid::bigint) = $1";
        let found = sqlx::query(question)
            .bind(LOCK)
            .fetch_optional(&mut self.connection)
            .await;
        let row = found.ok().flatten();
        let holder = row.and_then(|row| {
            let (pid, name): (i32, String) = (row.try_get(0).ok()?, row.try_get(1).ok()?);
            Some(format!(
                "{} (server process {pid})",
                if name.is_empty() { "somebody" } else { &name }
            ))
        });
        holder.unwrap_or_else(|| "somebody".to_owned())
    }

    /// What ran here of a kind, in the order of names; nothing where we have never been.
    pub(crate) async fn ran(&mut self, kind: &str) -> Result<Vec<Ran>, ResourceError> {
        let there = "SELECT to_regclass('towpath.history') IS NOT NULL";
        let there = sqlx::query(there).fetch_one(&mut self.connection).await;
        let there = there.and_then(|row| row.try_get::<bool, _>(0));
        if !there.map_err(|why| self.failed("reading what ran", &why))? {
            return Ok(Vec::new());
        }
        let question = "SELECT name, digest, statements_done FROM towpath.history \
                        WHERE kind = $1 AND outcome IN ('done', 'unfinished') ORDER BY name";
        let rows = sqlx::query(question)
            .bind(kind)
            .fetch_all(&mut self.connection)
            .await;
        let read = rows.and_then(|rows| {
            let read = rows.iter().map(|row| {
                let done: Option<i32> = row.try_get(2)?;
                Ok(Ran {
                    name: row.try_get(0)?,
                    digest: row.try_get(1)?,
                    unfinished: done.map(|done| Unfinished {
                        done: u32::try_from(done).unwrap_or(0),
                    }),
                })
            });
            read.collect::<Result<Vec<Ran>, sqlx::Error>>()
        });
        read.map_err(|why| self.failed("reading what ran", &why))
    }

    /// Writes a line, over one of the same name.
    pub(crate) async fn write(&mut self, line: Line<'_>) -> Result<(), ResourceError> {
        let written = sqlx::query(
            "INSERT INTO towpath.history (name, kind, phase, digest, statements_done, outcome, took_ms) \
             VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (name) DO UPDATE SET \
             (kind, phase, digest, statements_done, outcome, at, took_ms) = (excluded.kind, excluded.phase, \
             excluded.digest, excluded.statements_done, excluded.outcome, now(), excluded.took_ms)",
        )
        .bind(line.name)
        .bind(line.kind)
        .bind(line.phase.map(Phase::word))
        .bind(line.digest)
        .bind(line.done.map(|done| i32::try_from(done).unwrap_or(i32::MAX)))
        .bind(line.outcome)
        .bind(line.took)
        .execute(&mut self.connection)
        .await;
        written
            .map(|_| ())
            .map_err(|why| self.failed("writing down what ran", &why))
    }

    /// Writes down that something of a kind is done that is there once.
    pub(crate) async fn mark(&mut self, kind: &str, digest: &str, took: i64) -> Result<(), ResourceError> {
        self.write(Line {
            name: kind,
            kind,
            phase: None,
            digest,
            done: None,
            outcome: "done",
            took,
        })
        .await
    }

    pub(crate) fn failed(&self, doing: &str, why: &sqlx::Error) -> ResourceError {
        let said = match why {
            sqlx::Error::Database(said) => said.message().to_owned(),
            other => other.to_string(),
        };
        ResourceError::Store {
            doing: doing.to_owned(),
            at: self.at.clone(),
            said,
        }
    }

    /// Says goodbye, so that the lock is free when we come back.
    pub(crate) async fn close(self) {
        // A connection that is gone already is closed, too.
        let _ = self.connection.close().await;
    }
}

/// Whether the server gave up waiting for a lock.
pub(crate) fn is_about_a_lock(why: &sqlx::Error) -> bool {
    why.as_database_error().and_then(|said| said.code()).as_deref() == Some("55P03")
}

/// Says whether the statements that are done are still the same.
pub(crate) fn digest_of(statements: &[Statement<'_>]) -> String {
    let mut hasher = blake3::Hasher::new();
    for statement in statements {
        for part in [Some(statement.text), statement.rows] {
            let part = part.unwrap_or_default();
            hasher.update(&(part.len() as u64).to_le_bytes());
            hasher.update(part.as_bytes());
        }
    }
    hasher.finalize().to_hex().to_string()
}
