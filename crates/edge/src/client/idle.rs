//! Closes connections that nobody has used for a while.
//!
//! It runs only while there is an idle connection somewhere: an edge that nobody asks anything does nothing.

use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use super::Instance;
use crate::door::clock;

/// How long a connection is kept unused. Longer than a person looks at a page would keep memory for nobody.
const UNUSED: Duration = Duration::from_secs(15);

/// Instances that may have idle connections.
#[derive(Debug, Clone, Default)]
pub(crate) struct Idle(Arc<Mutex<Watched>>);

#[derive(Debug, Default)]
struct Watched {
    instances: Vec<Weak<Instance>>,
    is_running: bool,
}

impl Idle {
    /// From now on this instance is looked at. It is told of once while it is.
    pub(super) fn watch(&self, instance: &Arc<Instance>) {
        let mut watched = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        watched.instances.push(Arc::downgrade(instance));
        if !watched.is_running {
            watched.is_running = true;
            tokio::spawn(close_unused(Arc::downgrade(&self.0)));
        }
    }

    /// Closes all of them: their descriptors are wanted. Says whether there was one.
    pub(super) fn close(&self) -> bool {
        let watched = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let all = watched.instances.iter().filter_map(Weak::upgrade);
        all.fold(false, |any, instance| {
            let closed = std::mem::take(&mut *instance.idle());
            any || !closed.is_empty()
        })
    }
}

async fn close_unused(watched: Weak<Mutex<Watched>>) {
    loop {
        tokio::time::sleep(UNUSED).await;
        let Some(watched) = watched.upgrade() else { return };
        let mut watched = watched.lock().unwrap_or_else(PoisonError::into_inner);
        let oldest = clock::millis().saturating_sub(UNUSED.as_millis() as u64);
        watched.instances.retain(|instance| {
            instance.upgrade().is_some_and(|instance| {
                let mut idle = instance.idle();
                idle.retain(|(since, _)| *since > oldest);
                if idle.is_empty() {
                    idle.shrink_to_fit();
                    // Whoever gives a connection back from here on sees this, for it waits for this lock.
                    instance.watched.store(false, Ordering::Release);
                    return false;
                }
                true
            })
        });
        if watched.instances.is_empty() {
            watched.is_running = false;
            return;
        }
    }
}
