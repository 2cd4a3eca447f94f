//! What holds for any bytes that come from a visitor or an instance: shared by the fuzzer and its smoke test.
//!
//! None of it says what an answer should be. It says what must not depend on luck: in which pieces bytes come, how often
//! something is read, what else is in a table.

use std::net::IpAddr;
use std::path::Component;

use bytes::Bytes;
use http::header::{HeaderMap, HeaderName, HeaderValue};
use towpath_model::unit::{Cidr, Unit};

use crate::client::inward::{Garbage, Left, head};
use crate::files::path;
use crate::guard::{cookie, injection};
use crate::proxied::{self, Said};
use crate::route::{Names, Way, route};
use crate::seen::trace::Trace;
use crate::table::Branch;
use crate::{RouteTo, cache, encode, forwarded, host, provider, request_id};

/// What was read of an answer.
#[derive(Debug, PartialEq, Eq)]
struct Answer {
    status: u16,
    headers: HeaderMap,
    body: Vec<u8>,
    trailers: Option<HeaderMap>,
    end: End,
    left_over: Vec<u8>,
}

#[derive(Debug, PartialEq, Eq)]
enum End {
    Whole,
    BreaksOff,
    Garbage,
}

/// Bytes of an instance, read at once and in pieces, come to the same. The first byte says how large the pieces are, and
/// whether only a head was asked for.
pub fn answers(bytes: &[u8]) {
    let Some((how, bytes)) = bytes.split_first() else {
        return;
    };
    let is_head = how & 0x80 != 0;
    let piece = usize::from(how & 0x7f).max(1);
    let whole = read(bytes, bytes.len().max(1), is_head);
    let pieces = read(bytes, piece, is_head);
    assert_eq!(whole, pieces, "in pieces of {piece}");
    if let Ok(Some(answer)) = whole {
        assert!(answer.body.len() + answer.left_over.len() <= bytes.len());
    }
}

/// Reads an answer that comes in pieces of so many bytes; nothing where its head is not there as a whole.
fn read(bytes: &[u8], piece: usize, is_head: bool) -> Result<Option<Answer>, Garbage> {
    let mut pieces = bytes.chunks(piece);
    let mut came = Bytes::new();
    let mut more = |came: &mut Bytes| {
        let piece = pieces.next()?;
        *came = [&came[..], piece].concat().into();
        Some(())
    };
    let mut head = loop {
        match head(&mut came, is_head)? {
            Some(head) => break head,
            None if more(&mut came).is_some() => {}
            None => return Ok(None),
        }
    };
    let (mut body, mut trailers, mut end) = (Vec::new(), None, End::Whole);
    while head.left != Left::Nothing {
        match head.left.next(&mut came) {
            Ok(Some(frame)) => match frame.into_data() {
                Ok(data) => body.extend_from_slice(&data),
                Err(frame) => trailers = frame.into_trailers().ok(),
            },
            Ok(None) if head.left == Left::Nothing || more(&mut came).is_some() => {}
            Ok(None) => {
                end = if head.left == Left::All {
                    End::Whole
                } else {
                    End::BreaksOff
                };
                break;
            }
            Err(Garbage) => {
                end = End::Garbage;
                break;
            }
        }
    }
    let is_over = end == End::Whole;
    while more(&mut came).is_some() {}
    Ok(Some(Answer {
        status: head.response.status().as_u16(),
        headers: head.response.headers().clone(),
        body,
        trailers,
        // Where it breaks off, nobody uses what is left over.
        left_over: if is_over { came.to_vec() } else { Vec::new() },
        end,
    }))
}

/// Texts of a visitor, one a line: a host, a path with its query, and headers.
pub fn requests(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let mut lines = text.split('\n');
    let (host, target) = (lines.next().unwrap_or_default(), lines.next().unwrap_or_default());
    if let Ok(host) = host::parse(host) {
        let again = host::parse(&host.written);
        assert_eq!(again.as_ref(), Ok(&host), "what is passed on is the same host");
        let is_plain = |letter: char| !letter.is_control() && !letter.is_ascii_uppercase() && letter != '/';
        assert!(host.name.chars().all(is_plain), "{:?}", host.name);
    }
    let (path, query) = match target.split_once('?') {
        Some((path, query)) => (path, Some(query)),
        None => (target, None),
    };
    let found = injection::found(path, query);
    assert_eq!(found, injection::found(path, query));
    injection::has_part(path, &["/wp-admin".to_owned(), "/.git/".to_owned()]);
    if let Some(file) = path::parse(path) {
        let is_below = |part: Component| matches!(part, Component::Normal(_));
        assert!(
            file.relative.components().all(is_below),
            "{:?} leaves its folder",
            file.relative
        );
    }
    headers(lines);
}

fn headers<'t>(lines: impl Iterator<Item = &'t str>) {
    let mut headers = HeaderMap::new();
    for (name, value) in lines.filter_map(|line| line.split_once(": ")) {
        let name = HeaderName::from_bytes(name.as_bytes());
        if let (Ok(name), Ok(value)) = (name, HeaderValue::from_bytes(value.as_bytes())) {
            headers.append(name, value);
        }
    }
    cache::fuzzing::headers(&headers);
    forwards(&headers);
    tokens(&headers);
    let id = request_id::of(&headers);
    assert!(id.len() <= 200 && id.to_str().is_ok(), "{id:?} goes into a log");
    Trace::pass(&mut headers, 1.0);
    let traces = headers.get_all("traceparent").iter().count();
    assert_eq!(traces, 1, "an instance is told one trace");
    let foreign = cookie::brought(&headers, "a").map(str::to_owned);
    cookie::keep_back(&mut headers);
    assert_eq!(
        cookie::brought(&headers, "a"),
        foreign.as_deref(),
        "what is not ours goes on"
    );
    assert!(
        cookie::of_sign_in(&headers).is_empty(),
        "nobody else can go on as a visitor: {headers:?}"
    );
    assert_eq!(
        cookie::brought(&headers, "towpath-pass"),
        None,
        "what is ours stays here"
    );
    for coding in [encode::Coding::Gzip, encode::Coding::Brotli, encode::Coding::Zstd] {
        assert!(encode::wish(&headers, coding) <= 1_000);
    }
}

/// What stands in front of us and is believed says who a visitor is; what a visitor has written to the left of that says nothing.
fn forwards(headers: &HeaderMap) {
    let peer = IpAddr::from([10, 0, 0, 1]);
    let forwarders = [Cidr::parse("10.0.0.0/8").expect("it is a network")];
    let told = forwarded::told(headers, peer, &forwarders);
    assert_eq!(told, forwarded::told(headers, peer, &forwarders));
    if forwarders[0].contains(told.from) {
        return;
    }
    for (name, made_up) in [
        ("x-forwarded-for", "6.6.6.6"),
        ("forwarded", "for=6.6.6.6;proto=https"),
    ] {
        let name = HeaderName::from_static(name);
        let lines: Vec<HeaderValue> = headers.get_all(&name).iter().cloned().collect();
        if lines.is_empty() {
            continue;
        }
        let mut more = headers.clone();
        more.insert(name.clone(), HeaderValue::from_static(made_up));
        for line in lines {
            more.append(name.clone(), line);
        }
        assert_eq!(
            forwarded::told(&more, peer, &forwarders).from,
            told.from,
            "{headers:?}"
        );
    }
}

/// A token that nobody has signed never holds.
fn tokens(headers: &HeaderMap) {
    let expected = provider::Expected {
        issuer: "https://issuer.example",
        audience: None,
        is_identity: false,
        nonce: None,
    };
    for token in headers.values().filter_map(|value| value.to_str().ok()) {
        let token = token.trim_start_matches("Bearer ");
        provider::key_of(token);
        assert!(provider::verify(token, &[], &expected, 0).is_err(), "{token}");
    }
}

/// The first bytes of a connection: once they are read as a header, or as none, no byte behind them changes that.
pub fn fronts(bytes: &[u8]) {
    let mut settled: Option<Said> = None;
    for end in 0..=bytes.len().min(2 * proxied::LARGEST) {
        let said = proxied::said(&bytes[..end]);
        if let Some(settled) = &settled {
            assert_eq!(&said, settled, "after {end} bytes");
            continue;
        }
        match said {
            Said::More => assert!(end <= proxied::LARGEST, "it is waited for {end} bytes"),
            Said::Whole(length, named) => {
                assert!(length <= end);
                assert!(named.is_none_or(|named| named.ip() == named.ip().to_canonical()));
                settled = Some(Said::Whole(length, named));
            }
            Said::Wrong => settled = Some(Said::Wrong),
        }
    }
}

/// A table as it is written, without whatever makes it fast.
#[derive(Default)]
struct Written {
    hosts: Vec<(String, String)>,
    parts: Vec<(String, Branch)>,
    of: std::collections::BTreeMap<String, Vec<Branch>>,
}

impl Names for Written {
    fn named(&self, host: &str) -> Option<&str> {
        let mut hosts = self.hosts.iter();
        hosts
            .find(|(name, _)| name == host)
            .map(|(_, target)| target.as_str())
    }
    fn only(&self) -> Option<&str> {
        let [(_, target)] = self.hosts.as_slice() else {
            return None;
        };
        Some(target)
    }
    fn branches(&self, target: &str) -> &[Branch] {
        self.of.get(target).map_or(&[], Vec::as_slice)
    }
}

/// Lines `host NAME TARGET`, `part TARGET PATH [TO]` and `ask HOST PATH`: each question is answered as somebody would who
/// reads all lines from the first to the last.
pub fn routes(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let mut table = Written::default();
    for line in text.lines() {
        let words: Vec<&str> = line.split(' ').collect();
        match words.as_slice() {
            ["host", name, target] if table.named(name).is_none() => {
                table.hosts.push(((*name).to_owned(), (*target).to_owned()));
            }
            ["part", target, beginning, rest @ ..] => {
                let branch = || {
                    part(
                        beginning,
                        rest.first().map(|to| RouteTo::Target((*to).to_owned())),
                    )
                };
                table.parts.push(((*target).to_owned(), branch()));
                table.of.entry((*target).to_owned()).or_default().push(branch());
            }
            ["ask", host, path] => ask(&table, host, path),
            _ => {}
        }
    }
}

fn part(beginning: &str, to: Option<RouteTo>) -> Branch {
    let route = crate::Route {
        path: beginning.to_owned(),
        to,
        rules: std::sync::Arc::default(),
    };
    Branch::of("", route, &[], &crate::guard::Counters::default())
}

fn ask(table: &Written, host: &str, path: &str) {
    let told = match route(table, host, path) {
        Way::Target(target, branch) => Some((target, branch.map(|branch| branch.path.as_str()))),
        Way::Redirect(..) => panic!("nobody is sent elsewhere here"),
        Way::Unknown => None,
    };
    let own = table.named(host).or_else(|| {
        matches!(host, "localhost" | "127.0.0.1" | "::1")
            .then(|| table.only())
            .flatten()
    });
    let mut best: Option<(&str, &Branch)> = None;
    for (target, branch) in &table.parts {
        let beginning = branch.path.as_str();
        let is_whole = path == beginning
            || beginning.ends_with('/')
            || path[..]
                .get(beginning.len()..)
                .is_some_and(|rest| rest.starts_with('/'));
        let is_longer = best.is_none_or(|(before, _)| beginning.len() >= before.len());
        if Some(target.as_str()) == own && path.starts_with(beginning) && is_whole && is_longer {
            best = Some((beginning, branch));
        }
    }
    let expected = own.map(|own| match best {
        Some((beginning, branch)) => match &branch.to {
            Some(RouteTo::Target(other)) => (other.as_str(), Some(beginning)),
            _ => (own, Some(beginning)),
        },
        None => (own, None),
    });
    assert_eq!(told, expected, "{host} {path}");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_body_that_breaks_off_is_not_taken_for_whole() {
        let broken = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhel";
        let answer = read(broken, 7, false)
            .expect("it has a head")
            .expect("it has a head");
        assert_eq!(
            (answer.end, answer.body.as_slice()),
            (End::BreaksOff, &b"hel"[..])
        );
    }
}
