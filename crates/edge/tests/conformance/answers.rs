//! Answers of an instance, and what a visitor gets of them.

/// An answer in one line: its headers but for those of the edge itself, and its body.
pub(crate) fn in_one_line(came: &str) -> String {
    let Some((head, rest)) = came.split_once("\r\n\r\n") else {
        return String::new();
    };
    let mut said = String::new();
    for line in head.split("\r\n").skip(1) {
        let name = line.split(':').next().unwrap_or_default();
        if !matches!(name, "date" | "x-request-id" | "cache-control" | "content-type") {
            said.push_str(&format!("{{{line}}} "));
        }
    }
    let body = rest.split("HTTP/1.1 ").next().unwrap_or_default();
    // What the edge says itself is for people, and not for this.
    let body = body.lines().next().unwrap_or_default();
    if !body.is_empty() {
        said.push_str(&format!("[{body}]"));
    }
    said.trim_end().to_owned()
}

const GET: &str = "GET / HTTP/1.1\r\nHost: web.hello.localhost\r\n\r\n";
const HEAD: &str = "HEAD / HTTP/1.1\r\nHost: web.hello.localhost\r\n\r\n";

/// A name, the request, what the instance answers before it hangs up, and what the visitor gets.
pub(crate) const CASES: &[(&str, &str, &[u8], &str)] = &[
    (
        "a length",
        GET,
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok",
        "200 kept | {content-length: 2} [ok]",
    ),
    (
        "chunks",
        GET,
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n",
        "200 kept | {transfer-encoding: chunked} [2]",
    ),
    (
        "until the end of the connection",
        GET,
        b"HTTP/1.1 200 OK\r\n\r\nok",
        "200 kept | {transfer-encoding: chunked} [2]",
    ),
    (
        "an old version",
        GET,
        b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok",
        "200 kept | {content-length: 2} [ok]",
    ),
    (
        "no content",
        GET,
        b"HTTP/1.1 204 No Content\r\n\r\n",
        "204 kept |",
    ),
    (
        "not modified, with the length of what it stands for",
        GET,
        b"HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\nETag: \"a\"\r\n\r\n",
        "304 kept | {etag: \"a\"}",
    ),
    (
        "only a head, with the length of what it stands for",
        HEAD,
        b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n",
        "200 kept | {content-length: 9}",
    ),
    (
        "an early hint before the answer",
        GET,
        b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok",
        "200 kept | {content-length: 2} [ok]",
    ),
    (
        "two cookies stay two",
        GET,
        b"HTTP/1.1 200 OK\r\nSet-Cookie: a=1\r\nSet-Cookie: b=2\r\nContent-Length: 0\r\n\r\n",
        "200 kept | {set-cookie: a=1} {set-cookie: b=2} {content-length: 0}",
    ),
    (
        "headers of the connection end",
        GET,
        b"HTTP/1.1 200 OK\r\nConnection: close, X-Mine\r\nX-Mine: 1\r\nKeep-Alive: 1\r\nProxy-Connection: a\r\nContent-Length: 0\r\n\r\n",
        "200 kept | {content-length: 0}",
    ),
    (
        "a connection does not name its own length away",
        GET,
        b"HTTP/1.1 200 OK\r\nConnection: Content-Length\r\nContent-Length: 2\r\n\r\nok",
        "200 kept | {content-length: 2} [ok]",
    ),
    (
        "two lengths that differ",
        GET,
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nokk",
        "502 kept | {content-length: 69} [No answer]",
    ),
    (
        "two lengths that are the same",
        GET,
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 2\r\n\r\nok",
        "200 kept | {content-length: 2} [ok]",
    ),
    (
        "a length that is none",
        GET,
        b"HTTP/1.1 200 OK\r\nContent-Length: two\r\n\r\nok",
        "502 kept | {content-length: 69} [No answer]",
    ),
    (
        "a length and chunks",
        GET,
        b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n",
        "200 kept | {transfer-encoding: chunked} [2]",
    ),
    (
        "no HTTP at all",
        GET,
        b"SSH-2.0-OpenSSH_9.2\r\n\r\n",
        "502 kept | {content-length: 69} [No answer]",
    ),
    (
        "an old version that is none",
        GET,
        b"HTTP/3.7 200 OK\r\n\r\n",
        "502 kept | {content-length: 69} [No answer]",
    ),
    (
        "a code that is none",
        GET,
        b"HTTP/1.1 20 OK\r\n\r\n",
        "502 kept | {content-length: 69} [No answer]",
    ),
    (
        "a header with a line break in it",
        GET,
        b"HTTP/1.1 200 OK\r\nX-A: 1\rX-B: 2\r\nContent-Length: 0\r\n\r\n",
        "502 kept | {content-length: 69} [No answer]",
    ),
    (
        "a header with a zero in it",
        GET,
        b"HTTP/1.1 200 OK\r\nX-A: 1\0\r\nContent-Length: 0\r\n\r\n",
        "502 kept | {content-length: 69} [No answer]",
    ),
    (
        "less than was promised",
        GET,
        b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf",
        "200 closed | {content-length: 9} [half]",
    ),
    (
        "chunks that break off",
        GET,
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n9\r\nhalf",
        "200 closed | {transfer-encoding: chunked} [4]",
    ),
    (
        "a protocol that nobody asked for",
        GET,
        b"HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n",
        "502 kept | {content-length: 59} [No answer]",
    ),
    (
        "more than was promised",
        GET,
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nokHTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\npoison",
        "200 kept | {content-length: 2} [ok]",
    ),
    ("codings of which the last is chunked", GET, b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n", "502 kept | {content-length: 69} [No answer]"),
    ("a coding that is nearly one", GET, b"HTTP/1.1 200 OK\r\nTransfer-Encoding: xchunked\r\n\r\n2\r\nok\r\n0\r\n\r\n", "502 kept | {content-length: 69} [No answer]"),
    ("chunks with something behind them in the list", GET, b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked, gzip\r\n\r\n2\r\nok\r\n0\r\n\r\n", "502 kept | {content-length: 69} [No answer]"),
    ("chunks in the old version", GET, b"HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n", "502 kept | {content-length: 69} [No answer]"),
    ("a size below nothing", GET, b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n-2\r\nok\r\n0\r\n\r\n", "200 closed | {transfer-encoding: chunked}"),
    ("a size that no number holds", GET, b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n10000000000000002\r\nok\r\n0\r\n\r\n", "200 closed | {transfer-encoding: chunked}"),
    ("a size that is none", GET, b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nok\r\n0\r\n\r\n", "200 closed | {transfer-encoding: chunked}"),
    ("a chunk that is longer than its size", GET, b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nok\r\n0\r\n\r\n", "200 closed | {transfer-encoding: chunked} [1]"),
    ("a trailer", GET, b"HTTP/1.1 200 OK\r\nTrailer: X-Sum\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\nX-Sum: 1\r\n\r\n", "200 kept | {trailer: X-Sum} {transfer-encoding: chunked} [2]"),
    ("a trailer that would be a header of the answer", GET, b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\nSet-Cookie: a=1\r\n\r\n", "200 kept | {transfer-encoding: chunked} [2]"),
    ("a trailer that is none", GET, b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\nX Sum\r\n\r\n", "200 closed | {transfer-encoding: chunked} [2]"),
    ("a length with a sign", GET, b"HTTP/1.1 200 OK\r\nContent-Length: +2\r\n\r\nok", "502 kept | {content-length: 69} [No answer]"),
    ("a length below nothing", GET, b"HTTP/1.1 200 OK\r\nContent-Length: -2\r\n\r\nok", "502 kept | {content-length: 69} [No answer]"),
    ("a list of lengths that are the same", GET, b"HTTP/1.1 200 OK\r\nContent-Length: 2, 2\r\n\r\nok", "200 kept | {content-length: 2} [ok]"),
    ("a list of lengths that differ", GET, b"HTTP/1.1 200 OK\r\nContent-Length: 2, 3\r\n\r\nok", "502 kept | {content-length: 69} [No answer]"),
    ("an empty length", GET, b"HTTP/1.1 200 OK\r\nContent-Length:\r\n\r\nok", "502 kept | {content-length: 69} [No answer]"),
    ("a length that no number holds", GET, b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999\r\n\r\nok", "502 kept | {content-length: 69} [No answer]"),
    ("no reason and no space", GET, b"HTTP/1.1 200\r\nContent-Length: 2\r\n\r\nok", "200 kept | {content-length: 2} [ok]"),
    ("no reason behind a space", GET, b"HTTP/1.1 200 \r\nContent-Length: 2\r\n\r\nok", "200 kept | {content-length: 2} [ok]"),
    ("a reason in other letters", GET, b"HTTP/1.1 200 D'accord, \xc3\xa7a va\r\nContent-Length: 2\r\n\r\nok", "200 kept | {content-length: 2} [ok]"),
    ("a reason with a zero", GET, b"HTTP/1.1 200 O\0K\r\nContent-Length: 2\r\n\r\nok", "502 kept | {content-length: 69} [No answer]"),
    ("a code of four digits", GET, b"HTTP/1.1 2000 OK\r\nContent-Length: 2\r\n\r\nok", "502 kept | {content-length: 69} [No answer]"),
    ("a code below all", GET, b"HTTP/1.1 099 Low\r\nContent-Length: 2\r\n\r\nok", "502 kept | {content-length: 69} [No answer]"),
    ("a code that nobody knows", GET, b"HTTP/1.1 299 Fine\r\nContent-Length: 2\r\n\r\nok", "299 kept | {content-length: 2} [ok]"),
    ("a code above the known ones", GET, b"HTTP/1.1 799 High\r\nContent-Length: 2\r\n\r\nok", "799 kept | {content-length: 2} [ok]"),
    ("lines that end with a line feed alone", GET, b"HTTP/1.1 200 OK\nContent-Length: 2\n\nok", "200 kept | {content-length: 2} [ok]"),
    ("a header without a colon", GET, b"HTTP/1.1 200 OK\r\nX-A\r\nContent-Length: 2\r\n\r\nok", "502 kept | {content-length: 69} [No answer]"),
    ("a header without a name", GET, b"HTTP/1.1 200 OK\r\n: 1\r\nContent-Length: 2\r\n\r\nok", "502 kept | {content-length: 69} [No answer]"),
    ("a header whose name has a space", GET, b"HTTP/1.1 200 OK\r\nX A: 1\r\nContent-Length: 2\r\n\r\nok", "502 kept | {content-length: 69} [No answer]"),
    ("a length whose name has a space behind it", GET, b"HTTP/1.1 200 OK\r\nContent-Length : 2\r\n\r\nok", "502 kept | {content-length: 69} [No answer]"),
    ("a header that goes on in the next line", GET, b"HTTP/1.1 200 OK\r\nX-A: 1\r\n 2\r\nContent-Length: 2\r\n\r\nok", "502 kept | {content-length: 69} [No answer]"),
    ("an empty line before it", GET, b"\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", "200 kept | {content-length: 2} [ok]"),
    ("a body behind what has none", GET, b"HTTP/1.1 204 No Content\r\nContent-Length: 2\r\n\r\nok", "204 kept |"),
    ("a body behind what is not modified", GET, b"HTTP/1.1 304 Not Modified\r\nContent-Length: 2\r\n\r\nok", "304 kept |"),
    ("a body behind a head", HEAD, b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", "200 kept | {content-length: 2}"),
    ("chunks behind a head", HEAD, b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n", "200 kept |"),
    ("a page that is to be looked at anew", GET, b"HTTP/1.1 205 Reset Content\r\nContent-Length: 0\r\n\r\n", "205 kept | {content-length: 0}"),
    ("it may go on, though nobody has asked", GET, b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", "200 kept | {content-length: 2} [ok]"),
    ("three hints before the answer", GET, b"HTTP/1.1 102 Processing\r\n\r\nHTTP/1.1 102 Processing\r\n\r\nHTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", "200 kept | {content-length: 2} [ok]"),
    ("a hint and then nothing", GET, b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n", "502 kept | {content-length: 69} [No answer]"),
    ("a head that breaks off", GET, b"HTTP/1.1 200 OK\r\nContent-Le", "502 kept | {content-length: 69} [No answer]"),
    ("an upgrade beside an answer", GET, b"HTTP/1.1 200 OK\r\nConnection: upgrade\r\nUpgrade: h2c\r\nContent-Length: 2\r\n\r\nok", "200 kept | {content-length: 2} [ok]"),
    ("one that says that it wants to end", GET, b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok", "200 kept | {content-length: 2} [ok]"),
    ("a server that says its name", GET, b"HTTP/1.1 200 OK\r\nServer: tea/1.0\r\nX-Powered-By: leaves\r\nContent-Length: 2\r\n\r\nok", "200 kept | {server: tea/1.0} {x-powered-by: leaves} {content-length: 2} [ok]"),
    ("another place, with a line break written with percents", GET, b"HTTP/1.1 302 Found\r\nLocation: /a%0d%0ab\r\nContent-Length: 0\r\n\r\n", "302 kept | {location: /a%0d%0ab} {content-length: 0}"),
];
