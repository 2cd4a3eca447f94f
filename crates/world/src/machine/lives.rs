//! How instances live and end, and what their keepers do then.

use super::{Due, Machine, Note, OWN_TIME, Order, Token};
use crate::clock::{after, between};
use jiff::Timestamp;
use towpath_decide::restart::{End, History, What, after as after_end};
use towpath_model::run::{Exit, InstanceId, Life, Seen};
use towpath_model::unit::Duration;

/// How long a process that cannot have its port takes to notice.
const NOTICES: Duration = Duration::from_millis(20);

/// An instance and what its keeper knows.
#[derive(Debug)]
pub(super) struct Kept {
    pub(super) seen: Seen,
    /// Which life of it this is: what was due in an earlier one does not happen any more.
    pub(super) life: u64,
    /// From when on its process answers.
    pub(super) answers: Timestamp,
    /// It is started again once it has ended.
    pub(super) again: bool,
    /// Who waits for its end.
    pub(super) waiting: Vec<Token>,
    order: Order,
    history: History,
}

impl Kept {
    pub(super) fn new(order: Order, now: Timestamp) -> Self {
        Kept {
            seen: Seen {
                id: order.id.clone(),
                digest: order.digest.clone(),
                port: order.port,
                life: Life::Lost,
                restarts: 0,
                since: now,
            },
            life: 0,
            answers: now,
            again: false,
            waiting: Vec::new(),
            order,
            history: History::default(),
        }
    }

    /// It is another way from now on.
    pub(super) fn change(&mut self, life: Life, now: Timestamp) {
        self.life += 1;
        self.seen.life = life;
        self.seen.since = now;
    }
}

impl Machine {
    /// A process of an instance begins.
    pub(super) fn run(&mut self, id: &InstanceId, now: Timestamp) {
        self.last_pid += 1;
        let pid = 1000 + self.last_pid;
        let Some(digest) = self.kept.get(id).map(|kept| kept.seen.digest.clone()) else {
            return;
        };
        let temper = self.temper_for(&id.component, &digest).clone();
        let Some(kept) = self.kept.get_mut(id) else {
            return;
        };
        kept.change(Life::Running { pid }, now);
        kept.answers = after(now, temper.boots);
        let robbed = kept.seen.port.filter(|port| self.stolen.contains(port));
        let end = if robbed.is_some() {
            Some((NOTICES, Exit::Code { code: 98 }))
        } else if let Some(crashes) = temper.crashes {
            Some((crashes, Exit::Code { code: 1 }))
        } else {
            kept.order
                .is_job
                .then_some((temper.takes, Exit::Code { code: temper.code }))
        };
        let life = kept.life;
        self.notes.push(Note::Changed(kept.seen.clone()));
        if let Some((lives, exit)) = end {
            self.agenda
                .put(after(now, lives), Due::Ends(id.clone(), life, exit));
        }
    }

    /// The process of an instance has ended.
    pub(super) fn end(&mut self, id: &InstanceId, exit: Exit, now: Timestamp) {
        let Some(kept) = self.kept.get_mut(id) else {
            return;
        };
        let waiting = std::mem::take(&mut kept.waiting);
        let was_asked = matches!(kept.seen.life, Life::Stopping { .. });
        if was_asked && !kept.again {
            kept.change(Life::Ended { exit }, now);
            self.notes.push(Note::Changed(kept.seen.clone()));
        } else if was_asked {
            kept.again = false;
            self.run(id, now);
        } else {
            self.end_by_itself(id, exit, now);
        }
        for token in waiting {
            self.agenda
                .put(after(now, OWN_TIME), Due::Tell(token, id.clone()));
        }
    }

    fn end_by_itself(&mut self, id: &InstanceId, exit: Exit, now: Timestamp) {
        let Some(kept) = self.kept.get_mut(id) else {
            return;
        };
        let end = End {
            at: u64::try_from(now.as_millisecond()).unwrap_or(0),
            lived: between(kept.seen.since, now),
            success: exit.is_success(),
        };
        // A run of a job that failed is tried again by whoever decides about jobs.
        let policy = match kept.order.is_job {
            true => towpath_model::desired::component::Restart::Never,
            false => kept.order.restart,
        };
        let verdict = after_end(policy, &kept.history, end);
        kept.history = verdict.next;
        match verdict.what {
            What::Stays => {
                kept.change(Life::Ended { exit }, now);
                self.notes.push(Note::Changed(kept.seen.clone()));
            }
            What::Again { pause, looping } => {
                kept.seen.restarts += 1;
                let until = after(now, pause);
                let rests = Life::Resting {
                    until,
                    after: exit,
                    looping,
                };
                kept.change(rests, now);
                let life = kept.life;
                self.notes.push(Note::Changed(kept.seen.clone()));
                self.agenda.put(until, Due::Again(id.clone(), life));
            }
        }
    }

    /// The process of an instance is killed by somebody. Says whether there was one.
    pub fn kill(&mut self, id: &InstanceId, now: Timestamp) -> bool {
        let runs = self
            .kept
            .get(id)
            .is_some_and(|kept| kept.seen.life.pid().is_some());
        if runs {
            self.end(id, Exit::Signal { signal: 9 }, now);
        }
        runs
    }

    /// The keeper of an instance is killed, and all that it kept with it. Says whether there was one.
    pub fn lose(&mut self, id: &InstanceId, now: Timestamp) -> bool {
        let Some(kept) = self.kept.get_mut(id).filter(|kept| !kept.seen.life.is_over()) else {
            return false;
        };
        kept.change(Life::Lost, now);
        let waiting = std::mem::take(&mut kept.waiting);
        self.notes.push(Note::Changed(kept.seen.clone()));
        for token in waiting {
            self.agenda
                .put(after(now, OWN_TIME), Due::Tell(token, id.clone()));
        }
        true
    }

    /// A stranger takes the port of an instance. Says whether it has one.
    pub fn steal(&mut self, id: &InstanceId, now: Timestamp) -> bool {
        let kept = self.kept.get(id).filter(|kept| !kept.seen.life.is_over());
        let Some(port) = kept.and_then(|kept| kept.seen.port) else {
            return false;
        };
        self.stolen.insert(port);
        self.kill(id, now);
        true
    }
}
