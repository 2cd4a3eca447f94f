//! What is done next about the certificate that a component shows to others.
//!
//! **When it acts.** When there is none that is of use: none at all, one of another authority, one that lasts longer than is
//! wanted now, or one from a time that has not come, after the clock was turned back. And when half of its life is over, so
//! that whoever reads the file once an hour never shows one that has ended.
//!
//! **When it waits.** Until half of the life of the one that there is.

use jiff::{SignedDuration, Timestamp};
use std::fmt;

/// A certificate begins a while before it is made: clocks differ.
pub const BEGAN: SignedDuration = SignedDuration::from_mins(1);

/// A certificate that there is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Held {
    /// From when it holds.
    pub begins: Timestamp,
    /// Until when it does.
    pub ends: Timestamp,
    /// The authority that there is has signed it, for this component.
    pub is_ours: bool,
}

/// What is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// Another one is made.
    Issue,
    /// Nothing before this moment.
    Wait(Timestamp),
}

/// Why.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Because {
    /// There is none.
    Missing,
    /// Another authority has signed it, or it is somebody else's.
    Foreign,
    /// It begins in a time that has not come.
    Early,
    /// It lasts longer than is wanted.
    Long,
    /// Half of its life is over.
    Old,
    /// It is good.
    Good,
}

impl fmt::Display for Because {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Because::Missing => "there is none yet",
            Because::Foreign => "another authority has signed it",
            Because::Early => "it begins in a time that has not come",
            Because::Long => "it lasts longer than is wanted",
            Because::Old => "half of its life is over",
            Because::Good => "it is good",
        })
    }
}

/// What is done next about a certificate that is to last so long.
pub fn next(held: Option<&Held>, lasts: SignedDuration, now: Timestamp) -> (Step, Because) {
    let Some(held) = held else {
        return (Step::Issue, Because::Missing);
    };
    if !held.is_ours {
        return (Step::Issue, Because::Foreign);
    }
    if held.begins > now {
        return (Step::Issue, Because::Early);
    }
    let life = held.ends.duration_since(held.begins).saturating_sub(BEGAN);
    // A certificate says whole seconds.
    if life > lasts.saturating_add(SignedDuration::from_secs(1)) {
        return (Step::Issue, Because::Long);
    }
    match half(held) {
        at if at > now => (Step::Wait(at), Because::Good),
        _ => (Step::Issue, Because::Old),
    }
}

/// When half of its life is over, counted from when it was made.
fn half(held: &Held) -> Timestamp {
    let left = held.ends.duration_since(held.begins).saturating_sub(BEGAN) / 2;
    held.ends.checked_sub(left).unwrap_or(held.begins)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_certificate_is_replaced_when_half_of_its_life_is_over_or_it_is_of_no_use() {
        let time = |text: &str| text.parse::<Timestamp>().expect("a time");
        let made = time("2026-11-01T00:00:00Z");
        let day = SignedDuration::from_hours(24);
        let held = Held {
            begins: made.checked_sub(BEGAN).expect("a time"),
            ends: made.checked_add(day).expect("a time"),
            is_ours: true,
        };
        let good = (Step::Wait(time("2026-11-01T12:00:00Z")), Because::Good);
        assert_eq!(next(Some(&held), day, made), good);
        let asked = |held: &Held, lasts, now: &str| next(Some(held), lasts, time(now)).1;
        assert_eq!(asked(&held, day, "2026-11-01T11:59:59Z"), Because::Good);
        assert_eq!(asked(&held, day, "2026-11-01T12:00:00Z"), Because::Old);
        assert_eq!(asked(&held, day, "2026-10-31T00:00:00Z"), Because::Early);
        assert_eq!(asked(&held, day / 2, "2026-11-01T01:00:00Z"), Because::Long);
        assert_eq!(asked(&held, day * 2, "2026-11-01T01:00:00Z"), Because::Good);
        let foreign = Held {
            is_ours: false,
            ..held
        };
        assert_eq!(asked(&foreign, day, "2026-11-01T01:00:00Z"), Because::Foreign);
        assert_eq!(next(None, day, made), (Step::Issue, Because::Missing));
    }
}
