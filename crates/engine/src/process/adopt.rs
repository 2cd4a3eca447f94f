//! How the engine comes to know a keeper: by having it forked, or by finding it.

use super::silent::silent;
use super::table::Answer;
use super::{Inner, door, nursery, pump, received, requests};
use crate::{EngineError, Start};
use rustix::event::{PollFd, PollFlags, poll};
use rustix::fd::OwnedFd;
use rustix::io::Errno;
use rustix::net::{SendFlags, send};
use std::sync::{Arc, PoisonError};
use tokio::sync::oneshot;
use towpath_keeper::wire::{Asked, Request, frame};
use towpath_keeper::{Facts, Found, connect_to};
use towpath_model::run::{InstanceId, Seen};

/// How often a keeper that is just being born is looked for again.
const TRIES: usize = 200;

pub(super) type Answering = oneshot::Receiver<Result<Answer, EngineError>>;

/// What was found in the folder of an instance.
enum Met {
    /// Its keeper, by this socket.
    Keeper(OwnedFd),
    /// Its keeper lives, and cannot be connected to.
    Unreached(Seen),
    /// What a keeper that has died has left, and is ended by now.
    Lost(Seen),
    Nobody,
}

impl Inner {
    /// Has a keeper forked, and gives it its order.
    pub(super) async fn bear(self: &Arc<Self>, start: &Start) -> Result<Answering, EngineError> {
        let failed = |errno: Errno| EngineError::system("asking for a keeper", &start.id, errno);
        let (ours, theirs) = nursery::pair().map_err(failed)?;
        rustix::io::ioctl_fionbio(&ours, true).map_err(failed)?;
        let order = frame(&requests::order(start, &self.layout, &self.grounds));
        let rest = ours
            .try_clone()
            .map_err(|source| EngineError::system("asking for a keeper", &start.id, source))?;
        let (answer, is_new) = self.add(&start.id, ours)?;
        if !is_new {
            return Ok(answer);
        }
        self.nursery
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .hand_over(&theirs)?;
        drop(theirs);
        let sent = sent(&rest, &order);
        if sent < order.len() {
            // The order is longer than what a socket takes at once: it goes on when the keeper has read.
            door::beside(move || send_rest(&rest, &order[sent..])).await;
        }
        Ok(answer)
    }

    /// Puts the socket of a keeper into the table, unless one is there already, and waits for its first word.
    fn add(&self, id: &InstanceId, socket: OwnedFd) -> Result<(Answering, bool), EngineError> {
        let (waiter, answer) = oneshot::channel();
        let mut table = self.table();
        if let Some(row) = table.row_of(id) {
            // Somebody else was quicker.
            match &row.seen {
                Some(seen) => drop(waiter.send(Ok(Answer::Seen(seen.clone())))),
                None => row.first.push(waiter),
            }
            return Ok((answer, false));
        }
        let token = table.give();
        pump::listen(self, token, &socket)
            .map_err(|errno| EngineError::system("listening to a keeper", id, errno))?;
        table.add(token, id, socket);
        if let Some(row) = table.row(token) {
            row.first.push(waiter);
        }
        Ok((answer, true))
    }

    /// How an instance is, whoever has started it; nothing where there is none.
    pub(super) async fn adopt(self: &Arc<Self>, id: &InstanceId) -> Result<Option<Seen>, EngineError> {
        if let Some(answer) = self.known(id) {
            return seen_of(id, answer).await;
        }
        let (inner, whose) = (Arc::clone(self), id.clone());
        let met = door::beside(move || inner.meet(&whose))
            .await
            .unwrap_or(Met::Nobody);
        match met {
            Met::Keeper(socket) => self.first_word(id, self.add(id, socket)?.0).await,
            Met::Unreached(seen) => Ok(Some(seen)),
            Met::Lost(seen) => Ok(Some(self.lose(seen))),
            Met::Nobody => Ok(None),
        }
    }

    /// The answer about an instance that is in the table.
    pub(super) fn known(&self, id: &InstanceId) -> Option<Answering> {
        let (waiter, answer) = oneshot::channel();
        let mut table = self.table();
        if let Some(seen) = table.seen(id) {
            drop(waiter.send(Ok(Answer::Seen(seen.clone()))));
        } else {
            table.row_of(id)?.first.push(waiter);
        }
        Some(answer)
    }

    /// Connects to every keeper that is not known yet, and answers those that cannot be connected to.
    pub(super) async fn adopt_all(self: &Arc<Self>) -> Result<Vec<Seen>, EngineError> {
        let inner = Arc::clone(self);
        let met = door::beside(move || inner.meet_all()).await;
        let met = met.unwrap_or_else(|| Ok(Vec::new()));
        let failed =
            |source| EngineError::system("looking for instances", self.layout.instances().display(), source);
        let (mut answers, mut unreached) = (Vec::new(), Vec::new());
        for (id, met) in met.map_err(failed)? {
            match met {
                Met::Keeper(socket) => answers.push((self.add(&id, socket)?.0, id)),
                Met::Unreached(seen) => unreached.push(seen),
                Met::Lost(seen) => drop(self.lose(seen)),
                Met::Nobody => {}
            }
        }
        self.first_words(answers).await?;
        Ok(unreached)
    }

    fn meet_all(&self) -> std::io::Result<Vec<(InstanceId, Met)>> {
        let mut ids = door::instances(&self.layout)?;
        {
            let table = self.table();
            ids.retain(|id| !table.knows(id));
        }
        let mut met = Vec::new();
        let mut waiting = Vec::new();
        for id in ids {
            match self.meet_once(&id) {
                Some(one) => met.push((id, one)),
                None => waiting.push(id),
            }
        }
        // All of them are waited for together.
        for _ in 0..TRIES {
            if waiting.is_empty() {
                break;
            }
            door::wait_a_moment();
            waiting.retain(|id| match self.meet_once(id) {
                Some(one) => {
                    met.push((id.clone(), one));
                    false
                }
                None => true,
            });
        }
        met.extend(waiting.into_iter().map(|id| {
            let one = self.unreached(&id);
            (id, one)
        }));
        Ok(met)
    }

    /// Looks into the folder of an instance. It may wait for the system.
    fn meet(&self, id: &InstanceId) -> Met {
        for _ in 0..TRIES {
            if let Some(met) = self.meet_once(id) {
                return met;
            }
            door::wait_a_moment();
        }
        self.unreached(id)
    }

    /// Looks once; nothing where its keeper has locked its folder, and does not listen yet, or leaves.
    fn meet_once(&self, id: &InstanceId) -> Option<Met> {
        if let Ok(socket) = connect_to(&self.layout, id) {
            return Some(Met::Keeper(socket));
        }
        match Facts::look(&self.layout, id) {
            Found::Kept => None,
            Found::Nothing => Some(Met::Nobody),
            Found::Lost(facts) => {
                self.end(&facts);
                Some(Met::Lost(facts.seen))
            }
        }
    }

    /// Its keeper lives, and lets nobody in.
    fn unreached(&self, id: &InstanceId) -> Met {
        let facts = Facts::read(&self.layout, id);
        let known = facts.as_ref().map(|facts| facts.seen.clone());
        Met::Unreached(silent(id, known, facts.as_ref()))
    }

    /// Ends what a keeper that has died has left, and waits until it is gone. It may wait for the system.
    pub(super) fn end(&self, facts: &Facts) {
        if facts.needs_nursery() {
            let nursery = self.nursery.lock().unwrap_or_else(PoisonError::into_inner);
            nursery.see_off(facts.keeper);
        }
        facts.end();
    }

    /// Asks the keeper of an instance for something; nothing where we know none.
    pub(super) fn send(&self, id: &InstanceId, what: Request) -> Result<Option<Answering>, EngineError> {
        let (waiter, answer) = oneshot::channel();
        let mut table = self.table();
        let number = table.give();
        let Some(row) = table.row_of(id) else {
            return Ok(None);
        };
        let leaves = what == Request::Forget;
        let question = frame(&Asked { number, what });
        if sent(&row.socket, &question) < question.len() {
            // Its answers come by the same socket: when that has closed, whoever listens to it finds out.
            return Err(EngineError::system("asking a keeper", id, Errno::AGAIN));
        }
        row.leaves |= leaves;
        row.asked.push((number, waiter));
        Ok(Some(answer))
    }
}

pub(super) async fn seen_of(id: &InstanceId, answer: Answering) -> Result<Option<Seen>, EngineError> {
    match received(id, answer.await)? {
        Answer::Seen(seen) => Ok(Some(seen)),
        Answer::Taken | Answer::Gone => Ok(None),
    }
}

/// Sends what fits into the socket, and answers how much that was.
fn sent(socket: &OwnedFd, bytes: &[u8]) -> usize {
    let mut sent = 0;
    while sent < bytes.len() {
        match send(socket, &bytes[sent..], SendFlags::NOSIGNAL | SendFlags::DONTWAIT) {
            Ok(more) => sent += more,
            Err(Errno::INTR) => {}
            Err(_) => break,
        }
    }
    sent
}

/// Sends the rest as the other end reads. Where that has closed, whoever listens to the socket finds out.
fn send_rest(socket: &OwnedFd, bytes: &[u8]) {
    let mut done = 0;
    while done < bytes.len() {
        let mut watched = [PollFd::new(socket, PollFlags::OUT)];
        let _ = poll(&mut watched, None);
        if watched[0].revents().intersects(PollFlags::HUP | PollFlags::ERR) {
            return;
        }
        done += sent(socket, &bytes[done..]);
    }
}
