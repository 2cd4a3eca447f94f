//! A smoke test of what the fuzzer does for longer: bytes that nearly are what they should be.

use proptest::prelude::*;
use proptest::sample::select;
use towpath_edge::fuzzing;

/// Pieces that answers are made of, and pieces that break them.
const ANSWER: [&str; 30] = [
    "HTTP/1.1 200 OK\r\n",
    "HTTP/1.0 200 OK\r\n",
    "HTTP/1.1 204 No Content\r\n",
    "HTTP/1.1 103 Early Hints\r\n",
    "HTTP/1.1 101 Switching Protocols\r\n",
    "\r\n",
    "\r\n\r\n",
    "Content-Length: 5\r\n",
    "Content-Length: 0\r\n",
    "Content-Length: 5, 5\r\n",
    "Content-Length: 18446744073709551615\r\n",
    "Transfer-Encoding: chunked\r\n",
    "Transfer-Encoding: gzip, chunked\r\n",
    "Connection: close\r\n",
    "X-A: 1\r\n",
    "5\r\nhello\r\n",
    "5;a=b\r\nhello\r\n",
    "ffffffffffffffff\r\n",
    "0\r\n\r\n",
    "0\r\nX-Sum: 1\r\n\r\n",
    "-1\r\n",
    "hello",
    "\0",
    "\r",
    "\n",
    " ",
    ":",
    "\t",
    "é",
    "HTTP/1.1 ",
];

const REQUEST: [&str; 68] = [
    "web.hello.localhost",
    "[::1]",
    ":80",
    ":65536",
    "\n",
    "/",
    "/..",
    "/%2e%2e",
    "%2f",
    "%00",
    "%",
    "\\",
    ".well-known",
    ".git",
    "?",
    "q=",
    "' or 1=1--",
    "<script>",
    "${jndi:",
    "Cookie: ",
    "towpath-pass=",
    "a=b; ",
    "traceparent: ",
    "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
    "X-Request-Id: ",
    "Accept-Encoding: ",
    "gzip;q=0.5, br, zstd;q=x",
    "*;q=0",
    "@",
    "é",
    "\r",
    "A",
    "X-Forwarded-For: ",
    "Forwarded: ",
    "X-Forwarded-Proto: ",
    "https",
    "for=",
    "\"[2001:db8::7]:4711\"",
    "203.0.113.7",
    "10.0.0.9",
    "::ffff:10.0.0.1",
    ", ",
    ";",
    "Cache-Control: ",
    "max-age=",
    "s-maxage=60",
    "public",
    "no-cache",
    "must-revalidate",
    "stale-while-revalidate=5",
    "max-stale",
    "min-fresh=1",
    "immutable",
    "99999999999999999999",
    "\"",
    "Vary: ",
    "accept-encoding",
    "*",
    "Age: ",
    "ETag: ",
    "Expires: ",
    "Sun, 06 Nov 1994 08:49:37 GMT",
    "Authorization: Bearer ",
    "eyJhbGciOiJub25lIn0.e30.",
    "eyJhbGciOiJIUzI1NiJ9.e30.AAAA",
    "towpath-session-",
    "__Host-towpath-browser=",
    "=",
];

const FRONT: [&[u8]; 19] = [
    b"PROXY ",
    b"TCP4 ",
    b"TCP6 ",
    b"UNKNOWN",
    b"203.0.113.7 ",
    b"192.0.2.1 ",
    b"2001:db8::7 ",
    b"51000 ",
    b"443",
    b"0443",
    b"65536",
    b"\r\n",
    b"\r\n\r\n\0\r\nQUIT\n",
    b"\x21\x11\x00\x0C",
    b"\x21\x21\x00\x24",
    b"\x20\x00\x00\x00",
    b"\x21\x11\xFF\xFF",
    b"GET / HTTP/1.1\r\n",
    b"xxxxxxxxxxxx",
];

const ROUTE: [&str; 20] = [
    "host web.localhost web\n",
    "host api.localhost api\n",
    "part web /api api\n",
    "part web /api/ api\n",
    "part web /api/users users\n",
    "part web /\n",
    "part api /api\n",
    "part web  api\n",
    "ask web.localhost /\n",
    "ask web.localhost /api\n",
    "ask web.localhost /api/\n",
    "ask web.localhost /apiary\n",
    "ask web.localhost /api/users/1\n",
    "ask api.localhost /api\n",
    "ask localhost /api\n",
    "ask nobody /\n",
    "ask web.localhost /é\n",
    "part web /é api\n",
    "ask web.localhost é\n",
    "ask 127.0.0.1 \n",
];

fn of<T: AsRef<[u8]> + Copy + std::fmt::Debug>(pieces: &'static [T]) -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        12 => select(pieces).prop_map(|text| text.as_ref().to_vec()),
        1 => any::<u8>().prop_map(|byte| vec![byte]),
    ];
    prop::collection::vec(piece, 0..32).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(800))]

    #[test]
    fn an_answer_is_the_same_in_whatever_pieces_it_comes(how in any::<u8>(), bytes in of(&ANSWER)) {
        fuzzing::answers(&[&[how], &bytes[..]].concat());
    }

    #[test]
    fn what_a_visitor_says_is_read_without_a_doubt(bytes in of(&REQUEST)) {
        fuzzing::requests(&bytes);
    }

    #[test]
    fn who_is_in_front_is_understood_in_one_way(bytes in of(&FRONT)) {
        fuzzing::fronts(&bytes);
    }

    #[test]
    fn a_route_is_what_somebody_would_find_who_reads_all_of_them(bytes in of(&ROUTE)) {
        fuzzing::routes(&bytes);
    }
}
