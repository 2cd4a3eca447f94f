//! The stand-in for the sign-in: whoever names themselves `visitor-NAME` is believed. Only a stand-in may do so.

use axum::http::header::AUTHORIZATION;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use serde_json::json;
use std::process::ExitCode;
use webapp::launch;

#[tokio::main]
async fn main() -> ExitCode {
    let router = Router::new().route("/user", get(user));
    launch::ended(launch::serve(router).await)
}

async fn user(headers: HeaderMap) -> Response {
    let shown = headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok());
    let token = shown
        .and_then(|shown| shown.strip_prefix("Bearer "))
        .unwrap_or_default();
    match token.strip_prefix("visitor-") {
        Some(name) if !name.is_empty() => {
            Json(json!({ "id": token, "email": format!("{name}@example.com") })).into_response()
        }
        _ => (StatusCode::UNAUTHORIZED, Json(json!({ "msg": "invalid token" }))).into_response(),
    }
}
