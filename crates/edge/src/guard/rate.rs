//! Counting requests by whose they are, in memory that never grows.
//!
//! **The count.** A token bucket that holds `count` tokens and is filled with `count` in each `per`. Of each bucket only the
//! instant is kept at which it will be full again: a request moves it by the time of one token, and is refused where that
//! would put it further ahead than a whole `per`. That is exact to a nanosecond, and nothing has to run in between.
//!
//! **The memory.** Keys are chosen by visitors, so there may be any number of them. They live in a table of a fixed size, in
//! sets of eight, and where a set is full the bucket goes that is the fullest: the one whose owner has asked least, or
//! longest ago. A bucket that is full already is forgotten without any loss, because a new one is full, too. Whoever has been
//! refused is the last to be forgotten, so a flood of new keys makes nobody's way free. What is lost under such a flood are
//! a few requests of those who have hardly asked; they are let in, as newcomers are.
//!
//! Each shard of the table is made for the first key that falls into it, so a limit that nobody meets takes no memory, and one
//! that few visitors meet is small.

use std::hash::{BuildHasher, Hash, RandomState};
use std::sync::{Mutex, PoisonError};

use http::HeaderValue;
use towpath_model::unit::Rate;

/// How many buckets there are: 2 MiB for a limit that a hundred thousand visitors meet at once.
const BUCKETS: usize = 1 << 17;

/// Locks, so that requests on all cores rarely wait for each other.
const SHARDS: usize = 64;

/// Buckets of one set: they lie in two lines of a processor's cache.
const WAYS: usize = 8;

const NANOS: u64 = 1_000_000_000;

/// A key with the instant at which its bucket is full. A key is never zero, so that zero is a free place.
type Bucket = [u64; 2];

/// Requests counted by whose they are.
pub(crate) struct Counter {
    /// The time of one token.
    each: u64,
    /// The time in which an empty bucket becomes full.
    per: u64,
    count: u64,
    /// What it allows, as answers tell it.
    pub(super) policy: HeaderValue,
    hasher: RandomState,
    shards: Box<[Mutex<Vec<Bucket>>]>,
}

/// How somebody stands after a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Standing {
    pub(crate) passes: bool,
    /// How many in how many seconds.
    pub(crate) count: u64,
    pub(crate) per: u64,
    /// How many more may come at once.
    pub(crate) left: u64,
    /// Seconds until one may come again, rounded up; zero where one may now.
    pub(crate) wait: u64,
    /// Seconds until everything is as if nobody had asked, rounded up.
    pub(crate) full: u64,
}

impl Counter {
    pub(crate) fn new(rate: &Rate) -> Counter {
        let per = rate.per().millis().saturating_mul(NANOS / 1_000);
        Counter {
            each: (per / rate.count()).max(1),
            per,
            count: rate.count(),
            policy: super::refusal::policy(rate.count(), per.div_ceil(NANOS)),
            hasher: RandomState::new(),
            shards: (0..SHARDS).map(|_| Mutex::default()).collect(),
        }
    }

    /// The key of something, which nobody outside can make meet another one's.
    pub(crate) fn key(&self, of: impl Hash) -> u64 {
        self.hasher.hash_one(of).max(1)
    }

    /// Takes a token of a key, if there is one, at an instant in nanoseconds.
    pub(crate) fn take(&self, key: u64, now: u64) -> Standing {
        self.with(key, |full| {
            let after = (*full).max(now).saturating_add(self.each);
            let passes = after - now <= self.per;
            if passes {
                *full = after;
            }
            self.standing(passes, (*full).max(now), now)
        })
    }

    /// How a key stands, without taking anything.
    pub(crate) fn look(&self, key: u64, now: u64) -> Standing {
        self.with(key, |full| {
            let full = (*full).max(now);
            self.standing(full + self.each - now <= self.per, full, now)
        })
    }

    fn standing(&self, passes: bool, full: u64, now: u64) -> Standing {
        let used = full - now;
        Standing {
            passes,
            count: self.count,
            per: self.per.div_ceil(NANOS),
            left: self.per.saturating_sub(used) / self.each,
            wait: (used + self.each).saturating_sub(self.per).div_ceil(NANOS),
            full: used.div_ceil(NANOS),
        }
    }

    /// Does something with the bucket of a key, which is made where there is none.
    fn with<T>(&self, key: u64, does: impl FnOnce(&mut u64) -> T) -> T {
        // The last bits choose the lock, others the set.
        let shard = &self.shards[key as usize % SHARDS];
        let mut buckets = shard.lock().unwrap_or_else(PoisonError::into_inner);
        if buckets.is_empty() {
            *buckets = vec![[0; 2]; BUCKETS / SHARDS];
        }
        let sets = buckets.len() / WAYS;
        let first = (key >> 32) as usize % sets * WAYS;
        let set = &mut buckets[first..first + WAYS];
        let at = set.iter().position(|bucket| bucket[0] == key);
        let bucket = match at {
            Some(at) => &mut set[at],
            None => {
                let fullest = set.iter_mut().min_by_key(|bucket| bucket[1]);
                let bucket = fullest.expect("a set has places");
                *bucket = [key, 0];
                bucket
            }
        };
        does(&mut bucket[1])
    }

    #[cfg(test)]
    fn places(&self) -> usize {
        let count = |shard: &Mutex<Vec<Bucket>>| shard.lock().expect("nobody panics").capacity();
        self.shards.iter().map(count).sum()
    }
}

impl std::fmt::Debug for Counter {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Counter")
            .field("count", &self.count)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use towpath_model::unit::Duration;

    fn counter(count: u64, millis: u64) -> Counter {
        Counter::new(&Rate::new(count, Duration::from_millis(millis), None))
    }

    /// How many of so many requests at one instant pass.
    fn passing(counter: &Counter, key: u64, now: u64, asked: usize) -> usize {
        (0..asked).filter(|_| counter.take(key, now).passes).count()
    }

    #[test]
    fn so_many_pass_at_once_and_so_many_in_each_time_after_that() {
        let counter = counter(100, 1_000);
        let key = counter.key("one");
        let start = 5 * NANOS;
        assert_eq!(passing(&counter, key, start, 250), 100);
        // A hundredth of a second is one token.
        assert_eq!(passing(&counter, key, start + NANOS / 100 - 1, 9), 0);
        assert_eq!(passing(&counter, key, start + NANOS / 100, 9), 1);
        assert_eq!(passing(&counter, key, start + NANOS / 2, 250), 49);
        assert_eq!(
            passing(&counter, key, start + 100 * NANOS, 250),
            100,
            "it never holds more"
        );
        assert_eq!(
            passing(&counter, counter.key("two"), start, 250),
            100,
            "each has its own"
        );
    }

    #[test]
    fn what_is_told_is_what_happens() {
        let counter = counter(3, 60_000);
        let key = counter.key("one");
        let told = |standing: Standing| (standing.passes, standing.left, standing.wait, standing.full);
        let now = NANOS;
        assert_eq!(told(counter.look(key, now)), (true, 3, 0, 0));
        assert_eq!(told(counter.take(key, now)), (true, 2, 0, 20));
        assert_eq!(told(counter.take(key, now)), (true, 1, 0, 40));
        assert_eq!(told(counter.take(key, now)), (true, 0, 20, 60));
        assert_eq!(told(counter.take(key, now)), (false, 0, 20, 60));
        assert_eq!(told(counter.take(key, now + 19 * NANOS)), (false, 0, 1, 41));
        assert_eq!(told(counter.take(key, now + 20 * NANOS)), (true, 0, 20, 60));
    }

    #[test]
    fn a_million_keys_take_no_more_memory_than_one_and_free_nobody() {
        let counter = counter(10, 3_600_000);
        assert_eq!(counter.places(), 0, "nobody has come");
        let now = NANOS;
        let eager: Vec<u64> = (0..50).map(|one| counter.key(("eager", one))).collect();
        for key in &eager {
            assert_eq!(passing(&counter, *key, now, 20), 10);
        }
        for stranger in 0..1_000_000_u64 {
            counter.take(counter.key(("stranger", stranger)), now + stranger);
        }
        assert_eq!(counter.places(), BUCKETS);
        for key in &eager {
            assert!(
                !counter.take(*key, now + NANOS).passes,
                "it was refused before the flood"
            );
        }
    }

    #[test]
    fn many_threads_take_no_more_than_there_is() {
        let counter = counter(1_000, 3_600_000);
        let key = counter.key("one");
        let passed: usize = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..8)
                .map(|_| scope.spawn(|| passing(&counter, key, NANOS, 500)))
                .collect();
            threads
                .into_iter()
                .map(|thread| thread.join().expect("it ends"))
                .sum()
        });
        assert_eq!(passed, 1_000);
    }
}
