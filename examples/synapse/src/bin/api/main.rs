//! The API: scores and zones for everybody, changes of zones for admins, and what happens while it happens.

mod club;
mod live;
mod sign_in;

use axum::extract::{FromRef, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post, put};
use axum::{Json, Router};
use live::Live;
use serde_json::{Value, json};
use sign_in::SignIn;
use sqlx::PgPool;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;
use synapse::{Outcome, launch, setting};
use tokio::time::timeout;

/// A database that does not answer within this time does not answer.
const PATIENCE: Duration = Duration::from_secs(1);

/// What answers are made of.
#[derive(Clone, FromRef)]
struct Api {
    pool: PgPool,
    live: Live,
    sign_in: Arc<SignIn>,
}

#[tokio::main]
async fn main() -> ExitCode {
    launch::ended(run().await)
}

async fn run() -> Outcome {
    let pool = setting::database(10)?;
    let live = Live::default();
    tokio::spawn(live::follow(live.clone(), pool.clone()));
    let api = Api {
        pool,
        live,
        sign_in: Arc::new(SignIn::from_settings()?),
    };
    let router = Router::new()
        .route("/health", get(health))
        .route("/club", get(club::whole))
        .route("/scores", get(club::scores))
        .route("/zones", get(club::zones))
        .route("/zones/{name}", put(club::change_zone))
        .route("/live", get(live::tell))
        .route("/auth/login", get(sign_in::login))
        .route("/auth/callback", get(sign_in::callback))
        .route("/auth/logout", post(sign_in::logout))
        .route("/auth/me", get(sign_in::me))
        .with_state(api);
    launch::serve(router).await
}

/// Well is who can answer, and nothing here is answered without the database.
async fn health(State(pool): State<PgPool>) -> Response {
    let asked = timeout(
        PATIENCE,
        sqlx::query("SELECT 1 FROM zones LIMIT 1").execute(&pool),
    )
    .await;
    let why = match asked {
        Ok(Ok(_)) => return Json(json!({ "status": "ok", "database": "ok" })).into_response(),
        Ok(Err(why)) => why.to_string(),
        Err(_) => "it does not answer".to_owned(),
    };
    let told = json!({ "status": "unwell", "database": why });
    (StatusCode::SERVICE_UNAVAILABLE, Json(told)).into_response()
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
        synapse::log::trouble("the database", json!({ "why": why.to_string() }));
        Problem(
            StatusCode::SERVICE_UNAVAILABLE,
            "the database does not answer".to_owned(),
        )
    }
}

type Answer = Result<Json<Value>, Problem>;
