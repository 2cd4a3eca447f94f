//! The coach: indicators and advice for whoever signs the question.

use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use reflect_coach::metrics::{Count, counter};
use reflect_coach::serve::{Stop, serve};
use reflect_coach::{Fault, coach, log, setting, sign};
use serde_json::json;
use std::sync::Arc;

/// The largest question, as the manifest says it, too: who goes around the edge finds the same limit.
const LARGEST: usize = 256 * 1024;

struct Coach {
    key: String,
    answered: Count,
    refused: Count,
}

#[tokio::main]
async fn main() -> Result<(), Fault> {
    let coach = Arc::new(Coach {
        key: setting::needed("AI_HMAC_SECRET")?,
        answered: Count::default(),
        refused: Count::default(),
    });
    let routes = Router::new()
        .route("/healthz", get(async || "well"))
        .route("/metrics", get(metrics))
        .route("/indicators", post(indicators))
        .layer(DefaultBodyLimit::max(LARGEST))
        .with_state(coach);
    serve(routes, Stop::asked()?).await
}

/// Nothing is read out of a question before it is known who asks.
async fn indicators(State(coach): State<Arc<Coach>>, headers: HeaderMap, body: Bytes) -> Response {
    let signature = headers.get(sign::SIGNATURE).and_then(|value| value.to_str().ok());
    if !sign::is_signed(&coach.key, &body, signature.unwrap_or_default()) {
        coach.refused.add(1);
        log::warn("refused", json!({ "why": "signature" }));
        return refusal(
            StatusCode::UNAUTHORIZED,
            "sign the body with the secret that we share",
        );
    }
    match serde_json::from_slice(&body) {
        Ok(question) => {
            coach.answered.add(1);
            Json(coach::answer(&question)).into_response()
        }
        Err(why) => refusal(StatusCode::UNPROCESSABLE_ENTITY, &why.to_string()),
    }
}

async fn metrics(State(coach): State<Arc<Coach>>) -> String {
    counter("coach_answered_total", coach.answered.now())
        + &counter("coach_refused_total", coach.refused.now())
}

fn refusal(status: StatusCode, why: &str) -> Response {
    (status, Json(json!({ "error": why }))).into_response()
}
