//! The model, asked one page at a time.

use axum::Router;
use axum::extract::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use phishsentry::citizen::{self, Failure, log, problem};
use phishsentry::model::{self, MODEL, Reviews, Scored};
use serde::Deserialize;
use serde_json::json;
use std::process::ExitCode;
use std::sync::atomic::{AtomicU64, Ordering};

/// A page that any model of ours finds out. One that does not is not the model that we think it is.
const KNOWN: &str = "https://login.example.com.phish.test/";

static SCORED: AtomicU64 = AtomicU64::new(0);

#[derive(Deserialize)]
struct Page {
    url: String,
    #[serde(default)]
    reviews: Reviews,
}

fn main() -> ExitCode {
    citizen::run(serve())
}

async fn serve() -> Result<(), Failure> {
    log("info", "model is loaded", json!({ "model": MODEL }));
    let router = Router::new()
        .route("/ready", get(ready))
        .route("/score", post(score))
        .route("/metrics", get(metrics));
    citizen::serve(router).await
}

/// Ready is not that it runs, but that it tells a page apart that it has to.
async fn ready() -> Response {
    let finds = model::score(KNOWN, Reviews::default()).is_some_and(|scored| scored.verdict == "phishing");
    match finds {
        true => Json(json!({ "model": MODEL })).into_response(),
        false => problem(
            StatusCode::SERVICE_UNAVAILABLE,
            "the model does not find out a known page",
        ),
    }
}

async fn score(Json(page): Json<Page>) -> Result<Json<Scored>, Response> {
    let scored = model::score(&page.url, page.reviews)
        .ok_or_else(|| problem(StatusCode::UNPROCESSABLE_ENTITY, "url is no web address"))?;
    SCORED.fetch_add(1, Ordering::Relaxed);
    Ok(Json(scored))
}

async fn metrics() -> String {
    format!(
        "# TYPE pages_scored counter\npages_scored {}\n",
        SCORED.load(Ordering::Relaxed)
    )
}
