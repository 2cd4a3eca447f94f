//! What RFC 9111 says, sentence by sentence.

use super::*;
use http::{HeaderValue, Request};

/// 6 November 1994, 08:49:37.
const NOW: u64 = 784_111_777;
const HOUR: Duration = Duration::from_secs(3_600);

fn headers(rows: &[(&'static str, &'static str)]) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for (name, value) in rows {
        headers.append(HeaderName::from_static(name), HeaderValue::from_static(value));
    }
    headers
}

fn asked(method: Method, rows: &[(&'static str, &'static str)]) -> Parts {
    let (mut parts, ()) = Request::new(()).into_parts();
    parts.method = method;
    parts.headers = headers(rows);
    parts
}

fn kept(rows: &[(&'static str, &'static str)]) -> Result<u64, Why> {
    terms_of(rows).map(|terms| terms.fresh)
}

fn terms_of(rows: &[(&'static str, &'static str)]) -> Result<Terms, Why> {
    keeps(Whose::default(), StatusCode::OK, &headers(rows), HOUR, NOW)
}

fn wish(rows: &[(&'static str, &'static str)]) -> Wish {
    looks(&asked(Method::GET, rows), false).expect("it may be answered")
}

#[test]
fn an_answer_is_kept_as_long_as_its_origin_says_and_no_longer_than_it_may() {
    let later = "Sun, 06 Nov 1994 08:50:37 GMT";
    let now = "Sun, 06 Nov 1994 08:49:37 GMT";
    for (rows, expected) in [
        (&[("cache-control", "max-age=60")][..], Ok(60)),
        (&[("cache-control", "max-age=60, s-maxage=5")], Ok(5)),
        (&[("cache-control", "max-age=0, s-maxage=5")], Ok(5)),
        (&[("cache-control", "max-age=99999999")], Ok(3_600)),
        (&[("expires", later), ("date", now)], Ok(60)),
        (&[("expires", later)], Ok(60)),
        (&[("expires", later), ("cache-control", "max-age=7")], Ok(7)),
        (&[("expires", "0")], Err(Why::Unmarked)),
        (&[("expires", later), ("expires", later)], Err(Why::Unmarked)),
        (&[], Err(Why::Unmarked)),
        (&[("last-modified", now), ("etag", "\"a\"")], Err(Why::Unmarked)),
        (&[("cache-control", "public")], Err(Why::Unmarked)),
        (&[("cache-control", "max-age=0")], Err(Why::Unmarked)),
        (&[("cache-control", "max-age=0"), ("etag", "\"a\"")], Ok(0)),
        (&[("cache-control", "no-cache"), ("etag", "\"a\"")], Ok(0)),
        (
            &[("cache-control", "no-cache, max-age=9"), ("etag", "\"a\"")],
            Ok(0),
        ),
        (&[("cache-control", "no-cache")], Err(Why::Unmarked)),
        (&[("cache-control", "no-store, max-age=60")], Err(Why::Forbidden)),
        (
            &[("cache-control", "max-age=60"), ("cache-control", "No-Store")],
            Err(Why::Forbidden),
        ),
        (&[("cache-control", "private, max-age=60")], Err(Why::Forbidden)),
        (
            &[("cache-control", "private=\"x\", max-age=60")],
            Err(Why::Forbidden),
        ),
        (
            &[("cache-control", "max-age=60"), ("vary", "*")],
            Err(Why::Varies),
        ),
        (
            &[("cache-control", "max-age=60"), ("vary", "a, *")],
            Err(Why::Varies),
        ),
        (
            &[("cache-control", "max-age=60"), ("vary", "a,b,c,d,e,f,g,h,i")],
            Err(Why::Varies),
        ),
        (
            &[("cache-control", "max-age=60"), ("vary", "a b")],
            Err(Why::Varies),
        ),
        (
            &[("cache-control", "max-age=60"), ("content-range", "bytes 0-1/2")],
            Err(Why::Part),
        ),
        (
            &[("cache-control", "max-age=60"), ("set-cookie", "a=1")],
            Err(Why::Cookie),
        ),
        (
            &[("cache-control", "public, max-age=60"), ("set-cookie", "a=1")],
            Ok(60),
        ),
        (&[("cache-control", "s-maxage=60"), ("set-cookie", "a=1")], Ok(60)),
    ] {
        assert_eq!(kept(rows), expected, "{rows:?}");
    }
}

#[test]
fn what_belongs_to_somebody_is_kept_only_where_it_is_everybodys() {
    let signed_in = Whose {
        signed_in: true,
        ..Whose::default()
    };
    let authorized = Whose {
        authorized: true,
        ..Whose::default()
    };
    let known = Whose {
        has_cookies: true,
        ..Whose::default()
    };
    for (whose, said, expected) in [
        (authorized, "max-age=9", false),
        (authorized, "max-age=9, public", true),
        (authorized, "s-maxage=9", true),
        (authorized, "max-age=9, must-revalidate", true),
        (authorized, "max-age=9, proxy-revalidate", false),
        (known, "max-age=9", false),
        (known, "max-age=9, must-revalidate", false),
        (known, "max-age=9, public", true),
        (known, "s-maxage=9", true),
        (signed_in, "max-age=9", false),
        (signed_in, "s-maxage=9", false),
        (signed_in, "max-age=9, public", true),
    ] {
        let kept = keeps(
            whose,
            StatusCode::OK,
            &headers(&[("cache-control", said)]),
            HOUR,
            NOW,
        );
        assert_eq!(kept.is_ok(), expected, "{whose:?} {said}");
    }
    let whose = |cookie| Whose::of(&headers(&[("cookie", cookie)]), false).has_cookies;
    assert!(whose("a=1") && whose("towpath-instance=9; a=1"));
    assert!(!whose("towpath-instance=9; towpath-pass=1"), "those are ours");
}

#[test]
fn a_failure_and_a_part_are_not_kept() {
    for (status, expected) in [
        (200, true),
        (301, true),
        (404, true),
        (410, true),
        (206, false),
        (304, false),
        (401, false),
        (403, false),
        (429, false),
        (500, false),
        (503, false),
    ] {
        let status = StatusCode::from_u16(status).expect("it is one");
        let kept = keeps(
            Whose::default(),
            status,
            &headers(&[("cache-control", "max-age=9")]),
            HOUR,
            NOW,
        );
        assert_eq!(kept.is_ok(), expected, "{status}");
    }
}

#[test]
fn what_only_an_origin_can_answer_is_passed_by() {
    for (method, rows, expected) in [
        (Method::GET, &[][..], None),
        (Method::HEAD, &[], None),
        (Method::POST, &[], Some(Why::Method)),
        (Method::OPTIONS, &[], Some(Why::Method)),
        (Method::GET, &[("cache-control", "no-store")], Some(Why::Request)),
        (Method::GET, &[("if-match", "\"a\"")], Some(Why::Request)),
        (Method::GET, &[("if-unmodified-since", "x")], Some(Why::Request)),
        (Method::GET, &[("upgrade", "websocket")], Some(Why::Request)),
        (Method::GET, &[("x-original-url", "/admin")], Some(Why::Override)),
        (
            Method::GET,
            &[("x-http-method-override", "POST")],
            Some(Why::Override),
        ),
        (
            Method::GET,
            &[("x-forwarded-scheme", "http")],
            Some(Why::Override),
        ),
        (Method::GET, &[("if-none-match", "\"a\"")], None),
        (Method::GET, &[("range", "bytes=0-1")], None),
    ] {
        assert_eq!(looks(&asked(method, rows), false).err(), expected, "{rows:?}");
    }
    assert_eq!(looks(&asked(Method::GET, &[]), true).err(), Some(Why::Request));
}

#[test]
fn an_answer_is_used_as_its_age_and_both_sides_say() {
    let control = |text| {
        let rows = headers(&[("etag", "\"a\""), ("cache-control", text)]);
        keeps(Whose::default(), StatusCode::OK, &rows, HOUR, NOW).expect("it is kept")
    };
    for (answer, request, age, expected) in [
        ("max-age=60", "", 0, Use::Fresh),
        ("max-age=60", "", 59, Use::Fresh),
        ("max-age=60", "", 60, Use::Ask),
        ("max-age=60", "no-cache", 0, Use::Ask),
        ("max-age=60", "max-age=10", 10, Use::Fresh),
        ("max-age=60", "max-age=10", 11, Use::Ask),
        ("max-age=60", "max-age=0", 0, Use::Ask),
        ("max-age=60, immutable", "max-age=0", 1, Use::Fresh),
        ("max-age=60, immutable", "no-cache", 1, Use::Ask),
        ("max-age=60", "min-fresh=10", 50, Use::Fresh),
        ("max-age=60", "min-fresh=10", 51, Use::Ask),
        ("max-age=60", "max-stale=10", 70, Use::Stale),
        ("max-age=60", "max-stale=10", 71, Use::Ask),
        ("max-age=60", "max-stale", 9_999, Use::Stale),
        ("max-age=60, must-revalidate", "max-stale", 61, Use::Ask),
        ("max-age=60, proxy-revalidate", "max-stale", 61, Use::Ask),
        ("s-maxage=60", "max-stale", 61, Use::Ask),
        ("max-age=60, stale-while-revalidate=30", "", 89, Use::Behind),
        ("max-age=60, stale-while-revalidate=30", "", 90, Use::Ask),
        ("s-maxage=60, stale-while-revalidate=30", "", 89, Use::Behind),
        (
            "max-age=60, must-revalidate, stale-while-revalidate=30",
            "",
            61,
            Use::Ask,
        ),
        ("no-cache", "", 0, Use::Ask),
        ("no-cache", "max-stale", 0, Use::Ask),
    ] {
        let wish = match request {
            "" => wish(&[]),
            said => wish(&[("cache-control", said)]),
        };
        assert_eq!(
            control(answer).at(age, &wish),
            expected,
            "{answer} / {request} at {age}"
        );
    }
    assert!(control("max-age=60, stale-if-error=30").serves_after_error(89));
    assert!(!control("max-age=60, stale-if-error=30").serves_after_error(90));
    assert!(!control("max-age=60, must-revalidate, stale-if-error=30").serves_after_error(61));
    assert!(!control("max-age=60").serves_after_error(60));
}

#[test]
fn an_answer_is_as_old_as_the_oldest_of_what_is_said() {
    let minute_ago = "Sun, 06 Nov 1994 08:48:37 GMT";
    assert_eq!(age(&headers(&[]), NOW, 0), 0);
    assert_eq!(age(&headers(&[("age", "10")]), NOW, 2), 12);
    assert_eq!(age(&headers(&[("date", minute_ago)]), NOW, 0), 60);
    assert_eq!(age(&headers(&[("date", minute_ago), ("age", "90")]), NOW, 0), 90);
    assert_eq!(age(&headers(&[("date", minute_ago), ("age", "x")]), NOW, 0), 60);
    assert_eq!(
        age(&headers(&[("date", minute_ago)]), NOW - 600, 0),
        0,
        "a clock that is behind"
    );
}

#[test]
fn the_same_wishes_are_the_same_however_they_are_written() {
    let said = |text| {
        said(
            &headers(&[("accept-encoding", text)]),
            &http::header::ACCEPT_ENCODING,
        )
    };
    assert_eq!(said("gzip, br"), said("BR,gzip"));
    assert_ne!(said("gzip, br;q=0"), said("gzip, br"));
    assert_eq!(super::said(&headers(&[]), &http::header::ACCEPT_ENCODING), None);
    assert_eq!(
        super::said(
            &headers(&[("x", " a "), ("x", "b")]),
            &HeaderName::from_static("x")
        ),
        Some(b"a,b".to_vec())
    );
    let packed = headers(&[("content-encoding", "gzip"), ("vary", "Cookie")]);
    let names = varies(&packed).expect("they are few");
    assert_eq!(
        names,
        ["cookie", "accept-encoding"],
        "whoever packs has to say for whom"
    );
}
