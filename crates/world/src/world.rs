//! The world: a machine, a journal, a steward, and time that passes when it is told to.

use crate::clock::Clock;
use crate::journal::Journal;
use crate::laws::Laws;
use crate::machine::{Machine, Note};
use crate::product::Product;
use crate::shore::Shore;
use crate::steward::{Around, Steward, Wanted};
use crate::trace::Trace;
use jiff::{SignedDuration, Timestamp};
use std::collections::BTreeSet;
use towpath_model::run::{Life, Seen};
use towpath_model::unit::{Duration, Name};

/// More instructions than this in one moment are a steward that turns in circles.
const MOST_IN_A_MOMENT: u32 = 20_000;

/// A world.
#[derive(Debug)]
pub struct World {
    /// Its clocks.
    pub clock: Clock,
    /// Its machine.
    pub machine: Machine,
    /// Its journal.
    pub journal: Journal,
    /// What is watched.
    pub laws: Laws,
    /// What happened.
    pub trace: Trace,
    /// What the person wants who is at the keyboard.
    pub product: Product,
    /// Everything beside instances that a rollout has to do with.
    pub shore: Shore,
    steward: Option<Steward>,
    stewards: u64,
    dies_after: Option<u64>,
    single: BTreeSet<Name>,
}

impl Default for World {
    fn default() -> Self {
        World {
            clock: Clock::beginning(),
            machine: Machine::default(),
            journal: Journal::default(),
            laws: Laws::default(),
            trace: Trace::default(),
            product: Product::default(),
            shore: Shore::default(),
            steward: None,
            stewards: 0,
            dies_after: None,
            single: BTreeSet::new(),
        }
    }
}

impl World {
    /// The steward, while it lives.
    pub fn steward(&self) -> Option<&Steward> {
        self.steward.as_ref()
    }

    /// A new steward, where there is none, which takes over what it finds.
    pub fn start_steward(&mut self) {
        if self.steward.is_some() {
            return;
        }
        self.stewards += 1;
        let number = self.stewards;
        // What happened while nobody listened is seen, not heard.
        let _ = self.machine.heard();
        self.steward = Some(Steward::new(number, &mut self.around()));
    }

    /// The steward is killed after so many more of its instructions.
    pub fn crash_steward(&mut self, after: u64) {
        self.dies_after = None;
        if after == 0 {
            self.steward = None;
        } else {
            self.dies_after = Some(after);
        }
    }

    /// The steward is not killed after all.
    pub fn spare_steward(&mut self) {
        self.dies_after = None;
    }

    /// Asks the steward for something. One that has died is started first, as whoever asks does.
    pub fn want(&mut self, wanted: Wanted) {
        self.start_steward();
        if let Some(steward) = &mut self.steward {
            steward.want(wanted);
        }
    }

    /// Which components are single, of all releases that are there.
    pub(crate) fn watch_single(&mut self) {
        for release in self.shore.known.values() {
            let all = release.content.components.values();
            let bots = all
                .filter(|portion| portion.component.single && !self.single.contains(&portion.component.name));
            let bots: Vec<Name> = bots.map(|portion| portion.component.name.clone()).collect();
            self.single.extend(bots);
        }
    }

    /// What is wanted is what stands in the product now.
    pub fn apply(&mut self, up: bool) {
        let components = self.product.components.values();
        let single = components.filter(|(component, _)| component.single);
        self.single
            .extend(single.map(|(component, _)| component.name.clone()));
        self.want(Wanted::Product(self.product.clone(), up));
    }

    /// The clock that people set jumps.
    pub fn jump(&mut self, by: SignedDuration) {
        self.clock.off += by;
    }

    /// Lets time pass, and everything happen that happens then.
    pub fn pass(&mut self, time: Duration) {
        let end = crate::clock::after(self.clock.steady, time);
        let mut in_this_moment = 0;
        while let Some(at) = self.next().filter(|at| *at <= end) {
            if at > self.clock.steady {
                self.clock.steady = at;
                in_this_moment = 0;
            }
            in_this_moment += 1;
            if in_this_moment > MOST_IN_A_MOMENT {
                self.laws.break_by("the steward turns in circles".to_owned());
                self.steward = None;
                return;
            }
            self.turn();
        }
        self.clock.steady = end;
    }

    /// When something happens next.
    fn next(&self) -> Option<Timestamp> {
        let steward = self.steward.as_ref().and_then(|steward| steward.next(self.clock));
        let outside = [self.machine.next(), self.shore.next(), steward];
        let next = outside.into_iter().flatten().min()?;
        Some(next.max(self.clock.steady))
    }

    fn turn(&mut self) {
        if self.machine.next().is_some_and(|at| at <= self.clock.steady) {
            self.machine.turn(self.clock.steady);
        } else if self.shore.next().is_some_and(|at| at <= self.clock.steady) {
            self.shore.turn(self.clock.steady);
        } else if let Some(mut steward) = self.steward.take() {
            steward.step(&mut self.around());
            let dies = match &mut self.dies_after {
                Some(left) => {
                    *left -= 1;
                    *left == 0
                }
                None => false,
            };
            if dies {
                self.dies_after = None;
                self.trace.say(self.clock, "the steward was killed");
            } else {
                self.steward = Some(steward);
            }
        }
        self.look();
    }

    /// Looks at what has happened on the machine.
    pub(crate) fn look(&mut self) {
        for note in self.machine.heard() {
            if let Note::Changed(seen) = &note {
                self.trace.say(self.clock, told(seen));
            }
            if let Some(steward) = &mut self.steward {
                steward.hear(note);
            }
        }
        for news in self.shore.heard() {
            if let Some(steward) = &mut self.steward {
                steward.hear_of(news, &self.shore);
            }
        }
        self.laws.look(&mut self.machine, &mut self.journal, &self.single);
    }

    fn around(&mut self) -> Around<'_> {
        Around {
            machine: &mut self.machine,
            shore: &mut self.shore,
            journal: &mut self.journal,
            laws: &mut self.laws,
            trace: &mut self.trace,
            clock: self.clock,
        }
    }
}

/// An instance in words.
pub(crate) fn told(seen: &Seen) -> String {
    let id = &seen.id;
    match &seen.life {
        Life::Running { .. } => match seen.port {
            Some(port) => format!("{id} runs on {port}"),
            None => format!("{id} runs"),
        },
        Life::Resting {
            until,
            after,
            looping,
        } => {
            let pause = crate::clock::between(seen.since, *until);
            let again = if *looping { "again and again" } else { "again" };
            format!("{id} {after}, and starts {again} in {pause}")
        }
        Life::Stopping { .. } => format!("{id} is asked to stop"),
        Life::Ended { exit } => format!("{id} {exit}"),
        Life::Silent { .. } => format!("{id} is not heard of"),
        Life::Lost => format!("{id} is lost"),
    }
}
