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

const REQUEST: [&str; 32] = [
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

fn of(pieces: &'static [&'static str]) -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        12 => select(pieces).prop_map(|text| text.as_bytes().to_vec()),
        1 => any::<u8>().prop_map(|byte| vec![byte]),
    ];
    prop::collection::vec(piece, 0..24).prop_map(|pieces| pieces.concat())
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
    fn a_route_is_what_somebody_would_find_who_reads_all_of_them(bytes in of(&ROUTE)) {
        fuzzing::routes(&bytes);
    }
}
