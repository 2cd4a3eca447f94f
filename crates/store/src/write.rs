//! Writing: one transaction a batch, and a little of the oldest removed with it.
//!
//! The writer gives the numbers, because it is the only one, and forgets what the next one is before it begins: after
//! anything but a whole commit it asks the database. A transaction that was begun and not ended, because the disk was full
//! or because nobody waited for it any more, is taken back before anything else is done.
//!
//! The journal keeps its newest entries, and every intent that has no outcome yet. Each batch removes at most twice as many
//! old entries as it adds, and a floor of some, so that the journal shrinks to its measure after an age without outcomes,
//! and no batch ever pays for another one's past. The pages that become free are used again, so the file stays as large as
//! its fullest moment.

use crate::open::FROM_THEN_ON;
use crate::{Batch, Entry, Outcome, Seq};
use jiff::Timestamp;
use serde_json::Value;
use sqlx::sqlite::SqliteConnection;
use sqlx::{Connection, QueryBuilder, Row};

/// As many entries of the journal are kept: weeks of a product of ten components, and some tens of megabytes at most.
const KEPT: i64 = 50_000;

/// Old entries are removed once so many may go, and at least so many at a time: a removal for each entry would double the
/// work of the smallest batches.
const PRUNED_AT_ONCE: i64 = 64;

/// So many entries go into one statement. SQLite takes 32,766 values in one, and an entry has seven.
const ROWS: usize = 500;

const OUTCOME: &str = "UPDATE journal SET done = $1, ended = $2, outcome = $3 \
    WHERE seq = $4 AND intent = 1 AND done IS NULL";
const NO_RECORD: &str = "DELETE FROM record WHERE kind = $1 AND name = $2";
const PRUNE: &str = "DELETE FROM journal WHERE seq IN (SELECT seq FROM journal \
    WHERE seq <= $1 AND NOT (intent = 1 AND done IS NULL) ORDER BY seq LIMIT $2)";

/// The one connection, and what is known about its state.
#[derive(Debug)]
pub(crate) struct Writer {
    connection: SqliteConnection,
    /// The number of the next entry, where it is known.
    next: Option<Seq>,
    /// Something has been written.
    has_written: bool,
    is_careful: bool,
    /// A transaction may be open that nobody will end.
    unsettled: bool,
    /// How many entries the journal keeps.
    kept: i64,
    /// How many entries have been added since old ones were last looked for.
    since_pruned: i64,
}

impl Writer {
    pub(crate) fn new(connection: SqliteConnection) -> Self {
        Writer {
            connection,
            next: None,
            has_written: false,
            is_careful: false,
            unsettled: false,
            kept: KEPT,
            since_pruned: PRUNED_AT_ONCE,
        }
    }

    /// Keeps so many entries only.
    #[cfg(test)]
    pub(crate) fn keep(&mut self, kept: i64) {
        self.kept = kept;
    }

    /// The connection, without anything half done on it.
    pub(crate) async fn settled(&mut self) -> &mut SqliteConnection {
        if self.unsettled {
            // It is refused where the transaction has ended after all; then there is nothing to take back.
            let _ = sqlx::query("ROLLBACK").execute(&mut self.connection).await;
            self.unsettled = false;
        }
        &mut self.connection
    }

    /// Writes a batch, whole or not at all.
    pub(crate) async fn write(&mut self, batch: Batch, now: Timestamp) -> Result<Vec<Seq>, sqlx::Error> {
        self.settled().await;
        if self.has_written {
            self.be_careful().await?;
        }
        let first = match self.next.take() {
            Some(next) => next,
            None => last(&mut self.connection).await? + 1,
        };
        let added = i64::try_from(batch.entries.len()).unwrap_or(i64::MAX);
        self.unsettled = true;
        if let Err(refusal) = self.transaction(batch, first, added, now).await {
            self.settled().await;
            return Err(refusal);
        }
        self.unsettled = false;
        self.has_written = true;
        self.next = Some(first + added);
        Ok((first..first + added).collect())
    }

    /// From now on it is waited for the disk where that matters.
    async fn be_careful(&mut self) -> Result<(), sqlx::Error> {
        if !self.is_careful {
            sqlx::raw_sql(FROM_THEN_ON).execute(&mut self.connection).await?;
            self.is_careful = true;
        }
        Ok(())
    }

    async fn transaction(
        &mut self,
        batch: Batch,
        first: Seq,
        added: i64,
        now: Timestamp,
    ) -> Result<(), sqlx::Error> {
        let to = &mut self.connection;
        let now = now.as_millisecond();
        sqlx::query("BEGIN").execute(&mut *to).await?;
        let mut next = first;
        let mut entries = batch.entries.into_iter().peekable();
        while entries.peek().is_some() {
            next = insert(to, next, now, entries.by_ref().take(ROWS)).await?;
        }
        for outcome in batch.outcomes {
            settle(to, outcome, now).await?;
        }
        write_records(to, batch.records).await?;
        let since_pruned = self.since_pruned + added;
        let left = if since_pruned >= PRUNED_AT_ONCE {
            prune(to, first + added - 1 - self.kept, since_pruned).await?
        } else {
            since_pruned
        };
        sqlx::query("COMMIT").execute(&mut *to).await?;
        self.since_pruned = left;
        Ok(())
    }

    /// Moves everything into the one file, and closes it.
    pub(crate) async fn close(mut self) -> Result<(), sqlx::Error> {
        self.settled().await;
        self.be_careful().await?;
        let moved = sqlx::raw_sql("PRAGMA wal_checkpoint(TRUNCATE)")
            .execute(&mut self.connection)
            .await;
        self.connection.close().await?;
        moved.map(|_| ())
    }
}

/// The number of the last entry; 0 where there is none.
async fn last(connection: &mut SqliteConnection) -> Result<Seq, sqlx::Error> {
    let query = sqlx::query("SELECT max(seq) FROM journal");
    let last: Option<Seq> = query.fetch_one(connection).await?.try_get(0)?;
    Ok(last.unwrap_or(0))
}

/// Adds some entries, the first of them with this number, and answers with the number after theirs.
async fn insert(
    to: &mut SqliteConnection,
    first: Seq,
    now: i64,
    entries: impl Iterator<Item = Entry>,
) -> Result<Seq, sqlx::Error> {
    let mut text = QueryBuilder::new("INSERT INTO journal (seq, at, what, subject, body, because, intent) ");
    let mut next = first;
    text.push_values(entries, |mut row, entry| {
        row.push_bind(next)
            .push_bind(now)
            .push_bind(entry.what)
            .push_bind(entry.subject)
            .push_bind(entry.body.to_string())
            .push_bind(entry.because)
            .push_bind(i64::from(entry.intent));
        next += 1;
    });
    // Only the text for a single entry comes again and again.
    text.build().persistent(next == first + 1).execute(to).await?;
    Ok(next)
}

async fn settle(to: &mut SqliteConnection, outcome: Outcome, now: i64) -> Result<(), sqlx::Error> {
    let query = sqlx::query(OUTCOME)
        .bind(i64::from(outcome.done))
        .bind(now)
        .bind(outcome.body.to_string())
        .bind(outcome.of);
    query.execute(to).await.map(|_| ())
}

/// Writes and removes records, in their order. Many that stand one behind the other are written by one statement: each
/// statement waits for its turn.
async fn write_records(
    to: &mut SqliteConnection,
    records: Vec<(String, String, Option<Value>)>,
) -> Result<(), sqlx::Error> {
    let mut waiting: Vec<(String, String, String)> = Vec::new();
    for (kind, name, body) in records {
        match body {
            Some(body) => waiting.push((kind, name, body.to_string())),
            None => {
                keep_records(to, std::mem::take(&mut waiting)).await?;
                let query = sqlx::query(NO_RECORD).bind(kind).bind(name);
                query.execute(&mut *to).await?;
            }
        }
        if waiting.len() == ROWS {
            keep_records(to, std::mem::take(&mut waiting)).await?;
        }
    }
    keep_records(to, waiting).await
}

async fn keep_records(
    to: &mut SqliteConnection,
    records: Vec<(String, String, String)>,
) -> Result<(), sqlx::Error> {
    if records.is_empty() {
        return Ok(());
    }
    let alone = records.len() == 1;
    let mut text = QueryBuilder::new("INSERT INTO record (kind, name, body) ");
    text.push_values(records, |mut row, (kind, name, body)| {
        row.push_bind(kind).push_bind(name).push_bind(body);
    });
    text.push(" ON CONFLICT (kind, name) DO UPDATE SET body = excluded.body");
    text.build().persistent(alone).execute(to).await.map(|_| ())
}

/// Removes some of the oldest entries up to this number, and says how many more may wait to be removed: as good as none, or
/// enough that the next batch looks again.
async fn prune(to: &mut SqliteConnection, up_to: Seq, added: i64) -> Result<i64, sqlx::Error> {
    if up_to <= 0 {
        return Ok(0);
    }
    let most = (2 * added).max(2 * PRUNED_AT_ONCE);
    let query = sqlx::query(PRUNE).bind(up_to).bind(most);
    let removed = query.execute(to).await?.rows_affected();
    let full = i64::try_from(removed).is_ok_and(|removed| removed == most);
    Ok(if full { PRUNED_AT_ONCE } else { 0 })
}
