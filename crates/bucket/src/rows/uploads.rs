//! Uploads in parts: begun, filled, and made an object or given up.

use super::versions::{Conditions, New, Put, put};
use super::{Body, Change, Database, Nature, Versioning, forget_files, name_files, text};
use crate::content::Piece;
use crate::digest::Sum;
use crate::refusal::Refusal;
use s3s::S3ErrorCode;
use serde::{Deserialize, Serialize};
use sqlx::sqlite::SqliteRow;
use sqlx::{Connection, Row};

/// What an upload will be.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Intent {
    pub(crate) nature: Nature,
    /// The algorithm of the check sums of its parts.
    pub(crate) algorithm: Option<String>,
    /// Its own is over all of it, and not over those of its parts.
    pub(crate) whole: bool,
    pub(crate) sealed: bool,
}

/// An upload that has begun.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Upload {
    pub(crate) id: String,
    pub(crate) key: String,
    pub(crate) started: i64,
    pub(crate) intent: Intent,
}

/// A part of it that is here.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Part {
    pub(crate) number: i32,
    pub(crate) size: u64,
    pub(crate) tag: String,
    pub(crate) modified: i64,
    pub(crate) piece: Piece,
    pub(crate) sum: Option<Sum>,
}

fn no_such() -> Refusal {
    let words = "there is no such upload: it was completed, aborted, or never begun";
    Refusal::said(S3ErrorCode::NoSuchUpload, words)
}

fn upload(row: &SqliteRow) -> Result<Upload, Refusal> {
    Ok(Upload {
        id: row.try_get(0)?,
        key: row.try_get(1)?,
        started: row.try_get(2)?,
        intent: serde_json::from_str(row.try_get(3)?)?,
    })
}

fn part(row: &SqliteRow) -> Result<Part, Refusal> {
    let (piece, sum) = serde_json::from_str(row.try_get(4)?)?;
    Ok(Part {
        number: i32::try_from(row.try_get::<i64, _>(0)?).unwrap_or(i32::MAX),
        size: u64::try_from(row.try_get::<i64, _>(1)?).unwrap_or(0),
        tag: row.try_get(2)?,
        modified: row.try_get(3)?,
        piece,
        sum,
    })
}

impl Database {
    pub(crate) async fn begin_upload(&mut self, upload: &Upload) -> Result<(), Refusal> {
        let query = sqlx::query("INSERT INTO upload (id, key, started, body) VALUES ($1, $2, $3, $4)")
            .bind(&upload.id)
            .bind(&upload.key)
            .bind(upload.started)
            .bind(text(&upload.intent)?);
        query.execute(&mut self.connection).await?;
        Ok(())
    }

    /// The upload of this name, for this key.
    pub(crate) async fn upload(&mut self, id: &str, key: &str) -> Result<Upload, Refusal> {
        let query = sqlx::query("SELECT id, key, started, body FROM upload WHERE id = $1 AND key = $2");
        let row = query
            .bind(id)
            .bind(key)
            .fetch_optional(&mut self.connection)
            .await?;
        upload(&row.ok_or_else(no_such)?)
    }

    /// Uploads by key and name, after this one.
    pub(crate) async fn uploads(
        &mut self,
        after: (&str, &str),
        until: Option<&str>,
        most: i64,
    ) -> Result<Vec<Upload>, Refusal> {
        let words = "SELECT id, key, started, body FROM upload \
            WHERE (key > $1 OR (key = $1 AND id > $2)) AND ($3 IS NULL OR key < $3) ORDER BY key, id LIMIT $4";
        let query = sqlx::query(words)
            .bind(after.0)
            .bind(after.1)
            .bind(until)
            .bind(most);
        let rows = query.fetch_all(&mut self.connection).await?;
        rows.iter().map(upload).collect()
    }

    /// Adds a part, in the place of an earlier one of its number, and answers with what is free by that.
    pub(crate) async fn add_part(&mut self, id: &str, key: &str, new: &Part) -> Result<Vec<Piece>, Refusal> {
        // It may have ended while the part was on its way.
        self.upload(id, key).await?;
        let mut change = self.connection.begin().await?;
        let query = sqlx::query(
            "SELECT number, size, tag, modified, body FROM part WHERE upload = $1 AND number = $2",
        );
        let before = query
            .bind(id)
            .bind(new.number)
            .fetch_optional(&mut *change)
            .await?;
        let mut free = Vec::new();
        if let Some(before) = before {
            free = forget_files(&mut change, &[part(&before)?.piece]).await?;
        }
        let added = name_files(&mut change, std::slice::from_ref(&new.piece)).await?;
        let words = "INSERT INTO part (upload, number, size, tag, modified, body) VALUES ($1, $2, $3, $4, $5, $6) \
            ON CONFLICT (upload, number) DO UPDATE SET size = excluded.size, tag = excluded.tag, \
            modified = excluded.modified, body = excluded.body";
        let query = sqlx::query(words)
            .bind(id)
            .bind(new.number)
            .bind(i64::try_from(new.size).unwrap_or(i64::MAX))
            .bind(&new.tag)
            .bind(new.modified)
            .bind(text(&(&new.piece, &new.sum))?);
        query.execute(&mut *change).await?;
        let bytes = self.held.after(added, &free)?;
        change.commit().await?;
        self.held.bytes = bytes;
        Ok(free)
    }

    /// The parts after this number.
    pub(crate) async fn parts(&mut self, id: &str, after: i32, most: i64) -> Result<Vec<Part>, Refusal> {
        let words = "SELECT number, size, tag, modified, body FROM part \
            WHERE upload = $1 AND number > $2 ORDER BY number LIMIT $3";
        let query = sqlx::query(words).bind(id).bind(after).bind(most);
        let rows = query.fetch_all(&mut self.connection).await?;
        rows.iter().map(part).collect()
    }

    /// Makes an object of some parts, and forgets the upload with the others.
    pub(crate) async fn complete(
        &mut self,
        id: &str,
        new: &New,
        unused: &[Piece],
        conditions: &Conditions,
        versioning: Versioning,
        now: i64,
    ) -> Result<Put, Refusal> {
        let mut change = self.connection.begin().await?;
        let mut done = put(&mut change, new, conditions, versioning, now, false).await?;
        done.free.extend(forget_files(&mut change, unused).await?);
        forget(&mut change, id).await?;
        let bytes = self.held.after(0, &done.free)?;
        change.commit().await?;
        self.held.bytes = bytes;
        Ok(done)
    }

    /// Gives an upload up, and answers with what is free by that.
    pub(crate) async fn abort(&mut self, id: &str, key: &str) -> Result<Vec<Piece>, Refusal> {
        self.upload(id, key).await?;
        let parts = self.parts(id, 0, i64::MAX).await?;
        let pieces: Vec<Piece> = parts.into_iter().map(|part| part.piece).collect();
        let mut change = self.connection.begin().await?;
        let free = forget_files(&mut change, &pieces).await?;
        forget(&mut change, id).await?;
        let bytes = self.held.after(0, &free)?;
        change.commit().await?;
        self.held.bytes = bytes;
        Ok(free)
    }
}

async fn forget(change: &mut Change<'_>, id: &str) -> Result<(), Refusal> {
    sqlx::query("DELETE FROM part WHERE upload = $1")
        .bind(id)
        .execute(&mut **change)
        .await?;
    sqlx::query("DELETE FROM upload WHERE id = $1")
        .bind(id)
        .execute(&mut **change)
        .await?;
    Ok(())
}

/// The body of an object that is made of these parts.
pub(crate) fn body_of(intent: &Intent, parts: &[Part], sum: Option<Sum>) -> Body {
    Body {
        nature: intent.nature.clone(),
        pieces: parts.iter().map(|part| part.piece.clone()).collect(),
        sum,
        parts: parts.iter().map(|part| (part.size, part.sum.clone())).collect(),
    }
}
