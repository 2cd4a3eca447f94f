//! One keeper: a loop that waits for its child, its pipes, its askers and the clock, and for nothing else.

mod birth;
mod life;

use crate::door::{self, clock};
use crate::groups::Group;
use crate::layout::Layout;
use crate::leftover::Facts;
use crate::lines::Source;
use crate::logbook::Logbook;
use crate::talk::{Talk, Until};
use crate::wire::{Inbox, Order, Request};
use life::Phase;
use nix::sys::signalfd::SignalFd;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fd::OwnedFd;
use rustix::io::Errno;
use rustix::net::{SocketFlags, accept_with};
use rustix::process::Pid;
use std::path::PathBuf;
use towpath_decide::restart::History;
use towpath_model::run::Seen;

/// What is read from a pipe at once.
const PIECE: usize = 16 * 1024;
/// So many pieces are read before the others are looked at: a component that writes without an end can still be stopped.
const PIECES: usize = 8;

/// Becomes the keeper of the instance whose order comes over this socket, and stays it to the end.
pub(crate) fn run(talk: OwnedFd) -> i32 {
    if let Some(mut keeper) = birth::born(talk) {
        keeper.live();
    }
    0
}

struct Keeper {
    order: Order,
    layout: Layout,
    /// Holds the folder of the instance as long as this process lives.
    lock: OwnedFd,
    /// As long as it is open we are told when something is deleted from that folder.
    _told_of: Option<OwnedFd>,
    listener: OwnedFd,
    signals: SignalFd,
    pipes: [Pipe; 2],
    book: Logbook,
    group: Group,
    /// The keeper is in the group that counts processes.
    inside: bool,
    facts: Facts,
    /// The folder for values that are delivered as files.
    values: PathBuf,
    alarm: Option<OwnedFd>,
    lease: Option<OwnedFd>,
    talks: Vec<Talk>,
    phase: Phase,
    /// The first process of the instance, while it lives.
    first: Option<Pid>,
    /// When that was started, and how often one was.
    started: u64,
    starts: u64,
    history: History,
    /// How many had been killed for want of memory before that.
    killed_before: u64,
    /// When the memory is looked at.
    next_look: Option<u64>,
    seen: Seen,
    /// It leaves when the instance is over.
    leaves_when_over: bool,
    leaves: bool,
}

/// A pipe from the instance. Both ends stay open here, so that it lasts from one start to the next.
struct Pipe {
    source: Source,
    read: OwnedFd,
    write: OwnedFd,
}

/// What has happened.
#[derive(Default)]
struct Woken {
    pipes: bool,
    signals: bool,
    askers: bool,
    alarm: bool,
    /// Which of those that we talk with have something.
    talks: Vec<usize>,
}

impl Keeper {
    fn live(&mut self) {
        self.begin();
        loop {
            self.tell_all();
            if self.leaves {
                return;
            }
            let woken = self.wait();
            if woken.pipes {
                self.read_pipes(PIECES);
            }
            if woken.signals {
                self.hear_signals();
            }
            if woken.alarm {
                self.hear_alarm();
            }
            self.hear(&woken.talks);
            if woken.askers {
                self.let_in();
            }
            if (woken.signals || !woken.talks.is_empty()) && self.is_forsaken() {
                self.leave_soon();
            }
            let moment = clock::moment();
            self.book.tick(moment);
            self.tick(moment);
        }
    }

    /// Waits until something happens, or is due.
    fn wait(&self) -> Woken {
        let due = [self.next_moment(), self.book.next_moment()];
        let wait = due.into_iter().flatten().min().map(|due| {
            let millis = due.saturating_sub(clock::moment());
            Timespec {
                tv_sec: i64::try_from(millis / 1000).unwrap_or(i64::MAX),
                tv_nsec: i64::try_from(millis % 1000 * 1_000_000).unwrap_or(0),
            }
        });
        let mut watched = vec![
            PollFd::new(&self.pipes[0].read, PollFlags::IN),
            PollFd::new(&self.pipes[1].read, PollFlags::IN),
            PollFd::new(&self.signals, PollFlags::IN),
            PollFd::new(&self.listener, PollFlags::IN),
        ];
        for talk in &self.talks {
            let full = if talk.is_full() {
                PollFlags::OUT
            } else {
                PollFlags::empty()
            };
            watched.push(PollFd::new(&talk.socket, PollFlags::IN | full));
        }
        if let Some(alarm) = &self.alarm {
            watched.push(PollFd::new(alarm, PollFlags::IN));
        }
        if poll(&mut watched, wait.as_ref()).is_err() {
            return Woken::default();
        }
        let is_ready = |at: usize| watched.get(at).is_some_and(|one| !one.revents().is_empty());
        let talks = self.talks.len();
        Woken {
            pipes: is_ready(0) || is_ready(1),
            signals: is_ready(2),
            askers: is_ready(3),
            alarm: is_ready(4 + talks),
            talks: (0..talks).filter(|talk| is_ready(4 + talk)).collect(),
        }
    }

    fn read_pipes(&mut self, pieces: usize) {
        let mut piece = [0; PIECE];
        for pipe in &self.pipes {
            for _ in 0..pieces {
                match rustix::io::read(&pipe.read, &mut piece) {
                    Ok(length) if length > 0 => self.book.take(pipe.source, &piece[..length]),
                    Err(Errno::INTR) => {}
                    _ => break,
                }
            }
        }
    }

    fn let_in(&mut self) {
        let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
        while let Ok(socket) = accept_with(&self.listener, flags) {
            self.talks.push(Talk::new(socket, Inbox::default()));
        }
    }

    fn hear(&mut self, talks: &[usize]) {
        let mut gone = Vec::new();
        for &at in talks {
            let Ok(asked) = self.talks[at].hear() else {
                gone.push(at);
                continue;
            };
            for asked in asked {
                let until = match &asked.what {
                    Request::Restart(_) => Until::StartedAfter(self.starts),
                    Request::Stop(_) | Request::Forget => Until::Over,
                };
                self.talks[at].wait(asked.number, until);
                match &asked.what {
                    Request::Stop(stop) => self.stop(stop),
                    Request::Restart(stop) => self.restart(stop),
                    Request::Forget => self.forget(),
                }
            }
        }
        for at in gone.into_iter().rev() {
            self.talks.remove(at);
        }
    }

    /// Tells everybody how it is, and lets go of those who have gone.
    fn tell_all(&mut self) {
        let keeper = std::process::id();
        let (seen, starts) = (&self.seen, self.starts);
        self.talks
            .retain_mut(|talk| talk.tell(seen, starts, keeper).is_ok());
    }

    /// Tells everybody at once, in the middle of something. Whoever has gone stays until the end of the round, because
    /// others are counted from the beginning.
    fn tell_now(&mut self) {
        let keeper = std::process::id();
        for talk in &mut self.talks {
            let _ = talk.tell(&self.seen, self.starts, keeper);
        }
    }

    /// Whether nobody looks after it, and nobody ever can again: its folder was deleted, and its steward has gone. A steward
    /// that is there brings everything down in order.
    fn is_forsaken(&self) -> bool {
        self.talks.is_empty() && door::disk::is_deleted(&self.lock)
    }

    /// Leaves, where nothing runs and nothing will: the folder of the instance goes, its log stays.
    fn forget(&mut self) {
        if !matches!(self.phase, Phase::Ended { .. }) {
            return;
        }
        self.group.remove();
        Facts::remove(&self.layout, &self.order.id);
        self.order.grounds.remove();
        self.leaves = true;
    }

    /// The instance has become different, from now on.
    fn becomes(&mut self, life: towpath_model::run::Life) {
        self.seen.life = life;
        self.seen.since = clock::now();
        for talk in &mut self.talks {
            talk.behind = true;
        }
    }

    /// All that its processes use, where no group knows.
    fn memory_looked_at(&self) -> u64 {
        door::used_below(rustix::process::getpid()).memory
    }
}
