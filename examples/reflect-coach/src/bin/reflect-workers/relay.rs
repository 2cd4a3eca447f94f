//! From the outbox in Postgres to the stream in Redis that every edge hears.
//!
//! A row is marked in the transaction that held it while it was handed on, so nothing is forgotten. When we die in between it
//! is handed on twice; browsers are told what is so, and hear it twice without harm.

use crate::Workers;
use reflect_coach::{Fault, log};
use serde_json::json;
use std::sync::Arc;
use std::time::Duration;

/// How often the outbox is looked at when it was empty.
const LOOK: Duration = Duration::from_millis(100);

/// How many events the stream remembers, for an edge that was away for a moment.
const REMEMBERED: usize = 10_000;

/// Only one relay hands on at a time, so that events keep their order. The number is ours alone in this database.
const TURN: i64 = 7_301;

pub async fn relay(workers: Arc<Workers>) {
    while !workers.stop.is_asked() {
        match hand_on(&workers).await {
            Ok(0) => workers.stop.pause(LOOK).await,
            Ok(_) => {}
            Err(why) => {
                log::warn("not handed on", json!({ "why": why.to_string() }));
                workers.stop.pause(LOOK * 10).await;
            }
        }
    }
}

async fn hand_on(workers: &Workers) -> Result<usize, Fault> {
    let mut all = workers.db.begin().await?;
    let (ours,): (bool,) = sqlx::query_as("SELECT pg_try_advisory_xact_lock($1)")
        .bind(TURN)
        .fetch_one(&mut *all)
        .await?;
    if !ours {
        return Ok(0);
    }
    let rows: Vec<(i64, String, String, String, i64)> = sqlx::query_as(
        "SELECT id, user_id, kind, body::text, (extract(epoch FROM clock_timestamp() - at) * 1000)::bigint
         FROM outbox WHERE told IS NULL ORDER BY id LIMIT 200 FOR UPDATE",
    )
    .fetch_all(&mut *all)
    .await?;
    if rows.is_empty() {
        return Ok(0);
    }
    let mut stream = redis::pipe();
    for (_, person, kind, body, _) in &rows {
        let words = [("user_id", person), ("kind", kind), ("body", body)];
        let length = redis::streams::StreamMaxlen::Approx(REMEMBERED);
        stream.xadd_maxlen("events", length, "*", &words).ignore();
    }
    let _: () = stream.query_async(&mut workers.redis.clone()).await?;
    let ids: Vec<i64> = rows.iter().map(|row| row.0).collect();
    sqlx::query("UPDATE outbox SET told = now() WHERE id = ANY($1)")
        .bind(&ids)
        .execute(&mut *all)
        .await?;
    all.commit().await?;
    for row in &rows {
        workers.lag.took(u64::try_from(row.4).unwrap_or(0));
    }
    Ok(rows.len())
}
