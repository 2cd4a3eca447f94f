//! What is done next about a certificate that is asked for elsewhere.
//!
//! **When it acts.** When there is none; when two thirds of its life are over, or from the moment that the authority itself
//! suggests; when it has ended. An order that was begun is gone on with before anything else, so that whoever was killed in
//! the middle orders nothing twice.
//!
//! **When it waits.** After a failure, for longer each time, and as long as the authority has said. How long depends on what
//! it would cost to be wrong: a server that cannot be reached may be asked again in seconds, and a domain that was looked for
//! in vain counts against a limit (Let's Encrypt: five an hour for a name), so it is tried four times an hour at most.
//! Everybody's clock differs by a part of the wait, so that a thousand edges do not come back to a server at one moment.
//!
//! **Clocks jump.** A failure or an order from a time that has not come yet was written by another clock, and nothing is
//! derived from it but that it happened. A certificate that was handed out a moment ago and has ended nevertheless says that
//! the clock here is wrong: ordering another one would bring the same one.

pub mod staple;

use jiff::{SignedDuration, Timestamp};
use std::fmt;

/// The first wait after a server was not reached, and the longest.
const UNREACHED: (u32, u32) = (1, 60 * 60);

/// The same after the authority has looked for a domain in vain, or has refused an order.
const REFUSED: (u32, u32) = (15 * 60, 24 * 60 * 60);

/// The same after it has said that there were too many, unless it says until when.
const LIMITED: (u32, u32) = (60 * 60, 24 * 60 * 60);

/// No authority's word holds for longer: a date that was written wrongly must not stop it for years.
const LONGEST_WORD: SignedDuration = SignedDuration::from_hours(7 * 24);

/// A certificate that was handed out and is of no use is not asked for again before this.
const USELESS: SignedDuration = SignedDuration::from_hours(12);

/// How far clocks differ where nothing is wrong with them.
const SKEW: SignedDuration = SignedDuration::from_mins(10);

/// What is known about a certificate.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Known {
    /// The one that there is.
    pub held: Option<Held>,
    /// An order has been begun, and is not through.
    pub is_ordered: bool,
    /// The last failure since the last success.
    pub failed: Option<Failed>,
}

/// A certificate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Held {
    /// From when it holds.
    pub begins: Timestamp,
    /// Until when it does.
    pub ends: Timestamp,
    /// When it was handed out, by the clock here.
    pub issued: Timestamp,
    /// When its authority wants to have it renewed.
    pub suggested: Option<Timestamp>,
}

/// How something has failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failed {
    /// When.
    pub at: Timestamp,
    /// How often in a row.
    pub times: u32,
    /// In which way.
    pub how: Fault,
    /// The authority has said not to come back before this.
    pub until: Option<Timestamp>,
}

/// In which way something failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// Nobody was there, or did not answer sensibly.
    Unreached,
    /// The authority has refused: it did not find the domain to be ours, for example.
    Refused,
    /// The authority says that there were too many.
    Limited,
}

/// What is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// Order one.
    Order,
    /// Go on with the order that was begun.
    Resume,
    /// Nothing before this moment.
    Wait(Timestamp),
}

/// Why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Because {
    /// There is none.
    Missing,
    /// An order was begun.
    Begun,
    /// The one that there is is good until then.
    Good(Timestamp),
    /// Most of its life is over.
    Old,
    /// Its authority wants it to be renewed.
    Suggested,
    /// It has ended.
    Ended(Timestamp),
    /// It failed, so many times in a row.
    Failed(u32, Fault),
    /// It was handed out a moment ago, and has ended by the clock here.
    WrongClock,
}

impl fmt::Display for Because {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Because::Missing => f.write_str("there is none yet"),
            Because::Begun => f.write_str("an order was begun"),
            Because::Good(until) => write!(f, "it is good until {until:.0}"),
            Because::Old => f.write_str("two thirds of its life are over"),
            Because::Suggested => f.write_str("its authority wants it to be renewed"),
            Because::Ended(at) => write!(f, "it ended at {at:.0}"),
            Because::Failed(1, how) => write!(f, "{how}"),
            Because::Failed(times, how) => write!(f, "{how}, {times} times in a row"),
            Because::WrongClock => {
                f.write_str("it was handed out a moment ago and has ended by the clock here, which is wrong")
            }
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Fault::Unreached => "the authority was not reached",
            Fault::Refused => "the authority has refused",
            Fault::Limited => "the authority has had too many orders",
        })
    }
}

/// What is done next, and why. `share` tells those apart who wait for the same: any number that stays the same.
pub fn next(known: &Known, now: Timestamp, share: u64) -> (Step, Because) {
    let wanted = match &known.held {
        Some(held) => wanted(held, now),
        None => Err(Because::Missing),
    };
    let because = match wanted {
        Ok(decided) => return decided,
        Err(because) => because,
    };
    if let Some(failed) = &known.failed {
        let until = again(failed, now, share);
        if until > now {
            return (Step::Wait(until), Because::Failed(failed.times, failed.how));
        }
    }
    match known.is_ordered {
        true => (Step::Resume, Because::Begun),
        false => (Step::Order, because),
    }
}

/// Whether the one that there is will do, or why another one is wanted.
fn wanted(held: &Held, now: Timestamp) -> Result<(Step, Because), Because> {
    let since = now.duration_since(held.issued);
    if held.ends <= now {
        // By another clock than this one it was handed out in the future: nothing is known of that.
        if (SignedDuration::ZERO..USELESS).contains(&since) && held.ends <= held.issued {
            return Ok((Step::Wait(later(held.issued, USELESS)), Because::WrongClock));
        }
        return Err(Because::Ended(held.ends));
    }
    let life = held.ends.duration_since(held.begins);
    let old = later(held.begins, life / 3 * 2);
    let suggested = held.suggested.filter(|at| *at < held.ends);
    let due = suggested.map_or(old, |at| at.min(held.ends));
    if due > now {
        return Ok((Step::Wait(due), Because::Good(held.ends)));
    }
    Err(match suggested {
        Some(_) => Because::Suggested,
        None => Because::Old,
    })
}

/// When something that failed is tried again.
fn again(failed: &Failed, now: Timestamp, share: u64) -> Timestamp {
    // Another clock has written it down: how long ago that was is not known, and it is tried once.
    if failed.at > later(now, SKEW) {
        return now;
    }
    let (first, longest) = match failed.how {
        Fault::Unreached => UNREACHED,
        Fault::Refused => REFUSED,
        Fault::Limited => LIMITED,
    };
    let doubled = first.saturating_mul(
        1_u32
            .checked_shl(failed.times.saturating_sub(1))
            .unwrap_or(u32::MAX),
    );
    let wait = u64::from(doubled.min(longest)) * 1_000;
    // Never sooner than that, and by up to a fifth later.
    let jitter =
        wait / 5 * (share.wrapping_add(u64::from(failed.times).wrapping_mul(0x9E37_79B9)) % 1_000) / 1_000;
    let wait = SignedDuration::from_millis(i64::try_from(wait + jitter).unwrap_or(i64::MAX));
    let by_itself = later(failed.at, wait);
    let word = failed
        .until
        .map(|until| until.min(later(failed.at, LONGEST_WORD)));
    word.map_or(by_itself, |until| until.max(by_itself))
}

/// A moment after another one; the last that there is where there is none.
fn later(at: Timestamp, by: SignedDuration) -> Timestamp {
    at.checked_add(by).unwrap_or(Timestamp::MAX)
}

#[cfg(test)]
mod tests;
