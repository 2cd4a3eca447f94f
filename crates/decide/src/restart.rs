//! Whether an instance that has ended by itself is started again, and when.
//!
//! An end is either an accident or a habit. An instance that lived well for a while and then ended has had an accident:
//! whoever talks to it is waiting right now, so it is started again at once, without any pause. One that ends soon after
//! each start has a habit: starting it faster helps nobody, burns the machine, and floods its log. So the first end of a
//! series is answered at once, and each further one after a pause that doubles up to a minute. There is no jitter: one
//! keeper restarts one instance, and nothing would be spread.
//!
//! A series ends when the instance has lived well, for ten seconds. Five ends within a minute are a crash loop. That
//! changes nothing but what is told, and it stays so until the instance has lived well: otherwise the growing pauses
//! themselves would thin the ends out, and the loop would seem to heal while nothing got better.
//!
//! An instance whose policy does not want it again stays ended; so does one that ended well where only failures count.
//! Moments are on a clock that never jumps, counted in milliseconds from anywhere: setting the time of day changes no pause.

use std::collections::VecDeque;
use towpath_model::desired::component::Restart;
use towpath_model::unit::Duration;

/// An instance that has lived so long has lived well. It is also what a rollout asks of one before it trusts it.
pub const LIVED_WELL: Duration = Duration::from_secs(10);
/// The pause before the second start of a series: long enough to be cheap, short enough not to be felt.
pub const FIRST_PAUSE: Duration = Duration::from_millis(100);
/// No pause is longer: a cause that went away is found within this time.
pub const LONGEST_PAUSE: Duration = Duration::from_secs(60);
/// So many ends within `LOOP_WINDOW` are a crash loop.
pub const LOOP_ENDS: usize = 5;
/// The time within which they are counted.
pub const LOOP_WINDOW: Duration = Duration::from_secs(60);

/// The ends that are remembered.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct History {
    /// When the instance ended, newest last; never more than are needed to see a loop.
    ends: VecDeque<u64>,
    /// How many ends there were since it has lived well.
    series: u32,
    /// It has been seen to loop, and has not lived well since.
    looping: bool,
}

/// An end of an instance by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct End {
    /// When, in milliseconds on a clock that does not jump.
    pub at: u64,
    /// How long it had lived.
    pub lived: Duration,
    /// It ended well.
    pub success: bool,
}

/// What is done about an end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verdict {
    /// What is remembered from now on.
    pub next: History,
    /// What happens.
    pub what: What,
    /// Why.
    pub because: Because,
}

/// What happens to an instance that has ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum What {
    /// It is started again after a pause, which may be none.
    Again {
        /// The pause.
        pause: Duration,
        /// It is in a crash loop.
        looping: bool,
    },
    /// It stays ended.
    Stays,
}

/// Why that happens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Because {
    /// Its policy is to be never started again.
    Never,
    /// It ended well, and only failures are followed by a start.
    EndedWell,
    /// It is the first end since it was started or has lived well.
    Accident,
    /// It has ended so many times since it was started or has lived well.
    Series {
        /// How many times.
        ends: u32,
    },
}

/// Decides about one end. Total: every policy, history and end has an answer.
pub fn after(policy: Restart, history: &History, end: End) -> Verdict {
    let stays = |because| Verdict {
        next: history.clone(),
        what: What::Stays,
        because,
    };
    match policy {
        Restart::Never => return stays(Because::Never),
        Restart::OnFailure if end.success => return stays(Because::EndedWell),
        Restart::OnFailure | Restart::Always => {}
    }
    let next = remembered(history, end);
    let because = match next.series {
        0 | 1 => Because::Accident,
        ends => Because::Series { ends },
    };
    let what = What::Again {
        pause: pause(next.series),
        looping: next.looping,
    };
    Verdict { next, what, because }
}

/// The history with one more end.
fn remembered(history: &History, end: End) -> History {
    let mut next = if end.lived >= LIVED_WELL {
        History::default()
    } else {
        history.clone()
    };
    next.series = next.series.saturating_add(1);
    next.ends.push_back(end.at);
    if next.ends.len() > LOOP_ENDS {
        next.ends.pop_front();
    }
    let oldest = next.ends.front().copied().unwrap_or(end.at);
    let crowded = next.ends.len() == LOOP_ENDS && end.at.saturating_sub(oldest) <= LOOP_WINDOW.millis();
    next.looping |= crowded;
    next
}

/// The pause after so many ends in a series: none, then doubling.
fn pause(series: u32) -> Duration {
    let Some(doublings) = series.checked_sub(2) else {
        return Duration::ZERO;
    };
    let factor = 1_u64.checked_shl(doublings).unwrap_or(u64::MAX);
    FIRST_PAUSE.times(factor).min(LONGEST_PAUSE)
}

#[cfg(test)]
mod tests;
