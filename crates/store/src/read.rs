//! Reading back what was written.

use crate::{Entry, Outcome, Written};
use jiff::Timestamp;
use serde_json::Value;
use sqlx::Row;
use sqlx::sqlite::{SqliteConnection, SqliteRow};

type Read<T> = Result<T, sqlx::Error>;

const OPEN: &str = "SELECT seq, at, what, subject, body, because, intent, done, outcome FROM journal \
    WHERE intent = 1 AND done IS NULL ORDER BY seq";
const NEWEST: &str = "SELECT seq, at, what, subject, body, because, intent, done, outcome FROM journal \
    ORDER BY seq DESC LIMIT $1";
const NEWEST_OF_SUBJECT: &str = "SELECT seq, at, what, subject, body, because, intent, done, outcome FROM journal \
    WHERE subject = $1 ORDER BY seq DESC LIMIT $2";
const RECORDS: &str = "SELECT name, body FROM record WHERE kind = $1 ORDER BY name";

pub(crate) async fn open_intents(connection: &mut SqliteConnection) -> Read<Vec<Written>> {
    let rows = sqlx::query(OPEN).fetch_all(connection).await?;
    rows.iter().map(written).collect()
}

pub(crate) async fn newest(
    connection: &mut SqliteConnection,
    subject: Option<&str>,
    most: u32,
) -> Read<Vec<Written>> {
    let query = match subject {
        Some(subject) => sqlx::query(NEWEST_OF_SUBJECT).bind(subject.to_owned()),
        None => sqlx::query(NEWEST),
    };
    let rows = query.bind(i64::from(most)).fetch_all(connection).await?;
    rows.iter().rev().map(written).collect()
}

pub(crate) async fn records(connection: &mut SqliteConnection, kind: &str) -> Read<Vec<(String, Value)>> {
    let query = sqlx::query(RECORDS).bind(kind.to_owned());
    let rows = query.fetch_all(connection).await?;
    rows.iter()
        .map(|row| Ok((row.try_get(0)?, json(row.try_get(1)?)?)))
        .collect()
}

/// An entry from the columns that all three queries name.
fn written(row: &SqliteRow) -> Read<Written> {
    let seq = row.try_get(0)?;
    let done: Option<i64> = row.try_get(7)?;
    let outcome = match done {
        Some(done) => Some(Outcome {
            of: seq,
            done: done != 0,
            body: json(row.try_get(8)?)?,
        }),
        None => None,
    };
    Ok(Written {
        seq,
        at: Timestamp::from_millisecond(row.try_get(1)?).map_err(unreadable)?,
        entry: Entry {
            what: row.try_get(2)?,
            subject: row.try_get(3)?,
            body: json(row.try_get(4)?)?,
            because: row.try_get(5)?,
            intent: row.try_get::<i64, _>(6)? != 0,
        },
        outcome,
    })
}

fn json(text: &str) -> Read<Value> {
    serde_json::from_str(text).map_err(unreadable)
}

fn unreadable(why: impl std::error::Error + Send + Sync + 'static) -> sqlx::Error {
    sqlx::Error::Decode(Box::new(why))
}
