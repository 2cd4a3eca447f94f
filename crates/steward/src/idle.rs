//! Ending for want of anything to do: a steward that looks after nothing, and that nobody asks for anything, is of no use.
//!
//! Whoever sets a secret before anything runs has a steward started for it. It would stay for ever, because the end of a
//! steward is otherwise the end of what it looks after.

use crate::core::Core;
use crate::course::Helm;
use crate::door::clock;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use towpath_engine::Engine;

/// Who asks for something now, and since when nobody does.
#[derive(Debug)]
pub(crate) struct Presence(Mutex<(usize, Instant)>);

/// Somebody who asks for something, as long as this is kept.
#[derive(Debug)]
pub(crate) struct Guest(Arc<Presence>);

impl Presence {
    /// Nobody has asked for anything yet.
    pub(crate) fn new() -> Arc<Self> {
        Arc::new(Presence(Mutex::new((0, clock::now()))))
    }

    /// Somebody asks for something.
    pub(crate) fn enter(self: &Arc<Self>) -> Guest {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).0 += 1;
        Guest(Arc::clone(self))
    }

    /// Since when nobody asks for anything.
    fn alone_since(&self) -> Option<Instant> {
        let (guests, since) = *self.0.lock().unwrap_or_else(PoisonError::into_inner);
        (guests == 0).then_some(since)
    }
}

impl Drop for Guest {
    fn drop(&mut self) {
        let mut here = self.0.0.lock().unwrap_or_else(PoisonError::into_inner);
        *here = (here.0.saturating_sub(1), clock::now());
    }
}

impl<E: Engine> Core<E> {
    /// When it has to be looked whether there is anything to do.
    pub(crate) fn next_doubt(&self) -> Option<Instant> {
        self.looks_after_nothing()
            .then(|| self.alone_since() + self.config.patience)
    }

    /// Whether nobody has asked for anything for a while, and there is nothing that a steward would have to look after, not
    /// even something that an earlier one has left.
    pub(crate) async fn is_needless(&mut self) -> bool {
        let patience: Duration = self.config.patience;
        if !self.looks_after_nothing() || self.alone_since() + patience > clock::now() {
            return false;
        }
        let Some(looking) = self.observed.take() else {
            return true;
        };
        let seen = looking.await;
        let nothing = matches!(&seen, Ok(Ok(seen)) if seen.is_empty());
        // Whoever asks for something later has to know it, too.
        self.observed = seen.ok().map(|seen| tokio::spawn(async move { seen }));
        nothing
    }

    fn looks_after_nothing(&self) -> bool {
        let left = self.left.as_ref().is_some_and(|left| left.product.is_some());
        let none = self.helm.as_ref().is_none_or(Helm::is_idle);
        self.product.is_none()
            && !left
            && none
            && self.edge.is_none()
            && self.tended.parts().keys().next().is_none()
    }

    /// Since when nobody asks for anything; who asks now has not gone yet when they go.
    fn alone_since(&self) -> Instant {
        self.presence.alone_since().unwrap_or_else(clock::now)
    }
}
