//! Which requests are answered from what is kept, which answers are kept, and for how long: RFC 9111 as a shared cache.
//!
//! Everything here is decided of headers and numbers, with its reason; nothing waits, and no clock is read.
//!
//! **Only what the origin marks.** An answer is kept where it says for how long (`s-maxage`, `max-age`, `Expires`), or that it
//! may be kept and is to be asked for each time (`no-cache` with an `ETag` or `Last-Modified`). Nothing is guessed from a date
//! or from the end of a path: `/account/x.css` is kept as little as `/account` (cache deception).
//!
//! **What belongs to somebody** is not kept unless the origin says that it is everybody's. An answer to a request with
//! `Authorization` needs `public`, `s-maxage` or `must-revalidate` (RFC 9111, 3.5). One to a request with cookies needs
//! `public` or `s-maxage`, though the RFC asks for nothing: `max-age` is often said for the browser alone. So does one that
//! sets a cookie, and it is kept without that: its first visitor gets the cookie, and nobody else. Behind a sign-in of the edge
//! it has to be `public`.
//!
//! **Errors** are kept where they are an answer (404, 410 and their like) and never where they are a failure (5xx): an origin
//! that marks those means something else.
//!
//! **What is old** may be used while it is asked for anew (`stale-while-revalidate`) and when that fails (`stale-if-error`), for
//! as long as the origin says, and never where it says `must-revalidate`, `proxy-revalidate` or `no-cache`. `s-maxage` says
//! the same by the letter; who writes it beside one of those two words means those.

use std::time::Duration;

use http::header::{
    AGE, AUTHORIZATION, CONTENT_ENCODING, CONTENT_RANGE, COOKIE, DATE, ETAG, EXPIRES, HeaderMap, HeaderName,
    IF_MATCH, IF_UNMODIFIED_SINCE, LAST_MODIFIED, SET_COOKIE, TRAILER, UPGRADE, VARY,
};
use http::request::Parts;
use http::{Method, StatusCode};

use super::control::{Control, seconds};

/// The most headers that an answer may depend on.
const VARIES: usize = 8;

/// Why something is not answered from what is kept, or not kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Why {
    /// Only GET and HEAD are.
    Method,
    /// The visitor does not want it, or asks for something that only the origin can answer.
    Request,
    /// It carries a header that origins take for the address that was asked for, and that is no part of the key.
    Override,
    /// The status is not one that is kept.
    Status,
    /// `no-store` or `private`.
    Forbidden,
    /// It does not say that it may be kept.
    Unmarked,
    /// It belongs to somebody who has signed in.
    Owned,
    /// It sets a cookie.
    Cookie,
    /// It is one part of something.
    Part,
    /// It depends on everything, or on too much.
    Varies,
    /// It is too large, or there is no room for it now.
    Large,
}

impl Why {
    /// How it is told in `Cache-Status`.
    pub(super) fn word(self) -> &'static str {
        match self {
            Why::Method => "method",
            Why::Request => "request",
            Why::Override => "override-header",
            Why::Status => "status",
            Why::Forbidden => "forbidden",
            Why::Unmarked => "unmarked",
            Why::Owned => "owned",
            Why::Cookie => "set-cookie",
            Why::Part => "partial",
            Why::Varies => "varies",
            Why::Large => "too-large",
        }
    }
}

/// What a visitor wants of an answer that is kept.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Wish {
    max_age: Option<u64>,
    min_fresh: u64,
    max_stale: u64,
    /// Asked for anew, whatever is kept.
    anew: bool,
    /// From what is kept, or not at all.
    pub(super) only_kept: bool,
}

/// Headers that origins and their frameworks take for the address, the host or the method, whatever really was asked for. An
/// answer to a request with one of them may be another one than the key says (cache poisoning), so it is passed by.
const OVERRIDES: [&str; 14] = [
    "x-original-url",
    "x-rewrite-url",
    "x-original-host",
    "x-host",
    "x-forwarded-server",
    "x-forwarded-scheme",
    "x-forwarded-port",
    "x-forwarded-prefix",
    "x-forwarded-path",
    "x-forwarded-ssl",
    "x-http-host-override",
    "x-http-method-override",
    "x-http-method",
    "x-method-override",
];

/// Whether a request may be answered from what is kept, and what it wants of that.
pub(super) fn looks(asked: &Parts, has_body: bool) -> Result<Wish, Why> {
    if !matches!(asked.method, Method::GET | Method::HEAD) {
        return Err(Why::Method);
    }
    let headers = &asked.headers;
    let control = Control::of_request(headers);
    let is_conditional = headers.contains_key(IF_MATCH) || headers.contains_key(IF_UNMODIFIED_SINCE);
    if has_body || is_conditional || control.no_store || headers.contains_key(UPGRADE) {
        return Err(Why::Request);
    }
    if OVERRIDES.iter().any(|name| headers.contains_key(*name)) {
        return Err(Why::Override);
    }
    Ok(Wish {
        max_age: control.max_age,
        min_fresh: control.min_fresh.unwrap_or(0),
        max_stale: control.max_stale.unwrap_or(0),
        anew: control.no_cache,
        only_kept: control.only_if_cached,
    })
}

/// To whom an answer was given.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Whose {
    pub(super) authorized: bool,
    pub(super) has_cookies: bool,
    /// Behind a sign-in of the edge.
    pub(super) signed_in: bool,
}

impl Whose {
    pub(super) fn of(headers: &HeaderMap, signed_in: bool) -> Whose {
        let is_foreign = |pair: &str| !pair.trim().starts_with("towpath-") && !pair.trim().is_empty();
        let mut cookies = headers.get_all(COOKIE).iter();
        Whose {
            authorized: headers.contains_key(AUTHORIZATION),
            has_cookies: cookies.any(|value| {
                value
                    .to_str()
                    .map_or(true, |text| text.split(';').any(is_foreign))
            }),
            signed_in,
        }
    }
}

/// How an answer may be used. Seconds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Terms {
    pub(super) fresh: u64,
    while_revalidate: u64,
    if_error: u64,
    /// Never when it is old.
    must_ask: bool,
    /// A visitor's wish for something stale is none.
    shared: bool,
    immutable: bool,
}

/// Whether an answer is kept, at most for so long, and how it may be used then. `now` is the time of day.
pub(super) fn keeps(
    whose: Whose,
    status: StatusCode,
    headers: &HeaderMap,
    most: Duration,
    now: u64,
) -> Result<Terms, Why> {
    let control = Control::of(headers);
    if status == StatusCode::PARTIAL_CONTENT || headers.contains_key(CONTENT_RANGE) {
        return Err(Why::Part);
    }
    if !is_kept_at_all(status) {
        return Err(Why::Status);
    }
    if control.no_store || control.private {
        return Err(Why::Forbidden);
    }
    let is_everybodys = control.public || control.shared_max_age.is_some();
    let lacks_permit = whose.authorized && !is_everybodys && !control.must_revalidate;
    if lacks_permit || whose.has_cookies && !is_everybodys || whose.signed_in && !control.public {
        return Err(Why::Owned);
    }
    if headers.contains_key(SET_COOKIE) && !is_everybodys {
        return Err(Why::Cookie);
    }
    if headers.contains_key(TRAILER) {
        return Err(Why::Part);
    }
    varies(headers)?;
    let can_be_asked_for = headers.contains_key(ETAG) || headers.contains_key(LAST_MODIFIED);
    let fresh = match lifetime(&control, headers, now) {
        _ if control.no_cache => 0,
        Some(fresh) => fresh,
        None => return Err(Why::Unmarked),
    };
    let most = most.as_secs();
    let terms = Terms {
        fresh: fresh.min(most),
        while_revalidate: control.while_revalidate.unwrap_or(0).min(most),
        if_error: control.if_error.unwrap_or(0).min(most),
        must_ask: control.must_ask || control.no_cache,
        shared: control.shared_max_age.is_some(),
        immutable: control.immutable,
    };
    let is_of_use = terms.fresh > 0 || terms.while_revalidate > 0 || can_be_asked_for;
    is_of_use.then_some(terms).ok_or(Why::Unmarked)
}

/// What is an answer, and not a failure or a step on the way to one.
fn is_kept_at_all(status: StatusCode) -> bool {
    matches!(
        status.as_u16(),
        200 | 203 | 204 | 300 | 301 | 302 | 303 | 307 | 308 | 404 | 405 | 410 | 414
    )
}

/// For how long an answer says that it is fresh.
fn lifetime(control: &Control, headers: &HeaderMap, now: u64) -> Option<u64> {
    if let Some(said) = control.shared_max_age.or(control.max_age) {
        return Some(said);
    }
    let mut said = headers.get_all(EXPIRES).iter();
    let expires = said.next()?;
    // A date that is none, as `0`, is one that has passed (RFC 9111, 5.3); so are two of them.
    let until = date(expires).filter(|_| said.next().is_none()).unwrap_or(0);
    Some(until.saturating_sub(headers.get(DATE).and_then(date).unwrap_or(now)))
}

/// The headers of a request that an answer depends on.
pub(super) fn varies(headers: &HeaderMap) -> Result<Vec<HeaderName>, Why> {
    let mut names: Vec<HeaderName> = Vec::new();
    for value in headers.get_all(VARY) {
        let text = value.to_str().map_err(|_| Why::Varies)?;
        for word in text.split(',').map(str::trim).filter(|word| !word.is_empty()) {
            let name = HeaderName::try_from(word).map_err(|_| Why::Varies)?;
            if name == "*" {
                return Err(Why::Varies);
            }
            if !names.contains(&name) {
                names.push(name);
            }
        }
    }
    // Who packs depends on who unpacks, whether that is said or not.
    let accepted = http::header::ACCEPT_ENCODING;
    if headers.contains_key(CONTENT_ENCODING) && !names.contains(&accepted) {
        names.push(accepted);
    }
    (names.len() <= VARIES).then_some(names).ok_or(Why::Varies)
}

/// What a request says of a header that an answer depends on, in a form in which the same is the same.
pub(super) fn said(headers: &HeaderMap, name: &HeaderName) -> Option<Vec<u8>> {
    let values = headers.get_all(name);
    values.iter().next()?;
    if *name == http::header::ACCEPT_ENCODING {
        let texts = values.iter().filter_map(|value| value.to_str().ok());
        let mut words: Vec<String> = texts
            .flat_map(|text| text.split(','))
            .map(|word| word.to_ascii_lowercase().replace([' ', '\t'], ""))
            .filter(|word| !word.is_empty())
            .collect();
        words.sort_unstable();
        words.dedup();
        return Some(words.join(",").into_bytes());
    }
    let all: Vec<&[u8]> = values.iter().map(|value| value.as_bytes().trim_ascii()).collect();
    Some(all.join(&b","[..]))
}

/// How old an answer was when it came (RFC 9111, 4.2.3), after so long on its way. `now` is the time of day.
pub(super) fn age(headers: &HeaderMap, now: u64, took: u64) -> u64 {
    let dated = headers.get(DATE).and_then(date);
    let apparent = dated.map_or(0, |dated| now.saturating_sub(dated));
    let told = headers.get(AGE).and_then(|age| age.to_str().ok());
    let told = told.map_or(0, |age| seconds(age.split(',').next().unwrap_or_default().trim()));
    apparent.max(told + took)
}

/// How an answer that is kept is used for a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Use {
    /// As it is.
    Fresh,
    /// As it is, and it is asked for anew for those who come next.
    Behind,
    /// As it is, though it is old: the visitor wants it so.
    Stale,
    /// Only after the origin has been asked whether it is still right.
    Ask,
}

impl Terms {
    /// How an answer of this age is used.
    pub(super) fn at(&self, age: u64, wish: &Wish) -> Use {
        let is_fresh = age < self.fresh;
        // A page that is loaded again asks for everything anew; what never changes is not asked for (RFC 8246).
        let is_settled = self.immutable && is_fresh && wish.max_age == Some(0);
        let too_old = wish.max_age.is_some_and(|most| age > most || most == 0) && !is_settled;
        if wish.anew || too_old {
            return Use::Ask;
        }
        if is_fresh {
            let left = self.fresh - age;
            return if left >= wish.min_fresh {
                Use::Fresh
            } else {
                Use::Ask
            };
        }
        let late = age - self.fresh;
        if self.must_ask || wish.min_fresh > 0 {
            return Use::Ask;
        }
        if late < self.while_revalidate {
            return Use::Behind;
        }
        if !self.shared && wish.max_stale > 0 && late <= wish.max_stale {
            return Use::Stale;
        }
        Use::Ask
    }

    /// Whether an answer of this age is better than an error.
    pub(super) fn serves_after_error(&self, age: u64) -> bool {
        !self.must_ask && age < self.fresh.saturating_add(self.if_error)
    }
}

fn date(value: &http::HeaderValue) -> Option<u64> {
    let date = httpdate::parse_http_date(value.to_str().ok()?).ok()?;
    let since = date.duration_since(std::time::UNIX_EPOCH).ok()?;
    Some(since.as_secs())
}

#[cfg(test)]
mod tests;
