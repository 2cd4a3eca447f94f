//! Which of the ready instances takes a request.
//!
//! The one with the fewest open requests; of those that have equally few, each in turn. Where there are many, the less busy
//! one of two. A visitor that stays on an instance
//! goes back to it as long as it is there.

use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash, Hasher};

use http::HeaderMap;
use http::header::{COOKIE, HeaderValue};

/// The cookie by which a visitor stays on an instance.
const COOKIE_NAME: &str = "towpath-instance";

/// So many instances are all looked at.
pub(crate) const LOOKED_AT: usize = 16;

/// For so many requests the part of the instances that takes them stays where it is.
const STAYS: usize = 512;

/// The place of the one with the fewest open requests, counted from `turn` on; `None` stands for one that is out of the
/// question.
pub(crate) fn fewest(count: usize, turn: usize, open: impl Fn(usize) -> Option<usize>) -> Option<usize> {
    (0..count)
        .map(|step| (turn + step) % count)
        .filter_map(|at| open(at).map(|open| (open, at)))
        .min_by_key(|(open, _)| *open)
        .map(|(_, at)| at)
}

/// Whose turn it is among so many that looking at all of them would cost more than the request: the less busy one of two, in
/// a part of them that is as wide as the requests that are open need it to be, and moves on.
///
/// The part keeps connections warm: spread over ten thousand instances, each request would open one of its own.
pub(crate) fn two_of(count: usize, turn: usize, active: usize) -> (usize, usize) {
    let wide = active.saturating_mul(2).clamp(LOOKED_AT, count.max(1));
    let begin = turn / STAYS;
    // Any mixing will do that spreads numbers which follow each other (Fibonacci hashing).
    let mixed = (turn as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 32;
    let at = |step: usize| (begin + step % wide) % count.max(1);
    (at(turn), at(mixed as usize))
}

/// The mark by which a cookie names an instance: it says nothing about ids.
pub(crate) fn mark(instance: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    instance.hash(&mut hasher);
    hasher.finish()
}

/// The mark that a visitor brings.
pub(crate) fn brought(headers: &HeaderMap) -> Option<u64> {
    headers
        .get_all(COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .find(|(name, _)| *name == COOKIE_NAME)
        .and_then(|(_, mark)| u64::from_str_radix(mark, 16).ok())
}

/// The header that gives a visitor its mark.
pub(crate) fn given(mark: u64, secure: bool) -> Option<HeaderValue> {
    let secure = if secure { "; Secure" } else { "" };
    HeaderValue::try_from(format!(
        "{COOKIE_NAME}={mark:016x}; Path=/; HttpOnly; SameSite=Lax{secure}"
    ))
    .ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_fewest_open_requests_win_and_equals_take_turns() {
        let fewest = |open: &[Option<usize>], turn| super::fewest(open.len(), turn, |at| open[at]);
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
    fn of_many_all_have_their_turn_and_few_at_a_time() {
        let count = 1_000;
        let turns = |range: std::ops::Range<usize>, active| -> std::collections::BTreeSet<usize> {
            range
                .flat_map(|turn| <[usize; 2]>::from(two_of(count, turn, active)))
                .collect()
        };
        assert!(turns(0..STAYS, 1).len() <= LOOKED_AT);
        assert_eq!(turns(0..count * STAYS, 1).len(), count, "nobody is left out");
        assert!(
            turns(0..4_000, 400).len() > 700,
            "whoever has much to do takes many"
        );
        assert_eq!(turns(0..40_000, 9_000).len(), count);
    }

    #[test]
    fn a_cookie_brings_back_the_mark_that_was_given() {
        let mark = mark("web-1");
        let mut headers = HeaderMap::new();
        headers.insert(
            COOKIE,
            HeaderValue::try_from(format!("a=b; {COOKIE_NAME}={mark:016x}; c=d")).expect("it is a value"),
        );
        assert_eq!(brought(&headers), Some(mark));
        let given = given(mark, true).expect("it is a value");
        let pair = format!("{COOKIE_NAME}={mark:016x}; ");
        assert!(given.to_str().expect("it is text").starts_with(&pair));
        assert_ne!(mark, super::mark("web-2"));
    }
}
