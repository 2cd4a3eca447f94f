//! The cookies of the edge itself: found, given, and kept from instances.
//!
//! What stands in them is stamped with the key of the edge, so nobody else can make one.

use http::HeaderMap;
use http::header::{COOKIE, HeaderValue};

/// Somebody has signed in.
pub(crate) const SIGNED_IN: &str = "towpath-signed-in";
/// Somebody has signed in at a provider; the door that it is for stands behind it.
pub(crate) const SESSION: &str = "towpath-session-";
/// The browser that has begun to sign in at a provider.
pub(crate) const BROWSER: &str = "towpath-browser";
/// What stands before the name of a cookie that no other host can set.
const HOST: &str = "__Host-";
/// Somebody keeps cookies, as browsers do.
pub(crate) const PASS: &str = "towpath-pass";
/// Somebody who is counted apart from others at the same address.
pub(crate) const VISITOR: &str = "towpath-visitor";

/// The value of a cookie.
pub(crate) fn brought<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    let mut pairs = headers.get_all(COOKIE).iter().flat_map(pairs);
    let value = pairs.find_map(|pair| pair.strip_prefix(name.as_bytes())?.strip_prefix(b"="))?;
    str::from_utf8(value).ok()
}

/// The names with their values. Every request of a browser brings them, so they are looked through as bytes.
fn pairs(value: &HeaderValue) -> impl Iterator<Item = &[u8]> {
    let bytes = value.as_bytes();
    let mut from = 0;
    let ends = memchr::memchr_iter(b';', bytes).chain([bytes.len()]);
    ends.map(move |at| bytes[std::mem::replace(&mut from, at + 1)..at].trim_ascii())
}

/// The header that gives a cookie, for so many seconds.
pub(crate) fn given(name: &str, value: &str, seconds: u64, secure: bool) -> Option<HeaderValue> {
    written((name, value), (Some(seconds), None), secure)
}

/// The header that gives a cookie: for so many seconds, or as long as the browser runs, and for a domain, or the host that was asked.
/// Newcomers get several with each answer, so it is put together without the machinery of formats.
pub(crate) fn written(
    (name, value): (&str, &str),
    (seconds, domain): (Option<u64>, Option<&str>),
    secure: bool,
) -> Option<HeaderValue> {
    let mut digits = itoa::Buffer::new();
    let (lasts, seconds) = seconds.map_or(("", ""), |seconds| ("; Max-Age=", digits.format(seconds)));
    let (of, domain) = domain.map_or(("", ""), |domain| ("; Domain=", domain));
    let secure = if secure { "; Secure" } else { "" };
    let parts = [
        name,
        "=",
        value,
        "; Path=/",
        lasts,
        seconds,
        of,
        domain,
        "; HttpOnly; SameSite=Lax",
        secure,
    ];
    HeaderValue::try_from(parts.concat()).ok()
}

/// The header that takes a cookie away.
pub(crate) fn taken(name: &str) -> Option<HeaderValue> {
    given(name, "", 0, name.starts_with(HOST))
}

/// The name of a cookie that belongs to this very host. Over HTTPS browsers take one of that name from nobody else (RFC 6265bis,
/// 4.1.3.2): another name below the same domain could set one otherwise, and have people go on as somebody else.
pub(crate) fn of_host(name: &str, secure: bool) -> String {
    format!("{}{name}", if secure { HOST } else { "" })
}

/// Whether a cookie says that somebody has signed in, or is about to.
fn is_of_sign_in(pair: &[u8]) -> bool {
    let pair = pair.strip_prefix(HOST.as_bytes()).unwrap_or(pair);
    let is = |name: &str| {
        let rest = pair.strip_prefix(name.as_bytes());
        rest.is_some_and(|rest| rest.starts_with(b"="))
    };
    is(SIGNED_IN) || is(BROWSER) || pair.starts_with(SESSION.as_bytes()) && named(pair).is_some()
}

/// The name of a cookie, with its value behind it.
fn named(pair: &[u8]) -> Option<&[u8]> {
    pair.split(|byte| *byte == b'=')
        .next()
        .filter(|name| name.len() < pair.len())
}

/// The names of the cookies by which somebody has signed in, or is about to.
pub(crate) fn of_sign_in(headers: &HeaderMap) -> Vec<String> {
    let all = headers.get_all(COOKIE).iter().flat_map(pairs);
    all.filter(|pair| is_of_sign_in(pair))
        .filter_map(named)
        .map(|name| String::from_utf8_lossy(name).into_owned())
        .collect()
}

/// Takes away what says that somebody has signed in: an instance that could read it could do what they can.
pub(crate) fn keep_back(headers: &mut HeaderMap) {
    if !headers.get_all(COOKIE).iter().flat_map(pairs).any(is_of_sign_in) {
        return;
    }
    let kept: Vec<HeaderValue> = headers
        .get_all(COOKIE)
        .iter()
        .filter_map(|value| {
            let others: Vec<&[u8]> = pairs(value).filter(|pair| !is_of_sign_in(pair)).collect();
            HeaderValue::from_bytes(&others.join(&b"; "[..])).ok()
        })
        .filter(|value| !value.is_empty())
        .collect();
    headers.remove(COOKIE);
    for value in kept {
        headers.append(COOKIE, value);
    }
}

/// A stamp that only this edge can make, of these texts in this order.
pub(crate) fn stamp(texts: &[&str]) -> blake3::Hash {
    let mut hasher = blake3::Hasher::new_keyed(super::key::key());
    for text in texts {
        hasher.update(&(text.len() as u64).to_le_bytes());
        hasher.update(text.as_bytes());
    }
    hasher.finalize()
}

/// A text with a stamp of it behind it, for one purpose and whatever else it depends on.
pub(crate) fn stamped(text: &str, of: &[&str]) -> String {
    let all: Vec<&str> = of.iter().copied().chain([text]).collect();
    format!("{text}.{}", stamp(&all).to_hex())
}

/// The text before a stamp, where that is ours. The comparison takes the same time for all of them.
pub(crate) fn unstamped<'t>(value: &'t str, of: &[&str]) -> Option<&'t str> {
    let (text, stamped) = value.rsplit_once('.')?;
    let given = blake3::Hash::from_hex(stamped).ok()?;
    let all: Vec<&str> = of.iter().copied().chain([text]).collect();
    (stamp(&all) == given).then_some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_was_stamped_for_this_is_read() {
        let value = stamped("a.b", &["pass", "127.0.0.1"]);
        assert_eq!(unstamped(&value, &["pass", "127.0.0.1"]), Some("a.b"));
        assert_eq!(unstamped(&value, &["pass", "127.0.0.2"]), None);
        assert_eq!(unstamped(&value, &["pass127.0.0.1", ""]), None);
        assert_eq!(unstamped(&value.replace('a', "c"), &["pass", "127.0.0.1"]), None);
        assert_eq!(unstamped("a.b", &["pass"]), None);
        assert_eq!(unstamped("", &["pass"]), None);
    }

    #[test]
    fn a_sign_in_is_kept_from_instances_and_nothing_else_is() {
        let mut headers = HeaderMap::new();
        headers.append(
            COOKIE,
            HeaderValue::from_static(
                "a=1; towpath-signed-in=x.y; b=2; towpath-session-1=z; __Host-towpath-session-2=z; towpath-browser=u",
            ),
        );
        headers.append(COOKIE, HeaderValue::from_static("towpath-signed-in=z"));
        assert_eq!(brought(&headers, SIGNED_IN), Some("x.y"));
        keep_back(&mut headers);
        let left: Vec<_> = headers.get_all(COOKIE).iter().collect();
        assert_eq!(left, ["a=1; b=2"]);
        assert_eq!(of_sign_in(&headers), [""; 0]);
        let others = "towpath-signed-in; towpath-signed-inn=1; towpath-session-1; ;;=;towpath-browsers=; c";
        let mut headers = HeaderMap::new();
        headers.append(COOKIE, HeaderValue::from_static(others));
        keep_back(&mut headers);
        assert_eq!(headers[COOKIE], others);
        let whole: Vec<&[u8]> = pairs(&headers[COOKIE]).collect();
        let split: Vec<&[u8]> = others.split(';').map(|pair| pair.trim().as_bytes()).collect();
        assert_eq!(whole, split);
    }
}
