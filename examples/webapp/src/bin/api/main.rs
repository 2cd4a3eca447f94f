//! The function: keeps notes for visitors who are signed in. It sleeps until somebody asks.

mod notes;
mod visitor;

use axum::extract::{FromRef, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{delete, get, post};
use axum::{Json, Router};
use serde_json::{Value, json};
use sqlx::{PgPool, Row};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::{Instant, timeout};
use visitor::SignIn;
use webapp::{Outcome, launch, setting};

/// A database that does not answer within this time does not answer.
const PATIENCE: Duration = Duration::from_secs(1);

/// What answers are made of.
#[derive(Clone, FromRef)]
struct Api {
    pool: PgPool,
    sign_in: Arc<SignIn>,
    began: Instant,
}

#[tokio::main]
async fn main() -> ExitCode {
    launch::ended(run().await)
}

async fn run() -> Outcome {
    let api = Api {
        pool: setting::database(5)?,
        sign_in: Arc::new(SignIn::from_settings()?),
        began: Instant::now(),
    };
    let router = Router::new()
        .route("/api/health", get(health))
        .route("/api/front", get(front))
        .route(
            "/api/session",
            post(visitor::begin).get(visitor::who).delete(visitor::end),
        )
        .route("/api/notes", get(notes::all).post(notes::add))
        .route("/api/notes/{id}", delete(notes::remove))
        .with_state(api);
    launch::serve(router).await
}

/// Well is who can answer, and nothing here is answered without the database.
async fn health(State(pool): State<PgPool>) -> Response {
    let asked = timeout(PATIENCE, sqlx::query("SELECT 1 FROM greetings").execute(&pool)).await;
    let why = match asked {
        Ok(Ok(_)) => return Json(json!({ "status": "ok", "database": "ok" })).into_response(),
        Ok(Err(why)) => why.to_string(),
        Err(_) => "it does not answer".to_owned(),
    };
    let told = json!({ "status": "unwell", "database": why });
    (StatusCode::SERVICE_UNAVAILABLE, Json(told)).into_response()
}

/// What the front page shows to everybody, and for how long we have been awake.
async fn front(State(pool): State<PgPool>, State(began): State<Instant>) -> Answer {
    let row = sqlx::query("SELECT text FROM greetings")
        .fetch_optional(&pool)
        .await?;
    let greeting: String = row.map_or(Ok(String::new()), |row| row.try_get(0))?;
    let environment = setting::needed("TOWPATH_ENVIRONMENT").unwrap_or_default();
    Ok(Json(json!({
        "greeting": greeting, "environment": environment, "awake_ms": began.elapsed().as_millis(),
    })))
}

/// An answer that is not what was asked for.
#[derive(Debug)]
struct Problem(StatusCode, String);

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let Problem(status, message) = self;
        (status, Json(json!({ "message": message }))).into_response()
    }
}

impl From<sqlx::Error> for Problem {
    fn from(why: sqlx::Error) -> Problem {
        webapp::log::trouble("the database", json!({ "why": why.to_string() }));
        Problem(
            StatusCode::SERVICE_UNAVAILABLE,
            "the database does not answer".to_owned(),
        )
    }
}

type Answer = Result<Json<Value>, Problem>;
