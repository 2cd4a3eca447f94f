//! The gate of an instance: who is let in is counted until an answer begins, and how many may be is found out.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError, Weak};
use std::time::{Duration, Instant};

use tokio::time::sleep;
use towpath_model::run::Bounds;

use super::Instance;
use crate::door::clock;
use crate::valve::{Around, CROWD, Valve};

/// Whether nothing is heard of an instance is looked at so often, while somebody waits.
const LOOKS: Duration = Duration::from_millis(25);

/// While few are waited for, one of so many tells how long an answer takes.
const SAMPLED: usize = 16;

/// All of the first ones do: the very first take long.
const FIRST: usize = 64;

/// How many requests an instance is given at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Most {
    All,
    Said(u32),
    /// All, until fewer are found to be as good.
    Found,
}

impl Most {
    pub(crate) fn of(bounds: &Bounds) -> Most {
        match bounds.hard {
            Some(hard) => Most::Said(hard),
            None if bounds.unshed => Most::All,
            None => Most::Found,
        }
    }
}

/// The gate of an instance.
#[derive(Debug)]
pub(super) struct Gate {
    /// Those whose answer has not begun.
    inside: AtomicUsize,
    /// How many they may be.
    most: AtomicUsize,
    turn: AtomicUsize,
    watched: AtomicBool,
    valve: Mutex<Valve>,
}

/// Somebody who was let in, as long as nothing has come back.
#[derive(Debug, Clone, Copy)]
pub(super) struct Inside {
    /// When, and among how many, where that is looked at.
    seen: Option<(Instant, usize)>,
}

impl Gate {
    pub(super) fn new() -> Gate {
        Gate {
            inside: AtomicUsize::new(0),
            most: AtomicUsize::new(usize::MAX),
            turn: AtomicUsize::new(0),
            watched: AtomicBool::new(false),
            valve: Mutex::default(),
        }
    }

    fn valve(&self) -> MutexGuard<'_, Valve> {
        self.valve.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Lets one in, if there is room.
    pub(super) fn enters(&self) -> Option<Inside> {
        let most = self.most.load(Ordering::SeqCst);
        let among = if most == usize::MAX {
            self.inside.fetch_add(1, Ordering::SeqCst)
        } else {
            let more = |inside: usize| (inside < most).then_some(inside + 1);
            self.inside
                .fetch_update(Ordering::SeqCst, Ordering::SeqCst, more)
                .ok()?
        };
        let is_seen = among >= CROWD || most != usize::MAX || self.is_sampled();
        Some(Inside {
            seen: is_seen.then(|| (clock::now(), among)),
        })
    }

    /// Of two that count at once one is lost, and nothing with it.
    fn is_sampled(&self) -> bool {
        let turn = self.turn.load(Ordering::Relaxed);
        self.turn.store(turn.wrapping_add(1), Ordering::Relaxed);
        turn < FIRST || turn.is_multiple_of(SAMPLED)
    }

    pub(super) fn leaves(&self) {
        self.inside.fetch_sub(1, Ordering::SeqCst);
    }

    pub(super) fn is_full(&self) -> bool {
        self.inside.load(Ordering::SeqCst) >= self.most.load(Ordering::SeqCst)
    }

    /// How many there is room for, whether that is certain, and how long an answer takes where nobody has to wait for it.
    pub(super) fn room(&self) -> (usize, bool, Duration) {
        let valve = self.valve();
        let most = valve.limit().map_or(usize::MAX, |limit| limit as usize);
        (most, valve.is_sure(), valve.mean())
    }

    /// Why somebody is sent away, in words.
    pub(super) fn why(&self) -> String {
        let valve = self.valve();
        format!(
            "more than {} at once bring no more answers from it, as was tried, and an answer begins after {} ms while few ask",
            valve.limit().unwrap_or(0),
            valve.mean().as_millis().max(1)
        )
    }

    /// Somebody has found no room. Says whether nobody looks at it yet.
    pub(super) fn is_waited_for(&self) -> bool {
        self.valve().full(clock::millis());
        !self.watched.swap(true, Ordering::SeqCst)
    }

    /// An answer has begun. Says how many more there is room for than before.
    pub(super) fn answered(&self, one: Inside, queue: impl FnOnce() -> bool) -> usize {
        let inside = self.inside.fetch_sub(1, Ordering::SeqCst).saturating_sub(1);
        let Some((sent, then)) = one.seen else { return 0 };
        let (is_wanted, at) = (queue(), clock::now());
        let around = Around {
            now: clock::millis(),
            then,
            inside,
            is_wanted,
        };
        self.changes(|valve| valve.answered(at.duration_since(sent), around))
    }

    /// Changes what is known. Says how many more there is room for than before.
    fn changes(&self, how: impl FnOnce(&mut Valve)) -> usize {
        let mut valve = self.valve();
        how(&mut valve);
        let most = valve.limit().map_or(usize::MAX, |limit| limit as usize);
        let before = self.most.load(Ordering::SeqCst);
        if most != before {
            self.most.store(most, Ordering::SeqCst);
        }
        most.saturating_sub(before)
    }

    /// Looks at an instance that says nothing, until nobody waits for it.
    pub(super) async fn watch(instance: Weak<Instance>) {
        loop {
            sleep(LOOKS).await;
            let Some(instance) = instance.upgrade() else {
                return;
            };
            let gate = &instance.gate;
            let is_idle = instance.queue.is_empty()
                && gate.inside.load(Ordering::SeqCst) <= gate.most.load(Ordering::SeqCst) / 2;
            let more = gate.changes(|valve| {
                if is_idle {
                    valve.has_room(clock::millis());
                }
                valve.passes(clock::millis());
            });
            instance.calls(more);
            if !gate.is_full() {
                // Whoever came while there was none has been called by nobody.
                instance.calls(1);
            }
            if !gate.valve().is_full() {
                gate.watched.store(false, Ordering::SeqCst);
                // Whoever came in between has seen that somebody looks.
                if instance.queue.is_empty() || gate.watched.swap(true, Ordering::SeqCst) {
                    return;
                }
            }
        }
    }
}
