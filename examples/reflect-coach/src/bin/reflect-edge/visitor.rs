//! Visitors: who they are by their cookie, and what they ask core for.

use crate::feed::EDGE;
use crate::{Edge, Kept};
use axum::body::Bytes;
use axum::extract::State;
use axum::http::header::{CONTENT_TYPE, COOKIE, HOST, ORIGIN, SET_COOKIE};
use axum::http::{HeaderMap, Method, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use reflect_coach::call::{self, Answered};
use reflect_coach::{Fault, clock, log, sign};
use serde_json::json;
use std::process;
use std::sync::atomic::{AtomicU64, Ordering};

/// A week, in seconds, as core has it.
const LASTS: u32 = 7 * 24 * 60 * 60;

/// Signs in: the session's token becomes a cookie that no script can read.
pub async fn sign_in(State(edge): State<Kept>, headers: HeaderMap, body: Bytes) -> Response {
    if !is_own_page(&headers) {
        return foreign();
    }
    let asked = core(&edge, EDGE, "POST", "/session", vec![], text(&body)).await;
    let Ok(answer) = asked.inspect_err(warn) else {
        return silent();
    };
    let said = answer.json();
    match (answer.status, said["token"].as_str()) {
        (200, Some(token)) => {
            let cookie = format!("session={token}; Max-Age={LASTS}; {}", rest_of_cookie(&headers));
            let body = json!({ "person": said["person"], "name": said["name"] });
            ([(SET_COOKIE, cookie)], axum::Json(body)).into_response()
        }
        _ => passed_on(answer),
    }
}

pub async fn sign_out(State(edge): State<Kept>, headers: HeaderMap) -> Response {
    if !is_own_page(&headers) {
        return foreign();
    }
    let session = vec![("x-session", session(&headers).to_owned())];
    match core(&edge, EDGE, "DELETE", "/session", session, String::new()).await {
        Ok(_) => {
            let cookie = format!("session=; Max-Age=0; {}", rest_of_cookie(&headers));
            (StatusCode::NO_CONTENT, [(SET_COOKIE, cookie)]).into_response()
        }
        Err(why) => {
            warn(&why);
            silent()
        }
    }
}

pub async fn me(State(edge): State<Kept>, headers: HeaderMap) -> Response {
    for_visitor(&edge, &headers, "GET", "/me", vec![], String::new()).await
}

/// What lies under `/api` is core's, asked for the visitor.
pub async fn ask(
    State(edge): State<Kept>,
    uri: Uri,
    method: Method,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let path = uri.path().strip_prefix("/api").unwrap_or_default();
    // Everybody's events, and whose session it is, are for edge alone.
    if path.starts_with("/session") || path.starts_with("/events") {
        return StatusCode::NOT_FOUND.into_response();
    }
    if method == Method::GET {
        return for_visitor(&edge, &headers, "GET", path, vec![], String::new()).await;
    }
    if !is_own_page(&headers) {
        return foreign();
    }
    let key = headers.get("idempotency-key").and_then(|key| key.to_str().ok());
    let key = vec![("idempotency-key", key.map_or_else(new_key, str::to_owned))];
    for_visitor(&edge, &headers, "POST", path, key, text(&body)).await
}

async fn for_visitor(
    edge: &Edge,
    headers: &HeaderMap,
    method: &str,
    path: &str,
    with: Vec<(&'static str, String)>,
    body: String,
) -> Response {
    let asked = async {
        match person(edge, headers).await? {
            Some(person) => core(edge, &person, method, path, with, body).await.map(passed_on),
            None => Ok(refusal(StatusCode::UNAUTHORIZED, "sign in first")),
        }
    };
    asked.await.unwrap_or_else(|why: Fault| {
        warn(&why);
        silent()
    })
}

/// Who asks, as core knows the session; nobody without one.
pub async fn person(edge: &Edge, headers: &HeaderMap) -> Result<Option<String>, Fault> {
    let session = session(headers);
    if session.is_empty() {
        return Ok(None);
    }
    let with = vec![("x-session", session.to_owned())];
    let answer = core(edge, EDGE, "GET", "/session", with, String::new()).await?;
    match answer.status {
        200 => Ok(answer.json()["person"].as_str().map(str::to_owned)),
        404 => Ok(None),
        status => Err(format!("core answered {status}").into()),
    }
}

async fn core(
    edge: &Edge,
    person: &str,
    method: &str,
    path: &str,
    mut with: Vec<(&'static str, String)>,
    body: String,
) -> Result<Answered, Fault> {
    with.push(("authorization", edge.token(person)?));
    call::ask(&edge.agent, method, format!("{}{path}", edge.core), with, body).await
}

fn session(headers: &HeaderMap) -> &str {
    let all = headers
        .get_all(COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok());
    let mut each = all.flat_map(|value| value.split("; "));
    let value = each.find_map(|one| one.strip_prefix("session="));
    // A header is made of it: what is no token is none.
    let is_token = |value: &&str| value.bytes().all(|byte| byte.is_ascii_hexdigit());
    value.filter(is_token).unwrap_or_default()
}

/// Over plain HTTP, as on somebody's own machine, a browser would not give a secure cookie back.
fn rest_of_cookie(headers: &HeaderMap) -> &'static str {
    if headers
        .get("x-forwarded-proto")
        .is_some_and(|proto| proto == "https")
    {
        "Path=/; HttpOnly; SameSite=Lax; Secure"
    } else {
        "Path=/; HttpOnly; SameSite=Lax"
    }
}

/// Whether a request comes from a page of ours. Browsers always say where a changing request comes from; programs need not,
/// and have no cookie that somebody else could misuse.
pub fn is_own_page(headers: &HeaderMap) -> bool {
    let word = |name| {
        headers
            .get(name)
            .and_then(|value: &axum::http::HeaderValue| value.to_str().ok())
    };
    let Some(origin) = word(ORIGIN.as_str()) else {
        return true;
    };
    let host = word("x-forwarded-host").or(word(HOST.as_str()));
    let from = origin.split_once("://").map(|(_, host)| host);
    from.is_some() && from == host
}

/// A key for whoever brought none: it is for this request only.
fn new_key() -> String {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    let now = clock::now().as_nanosecond();
    sign::digest(format!("{now} {} {number}", process::id()).as_bytes())
}

fn text(body: &Bytes) -> String {
    String::from_utf8_lossy(body).into_owned()
}

fn passed_on(answer: Answered) -> Response {
    let status = StatusCode::from_u16(answer.status).unwrap_or(StatusCode::BAD_GATEWAY);
    (status, [(CONTENT_TYPE, "application/json")], answer.body).into_response()
}

fn foreign() -> Response {
    refusal(StatusCode::FORBIDDEN, "this comes from another site's page")
}

fn silent() -> Response {
    refusal(StatusCode::BAD_GATEWAY, "core does not answer")
}

fn warn(why: &Fault) {
    log::warn("core is silent", json!({ "why": why.to_string() }));
}

pub fn refusal(status: StatusCode, why: &str) -> Response {
    (status, axum::Json(json!({ "error": why }))).into_response()
}
