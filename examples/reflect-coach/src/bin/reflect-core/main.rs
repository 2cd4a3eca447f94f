//! The interface to everything that is kept. It answers edge, and nobody else.

mod admit;
mod answers;
mod feed;

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::middleware::from_fn_with_state;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use redis::aio::ConnectionManager;
use reflect_coach::serve::{Stop, serve};
use reflect_coach::{Fault, call, log, setting, stores};
use serde_json::json;
use sqlx::PgPool;
use std::sync::Arc;
use ureq::Agent;

/// Everything that an answer needs.
struct Core {
    db: PgPool,
    redis: ConnectionManager,
    agent: Agent,
    jwt_key: String,
    data_key: String,
    coach: String,
    coach_key: String,
    /// The coach is not asked.
    rules_only: bool,
    digests_kept: i64,
    stop: Stop,
}

type Kept = Arc<Core>;

#[tokio::main]
async fn main() -> Result<(), Fault> {
    let stop = Stop::asked()?;
    let core = Arc::new(Core {
        db: stores::postgres()?,
        redis: stores::redis(false).await?,
        agent: call::agent(),
        jwt_key: setting::needed("JWT_SIGNING_KEY")?,
        data_key: setting::needed("DATA_KEY")?,
        coach: setting::needed("AI_URL")?,
        coach_key: setting::needed("AI_HMAC_SECRET")?,
        rules_only: setting::flag("HEURISTICS_ONLY", true),
        digests_kept: setting::number("DIGESTS_KEPT", 1)?,
        stop: stop.clone(),
    });
    let changes = Router::new()
        .route("/diary", get(answers::diary).post(answers::write_diary))
        .route("/imports", post(answers::begin_import))
        .route("/simulations", post(answers::simulate))
        .route("/digests", get(answers::digests).post(answers::make_digest))
        .layer(from_fn_with_state(core.clone(), admit::once));
    let routes = Router::new()
        .route("/me", get(answers::me))
        .route("/imports/{id}", get(answers::import))
        .route("/indicators", get(answers::indicators))
        .route("/reflections", get(answers::reflections))
        .route("/simulations/{key}", get(answers::simulation))
        .route(
            "/session",
            get(answers::whose)
                .post(answers::sign_in)
                .delete(answers::sign_out),
        )
        .route("/events", get(feed::events))
        .merge(changes)
        .layer(from_fn_with_state(core.clone(), admit::known))
        .route("/healthz", get(health))
        .route("/imports/probe", get(answers::probed_import))
        .with_state(core);
    serve(routes, stop).await
}

/// Well is who reaches what it cannot work without.
async fn health(State(core): State<Kept>) -> Response {
    let db = sqlx::query("SELECT 1").execute(&core.db).await.is_ok();
    let redis = redis::cmd("PING")
        .exec_async(&mut core.redis.clone())
        .await
        .is_ok();
    let status = if db && redis {
        StatusCode::OK
    } else {
        StatusCode::SERVICE_UNAVAILABLE
    };
    (status, axum::Json(json!({ "postgres": db, "redis": redis }))).into_response()
}

/// What a caller is told when something went wrong: that it did. The rest is for the log.
struct Failed(Response);

impl<E: Into<Fault>> From<E> for Failed {
    fn from(fault: E) -> Self {
        log::warn("failed", json!({ "why": fault.into().to_string() }));
        Failed(refusal(
            StatusCode::INTERNAL_SERVER_ERROR,
            "something went wrong on our side",
        ))
    }
}

impl IntoResponse for Failed {
    fn into_response(self) -> Response {
        self.0
    }
}

fn refusal(status: StatusCode, why: &str) -> Response {
    (status, axum::Json(json!({ "error": why }))).into_response()
}
