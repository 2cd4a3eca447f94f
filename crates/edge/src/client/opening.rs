//! How many connections to an instance are begun at once.
//!
//! Thousands may wait for an instance that wakes, and go on in one moment. A connection for each of them would cost both sides more
//! than the requests themselves, though one that has answered is free for the next request a moment later. So only some are
//! begun, and who comes beside them waits for one of those to become free.
//!
//! **Nobody waits for long.** An instance may take its time for an answer and still have room for thousands. So it is looked at every
//! few milliseconds while anybody waits: where fewer have got a connection since then than may be begun at once, twice as
//! many may be from then on. Of those who wait long none is to be held up by a number that was right for others, so that also
//! happens from time to time as long as anybody waits.

use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Weak};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::sleep;

use super::Instance;
use crate::door::clock;

/// So many are begun at once at first. As many are kept when they are idle, so no more are of use later.
const LEAST: usize = super::KEPT;

/// It is looked at so often while anybody waits.
const LOOKS: Duration = Duration::from_millis(5);

/// After so many looks twice as many may be begun, whatever was seen.
const PATIENT: u32 = 20;

/// After so many milliseconds in which nobody waited it is a new crowd.
const FORGETS: u64 = 1_000;

/// The connections of an instance that are being begun.
#[derive(Debug)]
pub(super) struct Opening {
    /// Those over which no answer has begun yet.
    new: AtomicUsize,
    /// How many they may be.
    most: AtomicUsize,
    waiting: AtomicUsize,
    /// Of those who waited, so many have got one since it was looked at last.
    served: AtomicUsize,
    /// When somebody began to wait last.
    last: AtomicU64,
    watched: AtomicBool,
    pub(super) freed: Notify,
}

impl Opening {
    pub(super) fn new() -> Opening {
        Opening {
            new: AtomicUsize::new(0),
            most: AtomicUsize::new(LEAST),
            waiting: AtomicUsize::new(0),
            served: AtomicUsize::new(0),
            last: AtomicU64::new(0),
            watched: AtomicBool::new(false),
            freed: Notify::new(),
        }
    }

    /// A connection has become free, or one fewer is begun: who has waited longest goes on.
    pub(super) fn frees(&self) {
        if self.waiting.load(Ordering::SeqCst) > 0 {
            self.freed.notify_one();
        }
    }

    /// Counts one more, if it may be begun. Who has not waited comes behind those who do.
    fn begins(&self, has_waited: bool) -> bool {
        if !has_waited && self.waiting.load(Ordering::SeqCst) > 0 {
            return false;
        }
        let most = self.most.load(Ordering::SeqCst);
        let more = |new: usize| (new < most).then_some(new + 1);
        self.new
            .fetch_update(Ordering::SeqCst, Ordering::SeqCst, more)
            .is_ok()
    }

    /// Somebody waits from now on.
    fn joins(&self, now: u64) {
        let before = self.last.swap(now, Ordering::SeqCst);
        if self.waiting.fetch_add(1, Ordering::SeqCst) == 0 && now.saturating_sub(before) > FORGETS {
            self.most.store(LEAST, Ordering::SeqCst);
        }
    }

    /// Looks at what has happened since the last look, of which so many were before it.
    fn look(&self, looks: u32) {
        let most = self.most.load(Ordering::SeqCst);
        let is_slow = self.served.swap(0, Ordering::SeqCst) < most;
        if is_slow || looks % PATIENT == PATIENT - 1 {
            self.most.store(most.saturating_mul(2), Ordering::SeqCst);
        }
        let room = self
            .most
            .load(Ordering::SeqCst)
            .saturating_sub(self.new.load(Ordering::SeqCst));
        for _ in 0..room.min(self.waiting.load(Ordering::SeqCst)) {
            self.freed.notify_one();
        }
    }

    /// Looks at an instance until nobody waits.
    async fn watch(instance: Weak<Instance>) {
        for looks in 0.. {
            sleep(LOOKS).await;
            let Some(instance) = instance.upgrade() else {
                return;
            };
            let opening = &instance.opening;
            opening.look(looks);
            if opening.waiting.load(Ordering::SeqCst) == 0 {
                opening.watched.store(false, Ordering::SeqCst);
                // Whoever came in between has seen that somebody looks.
                if opening.waiting.load(Ordering::SeqCst) == 0 || opening.watched.swap(true, Ordering::SeqCst)
                {
                    return;
                }
            }
        }
    }
}

/// A connection over which no answer has begun.
#[derive(Debug)]
pub(super) struct New(Option<Arc<Instance>>);

impl New {
    /// One more, if it may be begun.
    pub(super) fn of(instance: &Arc<Instance>, has_waited: bool) -> Option<New> {
        let begins = instance.opening.begins(has_waited);
        begins.then(|| New(Some(Arc::clone(instance))))
    }

    /// An answer has begun. It is soon free for another request, so nobody is called who would begin one beside it.
    pub(super) fn answers(mut self) {
        if let Some(instance) = self.0.take() {
            instance.opening.new.fetch_sub(1, Ordering::SeqCst);
        }
    }
}

impl Drop for New {
    fn drop(&mut self) {
        if let Some(instance) = self.0.take() {
            instance.opening.new.fetch_sub(1, Ordering::SeqCst);
            instance.opening.frees();
        }
    }
}

/// Somebody who waits for a connection.
#[derive(Debug)]
pub(super) struct Waits<'i>(&'i Opening);

impl Waits<'_> {
    pub(super) fn for_one(instance: &Arc<Instance>) -> Waits<'_> {
        let opening = &instance.opening;
        opening.joins(clock::millis());
        if !opening.watched.swap(true, Ordering::SeqCst) {
            tokio::spawn(Opening::watch(Arc::downgrade(instance)));
        }
        Waits(opening)
    }

    /// It has got one.
    pub(super) fn served(&self) {
        self.0.served.fetch_add(1, Ordering::Relaxed);
    }
}

impl Drop for Waits<'_> {
    fn drop(&mut self) {
        self.0.waiting.fetch_sub(1, Ordering::SeqCst);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn begun(opening: &Opening, has_waited: bool) -> usize {
        std::iter::repeat_with(|| opening.begins(has_waited))
            .take_while(|begins| *begins)
            .count()
    }

    #[test]
    fn a_crowd_begins_few_connections_and_twice_as_many_where_none_becomes_free() {
        let opening = Opening::new();
        assert_eq!(begun(&opening, false), LEAST);
        opening.joins(10_000);
        opening.look(0);
        assert!(!opening.begins(false), "who comes later is before nobody");
        assert_eq!(begun(&opening, true), LEAST);
        // So many have got one that others had used before.
        opening.served.store(2 * LEAST, Ordering::SeqCst);
        opening.look(1);
        assert_eq!(begun(&opening, true), 0);
        opening.look(2);
        assert_eq!(begun(&opening, true), 2 * LEAST);
    }

    #[test]
    fn a_crowd_that_stays_may_begin_more_and_the_next_one_begins_anew() {
        let opening = Opening::new();
        opening.joins(10_000);
        for looks in 0..PATIENT {
            opening.served.store(LEAST, Ordering::SeqCst);
            opening.look(looks);
        }
        assert_eq!(begun(&opening, true), 2 * LEAST);
        drop(Waits(&opening));
        opening.joins(10_000 + FORGETS);
        assert_eq!(opening.most.load(Ordering::SeqCst), 2 * LEAST);
        drop(Waits(&opening));
        opening.joins(10_001 + 2 * FORGETS);
        assert_eq!(opening.most.load(Ordering::SeqCst), LEAST);
    }
}
