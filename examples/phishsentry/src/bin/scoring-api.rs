//! Answers how likely a page is phishing, keeps what was said, and takes corrections by operators.
//!
//! A report has a short way: what operators decided stands; what a feed knows needs no model; the rest is the model's.
#![allow(
    clippy::disallowed_methods,
    reason = "these are small programs of their own, which read variables, files and the clock"
)]

use axum::Router;
use axum::extract::{Json, Query, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use phishsentry::call;
use phishsentry::citizen::{self, Failure, log, problem, setting, unavailable};
use phishsentry::model::{self, Reviews, Scored};
use serde::Deserialize;
use serde_json::{Value, json};
use sqlx::PgPool;
use sqlx::postgres::PgPoolOptions;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// The longest address that browsers send.
const LONGEST: usize = 8192;

static SCORED: AtomicU64 = AtomicU64::new(0);

struct Api {
    shared: PgPool,
    model_engine: String,
    feeds: Option<Feeds>,
}

/// Addresses that others already know.
struct Feeds {
    url: String,
    key: String,
}

type Answer<T> = Result<T, Response>;

fn main() -> ExitCode {
    citizen::run(serve())
}

async fn serve() -> Result<(), Failure> {
    let connections = PgPoolOptions::new()
        .max_connections(10)
        .acquire_timeout(Duration::from_secs(3));
    let api = Arc::new(Api {
        shared: connections.connect(&setting("SHARED_URL")?).await?,
        model_engine: setting("MODEL_ENGINE_URL")?,
        feeds: feeds(),
    });
    log("info", "started", json!({ "feeds": api.feeds.is_some() }));
    let router = Router::new()
        .route("/healthz", get(health))
        .route("/metrics", get(metrics))
        .route("/v1/score", post(score))
        .route("/v1/verdicts", get(verdicts))
        .route("/v1/summary", get(summary))
        .route("/internal/reviews", post(review))
        .with_state(Arc::clone(&api));
    let ended = citizen::serve(router).await;
    api.shared.close().await;
    ended
}

/// The feeds, where the flag is on and somebody says where they are. The key is in a file that only this process can read.
fn feeds() -> Option<Feeds> {
    let is_on = setting("INTEL_FEEDS").is_ok_and(|on| on == "true");
    let key = setting("INTEL_API_KEY")
        .ok()
        .and_then(|path| std::fs::read_to_string(path).ok());
    let url = setting("INTEL_FEEDS_URL").ok().filter(|_| is_on)?;
    let key = key.unwrap_or_default().trim().to_owned();
    Some(Feeds { url, key })
}

/// Well is who can read and write what was said: without that every answer would be lost.
async fn health(State(api): State<Arc<Api>>) -> Answer<&'static str> {
    let asked = sqlx::query("select count(*) from verdicts where false")
        .execute(&api.shared)
        .await;
    asked.map_err(|error| unavailable("the database does not answer", error))?;
    Ok("ok")
}

async fn metrics() -> String {
    format!(
        "# TYPE scores counter\nscores {}\n",
        SCORED.load(Ordering::Relaxed)
    )
}

#[derive(Deserialize)]
struct Page {
    url: String,
}

async fn score(State(api): State<Arc<Api>>, Json(page): Json<Page>) -> Answer<Json<Value>> {
    let url = page.url;
    let host = model::host(&url)
        .filter(|_| url.len() <= LONGEST)
        .ok_or_else(|| problem(StatusCode::UNPROCESSABLE_ENTITY, "url is no web address"))?;
    let scored = match api.known_to_feeds(&host).await {
        true => Scored {
            score: 1.0,
            verdict: "phishing".to_owned(),
            reasons: vec!["known to a feed".to_owned()],
            model: "feed".to_owned(),
        },
        false => api.asked_of_model(&url, &host).await?,
    };
    SCORED.fetch_add(1, Ordering::Relaxed);
    let said = api.kept(&url, &host, &scored).await.map_err(database)?;
    log(
        "info",
        "scored",
        json!({ "verdict": scored.verdict, "by": scored.model }),
    );
    Ok(Json(said))
}

fn database(error: sqlx::Error) -> Response {
    unavailable("the database does not answer", error)
}

impl Api {
    /// Feeds may be slow or gone: then it is as if they knew nothing.
    async fn known_to_feeds(&self, host: &str) -> bool {
        let Some(feeds) = &self.feeds else {
            return false;
        };
        let url = format!("{}/known?host={host}", feeds.url);
        match call::get(url, vec![("x-api-key", feeds.key.clone())]).await {
            Ok((200, body)) => body["known"] == true,
            Ok((status, _)) => {
                log("warn", "feeds refuse", json!({ "status": status }));
                false
            }
            Err(error) => {
                log(
                    "warn",
                    "feeds do not answer",
                    json!({ "because": error.to_string() }),
                );
                false
            }
        }
    }

    async fn asked_of_model(&self, url: &str, host: &str) -> Answer<Scored> {
        let reviews = "select count(*) filter (where verdict = 'phishing'), count(*) filter (where verdict = 'harmless')
                       from reviews where host = $1";
        let (phishing, harmless) = sqlx::query_as(reviews)
            .bind(host)
            .fetch_one(&self.shared)
            .await
            .map_err(database)?;
        let page = json!({ "url": url, "reviews": Reviews { phishing, harmless } });
        let answer = call::post(format!("{}/score", self.model_engine), page).await;
        let wrong = "the model does not answer";
        match answer {
            Ok((200, body)) => serde_json::from_value(body).map_err(|error| unavailable(wrong, error)),
            Ok((status, _)) => Err(unavailable(wrong, format!("status {status}"))),
            Err(error) => Err(unavailable(wrong, error)),
        }
    }

    /// Keeps what was said, and returns what holds: what an operator has decided is not changed by a model.
    async fn kept(&self, url: &str, host: &str, scored: &Scored) -> Result<Value, sqlx::Error> {
        let keep = "insert into verdicts as known (url, host, verdict, score, reasons, decided_by)
            values ($1, $2, $3, $4, $5, $6)
            on conflict (url) do update set reports = known.reports + 1, last_at = now(),
                verdict = case known.decided_by when 'operator' then known.verdict else excluded.verdict end,
                score = case known.decided_by when 'operator' then known.score else excluded.score end,
                reasons = case known.decided_by when 'operator' then known.reasons else excluded.reasons end,
                decided_by = case known.decided_by when 'operator' then 'operator' else excluded.decided_by end
            returning json_build_object('verdict', verdict, 'score', score, 'reasons', reasons, 'by', decided_by)::text";
        let (said,): (String,) = sqlx::query_as(keep)
            .bind(url)
            .bind(host)
            .bind(&scored.verdict)
            .bind(scored.score)
            .bind(&scored.reasons)
            .bind(&scored.model)
            .fetch_one(&self.shared)
            .await?;
        Ok(read(&said))
    }
}

fn read(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_default()
}

/// JSON as the database has written it.
fn written((text,): (String,)) -> Response {
    ([(header::CONTENT_TYPE, "application/json")], text).into_response()
}

#[derive(Deserialize)]
struct Wanted {
    verdict: Option<String>,
}

async fn verdicts(State(api): State<Arc<Api>>, Query(wanted): Query<Wanted>) -> Answer<Response> {
    let latest = "select coalesce(json_agg(one), '[]')::text from (
        select url, verdict, score, reasons, decided_by as by, reports, last_at from verdicts
        where $1::text is null or verdict = $1 order by last_at desc, url limit 50) one";
    let found = sqlx::query_as(latest)
        .bind(wanted.verdict)
        .fetch_one(&api.shared)
        .await;
    found.map(written).map_err(database)
}

async fn summary(State(api): State<Arc<Api>>) -> Answer<Response> {
    let numbers = "select json_build_object(
        'phishing', count(*) filter (where verdict = 'phishing'),
        'suspicious', count(*) filter (where verdict = 'suspicious'),
        'harmless', count(*) filter (where verdict = 'harmless'),
        'reports', coalesce(sum(reports), 0),
        'waiting', (select count(*) from jobs where kind = 'rescore' and done_at is null),
        'dead', (select count(*) from jobs where kind = 'rescore-dead'))::text from verdicts";
    let found = sqlx::query_as(numbers).fetch_one(&api.shared).await;
    found.map(written).map_err(database)
}

#[derive(Deserialize)]
struct Review {
    url: String,
    verdict: String,
}

/// An operator's word holds at once for the page, and is evidence for the other pages of its host: those are scored again.
async fn review(State(api): State<Arc<Api>>, Json(review): Json<Review>) -> Answer<Response> {
    let score = match review.verdict.as_str() {
        "phishing" => 1.0_f64,
        "harmless" => 0.0,
        _ => {
            return Err(problem(
                StatusCode::UNPROCESSABLE_ENTITY,
                "verdict is phishing or harmless",
            ));
        }
    };
    let Some(host) = model::host(&review.url) else {
        return Err(problem(StatusCode::UNPROCESSABLE_ENTITY, "url is no web address"));
    };
    let job = api.reviewed(&review, &host, score).await.map_err(database)?;
    let Some(job) = job else {
        return Err(problem(StatusCode::NOT_FOUND, "nobody has reported this page"));
    };
    log(
        "info",
        "reviewed",
        json!({ "verdict": review.verdict, "job": job }),
    );
    Ok((StatusCode::ACCEPTED, Json(json!({ "job": job }))).into_response())
}

impl Api {
    /// The word and the job that follows from it are there together, or neither is.
    async fn reviewed(&self, review: &Review, host: &str, score: f64) -> Result<Option<i64>, sqlx::Error> {
        let mut all = self.shared.begin().await?;
        let decide = "update verdicts set verdict = $2, score = $3, reasons = '{}', decided_by = 'operator' where url = $1";
        let decided = sqlx::query(decide)
            .bind(&review.url)
            .bind(&review.verdict)
            .bind(score)
            .execute(&mut *all)
            .await?;
        if decided.rows_affected() == 0 {
            return Ok(None);
        }
        let keep = "insert into reviews (url, host, verdict) values ($1, $2, $3)
            on conflict (url) do update set verdict = excluded.verdict, at = now()";
        sqlx::query(keep)
            .bind(&review.url)
            .bind(host)
            .bind(&review.verdict)
            .execute(&mut *all)
            .await?;
        let ask = "insert into jobs (kind, host) values ('rescore', $1) returning id";
        let (job,) = sqlx::query_as(ask).bind(host).fetch_one(&mut *all).await?;
        all.commit().await?;
        Ok(Some(job))
    }
}
