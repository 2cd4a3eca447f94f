//! What is known of one component.

mod asked;
mod lined;

use super::PAUSE;
use super::fact::{Act, Did, NoPort, Remembered};
use crate::converge::{Because, Busy, Decision, Made, Scene, Standing, Step, Well, Will, converge};
use crate::hours::Hours;
use crate::job::{self, Turns};
use crate::rollout::Row;
use jiff::Timestamp;
use std::collections::BTreeMap;
use std::sync::Arc;
use towpath_model::run::{Ask, Component, InstanceId, Kind, Life, Seen, State, Stop};
use towpath_model::unit::{Duration, Name};

/// How often the pause is doubled where no port is free: up to half a minute.
const MOST_DOUBLED: u32 = 4;

/// What is known of one component.
#[derive(Debug)]
pub struct Part {
    /// What it is, while it is part of the product.
    pub component: Option<Arc<Component>>,
    /// The digest that its instances are to be started from.
    pub digest: String,
    /// What is wanted of it.
    pub will: Will,
    /// How many instances a person wants, where that is not what the manifest says.
    pub scale: Option<u32>,
    /// Until when it does, where its schedule says another number then.
    pub scale_until: Option<Timestamp>,
    /// What its schedule said when it was decided last.
    pub hours: Option<Hours>,
    /// Its instances, by their numbers.
    pub standing: Vec<Standing>,
    /// The greatest number that an instance of it has had.
    pub last: u64,
    /// Its state.
    pub state: State,
    /// Why.
    pub because: Because,
    /// What is remembered of a job.
    pub turns: Turns,
    /// The folder that it serves, where that is not there.
    pub missing: Option<String>,
    pub(super) packed: Made,
    pub(super) trouble: Option<(String, Option<Timestamp>)>,
    /// How often in a row there was no port for it.
    pub(super) refusals: u32,
    pub(super) restart: Option<Because>,
    /// A person wants it to run, whatever its schedule says now.
    pub(super) started: bool,
    pub(super) look: Option<Timestamp>,
    /// It lived when it was decided last.
    pub(super) lived: bool,
    /// What was remembered of it last.
    pub(super) kept: Remembered,
    /// The releases of it that have to stand, where releases decide what runs.
    pub row: Option<Row>,
    /// What those are started from that are about to be, where that is not `digest`: by their numbers.
    pub(super) starting: BTreeMap<u64, (String, Arc<Component>)>,
    /// What that was to be started from which could not be.
    pub(super) trouble_of: Option<String>,
}

impl Default for Part {
    fn default() -> Self {
        Part {
            component: None,
            digest: String::new(),
            will: Will::Up,
            scale: None,
            scale_until: None,
            hours: None,
            standing: Vec::new(),
            last: 0,
            state: State::Stopped,
            because: Because::NotWanted,
            turns: Turns::default(),
            missing: None,
            packed: Made::Done,
            trouble: None,
            refusals: 0,
            restart: None,
            started: false,
            look: None,
            lived: false,
            kept: Remembered::default(),
            row: None,
            starting: BTreeMap::new(),
            trouble_of: None,
        }
    }
}

/// What was decided, jobs and others alike.
pub(super) struct Decided {
    pub(super) state: State,
    pub(super) because: Because,
    pub(super) steps: Vec<(Step, Because)>,
    pub(super) again: Option<Timestamp>,
    pub(super) missed: Option<(usize, Timestamp)>,
}

impl From<Decision> for Decided {
    fn from(decision: Decision) -> Self {
        Decided {
            state: decision.state,
            because: decision.because,
            steps: decision.steps,
            again: decision.again,
            missed: None,
        }
    }
}

impl Part {
    /// Whether anything of it runs, or will again.
    pub fn lives(&self) -> bool {
        self.standing.iter().any(Standing::lives)
    }

    /// Whether it is of that kind.
    pub fn is(&self, kind: Kind) -> bool {
        self.component
            .as_ref()
            .is_some_and(|component| component.kind == kind)
    }

    /// Whether it sleeps when nobody asks.
    pub fn sleeps(&self) -> bool {
        self.component
            .as_ref()
            .is_some_and(|component| component.idle.is_some() && component.listens.is_some())
    }

    /// Whether it is reached by anybody: the edge knows it.
    pub fn faces(&self) -> bool {
        let known = |component: &Arc<Component>| component.listens.is_some() || component.site.is_some();
        self.component.as_ref().is_none_or(known)
    }

    /// How many instances should run.
    pub fn instances(&self) -> u32 {
        let Some(component) = &self.component else {
            return 0;
        };
        // What sleeps has none by itself; awake it needs one.
        let hours = self.hours.as_ref();
        let written = hours.map_or(component.instances, |hours| hours.instances);
        let written = if self.sleeps() { written.max(1) } else { written };
        let wanted = self.scale.unwrap_or(written);
        // Two cannot listen on one port.
        let fixed = component
            .listens
            .as_ref()
            .is_some_and(|listens| listens.port.is_some());
        if component.single || fixed {
            wanted.min(1)
        } else {
            wanted
        }
    }

    /// What has to be remembered of it.
    pub fn remembered(&self) -> Remembered {
        Remembered {
            stopped: self.will == Will::Stopped,
            scale: self.scale,
            scale_until: self.scale_until,
            last: self.last,
            turns: self.turns,
        }
    }

    pub(super) fn remember(&mut self, what: Remembered) {
        if what.stopped {
            self.will = Will::Stopped;
        }
        self.scale = what.scale;
        self.scale_until = what.scale_until;
        self.last = self.last.max(what.last);
        self.turns = what.turns;
        self.kept = what;
    }

    pub(super) fn find(&mut self, number: u64) -> Option<&mut Standing> {
        self.standing.iter_mut().find(|one| one.seen.id.number == number)
    }

    /// It is asked other things than before, or nothing any more.
    pub(super) fn accustom(&mut self) {
        let runs = |digest: &str| {
            let component = self.component_of(digest);
            component.is_some_and(|component| component.health.ask == Ask::Runs)
        };
        let runs: Vec<bool> = self.standing.iter().map(|one| runs(&one.seen.digest)).collect();
        for (one, _) in self.standing.iter_mut().zip(runs).filter(|(_, runs)| *runs) {
            one.well = Well::Yes;
        }
    }

    /// There is no port for an instance that was to be started.
    pub(super) fn refuse(&mut self, id: &InstanceId, why: &NoPort) {
        self.withdraw(id, Did::Start);
        self.trouble = Some((why.to_string(), None));
        // One port is tried quickly, and is free as soon as somebody ends. Where all are taken, looking through them costs.
        if *why == NoPort::NoneFree {
            self.refusals += 1;
        }
    }

    /// What was done to an instance succeeded.
    pub(super) fn recovered(&mut self) {
        self.trouble = None;
        self.trouble_of = None;
        self.refusals = 0;
    }

    /// It may be tried again at once.
    pub(super) fn retry(&mut self) {
        self.recovered();
        if let Made::Failed(_) = self.packed {
            self.packed = Made::Due;
        }
    }

    /// An instance has been seen.
    pub(super) fn see(&mut self, seen: Seen) {
        self.last = self.last.max(seen.id.number);
        let runs = self
            .component_of(&seen.digest)
            .is_some_and(|component| component.health.ask == Ask::Runs);
        let fresh = || {
            if runs {
                Well::Yes
            } else {
                Well::NotYet { late: None }
            }
        };
        let asked_to_stop = matches!(seen.life, Life::Stopping { .. });
        match self.find(seen.id.number) {
            Some(one) => {
                // A process that was not there before has not answered yet, whatever the one before it said.
                if one.seen.life.pid() != seen.life.pid() {
                    one.well = fresh();
                    one.robbed = false;
                    one.stopped &= seen.life.is_over();
                }
                // That it is asked to stop is told by itself, too: whoever asked may have died since, and an answer may
                // arrive before what was told on the way there.
                one.stopped |= one.busy != Some(Busy::Restarting) && asked_to_stop;
                one.seen = seen;
            }
            None => {
                let well = fresh();
                self.standing.push(Standing {
                    seen,
                    well,
                    busy: None,
                    robbed: false,
                    stopped: asked_to_stop,
                });
                self.standing.sort_by_key(|one| one.seen.id.number);
            }
        }
    }

    /// Whether an answer tells something that is not known yet. An engine tells every life of an instance as it comes, and
    /// an answer may arrive after what has followed it: a process that has ended since must not live again.
    pub(super) fn is_news(&mut self, seen: &Seen, did: Did) -> bool {
        match (did, self.find(seen.id.number)) {
            (Did::Start, Some(known)) => known.seen.since == Timestamp::UNIX_EPOCH,
            (Did::Restart, Some(known)) => known.seen.since <= seen.since,
            _ => true,
        }
    }

    /// Something could not be done to an instance.
    pub(super) fn fail(&mut self, id: &InstanceId, did: Did, why: String) {
        if did == Did::Start {
            self.trouble_of = self.find(id.number).map(|one| one.seen.digest.clone());
            self.standing.retain(|one| one.seen.id != *id);
        }
        self.trouble = Some((why, None));
    }

    /// The clock was set back to this: nothing has happened later than now.
    pub(super) fn set_back(&mut self, now: Timestamp) {
        if let Some((_, until)) = &mut self.trouble {
            *until = None;
        }
        for one in &mut self.standing {
            one.seen.since = one.seen.since.min(now);
            if let Well::Lost { since, .. } = &mut one.well {
                *since = (*since).min(now);
            }
        }
    }

    /// Something that was decided was not begun after all. A number that was meant for a start may be given again: nothing
    /// has ever run under it.
    pub(super) fn withdraw(&mut self, id: &InstanceId, did: Did) {
        if did == Did::Start {
            self.standing.retain(|one| one.seen.id != *id);
            if self.last == id.number {
                self.last -= 1;
            }
        } else if let Some(one) = self.find(id.number) {
            one.busy = None;
            one.stopped &= did != Did::Stop;
        }
    }

    pub(super) fn decide(
        &mut self,
        made: &Made,
        needs: &[(Name, Option<State>)],
        used: bool,
        now: Timestamp,
    ) -> Decided {
        self.look_at_hours(now);
        if let Some((_, until)) = &mut self.trouble {
            let pause = PAUSE * (1 << self.refusals.saturating_sub(1).min(MOST_DOUBLED));
            until.get_or_insert(now.checked_add(pause).unwrap_or(now));
        }
        let trouble = self
            .trouble
            .clone()
            .map(|(why, until)| (why, until.unwrap_or(now)));
        let scene = Scene {
            component: self.component.as_deref(),
            digest: &self.digest,
            will: self.will,
            instances: self.lined_instances().unwrap_or_else(|| self.instances()),
            apart: self.row.as_ref().is_some_and(|row| row.apart),
            hours: self.hours.as_ref().filter(|_| self.scale.is_none()),
            made,
            needs,
            used,
            standing: &self.standing,
            next: self.last + 1,
            trouble: trouble.as_ref(),
            missing: self.missing.as_deref(),
            now,
        };
        let is_turn = self.is(Kind::Job) && self.will == Will::Up;
        let mut decided = match (&self.component, is_turn) {
            (Some(component), true) => {
                let first = crate::converge::prepare(&scene).or_else(|| crate::converge::pause(&scene));
                match first {
                    Some(decision) => decision.into(),
                    None => {
                        let turn = job::turn(
                            component,
                            &self.digest,
                            self.turns,
                            &self.standing,
                            self.last + 1,
                            now,
                        );
                        self.turns = turn.next;
                        Decided {
                            state: turn.state,
                            because: turn.because,
                            steps: turn.steps,
                            again: turn.again,
                            missed: turn.missed,
                        }
                    }
                }
            }
            _ if self.has_sides() => {
                let (decided, starting) = self.converge_sides(&scene);
                self.starting = starting;
                decided
            }
            _ => converge(&scene).into(),
        };
        self.tell_hours(&mut decided);
        if let Some(why) = self.restart.take() {
            self.restart_all(&mut decided, why);
        }
        decided
    }

    /// Every instance that would stay as it is, is restarted.
    fn restart_all(&self, decided: &mut Decided, why: Because) {
        if self.is(Kind::Job) {
            return;
        }
        for one in self
            .standing
            .iter()
            .filter(|one| one.busy.is_none() && !one.leaves() && one.seen.digest == self.digest)
        {
            let id = &one.seen.id;
            let touched = |(step, _): &(Step, Because)| matches!(step, Step::Stop(other) | Step::Restart(other) | Step::Forget(other) if other == id);
            if !decided.steps.iter().any(touched) {
                let step = if one.seen.life.is_over() {
                    Step::Forget(id.clone())
                } else {
                    Step::Restart(id.clone())
                };
                decided.steps.push((step, why.clone()));
                // It is on its way, whatever it was: whoever waits for the restart waits for its end.
                (decided.state, decided.because) = (State::Starting, why.clone());
            }
        }
    }

    /// Marks what is about to be done, and says it to whoever does it.
    pub(super) fn act(&mut self, step: Step, because: Because, at_once: bool) -> Option<Act> {
        let of = match &step {
            Step::Stop(id) | Step::Restart(id) => self.find(id.number).map(|one| one.seen.digest.clone()),
            _ => None,
        };
        let of = of.and_then(|digest| self.component_of(&digest));
        let mut how = of.map_or_else(usual_stop, |component| component.stop.clone());
        if at_once {
            how.within = Duration::from_millis(0);
        }
        Some(match step {
            Step::Make => return None,
            Step::Start(id) => {
                self.last = self.last.max(id.number);
                let (digest, component) = match self.starting.remove(&id.number) {
                    Some(other) => other,
                    None => (self.digest.clone(), self.component.clone()?),
                };
                self.standing.push(Standing {
                    seen: Seen {
                        id: id.clone(),
                        digest: digest.clone(),
                        port: None,
                        life: Life::Lost,
                        restarts: 0,
                        since: Timestamp::UNIX_EPOCH,
                    },
                    well: Well::NotYet { late: None },
                    busy: Some(Busy::Starting),
                    robbed: false,
                    stopped: false,
                });
                Act::Start {
                    id,
                    digest,
                    component,
                    because,
                }
            }
            Step::Stop(id) => {
                self.busy(&id, Busy::Stopping);
                if let Some(one) = self.find(id.number) {
                    one.stopped = true;
                }
                Act::Stop { id, how, because }
            }
            Step::Restart(id) => {
                self.busy(&id, Busy::Restarting);
                Act::Restart { id, how, because }
            }
            Step::Forget(id) => {
                self.busy(&id, Busy::Forgetting);
                Act::Forget { id }
            }
        })
    }

    fn busy(&mut self, id: &InstanceId, busy: Busy) {
        if let Some(one) = self.find(id.number) {
            one.busy = Some(busy);
        }
    }
}

/// How something is stopped of which nobody says any more how it wants to be.
fn usual_stop() -> Stop {
    let usual = towpath_model::desired::component::Stop::usual();
    Stop {
        signal: usual.signal,
        within: usual.within,
        drain: usual.drain,
    }
}
