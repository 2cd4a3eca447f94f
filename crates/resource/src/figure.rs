//! Asking a store for a number: a query of somebody else's, which can neither change anything nor take long.

use crate::connect::Place;
use crate::redis::resp::{Connection, Reply};
use crate::{Kind, ResourceError};
use sqlx::{Connection as _, PgConnection, Row};
use std::time::Duration;
use towpath_model::Sealed;

/// What a query has answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Figure {
    /// One value: as text, and its type as Postgres calls it. No text is `NULL`.
    Value {
        /// The value.
        text: Option<String>,
        /// Its type: `bigint`, `numeric`, `interval`.
        kind: String,
    },
    /// No row.
    Nothing,
    /// More than one row.
    Rows,
    /// One row of several columns.
    Columns(i64),
}

/// Asks a database for one value. `values` are bound to `$1`, `$2` and so on, as texts: they never become part of the query.
///
/// It runs in a transaction that may only read, and the server itself ends it after the time that it has.
pub async fn figure(
    address: &Sealed<String>,
    query: &str,
    values: &[String],
    bound: Duration,
) -> Result<Figure, ResourceError> {
    let place = Place::read(address)?;
    let asked = async {
        let mut connection = place.postgres(bound).await?;
        let figure = ask(&place, &mut connection, query, values, bound).await;
        // It ends anyway.
        let _ = connection.close().await;
        figure
    };
    within(&place, bound, asked).await
}

async fn within<T>(
    place: &Place,
    bound: Duration,
    asked: impl Future<Output = Result<T, ResourceError>>,
) -> Result<T, ResourceError> {
    // The server's own bound comes first, and says more.
    let asked = tokio::time::timeout(bound + Duration::from_millis(500), asked).await;
    asked.unwrap_or_else(|_| {
        Err(ResourceError::Unreachable {
            at: place.to_string(),
            why: format!("no answer within {bound:?}"),
        })
    })
}

async fn ask(
    place: &Place,
    connection: &mut PgConnection,
    query: &str,
    values: &[String],
    bound: Duration,
) -> Result<Figure, ResourceError> {
    let failed = |doing: &str, why: &sqlx::Error| ResourceError::Store {
        doing: doing.to_owned(),
        at: place.to_string(),
        said: match why {
            sqlx::Error::Database(said) => said.message().to_owned(),
            other => other.to_string(),
        },
    };
    let millis = bound.as_millis().clamp(1, 86_400_000);
    let begin =
        format!("BEGIN READ ONLY; SET LOCAL statement_timeout = {millis}; SET LOCAL lock_timeout = {millis}");
    let begun = sqlx::raw_sql(sqlx::AssertSqlSafe(begin))
        .execute(&mut *connection)
        .await;
    begun.map_err(|why| failed("beginning to read", &why))?;
    // Every type is a text here, and what is not one value of one row is seen. The last line of the query may be a comment.
    let query = query.trim().trim_end_matches(';');
    let whole = format!(
        "SELECT asked.value::text, pg_typeof(asked.value)::text, \
         (SELECT count(*) FROM json_object_keys(row_to_json(asked))) \
         FROM (\n{query}\n) AS asked(value) LIMIT 2"
    );
    let mut asked = sqlx::query(sqlx::AssertSqlSafe(whole)).persistent(false);
    for value in values {
        asked = asked.bind(value.as_str());
    }
    let rows = asked.fetch_all(&mut *connection).await;
    let rows = rows.map_err(|why| failed("the query", &why))?;
    match rows.as_slice() {
        [] => Ok(Figure::Nothing),
        [row] => {
            let unread = |why: sqlx::Error| failed("reading the answer", &why);
            let columns: i64 = row.try_get(2).map_err(unread)?;
            if columns > 1 {
                return Ok(Figure::Columns(columns));
            }
            Ok(Figure::Value {
                text: row.try_get(0).map_err(unread)?,
                kind: row.try_get(1).map_err(unread)?,
            })
        }
        _ => Ok(Figure::Rows),
    }
}

/// Says some commands to Redis, one after the other, and hears their answers. A refusal ends it.
pub async fn say(
    address: &Sealed<String>,
    commands: &[&[&str]],
    bound: Duration,
) -> Result<Vec<Reply>, ResourceError> {
    let place = Place::read(address)?;
    if place.kind != Kind::Redis {
        return Err(ResourceError::Address {
            kind: Kind::Redis.to_string(),
            why: "it is that of another kind of store".to_owned(),
        });
    }
    let said = async {
        let mut connection = Connection::open(&place, bound).await?;
        let mut replies = Vec::new();
        for command in commands {
            let first = command.first().copied().unwrap_or_default();
            replies.push(connection.must(first, command).await?);
        }
        Ok(replies)
    };
    within(&place, bound, said).await
}
