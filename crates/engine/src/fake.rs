//! An engine in memory, for tests of everything above it: its time is given from outside, and its faults are scripted.
//!
//! It keeps every promise of the trait, and the suite that checks the real engines checks it too. Nothing happens in it
//! by itself: time passes when `advance` says so, and what is due by then happens in the order in which it is due. The
//! same calls in the same order have the same answers.
//!
//! A command says how its instance behaves, in the words of `Behavior`; any other command runs until it is stopped.

mod behavior;
mod machine;

pub use behavior::Behavior;

use crate::{Engine, EngineError, LimitsKept, Lines, LogLine, LogQuery, Start, Stream};
use jiff::Timestamp;
use machine::{Machine, Wish};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::mpsc::UnboundedReceiver;
use tokio::sync::oneshot;
use towpath_model::run::{Exit, InstanceId, Life, Seen, Stop, Usage};
use towpath_model::unit::{Duration, Name};

/// An engine in memory. Its clones are one engine, as seen by several stewards one after the other.
#[derive(Clone)]
pub struct Fake {
    machine: Arc<Mutex<Machine>>,
    changes: Arc<Mutex<Option<UnboundedReceiver<Seen>>>>,
}

impl Fake {
    /// An engine without instances, at this time.
    pub fn new(now: Timestamp) -> Self {
        let (machine, changes) = Machine::new(now);
        Fake {
            machine: Arc::new(Mutex::new(machine)),
            changes: Arc::new(Mutex::new(Some(changes))),
        }
    }

    /// The same instances, as a new steward finds them: nobody waits for anything, and changes are told anew.
    pub fn anew(&self) -> Self {
        let changes = self.machine().tell_anew();
        Fake {
            machine: Arc::clone(&self.machine),
            changes: Arc::new(Mutex::new(Some(changes))),
        }
    }

    fn machine(&self) -> MutexGuard<'_, Machine> {
        self.machine.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What time it is.
    pub fn now(&self) -> Timestamp {
        self.machine().now()
    }

    /// Lets time pass.
    pub fn advance(&self, time: Duration) {
        self.machine().advance(time);
    }

    /// The next start of this component fails, as one does whose system refuses.
    pub fn fail_start(&self, component: &Name) {
        self.machine().fail_start(component);
    }

    /// The process of an instance ends by itself.
    pub fn exit(&self, id: &InstanceId, exit: Exit) {
        self.machine().exit(id, exit);
    }

    /// Whoever keeps an instance dies.
    pub fn lose(&self, id: &InstanceId) {
        self.machine().lose(id);
    }

    /// From now on instances of this component take so long to stop.
    pub fn slow_stop(&self, component: &Name, time: Duration) {
        self.machine().slow_stop(component, time);
    }

    /// An instance writes a line.
    pub fn write(&self, id: &InstanceId, stream: Stream, text: &str) {
        self.machine().write(id, stream, text);
    }

    /// What an instance uses from now on.
    pub fn uses(&self, id: &InstanceId, usage: Usage) {
        self.machine().uses(id, usage);
    }

    /// What an instance was started with, for tests that look whether a variable arrived.
    pub fn order(&self, id: &InstanceId) -> Option<Start> {
        self.machine().order(id)
    }

    async fn wish(&self, id: &InstanceId, wish: Wish) -> Result<Seen, EngineError> {
        let (to, answer) = oneshot::channel();
        self.machine().wish(id, wish, to)?;
        answer.await.map_err(|_| EngineError::Unknown(id.clone()))
    }
}

impl Engine for Fake {
    async fn observe(&self) -> Result<Vec<Seen>, EngineError> {
        Ok(self.machine().all())
    }

    async fn start(&self, order: Start) -> Result<Seen, EngineError> {
        self.machine().start(order)
    }

    async fn stop(&self, id: &InstanceId, how: Stop) -> Result<Seen, EngineError> {
        self.wish(id, Wish::Stop(how)).await
    }

    async fn restart(&self, id: &InstanceId, how: Stop) -> Result<Seen, EngineError> {
        self.wish(id, Wish::Restart(how)).await
    }

    async fn forget(&self, id: &InstanceId) -> Result<(), EngineError> {
        self.machine().forget(id)
    }

    async fn usage(&self, ids: &[InstanceId]) -> Vec<(InstanceId, Usage)> {
        let machine = self.machine();
        ids.iter()
            .filter_map(|id| Some((id.clone(), machine.usage(id)?)))
            .collect()
    }

    async fn logs(&self, query: LogQuery) -> Result<Lines, EngineError> {
        Ok(self.machine().logs(query))
    }

    fn changes(&self) -> Option<UnboundedReceiver<Seen>> {
        self.changes.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    fn limits(&self) -> LimitsKept {
        LimitsKept::CgroupsV2
    }
}

/// Whether a line is one of those that are wanted.
fn is_wanted(line: &LogLine, query: &LogQuery) -> bool {
    let component = query.components.is_empty() || query.components.contains(&line.id.component);
    component && query.since.is_none_or(|since| line.at >= since)
}

/// What is told of an instance that waits for its lease.
fn waits_for(lease: &Name, now: Timestamp) -> Life {
    Life::Resting {
        until: now,
        after: Exit::NotStarted {
            why: format!("it waits for the lease `{lease}`, which another instance holds"),
        },
        looping: false,
    }
}
