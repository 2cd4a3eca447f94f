//! Looking at a store: what it is, how much it keeps, how many use it.

use crate::connect::Place;
use crate::redis::resp::{Connection, Reply};
use crate::{Kind, ResourceError, major};
use sqlx::{Connection as _, Row};
use std::time::Duration;
use towpath_model::Sealed;

/// How a store is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Facts {
    /// Its version, as it says itself: `15.18`.
    pub version: String,
    /// How much it keeps: on the disk for Postgres, in memory for Redis.
    pub bytes: u64,
    /// How many are connected, without us.
    pub connections: u32,
}

/// Looks at a store, within a time.
pub async fn look(address: &Sealed<String>, bound: Duration) -> Result<Facts, ResourceError> {
    let place = Place::read(address)?;
    let looked = async {
        match place.kind {
            Kind::Postgres => postgres(&place, bound).await,
            Kind::Redis => redis(&place, bound).await,
        }
    };
    let looked = tokio::time::timeout(bound, looked).await;
    looked.unwrap_or_else(|_| {
        Err(ResourceError::Unreachable {
            at: place.to_string(),
            why: format!("no answer within {bound:?}"),
        })
    })
}

/// Whether a store that exists can be reached and used, and is of the version that is wanted.
pub async fn check(
    address: &Sealed<String>,
    version: Option<&str>,
    bound: Duration,
) -> Result<Facts, ResourceError> {
    let place = Place::read(address)?;
    let facts = look(address, bound).await?;
    match version {
        Some(wanted) if major(wanted) != major(&facts.version) => Err(ResourceError::Version {
            at: format!("{}:{}", place.host, place.port),
            kind: place.kind.to_string(),
            found: facts.version,
            wanted: wanted.to_owned(),
        }),
        _ => Ok(facts),
    }
}

async fn postgres(place: &Place, bound: Duration) -> Result<Facts, ResourceError> {
    let mut connection = place.postgres(bound).await?;
    let question = "SELECT current_setting('server_version'), \
                    pg_database_size(current_database()), \
                    (SELECT count(*) FROM pg_stat_activity \
                     WHERE datname = current_database() AND pid <> pg_backend_pid() \
                     AND backend_type = 'client backend')";
    let row = sqlx::raw_sql(question).fetch_one(&mut connection).await;
    let failed = |why: sqlx::Error| ResourceError::Store {
        doing: "looking at it".to_owned(),
        at: place.to_string(),
        said: why.to_string(),
    };
    let row = row.map_err(failed)?;
    let version: String = row.try_get(0).map_err(failed)?;
    let bytes: i64 = row.try_get(1).map_err(failed)?;
    let connections: i64 = row.try_get(2).map_err(failed)?;
    // It ends anyway.
    let _ = connection.close().await;
    Ok(Facts {
        version: version.split_whitespace().next().unwrap_or_default().to_owned(),
        bytes: u64::try_from(bytes).unwrap_or(0),
        connections: u32::try_from(connections).unwrap_or(0),
    })
}

async fn redis(place: &Place, bound: Duration) -> Result<Facts, ResourceError> {
    let mut connection = Connection::open(place, bound).await?;
    match connection.must("looking at it", &["INFO"]).await? {
        Reply::Text(text) => Ok(facts(&text)),
        _ => Err(ResourceError::Store {
            doing: "looking at it".to_owned(),
            at: place.to_string(),
            said: "it says nothing about itself".to_owned(),
        }),
    }
}

/// What a server says of itself, a line each. Valkey gives the version of Redis that it is like, too.
fn facts(text: &str) -> Facts {
    let value = |name: &str| {
        let line = text
            .lines()
            .find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
        line.map(str::trim)
    };
    let version = value("valkey_version").or_else(|| value("redis_version"));
    let number = |name| {
        value(name)
            .and_then(|number| number.parse::<u64>().ok())
            .unwrap_or(0)
    };
    Facts {
        version: version.unwrap_or_default().to_owned(),
        bytes: number("used_memory"),
        connections: u32::try_from(number("connected_clients").saturating_sub(1)).unwrap_or(u32::MAX),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_says_of_itself_what_we_look_for() {
        let text = "# Server\r\nredis_version:7.2.4\r\nvalkey_version:8.0.1\r\n# Clients\r\nconnected_clients:3\r\n\
                    # Memory\r\nused_memory:1048576\r\nused_memory_human:1.00M\r\n";
        assert_eq!(
            facts(text),
            Facts {
                version: "8.0.1".to_owned(),
                bytes: 1_048_576,
                connections: 2,
            }
        );
        assert_eq!(facts("redis_version:7.0.15\r\n").version, "7.0.15");
    }
}
