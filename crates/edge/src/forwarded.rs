//! Who a visitor is, as those say it who stand in front of us and are believed.
//!
//! Each of them adds the address that it was connected from at the right end. So it is read from there: past those who are
//! believed, the first address that is not one of theirs is the visitor, and what stands to the left of it was written by
//! nobody who is believed. `Forwarded` counts where there is no `X-Forwarded-For`: most that stand in front write that one,
//! and pass on the other one as a visitor has made it up.

use std::net::{IpAddr, SocketAddr};

use http::HeaderMap;
use http::header::{FORWARDED, HeaderName, HeaderValue};
use towpath_model::unit::Cidr;

const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
const FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");

/// More than these in a row do not stand in front of anything.
const HOPS: usize = 32;

/// What is said of a visitor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Told {
    pub(crate) from: IpAddr,
    /// Whether the visitor's own connection is encrypted, where that is said.
    pub(crate) secure: Option<bool>,
}

/// What the headers of a request say of its visitor, who came by way of `peer`, which is believed.
pub(crate) fn told(headers: &HeaderMap, peer: IpAddr, forwarders: &[Cidr]) -> Told {
    let is_believed = |address: IpAddr| forwarders.iter().any(|network| network.contains(address));
    if headers.contains_key(FORWARDED_FOR) || !headers.contains_key(FORWARDED) {
        let hops = from_the_right(headers, FORWARDED_FOR).map(str::trim).map(address);
        let proto = from_the_right(headers, FORWARDED_PROTO).next();
        return Told {
            from: visitor(peer, hops, is_believed),
            secure: proto.and_then(|proto| is_secure(proto.trim())),
        };
    }
    let hops = from_the_right(headers, FORWARDED).map(|hop| address(parameter(hop, "for")?));
    let proto = from_the_right(headers, FORWARDED)
        .next()
        .and_then(|hop| parameter(hop, "proto"));
    Told {
        from: visitor(peer, hops, is_believed),
        secure: proto.and_then(is_secure),
    }
}

/// The first address from the right that is not believed itself. Where somebody hides whom they were asked by, they count
/// as the visitor.
fn visitor(
    peer: IpAddr,
    hops: impl Iterator<Item = Option<IpAddr>>,
    is_believed: impl Fn(IpAddr) -> bool,
) -> IpAddr {
    let mut visitor = peer;
    for hop in hops.take(HOPS) {
        let Some(hop) = hop else {
            break;
        };
        visitor = hop;
        if !is_believed(hop) {
            break;
        }
    }
    visitor
}

/// All that is listed under a name, the last one first.
fn from_the_right(headers: &HeaderMap, name: HeaderName) -> impl Iterator<Item = &str> {
    let lines = headers.get_all(name).iter().rev();
    // What is no text is something that nobody can be: it ends the search.
    lines.flat_map(|line: &HeaderValue| line.to_str().unwrap_or("?").rsplit(','))
}

/// The value of a parameter of one hop: `for="[2001:db8::7]:4711";proto=https`.
fn parameter<'h>(hop: &'h str, name: &str) -> Option<&'h str> {
    let mut pairs = hop.split(';').filter_map(|pair| pair.split_once('='));
    let (_, value) = pairs.find(|(key, _)| key.trim().eq_ignore_ascii_case(name))?;
    let value = value.trim();
    Some(
        value
            .strip_prefix('"')
            .and_then(|value| value.strip_suffix('"'))
            .unwrap_or(value),
    )
}

/// An address, with or without a port.
fn address(text: &str) -> Option<IpAddr> {
    let bare = text.strip_prefix('[').and_then(|text| text.strip_suffix(']'));
    let parsed = bare.unwrap_or(text).parse::<IpAddr>().ok();
    let parsed = parsed.or_else(|| text.parse::<SocketAddr>().ok().map(|address| address.ip()));
    parsed.map(|address| address.to_canonical())
}

fn is_secure(proto: &str) -> Option<bool> {
    if proto.eq_ignore_ascii_case("https") {
        Some(true)
    } else if proto.eq_ignore_ascii_case("http") {
        Some(false)
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use towpath_model::unit::Unit;

    fn read(rows: &[(&'static str, &'static str)]) -> (String, Option<bool>) {
        let mut headers = HeaderMap::new();
        for (name, value) in rows {
            headers.append(HeaderName::from_static(name), HeaderValue::from_static(value));
        }
        let forwarders = ["10.0.0.0/8", "2001:db8:f::/48"].map(|text| Cidr::parse(text).expect("a network"));
        let told = told(&headers, IpAddr::from([10, 0, 0, 1]), &forwarders);
        (told.from.to_string(), told.secure)
    }

    #[test]
    fn the_visitor_is_the_first_from_the_right_who_is_not_believed() {
        for (list, visitor) in [
            ("203.0.113.7", "203.0.113.7"),
            ("6.6.6.6, 203.0.113.7", "203.0.113.7"),
            ("6.6.6.6, 203.0.113.7, 10.0.0.9, 10.1.1.1", "203.0.113.7"),
            ("10.0.0.9, 203.0.113.7", "203.0.113.7"),
            ("10.0.0.9, 10.0.0.8", "10.0.0.9"),
            ("203.0.113.7:4711", "203.0.113.7"),
            ("[2001:db8::7]:4711 , 2001:db8:f::1", "2001:db8::7"),
            ("::ffff:203.0.113.7", "203.0.113.7"),
            ("203.0.113.7, unknown", "10.0.0.1"),
            ("203.0.113.7, unknown, 10.0.0.9", "10.0.0.9"),
            ("203.0.113.7,", "10.0.0.1"),
            ("", "10.0.0.1"),
        ] {
            assert_eq!(read(&[("x-forwarded-for", list)]).0, visitor, "{list}");
        }
        let lines = [
            ("x-forwarded-for", "6.6.6.6"),
            ("x-forwarded-for", "203.0.113.7, 10.0.0.2"),
        ];
        assert_eq!(read(&lines).0, "203.0.113.7");
        assert_eq!(read(&[]).0, "10.0.0.1");
    }

    #[test]
    fn the_standard_header_is_read_where_the_usual_one_is_not_there() {
        let standard = (
            "forwarded",
            "for=6.6.6.6, For=\"[2001:db8::7]:4711\";Proto=https;by=x, for=10.0.0.9;proto=https",
        );
        assert_eq!(read(&[standard]), ("2001:db8::7".to_owned(), Some(true)));
        assert_eq!(
            read(&[("forwarded", "for=_hidden;proto=http")]),
            ("10.0.0.1".to_owned(), Some(false))
        );
        // A visitor makes it up, and whoever stands in front passes it on.
        assert_eq!(
            read(&[standard, ("x-forwarded-for", "203.0.113.7")]),
            ("203.0.113.7".to_owned(), None)
        );
    }

    #[test]
    fn whether_it_was_encrypted_is_said_by_the_last_one() {
        let proto = |text| read(&[("x-forwarded-for", "203.0.113.7"), ("x-forwarded-proto", text)]).1;
        assert_eq!(proto("https"), Some(true));
        assert_eq!(proto("HTTP"), Some(false));
        assert_eq!(proto("https, http"), Some(false));
        assert_eq!(proto("gopher"), None);
    }

    #[test]
    fn nobody_goes_on_for_ever() {
        let mut headers = HeaderMap::new();
        let value = "10.0.0.2,".repeat(5_000) + "10.0.0.2";
        headers.insert(FORWARDED_FOR, HeaderValue::try_from(value).expect("a value"));
        let all = [Cidr::parse("0.0.0.0/0").expect("a network")];
        assert_eq!(
            told(&headers, IpAddr::from([10, 0, 0, 1]), &all).from,
            IpAddr::from([10, 0, 0, 2])
        );
    }
}
