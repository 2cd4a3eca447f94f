//! One request that goes to an origin, and those that wait for its answer.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::timeout;

use super::kept::Head;
use super::key::Key;
use super::record::Record;
use super::shelf::Shelf;

/// How long somebody waits for the answer to another one's request. Whoever has waited so long asks by himself: an origin
/// that answers one request so slowly may answer another one sooner.
const PATIENCE: Duration = Duration::from_secs(10);

/// How far it is.
#[derive(Debug, Clone)]
pub(super) enum Phase {
    /// The origin has not answered.
    Asking,
    /// Its answer comes, as long as it said: others may have it while it does.
    Comes(Arc<(Head, Arc<Record>)>),
    /// What came is kept.
    Kept,
    /// Nothing is kept of it: everybody asks by himself.
    Alone,
}

/// A request on its way.
#[derive(Debug)]
pub(super) struct Flight {
    phase: watch::Sender<Phase>,
    /// What it asks for has been changed meanwhile: its answer is not kept.
    void: AtomicBool,
}

impl Flight {
    pub(super) fn new() -> Flight {
        Flight {
            phase: watch::channel(Phase::Asking).0,
            void: AtomicBool::new(false),
        }
    }

    pub(super) fn void(&self) {
        self.void.store(true, Ordering::Relaxed);
        self.phase.send_replace(Phase::Alone);
    }

    pub(super) fn is_void(&self) -> bool {
        self.void.load(Ordering::Relaxed)
    }

    /// Waits until something can be done with it.
    pub(super) async fn wait(&self) -> Phase {
        let mut seen = self.phase.subscribe();
        let came = seen.wait_for(|phase| !matches!(phase, Phase::Asking));
        match timeout(PATIENCE, came).await {
            Ok(Ok(phase)) => phase.clone(),
            _ => Phase::Alone,
        }
    }
}

/// The one who asks. When it is dropped nobody waits for it any more.
pub(super) struct Lead {
    shelf: Arc<Shelf>,
    pub(super) key: Key,
    flight: Arc<Flight>,
}

impl Lead {
    pub(super) fn new(shelf: &Arc<Shelf>, key: &Key, flight: Arc<Flight>) -> Lead {
        Lead {
            shelf: Arc::clone(shelf),
            key: key.clone(),
            flight,
        }
    }

    pub(super) fn is_void(&self) -> bool {
        self.flight.is_void()
    }

    /// The answer comes: others may have it, too.
    pub(super) fn comes(&self, head: Head, record: Arc<Record>) {
        if !self.is_void() {
            self.flight
                .phase
                .send_replace(Phase::Comes(Arc::new((head, record))));
        }
    }

    /// It is kept.
    pub(super) fn kept(&self) {
        self.flight.phase.send_replace(Phase::Kept);
    }
}

impl Drop for Lead {
    fn drop(&mut self) {
        self.shelf.landed(&self.key, &self.flight);
        self.flight.phase.send_if_modified(|phase| {
            let is_open = !matches!(phase, Phase::Kept | Phase::Alone);
            if is_open {
                *phase = Phase::Alone;
            }
            is_open
        });
    }
}
