//! Whether a request can be passed on without being taken for another one by whoever gets it.
//!
//! The parser has refused what it could not read. What is refused here can be read, and in two ways: a body in a coding that
//! nobody has named to the instance, a target that names a host where a path should stand.

use http::header::{COOKIE, HeaderMap, HeaderValue, TRANSFER_ENCODING};
use http::request::Parts;
use http::uri::PathAndQuery;
use http::{Method, StatusCode, Uri, Version};

use crate::pages::Page;

/// Why a request is refused, if it is.
pub(crate) fn refusal(parts: &Parts) -> Option<Page> {
    let (status, words) = if parts.method == Method::CONNECT {
        (StatusCode::METHOD_NOT_ALLOWED, "This is no forward proxy")
    } else if parts.method == Method::TRACE {
        // Whoever echoes a request echoes what the visitor may not read of it, too (RFC 9110, 9.3.8).
        (StatusCode::METHOD_NOT_ALLOWED, "Nothing is echoed here")
    } else if !is_target(parts) {
        (StatusCode::BAD_REQUEST, "The target of the request is no path")
    } else if !is_coding(parts) {
        (
            StatusCode::NOT_IMPLEMENTED,
            "The request has a transfer coding that is not known here",
        )
    } else {
        return None;
    };
    Some(Page::new(status, words, ""))
}

/// Puts together what may come in pieces and has to be passed on as one.
pub(crate) fn complete(parts: &mut Parts) {
    path(&mut parts.uri);
    if parts.version == Version::HTTP_2 {
        cookies(&mut parts.headers);
    }
}

/// The second version may send each cookie as a header of its own. Elsewhere they are one (RFC 9113, 8.2.3).
fn cookies(headers: &mut HeaderMap) {
    if headers.get_all(COOKIE).iter().nth(1).is_none() {
        return;
    }
    let pieces: Vec<&[u8]> = headers
        .get_all(COOKIE)
        .iter()
        .map(HeaderValue::as_bytes)
        .collect();
    if let Ok(one) = HeaderValue::from_bytes(&pieces.join(&b"; "[..])) {
        headers.insert(COOKIE, one);
    }
}

/// A whole address may have a query and no path. What is passed on begins with a path (RFC 9112, 3.2.1).
fn path(uri: &mut Uri) {
    let Some(query) = uri.path_and_query().filter(|both| both.as_str().starts_with('?')) else {
        return;
    };
    let Ok(both) = PathAndQuery::try_from(format!("/{}", query.as_str())) else {
        return;
    };
    let mut whole = std::mem::take(uri).into_parts();
    whole.path_and_query = Some(both);
    *uri = Uri::from_parts(whole).unwrap_or_default();
}

/// The target is a path, a whole address of the web, or the star of OPTIONS (RFC 9112, 3.2).
fn is_target(parts: &Parts) -> bool {
    let uri = &parts.uri;
    let is_path = uri.path().starts_with('/');
    let is_star = uri.path() == "*" && parts.method == Method::OPTIONS;
    let is_whole = match (uri.scheme_str(), uri.authority()) {
        (Some("http" | "https"), Some(_)) => true,
        // In HTTP/2 host and path stand apart.
        (None, Some(_)) => parts.version == Version::HTTP_2,
        (None, None) => true,
        _ => false,
    };
    is_whole && (is_path || is_star)
}

/// The body is chunked and nothing more: another coding would have to be named to the instance, or undone.
fn is_coding(parts: &Parts) -> bool {
    let mut codings = parts.headers.get_all(TRANSFER_ENCODING).iter();
    match (codings.next(), codings.next()) {
        (None, _) => true,
        (Some(coding), None) => coding.as_bytes().trim_ascii().eq_ignore_ascii_case(b"chunked"),
        _ => false,
    }
}
