//! How the WebSockets of an instance that leaves learn that they have to go, and when.
//!
//! A browser whose WebSocket ends opens the next one at once. A thousand that end in one instant are a thousand handshakes in
//! the next, at instances that have just been started; so each has a moment of its own, spread over the last third of the
//! time that they have. Many are over by themselves before that.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use tokio::sync::watch;
use tokio::time::sleep_until;

use crate::door::clock;

/// When somebody has to go, and how long may be taken for it.
#[derive(Debug, Clone, Copy)]
struct Told {
    at: Instant,
    drain: Duration,
}

/// The leave of an instance.
#[derive(Debug)]
pub(crate) struct Leave {
    told: watch::Sender<Option<Told>>,
    going: AtomicU32,
}

impl Leave {
    pub(crate) fn new() -> Leave {
        Leave {
            told: watch::Sender::new(None),
            going: AtomicU32::new(0),
        }
    }

    /// The instance leaves, and what is open may stay for so long.
    pub(crate) fn tell(&self, drain: Duration) {
        let at = clock::now();
        self.told.send_if_modified(|told| {
            let is_first = told.is_none();
            told.get_or_insert(Told { at, drain });
            is_first
        });
    }

    pub(crate) fn is_told(&self) -> bool {
        self.told.borrow().is_some()
    }
}

/// One of those that have to go.
#[derive(Debug)]
pub(crate) struct Guest<L> {
    leave: L,
    told: watch::Receiver<Option<Told>>,
    moment: Option<Instant>,
}

/// What has a leave.
pub(crate) trait Leaves {
    fn leave(&self) -> &Leave;
}

impl<L: Leaves> Leaves for Arc<L> {
    fn leave(&self) -> &Leave {
        (**self).leave()
    }
}

impl<L: Leaves> Guest<L> {
    pub(crate) fn of(leave: L) -> Guest<L> {
        let told = leave.leave().told.subscribe();
        Guest {
            leave,
            told,
            moment: None,
        }
    }

    /// Waits until this one has to go.
    pub(crate) async fn has_to_go(&mut self) {
        if self.moment.is_none() {
            // The sender is where the instance is, which this one holds.
            let Ok(told) = self.told.wait_for(Option::is_some).await.map(|told| *told) else {
                return std::future::pending().await;
            };
            let order = self.leave.leave().going.fetch_add(1, Ordering::Relaxed);
            self.moment = told.map(|told| told.at + stays(order, told.drain));
        }
        match self.moment {
            Some(moment) => sleep_until(moment.into()).await,
            None => std::future::pending().await,
        }
    }
}

/// How long the one of this order stays: between two thirds of the drain and all of it.
///
/// Multiples of the golden ratio fall evenly into an interval however many there are, so nobody has to be counted first.
fn stays(order: u32, drain: Duration) -> Duration {
    const GOLDEN: u32 = 0x9E37_79B9;
    let last = drain / 3;
    let share = f64::from(order.wrapping_mul(GOLDEN)) / f64::from(u32::MAX);
    drain - last + last.mul_f64(share)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn they_go_one_after_the_other_over_the_last_third() {
        let drain = Duration::from_secs(30);
        for count in [2, 7, 100, 10_000_u32] {
            let mut moments: Vec<Duration> = (0..count).map(|order| stays(order, drain)).collect();
            assert!(moments.iter().all(|at| (drain * 2 / 3..=drain).contains(at)));
            moments.sort_unstable();
            let evenly = drain / 3 / count;
            let widest = moments.windows(2).map(|two| two[1] - two[0]).max();
            assert!(widest.is_some_and(|gap| gap <= evenly * 3), "{count}: {widest:?}");
            // In no tenth of that time go many more than a tenth of them.
            for tenth in 0..10 {
                let from = drain * 2 / 3 + drain / 30 * tenth;
                let there = moments
                    .iter()
                    .filter(|at| (from..from + drain / 30).contains(*at));
                assert!(there.count() as u32 <= count / 10 + 3, "{count}");
            }
        }
    }

    #[test]
    fn without_a_drain_they_go_at_once() {
        assert_eq!(stays(7, Duration::ZERO), Duration::ZERO);
    }
}
