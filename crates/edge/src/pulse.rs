//! How an instance does: how long its answers take, how often they are wrong, and whether it is left out for it.
//!
//! **When an instance is left out.** When it has broken or refused five times in a row, or when more than half of what it
//! answered lately was a 5xx. Both only beside others of its release that do much better: a component that is broken
//! everywhere is no better served by half of its instances, and a release is judged by what it does. Never more than half of them,
//! and never the only one; so a canary of one instance is not hidden from those who judge it.
//!
//! **How it comes back.** After a second a single request is let through that may be repeated. When that is well, the instance is
//! back; when not, it is out for twice as long, up to a minute. Where nobody else is left to ask, it is asked all the same.
//!
//! **Time is smoothed over some eight answers** and forgotten by halves in five seconds: an instance that was slow once is asked
//! again, and not measured by it for ever.

use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// So many failures in a row.
const IN_A_ROW: u32 = 5;

/// Parts of what `wrong` counts.
const ALL: u32 = 1 << 16;

/// An answer changes the share of wrong ones by so much: the last thirty or so count.
const LATELY: u32 = 32;

/// So many answers before a share says anything.
const ENOUGH: u32 = 20;

/// How long one is left out at first, in milliseconds.
const FIRST: u64 = 1_000;

/// How often that is doubled.
const DOUBLED: u32 = 6;

/// Whoever has been well for so long begins at the first time again.
const FORGIVEN: u64 = 300_000;

/// What is remembered of the time of answers is halved so often, in milliseconds.
const HALVED: u64 = 5_000;

/// How many times more expensive an instance is at the beginning of its slow start.
const COLD: u64 = 10;

/// How an instance does.
#[derive(Debug, Default)]
pub(crate) struct Pulse {
    /// Microseconds until an answer began, smoothed, and below them the millisecond in which that was seen.
    took: AtomicU64,
    /// The share of wrong answers.
    wrong: AtomicU32,
    answers: AtomicU32,
    in_a_row: AtomicU32,
    /// Left out until then; zero where it is not.
    out: AtomicU64,
    times: AtomicU32,
    /// When it came back last.
    back: AtomicU64,
    /// When its slow start began; zero where it has none.
    began: AtomicU64,
    /// Why it is left out, and since when.
    why: Mutex<Option<(Because, u64)>>,
}

/// Whether an instance is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Standing {
    In,
    Out,
    /// It is out, and one request may see how it does.
    Due,
}

/// What is looked at when instances are compared.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Health {
    pub(crate) in_a_row: u32,
    pub(crate) wrong: u32,
    pub(crate) answers: u32,
    pub(crate) is_out: bool,
}

/// Why an instance is left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Because {
    Fails(u32),
    Wrong(u32),
}

impl Because {
    pub(crate) fn words(self) -> String {
        match self {
            Because::Fails(times) => format!("it refused or broke {times} requests in a row"),
            Because::Wrong(percent) => {
                format!("{percent} % of its last answers were a 5xx, and the others do better")
            }
        }
    }
}

/// Whether one of several is left out for how it does beside the others.
pub(crate) fn judge(own: Health, others: &[Health]) -> Option<Because> {
    let out = others.iter().filter(|other| other.is_out).count() + 1;
    if own.is_out || out * 2 > others.len() + 1 {
        return None;
    }
    let others = others.iter().filter(|other| !other.is_out);
    if own.in_a_row >= IN_A_ROW && others.clone().any(|other| other.in_a_row == 0) {
        return Some(Because::Fails(own.in_a_row));
    }
    let least = others.map(|other| other.wrong).min()?;
    let is_wrong = own.answers >= ENOUGH && own.wrong > ALL / 2 && least < own.wrong / 4;
    is_wrong.then_some(Because::Wrong(own.wrong * 100 / ALL))
}

impl Pulse {
    /// Others are there already: it gets a share that grows.
    pub(crate) fn begins_slowly(&self, now: u64) {
        self.began.store(now, Ordering::Relaxed);
    }

    /// An answer has begun after so long.
    pub(crate) fn took(&self, now: u64, took: Duration) {
        let took = u32::try_from(took.as_micros()).unwrap_or(u32::MAX).max(1);
        let before = (self.took.load(Ordering::Relaxed) >> 32) as u32;
        let smooth = match before {
            0 => took,
            _ => before - before / 8 + took / 8,
        };
        // Of two that write at once one is lost, and the other one is as good.
        let packed = u64::from(smooth.max(1)) << 32 | now & u64::from(u32::MAX);
        self.took.store(packed, Ordering::Relaxed);
    }

    /// How many microseconds an answer takes; zero where nothing is known.
    pub(crate) fn micros(&self, now: u64) -> u64 {
        let packed = self.took.load(Ordering::Relaxed);
        let passed = (now as u32).wrapping_sub(packed as u32);
        (packed >> 32) >> (u64::from(passed) / HALVED).min(32)
    }

    /// By how much it is made more expensive, while it has not been there for so many milliseconds.
    pub(crate) fn cold(&self, now: u64, slow_start: u64) -> u64 {
        let began = self.began.load(Ordering::Relaxed);
        if slow_start == 0 || began == 0 {
            return 1;
        }
        (slow_start / now.saturating_sub(began).max(1)).clamp(1, COLD)
    }

    /// An answer has come, and whether it was a 5xx. Says whether that is worth a judgement.
    pub(crate) fn answered(&self, is_wrong: bool) -> bool {
        // What is well as always is not written down: all cores would write to one place for nothing.
        if self.in_a_row.load(Ordering::Relaxed) != 0 {
            self.in_a_row.store(0, Ordering::Relaxed);
        }
        let before = self.wrong.load(Ordering::Relaxed);
        let answers = self.answers.load(Ordering::Relaxed);
        if answers < ENOUGH {
            self.answers.store(answers + 1, Ordering::Relaxed);
        }
        if is_wrong || before > 0 {
            let less = before - before.div_ceil(LATELY);
            let more = if is_wrong { ALL / LATELY } else { 0 };
            self.wrong.store(less + more, Ordering::Relaxed);
        }
        is_wrong
    }

    /// It refused or broke a request.
    pub(crate) fn failed(&self) {
        self.in_a_row.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn health(&self) -> Health {
        Health {
            in_a_row: self.in_a_row.load(Ordering::Relaxed),
            wrong: self.wrong.load(Ordering::Relaxed),
            answers: self.answers.load(Ordering::Relaxed),
            is_out: self.is_out(),
        }
    }

    pub(crate) fn is_out(&self) -> bool {
        self.out.load(Ordering::Relaxed) != 0
    }

    pub(crate) fn standing(&self, now: u64) -> Standing {
        match self.out.load(Ordering::Relaxed) {
            0 => Standing::In,
            until if now >= until => Standing::Due,
            _ => Standing::Out,
        }
    }

    /// Why it is left out, and for how many milliseconds; nothing where it is not.
    pub(crate) fn why(&self, now: u64) -> Option<(Because, u64)> {
        let why = *self.why.lock().unwrap_or_else(PoisonError::into_inner);
        why.filter(|_| self.is_out())
            .map(|(because, since)| (because, now.saturating_sub(since)))
    }

    /// It is left out from now on. Says whether it was not before.
    pub(crate) fn leave_out(&self, now: u64, because: Because) -> bool {
        let back = self.back.load(Ordering::Relaxed);
        if back != 0 && now.saturating_sub(back) > FORGIVEN {
            self.times.store(0, Ordering::Relaxed);
        }
        let long = self.long();
        let left = self
            .out
            .compare_exchange(0, now + long, Ordering::Relaxed, Ordering::Relaxed);
        if left.is_ok() {
            *self.why.lock().unwrap_or_else(PoisonError::into_inner) = Some((because, now));
        }
        left.is_ok()
    }

    fn long(&self) -> u64 {
        FIRST << self.times.load(Ordering::Relaxed).min(DOUBLED)
    }

    /// Whether this request is the one that sees how it does. The next one may when it has been out for twice as long again.
    pub(crate) fn is_tried_now(&self, now: u64) -> bool {
        let until = self.out.load(Ordering::Relaxed);
        if until == 0 || now < until {
            return false;
        }
        let next = now + (FIRST << (self.times.load(Ordering::Relaxed) + 1).min(DOUBLED));
        let is_ours = self
            .out
            .compare_exchange(until, next, Ordering::Relaxed, Ordering::Relaxed)
            .is_ok();
        if is_ours {
            self.times.fetch_add(1, Ordering::Relaxed);
        }
        is_ours
    }

    /// A request was answered well by one that is out. Says whether it is back.
    pub(crate) fn comes_back(&self, now: u64) -> bool {
        let was_out = self.out.swap(0, Ordering::Relaxed) != 0;
        if was_out {
            for counter in [&self.in_a_row, &self.wrong, &self.answers] {
                counter.store(0, Ordering::Relaxed);
            }
            self.back.store(now, Ordering::Relaxed);
            self.began.store(now, Ordering::Relaxed);
        }
        was_out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn well() -> Health {
        Health {
            answers: ENOUGH,
            ..Health::default()
        }
    }

    #[test]
    fn who_fails_beside_others_that_do_not_is_left_out_and_never_more_than_half() {
        let bad = Health {
            in_a_row: IN_A_ROW,
            ..well()
        };
        let out = Health { is_out: true, ..bad };
        assert_eq!(judge(bad, &[well()]), Some(Because::Fails(IN_A_ROW)));
        assert_eq!(judge(bad, &[]), None, "the only one stays");
        assert_eq!(judge(bad, &[bad, bad]), None, "all are broken");
        assert_eq!(judge(bad, &[out]), None);
        assert_eq!(judge(bad, &[out, well()]), None);
        assert_eq!(judge(bad, &[out, well(), well()]), Some(Because::Fails(IN_A_ROW)));
        assert_eq!(judge(out, &[well()]), None);
        let less = Health {
            in_a_row: IN_A_ROW - 1,
            ..well()
        };
        assert_eq!(judge(less, &[well()]), None);
    }

    #[test]
    fn a_page_that_is_broken_everywhere_leaves_nobody_out() {
        let pulses = [Pulse::default(), Pulse::default()];
        for _ in 0..200 {
            pulses[0].answered(true);
        }
        assert!(matches!(
            judge(pulses[0].health(), &[pulses[1].health()]),
            Some(Because::Wrong(90..))
        ));
        for _ in 0..200 {
            pulses[1].answered(true);
        }
        assert_eq!(judge(pulses[0].health(), &[pulses[1].health()]), None);
        for _ in 0..200 {
            pulses[0].answered(false);
        }
        assert!(pulses[0].health().wrong < ALL / 50, "what was wrong is forgotten");
    }

    #[test]
    fn who_is_out_is_tried_by_one_at_a_time_and_each_time_later() {
        let pulse = Pulse::default();
        let mut now = 10;
        assert!(pulse.leave_out(now, Because::Fails(IN_A_ROW)));
        assert!(!pulse.leave_out(now, Because::Fails(IN_A_ROW)), "it is already");
        for wait in [1_000, 2_000, 4_000, 8_000] {
            assert_eq!(pulse.standing(now + wait - 1), Standing::Out);
            assert!(!pulse.is_tried_now(now + wait - 1));
            now += wait;
            assert_eq!(pulse.standing(now), Standing::Due);
            assert!(pulse.is_tried_now(now));
            assert!(!pulse.is_tried_now(now), "a second one is not");
        }
        assert!(pulse.comes_back(now));
        assert!(!pulse.comes_back(now));
        assert_eq!(pulse.standing(now), Standing::In);
        assert!(pulse.leave_out(now + 1, Because::Fails(IN_A_ROW)));
        assert_eq!(pulse.standing(now + 15_000), Standing::Out, "it is known for it");
    }

    #[test]
    fn times_are_smoothed_and_forgotten() {
        let pulse = Pulse::default();
        assert_eq!(pulse.micros(0), 0);
        pulse.took(1, Duration::from_millis(8));
        pulse.took(1, Duration::from_millis(16));
        assert_eq!(pulse.micros(1), 9_000);
        assert_eq!(pulse.micros(5_001), 4_500);
        assert_eq!(pulse.micros(u64::from(u32::MAX)), 0);
    }

    #[test]
    fn a_new_one_is_expensive_at_first() {
        let pulse = Pulse::default();
        assert_eq!(pulse.cold(100, 10_000), 1, "nobody was there before it");
        pulse.begins_slowly(100);
        assert_eq!(pulse.cold(100, 0), 1);
        assert_eq!(
            [200, 2_600, 5_100, 10_100].map(|now| pulse.cold(now, 10_000)),
            [COLD, 4, 2, 1]
        );
    }
}
