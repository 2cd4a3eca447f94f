//! When the word of an authority about a certificate of its own is asked for, so that visitors get it with the certificate.
//!
//! **When it acts.** When there is none, or the one that there is has lived for half of its time: then as much time again is
//! left for a responder that does not answer. One that has ended is worse than none, and is dropped.
//!
//! **When it waits.** After a failure, for longer each time, as with certificates themselves. Nobody waits for it: a visitor
//! who gets no such word asks the authority alone, or asks nobody.

use super::{Failed, again, later};
use jiff::Timestamp;

/// The word of an authority that a certificate is good.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Word {
    /// From when it holds.
    pub begins: Timestamp,
    /// Until when it does.
    pub ends: Timestamp,
}

impl Word {
    /// Whether it holds.
    pub fn holds(&self, now: Timestamp) -> bool {
        self.ends > now
    }
}

/// What is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Turn {
    /// The responder is asked.
    Ask,
    /// Nothing before this moment.
    Wait(Timestamp),
}

/// What is done next. `share` tells those apart who wait for the same: any number that stays the same.
pub fn turn(word: Option<Word>, failed: Option<&Failed>, now: Timestamp, share: u64) -> Turn {
    if let Some(word) = word.filter(|word| word.holds(now)) {
        let half = later(word.begins, word.ends.duration_since(word.begins) / 2);
        if half > now {
            return Turn::Wait(half);
        }
    }
    match failed
        .map(|failed| again(failed, now, share))
        .filter(|at| *at > now)
    {
        Some(at) => Turn::Wait(at),
        None => Turn::Ask,
    }
}

#[cfg(test)]
mod tests {
    use super::super::Fault;
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + second).expect("it is a time")
    }

    fn word(begins: i64, ends: i64) -> Option<Word> {
        Some(Word {
            begins: at(begins),
            ends: at(ends),
        })
    }

    fn failed(second: i64, times: u32, how: Fault) -> Failed {
        Failed {
            at: at(second),
            times,
            how,
            until: None,
        }
    }

    #[test]
    fn it_is_asked_for_where_there_is_none_and_when_half_of_it_is_over() {
        assert_eq!(turn(None, None, at(0), 7), Turn::Ask);
        assert_eq!(turn(word(0, 1_000), None, at(499), 7), Turn::Wait(at(500)));
        assert_eq!(turn(word(0, 1_000), None, at(500), 7), Turn::Ask);
        assert_eq!(
            turn(word(0, 1_000), None, at(2_000), 7),
            Turn::Ask,
            "it has ended"
        );
    }

    #[test]
    fn a_responder_that_fails_is_left_alone_for_longer_each_time() {
        let waits = |times| match turn(None, Some(&failed(0, times, Fault::Unreached)), at(0), 0) {
            Turn::Wait(until) => until.duration_since(at(0)).as_secs(),
            Turn::Ask => 0,
        };
        let all: Vec<i64> = [1, 4, 30].map(waits).to_vec();
        assert!(
            all.is_sorted() && all[0] >= 1 && all[2] >= 3_600 && all[2] <= 4_320,
            "{all:?}"
        );
        let refused = failed(0, 1, Fault::Refused);
        assert_eq!(
            turn(None, Some(&refused), at(60), 0),
            turn(None, Some(&refused), at(0), 0)
        );
        assert_eq!(turn(None, Some(&refused), at(24 * 3_600), 0), Turn::Ask);
    }

    #[test]
    fn a_word_that_holds_is_kept_while_its_responder_fails_and_another_clock_stops_nothing() {
        let wrong_clock = failed(1_000_000, 9, Fault::Refused);
        assert_eq!(turn(None, Some(&wrong_clock), at(0), 0), Turn::Ask);
        let soon = failed(600, 1, Fault::Unreached);
        assert!(
            matches!(turn(word(0, 1_000), Some(&soon), at(600), 0), Turn::Wait(until) if until > at(600))
        );
        assert!(word(0, 1_000).is_some_and(|word| word.holds(at(999)) && !word.holds(at(1_000))));
    }
}
