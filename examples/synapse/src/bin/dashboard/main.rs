//! The dashboard: a few pages, and under the same name the API, so that browsers need no permission to ask across names.
#![allow(
    clippy::disallowed_methods,
    reason = "pages are files, read anew each time: whoever changes one sees it with the next load"
)]

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::header::{CACHE_CONTROL, CONNECTION, CONTENT_TYPE, TRANSFER_ENCODING};
use axum::http::{StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use axum::routing::{any, get};
use serde_json::json;
use std::process::ExitCode;
use std::sync::Arc;
use synapse::{Outcome, call, launch, log, setting};

/// The files, each with its path and its type.
const PAGES: &[(&str, &str, &str)] = &[
    ("/", "index.html", "text/html; charset=utf-8"),
    ("/dashboard.js", "dashboard.js", "text/javascript; charset=utf-8"),
    ("/style.css", "style.css", "text/css; charset=utf-8"),
    ("/icon.svg", "icon.svg", "image/svg+xml"),
];

#[tokio::main]
async fn main() -> ExitCode {
    launch::ended(run().await)
}

async fn run() -> Outcome {
    let api: Arc<str> = setting::needed("API_URL")?.into();
    let mut router = Router::new()
        .route("/api/{*path}", any(ask))
        .route("/auth/{*path}", any(ask));
    for (path, file, kind) in PAGES {
        router = router.route(path, get(move || page(file, kind)));
    }
    launch::serve(router.with_state(api)).await
}

async fn page(file: &str, kind: &'static str) -> Response {
    match std::fs::read(format!("dashboard/{file}")) {
        Ok(text) => ([(CONTENT_TYPE, kind), (CACHE_CONTROL, "no-cache")], text).into_response(),
        Err(why) => {
            log::trouble(
                "a page cannot be read",
                json!({ "file": file, "why": why.to_string() }),
            );
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}

/// `/api/scores` is the API's `/scores`, and `/auth` its `/auth`.
async fn ask(State(api): State<Arc<str>>, mut request: Request) -> Response {
    let asked = request.uri().path_and_query().map_or("/", |asked| asked.as_str());
    let under = asked.strip_prefix("/api").unwrap_or(asked);
    match under.parse::<Uri>() {
        Ok(uri) => *request.uri_mut() = uri,
        Err(_) => return StatusCode::BAD_REQUEST.into_response(),
    }
    // These are about one connection, and there are two.
    request.headers_mut().remove(CONNECTION);
    match call::forward(&api, request).await {
        Ok(mut answer) => {
            answer.headers_mut().remove(CONNECTION);
            answer.headers_mut().remove(TRANSFER_ENCODING);
            answer.map(Body::new)
        }
        Err(why) => {
            log::trouble("the API is away", json!({ "why": why }));
            (StatusCode::BAD_GATEWAY, "the API does not answer\n").into_response()
        }
    }
}
