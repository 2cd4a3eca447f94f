//! Versions: written, replaced, deleted, looked up and listed.

use super::{Body, COLUMNS, Change, Database, Version, Versioning, forget_files, name_files, text, version};
use crate::content::{Piece, new_name};
use crate::refusal::Refusal;
use s3s::S3ErrorCode;
use s3s::dto::ETagCondition;
use sqlx::sqlite::{SqliteConnection, SqliteRow};
use sqlx::{AssertSqlSafe, Connection, Row};

/// What has to be true of the object that is there, for a change to be made.
#[derive(Debug, Clone, Default)]
pub(crate) struct Conditions {
    pub(crate) matches: Option<ETagCondition>,
    pub(crate) matches_not: Option<ETagCondition>,
    /// It is this very version, as it was looked at.
    pub(crate) seq: Option<i64>,
}

/// A version to be written.
#[derive(Debug, Clone)]
pub(crate) struct New {
    pub(crate) key: String,
    pub(crate) size: u64,
    pub(crate) tag: String,
    pub(crate) body: Body,
}

/// What was written.
#[derive(Debug)]
pub(crate) struct Put {
    pub(crate) id: String,
    /// What no row names any more.
    pub(crate) free: Vec<Piece>,
    /// How many bytes it has that no other row had.
    pub(super) added: u64,
}

/// What was deleted.
#[derive(Debug, Default)]
pub(crate) struct Deleted {
    /// The version that was removed, or that marks the deletion.
    pub(crate) id: Option<String>,
    /// That version is a mark of deletion.
    pub(crate) marker: bool,
    pub(crate) free: Vec<Piece>,
}

impl Conditions {
    /// Whether they hold of what is there.
    pub(crate) fn hold(&self, current: Option<&Version>) -> Result<(), Refusal> {
        if self.seq.is_some() && self.seq != current.map(|version| version.seq) {
            return Err(failed("what was looked at"));
        }
        let current = current.filter(|version| !version.marker);
        if let Some(wanted) = &self.matches {
            match current {
                None => {
                    return Err(Refusal::said(
                        S3ErrorCode::NoSuchKey,
                        "there is no object to match",
                    ));
                }
                Some(version) if !is(wanted, &version.tag) => return Err(failed("If-Match")),
                Some(_) => {}
            }
        }
        match (&self.matches_not, current) {
            (Some(unwanted), Some(version)) if is(unwanted, &version.tag) => Err(failed("If-None-Match")),
            _ => Ok(()),
        }
    }
}

/// Whether a condition names this entity tag.
pub(crate) fn is(condition: &ETagCondition, tag: &str) -> bool {
    condition.as_etag().is_none_or(|wanted| wanted.value() == tag)
}

pub(crate) fn failed(which: &str) -> Refusal {
    let words = format!("{which} does not hold of the object that is there");
    Refusal::said(S3ErrorCode::PreconditionFailed, words)
}

impl Database {
    /// The version of this name, or the latest one.
    pub(crate) async fn find(
        &mut self,
        key: &str,
        id: Option<&str>,
    ) -> Result<Option<(Version, Body)>, Refusal> {
        find(&mut self.connection, key, id).await
    }

    /// Writes a version, if the conditions hold.
    pub(crate) async fn put(
        &mut self,
        new: &New,
        conditions: &Conditions,
        versioning: Versioning,
        now: i64,
    ) -> Result<Put, Refusal> {
        let mut change = self.connection.begin().await?;
        let put = put(&mut change, new, conditions, versioning, now, true).await?;
        let bytes = self.held.after(put.added, &put.free)?;
        change.commit().await?;
        self.held.bytes = bytes;
        Ok(put)
    }

    /// Deletes a version, or the object.
    pub(crate) async fn delete(
        &mut self,
        key: &str,
        id: Option<&str>,
        conditions: &Conditions,
        versioning: Versioning,
        now: i64,
    ) -> Result<Deleted, Refusal> {
        let mut change = self.connection.begin().await?;
        let current = find(&mut change, key, id).await?.map(|(version, _)| version);
        conditions.hold(current.as_ref())?;
        let deleted = match id {
            Some(id) => remove(&mut change, key, id).await?,
            None => mark(&mut change, key, versioning, now).await?,
        };
        let bytes = self.held.after(0, &deleted.free)?;
        change.commit().await?;
        self.held.bytes = bytes;
        Ok(deleted)
    }

    /// Writes what a version is, and leaves its content alone.
    pub(crate) async fn rewrite(&mut self, seq: i64, body: &Body) -> Result<(), Refusal> {
        let query = sqlx::query("UPDATE version SET body = $1 WHERE seq = $2")
            .bind(text(body)?)
            .bind(seq);
        query.execute(&mut self.connection).await?;
        Ok(())
    }

    /// The objects whose keys come after one, or at it, in their order.
    pub(crate) async fn objects(
        &mut self,
        from: &str,
        including: bool,
        until: Option<&str>,
        most: i64,
    ) -> Result<Vec<Version>, Refusal> {
        let from_here = if including { "key >= $1" } else { "key > $1" };
        let until_there = if until.is_some() {
            "AND key < $2"
        } else {
            "AND $2 IS NULL"
        };
        let words = format!(
            "SELECT {COLUMNS} FROM version WHERE latest = 1 AND marker = 0 AND {from_here} {until_there} \
            ORDER BY key LIMIT $3"
        );
        let query = sqlx::query(AssertSqlSafe(words))
            .bind(from)
            .bind(until)
            .bind(most);
        rows(query.fetch_all(&mut self.connection).await?)
    }

    /// The versions that come after this one, by key, and the newest of a key first. Without a number, those of this key
    /// and of all that come after; behind all of them with the least number.
    pub(crate) async fn versions(
        &mut self,
        key: &str,
        before: Option<i64>,
        until: Option<&str>,
        most: i64,
    ) -> Result<Vec<Version>, Refusal> {
        let until_there = if until.is_some() {
            "AND key < $3"
        } else {
            "AND $3 IS NULL"
        };
        let words = format!(
            "SELECT {COLUMNS} FROM version WHERE key >= $1 AND (key > $1 OR seq < $2) {until_there} \
            ORDER BY key, seq DESC LIMIT $4"
        );
        let query = sqlx::query(AssertSqlSafe(words))
            .bind(key)
            .bind(before.unwrap_or(i64::MAX));
        rows(
            query
                .bind(until)
                .bind(most)
                .fetch_all(&mut self.connection)
                .await?,
        )
    }
}

fn rows(rows: Vec<SqliteRow>) -> Result<Vec<Version>, Refusal> {
    Ok(rows.iter().map(version).collect::<Result<_, _>>()?)
}

async fn find(
    from: &mut SqliteConnection,
    key: &str,
    id: Option<&str>,
) -> Result<Option<(Version, Body)>, Refusal> {
    let which = if id.is_some() {
        "id = $2"
    } else {
        "latest = 1 AND $2 IS NULL"
    };
    let words = format!("SELECT {COLUMNS}, body FROM version WHERE key = $1 AND {which}");
    let query = sqlx::query(AssertSqlSafe(words)).bind(key).bind(id);
    let Some(row) = query.fetch_optional(from).await? else {
        return Ok(None);
    };
    let body = serde_json::from_str(row.try_get(9)?)?;
    Ok(Some((version(&row)?, body)))
}

/// Writes a version. Where its files have been named already, by the parts of an upload, they are not named again.
pub(super) async fn put(
    change: &mut Change<'_>,
    new: &New,
    conditions: &Conditions,
    versioning: Versioning,
    now: i64,
    names_files: bool,
) -> Result<Put, Refusal> {
    let current = find(change, &new.key, None).await?;
    conditions.hold(current.as_ref().map(|(version, _)| version))?;
    // Before anything is forgotten: an object may be made of what it replaces.
    let added = if names_files {
        name_files(change, &new.body.pieces).await?
    } else {
        0
    };
    let free = make_room(change, &new.key, current.is_some(), versioning, now).await?;
    let id = id_for(versioning);
    insert(change, new, &id, false, now).await?;
    Ok(Put { id, free, added })
}

fn id_for(versioning: Versioning) -> String {
    match versioning {
        Versioning::Enabled => new_name(),
        Versioning::Off | Versioning::Suspended => "null".to_owned(),
    }
}

/// Takes the latest version out of the way of a new one: what has no name of its own goes, what has one becomes an old one.
async fn make_room(
    change: &mut Change<'_>,
    key: &str,
    is_there: bool,
    versioning: Versioning,
    now: i64,
) -> Result<Vec<Piece>, Refusal> {
    let mut free = Vec::new();
    if versioning != Versioning::Enabled
        && let Some((_, body)) = find(change, key, Some("null")).await?
    {
        let query = sqlx::query("DELETE FROM version WHERE key = $1 AND id = 'null'").bind(key);
        query.execute(&mut **change).await?;
        free = forget_files(change, &body.pieces).await?;
    }
    if is_there {
        let text = "UPDATE version SET latest = 0, replaced = $1 WHERE key = $2 AND latest = 1";
        sqlx::query(text)
            .bind(now)
            .bind(key)
            .execute(&mut **change)
            .await?;
    }
    Ok(free)
}

async fn insert(change: &mut Change<'_>, new: &New, id: &str, marker: bool, now: i64) -> Result<(), Refusal> {
    let words = "INSERT INTO version (seq, key, id, latest, marker, size, tag, modified, replaced, body) \
        VALUES ((SELECT coalesce(max(seq), 0) + 1 FROM version), $1, $2, 1, $3, $4, $5, $6, NULL, $7)";
    let query = sqlx::query(words)
        .bind(&new.key)
        .bind(id)
        .bind(i64::from(marker))
        .bind(i64::try_from(new.size).unwrap_or(i64::MAX))
        .bind(&new.tag)
        .bind(now)
        .bind(text(&new.body)?);
    query.execute(&mut **change).await?;
    Ok(())
}

/// Deletes the object: for good where nothing is versioned, by a mark where it is.
async fn mark(
    change: &mut Change<'_>,
    key: &str,
    versioning: Versioning,
    now: i64,
) -> Result<Deleted, Refusal> {
    if versioning == Versioning::Off {
        return remove(change, key, "null").await.map(|deleted| Deleted {
            free: deleted.free,
            ..Deleted::default()
        });
    }
    let free = make_room(change, key, true, versioning, now).await?;
    let id = id_for(versioning);
    let new = New {
        key: key.to_owned(),
        size: 0,
        tag: String::new(),
        body: Body::default(),
    };
    insert(change, &new, &id, true, now).await?;
    Ok(Deleted {
        id: Some(id),
        marker: true,
        free,
    })
}

/// Removes one version for good. What was written before it is the latest one again.
async fn remove(change: &mut Change<'_>, key: &str, id: &str) -> Result<Deleted, Refusal> {
    let named = Some(id.to_owned());
    let Some((version, body)) = find(change, key, Some(id)).await? else {
        return Ok(Deleted {
            id: named,
            ..Deleted::default()
        });
    };
    let query = sqlx::query("DELETE FROM version WHERE seq = $1").bind(version.seq);
    query.execute(&mut **change).await?;
    if version.latest {
        let text = "UPDATE version SET latest = 1, replaced = NULL \
            WHERE seq = (SELECT max(seq) FROM version WHERE key = $1)";
        sqlx::query(text).bind(key).execute(&mut **change).await?;
    }
    Ok(Deleted {
        id: named,
        marker: version.marker,
        free: forget_files(change, &body.pieces).await?,
    })
}
