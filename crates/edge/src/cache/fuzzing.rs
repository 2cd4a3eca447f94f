//! What holds for any headers of an answer that might be kept.

use std::time::Duration;

use http::header::{CACHE_CONTROL, HeaderMap, HeaderValue};
use http::{Method, Request, StatusCode};

use super::rule::{Use, Whose, age, keeps, looks, said, varies};

/// A day, as a manifest may say.
const MOST: Duration = Duration::from_secs(24 * 60 * 60);

/// Some time of day.
const NOW: u64 = 1_800_000_000;

/// Headers of an answer and of a request at once: what one of them forbids, nothing beside it allows.
pub(crate) fn headers(headers: &HeaderMap) {
    let whose = [
        (false, false, false),
        (true, false, false),
        (false, true, false),
        (false, false, true),
    ];
    let kept = whose.map(|(authorized, has_cookies, signed_in)| {
        let whose = Whose {
            authorized,
            has_cookies,
            signed_in,
        };
        keeps(whose, StatusCode::OK, headers, MOST, NOW)
    });
    for of_somebody in &kept[1..] {
        assert!(
            of_somebody.is_err() || kept[0].is_ok(),
            "what is kept of somebody is kept of anybody"
        );
    }
    assert!(keeps(Whose::default(), StatusCode::BAD_GATEWAY, headers, MOST, NOW).is_err());
    for word in ["no-store", "private"] {
        let mut stricter = headers.clone();
        stricter.append(CACHE_CONTROL, HeaderValue::from_static(word));
        let kept = keeps(Whose::default(), StatusCode::OK, &stricter, MOST, NOW);
        assert!(kept.is_err(), "{word} beside {headers:?}");
    }
    if let Ok(names) = varies(headers) {
        for name in names {
            assert_eq!(said(headers, &name), said(headers, &name));
        }
    }
    let old = age(headers, NOW, 1);
    let mut asked = Request::new(()).into_parts().0;
    asked.method = Method::GET;
    asked.headers = headers.clone();
    let (Ok(terms), Ok(wish)) = (&kept[0], looks(&asked, false)) else {
        return;
    };
    assert!(terms.fresh <= MOST.as_secs());
    for age in [0, old, terms.fresh, terms.fresh + 1, u64::from(u32::MAX)] {
        let now = terms.at(age, &wish);
        assert!(now != Use::Fresh || age < terms.fresh, "{age} of {terms:?}");
    }
    let mut anew = asked;
    anew.headers
        .insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    if let Ok(wish) = looks(&anew, false) {
        assert_eq!(terms.at(0, &wish), Use::Ask, "who asks for it anew gets it anew");
    }
}
