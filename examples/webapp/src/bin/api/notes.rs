//! Notes: no query here says whose they are, because the database knows who asks.

use crate::visitor::Visitor;
use crate::{Answer, Problem};
use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use serde::Deserialize;
use sqlx::{PgPool, Postgres, Row, Transaction};
use webapp::log;

/// The most letters of a note, as the database has it, too.
const LONGEST: usize = 500;

/// Work in the name of a visitor. What it is told holds until the end of the transaction, also behind a pool.
async fn work(pool: &PgPool, visitor: &Visitor) -> Result<Transaction<'static, Postgres>, sqlx::Error> {
    let mut work = pool.begin().await?;
    sqlx::query("SELECT set_config('request.jwt.claim.sub', $1, true)")
        .bind(&visitor.0.sub)
        .execute(&mut *work)
        .await?;
    Ok(work)
}

fn json(text: &str) -> Answer {
    let read = serde_json::from_str(text);
    Ok(Json(read.map_err(|why| sqlx::Error::Decode(Box::new(why)))?))
}

pub(crate) async fn all(State(pool): State<PgPool>, visitor: Visitor) -> Answer {
    let mut work = work(&pool, &visitor).await?;
    let row = sqlx::query(
        "SELECT coalesce(json_agg(one), '[]')::text FROM (
             SELECT id, text, at FROM notes ORDER BY at DESC, id DESC LIMIT 100) AS one",
    )
    .fetch_one(&mut *work)
    .await?;
    work.commit().await?;
    log::detail(
        "notes were read",
        serde_json::json!({ "visitor": visitor.0.email }),
    );
    json(row.try_get(0)?)
}

#[derive(Deserialize)]
pub(crate) struct Draft {
    text: String,
}

pub(crate) async fn add(State(pool): State<PgPool>, visitor: Visitor, Json(draft): Json<Draft>) -> Answer {
    let text = draft.text.trim();
    let letters = text.chars().count();
    if letters == 0 || letters > LONGEST {
        let why = format!("a note has 1 to {LONGEST} letters, and this one {letters}");
        return Err(Problem(StatusCode::UNPROCESSABLE_ENTITY, why));
    }
    let mut work = work(&pool, &visitor).await?;
    let row = sqlx::query(
        "INSERT INTO notes (text) VALUES ($1) RETURNING json_build_object('id', id, 'text', text, 'at', at)::text",
    )
    .bind(text)
    .fetch_one(&mut *work)
    .await?;
    work.commit().await?;
    log::well("a note", serde_json::json!({ "letters": letters }));
    json(row.try_get(0)?)
}

pub(crate) async fn remove(
    State(pool): State<PgPool>,
    visitor: Visitor,
    Path(id): Path<i64>,
) -> Result<StatusCode, Problem> {
    let mut work = work(&pool, &visitor).await?;
    let gone = sqlx::query("DELETE FROM notes WHERE id = $1")
        .bind(id)
        .execute(&mut *work)
        .await?;
    work.commit().await?;
    match gone.rows_affected() {
        0 => Err(Problem(
            StatusCode::NOT_FOUND,
            "there is no such note of yours".to_owned(),
        )),
        _ => Ok(StatusCode::NO_CONTENT),
    }
}
