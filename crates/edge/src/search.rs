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

use crate::client::{Busy, Instance};
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
    stick: Option<u64>,
    began: Instant,
}

impl<'s> Search<'s> {
    pub(crate) fn new(state: &'s State, aim: Arc<Aim>, stick: Option<u64>) -> Search<'s> {
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
    pub(crate) async fn next(&mut self) -> Result<(Arc<Instance>, Busy), Vain> {
        loop {
            if let Some(found) = self.choose() {
                return Ok(found);
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

    /// An instance, counted as one that has this open. One that has as much open as it may is out of the question.
    fn choose(&self) -> Option<(Arc<Instance>, Busy)> {
        let bounds = self.aim.guard.bounds();
        let takes =
            |instance: &Arc<Instance>| Some((Arc::clone(instance), instance.busy_within(bounds.hard)?));
        let instances = &self.aim.instances;
        let is_refused =
            |instance: &Arc<Instance>| self.refused.iter().any(|other| Arc::ptr_eq(other, instance));
        if let Some(mark) = self.stick
            && let Some(instance) = self.aim.marked(mark)
            && !is_refused(instance)
            && !self.is_better_elsewhere(instance, bounds.soft)
            && let Some(taken) = takes(instance)
        {
            return Some(taken);
        }
        if let [instance] = &**instances {
            return takes(instance).filter(|_| !is_refused(instance));
        }
        let place = &self.aim.place;
        let (count, turn) = (instances.len(), place.turn());
        let is_full = |instance: &Instance| bounds.hard.is_some_and(|hard| instance.open() >= hard as usize);
        let open = |at: usize| {
            let instance: &Arc<Instance> = &instances[at];
            (!is_refused(instance) && !is_full(instance)).then(|| instance.open())
        };
        if count > balance::LOOKED_AT {
            let (one, other) = balance::two_of(count, turn, place.active());
            let least = match (open(one), open(other)) {
                (Some(open), Some(others)) if others < open => Some(other),
                (Some(_), _) => Some(one),
                (None, Some(_)) => Some(other),
                (None, None) => None,
            };
            if let Some(taken) = least.and_then(|at| takes(&instances[at])) {
                return Some(taken);
            }
        }
        // The one that is chosen may have been filled up by somebody else in between: then there is another one.
        while let Some(at) = balance::fewest(count, turn, open) {
            if let Some(taken) = takes(&instances[at]) {
                return Some(taken);
            }
        }
        None
    }

    /// Whether somebody who stays on an instance is better served by another one: this one has much open, another has not.
    fn is_better_elsewhere(&self, instance: &Instance, soft: Option<u32>) -> bool {
        let Some(soft) = soft.map(|soft| soft as usize) else {
            return false;
        };
        instance.open() >= soft && self.aim.instances.iter().any(|other| other.open() < soft)
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
            Answer::Instances { hold, because, .. } if self.aim.instances.is_empty() => {
                Ok((*hold, because.clone()))
            }
            Answer::Instances { hold, because, .. } => Ok((*hold, self.words(because))),
            Answer::Closed { because } => Err(Vain(because.clone())),
            Answer::Files { .. } => Err(Vain(format!(
                "{} has just changed. Ask again.",
                self.aim.place.name
            ))),
        }
    }

    /// Why nothing answers although somebody is there.
    fn words(&self, because: &str) -> String {
        let is_full = |most: u32| self.aim.instances.iter().all(|one| one.open() >= most as usize);
        match self.aim.guard.bounds().hard {
            Some(most) if is_full(most) => {
                format!("{} has as many requests open as it may.", self.aim.place.name)
            }
            _ => because.to_owned(),
        }
    }
}
