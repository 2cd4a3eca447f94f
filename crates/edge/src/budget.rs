//! How many requests to a target may be repeated.
//!
//! A request that breaks under a dying instance is repeated, and nobody notices. When everything breaks, repeating only adds
//! to what cannot be carried: so each request earns a fifth of a repetition, and a target that is rarely asked has a few for
//! nothing. An outage is made a fifth worse and not twice as bad.

use std::sync::atomic::{AtomicU64, Ordering};

/// What a repetition costs, in hundredths.
const COST: u64 = 100;

/// What a request earns.
const EARNED: u64 = 20;

/// What a target has for nothing, and what it comes back to, one hundredth a millisecond: the requests that one instance of a
/// quiet component has open when it dies.
const FLOOR: u64 = 100 * COST;

/// What can be saved: as many as may wait for a target.
const MOST: u64 = 1_000 * COST;

/// The repetitions that a target may have.
#[derive(Debug)]
pub(crate) struct Budget {
    left: AtomicU64,
    /// When it was last looked at, in milliseconds.
    looked: AtomicU64,
}

impl Budget {
    pub(crate) fn new() -> Budget {
        Budget {
            left: AtomicU64::new(FLOOR),
            looked: AtomicU64::new(0),
        }
    }

    /// A request has come.
    pub(crate) fn earn(&self) {
        let more = |left: u64| (left < MOST).then_some(left + EARNED);
        let _ = self.left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, more);
    }

    /// Whether a request may be repeated now; if so, that is paid for.
    pub(crate) fn spend(&self, now: u64) -> bool {
        let before = self.looked.fetch_max(now, Ordering::Relaxed);
        let passed = now.saturating_sub(before);
        let more = |left: u64| (left < FLOOR).then(|| left.saturating_add(passed).min(FLOOR));
        let _ = self.left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, more);
        let less = |left: u64| left.checked_sub(COST);
        self.left
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, less)
            .is_ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spent(budget: &Budget, now: u64) -> usize {
        (0..10_000).take_while(|_| budget.spend(now)).count()
    }

    #[test]
    fn a_quiet_target_has_a_few_and_they_come_back_with_time() {
        let budget = Budget::new();
        assert_eq!(spent(&budget, 1), 100);
        assert_eq!(spent(&budget, 1), 0);
        assert_eq!(spent(&budget, 1_001), 10);
        assert_eq!(spent(&budget, 1_000_000), 100, "no more than there were");
        assert_eq!(spent(&budget, 5), 0, "a clock that was read late gives nothing");
    }

    #[test]
    fn five_requests_earn_one_repetition_and_not_without_end() {
        let budget = Budget::new();
        assert_eq!(spent(&budget, 1), 100);
        for _ in 0..50 {
            budget.earn();
        }
        assert_eq!(spent(&budget, 1), 10);
        for _ in 0..100_000 {
            budget.earn();
        }
        assert_eq!(spent(&budget, 1), 1_000);
    }
}
