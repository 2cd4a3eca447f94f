//! Tending: the whole product, as facts arrive and acts follow.
//!
//! `Tended` is everything that a steward knows. It learns facts (an instance changed, a build ended, a person wants
//! something) and answers with acts. It holds no clock, file or socket, so the very thing that runs a laptop's product can
//! be run in a test, in virtual time, with every fault that one can think of.
//!
//! A fact touches the components that it is about, and those alone are decided anew; where one of them becomes well or
//! ceases to be, those that need it are decided, too. A change among ten thousand components costs what it costs among ten.
//!
//! Nothing in here has to survive. A steward that was killed starts with nothing, is told what is wanted and what stands,
//! and decides from there: what was under way shows in what stands.

mod fact;
mod line;
mod part;
mod parts;
#[cfg(test)]
pub(crate) mod tests;

pub use fact::{Act, Applied, Did, Fact, NoPort, Remembered, Wish};
pub use part::Part;
pub use parts::Parts;

use crate::converge::{Busy, Made, Standing, Step, Will};
use jiff::Timestamp;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;
use towpath_model::run::{Build, Component, Kind, Seen, State};
use towpath_model::unit::Name;

/// How long it is waited before something that could not be started is tried again.
const PAUSE: jiff::SignedDuration = jiff::SignedDuration::from_secs(2);

/// Everything that is known of a product that runs.
#[derive(Debug, Default)]
pub struct Tended {
    parts: Parts,
    /// The greatest numbers that instances of components have had which are no part of the product now.
    given: BTreeMap<Name, u64>,
    /// Who needs a component.
    users: HashMap<Name, BTreeSet<Name>>,
    builds: BTreeMap<Name, Building>,
    /// Whose build it is.
    built: BTreeMap<Name, BTreeSet<Name>>,
    /// Those about which something has been learned since they were decided.
    touched: BTreeSet<Name>,
    /// Those that have to be looked at though nothing has happened.
    timers: BTreeSet<(Timestamp, Name)>,
    /// How many are on their way somewhere.
    unsettled: usize,
    /// The time of the last decision.
    decided_at: Option<Timestamp>,
    going_down: bool,
    /// Nobody is asked first.
    at_once: bool,
}

/// A build, and how it is.
#[derive(Debug)]
struct Building {
    build: Arc<Build>,
    made: Made,
    /// Something has changed while it went on: it is due again when it has ended.
    again: bool,
}

impl Building {
    /// It has to run, now or once more.
    fn due(&mut self) {
        if self.made == Made::Underway {
            self.again = true;
        } else {
            self.made = Made::Due;
        }
    }
}

impl Tended {
    /// The components, by name.
    pub fn parts(&self) -> &Parts {
        &self.parts
    }

    /// Whether nothing will happen by itself.
    pub fn is_settled(&self) -> bool {
        self.unsettled == 0 && self.touched.is_empty()
    }

    /// Whether everything has stopped, where that was asked for.
    pub fn is_gone(&self) -> bool {
        self.going_down && self.touched.is_empty() && self.parts.values().all(|part| part.standing.is_empty())
    }

    /// Whether everything is to stop.
    pub fn goes_down(&self) -> bool {
        self.going_down
    }

    /// When it has to be asked again though nothing has happened.
    pub fn next_look(&self) -> Option<Timestamp> {
        self.timers.first().map(|(at, _)| *at)
    }

    /// Learns a fact.
    pub fn learn(&mut self, fact: Fact) {
        match fact {
            Fact::Applied(applied) => self.apply(applied),
            Fact::Lined(lineup) => self.line(lineup),
            Fact::Remembered { name, what } => {
                if let Some(part) = self.parts.get_mut(&name) {
                    part.remember(what);
                    self.touched.insert(name);
                } else {
                    self.given.insert(name, what.last);
                }
            }
            Fact::Observed(all) => all.into_iter().for_each(|seen| self.see(seen)),
            Fact::Changed(seen) => self.see(seen),
            Fact::Answered { id, well } => {
                self.standing(&id.component, id.number, |one| one.well = well);
            }
            Fact::Did { id, did, result } => self.did(&id, did, result),
            Fact::Withdrawn { id, did } => {
                if let Some(part) = self.parts.get_mut(&id.component) {
                    part.withdraw(&id, did);
                    self.touched.insert(id.component);
                }
            }
            Fact::NoPort { id, why } => {
                if let Some(part) = self.parts.get_mut(&id.component) {
                    part.refuse(&id, &why);
                    self.touched.insert(id.component);
                }
            }
            Fact::Folder { name, missing } => {
                if let Some(part) = self.parts.get_mut(&name) {
                    part.missing = missing;
                    self.touched.insert(name);
                }
            }
            Fact::Dressed { name, digest } => {
                if let Some(part) = self.parts.get_mut(&name) {
                    part.digest = digest;
                    self.touched.insert(name);
                }
            }
            Fact::Built { build, result } => self.built(&build, result),
            Fact::Packed { name, result } => {
                if let Some(part) = self.parts.get_mut(&name) {
                    part.packed = result.map_or_else(Made::Failed, |()| Made::Done);
                    self.touched.insert(name);
                }
            }
            Fact::Wished { name, wish } => self.wish(name, wish),
            Fact::Wanted(name) => self.wake(name),
            Fact::Quiet(name) => {
                if let Some(part) = self.parts.get_mut(&name).filter(|part| {
                    part.sleeps() && part.will == Will::Up && !part.is_kept_awake() && !part.has_sides()
                }) {
                    part.will = Will::Asleep;
                    self.touched.insert(name);
                }
            }
            Fact::Robbed(id) => {
                self.standing(&id.component, id.number, |one| one.robbed = true);
            }
            Fact::Down { at_once } => {
                self.going_down = true;
                self.at_once |= at_once;
                // Those that are being stopped are hurried.
                for part in self.parts.values_mut() {
                    part.will = Will::Down;
                    // One that is being started is stopped once it has been: until then there is nothing to stop.
                    let hurried = part
                        .standing
                        .iter_mut()
                        .filter(|one| one.busy != Some(Busy::Starting));
                    hurried.filter(|_| at_once).for_each(|one| one.busy = None);
                }
                self.touched.extend(self.parts.keys().cloned());
            }
        }
    }

    /// Decides about everything that has been touched, and answers what is to be done.
    pub fn decide(&mut self, now: Timestamp) -> Vec<Act> {
        if self.decided_at.replace(now).is_some_and(|before| now < before) {
            self.set_back(now);
        }
        while let Some((_, name)) = self.timers.first().filter(|(at, _)| *at <= now).cloned() {
            let due = self.timers.pop_first();
            debug_assert!(due.is_some(), "it has just been looked at");
            self.touched.insert(name);
        }
        let mut acts = Vec::new();
        while let Some(name) = self.touched.pop_first() {
            self.decide_one(&name, now, &mut acts);
        }
        acts
    }

    /// The clock was set back: what is remembered of a time that has not come yet happened just now, and whoever waits for
    /// a time is looked at again.
    fn set_back(&mut self, now: Timestamp) {
        self.parts.values_mut().for_each(|part| part.set_back(now));
        let waiting = self.timers.iter().map(|(_, name)| name.clone());
        self.touched.extend(waiting);
    }

    fn decide_one(&mut self, name: &Name, now: Timestamp, acts: &mut Vec<Act>) {
        let needs: Vec<(Name, Option<State>)> = self.needs_of(name);
        let used = !self.at_once && self.is_used(name);
        let made = self.made(name);
        let at_once = self.at_once;
        let Some(part) = self.parts.get_mut(name) else {
            return;
        };
        let was = (part.state, part.lived);
        let said = part.because.clone();
        let decided = part.decide(&made, &needs, used, now);
        if let Some((count, last)) = decided.missed {
            acts.push(Act::Missed {
                name: name.clone(),
                count,
                last,
            });
        }
        let told = (decided.state, &decided.because) != (was.0, &said);
        self.unsettled =
            self.unsettled + usize::from(!decided.state.is_settled()) - usize::from(!was.0.is_settled());
        part.state = decided.state;
        part.because = decided.because;
        if let Some(old) = part.look.take() {
            self.timers.remove(&(old, name.clone()));
        }
        if let Some(again) = decided.again {
            part.look = Some(again);
            self.timers.insert((again, name.clone()));
        }
        let mut make = false;
        for (step, because) in decided.steps {
            match step {
                Step::Make => make = true,
                step => acts.extend(part.act(step, because, at_once)),
            }
        }
        let remembered = part.remembered();
        if remembered != part.kept && part.component.is_some() {
            part.kept = remembered;
            acts.push(Act::Remember(name.clone(), remembered));
        }
        if told {
            acts.push(Act::Tell(name.clone()));
        }
        acts.push(Act::Face(name.clone()));
        part.lived = part.lives();
        let is = (part.state, part.lived);
        let vanished = part.component.is_none() && part.standing.is_empty();
        if make {
            self.make(name, acts);
        }
        if is.0.is_well() != was.0.is_well() || is.0.is_settled() != was.0.is_settled() {
            self.touched
                .extend(self.users.get(name).into_iter().flatten().cloned());
        }
        if was.1 && !is.1 && self.going_down {
            self.touch_needs(name);
        }
        if vanished && let Some(part) = self.parts.remove(name) {
            self.given.insert(name.clone(), part.last);
        }
    }

    fn needs_of(&self, name: &Name) -> Vec<(Name, Option<State>)> {
        let component = self.parts.get(name).and_then(|part| part.component.as_ref());
        component
            .into_iter()
            .flat_map(|component| &component.needs)
            .filter(|need| !need.optional)
            .map(|need| {
                (
                    need.name.clone(),
                    self.parts.get(&need.name).map(|part| part.state),
                )
            })
            .collect()
    }

    /// Whether somebody that needs it still lives.
    fn is_used(&self, name: &Name) -> bool {
        let users = self.users.get(name).into_iter().flatten();
        users.filter_map(|user| self.parts.get(user)).any(Part::lives)
    }

    fn touch_needs(&mut self, name: &Name) {
        let needs = self.parts.get(name).and_then(|part| part.component.clone());
        for need in needs.iter().flat_map(|component| &component.needs) {
            self.touched.insert(need.name.clone());
        }
    }

    /// How that which a component is made of is.
    fn made(&self, name: &Name) -> Made {
        let Some(part) = self.parts.get(name) else {
            return Made::Done;
        };
        let build = part
            .component
            .as_ref()
            .and_then(|component| component.build.as_ref());
        match build.and_then(|build| self.builds.get(build)) {
            Some(Building { made: Made::Done, .. }) | None => part.packed.clone(),
            Some(building) => building.made.clone(),
        }
    }

    /// Begins to make what a component is made of.
    fn make(&mut self, name: &Name, acts: &mut Vec<Act>) {
        let Some(part) = self.parts.get_mut(name) else {
            return;
        };
        let build = part
            .component
            .as_ref()
            .and_then(|component| component.build.clone());
        match build.and_then(|build| self.builds.get_mut(&build)) {
            Some(building) if building.made == Made::Due => {
                building.made = Made::Underway;
                acts.push(Act::Build(Arc::clone(&building.build)));
            }
            Some(building) if building.made == Made::Underway => {}
            _ => {
                part.packed = Made::Underway;
                acts.push(Act::Pack(name.clone()));
            }
        }
    }

    /// An instance has been seen.
    fn see(&mut self, seen: Seen) {
        self.touched.insert(seen.id.component.clone());
        self.parts.or_default(&seen.id.component).see(seen);
    }

    fn standing(&mut self, name: &Name, number: u64, change: impl FnOnce(&mut Standing)) {
        let found = self.parts.get_mut(name).and_then(|part| part.find(number));
        if let Some(one) = found {
            change(one);
            self.touched.insert(name.clone());
        }
    }

    fn did(&mut self, id: &towpath_model::run::InstanceId, did: Did, result: Result<Option<Seen>, String>) {
        let Some(part) = self.parts.get_mut(&id.component) else {
            return;
        };
        if let Some(one) = part.find(id.number) {
            one.busy = None;
        }
        match result {
            Ok(Some(seen)) => {
                part.recovered();
                if part.is_news(&seen, did) {
                    part.see(seen);
                }
            }
            Ok(None) => part.standing.retain(|one| one.seen.id != *id),
            Err(why) => part.fail(id, did, why),
        }
        self.touched.insert(id.component.clone());
    }

    fn built(&mut self, build: &Name, result: Result<Vec<(Name, String)>, String>) {
        let Some(building) = self.builds.get_mut(build) else {
            return;
        };
        building.made = match &result {
            _ if std::mem::take(&mut building.again) => Made::Due,
            Ok(_) => Made::Done,
            Err(why) => Made::Failed(why.clone()),
        };
        for (name, digest) in result.unwrap_or_default() {
            if let Some(part) = self.parts.get_mut(&name) {
                part.digest = digest;
            }
        }
        for name in self.built.get(build).into_iter().flatten() {
            if let Some(part) = self.parts.get_mut(name).filter(|part| part.is(Kind::Extension)) {
                part.packed = Made::Due;
            }
            self.touched.insert(name.clone());
        }
    }

    fn wake(&mut self, name: Name) {
        if self.going_down {
            return;
        }
        if let Some(part) = self.parts.get_mut(&name).filter(|part| part.will == Will::Asleep) {
            part.will = Will::Up;
            self.touched.insert(name);
        }
    }

    fn wish(&mut self, name: Name, wish: Wish) {
        let Some(part) = self.parts.get_mut(&name).filter(|_| !self.going_down) else {
            return;
        };
        match wish {
            Wish::Up => {
                part.will = Will::Up;
                part.started = true;
                part.turns.asked = part.is(Kind::Job);
                part.retry();
            }
            Wish::Stopped => part.will = Will::Stopped,
            Wish::Restart(why) => {
                part.will = if part.will == Will::Stopped {
                    Will::Up
                } else {
                    part.will
                };
                part.turns.asked = part.is(Kind::Job);
                if part.is(Kind::Extension) {
                    part.packed = Made::Due;
                }
                part.restart = Some(why);
                part.retry();
            }
            Wish::Scale(instances) => {
                part.scale = Some(instances);
                part.scale_until = None;
            }
            Wish::Make => {
                let build = part
                    .component
                    .as_ref()
                    .and_then(|component| component.build.clone());
                part.packed = if part.is(Kind::Extension) {
                    Made::Due
                } else {
                    Made::Done
                };
                if let Some(building) = build.as_ref().and_then(|build| self.builds.get_mut(build)) {
                    building.due();
                }
                self.touched.extend(
                    build
                        .iter()
                        .flat_map(|build| self.built.get(build))
                        .flatten()
                        .cloned(),
                );
            }
        }
        self.touched.insert(name);
    }

    /// Something else is wanted from now on.
    fn apply(&mut self, applied: Applied) {
        for (name, build) in &applied.builds {
            let known = self.builds.get_mut(name);
            match known {
                Some(building)
                    if !applied.build && *building.build == **build && building.made == Made::Done => {}
                Some(building) => {
                    building.build = Arc::clone(build);
                    building.due();
                }
                None => {
                    let building = Building {
                        build: Arc::clone(build),
                        made: Made::Due,
                        again: false,
                    };
                    self.builds.insert(name.clone(), building);
                }
            }
        }
        self.builds.retain(|name, _| applied.builds.contains_key(name));
        let gone: Vec<Name> = self
            .parts
            .keys()
            .filter(|name| !applied.components.contains_key(*name))
            .cloned()
            .collect();
        for name in gone {
            self.replace(&name, None);
        }
        for (name, (component, digest)) in applied.components {
            let wake = applied.wake.as_ref().is_some_and(|wake| wake.contains(&name));
            let new = self.parts.get(&name).is_none_or(|part| part.component.is_none());
            let part = self.parts.or_default(&name);
            part.last = part.last.max(self.given.remove(&name).unwrap_or(0));
            let same = part.digest == digest && part.component.as_deref() == Some(&*component);
            if new && applied.wake.is_some() && !wake {
                part.will = Will::Stopped;
            }
            if wake && part.will == Will::Stopped || new && (wake || applied.wake.is_none()) {
                part.will = if component.instances == 0
                    && part.scale.is_none()
                    && component.idle.is_some()
                    && !part.lives()
                {
                    Will::Asleep
                } else {
                    Will::Up
                };
            } else if same {
                continue;
            }
            part.digest = digest;
            part.retry();
            if component.pack.is_some() && !same {
                part.packed = Made::Due;
            }
            self.replace(&name, Some(component));
        }
        let owners = applied.builds.keys().filter_map(|build| {
            let due = self.builds.get(build)?.made == Made::Due;
            due.then(|| self.built.get(build)).flatten()
        });
        let owners: Vec<Name> = owners.flatten().cloned().collect();
        self.touched.extend(owners);
    }

    /// Another component stands under a name, or none.
    fn replace(&mut self, name: &Name, component: Option<Arc<Component>>) {
        let Some(part) = self.parts.get_mut(name) else {
            return;
        };
        let old = std::mem::replace(&mut part.component, component.clone());
        for need in old.iter().flat_map(|old| &old.needs) {
            if let Some(users) = self.users.get_mut(&need.name) {
                users.remove(name);
            }
        }
        if let Some(build) = old.as_ref().and_then(|old| old.build.as_ref())
            && let Some(owners) = self.built.get_mut(build)
        {
            owners.remove(name);
        }
        for need in component.iter().flat_map(|component| &component.needs) {
            self.users
                .entry(need.name.clone())
                .or_default()
                .insert(name.clone());
        }
        if let Some(build) = component.as_ref().and_then(|component| component.build.as_ref()) {
            self.built.entry(build.clone()).or_default().insert(name.clone());
        }
        part.accustom();
        part.reschedule(old.as_deref());
        // Those that need it wait for another one now, or for none.
        self.touched
            .extend(self.users.get(name).into_iter().flatten().cloned());
        self.touched.insert(name.clone());
    }
}
