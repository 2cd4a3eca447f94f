//! The life of an instance: how it begins, is stopped, ends, and begins again.
//!
//! Whatever ends it, the way is the same: everything that descends from the first process is killed, then the keeper
//! waits until it has no children any more (*clearing*), and only then is the instance told as ended or started again. A
//! stop asks the group of the first process first, and waits for the whole of it: a shell in front may go at once while
//! what it has started still finishes its work.

use super::Keeper;
use crate::child::{self, Given};
use crate::door::{clock, disk};
use crate::{process, sweep};
use rustix::io::Errno;
use rustix::process::{
    Pid, Signal, WaitOptions, WaitStatus, kill_process, kill_process_group, test_kill_process_group, wait,
    waitpid,
};
use std::str::FromStr;
use towpath_decide::restart::{self, What};
use towpath_model::run::{Exit, Life, Stop};
use towpath_model::unit::Duration;

/// How often the memory of processes is looked at where no group limits it.
const LOOK: u64 = 1000;
/// How soon an alarm about memory is followed: the kernel rings first and kills then.
const AFTER_ALARM: u64 = 10;
/// How often what was killed is looked for again. The system tells when it goes; this is for what was forked meanwhile.
const CLEAR_AGAIN: u64 = 20;
/// An ended instance that nobody forgets is forgotten after a day: its steward will not come back.
const FORGOTTEN: u64 = 24 * 60 * 60 * 1000;

/// Where in its life an instance is.
#[derive(Debug)]
pub(super) enum Phase {
    /// It waits for its lease; this process waits for it.
    Awaiting { waiter: Pid },
    /// It runs, until this moment at most.
    Running { deadline: Option<u64> },
    /// It was asked to stop.
    Stopping {
        since: u64,
        until: u64,
        /// How its first process ended, where that is over.
        exit: Option<Exit>,
        then: Then,
    },
    /// Everything of it was killed, and not everything has gone.
    Clearing {
        exit: Option<Exit>,
        then: Then,
        again: u64,
    },
    /// It has ended, and is started again then.
    Resting { until: u64, exit: Exit },
    /// It has ended.
    Ended { at: u64 },
}

/// What comes after an end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Then {
    /// What its policy says.
    Decide,
    /// Another start, as it was asked for.
    Again,
    /// Nothing.
    End,
}

/// What a look at ended processes has shown.
#[derive(Default)]
struct Reaped {
    /// There are no children any more.
    is_all: bool,
    /// Whether the one that waited for the lease has got it.
    waiter: Option<bool>,
    /// How the first process ended that nobody had asked to.
    first: Option<Exit>,
}

impl Keeper {
    /// Starts it, as soon as its lease is free.
    pub(super) fn begin(&mut self) {
        let Some(name) = self.order.lease.clone() else {
            return self.launch();
        };
        let path = self.layout.lease(&name);
        let opened = path
            .parent()
            .map_or(Ok(()), disk::make_folder)
            .map_err(|error| error.to_string());
        let lease = match opened.and_then(|()| disk::open_lock(&path).map_err(|errno| errno.to_string())) {
            Ok(lease) => lease,
            Err(why) => {
                let why = format!("its lease `{}` cannot be opened: {why}", path.display());
                return self.conclude(Exit::NotStarted { why });
            }
        };
        if disk::lock(&lease) == Ok(true) {
            self.lease = Some(lease);
            return self.launch();
        }
        let parent = rustix::process::getpid();
        match process::fork() {
            Ok(None) => {
                let _ = rustix::process::set_parent_process_death_signal(Some(Signal::KILL));
                let waited =
                    rustix::process::getppid() == Some(parent) && disk::wait_for_lock(&lease).is_ok();
                process::leave(i32::from(!waited));
            }
            Ok(Some(waiter)) => {
                // The lock belongs to what was opened, and that is one for both of us: when the waiter has it, so have we.
                self.lease = Some(lease);
                let why = format!("it waits for the lease `{name}`, which another instance holds");
                self.book.say(&why);
                self.phase = Phase::Awaiting { waiter };
                self.becomes(Life::Resting {
                    until: clock::now(),
                    after: Exit::NotStarted { why },
                    looping: false,
                });
            }
            Err(errno) => {
                let why = format!("the system refuses another process: {errno}");
                self.conclude(Exit::NotStarted { why });
            }
        }
    }

    fn launch(&mut self) {
        for why in self.group.make(&self.order.limits) {
            self.book.say(&format!("a cgroup of it cannot be made: {why}"));
        }
        self.alarm = self.group.memory_alarm();
        self.killed_before = self.group.out_of_memory();
        let is_watched = self.order.limits.memory.is_some() && !self.group.limits_memory();
        self.started = clock::moment();
        self.next_look = is_watched.then_some(self.started + LOOK);
        match self.start() {
            Ok(first) => {
                let pid = first.as_raw_nonzero().get();
                let again = if self.starts == 0 { "" } else { " again" };
                self.starts += 1;
                self.first = Some(first);
                let deadline = self.order.timeout.map(|timeout| self.started + timeout.millis());
                self.phase = Phase::Running { deadline };
                self.becomes(Life::Running {
                    pid: pid.cast_unsigned(),
                });
                self.tell_now();
                self.book.say(&format!("started{again} as process {pid}"));
                self.note_session(first);
                if let Err(error) = self.count() {
                    self.book
                        .say(&format!("its processes cannot be counted: {error}"));
                }
            }
            Err(why) if self.starts == 0 => self.conclude(Exit::NotStarted { why }),
            Err(why) => self.decide(Exit::NotStarted { why }),
        }
    }

    fn start(&mut self) -> Result<Pid, String> {
        let mut env = self.order.env.clone();
        if !self.order.files.is_empty() {
            let written = disk::write_values(&self.values, &self.order.files)
                .map_err(|error| format!("its values could not be written as files: {error}"))?;
            env.extend(written);
        }
        let program = child::find(&self.order.command, &self.order.dir, &env)?;
        // What can be killed as a whole from its first moment may be counted a moment later.
        if self.group.unified.is_none() {
            self.count()
                .map_err(|error| format!("its keeper could not join its cgroup: {error}"))?;
        }
        let (cradle, entries) = (self.group.cradle(), self.group.entries());
        let given = Given {
            cradle: cradle.as_ref(),
            groups: &entries,
            out: &self.pipes[0].write,
            err: &self.pipes[1].write,
            lease: self.lease.as_ref(),
        };
        child::start(&program, &given)
    }

    /// Takes the keeper, and with it whatever it starts later, into the group that counts processes; and those, too, that
    /// have begun already. Whoever joins waits for all processors, 5 to 16 ms the first time.
    fn count(&mut self) -> std::io::Result<()> {
        if !self.inside {
            self.group.enter()?;
            self.inside = true;
        }
        Ok(())
    }

    /// Writes down which process to look for, where nobody could kill a group.
    fn note_session(&mut self, first: Pid) {
        if !self.group.can_kill() {
            let started = crate::door::started_at(first).unwrap_or_default();
            self.facts.session = Some((first.as_raw_nonzero().get(), started));
            let _ = self.facts.write(&self.layout);
        }
    }

    pub(super) fn stop(&mut self, how: &Stop) {
        match &mut self.phase {
            Phase::Ended { .. } => {}
            Phase::Awaiting { waiter } => {
                let _ = kill_process(*waiter, Signal::KILL);
                let _ = waitpid(Some(*waiter), WaitOptions::empty());
                let why = "it was stopped while it waited for its lease".to_owned();
                self.conclude(Exit::NotStarted { why });
            }
            Phase::Resting { exit, .. } => {
                let exit = exit.clone();
                self.conclude(exit);
            }
            Phase::Clearing { then, .. } => *then = Then::End,
            Phase::Running { .. } | Phase::Stopping { .. } => self.ask_to_stop(how, Then::End),
        }
    }

    pub(super) fn restart(&mut self, how: &Stop) {
        match &mut self.phase {
            Phase::Awaiting { .. } => {}
            Phase::Ended { .. } => {
                self.history = restart::History::default();
                self.begin();
            }
            Phase::Resting { .. } => {
                self.history = restart::History::default();
                self.launch();
            }
            Phase::Clearing { then, .. } => {
                if *then == Then::Decide {
                    *then = Then::Again;
                }
            }
            Phase::Running { .. } | Phase::Stopping { .. } => self.ask_to_stop(how, Then::Again),
        }
    }

    fn ask_to_stop(&mut self, how: &Stop, next: Then) {
        let now = clock::moment();
        let limit = now.saturating_add(how.within.millis());
        if let Phase::Stopping { until, then, .. } = &mut self.phase {
            *until = limit.min(*until);
            if next == Then::End {
                *then = Then::End;
            }
            return;
        }
        let Some(first) = self.first else { return };
        self.phase = Phase::Stopping {
            since: now,
            until: limit,
            exit: None,
            then: next,
        };
        self.becomes(Life::Stopping {
            pid: first.as_raw_nonzero().get().cast_unsigned(),
        });
        if limit > now {
            let _ = kill_process_group(first, signal_named(&how.signal));
            // One that was stopped could not hear the signal before.
            let _ = kill_process_group(first, Signal::CONT);
        }
    }

    /// What the system says of processes: the first one has ended, or something that it left.
    pub(super) fn hear_signals(&mut self) {
        let mut asked_to_leave = false;
        while let Ok(Some(signal)) = self.signals.read_signal() {
            asked_to_leave |= signal.ssi_signo == Signal::TERM.as_raw().cast_unsigned();
        }
        let reaped = self.reap();
        match &self.phase {
            Phase::Awaiting { .. } => match reaped.waiter {
                Some(true) => self.launch(),
                Some(false) => {
                    let why = "nobody could wait for its lease any more".to_owned();
                    self.conclude(Exit::NotStarted { why });
                }
                None => {}
            },
            Phase::Running { .. } if self.first.is_none() => self.clear(reaped.first, Then::Decide),
            Phase::Stopping {
                then,
                exit: Some(exit),
                ..
            } if self.group_is_gone() => {
                let (then, exit) = (*then, exit.clone());
                self.clear(Some(exit), then);
            }
            Phase::Clearing { .. } if reaped.is_all => self.settle(),
            _ => {}
        }
        if asked_to_leave {
            self.leave_soon();
        }
    }

    /// Stops its instance and leaves.
    pub(super) fn leave_soon(&mut self) {
        self.leaves_when_over = true;
        let how = self.order.stop.clone();
        self.stop(&how);
        self.forget();
    }

    /// Takes note of all that have ended.
    fn reap(&mut self) -> Reaped {
        let mut reaped = Reaped::default();
        loop {
            match wait(WaitOptions::NOHANG) {
                Ok(Some((ended, status))) => self.note_end(ended, status, &mut reaped),
                Ok(None) => return reaped,
                Err(Errno::INTR) => {}
                Err(_) => {
                    reaped.is_all = true;
                    return reaped;
                }
            }
        }
    }

    fn note_end(&mut self, ended: Pid, status: WaitStatus, reaped: &mut Reaped) {
        if matches!(self.phase, Phase::Awaiting { waiter } if waiter == ended) {
            reaped.waiter = Some(status.exit_status() == Some(0));
        }
        if self.first != Some(ended) {
            return;
        }
        self.first = None;
        let ended = match (status.exit_status(), status.terminating_signal()) {
            (Some(code), _) => Exit::Code { code },
            (None, signal) => Exit::Signal {
                signal: signal.unwrap_or_default(),
            },
        };
        match &mut self.phase {
            Phase::Stopping { exit, .. } | Phase::Clearing { exit, .. } => {
                *exit = exit.take().or(Some(ended))
            }
            _ => reaped.first = Some(ended),
        }
    }

    /// Whether the process group of a first process that has ended has nobody in it any more.
    fn group_is_gone(&self) -> bool {
        self.seen
            .life
            .pid()
            .and_then(|pid| Pid::from_raw(pid.cast_signed()))
            .is_none_or(|group| test_kill_process_group(group).is_err())
    }

    /// Kills everything, and waits for its end.
    fn clear(&mut self, exit: Option<Exit>, then: Then) {
        self.phase = Phase::Clearing {
            exit,
            then,
            again: clock::moment() + CLEAR_AGAIN,
        };
        if self.reap().is_all {
            return self.settle();
        }
        if !self.group.kill() {
            sweep::kill_descendants();
        }
        if self.reap().is_all {
            self.settle();
        }
    }

    /// Nothing of it is left: it is told how it ended, and what comes next.
    fn settle(&mut self) {
        let Phase::Clearing { exit, then, .. } = &self.phase else {
            return;
        };
        let (mut exit, then) = (exit.clone().unwrap_or(Exit::Signal { signal: 9 }), *then);
        if let Some(limit) = self.order.limits.memory
            && self.group.out_of_memory() > self.killed_before
        {
            exit = Exit::OutOfMemory { limit };
        }
        self.first = None;
        self.read_pipes(usize::MAX);
        match then {
            Then::Decide => self.decide(exit),
            Then::End => self.conclude(exit),
            Then::Again => {
                self.book.say(&exit.to_string());
                self.history = restart::History::default();
                self.launch();
            }
        }
    }

    /// Lets its policy say what happens after an end.
    fn decide(&mut self, exit: Exit) {
        let now = clock::moment();
        let end = restart::End {
            at: now,
            lived: Duration::from_millis(now.saturating_sub(self.started)),
            success: exit.is_success(),
        };
        let verdict = restart::after(self.order.restart, &self.history, end);
        self.history = verdict.next;
        let What::Again { pause, looping } = verdict.what else {
            return self.conclude(exit);
        };
        let until = clock::now()
            .checked_add(pause.to_jiff())
            .unwrap_or_else(|_| clock::now());
        self.becomes(Life::Resting {
            until,
            after: exit.clone(),
            looping,
        });
        self.phase = Phase::Resting {
            until: now + pause.millis(),
            exit: exit.clone(),
        };
        if pause.is_zero() {
            self.tell_now();
            self.book.say(&exit.to_string());
            self.launch_after_end();
        } else {
            let looping = if looping { ", it ends again and again" } else { "" };
            self.book
                .say(&format!("{exit}; started again in {pause}{looping}"));
        }
    }

    fn launch_after_end(&mut self) {
        self.seen.restarts = self.seen.restarts.saturating_add(1);
        self.launch();
    }

    /// It has ended, and nothing of it stays but its log and the word of how it ended.
    fn conclude(&mut self, exit: Exit) {
        self.lease = None;
        self.alarm = None;
        self.next_look = None;
        if !self.order.files.is_empty() {
            disk::remove_folder(&self.values);
        }
        self.book.say(&exit.to_string());
        self.phase = Phase::Ended { at: clock::moment() };
        self.becomes(Life::Ended { exit });
        // Nobody has to wait while the system lets us out of a group.
        self.tell_now();
        if std::mem::take(&mut self.inside) {
            self.group.leave();
        }
        self.group.remove();
        if self.leaves_when_over {
            self.forget();
        }
    }

    /// When something is due by the clock.
    pub(super) fn next_moment(&self) -> Option<u64> {
        let due = match &self.phase {
            Phase::Awaiting { .. } => None,
            Phase::Running { deadline } => *deadline,
            Phase::Stopping { until, .. } | Phase::Resting { until, .. } => Some(*until),
            Phase::Clearing { again, .. } => Some(*again),
            Phase::Ended { at } => Some(at + FORGOTTEN),
        };
        due.into_iter().chain(self.next_look).min()
    }

    /// Does what is due.
    pub(super) fn tick(&mut self, now: u64) {
        match &self.phase {
            Phase::Running {
                deadline: Some(deadline),
            } if *deadline <= now => {
                let within = self.order.timeout.unwrap_or(Duration::ZERO);
                self.clear(Some(Exit::TimedOut { within }), Then::Decide);
            }
            Phase::Stopping {
                since,
                until,
                exit,
                then,
            } if *until <= now => {
                let within = Duration::from_millis(until - since);
                let too_slow = (!within.is_zero()).then_some(Exit::TooSlow { within });
                let (exit, then) = (exit.clone().or(too_slow), *then);
                self.clear(exit, then);
            }
            Phase::Clearing { exit, then, again } if *again <= now => {
                let (exit, then) = (exit.clone(), *then);
                // A group may be full of what forks: kill it by both ways, as often as it takes.
                sweep::kill_descendants();
                self.clear(exit, then);
            }
            Phase::Resting { until, .. } if *until <= now => self.launch_after_end(),
            Phase::Ended { at } if at + FORGOTTEN <= now => self.forget(),
            _ => {}
        }
        if self.next_look.is_some_and(|look| look <= now) {
            self.look_at_memory(now);
        }
    }

    /// The kernel says that the group may have run out of memory.
    pub(super) fn hear_alarm(&mut self) {
        if let Some(alarm) = &self.alarm {
            let _ = rustix::io::read(alarm, &mut [0; 8]);
            self.next_look = Some(clock::moment() + AFTER_ALARM);
        }
    }

    /// Ends the whole of it where it uses too much, or where one of its processes was killed for that.
    fn look_at_memory(&mut self, now: u64) {
        self.next_look = None;
        let (Some(limit), true) = (self.order.limits.memory, self.first.is_some()) else {
            return;
        };
        let is_too_much = if self.group.limits_memory() {
            self.group.out_of_memory() > self.killed_before
        } else {
            self.next_look = Some(now + LOOK);
            self.memory_looked_at() > limit.count()
        };
        if is_too_much {
            let then = match self.phase {
                Phase::Stopping { then, .. } => then,
                _ => Then::Decide,
            };
            self.clear(Some(Exit::OutOfMemory { limit }), then);
        }
    }
}

/// A signal by its name, with or without `SIG`.
fn signal_named(name: &str) -> Signal {
    let whole = if name.starts_with("SIG") {
        name.to_owned()
    } else {
        format!("SIG{name}")
    };
    nix::sys::signal::Signal::from_str(&whole)
        .ok()
        .and_then(|signal| Signal::from_named_raw(signal as i32))
        .unwrap_or(Signal::TERM)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signals_are_known_by_their_names() {
        let table = [
            ("TERM", Signal::TERM),
            ("SIGINT", Signal::INT),
            ("USR1", Signal::USR1),
            ("nothing", Signal::TERM),
        ];
        for (name, signal) in table {
            assert_eq!(signal_named(name), signal);
        }
    }
}
