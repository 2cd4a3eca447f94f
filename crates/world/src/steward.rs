//! A steward of this world: the real decisions, with everything around them as a list of single instructions.
//!
//! It does what the real one does in the same order: it hears what has reached it, decides, writes down what it is about to
//! do, and does it. Each of these is one instruction, and it may be killed after any of them. What it knew is gone then;
//! what it wrote stands in the journal, and what it began goes on upon the machine.

mod asking;
mod doing;
mod steering;

pub(crate) use doing::Prepared;
pub use doing::Wanted;

use crate::clock::{Clock, after};
use crate::journal::Journal;
use crate::laws::Laws;
use crate::machine::{Machine, Note, Order};
use crate::product::Product;
use crate::shore::Shore;
use crate::trace::Trace;
use asking::Asked;

use jiff::Timestamp;
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use towpath_decide::tend::{Act, Fact, Tended};
use towpath_model::run::{InstanceId, Life, Seen};
use towpath_model::unit::{Duration, Name};
use towpath_store::{Batch, Outcome, Seq};

/// How soon it tries again to write what could not be written.
const WRITE_AGAIN: Duration = Duration::from_secs(1);

/// How long outcomes wait to be written with the next intent.
const FLUSH: Duration = Duration::from_millis(200);

/// The longest wait for a time of day: the clock may be set meanwhile.
const LONGEST_WAIT: Duration = Duration::from_secs(20);

/// The number of an intent that could not be written down.
const UNWRITTEN: Seq = 0;

/// Everything around a steward.
pub(crate) struct Around<'a> {
    pub(crate) machine: &'a mut Machine,
    pub(crate) shore: &'a mut Shore,
    pub(crate) journal: &'a mut Journal,
    pub(crate) laws: &'a mut Laws,
    pub(crate) trace: &'a mut Trace,
    pub(crate) clock: Clock,
}

/// A steward.
#[derive(Debug)]
pub struct Steward {
    number: u64,
    tended: Tended,
    inbox: VecDeque<Message>,
    /// Something was learned since it last decided.
    undecided: bool,
    /// What is written with the next intents.
    batch: Batch,
    flush_at: Option<Timestamp>,
    write_again: Option<Timestamp>,
    /// When it looks again though nothing has happened: it was reckoned when it went to sleep, and is soon enough for a time
    /// of day that somebody sets meanwhile.
    look_at: Option<Timestamp>,
    /// What was decided and is not written down yet.
    prepared: Vec<Prepared>,
    /// What was written down and is not begun yet.
    ready: VecDeque<(Prepared, Seq)>,
    asked: BTreeMap<InstanceId, Asked>,
    ports: BTreeSet<u16>,
    next_port: u16,
    /// Where releases decide what runs.
    helm: Option<steering::Helm>,
}

/// Something that has reached a steward.
#[derive(Debug)]
enum Message {
    Fact(Fact),
    Done {
        seq: Seq,
        fact: Fact,
        outcome: Result<(), String>,
    },
    Wanted(Wanted),
}

impl Steward {
    /// A new steward, which takes over what an earlier one has left.
    pub(crate) fn new(number: u64, around: &mut Around<'_>) -> Self {
        let mut steward = Steward {
            number,
            tended: Tended::default(),
            inbox: VecDeque::new(),
            undecided: true,
            batch: Batch::default(),
            flush_at: None,
            write_again: None,
            look_at: None,
            prepared: Vec::new(),
            ready: VecDeque::new(),
            asked: BTreeMap::new(),
            ports: BTreeSet::new(),
            next_port: 10_000,
            helm: None,
        };
        let course = around.journal.course().cloned();
        steward.helm = course.map(|course| steering::Helm::new(course, around.clock.steady));
        let journal = &around.journal;
        for open in journal.open() {
            steward.batch.outcomes.push(Outcome {
                of: open.seq,
                done: false,
                body: json!({ "why": "interrupted" }),
            });
        }
        let seen = around.machine.observe();
        steward.ports.extend(seen.iter().filter_map(|one| one.port));
        steward.tended.learn(Fact::Observed(seen));
        if let Some((_, record)) = journal.records("product").next()
            && let Some(product) = Product::of_record(record)
        {
            steward.tended.learn(Fact::Applied(product.applied(false)));
        }
        for (name, what) in journal.records("remembered") {
            if let (Ok(name), Ok(what)) = (
                crate::product::name_of(name),
                serde_json::from_value(what.clone()),
            ) {
                steward.tended.learn(Fact::Remembered { name, what });
            }
        }
        steward
    }

    /// What it knows.
    pub fn tended(&self) -> &Tended {
        &self.tended
    }

    /// Hears of something on the machine.
    pub(crate) fn hear(&mut self, note: Note) {
        match note {
            Note::Changed(seen) => self.inbox.push_back(Message::Fact(Fact::Changed(seen))),
            Note::Answered(token, reply) if token.steward == self.number => {
                self.inbox.push_back(doing::done(token, reply));
            }
            // It was called for by one who is no more.
            Note::Answered(..) => {}
        }
    }

    /// Is asked for something by a person.
    pub(crate) fn want(&mut self, wanted: Wanted) {
        self.inbox.push_back(Message::Wanted(wanted));
    }

    /// When it has something to do though nothing reaches it.
    pub(crate) fn next(&self, clock: Clock) -> Option<Timestamp> {
        let busy = !self.ready.is_empty() || !self.inbox.is_empty();
        let decides = self.undecided || !self.prepared.is_empty();
        let writes = decides.then(|| self.write_again.unwrap_or(clock.steady));
        let look = self.look_at.filter(|_| !self.undecided);
        let asks = self.asked.values().filter_map(|asked| asked.due).min();
        let now = busy.then_some(clock.steady);
        let steers = self.helm.as_ref().and_then(|helm| helm.next(clock.steady));
        let all = [now, writes, look, asks, self.flush_at, steers];
        all.into_iter().flatten().min().map(|at| at.max(clock.steady))
    }

    /// Carries out one instruction, and says whether there was one.
    pub(crate) fn step(&mut self, around: &mut Around<'_>) -> bool {
        let now = around.clock.steady;
        let may_write = self.write_again.is_none_or(|at| at <= now);
        if self.helm.as_ref().is_some_and(steering::Helm::is_due) {
            self.make_so(around);
        } else if let Some((prepared, seq)) = self.ready.pop_front() {
            self.perform(prepared, seq, around);
        } else if !self.prepared.is_empty() && may_write || self.flush_at.is_some_and(|at| at <= now) {
            self.write(around);
        } else if let Some(message) = self.inbox.pop_front() {
            self.learn(message, around);
            self.undecided = true;
        } else if self.undecided && may_write {
            self.decide(around);
        } else if self.steer_or_do(around) {
            // Done.
        } else if let Some(id) = self.due_question(now) {
            self.ask(&id, around);
        } else if !self.undecided && self.look_at.is_some_and(|at| at <= now) {
            self.undecided = true;
        } else {
            return false;
        }
        let look = self.tended.next_look();
        self.look_at = look.map(|at| around.clock.steady_of(at).min(after(now, LONGEST_WAIT)));
        true
    }

    fn learn(&mut self, message: Message, around: &mut Around<'_>) {
        let fact = match message {
            Message::Fact(fact) => fact,
            Message::Done { seq, fact, outcome } => {
                self.batch.outcomes.push(Outcome {
                    of: seq,
                    done: outcome.is_ok(),
                    body: outcome.map_or_else(|why| json!({ "why": why }), |()| json!({})),
                });
                fact
            }
            Message::Wanted(Wanted::Course(wish)) => return self.learn_wish(&wish, around),
            Message::Wanted(wanted) => return self.learn_wanted(wanted),
        };
        if let Fact::Changed(seen) = &fact {
            self.look_for_robbers(seen, around.machine);
        }
        if let Fact::Did {
            id, result: Ok(None), ..
        } = &fact
        {
            let part = self.tended.parts().get(&id.component);
            let standing = part.and_then(|part| part.standing.iter().find(|one| one.seen.id == *id));
            if let Some(port) = standing.and_then(|one| one.seen.port) {
                self.ports.remove(&port);
            }
        }
        self.tended.learn(fact);
    }

    fn look_for_robbers(&mut self, seen: &Seen, machine: &Machine) {
        if let (Life::Resting { looping: true, .. }, Some(port)) = (&seen.life, seen.port)
            && machine.is_stolen(port)
        {
            let robbed = Fact::Robbed(seen.id.clone());
            self.inbox.push_back(Message::Fact(robbed));
        }
    }

    fn decide(&mut self, around: &mut Around<'_>) {
        self.undecided = false;
        let mut faces: Vec<Name> = Vec::new();
        for act in self.tended.decide(around.clock.today()) {
            match act {
                Act::Face(name) => faces.push(name),
                Act::Tell(name) => {
                    if let Some(part) = self.tended.parts().get(&name) {
                        let told = format!("{name} is {}: {}", part.state, part.because);
                        around.trace.say(around.clock, told);
                    }
                }
                Act::Remember(name, what) => {
                    let record = ("remembered".to_owned(), name.to_string(), Some(json!(what)));
                    self.batch.records.push(record);
                }
                Act::Missed { name, count, last } => {
                    around.trace.say(
                        around.clock,
                        format!("{name} missed {count} runs, the last at {last}"),
                    );
                }
                act => {
                    let exact = self.prepare(act, around.machine);
                    self.prepared.extend(exact);
                }
            }
        }
        around.laws.decided(&self.prepared, &self.tended);
        if let Some(helm) = &mut self.helm {
            helm.touch();
        }
        for name in faces {
            self.question(&name, around.clock.steady);
        }
        let waits = !self.batch.outcomes.is_empty() || !self.batch.records.is_empty();
        if waits && self.flush_at.is_none() {
            self.flush_at = Some(after(around.clock.steady, FLUSH));
        }
    }

    fn write(&mut self, around: &mut Around<'_>) {
        let now = around.clock.steady;
        self.flush_at = None;
        if let Some(refusal) = around.journal.refusal() {
            around.trace.say(around.clock, refusal);
            self.write_again = Some(after(now, WRITE_AGAIN));
            self.flush_at = self.write_again;
            self.put_off();
            return;
        }
        self.write_again = None;
        let prepared = std::mem::take(&mut self.prepared);
        let mut batch = std::mem::take(&mut self.batch);
        let tells_all = around.shore.sabotage.as_deref() == Some("journal");
        batch
            .entries
            .extend(prepared.iter().map(|one| one.entry(tells_all)));
        around.laws.wrote(&batch, &prepared);
        for entry in &batch.entries {
            let said = format!("{} {}, because {}", entry.what, entry.subject, entry.because);
            around.trace.say(around.clock, said);
        }
        let seqs = around.journal.write(batch, around.clock.today());
        self.ready.extend(prepared.into_iter().zip(seqs));
    }

    /// What could not be written down is decided anew when it can be: by then, something else may be wanted. Stopping does
    /// not wait for that: it may make room, and that something was stopped is seen without the journal.
    fn put_off(&mut self) {
        self.undecided = true;
        let prepared = std::mem::take(&mut self.prepared).into_iter();
        let (stops, prepared): (Vec<_>, Vec<_>) = prepared.partition(Prepared::stops);
        self.ready.extend(stops.into_iter().map(|stop| (stop, UNWRITTEN)));
        let (instances, others): (Vec<_>, Vec<_>) = prepared
            .into_iter()
            .partition(|prepared| prepared.instance().is_some());
        self.prepared = others;
        for prepared in &instances {
            if let Prepared::Start(Order { port: Some(port), .. }, _) = prepared {
                self.ports.remove(port);
            }
        }
        for (id, did) in instances.iter().rev().filter_map(Prepared::instance) {
            self.tended.learn(Fact::Withdrawn { id, did });
        }
    }
}
