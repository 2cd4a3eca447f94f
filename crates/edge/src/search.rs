//! The search for an instance that takes a request or a connection.
//!
//! Ready instances are tried first, the least busy one before the others. When there is none, or all of them have refused,
//! the search waits: until the target is set, which wakes it at once, or for a short while, after which those that refused
//! are asked again. A process that comes back on the same port is not announced by anybody, so asking is the only way to
//! learn of it; the pause is a quarter of what has been waited so far, which finds it soon and never asks often. It all
//! ends when the target's hold is over, counted from the beginning of the search.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::time::{sleep, timeout};

use crate::client::Instance;
use crate::door::clock;
use crate::state::State;
use crate::table::Aim;
use crate::{Answer, Event, balance};

const SHORTEST_PAUSE: Duration = Duration::from_millis(1);
const LONGEST_PAUSE: Duration = Duration::from_millis(50);

/// How often a refusing instance is told about.
const TOLD_EACH: u64 = 1_000;

/// Why a search ended in vain, in words for the visitor.
#[derive(Debug)]
pub(crate) struct Vain(pub(crate) String);

pub(crate) struct Search<'s> {
    state: &'s State,
    pub(crate) aim: Arc<Aim>,
    refused: Vec<Arc<Instance>>,
    /// How many have refused since it began.
    pub(crate) failures: u32,
    stick: Option<String>,
    began: Instant,
}

impl<'s> Search<'s> {
    pub(crate) fn new(state: &'s State, aim: Arc<Aim>, stick: Option<String>) -> Search<'s> {
        Search {
            state,
            aim,
            refused: Vec::new(),
            failures: 0,
            stick,
            began: clock::now(),
        }
    }

    /// The instance to try next.
    pub(crate) async fn next(&mut self) -> Result<Arc<Instance>, Vain> {
        loop {
            if let Some(instance) = self.choose() {
                return Ok(instance);
            }
            self.wait().await?;
        }
    }

    /// An instance could not be reached, or broke off: it is asked again only after all others.
    pub(crate) fn refused(&mut self, instance: &Arc<Instance>) {
        if instance.is_due_to_be_told(TOLD_EACH) {
            self.state.tell(Event::Refused {
                target: self.aim.place.name.to_string(),
                instance: instance.id.clone(),
            });
        }
        self.failures += 1;
        self.aim.place.fails();
        self.refused.push(Arc::clone(instance));
    }

    fn choose(&self) -> Option<Arc<Instance>> {
        let instances = &self.aim.instances;
        let is_refused =
            |instance: &Arc<Instance>| self.refused.iter().any(|other| Arc::ptr_eq(other, instance));
        if let Some(mark) = &self.stick
            && let Some(instance) = instances
                .iter()
                .find(|instance| balance::mark(&instance.id) == *mark)
            && !is_refused(instance)
        {
            return Some(Arc::clone(instance));
        }
        if let [instance] = &**instances {
            return (!is_refused(instance)).then(|| Arc::clone(instance));
        }
        let open: Vec<Option<usize>> = instances
            .iter()
            .map(|instance| (!is_refused(instance)).then(|| instance.open()))
            .collect();
        balance::fewest(&open, self.aim.place.turn()).map(|at| Arc::clone(&instances[at]))
    }

    async fn wait(&mut self) -> Result<(), Vain> {
        let place = Arc::clone(&self.aim.place);
        let mut changed = std::pin::pin!(place.changed.notified());
        // Whoever sets the target from here on is heard, even before anything waits.
        changed.as_mut().enable();
        let before = Arc::clone(&self.aim);
        let (hold, because) = self.look_again()?;
        if !Arc::ptr_eq(&before, &self.aim) {
            self.refused.clear();
            return Ok(());
        }
        let waited = clock::now().duration_since(self.began);
        let Some(left) = hold.checked_sub(waited).filter(|left| !left.is_zero()) else {
            return Err(Vain(because));
        };
        let Some(_seat) = place.seat() else {
            return Err(Vain(format!(
                "Too many requests wait for {} already.",
                place.name
            )));
        };
        if self.aim.instances.is_empty() {
            if place.is_first_to_want() {
                self.state.tell(Event::Wanted(place.name.to_string()));
            }
            let _ = timeout(left, changed).await;
        } else {
            let pause = (waited / 4).clamp(SHORTEST_PAUSE, LONGEST_PAUSE).min(left);
            tokio::select! {
                () = changed => {}
                () = sleep(pause) => {}
            }
        }
        self.refused.clear();
        self.look_again().map(|_| ())
    }

    /// Takes the target as it is now: how long it holds, and what it says when that is over.
    fn look_again(&mut self) -> Result<(Duration, String), Vain> {
        let name = &self.aim.place.name;
        let Some(aim) = self.state.aim(name) else {
            return Err(Vain(format!("{name} has been taken away.")));
        };
        self.aim = aim;
        match &self.aim.target.answer {
            Answer::Instances { hold, because, .. } => Ok((*hold, because.clone())),
            Answer::Closed { because } => Err(Vain(because.clone())),
            Answer::Files { .. } => Err(Vain(format!(
                "{} has just changed. Ask again.",
                self.aim.place.name
            ))),
        }
    }
}
