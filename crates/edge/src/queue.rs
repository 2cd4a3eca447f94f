//! The queue of those who wait for an instance that has as much open as it may: who came first goes first.
//!
//! A place that becomes free calls the first one that waits for its release. As long as anybody waits or has been called and
//! not gone yet, whoever comes waits behind them. A called one that goes away meanwhile has the next one called.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::Notify;

type Release = Option<Arc<str>>;

/// Those who wait, by the release that they wait for and the order in which they came.
#[derive(Debug, Default)]
pub(crate) struct Queue {
    lines: Mutex<BTreeMap<Release, BTreeMap<u64, Arc<Notify>>>>,
    /// Those who wait, and those who were called.
    there: AtomicUsize,
    numbers: AtomicUsize,
}

/// A place in the queue.
#[derive(Debug)]
pub(crate) struct Ticket {
    queue: Arc<Queue>,
    release: Release,
    number: u64,
    bell: Arc<Notify>,
    is_served: bool,
}

impl Queue {
    /// Nobody waits: whoever comes may look for an instance.
    pub(crate) fn is_empty(&self) -> bool {
        self.there.load(Ordering::SeqCst) == 0
    }

    fn lines(&self) -> std::sync::MutexGuard<'_, BTreeMap<Release, BTreeMap<u64, Arc<Notify>>>> {
        self.lines.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits from now on.
    pub(crate) fn join(self: &Arc<Queue>, release: Release) -> Ticket {
        self.there.fetch_add(1, Ordering::SeqCst);
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
            bell.notify_one();
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
        self.bell.notified().await;
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
        if was_called && !self.is_served {
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

    #[test]
    fn who_came_first_is_called_first_and_who_goes_lets_the_next_one_in() {
        let queue = Arc::new(Queue::default());
        queue.call(&None);
        let [one, two, three] = [(); 3].map(|()| queue.join(None));
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
        let [mut one, two] = [(); 2].map(|()| queue.join(None));
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
        let [one, two] = [&old, &new].map(|release: &Release| queue.join(release.clone()));
        queue.call(&new);
        assert!(!is_called(&one) && is_called(&two));
        queue.call(&new);
        assert!(!is_called(&one));
        queue.call(&old);
        assert!(is_called(&one));
    }
}
