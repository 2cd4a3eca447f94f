//! What is taken from and added to the headers of a request and an answer on their way through.
//!
//! Headers that belong to one connection end here (RFC 9110, 7.6.1). Who forwards, for whom and over what is told anew: what
//! a visitor says about it is not believed.

use std::net::IpAddr;

use http::Extensions;
use http::header::{
    CONNECTION, CONTENT_LENGTH, HOST, HeaderMap, HeaderName, HeaderValue, TE, TRANSFER_ENCODING, UPGRADE,
};

use crate::guard::{Signature, User};
use crate::inner::CalledBy;

const KEEP_ALIVE: HeaderName = HeaderName::from_static("keep-alive");
/// Who a visitor is that has shown it to the edge. What a visitor says about that ends here, whether anybody signs in or not.
const USER: &str = "x-towpath-user";
/// What shows that a call has come by the edge.
const SIGNATURE: &str = "x-towpath-signature";
/// The component that calls, where it has shown who it is.
const CALLER: &str = "x-towpath-caller";
const PROXY_CONNECTION: HeaderName = HeaderName::from_static("proxy-connection");

/// The protocol that a request or an answer changes to, if it does: its `Upgrade`, where `Connection` names that.
pub(crate) fn upgrade(headers: &HeaderMap) -> Option<HeaderValue> {
    let protocol = headers.get(UPGRADE)?;
    let mut named = headers.get_all(CONNECTION).iter().flat_map(tokens);
    if !named.any(|token| token.eq_ignore_ascii_case("upgrade")) {
        return None;
    }
    // A connection to an instance is never turned into HTTP/2: what came through it would not be looked at.
    let begins = protocol.as_bytes().get(..3).unwrap_or_default();
    (!begins.eq_ignore_ascii_case(b"h2c")).then(|| protocol.clone())
}

/// No other answer has this value. HTTP/2 remembers others, and looks for each next one of a header among all that it remembers.
pub(crate) fn is_once(value: &mut HeaderValue) {
    value.set_sensitive(true);
}

/// Takes away what belongs to one connection only.
pub(crate) fn strip_connection(headers: &mut HeaderMap) {
    // Most answers have nothing of it, and looking through them once costs less than looking for each name.
    if !headers.keys().any(belongs_to_connection) {
        return;
    }
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

fn belongs_to_connection(name: &HeaderName) -> bool {
    matches!(
        name.as_str(),
        "connection" | "keep-alive" | "proxy-connection" | "transfer-encoding" | "upgrade" | "te"
    )
}

/// What of a visitor's request goes on to an instance.
pub(crate) struct Passing<'h> {
    headers: &'h HeaderMap,
    /// What the request itself says belongs to one connection, beyond what always does.
    named: Vec<&'h str>,
    wants_trailers: bool,
}

impl<'h> Passing<'h> {
    pub(crate) fn of(headers: &'h HeaderMap) -> Passing<'h> {
        let named = headers.get_all(CONNECTION).iter().flat_map(tokens);
        let wanted = headers.get_all(TE).iter().flat_map(tokens);
        Passing {
            headers,
            named: named.filter(|token| !is_usual(token)).collect(),
            wants_trailers: wanted
                .into_iter()
                .any(|token| token.eq_ignore_ascii_case("trailers")),
        }
    }

    /// The headers that go on as they are. How long the body is and how it is framed is no part of them.
    pub(crate) fn rows(&self) -> impl Iterator<Item = (&'h HeaderName, &'h HeaderValue)> {
        let is_named = |name: &HeaderName| {
            let mut named = self.named.iter();
            named.any(|token| token.eq_ignore_ascii_case(name.as_str()))
        };
        let rows = self.headers.iter().filter(|(name, _)| !ends_here(name));
        rows.filter(move |(name, _)| self.named.is_empty() || !is_named(name))
    }

    /// The visitor reads trailers.
    pub(crate) fn wants_trailers(&self) -> bool {
        self.wants_trailers
    }
}

/// What `Connection` says most often: it ends here in any case, or is none of its names.
fn is_usual(token: &str) -> bool {
    ["keep-alive", "close", "upgrade", "te", "x-request-id"]
        .iter()
        .any(|usual| token.eq_ignore_ascii_case(usual))
}

/// Whether a header of a request ends at the edge: it belongs to one connection, the edge has answered it, or says it anew.
fn ends_here(name: &HeaderName) -> bool {
    belongs_to_connection(name)
        || matches!(
            name.as_str(),
            "proxy-authorization"
                | "expect"
                | "content-length"
                | "host"
                | "forwarded"
                | "x-forwarded-for"
                | "x-forwarded-host"
                | "x-forwarded-proto"
                | USER
                | SIGNATURE
                | CALLER
        )
}

/// What an instance is told of a visitor and of the host that it asks for, as it stands on the wire. It is the same for all
/// requests of a connection that name the same host.
pub(crate) fn told(host: &str, from: IpAddr, secure: bool) -> String {
    let from = from.to_canonical();
    let proto = if secure { "https" } else { "http" };
    let (open, close) = match from {
        IpAddr::V4(_) => ("", ""),
        IpAddr::V6(_) => ("\"[", "]\""),
    };
    let from = written(from);
    // Put together by hand: each new name on a connection pays for it.
    [
        "host: ",
        host,
        "\r\nforwarded: for=",
        open,
        &from,
        close,
        ";host=\"",
        host,
        "\";proto=",
        proto,
        "\r\nx-forwarded-for: ",
        &from,
        "\r\nx-forwarded-host: ",
        host,
        "\r\nx-forwarded-proto: ",
        proto,
        "\r\n",
    ]
    .concat()
}

/// An address as text. Each new connection pays for that of its visitor, which the machinery of formats makes dear.
fn written(from: IpAddr) -> String {
    let IpAddr::V4(from) = from else {
        return from.to_string();
    };
    let mut text = String::with_capacity("255.255.255.255".len());
    for octet in from.octets() {
        if !text.is_empty() {
            text.push('.');
        }
        text.push_str(itoa::Buffer::new().format(octet));
    }
    text
}

/// What the edge itself says of a request beyond that.
pub(crate) fn known(extensions: &Extensions) -> impl Iterator<Item = (&'static str, &HeaderValue)> {
    let user = extensions.get().map(|User(user)| (USER, user));
    let signature = extensions
        .get()
        .map(|Signature(signature)| (SIGNATURE, signature));
    let caller = extensions.get().map(|CalledBy(caller)| (CALLER, caller));
    user.into_iter().chain(signature).chain(caller)
}

/// Headers toward an instance that is spoken to in HTTP/2, where the host has its own place.
pub(crate) fn toward_instance(headers: &HeaderMap, told: &str, extensions: &Extensions) -> HeaderMap {
    let passing = Passing::of(headers);
    let mut toward: HeaderMap = HeaderMap::with_capacity(headers.len() + 6);
    for (name, value) in passing.rows() {
        toward.append(name, value.clone());
    }
    for (name, value) in known(extensions) {
        toward.insert(HeaderName::from_static(name), value.clone());
    }
    let length = headers.get(CONTENT_LENGTH);
    if let Some(length) = length.filter(|_| !headers.contains_key(TRANSFER_ENCODING)) {
        toward.insert(CONTENT_LENGTH, without_zeros(length));
    }
    if passing.wants_trailers() {
        toward.insert(TE, HeaderValue::from_static("trailers"));
    }
    for (name, value) in told.lines().filter_map(|line| line.split_once(": ")) {
        if let (Ok(name), Ok(value)) = (HeaderName::try_from(name), HeaderValue::try_from(value))
            && name != HOST
        {
            toward.insert(name, value);
        }
    }
    toward
}

/// Zeros before a length are allowed, and make another number of it for whoever takes them for a base.
fn without_zeros(length: &HeaderValue) -> HeaderValue {
    let read = length.to_str().ok().and_then(|length| length.parse::<u64>().ok());
    read.map_or_else(|| length.clone(), HeaderValue::from)
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
        let map = headers(&[
            ("forwarded", "for=6.6.6.6"),
            ("x-forwarded-for", "6.6.6.6"),
            ("x-forwarded-proto", "gopher"),
            ("te", "trailers, deflate"),
            ("x-towpath-user", "somebody@example.com"),
            ("x-towpath-signature", "t=1"),
        ]);
        let told = told("web.hello.localhost:1", IpAddr::from([127, 0, 0, 1]), true);
        assert!(told.starts_with("host: web.hello.localhost:1\r\n"));
        let map = toward_instance(&map, &told, &Extensions::new());
        let get = |name: &str| map.get(name).and_then(|value| value.to_str().ok());
        assert_eq!(
            get("forwarded"),
            Some("for=127.0.0.1;host=\"web.hello.localhost:1\";proto=https")
        );
        assert_eq!(get("x-forwarded-for"), Some("127.0.0.1"));
        assert_eq!(get("x-forwarded-proto"), Some("https"));
        assert_eq!(get("x-forwarded-host"), Some("web.hello.localhost:1"));
        assert_eq!((get("x-towpath-user"), get("x-towpath-signature")), (None, None));
        assert_eq!(get("host"), None);
        assert_eq!(get("te"), Some("trailers"));
    }

    #[test]
    fn an_address_is_written_as_it_is_read() {
        for text in ["0.0.0.0", "127.0.0.1", "203.0.113.255", "::1", "2001:db8::7"] {
            assert_eq!(written(text.parse().expect("an address")), text);
        }
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
