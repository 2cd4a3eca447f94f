//! Which of the ready instances takes a request.
//!
//! The one that is expected to answer soonest: what it has open and this one more, times the time of its answers. Who takes less than
//! twice as long as the fastest counts as equally fast, and of equals each has its turn. Where there are many, it is one of two.
//! A visitor that stays on an instance goes back to it as long as it is there.
//!
//! **Why.** The simulation below has four instances with eight workers each, one of them ten times slower. Fewest open
//! requests, as this was before, sends it every seventeenth request of a quiet component, and its visitors wait: p99 is
//! 180 ms where 46 ms is what the others need. With the time of answers nearly nothing goes there. Peak EWMA takes the worst of
//! late for the time; where times have a heavy tail it runs after single slow answers, and is half as slow again on average as fewest
//! open requests among four equal ones. Two random choices lose a little everywhere to looking at all, which up to
//! sixteen costs less than a read of the clock. The band of two makes equal instances equal: then it is fewest open requests.

use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash, Hasher};

use http::HeaderMap;
use http::header::HeaderValue;

use crate::guard::cookie;
use crate::hexadecimal;

/// The cookie by which a visitor stays on an instance.
const COOKIE_NAME: &str = "towpath-instance";

/// So many instances are all looked at.
pub(crate) const LOOKED_AT: usize = 16;

/// For so many requests the part of the instances that takes them stays where it is.
const STAYS: usize = 512;

/// What a request would cost at an instance.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Cost {
    /// What it has open.
    pub(crate) open: u64,
    /// Microseconds until it begins an answer; zero where that is not known.
    pub(crate) micros: u64,
    /// How many times more it costs while it is new.
    pub(crate) cold: u64,
}

impl Cost {
    /// Of those whose fastest takes so long.
    fn beside(self, fastest: u64) -> u64 {
        let micros = if self.micros < 2 * fastest {
            fastest
        } else {
            self.micros
        };
        (self.open + 1).saturating_mul(micros).saturating_mul(self.cold)
    }
}

/// The place of the one that costs least, counted from `turn` on; `None` stands for one that is out of the question.
pub(crate) fn cheapest(count: usize, turn: usize, cost: impl Fn(usize) -> Option<Cost>) -> Option<usize> {
    let costs = || {
        let places = (0..count).map(|step| (turn + step) % count);
        places.filter_map(|at| cost(at).map(|cost| (cost, at)))
    };
    let known = costs().map(|(cost, _)| cost.micros).filter(|micros| *micros > 0);
    let fastest = known.min().unwrap_or(1);
    let least = costs().min_by_key(|(cost, _)| cost.beside(fastest));
    least.map(|(_, at)| at)
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
    cookie::brought(headers, COOKIE_NAME).and_then(|mark| u64::from_str_radix(mark, 16).ok())
}

/// The header that gives a visitor its mark.
pub(crate) fn given(mark: u64, secure: bool) -> Option<HeaderValue> {
    let mut digits = [0; 16];
    hexadecimal::write(&mark.to_be_bytes(), &mut digits);
    let mark = str::from_utf8(&digits).unwrap_or_default();
    cookie::written((COOKIE_NAME, mark), (None, None), secure)
}

#[cfg(test)]
pub(crate) mod simulation;

#[cfg(test)]
mod tests {
    use super::*;
    use http::header::COOKIE;

    fn with(open: u64, micros: u64) -> Option<Cost> {
        Some(Cost {
            open,
            micros,
            cold: 1,
        })
    }

    #[test]
    fn the_soonest_wins_and_equals_take_turns() {
        let cheapest = |all: &[Option<Cost>], turn| super::cheapest(all.len(), turn, |at| all[at]);
        assert_eq!(cheapest(&[with(3, 0), with(1, 0), with(2, 0)], 0), Some(1));
        let equal = [with(0, 900), with(0, 500), with(0, 0)];
        let turns: Vec<_> = (0..4).map(|turn| cheapest(&equal, turn)).collect();
        assert_eq!(turns, [Some(0), Some(1), Some(2), Some(0)]);
        assert_eq!(cheapest(&[with(0, 5_000), with(3, 1_000)], 0), Some(1));
        assert_eq!(cheapest(&[with(0, 5_000), with(5, 1_000)], 1), Some(0));
        assert_eq!(cheapest(&[None, with(9, 1), None], 2), Some(1));
        let cold = with(0, 100).map(|cost| Cost { cold: 10, ..cost });
        assert_eq!(cheapest(&[cold, with(8, 100)], 0), Some(1));
        assert_eq!(cheapest(&[cold, with(9, 100)], 0), Some(0));
        assert_eq!(cheapest(&[None, None], 0), None);
        assert_eq!(cheapest(&[], 0), None);
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
