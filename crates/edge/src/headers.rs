//! What is taken from and added to the headers of a request and an answer on their way through.
//!
//! Headers that belong to one connection end here (RFC 9110, 7.6.1). Who forwards, for whom and over what is told anew: what
//! a visitor says about it is not believed.

use std::net::IpAddr;

use http::header::{
    CONNECTION, CONTENT_LENGTH, EXPECT, FORWARDED, HOST, HeaderMap, HeaderName, HeaderValue,
    PROXY_AUTHORIZATION, TE, TRANSFER_ENCODING, UPGRADE,
};

const KEEP_ALIVE: HeaderName = HeaderName::from_static("keep-alive");
const PROXY_CONNECTION: HeaderName = HeaderName::from_static("proxy-connection");
const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
const X_FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");
const X_FORWARDED_HOST: HeaderName = HeaderName::from_static("x-forwarded-host");

/// The protocol that a request or an answer changes to, if it does: its `Upgrade`, where `Connection` names that.
pub(crate) fn upgrade(headers: &HeaderMap) -> Option<HeaderValue> {
    let named = headers
        .get_all(CONNECTION)
        .iter()
        .any(|value| tokens(value).any(|token| token.eq_ignore_ascii_case("upgrade")));
    let protocol = headers.get(UPGRADE).filter(|_| named)?;
    // A connection to an instance is never turned into HTTP/2: what came through it would not be looked at.
    (!protocol.as_bytes().to_ascii_lowercase().starts_with(b"h2c")).then(|| protocol.clone())
}

/// Takes away what belongs to one connection only.
pub(crate) fn strip_connection(headers: &mut HeaderMap) {
    if headers.contains_key(CONNECTION) {
        let named: Vec<HeaderName> = headers
            .get_all(CONNECTION)
            .iter()
            .flat_map(tokens)
            .filter_map(|token| HeaderName::from_bytes(token.as_bytes()).ok())
            .filter(|name| !matches!(name.as_str(), "host" | "content-length"))
            .collect();
        for name in named {
            headers.remove(name);
        }
        headers.remove(CONNECTION);
    }
    // Chunks count more than a length that stands beside them (RFC 9112, 6.3), and that length is not the body's.
    if headers.contains_key(TRANSFER_ENCODING) {
        headers.remove(CONTENT_LENGTH);
    }
    for name in [KEEP_ALIVE, PROXY_CONNECTION, TRANSFER_ENCODING, UPGRADE, TE] {
        headers.remove(name);
    }
}

/// Makes the headers of a visitor's request those that an instance gets.
pub(crate) fn toward_instance(headers: &mut HeaderMap, host: &str, from: IpAddr, secure: bool) {
    let wants_trailers = headers
        .get_all(TE)
        .iter()
        .any(|value| tokens(value).any(|token| token.eq_ignore_ascii_case("trailers")));
    strip_connection(headers);
    headers.remove(PROXY_AUTHORIZATION);
    // The edge has answered it: it reads a body when an instance does.
    headers.remove(EXPECT);
    // Zeros before a length are allowed, and make another number of it for whoever takes them for a base.
    let length = headers
        .get(CONTENT_LENGTH)
        .filter(|length| length.as_bytes().starts_with(b"0"));
    if let Some(length) = length.and_then(|length| length.to_str().ok()?.parse::<u64>().ok()) {
        headers.insert(CONTENT_LENGTH, HeaderValue::from(length));
    }
    if wants_trailers {
        headers.insert(TE, HeaderValue::from_static("trailers"));
    }
    let from = from.to_canonical();
    let proto = if secure { "https" } else { "http" };
    let by = match from {
        IpAddr::V4(_) => format!("for={from};host=\"{host}\";proto={proto}"),
        IpAddr::V6(_) => format!("for=\"[{from}]\";host=\"{host}\";proto={proto}"),
    };
    for (name, value) in [
        (HOST, host.to_owned()),
        (FORWARDED, by),
        (X_FORWARDED_FOR, from.to_string()),
        (X_FORWARDED_HOST, host.to_owned()),
    ] {
        if let Ok(value) = HeaderValue::try_from(value) {
            headers.insert(name, value);
        }
    }
    headers.insert(X_FORWARDED_PROTO, HeaderValue::from_static(proto));
}

fn tokens(value: &HeaderValue) -> impl Iterator<Item = &str> {
    value.to_str().unwrap_or_default().split(',').map(str::trim)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(rows: &[(&'static str, &'static str)]) -> HeaderMap {
        rows.iter()
            .map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value)))
            .collect()
    }

    #[test]
    fn what_belongs_to_one_connection_ends_here() {
        let mut map = headers(&[
            ("connection", "close, X-Secret"),
            ("x-secret", "1"),
            ("keep-alive", "timeout=5"),
            ("transfer-encoding", "chunked"),
            ("te", "gzip"),
            ("content-type", "text/plain"),
            ("host", "a"),
        ]);
        strip_connection(&mut map);
        let left: Vec<&str> = map.keys().map(HeaderName::as_str).collect();
        assert_eq!(left, ["content-type", "host"]);
    }

    #[test]
    fn who_forwards_is_told_anew() {
        let mut map = headers(&[
            ("forwarded", "for=6.6.6.6"),
            ("x-forwarded-for", "6.6.6.6"),
            ("x-forwarded-proto", "gopher"),
            ("te", "trailers, deflate"),
        ]);
        toward_instance(
            &mut map,
            "web.hello.localhost:1",
            IpAddr::from([127, 0, 0, 1]),
            true,
        );
        let get = |name: &str| map.get(name).and_then(|value| value.to_str().ok());
        assert_eq!(
            get("forwarded"),
            Some("for=127.0.0.1;host=\"web.hello.localhost:1\";proto=https")
        );
        assert_eq!(get("x-forwarded-for"), Some("127.0.0.1"));
        assert_eq!(get("x-forwarded-proto"), Some("https"));
        assert_eq!(get("x-forwarded-host"), Some("web.hello.localhost:1"));
        assert_eq!(get("host"), Some("web.hello.localhost:1"));
        assert_eq!(get("te"), Some("trailers"));
    }

    #[test]
    fn a_protocol_is_changed_only_where_the_connection_says_so() {
        let is = |rows| upgrade(&headers(rows)).is_some();
        assert!(is(&[
            ("connection", "keep-alive, Upgrade"),
            ("upgrade", "websocket")
        ]));
        assert!(!is(&[("upgrade", "websocket")]));
        assert!(!is(&[("connection", "upgrade")]));
        assert!(!is(&[("connection", "upgrade"), ("upgrade", "h2c")]));
    }
}
