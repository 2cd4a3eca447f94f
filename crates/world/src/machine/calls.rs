//! What the machine can be told, and what it answers.

use super::lives::Kept;
use super::{Due, Machine, OWN_TIME};
use crate::clock::after;
use jiff::Timestamp;
use towpath_decide::tend::Did;
use towpath_model::desired::component::Restart;
use towpath_model::run::{Exit, InstanceId, Life, Seen, Stop};
use towpath_model::sealed::Sealed;
use towpath_model::unit::Name;
use towpath_store::Seq;

/// Something that the machine is told.
#[derive(Debug, Clone)]
pub(crate) enum Call {
    /// Start an instance.
    Start(Order),
    /// Stop one.
    Stop(InstanceId, Stop),
    /// Restart one where it stands.
    Restart(InstanceId, Stop),
    /// Forget one that has ended.
    Forget(InstanceId),
    /// Build something.
    Build(Name),
    /// Pack an extension.
    Pack,
}

/// Exactly what is started.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Order {
    /// Which instance.
    pub(crate) id: InstanceId,
    /// From what.
    pub(crate) digest: String,
    /// Where it listens.
    pub(crate) port: Option<u16>,
    /// What it is told, and nobody else.
    pub(crate) env: Vec<(String, Sealed<String>)>,
    /// What happens when it ends by itself.
    pub(crate) restart: Restart,
    /// It runs and ends.
    pub(crate) is_job: bool,
}

/// Whose call it was: of which steward, and by which intent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Token {
    /// The number of the steward.
    pub(crate) steward: u64,
    /// The intent.
    pub(crate) seq: Seq,
    /// What was called for.
    pub(crate) what: What,
}

/// What was called for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum What {
    /// Something about an instance.
    Instance(InstanceId, Did),
    /// A build.
    Build(Name),
    /// Packing.
    Pack(Name),
}

/// What comes of a call: how the instance is by then, nothing where there is none, or why it could not be done.
pub(crate) type Reply = Result<Option<Seen>, String>;

impl Machine {
    /// Is told something; the answer comes later.
    pub(crate) fn call(&mut self, call: Call, token: Token, now: Timestamp) {
        match call {
            Call::Start(order) => self.start(order, token, now),
            Call::Stop(id, how) => self.leave(&id, &how, false, token, now),
            Call::Restart(id, how) => self.leave(&id, &how, true, token, now),
            Call::Forget(id) => {
                let living = self.kept.get(&id).is_some_and(|kept| !kept.seen.life.is_over());
                let reply = if living {
                    Err(format!("{id} lives"))
                } else {
                    self.kept.remove(&id);
                    Ok(None)
                };
                self.agenda.put(after(now, OWN_TIME), Due::Answer(token, reply));
            }
            Call::Build(build) => {
                let temper = self.temper(&build).clone();
                let reply = match temper.failing_build {
                    true => Err("it ended with code 1".to_owned()),
                    false => Ok(None),
                };
                self.agenda
                    .put(after(now, temper.builds), Due::Answer(token, reply));
            }
            Call::Pack => self
                .agenda
                .put(after(now, OWN_TIME), Due::Answer(token, Ok(None))),
        }
    }

    fn start(&mut self, order: Order, token: Token, now: Timestamp) {
        let id = order.id.clone();
        let answer = after(now, OWN_TIME);
        if self.kept.contains_key(&id) {
            self.agenda.put(answer, Due::Tell(token, id));
            return;
        }
        let temper = self.temper_for(&id.component, &order.digest);
        if temper.failing_starts > 0 {
            temper.failing_starts -= 1;
            let why = "there is no such command".to_owned();
            self.agenda.put(answer, Due::Answer(token, Err(why)));
            return;
        }
        if !self.ever.insert(id.clone()) {
            self.faults
                .push(format!("{id} was started under a number that was given before"));
        }
        if let Some(port) = order.port
            && let Some(other) = self
                .kept
                .values()
                .find(|kept| kept.seen.port == Some(port) && !kept.seen.life.is_over())
        {
            self.faults.push(format!(
                "{id} was started on port {port}, where {} is",
                other.seen.id
            ));
        }
        self.kept.insert(id.clone(), Kept::new(order, now));
        self.run(&id, now);
        self.agenda.put(answer, Due::Tell(token, id));
    }

    /// Stops an instance, or restarts it where it stands.
    fn leave(&mut self, id: &InstanceId, how: &Stop, again: bool, token: Token, now: Timestamp) {
        let digest = self
            .kept
            .get(id)
            .map(|kept| kept.seen.digest.clone())
            .unwrap_or_default();
        let stops = self.temper_for(&id.component, &digest).stops;
        let answer = after(now, OWN_TIME);
        let Some(kept) = self.kept.get_mut(id) else {
            self.agenda.put(answer, Due::Answer(token, Ok(None)));
            return;
        };
        match kept.seen.life.clone() {
            Life::Running { pid } => {
                kept.again = again;
                kept.change(Life::Stopping { pid }, now);
                kept.waiting.push(token);
            }
            Life::Stopping { .. } => {
                // Whoever wants it to stop is stronger than whoever wants it back.
                kept.again &= again;
                kept.waiting.push(token);
            }
            Life::Resting { .. } | Life::Ended { .. } if again => {
                self.run(id, now);
                self.agenda.put(answer, Due::Tell(token, id.clone()));
                return;
            }
            Life::Resting { after: exit, .. } => {
                kept.change(Life::Ended { exit }, now);
                let seen = kept.seen.clone();
                self.notes.push(super::Note::Changed(seen));
                self.agenda.put(answer, Due::Tell(token, id.clone()));
                return;
            }
            Life::Ended { .. } | Life::Silent { .. } | Life::Lost => {
                self.agenda.put(answer, Due::Tell(token, id.clone()));
                return;
            }
        }
        let (life, seen) = (kept.life, kept.seen.clone());
        let exit = if stops > how.within {
            Exit::TooSlow { within: how.within }
        } else {
            Exit::Signal { signal: 15 }
        };
        self.notes.push(super::Note::Changed(seen));
        let at = after(now, stops.min(how.within));
        self.agenda.put(at, Due::Ends(id.clone(), life, exit));
    }
}
