//! Which of the ready instances takes a request.
//!
//! The one with the fewest open requests; of those that have equally few, each in turn. A visitor that stays on an instance
//! goes back to it as long as it is there.

use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash, Hasher};

use http::HeaderMap;
use http::header::{COOKIE, HeaderValue};

/// The cookie by which a visitor stays on an instance.
const COOKIE_NAME: &str = "towpath-instance";

/// The place of the one with the fewest open requests, counted from `turn` on; `None` stands for one that is out of the
/// question.
pub(crate) fn fewest(open: &[Option<usize>], turn: usize) -> Option<usize> {
    let count = open.len();
    (0..count)
        .map(|step| (turn + step) % count)
        .filter_map(|at| open[at].map(|open| (open, at)))
        .min_by_key(|(open, _)| *open)
        .map(|(_, at)| at)
}

/// The mark by which a cookie names an instance: it says nothing about ids.
pub(crate) fn mark(instance: &str) -> String {
    let mut hasher = DefaultHasher::new();
    instance.hash(&mut hasher);
    format!("{:016x}", hasher.finish())
}

/// The mark that a visitor brings.
pub(crate) fn brought(headers: &HeaderMap) -> Option<&str> {
    headers
        .get_all(COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .find(|(name, _)| *name == COOKIE_NAME)
        .map(|(_, mark)| mark)
}

/// The header that gives a visitor its mark.
pub(crate) fn given(mark: &str, secure: bool) -> Option<HeaderValue> {
    let secure = if secure { "; Secure" } else { "" };
    HeaderValue::try_from(format!(
        "{COOKIE_NAME}={mark}; Path=/; HttpOnly; SameSite=Lax{secure}"
    ))
    .ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_fewest_open_requests_win_and_equals_take_turns() {
        assert_eq!(fewest(&[Some(3), Some(1), Some(2)], 0), Some(1));
        let turns: Vec<_> = (0..4)
            .map(|turn| fewest(&[Some(0), Some(0), Some(0)], turn))
            .collect();
        assert_eq!(turns, [Some(0), Some(1), Some(2), Some(0)]);
        assert_eq!(fewest(&[None, Some(9), None], 2), Some(1));
        assert_eq!(fewest(&[None, None], 0), None);
        assert_eq!(fewest(&[], 0), None);
    }

    #[test]
    fn a_cookie_brings_back_the_mark_that_was_given() {
        let mark = mark("web-1");
        let mut headers = HeaderMap::new();
        headers.insert(
            COOKIE,
            HeaderValue::try_from(format!("a=b; {COOKIE_NAME}={mark}; c=d")).expect("it is a value"),
        );
        assert_eq!(brought(&headers), Some(mark.as_str()));
        assert_ne!(mark, super::mark("web-2"));
    }
}
