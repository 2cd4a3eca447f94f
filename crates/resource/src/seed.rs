//! Seeds: what a fresh store is filled with, once.
//!
//! That a store has been filled is written in the store. A file goes in whole, together with that mark, or not at all. A
//! command fills it by itself: when it fails or is interrupted it runs again the next time, and has to bear that.

use crate::connect::Place;
use crate::door::{clock, commands, files};
use crate::error::Stays;
use crate::migrate::{self, Bounds, Command, History, Tell, split};
use crate::redis::resp::{Connection, Reply};
use crate::{Kind, ResourceError};
use std::future::Future;
use std::path::Path;
use towpath_model::Sealed;

/// The name of the mark in Postgres, and that of the key in Redis.
const MARK: &str = "seed";
/// The name of the mark of the rows of an environment, in Postgres.
const LOADED: &str = "load";
const KEY: &str = "towpath:seed";

/// What a store is filled with.
#[derive(Debug, Clone)]
pub enum Seed {
    /// A file: SQL for Postgres (also as `pg_dump` writes it), commands for Redis, one a line.
    File {
        /// Its name, as it is told.
        name: String,
        /// What it says.
        text: String,
    },
    /// A command.
    Command(Command),
}

impl Seed {
    /// Reads a file.
    pub fn file(path: &Path) -> Result<Seed, ResourceError> {
        let text = files::read(path).map_err(ResourceError::files("reading", path))?;
        let name = path.file_name().unwrap_or(path.as_os_str()).display().to_string();
        match text {
            Some(text) => Ok(Seed::File { name, text }),
            None => Err(ResourceError::Unread {
                problems: vec![format!("{} is not there", path.display())],
            }),
        }
    }

    /// Says what it was, for whoever looks into the store.
    fn digest(&self) -> String {
        let text = match self {
            Seed::File { text, .. } => text,
            Seed::Command(command) => &command.line,
        };
        blake3::hash(text.as_bytes()).to_hex().to_string()
    }
}

/// What came of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Seeded {
    /// It was filled now.
    Now,
    /// It had been filled before.
    Before,
}

/// Where it stands that a store has been filled: in the store itself. Other kinds of stores bring their own.
pub trait Mark: Send {
    /// Whether it has been filled.
    fn is_there(&mut self) -> impl Future<Output = Result<bool, ResourceError>> + Send;

    /// Writes down that it has, and by what.
    fn set(&mut self, digest: &str) -> impl Future<Output = Result<(), ResourceError>> + Send;
}

/// Fills a store by a command, unless it has been filled.
pub async fn by_command(
    mark: &mut impl Mark,
    command: &Command,
    tell: Tell<'_>,
) -> Result<Seeded, ResourceError> {
    if mark.is_there().await? {
        return Ok(Seeded::Before);
    }
    commands::run(command, tell).await?;
    mark.set(&Seed::Command(command.clone()).digest()).await?;
    Ok(Seeded::Now)
}

/// Fills a Postgres or Redis, unless it has been filled.
pub async fn seed(
    address: &Sealed<String>,
    seed: &Seed,
    bounds: Bounds,
    tell: Tell<'_>,
) -> Result<Seeded, ResourceError> {
    let place = Place::read(address)?;
    match place.kind {
        Kind::Postgres => {
            let mut history = History::locked(address, bounds).await?;
            let seeded = match seed {
                Seed::File { name, text } => {
                    postgres(&mut history, MARK, (name, text), &seed.digest(), bounds).await
                }
                Seed::Command(command) => by_command(&mut history, command, tell).await,
            }?;
            history.close().await;
            Ok(seeded)
        }
        Kind::Redis => {
            let mut connection = Connection::open(&place, bounds.connect).await?;
            match seed {
                Seed::File { name, text } => redis(&mut connection, name, text, &seed.digest()).await,
                Seed::Command(command) => by_command(&mut connection, command, tell).await,
            }
        }
    }
}

/// Fills a Postgres with the rows of an environment, unless it has been: that has a mark of its own, beside that of the seed.
pub async fn load(address: &Sealed<String>, path: &Path, bounds: Bounds) -> Result<Seeded, ResourceError> {
    let mut history = History::locked(address, bounds).await?;
    if !history.ran(LOADED).await?.is_empty() {
        history.close().await;
        return Ok(Seeded::Before);
    }
    let rows = Seed::file(path)?;
    let Seed::File { name, text } = &rows else {
        return Ok(Seeded::Before);
    };
    let seeded = postgres(&mut history, LOADED, (name, text), &rows.digest(), bounds).await?;
    history.close().await;
    Ok(seeded)
}

impl Mark for History {
    async fn is_there(&mut self) -> Result<bool, ResourceError> {
        Ok(!self.ran(MARK).await?.is_empty())
    }

    async fn set(&mut self, digest: &str) -> Result<(), ResourceError> {
        self.mark(MARK, digest, 0).await
    }
}

impl Mark for Connection {
    async fn is_there(&mut self) -> Result<bool, ResourceError> {
        let there = self.must("looking for the seed", &["EXISTS", KEY]).await?;
        Ok(there == Reply::Number(1))
    }

    async fn set(&mut self, digest: &str) -> Result<(), ResourceError> {
        self.must("writing down the seed", &["SET", KEY, digest])
            .await
            .map(|_| ())
    }
}

async fn postgres(
    history: &mut History,
    mark: &str,
    (name, text): (&str, &str),
    digest: &str,
    bounds: Bounds,
) -> Result<Seeded, ResourceError> {
    if !history.ran(mark).await?.is_empty() {
        return Ok(Seeded::Before);
    }
    let text = text.trim_start_matches('\u{feff}');
    let unread = |(line, why): (u32, String)| ResourceError::Unread {
        problems: vec![format!("{name}:{line}: {why}")],
    };
    let statements = split::split(text).map_err(unread)?;
    if let Some(statement) = statements.iter().find(|one| migrate::ends_transaction(one)) {
        let why = "begins or ends a transaction, and a seed runs in one already; leave it out";
        return Err(unread((statement.line, why.to_owned())));
    }
    let start = clock::start();
    history.run("beginning a transaction", "BEGIN").await?;
    let ran = migrate::statements(history, &statements).await;
    ran.map_err(|failure| failure.told(name, Stays::Nothing, bounds))?;
    history
        .mark(mark, digest, clock::milliseconds_since(start))
        .await?;
    history.run("keeping the seed", "COMMIT").await?;
    Ok(Seeded::Now)
}

async fn redis(
    connection: &mut Connection,
    name: &str,
    text: &str,
    digest: &str,
) -> Result<Seeded, ResourceError> {
    if connection.is_there().await? {
        return Ok(Seeded::Before);
    }
    let failed = |line: u32, said: &str| ResourceError::Statement {
        file: name.to_owned(),
        line,
        said: said.to_owned(),
        stays: Stays::Nothing,
    };
    let commands = commands_of(text).map_err(|line| failed(line, "a mark is not closed"))?;
    connection.must("beginning a transaction", &["MULTI"]).await?;
    for (line, words) in &commands {
        let queued = connection.call(words).await?;
        if let Some(said) = queued.refusal() {
            // The connection ends, and with it what was begun.
            return Err(failed(*line, said));
        }
    }
    connection
        .must("writing down the seed", &["SET", KEY, digest])
        .await?;
    let done = connection.call(&["EXEC"]).await?;
    let Reply::List(replies) = &done else {
        return Err(failed(1, done.refusal().unwrap_or("it was not carried out")));
    };
    let refused = replies.iter().zip(&commands);
    let refused = refused.filter_map(|(reply, (line, _))| Some((*line, reply.refusal()?)));
    if let Some((line, said)) = refused.into_iter().next() {
        // Redis takes nothing back. Without the mark it is told again, and not taken for filled.
        connection.must("taking back the mark", &["DEL", KEY]).await?;
        return Err(ResourceError::Statement {
            file: name.to_owned(),
            line,
            said: said.to_owned(),
            stays: Stays::AllOthers,
        });
    }
    Ok(Seeded::Now)
}

type Words = Vec<Vec<u8>>;

/// The commands of a text, a line each with its number, in words as `redis-cli` reads them; otherwise the line at which that
/// cannot be done. Lines that begin with `#` are comments.
fn commands_of(text: &str) -> Result<Vec<(u32, Words)>, u32> {
    let mut commands = Vec::new();
    for (number, line) in (1..).zip(text.trim_start_matches('\u{feff}').lines()) {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        commands.push((number, words_of(line.as_bytes()).ok_or(number)?));
    }
    Ok(commands)
}

fn words_of(mut rest: &[u8]) -> Option<Words> {
    let mut words = Vec::new();
    loop {
        rest = rest.trim_ascii_start();
        let Some(first) = rest.first() else {
            return Some(words);
        };
        let (word, after) = match first {
            b'"' => marked(&rest[1..], b'"')?,
            b'\'' => marked(&rest[1..], b'\'')?,
            _ => {
                let end = rest.iter().position(u8::is_ascii_whitespace);
                let (word, after) = rest.split_at(end.unwrap_or(rest.len()));
                (word.to_vec(), after)
            }
        };
        words.push(word);
        rest = after;
    }
}

/// A word in marks, and what follows it. In double ones a backslash changes what comes after it.
fn marked(mut rest: &[u8], mark: u8) -> Option<(Vec<u8>, &[u8])> {
    let mut word = Vec::new();
    loop {
        rest = match rest {
            [first, after @ ..] if *first == mark => {
                let ends = after.first().is_none_or(u8::is_ascii_whitespace);
                return ends.then_some((word, after));
            }
            [b'\\', b'x', high, low, after @ ..]
                if mark == b'"' && high.is_ascii_hexdigit() && low.is_ascii_hexdigit() =>
            {
                let digit = |byte: &u8| {
                    char::from(*byte)
                        .to_digit(16)
                        .and_then(|digit| u8::try_from(digit).ok())
                };
                word.push(digit(high)? * 16 + digit(low)?);
                after
            }
            [b'\\', next, after @ ..] if mark == b'"' || *next == b'\'' => {
                word.push(match next {
                    b'n' if mark == b'"' => b'\n',
                    b'r' if mark == b'"' => b'\r',
                    b't' if mark == b'"' => b'\t',
                    other => *other,
                });
                after
            }
            [byte, after @ ..] => {
                word.push(*byte);
                after
            }
            [] => return None,
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_a_command_as_it_would_be_typed() {
        let text = "# zones\nSET zone:1 \"North \\\"quay\\\"\\n\\x00\"\n\n  HSET a 'it\\'s' x\"y  \n";
        let words = |words: &[&[u8]]| words.iter().map(|word| word.to_vec()).collect::<Words>();
        assert_eq!(
            commands_of(text),
            Ok(vec![
                (2, words(&[b"SET", b"zone:1", b"North \"quay\"\n\0"])),
                (4, words(&[b"HSET", b"a", b"it's", b"x\"y"])),
            ])
        );
        assert_eq!(commands_of("SET a 1\nSET b \"open"), Err(2));
        assert_eq!(commands_of("SET b 'a'b"), Err(1));
    }
}
