//! The sessions of bots. One outlives its connection for a while, and keeps what happens meanwhile.

use serde_json::{Value, json};
use std::collections::{BTreeMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use synapse::frame::{DISPATCH, Frame};
use tokio::sync::watch;
use tokio::time::Instant;

/// How long a bot may be away.
const KEPT: Duration = Duration::from_secs(60);

/// The most events that a bot can have missed and still hear.
const MOST: usize = 2_000;

#[derive(Default)]
pub(crate) struct Sessions(Mutex<All>);

#[derive(Default)]
struct All {
    by_id: BTreeMap<String, Session>,
    begun: u64,
    resumed: u64,
}

struct Session {
    token: String,
    /// The number of the connection that it is on; another one takes it over.
    connection: u64,
    left: Option<Instant>,
    events: VecDeque<Frame>,
    sequence: i64,
    wake: watch::Sender<Wake>,
}

/// What a connection is woken for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Wake {
    /// Something has happened.
    News,
    /// The connection has to end.
    End,
}

/// A session as its connection has it.
pub(crate) struct Held {
    pub(crate) id: String,
    connection: u64,
    pub(crate) wake: watch::Receiver<Wake>,
}

impl Sessions {
    fn all(&self) -> MutexGuard<'_, All> {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.by_id
            .retain(|_, session| session.left.is_none_or(|left| left.elapsed() < KEPT));
        all
    }

    /// Begins a session. A token has one at a time: an older one ends.
    pub(crate) fn begin(&self, token: &str) -> Held {
        let mut all = self.all();
        for session in all.by_id.values().filter(|session| session.token == token) {
            session.wake.send_replace(Wake::End);
        }
        all.by_id.retain(|_, session| session.token != token);
        all.begun += 1;
        let id = format!("{}-{}", start(), all.begun);
        let (wake, woken) = watch::channel(Wake::News);
        let session = Session {
            token: token.to_owned(),
            connection: 1,
            left: None,
            events: VecDeque::new(),
            sequence: 0,
            wake,
        };
        all.by_id.insert(id.clone(), session);
        drop(all);
        let body = json!({ "v": 10, "session_id": id, "user": { "id": "1", "username": "Synapse" } });
        self.add(&id, "READY", body);
        Held {
            id,
            connection: 1,
            wake: woken,
        }
    }

    /// Goes on with a session; nothing where it is no more, or what was missed is not kept.
    pub(crate) fn resume(&self, token: &str, id: &str, heard: i64) -> Option<Held> {
        let mut all = self.all();
        let session = all.by_id.get_mut(id).filter(|session| session.token == token)?;
        let oldest = session.sequence - i64::try_from(session.events.len()).ok()?;
        if heard < oldest || heard > session.sequence {
            return None;
        }
        session.wake.send_replace(Wake::End);
        let (wake, woken) = watch::channel(Wake::News);
        session.wake = wake;
        session.left = None;
        session.connection += 1;
        let held = Held {
            id: id.to_owned(),
            connection: session.connection,
            wake: woken,
        };
        all.resumed += 1;
        drop(all);
        self.add(id, "RESUMED", json!({}));
        Some(held)
    }

    /// A connection has ended. The session stays for a while, unless its bot said good-bye.
    pub(crate) fn leave(&self, held: &Held, for_good: bool) {
        let mut all = self.all();
        let Some(session) = all.by_id.get_mut(&held.id) else {
            return;
        };
        if session.connection != held.connection {
            return;
        }
        session.left = Some(Instant::now());
        if for_good {
            all.by_id.remove(&held.id);
        }
    }

    /// Something happens, for every session.
    pub(crate) fn dispatch(&self, event: &str, body: &Value) {
        let ids: Vec<String> = self.all().by_id.keys().cloned().collect();
        for id in ids {
            self.add(&id, event, body.clone());
        }
    }

    fn add(&self, id: &str, event: &str, body: Value) {
        let mut all = self.all();
        let Some(session) = all.by_id.get_mut(id) else {
            return;
        };
        session.sequence += 1;
        session.events.push_back(Frame {
            code: DISPATCH,
            body,
            sequence: Some(session.sequence),
            event: Some(event.to_owned()),
        });
        if session.events.len() > MOST {
            session.events.pop_front();
        }
        session.wake.send_replace(Wake::News);
    }

    /// What happened after an event, as text to send, and the number of the last.
    pub(crate) fn after(&self, held: &Held, heard: i64) -> (Vec<String>, i64) {
        let all = self.all();
        let Some(session) = all.by_id.get(&held.id) else {
            return (Vec::new(), heard);
        };
        let news = session.events.iter().filter(|frame| frame.sequence > Some(heard));
        (news.map(Frame::text).collect(), session.sequence)
    }

    pub(crate) fn disconnect(&self) {
        for session in self.all().by_id.values() {
            session.wake.send_replace(Wake::End);
        }
    }

    pub(crate) fn told(&self) -> Value {
        let all = self.all();
        let sessions: Vec<Value> = all
            .by_id
            .iter()
            .map(|(id, session)| json!({ "id": id, "connected": session.left.is_none(), "sequence": session.sequence }))
            .collect();
        json!({ "sessions": sessions, "begun": all.begun, "resumed": all.resumed })
    }
}

/// Sets the sessions of one start apart from those of the next.
fn start() -> i64 {
    synapse::token::now()
}
