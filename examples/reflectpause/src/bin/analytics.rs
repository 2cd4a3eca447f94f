//! Counts pauses of people who have opted in. It is told a site and a choice, and no person.

use axum::Router;
use axum::extract::{DefaultBodyLimit, Json, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use reflectpause::citizen::{self, Failure, problem, setting, unavailable};
use serde::Deserialize;
use sqlx::PgPool;
use sqlx::postgres::PgPoolOptions;
use std::process::ExitCode;
use std::time::Duration;

/// The largest body, as the manifest's `limit` says.
const LARGEST: usize = 16 * 1000;

/// The sites that the extension knows. Others are not counted: a name could say who was there.
const SITES: &[&str] = &[
    "youtube.com",
    "reddit.com",
    "x.com",
    "facebook.com",
    "instagram.com",
];

/// What somebody did with the pause.
const CHOICES: &[&str] = &["changed", "dropped", "kept"];

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Pause {
    site: String,
    choice: String,
}

fn main() -> ExitCode {
    citizen::run(serve())
}

async fn serve() -> Result<(), Failure> {
    let connections = PgPoolOptions::new()
        .max_connections(3)
        .acquire_timeout(Duration::from_secs(3));
    let db = connections.connect(&setting("DATABASE_URL")?).await?;
    let router = Router::new()
        .route("/health", get(health))
        .route("/pauses", post(count).get(sums))
        .layer(DefaultBodyLimit::max(LARGEST))
        .with_state(db.clone());
    let ended = citizen::serve(router).await;
    db.close().await;
    ended
}

fn database(error: sqlx::Error) -> Response {
    unavailable("the database does not answer", error)
}

async fn health(State(db): State<PgPool>) -> Result<&'static str, Response> {
    let asked = sqlx::query("select count(*) from pauses where false")
        .execute(&db)
        .await;
    asked.map(|_| "ok").map_err(database)
}

async fn count(State(db): State<PgPool>, Json(pause): Json<Pause>) -> Result<StatusCode, Response> {
    if !SITES.contains(&pause.site.as_str()) || !CHOICES.contains(&pause.choice.as_str()) {
        return Err(problem(
            StatusCode::UNPROCESSABLE_ENTITY,
            "site or choice is not known",
        ));
    }
    let add = "insert into pauses as known (day, site, choice, count) values (current_date, $1, $2, 1)
        on conflict (day, site, choice) do update set count = known.count + 1";
    sqlx::query(add)
        .bind(pause.site)
        .bind(pause.choice)
        .execute(&db)
        .await
        .map_err(database)?;
    Ok(StatusCode::NO_CONTENT)
}

async fn sums(State(db): State<PgPool>) -> Result<Response, Response> {
    let sums = "select coalesce(json_agg(one), '[]')::text from (
        select site, choice, sum(count) as count from pauses group by site, choice order by site, choice) one";
    let (text,): (String,) = sqlx::query_as(sums).fetch_one(&db).await.map_err(database)?;
    Ok(([(header::CONTENT_TYPE, "application/json")], text).into_response())
}
