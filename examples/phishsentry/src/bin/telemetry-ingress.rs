//! The door for browsers: it knows each by its token, holds back whoever is too eager, and passes on what is left.
#![allow(
    clippy::disallowed_methods,
    reason = "these are small programs of their own, which read variables, files and the clock"
)]

use axum::Router;
use axum::extract::{DefaultBodyLimit, Json, Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use phishsentry::call;
use phishsentry::citizen::{self, Failure, problem, setting, unavailable};
use serde::Deserialize;
use serde_json::json;
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::process::ExitCode;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

/// What one token may send a second, as the manifest's `limit` says; as much may come at once.
const RATE: f64 = 20.0;

/// The largest report.
const LARGEST: usize = 256 * 1024;

/// The digest of a token. Tokens are compared by it, so that the time it takes tells nothing about them.
type Token = [u8; 32];

struct Door {
    scoring_api: String,
    /// The tokens that open: the present one, and while it is replaced the one before.
    tokens: Vec<Token>,
    /// What each may still send, and when that was known.
    left: Mutex<BTreeMap<Token, (f64, Instant)>>,
}

#[derive(Deserialize)]
struct Report {
    url: String,
}

fn main() -> ExitCode {
    citizen::run(serve())
}

async fn serve() -> Result<(), Failure> {
    let before = setting("EXTENSION_TOKEN_PREVIOUS").ok();
    let tokens = std::iter::once(setting("EXTENSION_TOKEN")?).chain(before);
    let door = Arc::new(Door {
        scoring_api: setting("SCORING_API_URL")?,
        tokens: tokens.map(|token| digest(&token)).collect(),
        left: Mutex::default(),
    });
    let router = Router::new()
        .route("/v1/reports", post(report))
        .layer(DefaultBodyLimit::max(LARGEST))
        .layer(middleware::from_fn_with_state(Arc::clone(&door), pass))
        .route("/healthz", get(|| async { "ok" }))
        .with_state(door);
    citizen::serve(router).await
}

fn digest(token: &str) -> Token {
    Sha256::digest(token).into()
}

/// Who may pass: before anything of the body is read.
async fn pass(State(door): State<Arc<Door>>, request: Request, next: Next) -> Response {
    let Some(token) = token(request.headers()).filter(|token| door.tokens.contains(token)) else {
        let challenge = [(header::WWW_AUTHENTICATE, "Bearer")];
        return (challenge, problem(StatusCode::UNAUTHORIZED, "a token is needed")).into_response();
    };
    if !door.takes(token, Instant::now()) {
        let later = [(header::RETRY_AFTER, "1")];
        return (later, problem(StatusCode::TOO_MANY_REQUESTS, "too many reports")).into_response();
    }
    next.run(request).await
}

fn token(headers: &HeaderMap) -> Option<Token> {
    let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    value.strip_prefix("Bearer ").map(digest)
}

impl Door {
    /// Whether this token may send one more.
    fn takes(&self, token: Token, now: Instant) -> bool {
        let mut left = self.left.lock().unwrap_or_else(PoisonError::into_inner);
        let (left, known) = left.entry(token).or_insert((RATE, now));
        *left = (*left + now.duration_since(*known).as_secs_f64() * RATE).min(RATE);
        *known = now;
        let takes = *left >= 1.0;
        if takes {
            *left -= 1.0;
        }
        takes
    }
}

async fn report(State(door): State<Arc<Door>>, Json(report): Json<Report>) -> Response {
    let url = format!("{}/v1/score", door.scoring_api);
    match call::post(url, json!({ "url": report.url })).await {
        Ok((status, body)) => {
            let status = StatusCode::from_u16(status).unwrap_or(StatusCode::BAD_GATEWAY);
            (status, Json(body)).into_response()
        }
        Err(error) => unavailable("pages are not scored at the moment", error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn whoever_is_too_eager_waits_and_nobody_else() {
        let door = Door {
            scoring_api: String::new(),
            tokens: Vec::new(),
            left: Mutex::default(),
        };
        let (eager, calm, began) = (digest("eager"), digest("calm"), Instant::now());
        let taken = (0..100).filter(|_| door.takes(eager, began)).count();
        assert_eq!(taken, 20);
        assert!(door.takes(calm, began));
        let later = began + Duration::from_millis(100);
        let taken = (0..100).filter(|_| door.takes(eager, later)).count();
        assert_eq!(taken, 2);
    }
}
