//! The machine that instances run on, and their keepers: it outlives every steward, and it is where things go wrong.
//!
//! It does what a real engine does, in virtual time: an instance starts, becomes well after a while, ends by itself and is
//! started again, takes its time to stop. How the programs behave is their `Temper`, which scripts and schedules of faults
//! change.

mod calls;
mod lives;

pub(crate) use calls::{Call, Order, Reply, Token, What};

use crate::agenda::Agenda;
use jiff::Timestamp;
use lives::Kept;
use std::collections::{BTreeMap, BTreeSet};
use towpath_model::run::{InstanceId, Life, Seen};
use towpath_model::unit::{Duration, Name};

/// How long the machine itself takes for anything.
const OWN_TIME: Duration = Duration::from_millis(2);

/// How the programs of a component behave.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Temper {
    /// How long a process takes until it answers.
    pub boots: Duration,
    /// How long it takes to end when it is asked to.
    pub stops: Duration,
    /// How long a run of a job takes.
    pub takes: Duration,
    /// The code that a run of a job ends with.
    pub code: i32,
    /// It ends so soon after each start.
    pub crashes: Option<Duration>,
    /// It does not answer well.
    pub sick: bool,
    /// So many of the next starts fail.
    pub failing_starts: u32,
    /// How long its build takes.
    pub builds: Duration,
    /// Its build fails.
    pub failing_build: bool,
}

impl Default for Temper {
    fn default() -> Self {
        Temper {
            boots: Duration::from_millis(300),
            stops: Duration::from_millis(50),
            takes: Duration::from_secs(3),
            code: 0,
            crashes: None,
            sick: false,
            failing_starts: 0,
            builds: Duration::from_secs(1),
            failing_build: false,
        }
    }
}

/// Something that happens on the machine at a time.
#[derive(Debug)]
enum Due {
    /// A process ends by itself.
    Ends(InstanceId, u64, towpath_model::run::Exit),
    /// One that rested is started again.
    Again(InstanceId, u64),
    /// An answer is given.
    Answer(Token, Reply),
    /// An answer about an instance is given, as it is by then.
    Tell(Token, InstanceId),
}

/// Something that whoever listens hears.
#[derive(Debug, Clone)]
pub(crate) enum Note {
    /// An instance is another way.
    Changed(Seen),
    /// A call is answered.
    Answered(Token, Reply),
}

/// The machine.
#[derive(Debug, Default)]
pub struct Machine {
    kept: BTreeMap<InstanceId, Kept>,
    tempers: BTreeMap<Name, Temper>,
    /// How those behave that were started from this, where they differ from the others of their component.
    digests: BTreeMap<String, Temper>,
    stolen: BTreeSet<u16>,
    ever: BTreeSet<InstanceId>,
    agenda: Agenda<Due>,
    notes: Vec<Note>,
    last_pid: u32,
    faults: Vec<String>,
}

impl Machine {
    /// Every instance that is there.
    pub fn observe(&self) -> Vec<Seen> {
        self.kept.values().map(|kept| kept.seen.clone()).collect()
    }

    /// Every instance of a component of which something runs, or will again.
    pub fn living(&self, component: &Name) -> impl Iterator<Item = &Seen> {
        let all = self.kept.values().map(|kept| &kept.seen);
        all.filter(move |seen| seen.id.component == *component && !seen.life.is_over())
    }

    /// How the programs of a component behave, to be changed.
    pub fn temper(&mut self, component: &Name) -> &mut Temper {
        self.tempers.entry(component.clone()).or_default()
    }

    /// How the programs behave that are started from this, to be changed.
    pub fn temper_of(&mut self, digest: &str) -> &mut Temper {
        self.digests.entry(digest.to_owned()).or_default()
    }

    fn temper_for(&mut self, component: &Name, digest: &str) -> &mut Temper {
        match self.digests.contains_key(digest) {
            true => self.temper_of(digest),
            false => self.temper(component),
        }
    }

    /// All behave well again.
    pub fn mend(&mut self) {
        self.tempers.clear();
        self.digests.clear();
        self.stolen.clear();
    }

    /// Whether nobody listens on a port.
    pub fn is_free(&self, port: u16) -> bool {
        let holds = |kept: &Kept| kept.seen.port == Some(port) && !kept.seen.life.is_over();
        !self.stolen.contains(&port) && !self.kept.values().any(holds)
    }

    /// Whether a stranger listens on a port.
    pub fn is_stolen(&self, port: u16) -> bool {
        self.stolen.contains(&port)
    }

    /// Asks an instance how it is. Nothing when there is no process that could be asked.
    pub fn ask(&self, id: &InstanceId, now: Timestamp) -> Option<Result<(), String>> {
        let kept = self.kept.get(id)?;
        let Life::Running { .. } = kept.seen.life else {
            return None;
        };
        let own = self.digests.get(&kept.seen.digest);
        let is_sick = own
            .or(self.tempers.get(&id.component))
            .is_some_and(|temper| temper.sick);
        let robbed = kept.seen.port.is_some_and(|port| self.is_stolen(port));
        Some(if robbed {
            Err("somebody else answers".to_owned())
        } else if now < kept.answers {
            Err("nobody listens".to_owned())
        } else if is_sick {
            Err("answered 500".to_owned())
        } else {
            Ok(())
        })
    }

    /// When something happens next.
    pub(crate) fn next(&self) -> Option<Timestamp> {
        self.agenda.next()
    }

    /// Lets happen one thing that is due.
    pub(crate) fn turn(&mut self, now: Timestamp) {
        match self.agenda.take(now) {
            Some(Due::Ends(id, life, exit)) if self.is_in(&id, life) => self.end(&id, exit, now),
            Some(Due::Again(id, life)) if self.is_in(&id, life) => self.run(&id, now),
            Some(Due::Answer(token, reply)) => self.notes.push(Note::Answered(token, reply)),
            Some(Due::Tell(token, id)) => {
                let seen = self.kept.get(&id).map(|kept| kept.seen.clone());
                self.notes.push(Note::Answered(token, Ok(seen)));
            }
            // It was due in a life that is over.
            Some(Due::Ends(..) | Due::Again(..)) | None => {}
        }
    }

    /// Whether an instance is in that life of its still.
    fn is_in(&self, id: &InstanceId, life: u64) -> bool {
        self.kept.get(id).is_some_and(|kept| kept.life == life)
    }

    /// What is to be heard since it was last listened to.
    pub(crate) fn heard(&mut self) -> Vec<Note> {
        std::mem::take(&mut self.notes)
    }

    /// What should never have been asked of it, since this was last looked at.
    pub(crate) fn faults(&mut self) -> Vec<String> {
        std::mem::take(&mut self.faults)
    }
}
