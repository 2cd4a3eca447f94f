//! Whether a request that changes something comes from a page of the product itself.
//!
//! A foreign page can make a browser send a request with everything that the browser adds on its own: cookies, and the
//! password of a sign-in. Browsers say where such a request comes from, in `Origin`, and where they leave that out, in
//! `Referer` or `Sec-Fetch-Site`; a page cannot change any of them. So what comes from elsewhere is refused, and so is what
//! says nothing about it and yet carries what a browser adds. A request that says nothing and carries nothing of the sort is
//! a program's, with no one behind it who could be made use of.

use http::header::{AUTHORIZATION, COOKIE, HeaderMap, HeaderName, ORIGIN, REFERER};
use http::{Method, Uri};

use super::Asked;

const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// Why a request does not come from a page of the product, if it does not.
pub(crate) fn refusal(asked: &Asked<'_>) -> Option<String> {
    if !changes(asked.method, asked.headers) {
        return None;
    }
    let said = |name: HeaderName| Some(asked.headers.get(name)?.to_str().unwrap_or("what cannot be read"));
    if let Some(origin) = said(ORIGIN) {
        return (!is_own(asked, origin)).then(|| format!("It comes from {origin}"));
    }
    if let Some(page) = said(REFERER) {
        return (!is_own(asked, page)).then(|| "It comes from a page of somebody else".to_owned());
    }
    match said(SEC_FETCH_SITE) {
        // Nobody but a person has typed it.
        Some("same-origin" | "none") => None,
        Some(_) => Some("It comes from a page of somebody else".to_owned()),
        None if brings_along(asked.headers) => Some("It does not say where it comes from".to_owned()),
        None => None,
    }
}

/// By its method (RFC 9110, 9.2.1); and what opens a WebSocket, which no other rule of browsers keeps to its own pages.
fn changes(method: &Method, headers: &HeaderMap) -> bool {
    !method.is_safe() || crate::headers::upgrade(headers).is_some()
}

/// Something that browsers add to requests of whichever page.
fn brings_along(headers: &HeaderMap) -> bool {
    let basic = headers.get(AUTHORIZATION).is_some_and(|value| {
        let scheme = value.as_bytes().get(..6);
        scheme.is_some_and(|scheme| scheme.eq_ignore_ascii_case(b"basic "))
    });
    basic || headers.contains_key(COOKIE)
}

/// A page of the product: at one of its names, and at a port of the edge or the one that the request itself names.
fn is_own(asked: &Asked<'_>, page: &str) -> bool {
    let Ok(page) = page.parse::<Uri>() else {
        return false;
    };
    let (Some(scheme), Some(authority)) = (page.scheme_str(), page.authority()) else {
        return false;
    };
    if authority.as_str().eq_ignore_ascii_case(&asked.host.written) {
        return true;
    }
    let host = authority.host().trim_matches(['[', ']']).to_ascii_lowercase();
    let usual = if scheme == "https" { 443 } else { 80 };
    let port = authority.port_u16().unwrap_or(usual);
    let is_port = port == usual || [asked.ports.0, asked.ports.1].contains(&port);
    is_port && (asked.is_own)(&host)
}
