//! Scores again what is already known: a job is a host about which an operator has said something new.
//!
//! A job is taken, done and marked in one transaction. Whoever is killed in the middle leaves it as it was, and locks are
//! skipped, so that several instances never work at the same one.

use phishsentry::citizen::{self, Failure, asked_to_stop, log, setting};
use phishsentry::model::{self, Reviews};
use serde_json::json;
use sqlx::postgres::{PgListener, PgPoolOptions};
use sqlx::{PgConnection, PgPool};
use std::process::ExitCode;
use std::time::Duration;

/// How often a job is tried, and how long one try may take, as the manifest says.
const TRIES: i32 = 3;
const LONGEST: Duration = Duration::from_secs(600);

/// A job that failed waits; nothing tells when its time has come.
const LOOKS: Duration = Duration::from_secs(5);

fn main() -> ExitCode {
    citizen::run(work())
}

async fn work() -> Result<(), Failure> {
    let shared = PgPoolOptions::new()
        .max_connections(3)
        .connect(&setting("SHARED_URL")?)
        .await?;
    let mut news = PgListener::connect_with(&shared).await?;
    news.listen("jobs").await?;
    log("info", "waits for jobs", json!({}));
    let mut stop = std::pin::pin!(asked_to_stop());
    loop {
        // What has begun is brought to its end; the next one is left to others.
        while one(&shared).await? {
            if stopping(stop.as_mut()).await {
                return Ok(());
            }
        }
        tokio::select! {
            () = &mut stop => break,
            heard = news.recv() => drop(heard?),
            () = tokio::time::sleep(LOOKS) => {}
        }
    }
    log("info", "stopped", json!({}));
    Ok(())
}

/// Whether it has been asked to stop by now.
async fn stopping(stop: impl Future<Output = ()>) -> bool {
    tokio::time::timeout(Duration::ZERO, stop).await.is_ok()
}

/// Does the next job; false when there is none.
async fn one(shared: &PgPool) -> Result<bool, sqlx::Error> {
    let mut all = shared.begin().await?;
    let next = "select id, host from jobs where kind = 'rescore' and done_at is null and not_before <= now()
        order by id limit 1 for update skip locked";
    let Some((id, host)) = sqlx::query_as::<_, (i64, String)>(next)
        .fetch_optional(&mut *all)
        .await?
    else {
        return Ok(false);
    };
    let done = tokio::time::timeout(LONGEST, rescored(&mut all, &host)).await;
    let because = match done {
        Ok(Ok(pages)) => {
            let mark = "update jobs set done_at = now() where id = $1";
            sqlx::query(mark).bind(id).execute(&mut *all).await?;
            all.commit().await?;
            log("info", "rescored", json!({ "job": id, "pages": pages }));
            return Ok(true);
        }
        Ok(Err(error)) => error.to_string(),
        Err(_) => format!("not done within {} seconds", LONGEST.as_secs()),
    };
    all.rollback().await?;
    failed(shared, id, &because).await?;
    Ok(true)
}

/// Scores every page of a host, but for those that an operator has decided about.
async fn rescored(all: &mut PgConnection, host: &str) -> Result<usize, sqlx::Error> {
    let said =
        "select count(*) filter (where verdict = 'phishing'), count(*) filter (where verdict = 'harmless')
        from reviews where host = $1";
    let (phishing, harmless) = sqlx::query_as(said).bind(host).fetch_one(&mut *all).await?;
    let pages =
        "select url from verdicts where host = $1 and decided_by <> 'operator' order by url for update";
    let pages: Vec<(String,)> = sqlx::query_as(pages).bind(host).fetch_all(&mut *all).await?;
    for (url,) in &pages {
        let Some(scored) = model::score(url, Reviews { phishing, harmless }) else {
            continue;
        };
        let say =
            "update verdicts set verdict = $2, score = $3, reasons = $4, decided_by = $5 where url = $1";
        sqlx::query(say)
            .bind(url)
            .bind(scored.verdict)
            .bind(scored.score)
            .bind(scored.reasons)
            .bind(scored.model)
            .execute(&mut *all)
            .await?;
    }
    Ok(pages.len())
}

/// A job that failed waits twice as long each time, and in the end lies where people look for it.
async fn failed(shared: &PgPool, id: i64, because: &str) -> Result<(), sqlx::Error> {
    log("error", "a job failed", json!({ "job": id, "because": because }));
    let note = "update jobs set tries = tries + 1, failed = $2, not_before = now() + interval '1 second' * 2 ^ tries,
        kind = case when tries + 1 > $3 then 'rescore-dead' else kind end where id = $1";
    sqlx::query(note)
        .bind(id)
        .bind(because)
        .bind(TRIES)
        .execute(shared)
        .await?;
    Ok(())
}
