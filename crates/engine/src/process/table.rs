//! What the engine knows of each instance: a row with its keeper's socket, and who waits for what.

use crate::EngineError;
use rustix::fd::OwnedFd;
use std::collections::HashMap;
use tokio::sync::oneshot;
use towpath_keeper::wire::Inbox;
use towpath_model::run::{InstanceId, Seen};

/// What whoever waits is answered.
#[derive(Debug, Clone)]
pub(super) enum Answer {
    /// How the instance is now.
    Seen(Seen),
    /// Another keeper has it.
    Taken,
    /// Its keeper has left.
    Gone,
}

pub(super) type Waiter = oneshot::Sender<Result<Answer, EngineError>>;

/// An instance with a keeper that we are connected to.
pub(super) struct Row {
    pub(super) id: InstanceId,
    pub(super) socket: OwnedFd,
    pub(super) inbox: Inbox,
    /// How often its keeper has said something.
    pub(super) words: u64,
    /// How it is, once its keeper has said it.
    pub(super) seen: Option<Seen>,
    /// Those who wait for its keeper's first word.
    pub(super) first: Vec<Waiter>,
    /// Those who wait until something is done, with the number of their question.
    pub(super) asked: Vec<(u64, Waiter)>,
    /// It was asked to leave, and will.
    pub(super) leaves: bool,
}

/// All instances.
#[derive(Default)]
pub(super) struct Table {
    rows: HashMap<u64, Row>,
    tokens: HashMap<InstanceId, u64>,
    lost: HashMap<InstanceId, Seen>,
    /// The last token and the last number of a question that were given.
    given: u64,
}

impl Table {
    /// A number that was not given before.
    pub(super) fn give(&mut self) -> u64 {
        self.given += 1;
        self.given
    }

    /// Adds an instance whose keeper has said nothing yet.
    pub(super) fn add(&mut self, token: u64, id: &InstanceId, socket: OwnedFd) {
        self.tokens.insert(id.clone(), token);
        let row = Row {
            id: id.clone(),
            socket,
            inbox: Inbox::default(),
            words: 0,
            seen: None,
            first: Vec::new(),
            asked: Vec::new(),
            leaves: false,
        };
        self.rows.insert(token, row);
    }

    pub(super) fn row(&mut self, token: u64) -> Option<&mut Row> {
        self.rows.get_mut(&token)
    }

    pub(super) fn row_of(&mut self, id: &InstanceId) -> Option<&mut Row> {
        self.rows.get_mut(self.tokens.get(id)?)
    }

    pub(super) fn remove(&mut self, token: u64) -> Option<Row> {
        let row = self.rows.remove(&token)?;
        if self.tokens.get(&row.id) == Some(&token) {
            self.tokens.remove(&row.id);
        }
        Some(row)
    }

    pub(super) fn knows(&self, id: &InstanceId) -> bool {
        self.tokens.contains_key(id) || self.lost.contains_key(id)
    }

    pub(super) fn lose(&mut self, seen: Seen) {
        self.lost.insert(seen.id.clone(), seen);
    }

    pub(super) fn lost(&self, id: &InstanceId) -> Option<Seen> {
        self.lost.get(id).cloned()
    }

    pub(super) fn forget_lost(&mut self, id: &InstanceId) {
        self.lost.remove(id);
    }

    /// How an instance is, where that is known.
    pub(super) fn seen(&self, id: &InstanceId) -> Option<&Seen> {
        let row = self.tokens.get(id).and_then(|token| self.rows.get(token));
        row.and_then(|row| row.seen.as_ref())
            .or_else(|| self.lost.get(id))
    }

    /// How all of them are, in the order of their names.
    pub(super) fn all(&self) -> Vec<Seen> {
        let kept = self.rows.values().filter_map(|row| row.seen.clone());
        let mut all: Vec<Seen> = kept.chain(self.lost.values().cloned()).collect();
        all.sort_by(|one, other| one.id.cmp(&other.id));
        all
    }
}
