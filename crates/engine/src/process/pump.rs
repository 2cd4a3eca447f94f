//! Listening to all keepers at once.

use super::table::{Answer, Row};
use super::{Inner, door};
use crate::EngineError;
use rustix::event::epoll;
use rustix::fd::{AsFd, OwnedFd};
use rustix::io::Errno;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Weak};
use tokio::io::unix::AsyncFd;
use towpath_keeper::wire::{Garbled, Told};
use towpath_keeper::{Facts, Found};
use towpath_model::run::{InstanceId, Life, Seen};

/// So many keepers are heard at once.
const AT_ONCE: usize = 256;
/// How long a keeper whose socket has closed may take to be gone: the system closes one after the other.
const LAST_BREATH: usize = 500;

/// A set of sockets that can be waited for as one.
pub(super) fn set() -> Result<OwnedFd, Errno> {
    epoll::create(epoll::CreateFlags::CLOEXEC)
}

/// The set, as the runtime waits for it.
pub(super) fn listened(inner: &Inner) -> std::io::Result<AsyncFd<OwnedFd>> {
    door::awaited(inner.sockets.try_clone()?)
}

/// Adds a socket to the set.
pub(super) fn listen(inner: &Inner, token: u64, socket: impl AsFd) -> Result<(), Errno> {
    let flags = epoll::EventFlags::IN | epoll::EventFlags::RDHUP;
    epoll::add(&inner.sockets, socket, epoll::EventData::new_u64(token), flags)
}

/// Listens until the engine is dropped.
pub(super) async fn run(inner: Weak<Inner>, set: AsyncFd<OwnedFd>) {
    loop {
        let Ok(mut ready) = set.readable().await else {
            return;
        };
        let Some(inner) = inner.upgrade() else { return };
        let tokens = heard(set.get_ref());
        if tokens.is_empty() {
            ready.clear_ready();
        }
        for token in tokens {
            inner.hear(token);
        }
        // Others of this runtime have their turn, however much keepers have to say.
        tokio::task::yield_now().await;
    }
}

/// The tokens of sockets that have something for us.
fn heard(set: &OwnedFd) -> Vec<u64> {
    let mut events: Vec<epoll::Event> = Vec::with_capacity(AT_ONCE);
    let now = rustix::event::Timespec {
        tv_sec: 0,
        tv_nsec: 0,
    };
    while epoll::wait(set, rustix::buffer::spare_capacity(&mut events), Some(&now)) == Err(Errno::INTR) {}
    events.iter().map(|event| event.data.u64()).collect()
}

impl Inner {
    /// Reads what a keeper has said.
    fn hear(self: &Arc<Self>, token: u64) {
        let mut table = self.table();
        let Some(row) = table.row(token) else { return };
        let is_gone = read(row);
        row.words += 1;
        self.words.fetch_add(1, Ordering::Relaxed);
        let garbled = loop {
            match row.inbox.message() {
                Ok(Some(told)) => {
                    if let Some(seen) = take(row, told) {
                        let _ = self.tell.send(seen);
                    }
                }
                Ok(None) => break None,
                Err(garbled) => break Some(garbled),
            }
        };
        if let Some(garbled) = &garbled {
            fail(row, garbled);
        }
        if (is_gone || garbled.is_some())
            && let Some(row) = table.remove(token)
        {
            drop(table);
            self.gone(row);
        }
    }

    /// The socket of a keeper has closed: either it has left as it was asked to, or it has died.
    fn gone(self: &Arc<Self>, row: Row) {
        if row.leaves {
            return answer_all(row, &Answer::Gone);
        }
        let inner = Arc::clone(self);
        tokio::spawn(async move {
            let (looking, id) = (Arc::clone(&inner), row.id.clone());
            let found = door::beside(move || ended(&looking, &id)).await;
            let Some(Some(mut seen)) = found else {
                return answer_all(row, &Answer::Gone);
            };
            if let Some(known) = &row.seen {
                seen = known.clone();
            }
            let lost = inner.lose(seen);
            answer_all(row, &Answer::Seen(lost));
        });
    }

    /// Tells an instance as lost.
    pub(super) fn lose(&self, mut seen: Seen) -> Seen {
        seen.life = Life::Lost;
        seen.since = door::now();
        self.table().lose(seen.clone());
        let _ = self.tell.send(seen.clone());
        seen
    }
}

/// Ends what a keeper that has died has left, and answers how its instance was once. Nothing where it left in order.
pub(super) fn ended(inner: &Inner, id: &InstanceId) -> Option<Seen> {
    for _ in 0..LAST_BREATH {
        match Facts::look(&inner.layout, id) {
            Found::Kept => door::wait_a_moment(),
            Found::Nothing => return None,
            Found::Lost(facts) => {
                inner.end(&facts);
                return Some(facts.seen);
            }
        }
    }
    None
}

/// Reads all that is there; whether its other end has closed.
fn read(row: &mut Row) -> bool {
    let mut piece = [0; 4096];
    loop {
        match rustix::io::read(&row.socket, &mut piece) {
            Ok(0) => return true,
            Ok(length) => row.inbox.feed(&piece[..length]),
            Err(Errno::INTR) => {}
            Err(Errno::AGAIN) => return false,
            Err(_) => return true,
        }
    }
}

/// Takes in what a keeper has said; what is new is handed out.
fn take(row: &mut Row, told: Told) -> Option<Seen> {
    let (seen, done) = match told {
        Told::Seen { seen, done, .. } => (seen, done),
        Told::Taken => {
            row.leaves = true;
            for waiter in row.first.drain(..) {
                let _ = waiter.send(Ok(Answer::Taken));
            }
            return None;
        }
        Told::Failed {
            doing,
            subject,
            errno,
        } => {
            row.leaves = true;
            for waiter in row.first.drain(..) {
                let source = std::io::Error::from_raw_os_error(errno);
                let subject = format!("{subject} ({doing})");
                let _ = waiter.send(Err(EngineError::system("starting", subject, source)));
            }
            return None;
        }
    };
    let is_new = row.seen.as_ref() != Some(&seen);
    row.seen = Some(seen.clone());
    for waiter in row.first.drain(..) {
        let _ = waiter.send(Ok(Answer::Seen(seen.clone())));
    }
    for number in done {
        if let Some(at) = row.asked.iter().position(|(asked, _)| *asked == number) {
            // Who asked it to leave waits until it has left.
            if row.leaves {
                continue;
            }
            let (_, waiter) = row.asked.swap_remove(at);
            let _ = waiter.send(Ok(Answer::Seen(seen.clone())));
        }
    }
    is_new.then_some(seen)
}

fn fail(row: &mut Row, garbled: &Garbled) {
    let waiters = row
        .first
        .drain(..)
        .chain(row.asked.drain(..).map(|(_, waiter)| waiter));
    for waiter in waiters {
        let _ = waiter.send(Err(EngineError::Garbled {
            subject: row.id.to_string(),
            said: garbled.said.clone(),
        }));
    }
}

fn answer_all(row: Row, answer: &Answer) {
    let waiters = row
        .first
        .into_iter()
        .chain(row.asked.into_iter().map(|(_, waiter)| waiter));
    for waiter in waiters {
        let _ = waiter.send(Ok(answer.clone()));
    }
}
