//! Requests that somebody may have meant to be read in two ways, and what comes of them.
//!
//! Most of these are in papers and reports on smuggling: what one server takes for the end of a request and another one
//! does not. Whoever reads a table finds the answer beside each.

use super::requests::Row;

/// The first line.
pub(crate) const LINES: &[Row] = &[
    ("a version without a dot", "GET / HTTP/11\r\n§\r\n", "400 closed"),
    (
        "a version that breaks off",
        "GET / HTTP/1.\r\n§\r\n",
        "400 closed",
    ),
    (
        "a version with something behind it",
        "GET / HTTP/1.1a\r\n§\r\n",
        "400 closed",
    ),
    (
        "a version with a space in it",
        "GET / HTTP/1. 1\r\n§\r\n",
        "400 closed",
    ),
    (
        "a version of another protocol",
        "GET / XTTP/1.1\r\n§\r\n",
        "400 closed",
    ),
    (
        "a version that was before versions",
        "GET / HTTP/0.9\r\n§\r\n",
        "400 closed",
    ),
    ("a version with a sign", "GET / HTTP/+1.1\r\n§\r\n", "400 closed"),
    (
        "a second carriage return at its end",
        "GET / HTTP/1.1\r\r\n§\r\n",
        "400 closed",
    ),
    (
        "a carriage return in place of a space",
        "GET /\rHTTP/1.1\r\n§\r\n",
        "400 closed",
    ),
    (
        "a line feed in place of a space",
        "GET\n/ HTTP/1.1\r\n§\r\n",
        "400 closed",
    ),
    (
        "a vertical tab in place of a space",
        "GET\x0b/ HTTP/1.1\r\n§\r\n",
        "400 closed",
    ),
    (
        "a form feed in the path",
        "GET /a\x0cb HTTP/1.1\r\n§\r\n",
        "400 closed",
    ),
    (
        "a delete in the path",
        "GET /a\x7fb HTTP/1.1\r\n§\r\n",
        "400 closed",
    ),
    (
        "a bell in the path",
        "GET /a\x07b HTTP/1.1\r\n§\r\n",
        "400 closed",
    ),
    (
        "other letters in the path",
        "GET /ä HTTP/1.1\r\n§\r\n",
        "200 kept | GET /ä",
    ),
    (
        "a backslash in the path",
        "GET /a\\b HTTP/1.1\r\n§\r\n",
        "200 kept | GET /a\\b",
    ),
    (
        "quotes in the path",
        "GET /\"a\" HTTP/1.1\r\n§\r\n",
        "200 kept | GET /\"a\"",
    ),
    (
        "angle brackets in the path",
        "GET /<a> HTTP/1.1\r\n§\r\n",
        "400 closed",
    ),
    (
        "braces and a bar in the path",
        "GET /{a}|b^` HTTP/1.1\r\n§\r\n",
        "400 closed",
    ),
    (
        "a percent with nothing behind it",
        "GET /a% HTTP/1.1\r\n§\r\n",
        "200 kept | GET /a%",
    ),
    (
        "a percent with letters that are no number",
        "GET /a%zz HTTP/1.1\r\n§\r\n",
        "200 kept | GET /a%zz",
    ),
    (
        "a zero, written with a percent",
        "GET /a%00b HTTP/1.1\r\n§\r\n",
        "200 kept | GET /a%00b",
    ),
    (
        "a line break, written with percents, stays written so",
        "GET /a%0d%0aX-A:%201 HTTP/1.1\r\n§\r\n",
        "200 kept | GET /a%0d%0aX-A:%201",
    ),
    ("a query alone", "GET ?a=b HTTP/1.1\r\n§\r\n", "400 closed"),
    ("an empty query", "GET /? HTTP/1.1\r\n§\r\n", "200 kept | GET /?"),
    (
        "a query with question marks",
        "GET /?a?b=? HTTP/1.1\r\n§\r\n",
        "200 kept | GET /?a?b=?",
    ),
    (
        "many empty lines before it",
        "\r\n\r\n\r\n\r\nGET / HTTP/1.1\r\n§\r\n",
        "200 kept | GET /",
    ),
    (
        "a line feed before it",
        "\nGET / HTTP/1.1\r\n§\r\n",
        "200 kept | GET /",
    ),
    (
        "a line of spaces before it",
        "  \r\nGET / HTTP/1.1\r\n§\r\n",
        "400 closed",
    ),
    ("a zero before it", "\0GET / HTTP/1.1\r\n§\r\n", "400 closed"),
    (
        "the mark of an order of bytes before it",
        "\u{feff}GET / HTTP/1.1\r\n§\r\n",
        "400 closed",
    ),
    (
        "the beginning of something encrypted",
        "\x16\x03\x01\x02\0\x01\0\x01\u{fc}\x03\x03\r\n\r\n",
        "400 closed",
    ),
    (
        "the greeting of another protocol",
        "SSH-2.0-OpenSSH_9.2\r\n\r\n",
        "400 closed",
    ),
    (
        "a greeting of a proxy that is not trusted",
        "PROXY TCP4 10.0.0.1 10.0.0.2 1 2\r\nGET / HTTP/1.1\r\n§\r\n",
        "400 closed",
    ),
    (
        "a command for a mail server",
        "EHLO web.hello.localhost\r\n\r\n",
        "400 closed",
    ),
    (
        "the preface of the second version",
        "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        " closed",
    ),
    (
        "a method with a dash",
        "M-SEARCH / HTTP/1.1\r\n§\r\n",
        "200 kept | M-SEARCH /",
    ),
    ("a method with a slash", "GET/ / HTTP/1.1\r\n§\r\n", "400 closed"),
    ("a method with a quote", "G\"T / HTTP/1.1\r\n§\r\n", "400 closed"),
    (
        "a method in other letters",
        "GÄT / HTTP/1.1\r\n§\r\n",
        "400 closed",
    ),
    ("a method with a zero", "GE\0T / HTTP/1.1\r\n§\r\n", "400 closed"),
    (
        "whoever traces gets no echo from us",
        "TRACE / HTTP/1.1\r\n§\r\n",
        "405 closed",
    ),
];

/// Where the request goes.
pub(crate) const PLACES: &[Row] = &[
    (
        "a whole address with another port",
        "GET http://web.hello.localhost:81/a HTTP/1.1\r\n§\r\n",
        "200 kept | GET /a {host: web.hello.localhost:81}",
    ),
    (
        "a whole address that says it is encrypted",
        "GET https://web.hello.localhost/a HTTP/1.1\r\n§\r\n",
        "200 kept | GET /a",
    ),
    (
        "a whole address in large letters",
        "GET HTTP://WEB.hello.localhost/a HTTP/1.1\r\n§\r\n",
        "200 kept | GET /a {host: WEB.hello.localhost}",
    ),
    (
        "a whole address with a query and no path",
        "GET http://web.hello.localhost?a=b HTTP/1.1\r\n§\r\n",
        "200 kept | GET /?a=b",
    ),
    (
        "a whole address with a fragment",
        "GET http://web.hello.localhost/a#b HTTP/1.1\r\n§\r\n",
        "200 kept | GET /a",
    ),
    (
        "a whole address without a host",
        "GET http:///a HTTP/1.1\r\n§\r\n",
        "400 closed",
    ),
    (
        "a whole address with one slash",
        "GET http:/a HTTP/1.1\r\n§\r\n",
        "400 closed",
    ),
    (
        "a whole address of a host that nobody has",
        "GET http://nobody.hello.localhost/a HTTP/1.1\r\n§\r\n",
        "404 kept",
    ),
    (
        "a whole address with a port that is none",
        "GET http://web.hello.localhost:http/a HTTP/1.1\r\n§\r\n",
        "400 closed",
    ),
    (
        "a whole address with a port beyond all",
        "GET http://web.hello.localhost:65536/a HTTP/1.1\r\n§\r\n",
        "400 closed",
    ),
    (
        "what can be done at a whole address",
        "OPTIONS http://web.hello.localhost HTTP/1.1\r\n§\r\n",
        "200 kept | OPTIONS /",
    ),
    (
        "a script where a path should be",
        "GET javascript:alert(1) HTTP/1.1\r\n§\r\n",
        "400 closed",
    ),
    (
        "a tunnel to somebody else",
        "CONNECT example.com:443 HTTP/1.1\r\nHost: example.com:443\r\n\r\n",
        "405 closed",
    ),
    (
        "a tunnel to a whole address",
        "CONNECT http://web.hello.localhost/ HTTP/1.1\r\n§\r\n",
        "405 closed",
    ),
    (
        "a tunnel with a body",
        "CONNECT web.hello.localhost:80 HTTP/1.1\r\n§Content-Length: 5\r\n\r\nhello",
        "405 closed",
    ),
    (
        "a star in the old version",
        "OPTIONS * HTTP/1.0\r\n§\r\n",
        "200 closed | OPTIONS *",
    ),
    (
        "a star with something behind it",
        "OPTIONS *a HTTP/1.1\r\n§\r\n",
        "400 closed",
    ),
    (
        "a host with nothing but a port",
        "GET / HTTP/1.1\r\nHost: :80\r\n\r\n",
        "400 closed",
    ),
    (
        "a host with a colon and no port",
        "GET / HTTP/1.1\r\nHost: web.hello.localhost:\r\n\r\n",
        "200 kept | GET / {host: web.hello.localhost:}",
    ),
    (
        "a host with a port beyond all",
        "GET / HTTP/1.1\r\nHost: web.hello.localhost:65536\r\n\r\n",
        "400 closed",
    ),
    (
        "a host with two ports",
        "GET / HTTP/1.1\r\nHost: web.hello.localhost:80:81\r\n\r\n",
        "400 closed",
    ),
    (
        "a host with a sign before its port",
        "GET / HTTP/1.1\r\nHost: web.hello.localhost:+80\r\n\r\n",
        "400 closed",
    ),
    (
        "a host of numbers",
        "GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n",
        "200 kept | GET / {host: 127.0.0.1}",
    ),
    (
        "a host of six groups in brackets",
        "GET / HTTP/1.1\r\nHost: [::1]:80\r\n\r\n",
        "200 kept | GET / {host: [::1]:80}",
    ),
    (
        "a host of six groups without brackets",
        "GET / HTTP/1.1\r\nHost: ::1\r\n\r\n",
        "400 closed",
    ),
    (
        "a host with a bracket that stays open",
        "GET / HTTP/1.1\r\nHost: [::1\r\n\r\n",
        "400 closed",
    ),
    (
        "a host with a bracket and words",
        "GET / HTTP/1.1\r\nHost: [web]\r\n\r\n",
        "404 kept",
    ),
    (
        "a host with a percent",
        "GET / HTTP/1.1\r\nHost: web%2ehello.localhost\r\n\r\n",
        "400 closed",
    ),
    (
        "a host with an underscore",
        "GET / HTTP/1.1\r\nHost: we_b.hello.localhost\r\n\r\n",
        "404 kept",
    ),
    (
        "a host with a question mark",
        "GET / HTTP/1.1\r\nHost: web.hello.localhost?a\r\n\r\n",
        "400 closed",
    ),
    (
        "a host with a fragment",
        "GET / HTTP/1.1\r\nHost: web.hello.localhost#a\r\n\r\n",
        "400 closed",
    ),
    (
        "a host with a backslash",
        "GET / HTTP/1.1\r\nHost: web.hello.localhost\\a\r\n\r\n",
        "400 closed",
    ),
    (
        "a host with a tab in it",
        "GET / HTTP/1.1\r\nHost: web\thello.localhost\r\n\r\n",
        "400 closed",
    ),
    (
        "a host with a zero",
        "GET / HTTP/1.1\r\nHost: web.hello.localhost\0\r\n\r\n",
        "400 closed",
    ),
    (
        "a host in other letters",
        "GET / HTTP/1.1\r\nHost: wéb.hello.localhost\r\n\r\n",
        "400 closed",
    ),
    (
        "a host with a dot before it",
        "GET / HTTP/1.1\r\nHost: .web.hello.localhost\r\n\r\n",
        "404 kept",
    ),
    (
        "a host with two dots",
        "GET / HTTP/1.1\r\nHost: web..hello.localhost\r\n\r\n",
        "404 kept",
    ),
    (
        "a host that is a dot",
        "GET / HTTP/1.1\r\nHost: .\r\n\r\n",
        "404 kept",
    ),
    (
        "a host that is a scheme, too",
        "GET / HTTP/1.1\r\nHost: http://web.hello.localhost\r\n\r\n",
        "400 closed",
    ),
    (
        "a name of the host in large letters",
        "GET / HTTP/1.1\r\nHOST: web.hello.localhost\r\n\r\n",
        "200 kept | GET /",
    ),
    (
        "a host that comes last",
        "GET / HTTP/1.1\r\nX-A: 1\r\n§\r\n",
        "200 kept | GET / {x-a: 1}",
    ),
    (
        "a host whose name has a space behind it",
        "GET / HTTP/1.1\r\nHost : web.hello.localhost\r\n\r\n",
        "400 closed",
    ),
    (
        "a second host whose name has a space before it",
        "GET / HTTP/1.1\r\n§ Host: other.hello.localhost\r\n\r\n",
        "400 closed",
    ),
    (
        "a host that somebody before us is said to have been asked for",
        "GET / HTTP/1.1\r\n§X-Forwarded-Host: other.hello.localhost\r\nX-Host: other\r\n\r\n",
        "200 kept | GET / {x-host: other}",
    ),
];

/// Headers.
pub(crate) const HEADERS: &[Row] = &[
    (
        "no space behind the colon",
        "GET / HTTP/1.1\r\n§X-A:1\r\n\r\n",
        "200 kept | GET / {x-a: 1}",
    ),
    (
        "colons in a value",
        "GET / HTTP/1.1\r\n§X-A: b: c::d\r\n\r\n",
        "200 kept | GET / {x-a: b: c::d}",
    ),
    (
        "a name of everything that a name may have",
        "GET / HTTP/1.1\r\n§!#$%&'*+-.^_`|~09aZ: 1\r\n\r\n",
        "200 kept | GET / {!#$%&'*+-.^_`|~09az: 1}",
    ),
    (
        "a name with brackets",
        "GET / HTTP/1.1\r\n§X(A): 1\r\n\r\n",
        "400 closed",
    ),
    (
        "a name with a slash",
        "GET / HTTP/1.1\r\n§X/A: 1\r\n\r\n",
        "400 closed",
    ),
    (
        "a name with a comma",
        "GET / HTTP/1.1\r\n§X,A: 1\r\n\r\n",
        "400 closed",
    ),
    (
        "a name with quotes",
        "GET / HTTP/1.1\r\n§\"X\": 1\r\n\r\n",
        "400 closed",
    ),
    (
        "a name with an at sign",
        "GET / HTTP/1.1\r\n§X@A: 1\r\n\r\n",
        "400 closed",
    ),
    (
        "a name with a carriage return",
        "GET / HTTP/1.1\r\n§X\rA: 1\r\n\r\n",
        "400 closed",
    ),
    (
        "a delete in a value",
        "GET / HTTP/1.1\r\n§X-A: 1\x7f\r\n\r\n",
        "400 closed",
    ),
    (
        "an escape in a value",
        "GET / HTTP/1.1\r\n§X-A: \x1b[31m\r\n\r\n",
        "400 closed",
    ),
    (
        "a vertical tab in a value",
        "GET / HTTP/1.1\r\n§X-A: 1\x0b2\r\n\r\n",
        "400 closed",
    ),
    (
        "a tab in a value",
        "GET / HTTP/1.1\r\n§X-A: 1\t2\r\n\r\n",
        "200 kept | GET / {x-a: 1\t2}",
    ),
    (
        "other letters in a value",
        "GET / HTTP/1.1\r\n§X-A: ä€\r\n\r\n",
        "200 kept | GET / {x-a: ä€}",
    ),
    (
        "a line that is a space",
        "GET / HTTP/1.1\r\n§X-A: 1\r\n \r\nX-B: 2\r\n\r\n",
        "400 closed",
    ),
    (
        "a line feed alone between two headers",
        "GET / HTTP/1.1\r\n§X-A: 1\nX-B: 2\r\n\r\n",
        "200 kept | GET / {x-a: 1} {x-b: 2}",
    ),
    (
        "a line feed alone at the end of all",
        "GET / HTTP/1.1\r\n§X-A: 1\n\nGET /second HTTP/1.1\r\n§\r\n",
        "200 200 kept | GET / {x-a: 1} && GET /second",
    ),
    (
        "a carriage return alone at the end of all",
        "GET / HTTP/1.1\r\n§X-A: 1\r\rX-B: 2\r\n\r\n",
        "400 closed",
    ),
    (
        "cookies in two headers stay two",
        "GET / HTTP/1.1\r\n§Cookie: a=1\r\nCookie: b=2\r\n\r\n",
        "200 kept | GET / {cookie: a=1} {cookie: b=2}",
    ),
    (
        "who has gone before us is added to and not believed",
        "GET / HTTP/1.1\r\n§X-Forwarded-For: 10.0.0.1\r\nX-Forwarded-Proto: https\r\nForwarded: for=10.0.0.1\r\n\r\n",
        "200 kept | GET /",
    ),
    (
        "one that wants to end and to go on",
        "GET / HTTP/1.1\r\n§Connection: close, keep-alive\r\n\r\n",
        "200 closed | GET /",
    ),
    (
        "one that wants to go on and to end, in two headers",
        "GET / HTTP/1.1\r\n§Connection: keep-alive\r\nConnection: Close\r\n\r\n",
        "200 closed | GET /",
    ),
    (
        "a connection of commas",
        "GET / HTTP/1.1\r\n§Connection: ,, ,\r\n\r\n",
        "200 kept | GET /",
    ),
    (
        "a connection in quotes names nothing away",
        "GET / HTTP/1.1\r\n§Connection: \"X-Mine\"\r\nX-Mine: 1\r\n\r\n",
        "200 kept | GET / {x-mine: 1}",
    ),
    (
        "a connection names cookies away",
        "GET / HTTP/1.1\r\n§Connection: Cookie, Authorization\r\nCookie: a=1\r\nAuthorization: Bearer b\r\n\r\n",
        "200 kept | GET /",
    ),
    (
        "a connection names the coding away",
        "POST / HTTP/1.1\r\n§Connection: Transfer-Encoding\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
        "200 kept | POST / {transfer-encoding: chunked} [hello]",
    ),
    (
        "what is for a proxy goes no further",
        "GET / HTTP/1.1\r\n§Proxy-Authorization: Basic YTpi\r\nProxy-Authenticate: Basic\r\nProxy-Connection: keep-alive\r\n\r\n",
        "200 kept | GET / {proxy-authenticate: Basic}",
    ),
    (
        "an upgrade that the connection does not name",
        "GET / HTTP/1.1\r\n§Upgrade: websocket\r\n\r\n",
        "200 kept | GET /",
    ),
    (
        "a connection that names an upgrade that is not there",
        "GET / HTTP/1.1\r\n§Connection: upgrade\r\n\r\n",
        "200 kept | GET /",
    ),
    (
        "an upgrade to nothing that we know",
        "GET / HTTP/1.1\r\n§Connection: upgrade\r\nUpgrade: tea/1.0\r\n\r\n",
        "200 kept | GET / {connection: upgrade} {upgrade: tea/1.0}",
    ),
    (
        "codings that may be sent",
        "GET / HTTP/1.1\r\n§TE: trailers, deflate;q=0.5\r\n\r\n",
        "200 kept | GET / {te: trailers}",
    ),
    (
        "no trailers are wanted",
        "GET / HTTP/1.1\r\n§TE: trailers;q=0\r\n\r\n",
        "200 kept | GET /",
    ),
    (
        "a trailer is announced and nothing can bring it",
        "GET / HTTP/1.1\r\n§Trailer: X-Sum\r\n\r\n",
        "200 kept | GET / {trailer: X-Sum}",
    ),
    (
        "who has passed it on already stays",
        "GET / HTTP/1.1\r\n§Via: 1.0 fred\r\n\r\n",
        "200 kept | GET / {via: 1.0 fred}",
    ),
    (
        "how often it may be passed on",
        "OPTIONS / HTTP/1.1\r\n§Max-Forwards: 0\r\n\r\n",
        "200 kept | OPTIONS / {max-forwards: 0}",
    ),
    (
        "an id with letters that no id has is replaced",
        "GET / HTTP/1.1\r\n§X-Request-Id: a b<script>\r\n\r\n",
        "200 kept | GET /",
    ),
    (
        "a trace that is none",
        "GET / HTTP/1.1\r\n§traceparent: 00-0-0-00\r\n\r\n",
        "200 kept | GET /",
    ),
    (
        "two ranges stay as they are",
        "GET / HTTP/1.1\r\n§Range: bytes=0-1,3-4\r\n\r\n",
        "200 kept | GET / {range: bytes=0-1,3-4}",
    ),
];

/// Lengths.
pub(crate) const LENGTHS: &[Row] = &[
    (
        "a length with a comma behind it",
        "POST / HTTP/1.1\r\n§Content-Length: 5,\r\n\r\nhello",
        "400 closed",
    ),
    (
        "a length with a comma before it",
        "POST / HTTP/1.1\r\n§Content-Length: ,5\r\n\r\nhello",
        "400 closed",
    ),
    (
        "a length with a semicolon",
        "POST / HTTP/1.1\r\n§Content-Length: 5;a\r\n\r\nhello",
        "400 closed",
    ),
    (
        "a length with spaces around it",
        "POST / HTTP/1.1\r\n§Content-Length: \t 5 \t \r\n\r\nhello",
        "200 kept | POST / {content-length: 5} [hello]",
    ),
    (
        "a length without a space",
        "POST / HTTP/1.1\r\n§Content-Length:5\r\n\r\nhello",
        "200 kept | POST / {content-length: 5} [hello]",
    ),
    (
        "a length with an underscore",
        "POST / HTTP/1.1\r\n§Content-Length: 1_0\r\n\r\nhello",
        "400 closed",
    ),
    (
        "a length with an exponent",
        "POST / HTTP/1.1\r\n§Content-Length: 5e0\r\n\r\nhello",
        "400 closed",
    ),
    (
        "a length of nothing below nothing",
        "POST / HTTP/1.1\r\n§Content-Length: -0\r\n\r\n",
        "400 closed",
    ),
    (
        "a length in quotes",
        "POST / HTTP/1.1\r\n§Content-Length: \"5\"\r\n\r\nhello",
        "400 closed",
    ),
    (
        "a length in other digits",
        "POST / HTTP/1.1\r\n§Content-Length: ５\r\n\r\nhello",
        "400 closed",
    ),
    (
        "a length with a vertical tab",
        "POST / HTTP/1.1\r\n§Content-Length: \x0b5\r\n\r\nhello",
        "400 closed",
    ),
    (
        "a length with a zero",
        "POST / HTTP/1.1\r\n§Content-Length: 5\0\r\n\r\nhello",
        "400 closed",
    ),
    (
        "a length in the next line",
        "POST / HTTP/1.1\r\n§Content-Length:\r\n 5\r\n\r\nhello",
        "400 closed",
    ),
    (
        "a length whose name has a space",
        "POST / HTTP/1.1\r\n§Content-Length : 5\r\n\r\nhello",
        "400 closed",
    ),
    (
        "a length whose name ends with a zero",
        "POST / HTTP/1.1\r\n§Content-Length\0: 5\r\n\r\nhello",
        "400 closed",
    ),
    (
        "a length in a line that ends with a line feed",
        "POST / HTTP/1.1\r\n§X: 1\nContent-Length: 5\r\n\r\nhello",
        "200 kept | POST / {x: 1} {content-length: 5} [hello]",
    ),
    (
        "lengths of which one is nothing",
        "POST / HTTP/1.1\r\n§Content-Length: 0\r\nContent-Length: 5\r\n\r\nhello",
        "400 closed",
    ),
    (
        "the same length written in two ways",
        "POST / HTTP/1.1\r\n§Content-Length: 5\r\nContent-Length: 05\r\n\r\nhello",
        "200 kept | POST / {content-length: 5} [hello]",
    ),
    (
        "three lengths of which the last differs",
        "POST / HTTP/1.1\r\n§Content-Length: 5\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello",
        "400 closed",
    ),
    (
        "a body behind a head",
        "HEAD / HTTP/1.1\r\n§Content-Length: 5\r\n\r\nhello",
        "200 kept | HEAD / {content-length: 5} [hello]",
    ),
    (
        "a body of what is to be deleted",
        "DELETE / HTTP/1.1\r\n§Content-Length: 5\r\n\r\nhello",
        "200 kept | DELETE / {content-length: 5} [hello]",
    ),
    (
        "a body of what can be done",
        "OPTIONS / HTTP/1.1\r\n§Content-Length: 5\r\n\r\nhello",
        "200 kept | OPTIONS / {content-length: 5} [hello]",
    ),
    (
        "a body of the old version",
        "POST / HTTP/1.0\r\n§Content-Length: 5\r\n\r\nhello",
        "200 closed | POST / {content-length: 5} [hello]",
    ),
    (
        "a body of the old version without a length",
        "POST / HTTP/1.0\r\n§\r\nhello",
        "200 closed | POST /",
    ),
    (
        "a line break behind a body",
        "POST / HTTP/1.1\r\n§Content-Length: 5\r\n\r\nhello\r\n",
        "200 kept | POST / {content-length: 5} [hello]",
    ),
    (
        "more than the length, which is no request",
        "POST / HTTP/1.1\r\n§Content-Length: 5\r\n\r\nhelloworld\r\n\r\n",
        "200 400 closed | POST / {content-length: 5} [hello]",
    ),
    (
        "three requests at once",
        "GET /a HTTP/1.1\r\n§\r\nGET /b HTTP/1.1\r\n§\r\nGET /c HTTP/1.1\r\n§\r\n",
        "200 200 200 kept | GET /a && GET /b && GET /c",
    ),
    (
        "one that is refused ends those behind it",
        "GET /a HTTP/1.1\r\n§\r\nGET  /b HTTP/1.1\r\n§\r\nGET /c HTTP/1.1\r\n§\r\n",
        "200 400 closed | GET /a",
    ),
    (
        "one that is the last ends those behind it",
        "GET /a HTTP/1.1\r\n§Connection: close\r\n\r\nGET /b HTTP/1.1\r\n§\r\n",
        "200 closed | GET /a",
    ),
    (
        "who waits to go on and has no body",
        "GET / HTTP/1.1\r\n§Expect: 100-continue\r\n\r\n",
        "200 kept | GET /",
    ),
    (
        "who waits to go on in the old version",
        "POST / HTTP/1.0\r\n§Expect: 100-continue\r\nContent-Length: 5\r\n\r\nhello",
        "200 closed | POST / {content-length: 5} [hello]",
    ),
    (
        "who waits to go on in large letters",
        "POST / HTTP/1.1\r\n§Expect: 100-Continue\r\nContent-Length: 5\r\n\r\nhello",
        "100 200 kept | POST / {content-length: 5} [hello]",
    ),
];

/// Chunks and codings.
pub(crate) const CHUNKS: &[Row] = &[
    (
        "a size of as many digits as a number has",
        "POST / HTTP/1.1\r\n§Transfer-Encoding: chunked\r\n\r\n0000000000000005\r\nhello\r\n0\r\n\r\n",
        "200 kept | POST / {transfer-encoding: chunked} [hello]",
    ),
    (
        "a size of one digit more",
        "POST / HTTP/1.1\r\n§Transfer-Encoding: chunked\r\n\r\n00000000000000005\r\nhello\r\n0\r\n\r\n",
        "200 kept | POST / {transfer-encoding: chunked} [hello]",
    ),
    (
        "a size that is the largest number",
        "POST / HTTP/1.1\r\n§Transfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\nhello\r\n0\r\n\r\n",
        "408 closed",
    ),
    (
        "a size with a second carriage return",
        "POST / HTTP/1.1\r\n§Transfer-Encoding: chunked\r\n\r\n5\r\r\nhello\r\n0\r\n\r\n",
        "400 closed",
    ),
    (
        "a size with a carriage return alone",
        "POST / HTTP/1.1\r\n§Transfer-Encoding: chunked\r\n\r\n5\rhello\r\n0\r\n\r\n",
        "400 closed",
    ),
    (
        "a size with an underscore",
        "POST / HTTP/1.1\r\n§Transfer-Encoding: chunked\r\n\r\n0_5\r\nhello\r\n0\r\n\r\n",
        "400 closed",
    ),
    (
        "a size with a zero",
        "POST / HTTP/1.1\r\n§Transfer-Encoding: chunked\r\n\r\n5\0\r\nhello\r\n0\r\n\r\n",
        "400 closed",
    ),
    (
        "a size with a tab behind it",
        "POST / HTTP/1.1\r\n§Transfer-Encoding: chunked\r\n\r\n5\t\r\nhello\r\n0\r\n\r\n",
        "200 kept | POST / {transfer-encoding: chunked} [hello]",
    ),
    (
        "a size with a comma",
        "POST / HTTP/1.1\r\n§Transfer-Encoding: chunked\r\n\r\n5,5\r\nhello\r\n0\r\n\r\n",
        "400 closed",
    ),
    (
        "an extension before no size",
        "POST / HTTP/1.1\r\n§Transfer-Encoding: chunked\r\n\r\n;a=b\r\nhello\r\n0\r\n\r\n",
        "400 closed",
    ),
    (
        "an extension with nothing in it",
        "POST / HTTP/1.1\r\n§Transfer-Encoding: chunked\r\n\r\n5;\r\nhello\r\n0\r\n\r\n",
        "200 kept | POST / {transfer-encoding: chunked} [hello]",
    ),
    (
        "an extension with a space before it",
        "POST / HTTP/1.1\r\n§Transfer-Encoding: chunked\r\n\r\n5 ;a\r\nhello\r\n0\r\n\r\n",
        "200 kept | POST / {transfer-encoding: chunked} [hello]",
    ),
    (
        "an extension with a carriage return",
        "POST / HTTP/1.1\r\n§Transfer-Encoding: chunked\r\n\r\n5;a\rb\r\nhello\r\n0\r\n\r\n",
        "400 closed",
    ),
    (
        "an extension with a zero",
        "POST / HTTP/1.1\r\n§Transfer-Encoding: chunked\r\n\r\n5;a\0\r\nhello\r\n0\r\n\r\n",
        "200 kept | POST / {transfer-encoding: chunked} [hello]",
    ),
    (
        "an extension with a line break in quotes",
        "POST / HTTP/1.1\r\n§Transfer-Encoding: chunked\r\n\r\n5;a=\"\r\nhello\r\n0\r\n\r\n",
        "200 kept | POST / {transfer-encoding: chunked} [hello]",
    ),
    (
        "an extension of the last chunk with a line feed",
        "POST / HTTP/1.1\r\n§Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0;a\n\r\n\r\n",
        "400 closed",
    ),
    (
        "a last chunk of many zeros",
        "POST / HTTP/1.1\r\n§Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n00000000\r\n\r\n",
        "200 kept | POST / {transfer-encoding: chunked} [hello]",
    ),
    (
        "a last chunk that ends with a line feed",
        "POST / HTTP/1.1\r\n§Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\n\n",
        "400 closed",
    ),
    (
        "a chunk that is shorter than its size",
        "POST / HTTP/1.1\r\n§Transfer-Encoding: chunked\r\n\r\n6\r\nhello\r\n0\r\n\r\n",
        "400 closed",
    ),
    (
        "a chunk without an end of its own",
        "POST / HTTP/1.1\r\n§Transfer-Encoding: chunked\r\n\r\n5\r\nhello0\r\n\r\n",
        "400 closed",
    ),
    (
        "a chunk that does not go on",
        "POST / HTTP/1.1\r\n§Transfer-Encoding: chunked\r\n\r\n5\r\nhe",
        "400 closed",
    ),
    (
        "no last chunk",
        "POST / HTTP/1.1\r\n§Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n",
        "400 closed",
    ),
    (
        "no end behind the last chunk",
        "POST / HTTP/1.1\r\n§Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n",
        "400 closed",
    ),
    (
        "a trailer that goes on in the next line",
        "POST / HTTP/1.1\r\n§Transfer-Encoding: chunked\r\n\r\n0\r\nX-A: 1\r\n 2\r\n\r\n",
        "400 closed",
    ),
    (
        "a trailer with a space before its colon",
        "POST / HTTP/1.1\r\n§Transfer-Encoding: chunked\r\n\r\n0\r\nX-A : 1\r\n\r\n",
        "400 closed",
    ),
    (
        "a trailer with a zero",
        "POST / HTTP/1.1\r\n§Transfer-Encoding: chunked\r\n\r\n0\r\nX-A: \0\r\n\r\n",
        "400 closed",
    ),
    (
        "a trailer with a carriage return",
        "POST / HTTP/1.1\r\n§Transfer-Encoding: chunked\r\n\r\n0\r\nX-A: 1\rX-B: 2\r\n\r\n",
        "400 closed",
    ),
    (
        "a trailer that would say how the body is coded",
        "POST / HTTP/1.1\r\n§Transfer-Encoding: chunked\r\n\r\n0\r\nTransfer-Encoding: chunked\r\n\r\n",
        "200 kept | POST / {transfer-encoding: chunked}",
    ),
    (
        "a body of chunks behind a question",
        "GET / HTTP/1.1\r\n§Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
        "200 kept | GET / {transfer-encoding: chunked} [hello]",
    ),
    (
        "a body of chunks behind a head",
        "HEAD / HTTP/1.1\r\n§Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
        "200 kept | HEAD / {transfer-encoding: chunked} [hello]",
    ),
    (
        "a coding with a comma behind it",
        "POST / HTTP/1.1\r\n§Transfer-Encoding: chunked,\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
        "400 closed",
    ),
    (
        "a coding with a comma before it",
        "POST / HTTP/1.1\r\n§Transfer-Encoding: ,chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
        "501 closed",
    ),
    (
        "a coding with a tab behind it",
        "POST / HTTP/1.1\r\n§Transfer-Encoding: chunked\t\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
        "200 kept | POST / {transfer-encoding: chunked} [hello]",
    ),
    (
        "a coding that stands twice in a list",
        "POST / HTTP/1.1\r\n§Transfer-Encoding: chunked, chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
        "501 closed",
    ),
    (
        "a coding and none, in a list",
        "POST / HTTP/1.1\r\n§Transfer-Encoding: identity, chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
        "501 closed",
    ),
    (
        "a coding and then none",
        "POST / HTTP/1.1\r\n§Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
        "400 closed",
    ),
    (
        "none and then a coding",
        "POST / HTTP/1.1\r\n§Transfer-Encoding: identity\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
        "501 closed",
    ),
    (
        "a coding with a space in it",
        "POST / HTTP/1.1\r\n§Transfer-Encoding: chun ked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
        "400 closed",
    ),
    (
        "a coding with a zero behind it",
        "POST / HTTP/1.1\r\n§Transfer-Encoding: chunked\0\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
        "400 closed",
    ),
    (
        "a coding in the next line",
        "POST / HTTP/1.1\r\n§Transfer-Encoding:\r\n chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
        "400 closed",
    ),
    (
        "a coding that goes on in the next line",
        "POST / HTTP/1.1\r\n§Transfer-Encoding: gzip,\r\n chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
        "400 closed",
    ),
    (
        "a coding in a line that ends with a line feed",
        "POST / HTTP/1.1\r\n§X: 1\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
        "200 kept | POST / {x: 1} {transfer-encoding: chunked} [hello]",
    ),
    (
        "a coding behind a carriage return",
        "POST / HTTP/1.1\r\n§X: 1\rTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
        "400 closed",
    ),
    (
        "a coding whose name has an underscore is none",
        "POST / HTTP/1.1\r\n§Transfer_Encoding: chunked\r\nContent-Length: 5\r\n\r\nhello",
        "200 kept | POST / {transfer_encoding: chunked} {content-length: 5} [hello]",
    ),
    (
        "a coding and two lengths",
        "POST / HTTP/1.1\r\n§Content-Length: 5\r\nContent-Length: 6\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
        "400 closed",
    ),
    (
        "a coding in the old version with a length",
        "POST / HTTP/1.0\r\n§Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\nhello",
        "400 closed",
    ),
    (
        "a request hidden behind chunks that a length cuts",
        "POST / HTTP/1.1\r\n§Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET /hidden HTTP/1.1\r\n§\r\n",
        "200 closed | POST / {transfer-encoding: chunked}",
    ),
    (
        "a request hidden behind a length that chunks cut",
        "POST / HTTP/1.1\r\n§Transfer-Encoding: chunked\r\nContent-Length: 60\r\n\r\n0\r\n\r\nGET /hidden HTTP/1.1\r\n§\r\n",
        "200 closed | POST / {transfer-encoding: chunked}",
    ),
    (
        "a request hidden in a coding that is nearly one",
        "POST / HTTP/1.1\r\n§Content-Length: 4\r\nTransfer-Encoding: chunked-\r\n\r\n24\r\nGET /hidden HTTP/1.1\r\n§\r\n0\r\n\r\n",
        "400 closed",
    ),
];
