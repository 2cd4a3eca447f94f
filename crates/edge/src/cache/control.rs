//! Reads `Cache-Control` (RFC 9111, 5.2).
//!
//! What cannot be read is taken for what keeps less: a number that is none is zero, and a field that is named twice with
//! different numbers is the smaller one. A directive with a list of fields in it (`private="x"`) is taken for one without,
//! which RFC 9111 allows and which nobody can get wrong.

use http::header::{CACHE_CONTROL, HeaderMap, PRAGMA};

/// What `Cache-Control` says, of a request or of an answer. Numbers are seconds.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Control {
    pub(super) no_store: bool,
    pub(super) no_cache: bool,
    pub(super) private: bool,
    pub(super) public: bool,
    /// Nobody uses it when it is old (`must-revalidate`, `proxy-revalidate`).
    pub(super) must_ask: bool,
    /// The word that makes an answer to a request with credentials everybody's.
    pub(super) must_revalidate: bool,
    pub(super) immutable: bool,
    pub(super) only_if_cached: bool,
    pub(super) max_age: Option<u64>,
    pub(super) shared_max_age: Option<u64>,
    pub(super) while_revalidate: Option<u64>,
    pub(super) if_error: Option<u64>,
    pub(super) min_fresh: Option<u64>,
    /// As old as anybody likes where no number stands with it.
    pub(super) max_stale: Option<u64>,
}

impl Control {
    /// What an answer says.
    pub(super) fn of(headers: &HeaderMap) -> Control {
        let mut control = Control::default();
        for value in headers.get_all(CACHE_CONTROL) {
            match value.to_str() {
                Ok(text) => words(text, |name, value| control.take(name, value)),
                // What nobody can read may have said so.
                Err(_) => control.no_store = true,
            }
        }
        control
    }

    /// What a request says, or said before there was `Cache-Control`.
    pub(super) fn of_request(headers: &HeaderMap) -> Control {
        let mut control = Control::of(headers);
        let is_old = |value: &http::HeaderValue| {
            let text = value.to_str().unwrap_or_default();
            text.split(',')
                .any(|word| word.trim().eq_ignore_ascii_case("no-cache"))
        };
        if !headers.contains_key(CACHE_CONTROL) && headers.get_all(PRAGMA).iter().any(is_old) {
            control.no_cache = true;
        }
        control
    }

    fn take(&mut self, name: &str, value: Option<&str>) {
        let seconds = || value.map_or(0, seconds);
        match name.to_ascii_lowercase().as_str() {
            "no-store" => self.no_store = true,
            "no-cache" => self.no_cache = true,
            "private" => self.private = true,
            "public" => self.public = true,
            "must-revalidate" => (self.must_ask, self.must_revalidate) = (true, true),
            "proxy-revalidate" => self.must_ask = true,
            "immutable" => self.immutable = true,
            "only-if-cached" => self.only_if_cached = true,
            "max-age" => smaller(&mut self.max_age, seconds()),
            "s-maxage" => smaller(&mut self.shared_max_age, seconds()),
            "stale-while-revalidate" => smaller(&mut self.while_revalidate, seconds()),
            "stale-if-error" => smaller(&mut self.if_error, seconds()),
            "min-fresh" => self.min_fresh = Some(seconds()),
            "max-stale" => self.max_stale = Some(value.map_or(u64::MAX, self::seconds)),
            _ => {}
        }
    }
}

fn smaller(place: &mut Option<u64>, seconds: u64) {
    *place = Some(place.map_or(seconds, |before| before.min(seconds)));
}

/// Seconds; more than anybody can count is as long as anything is kept (RFC 9111, 1.2.2).
pub(super) fn seconds(text: &str) -> u64 {
    let is_number = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if !is_number {
        return 0;
    }
    text.parse().unwrap_or(u64::MAX).min(1 << 31)
}

/// Goes through the directives. A comma in quotes is no end of one.
fn words(text: &str, mut each: impl FnMut(&str, Option<&str>)) {
    let mut rest = text;
    while !rest.is_empty() {
        let (mut is_quoted, mut is_escaped) = (false, false);
        let end = rest.find(|letter| match letter {
            _ if is_escaped => {
                is_escaped = false;
                false
            }
            '\\' if is_quoted => {
                is_escaped = true;
                false
            }
            '"' => {
                is_quoted = !is_quoted;
                false
            }
            ',' => !is_quoted,
            _ => false,
        });
        let (word, after) = end.map_or((rest, ""), |end| (&rest[..end], &rest[end + 1..]));
        rest = after;
        let (name, value) = match word.split_once('=') {
            Some((name, value)) => (name, Some(value.trim().trim_matches('"'))),
            None => (word, None),
        };
        each(name.trim(), value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;

    fn control(text: &'static str) -> Control {
        let mut headers = HeaderMap::new();
        headers.insert(CACHE_CONTROL, HeaderValue::from_static(text));
        Control::of(&headers)
    }

    #[test]
    fn words_are_read_in_whatever_letters_and_quotes() {
        let read = control("PUBLIC, Max-Age=\"60\" ,s-maxage=30, x=\"a, no-store\", ,stale-if-error=5");
        assert!(read.public && !read.no_store);
        assert_eq!(
            (read.max_age, read.shared_max_age, read.if_error),
            (Some(60), Some(30), Some(5))
        );
        assert!(control("private=\"set-cookie, x\"").private);
        assert!(control("no-cache=\"a\\\", b\"").no_cache);
    }

    #[test]
    fn what_cannot_be_read_keeps_less() {
        for (text, expected) in [
            ("max-age=x", Some(0)),
            ("max-age=-1", Some(0)),
            ("max-age", Some(0)),
            ("max-age=1.5", Some(0)),
            ("max-age=60, max-age=10", Some(10)),
            ("max-age=99999999999999999999", Some(1 << 31)),
            ("s-maxage=1", None),
        ] {
            assert_eq!(control(text).max_age, expected, "{text}");
        }
        let mut headers = HeaderMap::new();
        headers.insert(
            CACHE_CONTROL,
            HeaderValue::from_bytes(b"max-age=9\xff").expect("it may be sent"),
        );
        assert!(Control::of(&headers).no_store);
    }

    #[test]
    fn an_old_word_counts_where_there_is_no_newer_one() {
        let mut headers = HeaderMap::new();
        headers.insert(PRAGMA, HeaderValue::from_static("no-cache"));
        assert!(Control::of_request(&headers).no_cache);
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("max-age=9"));
        assert!(!Control::of_request(&headers).no_cache);
    }
}
