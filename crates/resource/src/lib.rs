//! What keeps data: Postgres and Redis, prepared, asked, looked at, migrated and filled.
//!
//! A store that we provide is an instance under a keeper like any component. Its keeper starts a command of ours, and that
//! command *prepares*: it finds the server, makes what is not there, writes the configuration, takes the folder's lock. Then
//! it *becomes* the server ([`Exec::exec`]), so that no process of ours stays between a keeper and what it keeps, and the
//! lock is held for exactly as long as any process of the server lives.
//!
//! A store that exists already is only connected to: [`look`] and [`check`] ask it what it is, [`migrate`] and [`seed`]
//! treat it like one of our own. Everything that may run once is written down in the store itself, because it is the store
//! that is then different: a copy of it, restored elsewhere, knows what it has been through.

mod asked;
mod connect;
mod door;
mod error;
mod figure;
mod ground;
mod look;
pub mod migrate;
pub mod postgres;
pub mod redis;
pub mod seed;

pub use asked::{Reached, Rows, push, query, reached};
pub use door::processes::Exec;
pub use error::{ResourceError, Stays};
pub use figure::{Figure, figure, say};
pub use look::{Facts, check, look};
pub use redis::resp::Reply;

use std::fmt;

/// What an answer to a question about health means. The questions are bytes, and the answers are judged by themselves:
/// whoever has a connection can ask.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// It takes requests.
    Ready,
    /// It lives and does not take requests yet: it reads what it kept, or is about to end.
    Starting,
    /// There is more to come before this can be judged.
    Unfinished,
    /// This is not what was asked for.
    Strange(String),
}

/// A kind of server, as people call it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Postgres,
    Redis,
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Kind::Postgres => "Postgres",
            Kind::Redis => "Redis",
        })
    }
}

/// The number of a version that decides whether what it keeps can be read: `16` of `16.2`.
pub(crate) fn major(version: &str) -> Option<u32> {
    let digits = version.trim().trim_start_matches('v');
    let end = digits.find(|letter: char| !letter.is_ascii_digit());
    digits[..end.unwrap_or(digits.len())].parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_number_of_a_version_decides() {
        assert_eq!(major("16"), Some(16));
        assert_eq!(major("15.18 (Debian 15.18-0+deb12u1)"), Some(15));
        assert_eq!(major(" v7.0.15"), Some(7));
        assert_eq!(major("newest"), None);
    }
}
