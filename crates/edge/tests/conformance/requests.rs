//! Requests as they stand on the wire, and what comes of them.

use super::doubtful;

/// What is said here about a request, the request, and what comes of it: the codes that the visitor is told, whether its
/// connection is kept, and what an instance gets.
pub(crate) fn cases() -> Vec<(&'static str, Vec<u8>, String)> {
    let all = [
        FIRST_LINES,
        PLACES,
        HEADERS,
        LENGTHS,
        CHUNKS,
        doubtful::LINES,
        doubtful::PLACES,
        doubtful::HEADERS,
        doubtful::LENGTHS,
        doubtful::CHUNKS,
    ];
    let whole = |(name, bytes, told): &(&'static str, &str, &str)| (*name, whole(bytes), (*told).to_owned());
    let mut cases: Vec<_> = all.into_iter().flatten().map(whole).collect();
    cases.extend(sizes());
    cases
}

/// The host is the same nearly everywhere, and stands as one letter.
fn whole(bytes: &str) -> Vec<u8> {
    bytes.replace('§', "Host: web.hello.localhost\r\n").into_bytes()
}

pub(crate) type Row = (&'static str, &'static str, &'static str);

/// The first line.
const FIRST_LINES: &[Row] = &[
    ("a plain request", "GET / HTTP/1.1\r\n§\r\n", "200 kept | GET /"),
    (
        "an empty line before it",
        "\r\nGET / HTTP/1.1\r\n§\r\n",
        "200 kept | GET /",
    ),
    (
        "a query and a fragment that should not be there",
        "GET /a?b=c#d HTTP/1.1\r\n§\r\n",
        "200 kept | GET /a?b=c",
    ),
    (
        "letters of a path stay as they are written",
        "GET /%7Ea/%2e%2e/b//c;d HTTP/1.1\r\n§\r\n",
        "200 kept | GET /%7Ea/%2e%2e/b//c;d",
    ),
    (
        "dots in a path stay as they are written",
        "GET /a/../b/./c HTTP/1.1\r\n§\r\n",
        "200 kept | GET /a/../b/./c",
    ),
    ("two spaces", "GET  / HTTP/1.1\r\n§\r\n", "400 closed"),
    ("a tab", "GET\t/ HTTP/1.1\r\n§\r\n", "400 closed"),
    ("a space before it", " GET / HTTP/1.1\r\n§\r\n", "400 closed"),
    ("a space at its end", "GET / HTTP/1.1 \r\n§\r\n", "400 closed"),
    ("a space in the path", "GET /a b HTTP/1.1\r\n§\r\n", "400 closed"),
    ("a zero in the path", "GET /a\0b HTTP/1.1\r\n§\r\n", "400 closed"),
    ("a path that is none", "GET a HTTP/1.1\r\n§\r\n", "400 closed"),
    ("no path", "GET HTTP/1.1\r\n§\r\n", "400 closed"),
    ("no version", "GET /\r\n§\r\n", "400 closed"),
    (
        "a version in small letters",
        "GET / http/1.1\r\n§\r\n",
        "400 closed",
    ),
    ("a version that is none", "GET / HTTP/1.2\r\n§\r\n", "400 closed"),
    (
        "a version of two digits",
        "GET / HTTP/1.10\r\n§\r\n",
        "400 closed",
    ),
    (
        "the second version on the wire of the first",
        "GET / HTTP/2.0\r\n§\r\n",
        "400 closed",
    ),
    ("no method", " / HTTP/1.1\r\n§\r\n", "400 closed"),
    ("a method with a colon", "GE:T / HTTP/1.1\r\n§\r\n", "400 closed"),
    (
        "a method that nobody knows",
        "BREW / HTTP/1.1\r\n§\r\n",
        "200 kept | BREW /",
    ),
    (
        "a method in small letters is another one",
        "get / HTTP/1.1\r\n§\r\n",
        "200 kept | get /",
    ),
    (
        "a carriage return alone",
        "GET / HTTP/1.1\rHost: web.hello.localhost\r\r",
        "400 closed",
    ),
    (
        "lines that end with a line feed alone",
        "GET / HTTP/1.1\nHost: web.hello.localhost\n\n",
        "200 kept | GET /",
    ),
];

/// Where the request goes.
const PLACES: &[Row] = &[
    (
        "a whole address",
        "GET http://web.hello.localhost/a HTTP/1.1\r\n§\r\n",
        "200 kept | GET /a",
    ),
    (
        "a whole address without a path",
        "GET http://web.hello.localhost HTTP/1.1\r\n§\r\n",
        "200 kept | GET /",
    ),
    (
        "a whole address counts more than the header",
        "GET http://web.hello.localhost/a HTTP/1.1\r\nHost: other.hello.localhost\r\n\r\n",
        "200 kept | GET /a",
    ),
    (
        "a whole address without the header",
        "GET http://web.hello.localhost/a HTTP/1.1\r\n\r\n",
        "400 closed",
    ),
    (
        "a whole address with a header that is no host",
        "GET http://web.hello.localhost/a HTTP/1.1\r\nHost: a b\r\n\r\n",
        "400 closed",
    ),
    (
        "a whole address with a name and a password",
        "GET http://a:b@web.hello.localhost/ HTTP/1.1\r\n§\r\n",
        "400 closed",
    ),
    (
        "an address of another kind",
        "GET ftp://web.hello.localhost/ HTTP/1.1\r\n§\r\n",
        "400 closed",
    ),
    ("a file", "GET file:///etc/passwd HTTP/1.1\r\n§\r\n", "400 closed"),
    (
        "a host where a path should be",
        "GET web.hello.localhost:80 HTTP/1.1\r\n§\r\n",
        "400 closed",
    ),
    (
        "a host with two slashes is a path",
        "GET //other.hello.localhost/a HTTP/1.1\r\n§\r\n",
        "200 kept | GET //other.hello.localhost/a",
    ),
    ("a star", "OPTIONS * HTTP/1.1\r\n§\r\n", "200 kept | OPTIONS *"),
    (
        "a star for something else",
        "GET * HTTP/1.1\r\n§\r\n",
        "400 closed",
    ),
    (
        "a tunnel",
        "CONNECT web.hello.localhost:80 HTTP/1.1\r\n§\r\n",
        "405 closed",
    ),
    ("a tunnel to a path", "CONNECT / HTTP/1.1\r\n§\r\n", "405 closed"),
    ("no host", "GET / HTTP/1.1\r\n\r\n", "400 closed"),
    ("an empty host", "GET / HTTP/1.1\r\nHost:\r\n\r\n", "400 closed"),
    (
        "two hosts",
        "GET / HTTP/1.1\r\n§Host: other.hello.localhost\r\n\r\n",
        "400 closed",
    ),
    (
        "the same host twice",
        "GET / HTTP/1.1\r\n§Host: web.hello.localhost\r\n\r\n",
        "400 closed",
    ),
    (
        "a host with a space",
        "GET / HTTP/1.1\r\nHost: web hello\r\n\r\n",
        "400 closed",
    ),
    (
        "a host with a path",
        "GET / HTTP/1.1\r\nHost: web.hello.localhost/a\r\n\r\n",
        "400 closed",
    ),
    (
        "a host with a name before it",
        "GET / HTTP/1.1\r\nHost: a@web.hello.localhost\r\n\r\n",
        "400 closed",
    ),
    (
        "a host with a port that is none",
        "GET / HTTP/1.1\r\nHost: web.hello.localhost:a\r\n\r\n",
        "400 closed",
    ),
    (
        "a list of hosts",
        "GET / HTTP/1.1\r\nHost: web.hello.localhost, other\r\n\r\n",
        "400 closed",
    ),
    (
        "a host with a port, in large letters, with a dot",
        "GET / HTTP/1.1\r\nHost: WEB.hello.localhost.:80\r\n\r\n",
        "200 kept | GET / {host: WEB.hello.localhost.:80}",
    ),
    (
        "a host that nobody has",
        "GET / HTTP/1.1\r\nHost: nobody.hello.localhost\r\n\r\n",
        "404 kept",
    ),
    (
        "the old version without a host",
        "GET / HTTP/1.0\r\n\r\n",
        "400 closed",
    ),
    ("the old version", "GET / HTTP/1.0\r\n§\r\n", "200 closed | GET /"),
    (
        "the old version that wants to go on",
        "GET / HTTP/1.0\r\n§Connection: keep-alive\r\n\r\n",
        "200 kept | GET /",
    ),
];

/// Headers.
const HEADERS: &[Row] = &[
    (
        "a space before the colon",
        "GET / HTTP/1.1\r\n§X-A : 1\r\n\r\n",
        "400 closed",
    ),
    (
        "a tab before the colon",
        "GET / HTTP/1.1\r\n§X-A\t: 1\r\n\r\n",
        "400 closed",
    ),
    (
        "a name with a space",
        "GET / HTTP/1.1\r\n§X A: 1\r\n\r\n",
        "400 closed",
    ),
    ("no name", "GET / HTTP/1.1\r\n§: 1\r\n\r\n", "400 closed"),
    ("no colon", "GET / HTTP/1.1\r\n§X-A\r\n\r\n", "400 closed"),
    (
        "a line that goes on in the next one",
        "GET / HTTP/1.1\r\n§X-A: 1\r\n 2\r\n\r\n",
        "400 closed",
    ),
    (
        "a line that goes on in the next one after a tab",
        "GET / HTTP/1.1\r\n§X-A: 1\r\n\t2\r\n\r\n",
        "400 closed",
    ),
    (
        "a first header that goes on what was not",
        "GET / HTTP/1.1\r\n X-A: 1\r\n§\r\n",
        "400 closed",
    ),
    (
        "a carriage return in a value",
        "GET / HTTP/1.1\r\n§X-A: 1\rX-B: 2\r\n\r\n",
        "400 closed",
    ),
    (
        "a zero in a value",
        "GET / HTTP/1.1\r\n§X-A: 1\x002\r\n\r\n",
        "400 closed",
    ),
    (
        "a bell in a value",
        "GET / HTTP/1.1\r\n§X-A: 1\x072\r\n\r\n",
        "400 closed",
    ),
    (
        "a name with a zero",
        "GET / HTTP/1.1\r\n§X\0A: 1\r\n\r\n",
        "400 closed",
    ),
    (
        "a name in other letters",
        "GET / HTTP/1.1\r\n§X-ä: 1\r\n\r\n",
        "400 closed",
    ),
    (
        "no value, and a value with spaces around it",
        "GET / HTTP/1.1\r\n§X-A:\r\nX-B: \t 1 \t \r\n\r\n",
        "200 kept | GET / {x-a: } {x-b: 1}",
    ),
    (
        "two of one name stay two",
        "GET / HTTP/1.1\r\n§X-A: 1\r\nX-A: 2\r\n\r\n",
        "200 kept | GET / {x-a: 1} {x-a: 2}",
    ),
    (
        "a name with an underscore is another one",
        "GET / HTTP/1.1\r\n§Content_Length: 5\r\n\r\n",
        "200 kept | GET / {content_length: 5}",
    ),
    (
        "headers of the connection end here",
        "GET / HTTP/1.1\r\n§Connection: X-Mine, keep-alive\r\nX-Mine: 1\r\nKeep-Alive: 1\r\nProxy-Connection: a\r\nTE: gzip\r\n\r\n",
        "200 kept | GET /",
    ),
    (
        "a connection does not name the host away",
        "GET / HTTP/1.1\r\n§Connection: Host, Content-Length, X-Forwarded-For, X-Request-Id\r\n\r\n",
        "200 kept | GET /",
    ),
    (
        "trailers are wanted",
        "GET / HTTP/1.1\r\n§TE: trailers\r\n\r\n",
        "200 kept | GET / {te: trailers}",
    ),
    (
        "another version is not changed to",
        "GET / HTTP/1.1\r\n§Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n\r\n",
        "200 kept | GET /",
    ),
    (
        "the state of a trace goes on",
        "GET / HTTP/1.1\r\n§traceparent: 00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01\r\ntracestate: a=1\r\n\r\n",
        "200 kept | GET / {tracestate: a=1}",
    ),
    (
        "the last request of a connection",
        "GET / HTTP/1.1\r\n§Connection: close\r\n\r\n",
        "200 closed | GET /",
    ),
];

/// Lengths.
const LENGTHS: &[Row] = &[
    (
        "a body",
        "POST / HTTP/1.1\r\n§Content-Length: 5\r\n\r\nhello",
        "200 kept | POST / {content-length: 5} [hello]",
    ),
    (
        "a body of nothing",
        "POST / HTTP/1.1\r\n§Content-Length: 0\r\n\r\n",
        "200 kept | POST / {content-length: 0}",
    ),
    ("no length", "POST / HTTP/1.1\r\n§\r\n", "200 kept | POST /"),
    (
        "a length with zeros before it",
        "POST / HTTP/1.1\r\n§Content-Length: 005\r\n\r\nhello",
        "200 kept | POST / {content-length: 5} [hello]",
    ),
    (
        "a body of a request that needs none",
        "GET / HTTP/1.1\r\n§Content-Length: 5\r\n\r\nhello",
        "200 kept | GET / {content-length: 5} [hello]",
    ),
    (
        "the same length twice",
        "POST / HTTP/1.1\r\n§Content-Length: 5\r\nContent-Length: 5\r\n\r\nhello",
        "200 kept | POST / {content-length: 5} [hello]",
    ),
    (
        "two lengths",
        "POST / HTTP/1.1\r\n§Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello",
        "400 closed",
    ),
    (
        "a list of lengths",
        "POST / HTTP/1.1\r\n§Content-Length: 5, 5\r\n\r\nhello",
        "400 closed",
    ),
    (
        "a length with a sign",
        "POST / HTTP/1.1\r\n§Content-Length: +5\r\n\r\nhello",
        "400 closed",
    ),
    (
        "a length below nothing",
        "POST / HTTP/1.1\r\n§Content-Length: -5\r\n\r\nhello",
        "400 closed",
    ),
    (
        "a length with a point",
        "POST / HTTP/1.1\r\n§Content-Length: 5.0\r\n\r\nhello",
        "400 closed",
    ),
    (
        "a length in hexadecimal",
        "POST / HTTP/1.1\r\n§Content-Length: 0x5\r\n\r\nhello",
        "400 closed",
    ),
    (
        "a length with a space",
        "POST / HTTP/1.1\r\n§Content-Length: 1 5\r\n\r\nhello",
        "400 closed",
    ),
    (
        "an empty length",
        "POST / HTTP/1.1\r\n§Content-Length:\r\n\r\nhello",
        "400 closed",
    ),
    (
        "a length in words",
        "POST / HTTP/1.1\r\n§Content-Length: five\r\n\r\nhello",
        "400 closed",
    ),
    (
        "a length that no number holds",
        "POST / HTTP/1.1\r\n§Content-Length: 99999999999999999999999\r\n\r\nhello",
        "400 closed",
    ),
    (
        "a length that only a number without a sign holds",
        "POST / HTTP/1.1\r\n§Content-Length: 18446744073709551615\r\n\r\nhello",
        "431 closed",
    ),
    (
        "a body that does not go on",
        "POST / HTTP/1.1\r\n§Content-Length: 500\r\n\r\nhello",
        "408 closed",
    ),
    (
        "a body that is another request",
        "POST / HTTP/1.1\r\n§Content-Length: 37\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: web\r\n\r\n",
        "200 kept | POST / {content-length: 37} [GET /smuggled HTTP/1.1\r\nHost: web\r\n\r\n]",
    ),
    (
        "two requests at once",
        "POST / HTTP/1.1\r\n§Content-Length: 5\r\n\r\nhelloGET /second HTTP/1.1\r\n§\r\n",
        "200 200 kept | POST / {content-length: 5} [hello] && GET /second",
    ),
    (
        "who waits to be told to go on is told",
        "POST / HTTP/1.1\r\n§Expect: 100-continue\r\nContent-Length: 5\r\n\r\nhello",
        "100 200 kept | POST / {content-length: 5} [hello]",
    ),
    (
        "somebody expects what nobody knows",
        "POST / HTTP/1.1\r\n§Expect: tea\r\nContent-Length: 5\r\n\r\nhello",
        "200 kept | POST / {content-length: 5} [hello]",
    ),
];

/// Chunks.
const CHUNKS: &[Row] = &[
    (
        "a chunk",
        "POST / HTTP/1.1\r\n§Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
        "200 kept | POST / {transfer-encoding: chunked} [hello]",
    ),
    (
        "two chunks",
        "POST / HTTP/1.1\r\n§Transfer-Encoding: chunked\r\n\r\n2\r\nhe\r\n3\r\nllo\r\n0\r\n\r\n",
        "200 kept | POST / {transfer-encoding: chunked} [hello]",
    ),
    (
        "sizes in large letters with zeros before them",
        "POST / HTTP/1.1\r\n§Transfer-Encoding: chunked\r\n\r\n000A\r\n0123456789\r\n00\r\n\r\n",
        "200 kept | POST / {transfer-encoding: chunked} [0123456789]",
    ),
    (
        "a size with an extension",
        "POST / HTTP/1.1\r\n§Transfer-Encoding: chunked\r\n\r\n5;a=b;c=\"d\"\r\nhello\r\n0;e\r\n\r\n",
        "200 kept | POST / {transfer-encoding: chunked} [hello]",
    ),
    (
        "the coding in large letters",
        "POST / HTTP/1.1\r\n§Transfer-Encoding: Chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
        "200 kept | POST / {transfer-encoding: chunked} [hello]",
    ),
    (
        "a length before the coding",
        "POST / HTTP/1.1\r\n§Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
        "200 closed | POST / {transfer-encoding: chunked} [hello]",
    ),
    (
        "a length after the coding",
        "POST / HTTP/1.1\r\n§Transfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
        "200 closed | POST / {transfer-encoding: chunked} [hello]",
    ),
    (
        "the old version cannot",
        "POST / HTTP/1.0\r\n§Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
        "400 closed",
    ),
    (
        "another coding alone",
        "POST / HTTP/1.1\r\n§Transfer-Encoding: gzip\r\n\r\nhello",
        "400 closed",
    ),
    (
        "no coding that means something",
        "POST / HTTP/1.1\r\n§Transfer-Encoding: identity\r\nContent-Length: 5\r\n\r\nhello",
        "400 closed",
    ),
    (
        "an empty coding",
        "POST / HTTP/1.1\r\n§Transfer-Encoding:\r\n\r\nhello",
        "400 closed",
    ),
    (
        "a coding that is nearly one",
        "POST / HTTP/1.1\r\n§Transfer-Encoding: xchunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
        "400 closed",
    ),
    (
        "a coding with something before it",
        "POST / HTTP/1.1\r\n§Transfer-Encoding: gzip, chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
        "501 closed",
    ),
    (
        "a coding with something after it",
        "POST / HTTP/1.1\r\n§Transfer-Encoding: chunked, gzip\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
        "400 closed",
    ),
    (
        "the coding twice",
        "POST / HTTP/1.1\r\n§Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
        "501 closed",
    ),
    (
        "the coding with a word behind it",
        "POST / HTTP/1.1\r\n§Transfer-Encoding: chunked;q=1\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
        "400 closed",
    ),
    (
        "the coding in quotes",
        "POST / HTTP/1.1\r\n§Transfer-Encoding: \"chunked\"\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
        "400 closed",
    ),
    (
        "the coding after a tab of its own",
        "POST / HTTP/1.1\r\n§Transfer-Encoding: \x0bchunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
        "400 closed",
    ),
    (
        "a space before the colon of the coding",
        "POST / HTTP/1.1\r\n§Transfer-Encoding : chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
        "400 closed",
    ),
    (
        "a size with a sign",
        "POST / HTTP/1.1\r\n§Transfer-Encoding: chunked\r\n\r\n+5\r\nhello\r\n0\r\n\r\n",
        "400 closed",
    ),
    (
        "a size below nothing",
        "POST / HTTP/1.1\r\n§Transfer-Encoding: chunked\r\n\r\n-5\r\nhello\r\n0\r\n\r\n",
        "400 closed",
    ),
    (
        "a size with its base",
        "POST / HTTP/1.1\r\n§Transfer-Encoding: chunked\r\n\r\n0x5\r\nhello\r\n0\r\n\r\n",
        "400 closed",
    ),
    (
        "a size that is none",
        "POST / HTTP/1.1\r\n§Transfer-Encoding: chunked\r\n\r\ng\r\nhello\r\n0\r\n\r\n",
        "400 closed",
    ),
    (
        "no size",
        "POST / HTTP/1.1\r\n§Transfer-Encoding: chunked\r\n\r\n\r\nhello\r\n0\r\n\r\n",
        "400 closed",
    ),
    (
        "a size that no number holds",
        "POST / HTTP/1.1\r\n§Transfer-Encoding: chunked\r\n\r\n10000000000000005\r\nhello\r\n0\r\n\r\n",
        "400 closed",
    ),
    (
        "a space before a size",
        "POST / HTTP/1.1\r\n§Transfer-Encoding: chunked\r\n\r\n 5\r\nhello\r\n0\r\n\r\n",
        "400 closed",
    ),
    (
        "a space after a size",
        "POST / HTTP/1.1\r\n§Transfer-Encoding: chunked\r\n\r\n5 \r\nhello\r\n0\r\n\r\n",
        "200 kept | POST / {transfer-encoding: chunked} [hello]",
    ),
    (
        "a size that ends with a line feed alone",
        "POST / HTTP/1.1\r\n§Transfer-Encoding: chunked\r\n\r\n5\nhello\r\n0\r\n\r\n",
        "400 closed",
    ),
    (
        "a chunk that ends with a line feed alone",
        "POST / HTTP/1.1\r\n§Transfer-Encoding: chunked\r\n\r\n5\r\nhello\n0\r\n\r\n",
        "400 closed",
    ),
    (
        "a chunk that is longer than its size",
        "POST / HTTP/1.1\r\n§Transfer-Encoding: chunked\r\n\r\n4\r\nhello\r\n0\r\n\r\n",
        "400 closed",
    ),
    (
        "an extension with a line feed",
        "POST / HTTP/1.1\r\n§Transfer-Encoding: chunked\r\n\r\n5;a\nb\r\nhello\r\n0\r\n\r\n",
        "400 closed",
    ),
    (
        "a trailer that nobody announced",
        "POST / HTTP/1.1\r\n§Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\nX-Sum: 1\r\n\r\n",
        "200 kept | POST / {transfer-encoding: chunked} [hello]",
    ),
    (
        "a trailer",
        "POST / HTTP/1.1\r\n§Trailer: X-Sum\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\nX-Sum: 1\r\n\r\n",
        "200 kept | POST / {trailer: X-Sum} {transfer-encoding: chunked} [hello|x-sum: 1]",
    ),
    (
        "a trailer that would be a header of another request",
        "POST / HTTP/1.1\r\n§Trailer: Content-Length, Host\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\nContent-Length: 9\r\nHost: other\r\n\r\n",
        "200 kept | POST / {trailer: Content-Length, Host} {transfer-encoding: chunked} [hello]",
    ),
    (
        "a trailer that is none",
        "POST / HTTP/1.1\r\n§Trailer: X-Sum\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\nX Sum\r\n\r\n",
        "400 closed",
    ),
    (
        "a request behind the last chunk",
        "POST / HTTP/1.1\r\n§Transfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET /second HTTP/1.1\r\n§\r\n",
        "200 200 kept | POST / {transfer-encoding: chunked} && GET /second",
    ),
];

/// What is large.
fn sizes() -> Vec<(&'static str, Vec<u8>, String)> {
    let get = |path: &str, headers: &str| whole(&format!("GET {path} HTTP/1.1\r\n§{headers}\r\n"));
    let letters = |count| "a".repeat(count);
    let extension = format!(
        "POST / HTTP/1.1\r\n§Transfer-Encoding: chunked\r\n\r\n5;{}\r\nhello\r\n0\r\n\r\n",
        letters(40_000)
    );
    let path = format!("/{}", letters(8_000));
    vec![
        (
            "a path of eight thousand letters",
            get(&path, ""),
            format!("200 kept | GET {path}"),
        ),
        (
            "a path of seventy thousand letters",
            get(&format!("/{}", letters(70_000)), ""),
            "431 closed".to_owned(),
        ),
        (
            "a header of seventy thousand letters",
            get("/", &format!("X-A: {}\r\n", letters(70_000))),
            "431 closed".to_owned(),
        ),
        (
            "ninety-five headers",
            get("/", &"X-A: 1\r\n".repeat(95)),
            format!("200 kept | GET /{}", " {x-a: 1}".repeat(95)),
        ),
        (
            "a thousand headers",
            get("/", &"X-A: 1\r\n".repeat(1_000)),
            "431 closed".to_owned(),
        ),
        (
            "an extension without end",
            whole(&extension),
            "400 closed".to_owned(),
        ),
    ]
}
