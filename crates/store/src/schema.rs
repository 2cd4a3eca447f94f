//! The shape of the database, and how an older one becomes a newer one.
//!
//! A migration is a number and a text of SQL. It runs in one transaction together with the change of the version, so a
//! migration that was killed has not happened, and is done again by whoever opens the store next. A shape that is newer
//! than what we know is left alone: an older version cannot know what it would break.
//!
//! The text works on Postgres as well: columns are TEXT, BIGINT or BLOB, a time is milliseconds since 1970, a boolean 0 or
//! 1, and JSON stands in TEXT.

use sqlx::Row;
use sqlx::sqlite::SqliteConnection;

/// A step from one shape to the next.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Migration {
    /// The shape that it leads to; each is one above the one before.
    pub(crate) to: i64,
    /// What is done.
    pub(crate) text: &'static str,
}

/// All steps, in their order. What has been released is never changed.
pub(crate) const MIGRATIONS: &[Migration] = &[Migration { to: 1, text: FIRST }];

/// The number of an entry is given by the writer. An outcome stands beside its intent: it is written once, and read with it.
/// The third index holds only what is under way, so that a start does not look through the journal.
const FIRST: &str = "
CREATE TABLE journal (
    seq BIGINT PRIMARY KEY,
    at BIGINT NOT NULL,
    what TEXT NOT NULL,
    subject TEXT NOT NULL,
    body TEXT NOT NULL,
    because TEXT NOT NULL,
    intent BIGINT NOT NULL,
    done BIGINT,
    ended BIGINT,
    outcome TEXT
);
CREATE INDEX journal_by_subject ON journal (subject, seq);
CREATE INDEX journal_under_way ON journal (seq) WHERE intent = 1 AND done IS NULL;
CREATE TABLE record (
    kind TEXT NOT NULL,
    name TEXT NOT NULL,
    body TEXT NOT NULL,
    PRIMARY KEY (kind, name)
);
";

/// Why a database could not be brought up to date.
#[derive(Debug)]
pub(crate) enum Unmigrated {
    /// It is newer than we are.
    Newer { found: i64, known: i64 },
    /// The database refused.
    Refused(sqlx::Error),
}

impl From<sqlx::Error> for Unmigrated {
    fn from(refusal: sqlx::Error) -> Self {
        Unmigrated::Refused(refusal)
    }
}

/// Brings a database up to the last of these migrations.
pub(crate) async fn migrate(
    connection: &mut SqliteConnection,
    migrations: &'static [Migration],
) -> Result<(), Unmigrated> {
    let known = migrations.last().map_or(0, |last| last.to);
    let mut at = version(connection).await?;
    if at > known {
        return Err(Unmigrated::Newer { found: at, known });
    }
    for migration in migrations {
        if migration.to > at {
            step(connection, at, *migration).await?;
            at = migration.to;
        }
    }
    Ok(())
}

/// SQLite's code for a text that names what is not there.
const NO_SUCH_TABLE: &str = "1";

/// The shape of the database; 0 where it is empty.
async fn version(connection: &mut SqliteConnection) -> Result<i64, sqlx::Error> {
    match sqlx::query("SELECT version FROM shape")
        .fetch_one(connection)
        .await
    {
        Ok(row) => row.try_get(0),
        Err(sqlx::Error::Database(refusal)) if refusal.code().as_deref() == Some(NO_SUCH_TABLE) => Ok(0),
        Err(refusal) => Err(refusal),
    }
}

/// One migration, whole or not at all.
async fn step(connection: &mut SqliteConnection, from: i64, migration: Migration) -> Result<(), sqlx::Error> {
    let Migration { to, text } = migration;
    let moved = if from == 0 {
        format!("CREATE TABLE shape (version BIGINT NOT NULL); INSERT INTO shape VALUES ({to});")
    } else {
        format!("UPDATE shape SET version = {to};")
    };
    // One text, and so one way to the thread of the database and back.
    let whole = format!("BEGIN; {text} {moved} COMMIT;");
    let done = sqlx::raw_sql(sqlx::AssertSqlSafe(whole))
        .execute(&mut *connection)
        .await;
    if let Err(refusal) = done {
        // Where the transaction has already been taken back, there is nothing to take back, and that is what we want.
        let _ = sqlx::raw_sql("ROLLBACK").execute(connection).await;
        return Err(refusal);
    }
    Ok(())
}
