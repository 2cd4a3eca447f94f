//! A fixed threshold, as Flagger has it: each minute the share of successes and the 99 % of latency are held against a number, and
//! the fifth failed check brings the release back. A minute without traffic is a failed check there, too.

use crate::rollout::{Judge, Wish};
use crate::traffic::Stream;

const SUCCESSES: f64 = 0.99;
/// The number of its own example, in microseconds.
const SLOWEST: u64 = 500_000;
const CHECKS: u32 = 5;
const WINDOW: f64 = 60.0;

#[derive(Default)]
pub(crate) struct Fixed {
    requests: u64,
    errors: u64,
    times: Vec<(u64, u64)>,
    failed: u32,
}

impl Judge for Fixed {
    fn look(&mut self, stream: &Stream<'_>) -> Wish {
        if stream.seconds % WINDOW != 0.0 {
            return Wish::More;
        }
        let new = &stream.new;
        let requests = new.requests - self.requests;
        let errors = new.errors - self.errors;
        let slowest = since(&new.times, &self.times, requests);
        let is_good =
            requests > 0 && 1.0 - errors as f64 / requests as f64 >= SUCCESSES && slowest <= SLOWEST;
        self.failed += u32::from(!is_good);
        self.requests = new.requests;
        self.errors = new.errors;
        self.times.clone_from(&new.times);
        if self.failed >= CHECKS {
            Wish::Back
        } else {
            Wish::On
        }
    }
}

/// The 99 % of the times that have come since.
fn since(now: &[(u64, u64)], before: &[(u64, u64)], requests: u64) -> u64 {
    quantile_since(now, before, requests, 0.99)
}

pub(crate) fn quantile_since(now: &[(u64, u64)], before: &[(u64, u64)], requests: u64, share: f64) -> u64 {
    let wanted = (requests as f64 * share).ceil() as u64;
    let mut earlier = before.iter().peekable();
    let mut passed = 0;
    for (took, count) in now {
        let known = earlier
            .next_if(|(at, _)| at == took)
            .map_or(0, |(_, count)| *count);
        passed += count - known;
        if passed >= wanted {
            return *took;
        }
    }
    0
}
