//! The instances of the fake engine, and what happens to them as time passes.

use super::{Behavior, is_wanted, waits_for};
use crate::{EngineError, Lines, LogLine, LogQuery, Start, Stream};
use jiff::Timestamp;
use std::collections::{BTreeMap, BTreeSet};
use tokio::sync::mpsc::{Sender, UnboundedReceiver, UnboundedSender, channel, unbounded_channel};
use tokio::sync::oneshot;
use towpath_keeper::restart::{self, History, What};
use towpath_model::run::{Exit, InstanceId, Life, Seen, Stop, Usage};
use towpath_model::unit::{Duration, Name};

/// So many lines a follower may be behind; a test that does not read loses its lines.
const FOLLOWED: usize = 4096;

/// What is wished of an instance.
pub(super) enum Wish {
    Stop(Stop),
    Restart(Stop),
}

pub(super) struct Machine {
    now: Timestamp,
    /// Milliseconds since the beginning.
    moment: u64,
    instances: BTreeMap<InstanceId, Instance>,
    lines: Vec<LogLine>,
    followers: Vec<(LogQuery, Sender<LogLine>)>,
    tell: UnboundedSender<Seen>,
    failing: BTreeSet<Name>,
    slow: BTreeMap<Name, Duration>,
    last_pid: u32,
}

struct Instance {
    order: Start,
    seen: Seen,
    phase: Phase,
    started: u64,
    history: History,
    usage: Usage,
    waiting: Vec<oneshot::Sender<Seen>>,
}

/// Where in its life it is, and when what happens next.
#[derive(Clone)]
enum Phase {
    Awaiting(Name),
    Running {
        ends: Option<(u64, Exit)>,
    },
    Stopping {
        since: u64,
        until: u64,
        done: Option<u64>,
        again: bool,
    },
    Resting {
        until: u64,
    },
    Over,
}

impl Machine {
    pub(super) fn new(now: Timestamp) -> (Self, UnboundedReceiver<Seen>) {
        let (tell, told) = unbounded_channel();
        let machine = Machine {
            now,
            moment: 0,
            instances: BTreeMap::new(),
            lines: Vec::new(),
            followers: Vec::new(),
            tell,
            failing: BTreeSet::new(),
            slow: BTreeMap::new(),
            last_pid: 1000,
        };
        (machine, told)
    }

    pub(super) fn tell_anew(&mut self) -> UnboundedReceiver<Seen> {
        let (tell, told) = unbounded_channel();
        self.tell = tell;
        for instance in self.instances.values_mut() {
            instance.waiting.clear();
        }
        told
    }

    pub(super) fn now(&self) -> Timestamp {
        self.now
    }

    pub(super) fn all(&self) -> Vec<Seen> {
        self.instances
            .values()
            .map(|instance| instance.seen.clone())
            .collect()
    }

    pub(super) fn order(&self, id: &InstanceId) -> Option<Start> {
        Some(self.instances.get(id)?.order.clone())
    }

    pub(super) fn usage(&self, id: &InstanceId) -> Option<Usage> {
        Some(self.instances.get(id)?.usage)
    }

    pub(super) fn uses(&mut self, id: &InstanceId, usage: Usage) {
        if let Some(instance) = self.instances.get_mut(id) {
            instance.usage = usage;
        }
    }

    pub(super) fn fail_start(&mut self, component: &Name) {
        self.failing.insert(component.clone());
    }

    pub(super) fn slow_stop(&mut self, component: &Name, time: Duration) {
        self.slow.insert(component.clone(), time);
    }

    /// Lets time pass from one thing that is due to the next.
    pub(super) fn advance(&mut self, time: Duration) {
        let end = self.moment.saturating_add(time.millis());
        loop {
            let next = self
                .instances
                .iter()
                .filter_map(|(id, instance)| Some((instance.due()?, id.clone())));
            match next.min() {
                Some((due, id)) if due <= end => {
                    self.set_moment(due.max(self.moment));
                    self.happen(&id);
                }
                _ => break,
            }
        }
        self.set_moment(end);
    }

    fn set_moment(&mut self, moment: u64) {
        let passed = Duration::from_millis(moment - self.moment).to_jiff();
        self.now = self.now.checked_add(passed).unwrap_or(self.now);
        self.moment = moment;
    }

    /// What was due for an instance happens.
    fn happen(&mut self, id: &InstanceId) {
        let Some(instance) = self.instances.get_mut(id) else {
            return;
        };
        match instance.phase.clone() {
            Phase::Running {
                ends: Some((_, exit)),
            } => self.exit(id, exit),
            Phase::Resting { .. } => {
                instance.seen.restarts += 1;
                self.launch(id);
            }
            Phase::Stopping {
                since,
                until,
                done,
                again,
            } => {
                let exit = match done {
                    Some(done) if done <= until => Exit::Signal { signal: 15 },
                    _ if until == since => Exit::Signal { signal: 9 },
                    _ => Exit::TooSlow {
                        within: Duration::from_millis(until - since),
                    },
                };
                self.say(id, &exit.to_string());
                if again {
                    self.launch(id);
                } else {
                    self.conclude(id, exit);
                }
            }
            _ => {}
        }
    }

    pub(super) fn start(&mut self, order: Start) -> Result<Seen, EngineError> {
        if let Some(there) = self.instances.get(&order.id) {
            return Ok(there.seen.clone());
        }
        if self.failing.remove(&order.id.component) {
            let refused = std::io::Error::from(std::io::ErrorKind::ResourceBusy);
            return Err(EngineError::system("starting", &order.id, refused));
        }
        let id = order.id.clone();
        let seen = Seen {
            id: id.clone(),
            digest: order.digest.clone(),
            port: order.port,
            life: Life::Lost,
            restarts: 0,
            since: self.now,
        };
        let instance = Instance {
            order,
            seen,
            phase: Phase::Over,
            started: self.moment,
            history: History::default(),
            usage: Usage::default(),
            waiting: Vec::new(),
        };
        self.instances.insert(id.clone(), instance);
        self.begin(&id);
        Ok(self.instances[&id].seen.clone())
    }

    /// Starts it, or lets it wait for its lease.
    fn begin(&mut self, id: &InstanceId) {
        let lease = self.instances[id].order.lease.clone();
        let is_held = |other: &Instance| {
            let holds = !matches!(other.phase, Phase::Awaiting(_) | Phase::Over);
            holds && other.order.lease == lease && other.seen.id != *id
        };
        match &lease {
            Some(lease) if self.instances.values().any(is_held) => {
                let life = waits_for(lease, self.now);
                self.becomes(id, Phase::Awaiting(lease.clone()), life);
            }
            _ => self.launch(id),
        }
    }

    fn launch(&mut self, id: &InstanceId) {
        let behavior = Behavior::read(&self.instances[id].order.command);
        if let Some(why) = behavior.missing {
            let exit = Exit::NotStarted { why };
            self.say(id, &exit.to_string());
            return self.conclude(id, exit);
        }
        self.last_pid += 1;
        let pid = self.last_pid;
        let moment = self.moment;
        let timeout = self.instances[id].order.timeout;
        let end = behavior
            .ends
            .map(|(code, after)| (moment + after.millis(), Exit::Code { code }));
        let timed_out = timeout.map(|within| (moment + within.millis(), Exit::TimedOut { within }));
        let ends = end.into_iter().chain(timed_out).min_by_key(|(at, _)| *at);
        if let Some(instance) = self.instances.get_mut(id) {
            instance.started = moment;
        }
        self.becomes(id, Phase::Running { ends }, Life::Running { pid });
        self.say(id, &format!("started as process {pid}"));
        for (is_error, text) in behavior.says {
            let stream = if is_error { Stream::Err } else { Stream::Out };
            self.write(id, stream, &text);
        }
    }

    /// It ends by itself.
    pub(super) fn exit(&mut self, id: &InstanceId, exit: Exit) {
        let Some(instance) = self.instances.get_mut(id) else {
            return;
        };
        if !matches!(instance.phase, Phase::Running { .. }) {
            return;
        }
        let end = restart::End {
            at: self.moment,
            lived: Duration::from_millis(self.moment - instance.started),
            success: exit.is_success(),
        };
        let verdict = restart::after(instance.order.restart, &instance.history, end);
        instance.history = verdict.next;
        self.say(id, &exit.to_string());
        match verdict.what {
            What::Stays => self.conclude(id, exit),
            What::Again { pause, looping } => {
                let until = self.now.checked_add(pause.to_jiff()).unwrap_or(self.now);
                let life = Life::Resting {
                    until,
                    after: exit,
                    looping,
                };
                let phase = Phase::Resting {
                    until: self.moment + pause.millis(),
                };
                self.becomes(id, phase, life);
                if pause.is_zero() {
                    self.happen(id);
                }
            }
        }
    }

    pub(super) fn lose(&mut self, id: &InstanceId) {
        if self.instances.contains_key(id) {
            self.becomes(id, Phase::Over, Life::Lost);
            self.free_lease(id);
        }
    }

    fn conclude(&mut self, id: &InstanceId, exit: Exit) {
        self.becomes(id, Phase::Over, Life::Ended { exit });
        self.free_lease(id);
    }

    /// Whoever waits for its lease has it now.
    fn free_lease(&mut self, id: &InstanceId) {
        let lease = self.instances[id].order.lease.clone();
        let next = self
            .instances
            .iter()
            .find_map(|(other, instance)| match &instance.phase {
                Phase::Awaiting(wanted) if Some(wanted) == lease.as_ref() => Some(other.clone()),
                _ => None,
            });
        if let Some(next) = next {
            self.launch(&next);
        }
    }

    pub(super) fn wish(
        &mut self,
        id: &InstanceId,
        wish: Wish,
        to: oneshot::Sender<Seen>,
    ) -> Result<(), EngineError> {
        let moment = self.moment;
        let Some(instance) = self.instances.get_mut(id) else {
            return Err(EngineError::Unknown(id.clone()));
        };
        let (how, again) = match wish {
            Wish::Stop(how) => (how, false),
            Wish::Restart(how) => (how, true),
        };
        let limit = moment.saturating_add(how.within.millis());
        match &mut instance.phase {
            Phase::Running { .. } => {
                let pid = instance.seen.life.pid().unwrap_or_default();
                let slow = self.slow.get(&id.component).map_or(0, |slow| slow.millis());
                let is_deaf = Behavior::read(&instance.order.command).deaf;
                let phase = Phase::Stopping {
                    since: moment,
                    until: limit,
                    done: (!is_deaf && limit > moment).then_some(moment + slow),
                    again,
                };
                instance.waiting.push(to);
                self.becomes(id, phase, Life::Stopping { pid });
                self.advance(Duration::ZERO);
            }
            Phase::Stopping {
                until, again: later, ..
            } => {
                *until = limit.min(*until);
                *later &= again;
                instance.waiting.push(to);
                self.advance(Duration::ZERO);
            }
            Phase::Over if !again || instance.seen.life == Life::Lost => {
                let _ = to.send(instance.seen.clone());
            }
            Phase::Over => {
                instance.waiting.push(to);
                self.begin(id);
            }
            Phase::Resting { .. } | Phase::Awaiting(_) => {
                instance.waiting.push(to);
                match (again, instance.seen.life.clone()) {
                    (true, _) => self.begin(id),
                    (false, Life::Resting { after, .. }) => self.conclude(id, after),
                    (false, _) => {}
                }
            }
        }
        Ok(())
    }

    pub(super) fn forget(&mut self, id: &InstanceId) -> Result<(), EngineError> {
        match self.instances.get(id) {
            Some(instance) if !instance.seen.life.is_over() => {
                let lives = std::io::Error::other("it still runs; stop it first");
                Err(EngineError::system("forgetting", id, lives))
            }
            _ => {
                self.instances.remove(id);
                Ok(())
            }
        }
    }

    /// An instance has become different: everybody is told, and whoever waited for that is answered.
    fn becomes(&mut self, id: &InstanceId, phase: Phase, life: Life) {
        let Some(instance) = self.instances.get_mut(id) else {
            return;
        };
        let is_done = matches!(phase, Phase::Running { .. } | Phase::Over | Phase::Awaiting(_));
        instance.phase = phase;
        instance.seen.life = life;
        instance.seen.since = self.now;
        if is_done {
            for waiter in instance.waiting.drain(..) {
                let _ = waiter.send(instance.seen.clone());
            }
        }
        let _ = self.tell.send(instance.seen.clone());
    }

    fn say(&mut self, id: &InstanceId, text: &str) {
        self.write(id, Stream::Engine, text);
    }

    pub(super) fn write(&mut self, id: &InstanceId, stream: Stream, text: &str) {
        let line = LogLine {
            at: self.now,
            id: id.clone(),
            stream,
            text: text.to_owned(),
        };
        self.followers
            .retain(|(query, to)| !is_wanted(&line, query) || to.try_send(line.clone()).is_ok());
        self.lines.push(line);
    }

    pub(super) fn logs(&mut self, query: LogQuery) -> Lines {
        let mut wanted: Vec<&LogLine> = self.lines.iter().filter(|line| is_wanted(line, &query)).collect();
        let surplus = wanted.len() - query.last.unwrap_or(usize::MAX).min(wanted.len());
        let (to, lines) = channel(wanted.len() + FOLLOWED);
        for line in wanted.drain(surplus..) {
            let _ = to.try_send(line.clone());
        }
        if query.follow {
            self.followers.push((query, to));
        }
        lines
    }
}

impl Instance {
    /// When something happens to it.
    fn due(&self) -> Option<u64> {
        match &self.phase {
            Phase::Running { ends } => ends.as_ref().map(|(at, _)| *at),
            Phase::Stopping { until, done, .. } => Some(done.map_or(*until, |done| done.min(*until))),
            Phase::Resting { until } => Some(*until),
            Phase::Awaiting(_) | Phase::Over => None,
        }
    }
}
