//! The queue of those who wait for an instance that has as much open as it may: who came first goes first.
//!
//! A place that becomes free calls the first one that waits for its release. As long as anybody waits or has been called and
//! not gone yet, whoever comes waits behind them. A called one that goes away meanwhile has the next one called.
//!
//! **A crowd may wait, a standing queue may not** (Nichols and Jacobson, Controlling Delay). A queue that becomes empty again has
//! taken up a burst, and nobody was sent away for it. One that has not been empty for ten times what an answer takes, and for a second
//! at least, only makes everybody wait for what cannot be carried: from then on few wait,
//! and who comes beside them is told to come later at once.
//! They are half as many as are being answered, which is half the time of an answer more for each of them. A queue from which
//! somebody was just sent away is a standing one even where it is empty for a moment: several have gone at once.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;

type Release = Option<Arc<str>>;

type Lines = BTreeMap<Release, BTreeMap<u64, Arc<Bell>>>;

/// A queue is not a standing one before it is so old, however quick the answers are.
const YOUNG: Duration = Duration::from_secs(1);

/// It is no standing one any more when nobody was sent away for so many milliseconds, and for twice what an answer takes.
const CALM: u64 = 100;

/// How often it is told that people are sent away.
const MINUTE: u64 = 60_000;

/// By whom it is called, and whether in vain.
#[derive(Debug, Default)]
struct Bell {
    rings: Notify,
    is_shed: AtomicBool,
}

/// How much may be waited for, and how long an answer takes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Room {
    /// How many are answered at once.
    pub(crate) at_once: usize,
    pub(crate) takes: Duration,
    /// That no more can be answered at once is certain, and not only supposed.
    pub(crate) is_certain: bool,
    /// Milliseconds by a clock that never jumps.
    pub(crate) now: u64,
}

/// Those who wait, by the release that they wait for and the order in which they came.
#[derive(Debug, Default)]
pub(crate) struct Queue {
    lines: Mutex<Lines>,
    /// Those who wait, and those who were called.
    there: AtomicUsize,
    numbers: AtomicUsize,
    /// Since when it has not been empty.
    since: AtomicU64,
    shed: AtomicU64,
    /// When somebody was sent away last.
    sent_away: AtomicU64,
    /// When it was told that somebody is.
    told: AtomicU64,
}

/// A place in the queue.
#[derive(Debug)]
pub(crate) struct Ticket {
    queue: Arc<Queue>,
    release: Release,
    number: u64,
    bell: Arc<Bell>,
    is_served: bool,
}

impl Queue {
    /// Nobody waits: whoever comes may look for an instance.
    pub(crate) fn is_empty(&self) -> bool {
        self.there.load(Ordering::SeqCst) == 0
    }

    /// How many wait, or were called.
    pub(crate) fn len(&self) -> usize {
        self.there.load(Ordering::SeqCst)
    }

    fn lines(&self) -> std::sync::MutexGuard<'_, Lines> {
        self.lines.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How many were sent away from a standing queue.
    pub(crate) fn shed(&self) -> u64 {
        self.shed.load(Ordering::Relaxed)
    }

    /// Whether somebody was sent away within the last minute.
    pub(crate) fn sheds(&self, now: u64) -> bool {
        let last = self.sent_away.load(Ordering::Relaxed);
        last > 0 && now.saturating_sub(last) < MINUTE
    }

    /// Whether it is to be told that somebody is sent away: once a minute.
    pub(crate) fn is_due_to_be_told(&self, now: u64) -> bool {
        let told = self.told.load(Ordering::Relaxed);
        (told == 0 || now.saturating_sub(told) >= MINUTE)
            && self
                .told
                .compare_exchange(told, now, Ordering::Relaxed, Ordering::Relaxed)
                .is_ok()
    }

    /// Waits from now on; not at all where too many do, and have for too long.
    pub(crate) fn join(self: &Arc<Queue>, release: Release, room: Room) -> Option<Ticket> {
        let calm = CALM.max(
            u64::try_from(room.takes.as_millis())
                .unwrap_or(u64::MAX)
                .saturating_mul(2),
        );
        let is_calm = room.now.saturating_sub(self.sent_away.load(Ordering::Relaxed)) > calm;
        if self.there.fetch_add(1, Ordering::SeqCst) == 0 && is_calm {
            self.since.store(room.now, Ordering::Relaxed);
        }
        let ticket = self.ticket(release);
        let old = Duration::from_millis(room.now.saturating_sub(self.since.load(Ordering::Relaxed)));
        if room.is_certain
            && old >= YOUNG.max(room.takes * 10)
            && self.shorten(&ticket.release, room.at_once.div_ceil(2).max(1))
        {
            self.sent_away.store(room.now, Ordering::Relaxed);
        }
        (!ticket.is_shed()).then_some(ticket)
    }

    /// Sends away those who came last, and says whether there were any.
    fn shorten(&self, release: &Release, most: usize) -> bool {
        let mut lines = self.lines();
        let before = self.shed();
        while let Some((_, bell)) = lines
            .get_mut(release)
            .filter(|line| line.len() > most)
            .and_then(BTreeMap::pop_last)
        {
            bell.is_shed.store(true, Ordering::Relaxed);
            bell.rings.notify_one();
            self.shed.fetch_add(1, Ordering::Relaxed);
        }
        before != self.shed()
    }

    fn ticket(self: &Arc<Queue>, release: Release) -> Ticket {
        let mut ticket = Ticket {
            queue: Arc::clone(self),
            release,
            number: self.numbers.fetch_add(1, Ordering::Relaxed) as u64,
            bell: Arc::default(),
            is_served: false,
        };
        ticket.again();
        ticket
    }

    /// Something of a release has become free.
    pub(crate) fn call(&self, release: &Release) {
        if self.is_empty() {
            return;
        }
        let mut lines = self.lines();
        let mut any = None;
        for line in [release, &None] {
            let first = lines.get_mut(line).and_then(BTreeMap::pop_first);
            any = any.or(first);
            if any.is_some() {
                break;
            }
        }
        drop(lines);
        if let Some((_, bell)) = any {
            bell.rings.notify_one();
        }
    }
}

impl Ticket {
    /// Waits on, at the place that it had.
    pub(crate) fn again(&mut self) {
        let mut lines = self.queue.lines();
        let line = lines.entry(self.release.clone()).or_default();
        line.insert(self.number, Arc::clone(&self.bell));
    }

    /// Whether nobody is before it.
    pub(crate) fn is_first(&self) -> bool {
        let lines = self.queue.lines();
        let first = lines.get(&self.release).and_then(BTreeMap::first_key_value);
        first.is_none_or(|(number, _)| *number >= self.number)
    }

    /// Waits until something is free.
    pub(crate) async fn called(&self) {
        self.bell.rings.notified().await;
    }

    /// It waits no longer: too many have, for too long.
    pub(crate) fn is_shed(&self) -> bool {
        self.bell.is_shed.load(Ordering::Relaxed)
    }

    /// It has got what it waited for.
    pub(crate) fn served(mut self) {
        self.is_served = true;
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        let mut lines = self.queue.lines();
        let line = lines.get_mut(&self.release);
        let was_called = line.is_none_or(|line| line.remove(&self.number).is_none());
        if lines.get(&self.release).is_some_and(BTreeMap::is_empty) {
            lines.remove(&self.release);
        }
        drop(lines);
        self.queue.there.fetch_sub(1, Ordering::SeqCst);
        if was_called && !self.is_served && !self.is_shed() {
            self.queue.call(&self.release);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::future::Future;
    use std::task::{Context, Waker};

    fn is_called(ticket: &Ticket) -> bool {
        let mut context = Context::from_waker(Waker::noop());
        std::pin::pin!(ticket.called()).poll(&mut context).is_ready()
    }

    const ROOM: Room = Room {
        at_once: 4,
        takes: Duration::from_millis(10),
        is_certain: true,
        now: 1,
    };

    fn join(queue: &Arc<Queue>, release: Release) -> Ticket {
        queue.join(release, ROOM).expect("it is young")
    }

    #[test]
    fn a_burst_waits_and_a_standing_queue_becomes_as_short_as_what_is_answered() {
        let queue = Arc::new(Queue::default());
        let mut burst: Vec<_> = (0..50).map(|_| join(&queue, None)).collect();
        let late = Room { now: 1_001, ..ROOM };
        assert!(queue.join(None, late).is_none());
        assert_eq!(burst.iter().filter(|ticket| !ticket.is_shed()).count(), 2);
        assert!(burst[..2].iter().all(|ticket| !is_called(ticket)));
        assert!(
            burst[2..]
                .iter()
                .all(|ticket| ticket.is_shed() && is_called(ticket))
        );
        assert_eq!(queue.shed(), 49);
        queue.call(&None);
        burst.remove(0).served();
        assert!(queue.join(None, late).is_some(), "there is room again");
        burst.clear();
        assert!(queue.is_empty() && queue.lines().is_empty());
        let again = Room { now: 1_050, ..ROOM };
        let again: Vec<_> = (0..50).filter_map(|_| queue.join(None, again)).collect();
        assert_eq!(again.len(), 2, "it was empty for a moment only");
        drop(again);
        let later = Room { now: 2_000, ..ROOM };
        let again: Vec<_> = (0..50).filter_map(|_| queue.join(None, later)).collect();
        assert_eq!(again.len(), 50, "another burst");
        let slow = Room {
            now: 6_000,
            takes: Duration::from_secs(1),
            ..ROOM
        };
        assert!(queue.join(None, slow).is_some(), "for slow answers it is young");
        let doubtful = Room {
            now: 60_000,
            is_certain: false,
            ..ROOM
        };
        assert!(
            queue.join(None, doubtful).is_some(),
            "nobody is sent away on suspicion"
        );
    }

    #[test]
    fn who_came_first_is_called_first_and_who_goes_lets_the_next_one_in() {
        let queue = Arc::new(Queue::default());
        queue.call(&None);
        let [one, two, three] = [(); 3].map(|()| join(&queue, None));
        assert!(one.is_first() && !two.is_first());
        queue.call(&None);
        assert!(is_called(&one) && !is_called(&two));
        one.served();
        assert!(!is_called(&two) && two.is_first());
        queue.call(&None);
        drop(two);
        assert!(is_called(&three), "what the second one does not take");
        assert!(!queue.is_empty());
        three.served();
        assert!(queue.is_empty());
    }

    #[test]
    fn who_was_called_in_vain_keeps_its_place() {
        let queue = Arc::new(Queue::default());
        let [mut one, two] = [(); 2].map(|()| join(&queue, None));
        queue.call(&None);
        assert!(is_called(&one));
        one.again();
        queue.call(&None);
        assert!(is_called(&one) && !is_called(&two));
        drop((one, two));
        assert!(queue.is_empty() && queue.lines().is_empty());
    }

    #[test]
    fn each_release_has_its_line() {
        let queue = Arc::new(Queue::default());
        let [old, new] = ["old", "new"].map(|name| Some(Arc::from(name)));
        let [one, two] = [&old, &new].map(|release: &Release| join(&queue, release.clone()));
        queue.call(&new);
        assert!(!is_called(&one) && is_called(&two));
        queue.call(&new);
        assert!(!is_called(&one));
        queue.call(&old);
        assert!(is_called(&one));
    }
}
