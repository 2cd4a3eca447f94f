//! Passing a question on to a steward, and its answer back, both as they flow.

use crate::desk::Body;
use crate::problem;
use crate::stewards::{Place, away};
use http::header::{CONTENT_TYPE, HOST, HeaderValue};
use http::request::Parts;
use http::{Request, Response, StatusCode};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Limited};
use hyper::body::{Body as _, Incoming};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use tokio::net::UnixStream;
use towpath_api::{Asks, Problem, endpoint};

/// The media type of a refusal.
pub(crate) const PROBLEM: &str = "application/problem+json";

/// What is brought and is no file. A steward holds all of it in memory: a release with a hundred thousand files has ten of these
/// mebibytes.
const MOST: usize = 64 * 1024 * 1024;

/// Whether what is brought may be that long.
pub(crate) fn fits(head: &Parts, path: &str, body: &Incoming) -> Result<(), Box<Problem>> {
    let long = body.size_hint().lower() > MOST as u64;
    if long && !is_file(head, path) {
        let message = format!("what is brought is longer than {} MiB", MOST / 1024 / 1024);
        return Err(problem(StatusCode::PAYLOAD_TOO_LARGE, "too-long", &message, None));
    }
    Ok(())
}

fn is_file(head: &Parts, path: &str) -> bool {
    endpoint(head.method.as_str(), path).is_some_and(|one| one.asks == Asks::File)
}

/// Asks a steward.
pub(crate) async fn pass(
    stream: UnixStream,
    place: &Place,
    path: &str,
    head: Parts,
    body: Incoming,
) -> Result<Response<Body>, Box<Problem>> {
    let media = endpoint(head.method.as_str(), path).map(|one| one.answers.media());
    let body: Body = match is_file(&head, path) {
        true => UnsyncBoxBody::new(body.map_err(Into::into)),
        false => UnsyncBoxBody::new(Limited::new(body, MOST)),
    };
    let uri = match head.uri.query() {
        Some(query) => format!("{path}?{query}"),
        None => path.to_owned(),
    };
    let mut request = Request::builder()
        .method(head.method)
        .uri(uri)
        .header(HOST, "towpath");
    if let Some(kind) = head.headers.get(CONTENT_TYPE) {
        request = request.header(CONTENT_TYPE, kind);
    }
    let request = request
        .body(body)
        .map_err(|error| away(place, &error.to_string()))?;
    let cut = |_| away(place, "it went away while it was asked");
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.map_err(cut)?;
    // It ends with the question: when the answer is over, or nobody wants it any more.
    tokio::spawn(connection);
    let (mut told, body) = sender.send_request(request).await.map_err(cut)?.into_parts();
    let kind = match told.status.is_success() {
        true => media,
        false => Some(PROBLEM),
    };
    if let (Some(kind), None) = (kind, told.headers.get(CONTENT_TYPE)) {
        told.headers.insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    }
    let mut answer = Response::new(UnsyncBoxBody::new(body.map_err(Into::into)));
    *answer.status_mut() = told.status;
    if let Some(kind) = told.headers.remove(CONTENT_TYPE) {
        answer.headers_mut().insert(CONTENT_TYPE, kind);
    }
    Ok(answer)
}
