//! Asking a store something for somebody: statements of SQL, and a job on a list.

use crate::connect::Place;
use crate::redis::resp::{Connection as Redis, Reply};
use crate::{Kind, ResourceError};
use futures_util::TryStreamExt;
use sqlx::postgres::{PgConnection, PgRow};
use sqlx::{Column, Connection, Either, Executor, Row, ValueRef};
use std::time::Duration;
use towpath_model::Sealed;
use towpath_model::desired::resource::ResourceKind;

/// The longest text of a column that is kept; somebody compares it with a line of a manifest.
const LONGEST: usize = 64 * 1024;

/// Where a store is, and what must not be told of how one gets in.
#[derive(Debug, Clone)]
pub struct Reached {
    /// What it is.
    pub kind: ResourceKind,
    /// Its host.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// What opens it.
    pub password: Sealed<String>,
}

/// What an address says.
pub fn reached(address: &Sealed<String>) -> Result<Reached, ResourceError> {
    let place = Place::read(address)?;
    Ok(Reached {
        kind: match place.kind {
            Kind::Postgres => ResourceKind::Postgres,
            Kind::Redis => ResourceKind::Redis,
        },
        host: place.host,
        port: place.port,
        password: place.password,
    })
}

/// What statements have answered.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Rows {
    /// How many rows the last of them has answered or changed.
    pub count: u64,
    /// The columns of the first row that came, as texts.
    pub first: Vec<(String, Option<String>)>,
}

/// Runs statements in a Postgres, for so long at most: the server gives up by itself, too.
pub async fn query(address: &Sealed<String>, sql: &str, bound: Duration) -> Result<Rows, ResourceError> {
    let place = Place::read(address)?;
    let asked = async {
        let mut connection = place.postgres(bound).await?;
        let rows = ask(&place, &mut connection, sql, bound).await;
        // It ends anyway.
        let _ = connection.close().await;
        rows
    };
    bounded(&place, bound, asked).await
}

async fn ask(
    place: &Place,
    connection: &mut PgConnection,
    sql: &str,
    bound: Duration,
) -> Result<Rows, ResourceError> {
    let failed = |why: sqlx::Error| ResourceError::Store {
        doing: "the query".to_owned(),
        at: place.to_string(),
        said: match why {
            sqlx::Error::Database(said) => said.message().to_owned(),
            other => other.to_string(),
        },
    };
    let own = format!(
        "SET statement_timeout = {}",
        bound.as_millis().clamp(1, 86_400_000)
    );
    let own = sqlx::raw_sql(sqlx::AssertSqlSafe(own));
    own.execute(&mut *connection).await.map_err(failed)?;
    let mut rows = Rows::default();
    {
        // It is the manifest's own text.
        let sql = sqlx::raw_sql(sqlx::AssertSqlSafe(sql.to_owned()));
        let mut answers = connection.fetch_many(sql);
        while let Some(answer) = answers.try_next().await.map_err(failed)? {
            match answer {
                Either::Left(done) => rows.count = done.rows_affected(),
                Either::Right(row) if rows.first.is_empty() => rows.first = columns(&row),
                Either::Right(_) => {}
            }
        }
    }
    // Behind a pooler the next one is somebody else.
    let reset = sqlx::raw_sql("RESET statement_timeout");
    let _ = reset.execute(&mut *connection).await;
    Ok(rows)
}

fn columns(row: &PgRow) -> Vec<(String, Option<String>)> {
    let columns = row.columns().iter().enumerate();
    let texts = columns.map(|(index, column)| {
        let value = row.try_get_raw(index).ok().filter(|value| !value.is_null());
        let text = value.and_then(|value| value.as_str().ok().map(|text| cut(text).to_owned()));
        (column.name().to_owned(), text)
    });
    texts.collect()
}

fn cut(text: &str) -> &str {
    match text.len() {
        0..=LONGEST => text,
        _ => &text[..text.floor_char_boundary(LONGEST)],
    }
}

/// Puts a text at the beginning of a list in Redis, where workers take from the end. How many lie there then.
pub async fn push(
    address: &Sealed<String>,
    list: &str,
    text: &str,
    bound: Duration,
) -> Result<i64, ResourceError> {
    let place = Place::read(address)?;
    if place.kind != Kind::Redis {
        return Err(ResourceError::Address {
            kind: Kind::Redis.to_string(),
            why: "it is that of another kind of store".to_owned(),
        });
    }
    let asked = async {
        let mut connection = Redis::open(&place, bound).await?;
        match connection.must("putting a job", &["LPUSH", list, text]).await? {
            Reply::Number(count) => Ok(count),
            _ => Err(ResourceError::Store {
                doing: "putting a job".to_owned(),
                at: place.to_string(),
                said: "it does not say how many jobs wait".to_owned(),
            }),
        }
    };
    bounded(&place, bound, asked).await
}

async fn bounded<T>(
    place: &Place,
    bound: Duration,
    asked: impl Future<Output = Result<T, ResourceError>>,
) -> Result<T, ResourceError> {
    let asked = tokio::time::timeout(bound, asked).await;
    asked.unwrap_or_else(|_| {
        Err(ResourceError::Unreachable {
            at: place.to_string(),
            why: format!("no answer within {bound:?}"),
        })
    })
}
