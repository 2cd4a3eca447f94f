//! Frames of the second version as they stand on the wire, and what comes of them.
//!
//! As in the conformance of the first version each case has a connection of its own, and is compared as a whole: the end of
//! each stream, whether the connection goes on, and what an instance has got. What h2spec asks of a server is here, and
//! what somebody may try to have read as another request by an instance that speaks the first version.

mod kit;
#[path = "conformance/recorder.rs"]
mod recorder;

use kit::{edge, target};
use recorder::Recorder;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

const DATA: u8 = 0;
const HEADERS: u8 = 1;
const PRIORITY: u8 = 2;
const RESET: u8 = 3;
const SETTINGS: u8 = 4;
const PUSH: u8 = 5;
const PING: u8 = 6;
const AWAY: u8 = 7;
const WINDOW: u8 = 8;
const CONTINUATION: u8 = 9;

const ACK: u8 = 1;
const LAST: u8 = 1;
const WHOLE: u8 = 4;
const PADDED: u8 = 8;

/// What a connection is asked at the end, to see whether it goes on.
const PROBE: [u8; 8] = *b"goes on?";

fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).expect("it is short").to_be_bytes();
    let mut frame = length[1..].to_vec();
    frame.extend([kind, flags]);
    frame.extend(stream.to_be_bytes());
    frame.extend(payload);
    frame
}

/// Headers, each written out: a visitor that means harm asks no library.
fn fields(fields: &[(&str, &str)]) -> Vec<u8> {
    let mut block = Vec::new();
    for (name, value) in fields {
        block.push(0);
        for text in [name, value] {
            length(text.len(), &mut block);
            block.extend(text.as_bytes());
        }
    }
    block
}

/// A number with a beginning of seven bits (RFC 7541, 5.1).
fn length(length: usize, block: &mut Vec<u8>) {
    if length < 127 {
        block.push(u8::try_from(length).expect("it is short"));
        return;
    }
    block.push(127);
    let mut rest = length - 127;
    while rest >= 128 {
        block.push(u8::try_from(rest % 128).expect("it is a byte") | 128);
        rest /= 128;
    }
    block.push(u8::try_from(rest).expect("it is a byte"));
}

const GET: [(&str, &str); 4] = [
    (":method", "GET"),
    (":scheme", "http"),
    (":authority", "web.hello.localhost"),
    (":path", "/a"),
];

/// A request without a body, with these headers in place of those of the same name, or beside them.
fn get(own: &[(&str, &str)]) -> Vec<u8> {
    frame(HEADERS, LAST | WHOLE, 1, &fields(&with(own)))
}

/// The head of a request that has a body.
fn post(own: &[(&str, &str)]) -> Vec<u8> {
    let own = [&[(":method", "POST")], own].concat();
    frame(HEADERS, WHOLE, 1, &fields(&with(&own)))
}

fn with<'a>(own: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
    let is_first = |(name, _): &&(&str, &str)| name.starts_with(':');
    let is_own = |name: &str| own.iter().any(|(own, _)| *own == name);
    let mut all: Vec<(&str, &str)> = GET.into_iter().filter(|(name, _)| !is_own(name)).collect();
    all.extend(own.iter().filter(is_first));
    all.extend(own.iter().filter(|field| !is_first(field)));
    all
}

/// A request without some of what it needs.
fn without(names: &[&str], own: &[(&str, &str)]) -> Vec<u8> {
    let mut all: Vec<(&str, &str)> = GET
        .into_iter()
        .filter(|(name, _)| !names.contains(name))
        .collect();
    all.extend(own);
    frame(HEADERS, LAST | WHOLE, 1, &fields(&all))
}

fn hello(flags: u8) -> Vec<u8> {
    frame(DATA, flags, 1, b"hello")
}

fn word(number: u32) -> [u8; 4] {
    number.to_be_bytes()
}

fn setting(name: u16, value: u32) -> Vec<u8> {
    frame(SETTINGS, 0, 0, &[&name.to_be_bytes()[..], &word(value)].concat())
}

type Case = (&'static str, Vec<u8>, &'static str);

/// Requests.
fn requests() -> Vec<Case> {
    vec![
        ("a request", get(&[]), "1:200 kept | GET /a"),
        (
            "a body",
            [post(&[]), hello(LAST)].concat(),
            "1:200 kept | POST /a {transfer-encoding: chunked} [hello]",
        ),
        (
            "a body with its length",
            [post(&[("content-length", "5")]), hello(LAST)].concat(),
            "1:200 kept | POST /a {content-length: 5} [hello]",
        ),
        (
            "a body in two frames, with something to fill",
            [
                post(&[]),
                frame(DATA, PADDED, 1, b"\x03he\0\0\0"),
                frame(DATA, LAST, 1, b"llo"),
            ]
            .concat(),
            "1:200 kept | POST /a {transfer-encoding: chunked} [hello]",
        ),
        (
            "a body of nothing",
            [post(&[]), frame(DATA, LAST, 1, b"")].concat(),
            "1:200 kept | POST /a {transfer-encoding: chunked}",
        ),
        (
            "trailers",
            [
                post(&[("trailer", "x-sum"), ("te", "trailers")]),
                hello(0),
                frame(HEADERS, LAST | WHOLE, 1, &fields(&[("x-sum", "1")])),
            ]
            .concat(),
            "1:200 kept | POST /a {trailer: x-sum} {te: trailers} {transfer-encoding: chunked} [hello|x-sum: 1]",
        ),
        (
            "a head in three frames",
            [
                frame(HEADERS, LAST, 1, &fields(&GET[..2])),
                frame(CONTINUATION, 0, 1, &fields(&GET[2..3])),
                frame(CONTINUATION, WHOLE, 1, &fields(&GET[3..])),
            ]
            .concat(),
            "1:200 kept | GET /a",
        ),
        (
            "two requests",
            [get(&[]), frame(HEADERS, LAST | WHOLE, 3, &fields(&GET))].concat(),
            "1:200 3:200 kept | GET /a && GET /a",
        ),
        ("no method", without(&[":method"], &[]), "1:protocol kept"),
        ("no scheme", without(&[":scheme"], &[]), "1:protocol kept"),
        ("no path", without(&[":path"], &[]), "1:protocol kept"),
        ("no host at all", without(&[":authority"], &[]), "1:400 kept"),
        (
            "a host as a header alone",
            without(&[":authority"], &[("host", "web.hello.localhost")]),
            "1:200 kept | GET /a",
        ),
        (
            "a host twice, the same",
            get(&[("host", "web.hello.localhost")]),
            "1:200 kept | GET /a",
        ),
        (
            "a host twice, another one",
            get(&[("host", "other.hello.localhost")]),
            "1:400 kept",
        ),
        (
            "two headers of a host",
            without(
                &[":authority"],
                &[("host", "web.hello.localhost"), ("host", "web.hello.localhost")],
            ),
            "1:400 kept",
        ),
        ("an empty path", get(&[(":path", "")]), "1:protocol kept"),
        ("a path that is none", get(&[(":path", "a")]), "1:protocol kept"),
        (
            "a path that is a whole address",
            get(&[(":path", "http://other.hello.localhost/a")]),
            "1:protocol kept",
        ),
        (
            "a path with a space",
            get(&[(":path", "/a b")]),
            "1:protocol kept",
        ),
        (
            "a path with a request in it",
            get(&[(":path", "/a HTTP/1.1\r\nHost: web\r\n\r\nGET /hidden")]),
            "1:protocol kept",
        ),
        ("a path with a zero", get(&[(":path", "/a\0")]), "1:protocol kept"),
        (
            "a path with a fragment",
            get(&[(":path", "/a#b")]),
            "1:200 kept | GET /a",
        ),
        (
            "a path with two slashes",
            get(&[(":path", "//other/a")]),
            "1:200 kept | GET //other/a",
        ),
        (
            "a star",
            get(&[(":method", "OPTIONS"), (":path", "*")]),
            "1:200 kept | OPTIONS *",
        ),
        ("a star for something else", get(&[(":path", "*")]), "1:400 kept"),
        (
            "a method with a request in it",
            get(&[(":method", "GET /hidden HTTP/1.1\r\nX: ")]),
            "away:protocol closed",
        ),
        (
            "a method with a space",
            get(&[(":method", "GET /")]),
            "away:protocol closed",
        ),
        ("an empty method", get(&[(":method", "")]), "away:protocol closed"),
        (
            "a method that nobody knows",
            get(&[(":method", "BREW")]),
            "1:200 kept | BREW /a",
        ),
        (
            "a tunnel",
            without(&[":scheme", ":path", ":method"], &[(":method", "CONNECT")]),
            "1:405 kept",
        ),
        (
            "a tunnel with a path",
            get(&[(":method", "CONNECT")]),
            "1:protocol kept",
        ),
        (
            "a tunnel for a protocol that was not offered",
            get(&[(":method", "CONNECT"), (":protocol", "websocket")]),
            "1:protocol kept",
        ),
        ("whoever traces", get(&[(":method", "TRACE")]), "1:405 kept"),
        (
            "an authority with a line break",
            get(&[(":authority", "web.hello.localhost\r\nX-A: 1")]),
            "1:protocol kept",
        ),
        (
            "an authority with a name",
            get(&[(":authority", "a@web.hello.localhost")]),
            "1:400 kept",
        ),
        (
            "an authority with a path",
            get(&[(":authority", "web.hello.localhost/b")]),
            "1:protocol kept",
        ),
        (
            "an empty authority",
            get(&[(":authority", "")]),
            "1:protocol kept",
        ),
        (
            "an authority that nobody has",
            get(&[(":authority", "nobody.hello.localhost")]),
            "1:404 kept",
        ),
        ("a scheme of files", get(&[(":scheme", "file")]), "1:400 kept"),
        (
            "a scheme with an address in it",
            get(&[(":scheme", "http://other/?")]),
            "1:protocol kept",
        ),
        (
            "a method twice",
            get(&[(":method", "GET"), (":method", "POST")]),
            "1:protocol kept",
        ),
        (
            "a path twice",
            get(&[(":path", "/a"), (":path", "/b")]),
            "1:protocol kept",
        ),
        (
            "a field of ours that nobody knows",
            get(&[(":tea", "1")]),
            "away:protocol closed",
        ),
        (
            "a field of answers",
            get(&[(":status", "200")]),
            "1:protocol kept",
        ),
        (
            "a field of ours behind a header",
            frame(
                HEADERS,
                LAST | WHOLE,
                1,
                &fields(&[GET[0], GET[1], GET[2], ("x-a", "1"), GET[3]]),
            ),
            "1:protocol kept",
        ),
        (
            "a name in large letters",
            get(&[("X-A", "1")]),
            "away:protocol closed",
        ),
        (
            "a name with a space",
            get(&[("x a", "1")]),
            "away:protocol closed",
        ),
        (
            "a name with a colon",
            get(&[("x-a: 1\r\nx-b", "1")]),
            "away:protocol closed",
        ),
        ("no name", get(&[("", "1")]), "away:protocol closed"),
        (
            "a value with a line break",
            get(&[("x-a", "1\r\nx-hidden: 1")]),
            "away:protocol closed",
        ),
        (
            "a value with a line feed",
            get(&[("x-a", "1\nx-hidden: 1")]),
            "away:protocol closed",
        ),
        (
            "a value with a zero",
            get(&[("x-a", "1\0")]),
            "away:protocol closed",
        ),
        (
            "a value with spaces around it",
            get(&[("x-a", " 1 ")]),
            "1:200 kept | GET /a {x-a:  1 }",
        ),
        (
            "a header of the connection",
            get(&[("connection", "x-a"), ("x-a", "1")]),
            "1:protocol kept",
        ),
        (
            "how long it is kept",
            get(&[("keep-alive", "1")]),
            "1:protocol kept",
        ),
        (
            "how long a proxy keeps it",
            get(&[("proxy-connection", "keep-alive")]),
            "1:protocol kept",
        ),
        (
            "a coding",
            [
                post(&[("transfer-encoding", "chunked")]),
                frame(DATA, LAST, 1, b"0\r\n\r\nGET /hidden HTTP/1.1\r\n\r\n"),
            ]
            .concat(),
            "1:protocol kept",
        ),
        ("an upgrade", get(&[("upgrade", "websocket")]), "1:protocol kept"),
        (
            "trailers are wanted",
            get(&[("te", "trailers")]),
            "1:200 kept | GET /a {te: trailers}",
        ),
        (
            "another coding is wanted",
            get(&[("te", "gzip")]),
            "1:protocol kept",
        ),
        (
            "settings of an upgrade",
            get(&[("http2-settings", "AAMAAABkAAQAAP__")]),
            "1:200 kept | GET /a {http2-settings: AAMAAABkAAQAAP__}",
        ),
        (
            "cookies in pieces are one",
            get(&[("cookie", "a=1"), ("cookie", "b=2")]),
            "1:200 kept | GET /a {cookie: a=1; b=2}",
        ),
        (
            "a body that is shorter than its length",
            [post(&[("content-length", "6")]), hello(LAST)].concat(),
            "1:protocol kept",
        ),
        (
            "a body that is longer than its length",
            [post(&[("content-length", "4")]), hello(LAST)].concat(),
            "1:protocol kept",
        ),
        (
            "a body of another request behind a length of nothing",
            [
                post(&[("content-length", "0")]),
                frame(DATA, LAST, 1, b"GET /hidden HTTP/1.1\r\nHost: web\r\n\r\n"),
            ]
            .concat(),
            "1:protocol kept",
        ),
        (
            "a length and no body",
            get(&[("content-length", "5")]),
            "1:protocol kept",
        ),
        (
            "a length of nothing and no body",
            get(&[("content-length", "0")]),
            "1:200 kept | GET /a {content-length: 0}",
        ),
        (
            "two lengths",
            [
                post(&[("content-length", "5"), ("content-length", "6")]),
                hello(LAST),
            ]
            .concat(),
            "1:protocol kept",
        ),
        (
            "a length with a sign",
            [post(&[("content-length", "+5")]), hello(LAST)].concat(),
            "1:protocol kept",
        ),
        (
            "a length that is none",
            [post(&[("content-length", "five")]), hello(LAST)].concat(),
            "1:protocol kept",
        ),
        (
            "a trailer that is a field of ours",
            [
                post(&[]),
                hello(0),
                frame(HEADERS, LAST | WHOLE, 1, &fields(&[(":path", "/b")])),
            ]
            .concat(),
            "1:200 kept | POST /a {transfer-encoding: chunked} [hello]",
        ),
        (
            "trailers that are not the last",
            [
                post(&[]),
                hello(0),
                frame(HEADERS, WHOLE, 1, &fields(&[("x-sum", "1")])),
                hello(LAST),
            ]
            .concat(),
            "1:protocol kept",
        ),
        ("a header of sixty-six thousand letters", large(), "1:431 kept"),
        ("a header of sixty-six thousand letters", large(), "1:431 kept"),
        (
            "who waits to be told to go on",
            [
                post(&[("expect", "100-continue"), ("content-length", "5")]),
                hello(LAST),
            ]
            .concat(),
            "1:200 kept | POST /a {content-length: 5} [hello]",
        ),
    ]
}

/// A head that is too large, in as many pieces as it needs.
fn large() -> Vec<u8> {
    let block = fields(&[&GET[..], &[("x-a", &"a".repeat(66_000))]].concat());
    let pieces = block.chunks(16_000).count();
    let frames = block.chunks(16_000).enumerate().map(|(at, piece)| {
        let (kind, last) = if at == 0 {
            (HEADERS, LAST)
        } else {
            (CONTINUATION, 0)
        };
        frame(kind, last | if at + 1 == pieces { WHOLE } else { 0 }, 1, piece)
    });
    frames.collect::<Vec<_>>().concat()
}

/// Requests that their visitor ends: whether an instance has got one of them is a matter of luck.
fn ended() -> Vec<Case> {
    vec![
        (
            "a request that its visitor ends",
            [post(&[]), frame(RESET, 0, 1, &word(8))].concat(),
            "kept",
        ),
        (
            "a thousand requests that their visitor ends at once",
            reset(1_000),
            "away:calm closed",
        ),
    ]
}

/// Frames that are no request, or not one alone.
fn frames() -> Vec<Case> {
    vec![
        (
            "a body on no stream",
            frame(DATA, 0, 0, b"hello"),
            "away:protocol closed",
        ),
        (
            "a head on no stream",
            frame(HEADERS, LAST | WHOLE, 0, &fields(&GET)),
            "away:protocol closed",
        ),
        (
            "a stream of the server",
            frame(HEADERS, LAST | WHOLE, 2, &fields(&GET)),
            "away:protocol closed",
        ),
        (
            "a stream from before",
            [
                frame(HEADERS, LAST | WHOLE, 5, &fields(&GET)),
                frame(HEADERS, LAST | WHOLE, 3, &fields(&GET)),
            ]
            .concat(),
            "away:protocol closed",
        ),
        (
            "a body on a stream that has not begun",
            frame(DATA, LAST, 1, b"hello"),
            "away:protocol closed",
        ),
        (
            "a body behind the end",
            [get(&[]), hello(LAST)].concat(),
            "away:protocol closed",
        ),
        (
            "a head behind the end",
            [get(&[]), get(&[])].concat(),
            "away:protocol closed",
        ),
        (
            "an end of a stream that has not begun",
            frame(RESET, 0, 1, &word(8)),
            "away:protocol closed",
        ),
        (
            "an end of no stream",
            frame(RESET, 0, 0, &word(8)),
            "away:protocol closed",
        ),
        (
            "an end that is too short",
            [post(&[]), frame(RESET, 0, 1, &[0; 3])].concat(),
            "away:protocol closed",
        ),
        (
            "a window of nothing for all",
            frame(WINDOW, 0, 0, &word(0)),
            "away:protocol closed",
        ),
        (
            "a window of nothing for a stream",
            [post(&[]), frame(WINDOW, 0, 1, &word(0))].concat(),
            "away:protocol closed",
        ),
        (
            "a window beyond all for all",
            frame(WINDOW, 0, 0, &word(0x7fff_ffff)),
            "away:window closed",
        ),
        (
            "a window beyond all for a stream",
            [post(&[]), frame(WINDOW, 0, 1, &word(0x7fff_ffff))].concat(),
            "1:window kept",
        ),
        (
            "a window that is too short",
            frame(WINDOW, 0, 0, &[0; 3]),
            "away:protocol closed",
        ),
        (
            "a window of a stream that has not begun",
            frame(WINDOW, 0, 1, &word(1)),
            "away:protocol closed",
        ),
        (
            "a question whether it goes on, for a stream",
            frame(PING, 0, 1, &[0; 8]),
            "away:protocol closed",
        ),
        (
            "a question that is too short",
            frame(PING, 0, 0, &[0; 7]),
            "away:protocol closed",
        ),
        (
            "an answer to what was not asked",
            frame(PING, ACK, 0, &[0; 8]),
            "kept",
        ),
        (
            "settings for a stream",
            frame(SETTINGS, 0, 1, &[]),
            "away:protocol closed",
        ),
        (
            "settings that are too short",
            frame(SETTINGS, 0, 0, &[0; 5]),
            "away:protocol closed",
        ),
        (
            "settings that are heard and say something",
            frame(SETTINGS, ACK, 0, &[0; 6]),
            "away:protocol closed",
        ),
        ("a setting that nobody knows", setting(0x99, 1), "kept"),
        (
            "whether to push, neither yes nor no",
            setting(2, 2),
            "away:protocol closed",
        ),
        (
            "a window to begin with beyond all",
            setting(4, 0x8000_0000),
            "away:protocol closed",
        ),
        (
            "frames that are too small",
            setting(5, 16_383),
            "away:protocol closed",
        ),
        (
            "frames that are too large",
            setting(5, 0x0100_0000),
            "away:protocol closed",
        ),
        (
            "a stream that comes before itself",
            frame(PRIORITY, 0, 1, &[0, 0, 0, 1, 0]),
            "1:protocol kept",
        ),
        (
            "an order that is too short",
            frame(PRIORITY, 0, 1, &[0; 4]),
            "away:protocol closed",
        ),
        (
            "an order of no stream",
            frame(PRIORITY, 0, 0, &[0; 5]),
            "away:protocol closed",
        ),
        (
            "an order of a stream that has not begun",
            frame(PRIORITY, 0, 3, &[0, 0, 0, 1, 0]),
            "kept",
        ),
        ("a frame that nobody knows", frame(0x99, 0xff, 7, b"tea"), "kept"),
        (
            "a frame that nobody knows within a head",
            [
                frame(HEADERS, LAST, 1, &fields(&GET[..2])),
                frame(0x99, 0, 1, b"tea"),
                frame(CONTINUATION, WHOLE, 1, &fields(&GET[2..])),
            ]
            .concat(),
            "away:protocol closed",
        ),
        (
            "another stream within a head",
            [
                frame(HEADERS, LAST, 1, &fields(&GET[..2])),
                frame(CONTINUATION, WHOLE, 3, &fields(&GET[2..])),
            ]
            .concat(),
            "away:protocol closed",
        ),
        (
            "a question within a head",
            [
                frame(HEADERS, LAST, 1, &fields(&GET[..2])),
                frame(PING, 0, 0, &[0; 8]),
            ]
            .concat(),
            "away:protocol closed",
        ),
        (
            "a head that goes on and has not begun",
            frame(CONTINUATION, WHOLE, 1, &fields(&GET)),
            "away:protocol closed",
        ),
        (
            "a head that goes on behind its end",
            [get(&[]), frame(CONTINUATION, WHOLE, 1, &fields(&GET))].concat(),
            "away:protocol closed",
        ),
        (
            "a frame that is larger than may be",
            frame(DATA, 0, 1, &[0; 16_385]),
            "away:size closed",
        ),
        (
            "a body with more to fill than there is",
            [post(&[]), frame(DATA, PADDED | LAST, 1, b"\x09hello")].concat(),
            "away:protocol closed",
        ),
        (
            "a head with more to fill than there is",
            frame(HEADERS, PADDED | LAST | WHOLE, 1, b"\xff\x82"),
            "away:protocol closed",
        ),
        (
            "a visitor that pushes",
            frame(PUSH, WHOLE, 1, &[0, 0, 0, 2]),
            "away:protocol closed",
        ),
        (
            "a visitor that goes",
            [get(&[]), frame(AWAY, 0, 0, &[0; 8])].concat(),
            "1:200 kept | GET /a",
        ),
        (
            "a visitor that goes on a stream",
            frame(AWAY, 0, 1, &[0; 8]),
            "away:protocol closed",
        ),
        (
            "a header by the number nought",
            frame(HEADERS, LAST | WHOLE, 1, &[0x80]),
            "away:protocol closed",
        ),
        (
            "a header by a number that is not there",
            frame(HEADERS, LAST | WHOLE, 1, &[0xfe]),
            "away:protocol closed",
        ),
        (
            "a number without end in a head",
            frame(HEADERS, LAST | WHOLE, 1, &[0xff; 20]),
            "away:protocol closed",
        ),
        (
            "a table that is larger than may be",
            frame(HEADERS, LAST | WHOLE, 1, &[0x3f, 0xff, 0xff, 0xff, 0x07]),
            "away:protocol closed",
        ),
        (
            "a table that changes behind a header",
            frame(HEADERS, LAST | WHOLE, 1, &[0x82, 0x20]),
            "away:protocol closed",
        ),
        (
            "letters that are packed wrongly",
            frame(HEADERS, LAST | WHOLE, 1, &[0, 0x84, 0xff, 0xff, 0xff, 0xff, 0]),
            "away:protocol closed",
        ),
        (
            "a head that breaks off",
            frame(HEADERS, LAST | WHOLE, 1, &[0, 5, b'x']),
            "away:protocol closed",
        ),
        (
            "no head at all",
            frame(HEADERS, LAST | WHOLE, 1, &[]),
            "1:protocol kept",
        ),
        (
            "a head of a thousand empty pieces",
            [
                frame(HEADERS, LAST, 1, &fields(&GET)),
                frame(CONTINUATION, 0, 1, &[]).repeat(1_000),
            ]
            .concat(),
            "away:calm closed",
        ),
        ("a thousand settings", setting(3, 100).repeat(1_000), "kept"),
        (
            "a thousand questions",
            frame(PING, 0, 0, &[0; 8]).repeat(1_000),
            "kept",
        ),
        (
            "a thousand empty pieces of a body",
            [post(&[]), frame(DATA, 0, 1, &[]).repeat(1_000), hello(LAST)].concat(),
            "away:calm closed",
        ),
    ]
}

/// Requests that are ended as soon as they have begun: each costs its visitor nothing.
fn reset(count: u32) -> Vec<u8> {
    let pair = |number: u32| {
        let stream = number * 2 + 1;
        let head = frame(HEADERS, LAST | WHOLE, stream, &fields(&GET));
        [head, frame(RESET, 0, stream, &word(8))].concat()
    };
    (0..count).flat_map(pair).collect()
}

/// The names of the reasons (RFC 9113, 7).
fn reason(code: &[u8]) -> String {
    let code = u32::from_be_bytes(code.try_into().expect("four bytes"));
    let name = match code {
        0 => "none",
        1 => "protocol",
        2 => "internal",
        3 => "window",
        5 => "closed",
        6 => "size",
        7 => "refused",
        8 => "cancel",
        9 => "compression",
        11 => "calm",
        _ => return code.to_string(),
    };
    name.to_owned()
}

/// The code of an answer: it is the first thing in its head, by its number in the table or in packed digits.
fn status(block: &[u8]) -> String {
    match block[0] {
        number @ 0x88..=0x8e => {
            ["200", "204", "206", "304", "400", "404", "500"][usize::from(number - 0x88)].to_owned()
        }
        _ => {
            let packed = &block[2..2 + usize::from(block[1] & 0x7f)];
            let mut bits = packed
                .iter()
                .flat_map(|byte| (0..8).rev().map(move |at| byte >> at & 1));
            let mut take = |count: usize| bits.by_ref().take(count).fold(0, |number, bit| number * 2 + bit);
            let mut digits = String::new();
            for _ in 0..3 {
                let digit = match take(5) {
                    short @ 0..=2 => short,
                    long => (long * 2 + take(1)) - 0b01_1001 + 3,
                };
                digits.push(char::from(b'0' + digit));
            }
            digits
        }
    }
}

/// What a visitor of one connection is told: the end of so many streams, and of the connection.
async fn visit(at: std::net::SocketAddr, bytes: &[u8], wanted: usize) -> String {
    let stream = TcpStream::connect(at).await.expect("it listens");
    let (mut reads, mut writes) = stream.into_split();
    let begin = [
        PREFACE,
        &frame(SETTINGS, 0, 0, &[]),
        bytes,
        &frame(PING, 0, 0, &PROBE),
    ]
    .concat();
    let writing = tokio::spawn(async move {
        let _ = writes.write_all(&begin).await;
        writes
    });
    let mut told: Vec<String> = Vec::new();
    let mut goes_on = false;
    let read = async {
        loop {
            let mut head = [0; 9];
            if reads.read_exact(&mut head).await.is_err() {
                return "closed";
            }
            let length = u32::from_be_bytes([0, head[0], head[1], head[2]]) as usize;
            let number = u32::from_be_bytes([head[5] & 0x7f, head[6], head[7], head[8]]);
            let mut payload = vec![0; length];
            if reads.read_exact(&mut payload).await.is_err() {
                return "closed";
            }
            match head[3] {
                HEADERS if payload.first().is_some_and(|first| *first >= 0x48) => {
                    told.push(format!("{number}:{}", status(&payload)));
                }
                RESET => told.push(format!("{number}:{}", reason(&payload))),
                AWAY => told.push(format!("away:{}", reason(&payload[4..8]))),
                PING if head[4] == ACK && payload == PROBE => goes_on = true,
                _ => {}
            }
            if goes_on && told.len() >= wanted {
                return "kept";
            }
        }
    };
    let end = timeout(kit::BOUND, read).await.unwrap_or("silent");
    drop(writing.await);
    told.push(end.to_owned());
    told.join(" ")
}

async fn are_as_told(cases: Vec<Case>, is_luck: bool) {
    let running = edge().await;
    let (recorder, at) = Recorder::start().await;
    running.set(target("web", &[("one", at)], kit::BOUND)).await;
    let mut wrong = Vec::new();
    for (name, bytes, expected) in cases {
        // The last word is how the connection ends.
        let said = expected.split(" | ").next().unwrap_or_default();
        let wanted = said.split(' ').count() - 1;
        let end = visit(running.http(), &bytes, wanted).await;
        let got = recorder.take().join(" && ");
        let got = if is_luck { String::new() } else { got };
        let told = format!("{end} | {got}");
        if told.trim_end_matches([' ', '|']) != expected {
            wrong.push(format!("{name}\n    expected: {expected}\n    told:     {told}"));
        }
    }
    assert!(wrong.is_empty(), "{} cases:\n{}", wrong.len(), wrong.join("\n"));
}

#[tokio::test]
async fn each_request_is_understood_in_one_way_or_refused() {
    are_as_told(requests(), false).await;
}

#[tokio::test]
async fn frames_that_may_not_be_end_what_they_concern_and_nothing_more() {
    are_as_told(frames(), false).await;
}

#[tokio::test]
async fn whoever_ends_what_he_has_begun_costs_no_more_than_others() {
    are_as_told(ended(), true).await;
}
