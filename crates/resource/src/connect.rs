//! Where a store is, and how one gets in: what an address says, and connections to Postgres.

use crate::{Kind, ResourceError};
use sqlx::postgres::{PgConnectOptions, PgConnection};
use sqlx::{ConnectOptions, Connection};
use std::fmt;
use std::time::Duration;
use towpath_model::Sealed;
use url::Url;

/// Where a store is, and how one gets in. Shown, it is host, port and name, and nothing secret.
#[derive(Debug, Clone)]
pub(crate) struct Place {
    pub(crate) kind: Kind,
    pub(crate) host: String,
    pub(crate) port: u16,
    pub(crate) user: String,
    pub(crate) password: Sealed<String>,
    /// The database: a name for Postgres, a number for Redis.
    pub(crate) name: String,
    /// Whether the connection is encrypted. Of Postgres the address itself is read again, for it may say more about that.
    pub(crate) tls: bool,
    address: Sealed<String>,
}

impl Place {
    /// Reads an address: `postgres://user:password@host:port/name`, `redis://:password@host:port/0`.
    pub(crate) fn read(address: &Sealed<String>) -> Result<Place, ResourceError> {
        let wrong = |kind: &str, why: &str| ResourceError::Address {
            kind: kind.to_owned(),
            why: why.to_owned(),
        };
        let url = Url::parse(address.open().trim()).map_err(|why| wrong("store", &why.to_string()))?;
        let (kind, tls) = match url.scheme() {
            "postgres" | "postgresql" => (Kind::Postgres, false),
            "redis" | "valkey" => (Kind::Redis, false),
            "rediss" | "valkeys" => (Kind::Redis, true),
            _ => return Err(wrong("store", "it begins with neither postgres:// nor redis://")),
        };
        let named = kind.to_string();
        let plain = |text: &str| plain(text).ok_or_else(|| wrong(&named, "it is not UTF-8"));
        let host = url.host_str().unwrap_or_default();
        if host.is_empty() {
            return Err(wrong(&named, "it names no host"));
        }
        Ok(Place {
            kind,
            host: plain(host.trim_start_matches('[').trim_end_matches(']'))?,
            port: url.port().unwrap_or(match kind {
                Kind::Postgres => 5432,
                Kind::Redis => 6379,
            }),
            user: plain(url.username())?,
            password: Sealed::new(plain(url.password().unwrap_or_default())?),
            name: plain(url.path().trim_start_matches('/'))?,
            tls,
            address: Sealed::new(address.open().trim().to_owned()),
        })
    }

    /// Connects to Postgres.
    pub(crate) async fn postgres(&self, bound: Duration) -> Result<PgConnection, ResourceError> {
        let at = || self.to_string();
        if self.kind != Kind::Postgres {
            return Err(ResourceError::Address {
                kind: Kind::Postgres.to_string(),
                why: "it is that of another kind of store".to_owned(),
            });
        }
        let options: PgConnectOptions = self.address.open().parse().map_err(|_| ResourceError::Address {
            kind: Kind::Postgres.to_string(),
            why: "a setting in it is not known".to_owned(),
        })?;
        // What is only passed through by a pooler has no prepared statements.
        let options = options.statement_cache_capacity(0).application_name("towpath");
        let options = options.disable_statement_logging();
        match tokio::time::timeout(bound, PgConnection::connect_with(&options)).await {
            Err(_) => Err(ResourceError::Unreachable {
                at: at(),
                why: format!("no answer within {bound:?}"),
            }),
            Ok(Err(refusal)) => Err(not_connected(at(), refusal)),
            Ok(Ok(connection)) => Ok(connection),
        }
    }
}

fn not_connected(at: String, refusal: sqlx::Error) -> ResourceError {
    match refusal {
        sqlx::Error::Database(said) => match said.code().as_deref() {
            // It starts, it is full, it ends: it is there, and may let us in later.
            Some("57P03" | "53300" | "57P01") => ResourceError::Unreachable {
                at,
                why: said.message().to_owned(),
            },
            _ => ResourceError::Refused {
                at,
                said: said.message().to_owned(),
            },
        },
        sqlx::Error::Io(why) => ResourceError::Unreachable {
            at,
            why: why.to_string(),
        },
        other => ResourceError::Unreachable {
            at,
            why: other.to_string(),
        },
    }
}

/// `a b` of `a%20b`.
fn plain(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        let hexadecimal = |byte: Option<u8>| byte.and_then(|byte| char::from(byte).to_digit(16));
        let mut ahead = rest.clone();
        match (byte, hexadecimal(ahead.next()), hexadecimal(ahead.next())) {
            (b'%', Some(high), Some(low)) => {
                bytes.push(u8::try_from(high * 16 + low).ok()?);
                rest = ahead;
            }
            _ => bytes.push(byte),
        }
    }
    String::from_utf8(bytes).ok()
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} at {}:{}", self.kind, self.host, self.port)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(address: &str) -> Result<Place, ResourceError> {
        Place::read(&Sealed::new(address.to_owned()))
    }

    #[test]
    fn an_address_says_where_and_as_whom() {
        let place = read("postgres://app:a%20b%2F@db.example.com/shop?sslmode=require").unwrap();
        assert_eq!(place.to_string(), "Postgres at db.example.com:5432");
        assert_eq!((place.user.as_str(), place.name.as_str()), ("app", "shop"));
        assert_eq!(place.password.open(), "a b/");
        let place = read("rediss://:secret@[::1]:6390/3\n").unwrap();
        assert_eq!((place.host.as_str(), place.port, place.tls), ("::1", 6390, true));
        assert_eq!((place.user.as_str(), place.name.as_str()), ("", "3"));
    }

    #[test]
    fn an_address_that_is_none_is_told_without_showing_it() {
        for address in [
            "hunter2",
            "mysql://a:hunter2@b/c",
            "postgres:///hunter2",
            "redis://:hunter2@h/%ff",
        ] {
            let told = read(address).unwrap_err();
            let told = format!("{told} {:?} {told:?}", told.hint());
            assert!(!told.contains("hunter2"), "{told}");
        }
    }
}
