//! Whether a request can be passed on without being taken for another one by whoever gets it.
//!
//! The parser has refused what it could not read. What is refused here can be read, and in two ways: a body in a coding that
//! nobody has named to the instance, a target that names a host where a path should stand.

use http::header::TRANSFER_ENCODING;
use http::request::Parts;
use http::{Method, StatusCode, Version};

use crate::pages::Page;

/// Why a request is refused, if it is.
pub(crate) fn refusal(parts: &Parts) -> Option<Page> {
    let (status, words) = if parts.method == Method::CONNECT {
        (StatusCode::METHOD_NOT_ALLOWED, "This is no forward proxy")
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
