//! What stays of a target while it is set anew: its counts, and those who wait for it.

use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};

use tokio::sync::Notify;

use crate::Traffic;
use crate::budget::Budget;
use crate::client::Instance;
use crate::door::clock;
use crate::queue::Queue;
use crate::seen::{Facts, Whole};
use crate::shares::{Bucket, Sequence};

/// How many requests may wait for one target: nearly as many as there may be visitors. One that waits has no more than its
/// head and a place in a queue beside what its connection holds anyway, some ten KiB; so all of them are less than a hundred
/// MiB, and whoever comes to a sleeping function with a crowd is answered.
const SEATS: u32 = 8_000;

/// A target by its name, whatever answers for it.
#[derive(Debug)]
pub(crate) struct Place {
    pub(crate) name: Arc<str>,
    /// Rings when the target has been set.
    pub(crate) changed: Notify,
    /// Somebody has been told that an instance is wanted.
    wanted: AtomicBool,
    waiting: AtomicU32,
    turn: AtomicUsize,
    repetitions: Budget,
    /// Those who wait until an instance has room.
    pub(crate) queue: Arc<Queue>,
    newcomers: Sequence,
    /// Requests that another release answered, because theirs could not.
    fallen: AtomicU64,
    ejected: AtomicU64,
    /// Requests for which there was no seat.
    crowded: AtomicU64,
    repeated: AtomicU64,
    failures: AtomicU64,
    /// Instances that have left, and may still have something open.
    left: Mutex<Vec<Weak<Instance>>>,
    active: AtomicU64,
    /// When the last request ended; zero before the first one.
    last: AtomicU64,
}

impl Place {
    pub(crate) fn new(name: Arc<str>) -> Place {
        Place {
            name,
            changed: Notify::new(),
            wanted: AtomicBool::new(false),
            waiting: AtomicU32::new(0),
            turn: AtomicUsize::new(0),
            repetitions: Budget::new(),
            queue: Arc::default(),
            newcomers: Sequence::default(),
            fallen: AtomicU64::new(0),
            ejected: AtomicU64::new(0),
            crowded: AtomicU64::new(0),
            repeated: AtomicU64::new(0),
            failures: AtomicU64::new(0),
            left: Mutex::default(),
            active: AtomicU64::new(0),
            last: AtomicU64::new(0),
        }
    }

    /// The place at which the search for an instance begins.
    pub(crate) fn turn(&self) -> usize {
        self.turn.fetch_add(1, Ordering::Relaxed)
    }

    /// Whether this is the first one to want an instance since there was none.
    pub(crate) fn is_first_to_want(&self) -> bool {
        !self.wanted.swap(true, Ordering::Relaxed)
    }

    /// Whether somebody has been told that an instance is wanted, and none has come since.
    pub(crate) fn is_wanted(&self) -> bool {
        self.wanted.load(Ordering::Relaxed)
    }

    /// There is an instance again, or there is none any more: who wants one next is told.
    pub(crate) fn forget_wanted(&self) {
        self.wanted.store(false, Ordering::Relaxed);
    }

    /// A seat among those who wait, if there is one.
    pub(crate) fn seat(self: &Arc<Place>) -> Option<Seat> {
        let taken = self.waiting.fetch_add(1, Ordering::Relaxed);
        let seat = Seat(Arc::clone(self));
        if taken >= SEATS {
            self.crowded.fetch_add(1, Ordering::Relaxed);
            return None;
        }
        Some(seat)
    }

    /// An instance leaves.
    pub(crate) fn leaves(&self, instance: &Arc<Instance>) {
        let mut left = self.left.lock().unwrap_or_else(PoisonError::into_inner);
        left.retain(|one| one.strong_count() > 0);
        left.push(Arc::downgrade(instance));
    }

    /// An instance that has left, while anything of it is open.
    pub(crate) fn leaving(&self, id: &str) -> Option<Arc<Instance>> {
        let left = self.left.lock().unwrap_or_else(PoisonError::into_inner);
        let mut there = left.iter().filter_map(Weak::upgrade);
        there.find(|instance| instance.id == id && instance.open() > 0)
    }

    /// A request has come that may have to be repeated, or another one for it.
    pub(crate) fn earn_repetition(&self) {
        self.repetitions.earn();
    }

    /// Whether a request may be repeated.
    pub(crate) fn spend_repetition(&self) -> bool {
        let may = self.repetitions.spend(clock::millis());
        if may {
            self.repeated.fetch_add(1, Ordering::Relaxed);
        }
        may
    }

    /// The bucket of somebody who is not known.
    pub(crate) fn next_bucket(&self) -> Bucket {
        self.newcomers.next()
    }

    /// Another release answers a request, because its own cannot.
    pub(crate) fn falls(&self) {
        self.fallen.fetch_add(1, Ordering::Relaxed);
    }

    /// An instance is left out.
    pub(crate) fn ejects(&self) {
        self.ejected.fetch_add(1, Ordering::Relaxed);
    }

    /// An instance has refused or broken a connection.
    pub(crate) fn fails(&self) {
        self.failures.fetch_add(1, Ordering::Relaxed);
    }

    /// What is counted of it as a whole; nothing where nobody has asked it anything.
    pub(crate) fn seen(&self) -> Option<Whole> {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        let active = read(&self.active);
        (active > 0 || read(&self.last) > 0).then(|| Whole {
            component: self.name.to_string(),
            active,
            waiting: u64::from(self.waiting.load(Ordering::Relaxed)),
            crowded: read(&self.crowded),
            repeated: read(&self.repeated),
            failures: read(&self.failures),
            fallen: read(&self.fallen),
            ejected: read(&self.ejected),
            out: 0,
            shed: self.queue.shed(),
            sheds: None,
        })
    }

    /// A request or a connection begins.
    pub(crate) fn open(self: &Arc<Place>) -> Open {
        self.active.fetch_add(1, Ordering::Relaxed);
        Open {
            place: Arc::clone(self),
            facts: Facts::default(),
        }
    }

    /// Requests and connections that are open.
    pub(crate) fn active(&self) -> usize {
        usize::try_from(self.active.load(Ordering::Relaxed)).unwrap_or(usize::MAX)
    }

    /// What is open, and since when nothing is. How many requests there were is counted where they are seen.
    pub(crate) fn traffic(&self) -> Traffic {
        let active = self.active.load(Ordering::Relaxed);
        let last = self.last.load(Ordering::Relaxed);
        Traffic {
            active,
            quiet_for: match (active, last) {
                (0, 0) => None,
                (0, last) => Some(clock::millis().saturating_sub(last)),
                _ => Some(0),
            },
            ..Traffic::default()
        }
    }
}

/// A seat among those who wait. It is free again when this is dropped.
#[derive(Debug)]
pub(crate) struct Seat(Arc<Place>);

impl Drop for Seat {
    fn drop(&mut self) {
        self.0.waiting.fetch_sub(1, Ordering::Relaxed);
    }
}

/// A request or a connection that is open. It has ended when this is dropped.
#[derive(Debug)]
pub(crate) struct Open {
    place: Arc<Place>,
    /// What is known of the answer, for whoever sees the request.
    pub(crate) facts: Facts,
}

impl Drop for Open {
    fn drop(&mut self) {
        self.place.last.store(clock::millis(), Ordering::Relaxed);
        self.place.active.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seats_are_bounded_and_come_back() {
        let place = Arc::new(Place::new(Arc::from("web")));
        let seats: Vec<_> = (0..SEATS).map_while(|_| place.seat()).collect();
        assert_eq!(seats.len(), SEATS as usize);
        assert!(place.seat().is_none());
        drop(seats);
        assert!(place.seat().is_some());
    }

    #[test]
    fn a_target_is_quiet_when_its_last_request_has_ended() {
        let place = Arc::new(Place::new(Arc::from("web")));
        assert_eq!(place.traffic(), Traffic::default());
        let open = place.open();
        let seen = place.traffic();
        assert_eq!((seen.active, seen.quiet_for), (1, Some(0)));
        drop(open);
        assert_eq!(place.traffic().active, 0);
        assert!(place.traffic().quiet_for.is_some());
    }
}
