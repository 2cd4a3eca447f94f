//! The rows of a bucket: which objects there are, of what they are made, and what is being uploaded.
//!
//! One SQLite file, one connection, one change at a time. A change is one transaction: an object is there whole or not at all.
//! Content is on the disk before a row names it, and is removed after no row does. `file` counts how many rows name each; a
//! copy costs a row, and an object of many parts keeps them as they came.

mod open;
mod settings;
mod uploads;
mod versions;

pub(crate) use open::{Database, Unopened, open};
pub(crate) use settings::Versioning;
pub(crate) use uploads::{Intent, Part, Upload, body_of};
pub(crate) use versions::{Conditions, Deleted, New, failed, is};

use crate::content::Piece;
use crate::digest::Sum;
use crate::refusal::Refusal;
use serde::{Deserialize, Serialize};
use sqlx::sqlite::{Sqlite, SqliteConnection, SqliteRow};
use sqlx::{Row, Transaction};
use std::collections::BTreeMap;

pub(crate) type Change<'a> = Transaction<'a, Sqlite>;

/// What an object is, besides its key and its content.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Nature {
    /// The headers that are given back: `content-type` and its like.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) headers: BTreeMap<String, String>,
    /// What the client wrote on it.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) user: BTreeMap<String, String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) tags: Vec<(String, String)>,
}

/// Everything about a version that no query asks for.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Body {
    pub(crate) nature: Nature,
    /// Where its content is, in its order.
    pub(crate) pieces: Vec<Piece>,
    pub(crate) sum: Option<Sum>,
    /// The lengths and check sums of the parts that it was uploaded in, where it was.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) parts: Vec<(u64, Option<Sum>)>,
}

impl Body {
    /// Whether all of the content is encrypted.
    pub(crate) fn is_sealed(&self) -> bool {
        !self.pieces.is_empty() && self.pieces.iter().all(|piece| piece.sealed)
    }
}

/// A version of an object, or the mark that it was deleted.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Version {
    pub(crate) seq: i64,
    pub(crate) key: String,
    /// `null` where it was written without versioning.
    pub(crate) id: String,
    pub(crate) latest: bool,
    pub(crate) marker: bool,
    pub(crate) size: u64,
    pub(crate) tag: String,
    /// When it was written, in milliseconds.
    pub(crate) modified: i64,
    /// Since when it is not the latest one.
    pub(crate) replaced: Option<i64>,
}

const COLUMNS: &str = "seq, key, id, latest, marker, size, tag, modified, replaced";

fn version(row: &SqliteRow) -> Result<Version, sqlx::Error> {
    Ok(Version {
        seq: row.try_get(0)?,
        key: row.try_get(1)?,
        id: row.try_get(2)?,
        latest: row.try_get::<i64, _>(3)? != 0,
        marker: row.try_get::<i64, _>(4)? != 0,
        size: u64::try_from(row.try_get::<i64, _>(5)?).unwrap_or(0),
        tag: row.try_get(6)?,
        modified: row.try_get(7)?,
        replaced: row.try_get(8)?,
    })
}

/// The text that comes behind everything that begins so; `None` where nothing does.
pub(crate) fn behind(prefix: &str) -> Option<String> {
    let mut letters: Vec<char> = prefix.chars().collect();
    while let Some(last) = letters.pop() {
        // The numbers of surrogates are no letters.
        let next = if last == '\u{d7ff}' {
            Some('\u{e000}')
        } else {
            char::from_u32(u32::from(last) + 1)
        };
        if let Some(next) = next {
            letters.push(next);
            return Some(letters.into_iter().collect());
        }
    }
    None
}

/// Says that one more row names each of these files, and answers how many bytes are new by that.
async fn name_files(to: &mut SqliteConnection, pieces: &[Piece]) -> Result<u64, sqlx::Error> {
    let mut added = 0;
    for piece in pieces {
        let text = "INSERT INTO file (id, uses, length) VALUES ($1, 1, $2) \
            ON CONFLICT (id) DO UPDATE SET uses = uses + 1 RETURNING uses";
        let query = sqlx::query(text)
            .bind(&piece.file)
            .bind(i64::try_from(piece.length).unwrap_or(i64::MAX));
        let uses: i64 = query.fetch_one(&mut *to).await?.try_get(0)?;
        if uses == 1 {
            added += piece.length;
        }
    }
    Ok(added)
}

/// How many bytes these pieces have.
fn bytes_of(pieces: &[Piece]) -> u64 {
    pieces.iter().map(|piece| piece.length).sum()
}

/// Says that one row less names each of these files, and answers with those that none does any more.
async fn forget_files(to: &mut SqliteConnection, pieces: &[Piece]) -> Result<Vec<Piece>, sqlx::Error> {
    let mut free = Vec::new();
    for piece in pieces {
        let query = sqlx::query("UPDATE file SET uses = uses - 1 WHERE id = $1 RETURNING uses");
        let left: Option<SqliteRow> = query.bind(&piece.file).fetch_optional(&mut *to).await?;
        if left.is_none_or(|left| left.try_get::<i64, _>(0).unwrap_or(0) <= 0) {
            sqlx::query("DELETE FROM file WHERE id = $1")
                .bind(&piece.file)
                .execute(&mut *to)
                .await?;
            free.push(piece.clone());
        }
    }
    Ok(free)
}

fn text(body: &impl Serialize) -> Result<String, Refusal> {
    Ok(serde_json::to_string(body)?)
}

#[cfg(test)]
mod tests {
    use super::behind;

    #[test]
    fn what_comes_behind_a_prefix() {
        assert_eq!(behind("a/").as_deref(), Some("a0"));
        assert_eq!(behind("a\u{10ffff}").as_deref(), Some("b"));
        assert_eq!(behind("\u{d7ff}").as_deref(), Some("\u{e000}"));
        assert_eq!(behind("\u{10ffff}"), None);
        assert_eq!(behind(""), None);
    }
}
