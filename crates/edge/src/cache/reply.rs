//! What a visitor gets of an answer that is kept: all of it, a part of it, its head, or that nothing has changed.

use std::sync::Arc;
use std::time::Duration;

use http::header::{
    ACCEPT_RANGES, AGE, CONTENT_LENGTH, CONTENT_RANGE, CONTENT_TYPE, ETAG, HeaderMap, HeaderValue,
    IF_MODIFIED_SINCE, IF_NONE_MATCH, LAST_MODIFIED, RANGE,
};
use http::request::Parts;
use http::{Method, Response, StatusCode};

use super::kept::{CACHE_STATUS, Head, Kept};
use super::key::Key;
use super::rule::Why;
use super::shelf::Shelf;
use crate::body::Body;
use crate::compress;
use crate::encode::{Coding, whole};
use crate::files::condition::{Known, Part, is_unchanged, part};
use crate::proxy;

/// How an answer came about, as `Cache-Status` tells it (RFC 9211).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Told {
    /// From what is kept, and fresh.
    Hit,
    /// From what is kept, and old.
    Stale,
    /// The origin has said that what is kept is right still.
    Validated,
    /// Nothing was kept; this is, from now on.
    Stored,
    /// The answer to another one's request.
    Joined,
    /// From the origin, and not kept.
    Passed(Why),
    /// From the origin: nothing is kept there.
    Alone,
    /// From the origin, which has failed.
    Failed,
}

/// Says how an answer came about.
pub(super) fn tell(headers: &mut HeaderMap, told: Told, left: i64) {
    let text = match told {
        Told::Hit | Told::Stale => format!("towpath; hit; ttl={left}"),
        Told::Validated => "towpath; fwd=stale; fwd-status=304; stored".to_owned(),
        Told::Stored => "towpath; fwd=uri-miss; stored".to_owned(),
        Told::Joined => "towpath; fwd=uri-miss; collapsed".to_owned(),
        Told::Passed(Why::Method) => "towpath; fwd=method".to_owned(),
        Told::Passed(Why::Request) => "towpath; fwd=request".to_owned(),
        Told::Passed(Why::Override) => "towpath; fwd=bypass; detail=override-header".to_owned(),
        Told::Passed(why) => format!("towpath; fwd=uri-miss; detail={}", why.word()),
        Told::Alone => "towpath; fwd=uri-miss".to_owned(),
        Told::Failed => "towpath; fwd=stale; detail=failed".to_owned(),
    };
    if let Ok(text) = HeaderValue::try_from(text) {
        headers.append(CACHE_STATUS, text);
    }
}

/// The head of an answer as it is told to a visitor.
fn headers(head: &Head, told: Told) -> HeaderMap {
    let mut headers = head.headers.clone();
    let age = head.age();
    headers.insert(AGE, HeaderValue::from(age));
    tell(&mut headers, told, head.terms.fresh as i64 - age as i64);
    headers
}

/// Whether the visitor has what an answer with these headers says.
pub(super) fn has_it(asked: &HeaderMap, status: StatusCode, head: &HeaderMap) -> bool {
    if status != StatusCode::OK
        || !(asked.contains_key(IF_NONE_MATCH) || asked.contains_key(IF_MODIFIED_SINCE))
    {
        return false;
    }
    let text = |name| head.get(name).and_then(|value: &HeaderValue| value.to_str().ok());
    let modified = text(LAST_MODIFIED).and_then(|date| httpdate::parse_http_date(date).ok());
    let modified = modified.and_then(|date| date.duration_since(std::time::UNIX_EPOCH).ok());
    is_unchanged(
        asked,
        &Known {
            // No visitor has a tag without quotes.
            tag: text(ETAG).unwrap_or_default(),
            modified: modified.unwrap_or(Duration::MAX),
            length: 0,
        },
    )
}

/// An answer without a body: nothing has changed.
pub(super) fn unchanged(mut headers: HeaderMap) -> Response<Body> {
    for name in [CONTENT_LENGTH, CONTENT_TYPE, CONTENT_RANGE] {
        headers.remove(name);
    }
    answer(StatusCode::NOT_MODIFIED, headers, Body::empty())
}

/// The answer of what is kept.
pub(super) fn of_kept(
    (shelf, key): (&Arc<Shelf>, &Key),
    kept: &Arc<Kept>,
    asked: &Parts,
    compress: bool,
    told: Told,
) -> Response<Body> {
    let mut headers = headers(&kept.head, told);
    let status = kept.head.status;
    if has_it(&asked.headers, status, &headers) {
        return unchanged(headers);
    }
    let length = kept.body.len() as u64;
    if asked.method == Method::HEAD {
        if status != StatusCode::NO_CONTENT && !headers.contains_key(CONTENT_LENGTH) {
            headers.insert(CONTENT_LENGTH, HeaderValue::from(length));
        }
        return answer(status, headers, Body::empty());
    }
    if status == StatusCode::OK && asked.headers.contains_key(RANGE) {
        return of_part(kept, asked, headers);
    }
    let response = answer(status, headers, Body::whole(kept.body.clone()));
    let Some(coding) = proxy::coding(compress, &asked.headers, &response) else {
        return proxy::coded(compress, None, response);
    };
    if let Some(bytes) = kept.coded(coding) {
        let (mut parts, _) = response.into_parts();
        compress::mark(&mut parts.headers, coding);
        parts
            .headers
            .insert(CONTENT_LENGTH, HeaderValue::from(bytes.len()));
        return Response::from_parts(parts, Body::whole(bytes));
    }
    code((shelf, key), kept, coding);
    proxy::coded(compress, Some(coding), response)
}

/// Codes what is kept, for those who come next: nobody waits for it.
fn code((shelf, key): (&Arc<Shelf>, &Key), kept: &Arc<Kept>, coding: Coding) {
    if !kept.may_code() {
        return;
    }
    let (shelf, key, kept) = (Arc::clone(shelf), key.clone(), Arc::clone(kept));
    tokio::task::spawn_blocking(move || {
        let more = kept.keep_coded(coding, whole(coding, &kept.body).ok());
        shelf.grew(&key, &kept, more);
    });
}

fn of_part(kept: &Kept, asked: &Parts, mut headers: HeaderMap) -> Response<Body> {
    let length = kept.body.len() as u64;
    let modified = kept.head.text(&LAST_MODIFIED);
    let modified = modified.and_then(|date| httpdate::parse_http_date(date).ok());
    let known = Known {
        tag: kept.head.text(&ETAG).unwrap_or_default(),
        modified: modified
            .and_then(|date| date.duration_since(std::time::UNIX_EPOCH).ok())
            .unwrap_or(Duration::MAX),
        length,
    };
    headers.insert(ACCEPT_RANGES, HeaderValue::from_static("bytes"));
    let mut range = |text: String| {
        if let Ok(text) = HeaderValue::try_from(text) {
            headers.insert(CONTENT_RANGE, text);
        }
    };
    let (status, body) = match part(&asked.headers, &known) {
        Part::Whole => (StatusCode::OK, kept.body.clone()),
        Part::Range(from, count) => {
            range(format!("bytes {from}-{}/{length}", from + count - 1));
            let (from, end) = (from as usize, (from + count) as usize);
            (StatusCode::PARTIAL_CONTENT, kept.body.slice(from..end))
        }
        Part::Outside => {
            range(format!("bytes */{length}"));
            headers.insert(CONTENT_LENGTH, HeaderValue::from(0));
            return answer(StatusCode::RANGE_NOT_SATISFIABLE, headers, Body::empty());
        }
    };
    headers.insert(CONTENT_LENGTH, HeaderValue::from(body.len()));
    answer(status, headers, Body::whole(body))
}

/// The answer of what comes, for somebody who did not ask for it first.
pub(super) fn of_head(head: &Head, told: Told) -> Response<()> {
    let mut response = Response::new(());
    *response.status_mut() = head.status;
    *response.headers_mut() = headers(head, told);
    response
}

fn answer(status: StatusCode, headers: HeaderMap, body: Body) -> Response<Body> {
    let mut response = Response::new(body);
    *response.status_mut() = status;
    *response.headers_mut() = headers;
    response
}
