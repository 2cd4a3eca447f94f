//! The search for an instance that takes a request or a connection.
//!
//! Ready instances of the visitor's release are tried first, the one that is expected to answer soonest before the others. When
//! there is none, or all of them have refused, another release answers; and when nobody does, the search waits: until the
//! target is set, which wakes it at once, or for a short while, after which those that refused are asked again. A process that comes back on the same port is not announced by anybody, so asking is the only way to
//! learn of it; the pause is a quarter of what has been waited so far, which finds it soon and never asks often. It all
//! ends when the target's hold is over, counted from the beginning of the search.
//!
//! Where instances have as much open as they may, the search waits in a queue, and who came first goes first.

use std::sync::Arc;
use std::time::{Duration, Instant};

use http::StatusCode;
use rustix::io::Errno;
use tokio::time::{sleep, timeout};

use crate::balance::{self, Cost};
use crate::client::{Busy, Instance, Most};
use crate::door::clock;
use crate::pages::Page;
use crate::pulse::{self, Standing};
use crate::queue::{Room, Ticket};
use crate::shares::Wish;
use crate::state::State;
use crate::table::Aim;
use crate::{Answer, Event};

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
    wish: &'s Wish,
    refused: Vec<Arc<Instance>>,
    /// How many have refused since it began.
    pub(crate) failures: u32,
    stick: Option<u64>,
    /// It says nothing of how an instance does when its answer begins: it is given without being counted.
    pub(crate) is_apart: bool,
    began: Instant,
    /// The place in the queue of those who wait for room.
    ticket: Option<Ticket>,
}

impl<'s> Search<'s> {
    pub(crate) fn new(state: &'s State, aim: Arc<Aim>, stick: Option<u64>, wish: &'s Wish) -> Search<'s> {
        Search {
            state,
            aim,
            wish,
            refused: Vec::new(),
            failures: 0,
            stick,
            is_apart: false,
            began: clock::now(),
            ticket: None,
        }
    }

    /// The instance to try next.
    pub(crate) async fn next(&mut self) -> Result<(Arc<Instance>, Busy), Vain> {
        loop {
            if self.is_its_turn()
                && let Some(found) = self.choose()
            {
                self.ticket.take().into_iter().for_each(Ticket::served);
                return Ok(found);
            }
            Box::pin(self.wait()).await?;
        }
    }

    /// The release that it looks for an instance of.
    pub(crate) fn release(&self) -> Option<Arc<str>> {
        self.aim.pool(self.wish).1.map(Arc::clone)
    }

    /// Whether nobody waits for room who came before.
    fn is_its_turn(&self) -> bool {
        self.ticket.is_some() || self.aim.place.queue.is_empty() || self.most() == Most::All
    }

    /// How many an instance is given at once.
    fn most(&self) -> Most {
        match Most::of(self.aim.guard.bounds()) {
            Most::Found if self.is_apart => Most::All,
            most => most,
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
        instance.pulse.failed();
        self.judge(instance);
        self.refused.push(Arc::clone(instance));
    }

    /// This machine has no room for a connection to an instance.
    pub(crate) fn exhausted(&self, why: Errno) -> Page {
        self.state.is_exhausted(&why.into());
        let words = "There is no room for another connection. Ask again in a moment.";
        Page::new(StatusCode::SERVICE_UNAVAILABLE, "Too much at once", words)
    }

    /// Whether there are others that it would be compared with, or those who wait want to know.
    pub(crate) fn is_measured(&self) -> bool {
        self.aim.instances.len() > 1 || self.aim.guard.bounds().hard.is_some()
    }

    /// An instance has begun to answer.
    pub(crate) fn answered(&self, instance: &Arc<Instance>, took: Duration, is_wrong: bool) {
        let now = clock::millis();
        instance.pulse.took(now, took);
        if instance.pulse.answered(is_wrong) {
            self.judge(instance);
        } else if instance.pulse.is_out() && instance.pulse.comes_back(now) {
            self.state.tell(Event::Returned {
                target: self.aim.place.name.to_string(),
                instance: instance.id.clone(),
            });
        }
    }

    /// Leaves an instance out that does worse than the others of its release.
    fn judge(&self, instance: &Arc<Instance>) {
        let is_other =
            |other: &&Arc<Instance>| !Arc::ptr_eq(other, instance) && other.release() == instance.release();
        let others = self.aim.instances.iter().filter(is_other);
        let others: Vec<pulse::Health> = others.map(|other| other.pulse.health()).collect();
        if let Some(because) = pulse::judge(instance.pulse.health(), &others)
            && instance.pulse.leave_out(clock::millis(), because)
        {
            self.aim.place.ejects();
            self.state.tell(Event::Ejected {
                target: self.aim.place.name.to_string(),
                instance: instance.id.clone(),
                because: because.words(),
            });
        }
    }

    fn is_refused(&self, instance: &Arc<Instance>) -> bool {
        self.refused.iter().any(|other| Arc::ptr_eq(other, instance))
    }

    /// An instance of the release that is wished for; of another one where all of its own have refused, or there are none.
    fn choose(&self) -> Option<(Arc<Instance>, Busy)> {
        let (pool, release) = self.aim.pool(self.wish);
        if let Some(found) = self.choose_of(pool) {
            return Some(found);
        }
        let may_fall = release.is_some() && !matches!(self.wish, Wish::Forced(_));
        if !may_fall || pool.iter().any(|one| !self.is_refused(one)) {
            return None;
        }
        let found = self
            .aim
            .instead()
            .into_iter()
            .find_map(|pool| self.choose_of(pool));
        found.inspect(|_| self.aim.place.falls())
    }

    /// An instance, counted as one that has this open. One that has as much open as it may is out of the question.
    fn choose_of(&self, pool: &[Arc<Instance>]) -> Option<(Arc<Instance>, Busy)> {
        let (bounds, most) = (self.aim.guard.bounds(), self.most());
        let takes = |instance: &Arc<Instance>| Some((Arc::clone(instance), instance.busy(most)?));
        if let Some(mark) = self.stick
            && let Some(instance) = self.aim.marked(mark)
            && pool.iter().any(|one| Arc::ptr_eq(one, instance))
            && !self.is_refused(instance)
            && !instance.pulse.is_out()
            && !is_better_elsewhere(pool, instance, bounds.soft)
            && let Some(taken) = takes(instance)
        {
            return Some(taken);
        }
        if let [instance] = pool {
            return takes(instance).filter(|_| !self.is_refused(instance));
        }
        let now = clock::millis();
        if let Some(due) = pool
            .iter()
            .find(|one| one.pulse.is_out() && !self.is_refused(one))
            && due.pulse.is_tried_now(now)
            && let Some(taken) = takes(due)
        {
            return Some(taken);
        }
        self.cheapest(pool, now, &takes, false)
            .or_else(|| self.cheapest(pool, now, &takes, true))
    }

    /// The one that is expected to answer soonest, without those that are left out, or all of them.
    fn cheapest<T>(
        &self,
        pool: &[Arc<Instance>],
        now: u64,
        takes: &impl Fn(&Arc<Instance>) -> Option<T>,
        all: bool,
    ) -> Option<T> {
        let most = self.most();
        let slow_start = u64::try_from(self.aim.target.slow_start.as_millis()).unwrap_or(u64::MAX);
        let place = &self.aim.place;
        let (count, turn) = (pool.len(), place.turn());
        let cost = |at: usize| {
            let instance: &Arc<Instance> = &pool[at];
            let is_there = all || instance.pulse.standing(now) == Standing::In;
            (is_there && !instance.is_full(most) && !self.is_refused(instance)).then(|| Cost {
                open: instance.open() as u64,
                micros: instance.pulse.micros(now),
                cold: instance.pulse.cold(now, slow_start),
            })
        };
        if count > balance::LOOKED_AT {
            let (one, other) = balance::two_of(count, turn, place.active());
            let of = |at: usize| [one, other].get(at).and_then(|at| cost(*at));
            let least = balance::cheapest(2, 0, of).map(|at| [one, other][at]);
            if let Some(taken) = least.and_then(|at| takes(&pool[at])) {
                return Some(taken);
            }
        }
        // The one that is chosen may have been filled up by somebody else in between: then there is another one.
        while let Some(at) = balance::cheapest(count, turn, cost) {
            if let Some(taken) = takes(&pool[at]) {
                return Some(taken);
            }
        }
        None
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
            // The line that it stood in may be that of another release now.
            self.ticket = None;
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
        let (pool, release) = self.aim.pool(self.wish);
        let release = release.map(Arc::clone);
        if pool.is_empty() {
            if self.aim.instances.is_empty() && place.is_first_to_want() {
                self.state.tell(Event::Wanted(place.name.to_string()));
            }
            let _ = timeout(left, changed).await;
        } else if self.refused.is_empty() && self.most() != Most::All {
            self.wait_for_room(release, left, changed).await?;
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

    /// Waits in the queue, until it is called.
    async fn wait_for_room(
        &mut self,
        release: Option<Arc<str>>,
        left: Duration,
        changed: impl Future<Output = ()>,
    ) -> Result<(), Vain> {
        let is_new = self.ticket.is_none();
        if self.most() == Most::Found {
            self.aim
                .pool(self.wish)
                .0
                .iter()
                .for_each(Instance::is_waited_for);
        }
        let ticket = match self.ticket.take() {
            Some(ticket) => ticket,
            None => self
                .aim
                .place
                .queue
                .join(release, self.room())
                .ok_or_else(|| self.too_much())?,
        };
        let ticket = self.ticket.insert(ticket);
        if !is_new {
            ticket.again();
        } else if ticket.is_first() {
            // What became free before it stood there has called nobody.
            return Ok(());
        }
        let _ = timeout(left, async {
            tokio::select! {
                () = changed => {}
                () = ticket.called() => {}
            }
        })
        .await;
        if ticket.is_shed() {
            return Err(self.too_much());
        }
        Ok(())
    }

    /// How many of its release are answered at once, and how long that takes.
    fn room(&self) -> Room {
        let now = clock::millis();
        let (pool, _) = self.aim.pool(self.wish);
        let most = self.most();
        let nothing = Room {
            at_once: 0,
            takes: Duration::ZERO,
            is_certain: true,
            now,
        };
        pool.iter()
            .map(|one| one.room(most, now))
            .fold(nothing, |all, (at_once, is_certain, takes)| Room {
                at_once: all.at_once.saturating_add(at_once),
                takes: all.takes.max(takes),
                is_certain: all.is_certain && is_certain,
                now,
            })
    }

    fn too_much(&self) -> Vain {
        let place = &self.aim.place;
        if place.queue.is_due_to_be_told(clock::millis()) {
            let (pool, _) = self.aim.pool(self.wish);
            self.state.tell(Event::Shed {
                target: place.name.to_string(),
                because: pool
                    .first()
                    .map_or_else(String::new, |one| one.why_full(self.most())),
            });
        }
        Vain(format!(
            "{} has more to do than it can. Ask again in a moment.",
            place.name
        ))
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
        let most = self.most();
        match self.aim.instances.iter().all(|one| one.is_full(most)) {
            true => format!("{} has as many requests open as it may.", self.aim.place.name),
            false => because.to_owned(),
        }
    }
}

/// Whether somebody who stays on an instance is better served by another one: this one has much open, another has not.
fn is_better_elsewhere(pool: &[Arc<Instance>], instance: &Instance, soft: Option<u32>) -> bool {
    let Some(soft) = soft.map(|soft| soft as usize) else {
        return false;
    };
    instance.open() >= soft && pool.iter().any(|other| other.open() < soft)
}
