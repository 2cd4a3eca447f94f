//! How everything that is open learns that the edge ends, and how the edge learns that nothing is open any more.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::sync::{Notify, watch};

/// How far the end has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd)]
pub(crate) enum Phase {
    /// It has not begun.
    Serving,
    /// Somebody else takes what comes from now on. What is open stays as long as it likes to, and is told when it asks.
    Leaving,
    /// What is open ends when it is done.
    Ending,
    /// What is open ends now.
    Over,
}

/// The end of the edge.
#[derive(Debug)]
pub(crate) struct Ending {
    phase: watch::Sender<Phase>,
    open: AtomicUsize,
    closed: Notify,
}

impl Ending {
    pub(crate) fn new() -> Arc<Ending> {
        Arc::new(Ending {
            phase: watch::Sender::new(Phase::Serving),
            open: AtomicUsize::new(0),
            closed: Notify::new(),
        })
    }

    /// Tells everybody.
    pub(crate) fn tell(&self, phase: Phase) {
        self.phase.send_replace(phase);
    }

    /// Whether whoever asks is to be told that this was the last answer here.
    pub(crate) fn is_leaving(&self) -> bool {
        *self.phase.borrow() == Phase::Leaving
    }

    /// A connection that has to end before the edge has.
    pub(crate) fn join(self: &Arc<Ending>) -> Part {
        self.open.fetch_add(1, Ordering::AcqRel);
        Part {
            ending: Arc::clone(self),
            phase: self.phase.subscribe(),
        }
    }

    /// Waits until every part has ended.
    pub(crate) async fn is_empty(&self) {
        loop {
            let closed = self.closed.notified();
            if self.open.load(Ordering::Acquire) == 0 {
                return;
            }
            closed.await;
        }
    }
}

/// One of those that the end waits for. It has ended when this is dropped.
#[derive(Debug)]
pub(crate) struct Part {
    ending: Arc<Ending>,
    phase: watch::Receiver<Phase>,
}

impl Part {
    /// Waits until the end has come so far.
    pub(crate) async fn reached(&mut self, phase: Phase) {
        // The sender lives as long as this part does, so this always ends because of the phase.
        let _ = self.phase.wait_for(|now| *now >= phase).await;
    }
}

impl Drop for Part {
    fn drop(&mut self) {
        if self.ending.open.fetch_sub(1, Ordering::AcqRel) == 1 {
            self.ending.closed.notify_waiters();
        }
    }
}
