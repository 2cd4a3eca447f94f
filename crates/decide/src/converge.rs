//! Converging: what one component needs done next, so that what runs becomes what is wanted.
//!
//! The decision is about one component at a time and looks at nothing but its own scene: what is wanted of it, how its
//! build and its needs are, and which instances stand there. It therefore costs the same among ten components as among ten
//! thousand, and it may be asked at any time, from any state: it never relies on what was decided before.
//!
//! - **When it starts.** A component starts when its build is done and everything that it needs is well. Once it runs, a
//!   need that becomes unwell does not stop it: it is more likely to be back soon than to come back sooner for a restart.
//! - **When it replaces.** An instance that was started from something else than is wanted now is replaced. Where a second
//!   one can stand beside it (its port is given, not fixed, and it is not single) the new one has to be well first, and no
//!   request is lost. Otherwise the old one goes first, and requests wait.
//! - **When it heals.** The keeper starts again what ends. What is left to do here: an instance whose keeper is lost is
//!   started anew, one whose port somebody else has taken is started on another, and one that was well and has not
//!   answered for its whole deadline is restarted. One that has never been well is left to its author: it may be slow,
//!   and ending it would hide why.
//! - **When it refuses.** A single component is not started while anything of it lives, be it only being stopped.
//! - **When it sleeps.** A component whose schedule wants none of it now is stopped as if by hand, needs nobody, and counts as
//!   well for those that need it: they have to live with its hours.
//! - **When it stops.** Whoever needs it goes first; then it is asked to stop, and is killed when its time is up.

mod because;

pub use because::{After, Because};

use crate::hours::Hours;
use jiff::Timestamp;
use towpath_model::desired::component::Restart;
use towpath_model::run::{Component, Exit, InstanceId, Kind, Life, Seen, State};
use towpath_model::unit::Name;

/// Everything that the decision looks at.
#[derive(Debug)]
pub struct Scene<'a> {
    /// The component, while it is part of the product.
    pub component: Option<&'a Component>,
    /// The digest that its instances should have been started from.
    pub digest: &'a str,
    /// What is wanted of it.
    pub will: Will,
    /// How many instances should run.
    pub instances: u32,
    /// What was started from something else goes before anything new comes, though it could stand beside it.
    pub apart: bool,
    /// What its schedule says, where that is who wants them.
    pub hours: Option<&'a Hours>,
    /// How its build, files or package are.
    pub made: &'a Made,
    /// What it needs, and how that is.
    pub needs: &'a [(Name, Option<State>)],
    /// Somebody that needs it still runs.
    pub used: bool,
    /// Its instances, by their numbers.
    pub standing: &'a [Standing],
    /// The number that the next instance gets.
    pub next: u64,
    /// Starting failed lately: why, and from when on it may be tried again.
    pub trouble: Option<&'a (String, Timestamp)>,
    /// The folder that it serves, where that is not there.
    pub missing: Option<&'a str>,
    /// The time.
    pub now: Timestamp,
}

/// What is wanted of a component.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Will {
    /// It runs.
    Up,
    /// It sleeps until somebody asks.
    Asleep,
    /// A person has stopped it.
    Stopped,
    /// The whole product goes down.
    Down,
}

/// How that which has to be made before is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Made {
    /// There is nothing to make, or it is made.
    Done,
    /// It has to be made.
    Due,
    /// It is being made.
    Underway,
    /// Making it failed.
    Failed(String),
}

/// An instance, with what is known of it beyond what its engine sees.
#[derive(Debug, Clone, PartialEq)]
pub struct Standing {
    /// As its engine sees it.
    pub seen: Seen,
    /// How it answers.
    pub well: Well,
    /// What is being done to it.
    pub busy: Option<Busy>,
    /// Somebody else listens on its port.
    pub robbed: bool,
    /// We have stopped it.
    pub stopped: bool,
}

/// How an instance answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Well {
    /// It has not been well yet. After its deadline it is said why.
    NotYet {
        /// What it said last, once its deadline is over.
        late: Option<String>,
    },
    /// It is well.
    Yes,
    /// It was well, and is not any more.
    Lost {
        /// Since when.
        since: Timestamp,
        /// What it said last.
        why: String,
    },
    /// It takes requests, and what it has to be given before anybody else is let in failed: the whole sentence for it.
    Unfilled(String),
}

/// What is being done to an instance.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Busy {
    /// It is being started.
    Starting,
    /// It is being stopped.
    Stopping,
    /// It is being restarted.
    Restarting,
    /// It is being forgotten.
    Forgetting,
}

/// What is done next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// Makes what has to be made before.
    Make,
    /// Starts an instance.
    Start(InstanceId),
    /// Stops an instance.
    Stop(InstanceId),
    /// Restarts an instance where it stands.
    Restart(InstanceId),
    /// Forgets an instance that has ended.
    Forget(InstanceId),
}

/// What was decided about a component.
#[derive(Debug, Clone, PartialEq)]
pub struct Decision {
    /// How it is.
    pub state: State,
    /// What is done next, with the reason for each.
    pub steps: Vec<(Step, Because)>,
    /// Why it is as it is, and why nothing more is done.
    pub because: Because,
    /// When it has to be looked at again though nothing has happened.
    pub again: Option<Timestamp>,
}

impl Decision {
    fn of(state: State, because: Because) -> Self {
        Decision {
            state,
            steps: Vec::new(),
            because,
            again: None,
        }
    }
}

impl Standing {
    /// Whether anything of it runs, may run, or will again.
    pub fn lives(&self) -> bool {
        !self.seen.life.is_over() || self.busy == Some(Busy::Starting)
    }

    /// Whether it takes requests.
    pub fn serves(&self) -> bool {
        matches!(self.seen.life, Life::Running { .. }) && self.well == Well::Yes && self.busy.is_none()
    }

    /// Whether it has ended by itself in a way that its keeper does not mend. What we have stopped does not count: nor does
    /// what can only have been stopped, after a steward that knew of it has died.
    pub(crate) fn stays_ended(&self, component: &Component) -> bool {
        let Life::Ended { exit } = &self.seen.life else {
            return false;
        };
        !self.stopped
            && match component.restart {
                _ if matches!(exit, Exit::NotStarted { .. }) => true,
                Restart::Always => false,
                Restart::OnFailure => exit.is_success(),
                Restart::Never => true,
            }
    }

    fn id(&self) -> InstanceId {
        self.seen.id.clone()
    }

    /// Whether it is on its way out.
    pub fn leaves(&self) -> bool {
        match self.busy {
            Some(Busy::Stopping) => true,
            // It comes back where it stands.
            Some(Busy::Restarting) => false,
            _ => matches!(self.seen.life, Life::Stopping { .. }),
        }
    }
}

/// Decides what is done next about a component.
pub fn converge(scene: &Scene<'_>) -> Decision {
    let Some(component) = scene.component else {
        return leave(scene, State::Stopped, &Because::NotWanted);
    };
    match scene.will {
        Will::Down => leave(scene, State::Stopped, &Because::Down),
        Will::Stopped => leave(scene, State::Stopped, &Because::StoppedByPerson),
        Will::Asleep => leave(scene, State::Asleep, &Because::Sleeps),
        Will::Up => match scene.made {
            Made::Failed(why) if any_lives(scene) => Decision {
                state: State::Degraded,
                because: Because::BuildFailedButRuns(why.clone()),
                ..run(scene, component)
            },
            Made::Due | Made::Underway if any_lives(scene) => {
                // What runs is looked after while its successor is made.
                let mut decision = run(scene, component);
                decision.steps.extend(make(scene));
                Decision {
                    state: State::Building,
                    because: Because::Builds,
                    ..decision
                }
            }
            _ => prepare(scene).unwrap_or_else(|| run(scene, component)),
        },
    }
}

/// What has to happen before anything of a component can start: what it is made of is made, and what it needs is well.
pub fn prepare(scene: &Scene<'_>) -> Option<Decision> {
    match scene.made {
        Made::Due | Made::Underway => Some(Decision {
            steps: make(scene),
            ..Decision::of(State::Building, Because::Builds)
        }),
        Made::Failed(why) => Some(Decision::of(State::Failed, Because::BuildFailed(why.clone()))),
        // What sleeps by its schedule needs nobody.
        Made::Done if any_lives(scene) || sleeps(scene).is_some() => None,
        Made::Done => waits(scene),
    }
}

/// What could not be started is left alone for a while.
pub fn pause(scene: &Scene<'_>) -> Option<Decision> {
    let (why, until) = scene.trouble.filter(|(_, until)| *until > scene.now)?;
    Some(Decision {
        again: Some(*until),
        ..Decision::of(State::Failed, Because::CannotStart(why.clone()))
    })
}

fn make(scene: &Scene<'_>) -> Vec<(Step, Because)> {
    match scene.made {
        Made::Due => vec![(Step::Make, Because::Changed)],
        _ => Vec::new(),
    }
}

fn any_lives(scene: &Scene<'_>) -> bool {
    scene.standing.iter().any(Standing::lives)
}

/// Why none is wanted of it, where its schedule says so.
fn sleeps(scene: &Scene<'_>) -> Option<Because> {
    let hours = scene.hours.filter(|_| scene.instances == 0)?;
    Some(Because::OffHours(hours.turn.clone().map(Box::new)))
}

/// Why so many are wanted.
fn wanted(scene: &Scene<'_>) -> Because {
    match scene.hours {
        Some(hours) => Because::Scheduled(scene.instances, hours.of.clone()),
        None => Because::Wanted(scene.instances),
    }
}

/// What it waits for before it can start.
fn waits(scene: &Scene<'_>) -> Option<Decision> {
    let missing: Vec<(Name, Option<State>)> = scene
        .needs
        .iter()
        .filter(|(_, state)| !state.is_some_and(State::is_well))
        .cloned()
        .collect();
    (!missing.is_empty()).then(|| {
        // Where nothing will happen by itself, waiting is over, too: whoever looks on is not kept.
        let hopeless = missing
            .iter()
            .any(|(_, state)| state.is_none_or(|state| state.is_settled()));
        let state = if hopeless { State::Blocked } else { State::Waiting };
        Decision::of(state, Because::WaitsFor(missing))
    })
}

/// Stops all that lives and forgets all that has ended.
fn leave(scene: &Scene<'_>, end: State, because: &Because) -> Decision {
    let mut steps = forget(scene, |_| true);
    let living: Vec<&Standing> = scene.standing.iter().filter(|one| one.lives()).collect();
    if living.is_empty() {
        let mut decision = Decision::of(end, because.clone());
        decision.steps = steps;
        return decision;
    }
    if scene.used && scene.will == Will::Down {
        return Decision {
            steps,
            ..Decision::of(State::Stopping, Because::UsersFirst)
        };
    }
    for one in living.iter().filter(|one| one.busy.is_none()) {
        steps.push((Step::Stop(one.id()), because.clone()));
    }
    Decision {
        steps,
        ..Decision::of(State::Stopping, because.clone())
    }
}

/// Forgets what has ended and is of no more use.
fn forget(scene: &Scene<'_>, useless: impl Fn(&Standing) -> bool) -> Vec<(Step, Because)> {
    scene
        .standing
        .iter()
        .filter(|one| one.seen.life.is_over() && one.busy.is_none() && useless(one))
        .map(|one| (Step::Forget(one.id()), Because::Over))
        .collect()
}

/// Brings a component that should run to as many instances as it should have.
fn run(scene: &Scene<'_>, component: &Component) -> Decision {
    if component.command.is_none() && component.resource.is_none() {
        let because = match component.kind {
            Kind::Extension => Because::Packed,
            _ => Because::Serves,
        };
        let (state, because) = match scene.missing {
            Some(folder) => (State::Failed, Because::NoFolder(folder.to_owned())),
            None => (State::Ready, because),
        };
        let told = || Decision {
            steps: forget(scene, |_| true),
            ..Decision::of(state, because)
        };
        return waits(scene)
            .filter(|_| scene.missing.is_none())
            .unwrap_or_else(told);
    }
    // What ended for good by itself stays to be seen, until something else is wanted, or its hours are over.
    let asleep = sleeps(scene).is_some();
    let is_current = |one: &Standing| {
        one.seen.digest == scene.digest && (one.lives() || !asleep && one.stays_ended(component))
    };
    let mut steps = forget(scene, |one| !is_current(one));
    let standing = scene.standing.iter();
    let current: Vec<&Standing> = standing.filter(|one| is_current(one) && !one.leaves()).collect();
    let old: Vec<&Standing> = scene
        .standing
        .iter()
        .filter(|one| one.seen.digest != scene.digest && one.lives())
        .collect();
    let wanted = usize::try_from(scene.instances).unwrap_or(usize::MAX);
    let serving = current.iter().filter(|one| one.serves()).count();
    let old_serving = old.iter().filter(|one| one.serves()).count();
    if !any_lives(scene)
        && current.len() < wanted
        && let Some(waits) = waits(scene)
    {
        return Decision { steps, ..waits };
    }
    let again = scene
        .trouble
        .map(|(_, until)| *until)
        .filter(|until| *until > scene.now);
    let alone = scene.apart || stands_alone(component);
    let blocked = alone
        && scene
            .standing
            .iter()
            .any(|one| one.lives() && !is_current(one) || one.leaves());
    let kept = if alone { 0 } else { wanted.saturating_sub(serving) };
    let useless = replaced(&old, kept).into_iter();
    steps.extend(
        useless
            .filter(|one| one.busy.is_none() && !one.leaves())
            .map(|one| (Step::Stop(one.id()), Because::Replaced)),
    );
    if !blocked && again.is_none() {
        steps.extend(starts(scene, component, current.len()..wanted, old.is_empty()));
    }
    let too_many = match scene.hours {
        Some(_) => self::wanted(scene),
        None => Because::TooMany,
    };
    steps.extend(surplus(&current, wanted, &too_many));
    let (heal, look_again) = heal(scene, component, &current);
    steps.extend(heal);
    let (state, because) = told(scene, &current, serving, old_serving, wanted);
    Decision {
        state,
        steps,
        because,
        again: again.into_iter().chain(look_again).min(),
    }
}

/// Starts those that are missing. The first of them take the places of those whose keepers were lost, and that is said.
fn starts(
    scene: &Scene<'_>,
    component: &Component,
    missing: std::ops::Range<usize>,
    is_first: bool,
) -> Vec<(Step, Because)> {
    let is_lost = |one: &&Standing| {
        one.seen.life == Life::Lost && one.busy.is_none() && one.seen.digest == scene.digest
    };
    let lost = scene.standing.iter().filter(is_lost).count();
    let start = |nth: usize| {
        let id = InstanceId::new(&component.name, scene.next + nth as u64);
        let why = if nth < lost {
            Because::KeeperLost
        } else if is_first {
            wanted(scene)
        } else {
            Because::Changed
        };
        (Step::Start(id), why)
    };
    (0..missing.len()).map(start).collect()
}

/// Those old ones that are of no more use: all but so many that hold the place of their successors. The ones that serve are
/// kept first, then the oldest, which have served before; so a component that is changed again and again does not pile up
/// what was never well.
fn replaced<'a>(old: &[&'a Standing], kept: usize) -> Vec<&'a Standing> {
    let mut old = old.to_vec();
    old.sort_by_key(|one| (!one.serves(), one.seen.id.number));
    old.into_iter().skip(kept).collect()
}

/// Whether a second instance cannot stand beside it.
fn stands_alone(component: &Component) -> bool {
    let fixed = component
        .listens
        .as_ref()
        .is_some_and(|listens| listens.port.is_some());
    let listens = component.listens.is_some();
    // What takes no requests loses none by a pause, and two of it at once would surprise its author.
    component.single || fixed || !listens
}

/// Those that are too many: what is not well goes first, then the youngest.
fn surplus(current: &[&Standing], wanted: usize, because: &Because) -> Vec<(Step, Because)> {
    let mut living: Vec<&&Standing> = current.iter().filter(|one| one.lives()).collect();
    living.sort_by_key(|one| (!one.serves(), one.seen.id.number));
    living.reverse();
    // Those that do not serve come first now, the youngest of them foremost.
    living.sort_by_key(|one| one.serves());
    let too_many = living.len().saturating_sub(wanted);
    living
        .into_iter()
        .take(too_many)
        .filter(|one| one.busy.is_none())
        .map(|one| (Step::Stop(one.id()), because.clone()))
        .collect()
}

/// What is done to instances that cannot help themselves, and when to look again.
fn heal(
    scene: &Scene<'_>,
    component: &Component,
    current: &[&Standing],
) -> (Vec<(Step, Because)>, Option<Timestamp>) {
    let mut steps = Vec::new();
    let mut again: Option<Timestamp> = None;
    let fixed = component
        .listens
        .as_ref()
        .is_some_and(|listens| listens.port.is_some());
    for one in current.iter().filter(|one| one.busy.is_none()) {
        if one.robbed && !fixed {
            steps.push((
                Step::Stop(one.id()),
                Because::PortTaken(one.seen.port.unwrap_or_default()),
            ));
        }
        if let (Well::Lost { since, why }, Life::Running { .. }) = (&one.well, &one.seen.life) {
            let patience = component.health.deadline.to_jiff();
            let until = since.checked_add(patience).unwrap_or(*since);
            if until <= scene.now {
                steps.push((Step::Restart(one.id()), Because::NoAnswer(why.clone())));
            } else {
                again = Some(again.map_or(until, |other| other.min(until)));
            }
        }
    }
    (steps, again)
}

/// The state, and the sentence for it.
fn told(
    scene: &Scene<'_>,
    current: &[&Standing],
    serving: usize,
    old_serving: usize,
    wanted: usize,
) -> (State, Because) {
    if let Some(because) = sleeps(scene) {
        let state = if any_lives(scene) {
            State::Stopping
        } else {
            State::Asleep
        };
        return (state, because);
    }
    if wanted == 0 {
        return (State::Stopped, Because::NoneWanted);
    }
    if serving >= wanted {
        return (State::Ready, Because::Well(scene.instances));
    }
    let worst = current
        .iter()
        .filter(|one| !one.serves())
        .find_map(|one| trouble(one));
    let is_tried = || current.iter().all(|one| one.busy == Some(Busy::Starting));
    let on_its_way = || match scene.trouble {
        // Also while it is tried again: whether that helps is not known yet, and nobody is told twice.
        Some((why, until)) if *until > scene.now || is_tried() => {
            (State::Failed, Because::CannotStart(why.clone()))
        }
        _ => (State::Starting, Because::NotWellYet),
    };
    let (state, because) = worst.unwrap_or_else(on_its_way);
    if serving + old_serving > 0 && state != State::Starting {
        return (
            State::Degraded,
            Because::Some(serving as u32, scene.instances, Box::new(because)),
        );
    }
    (state, because)
}

/// What keeps an instance from serving, where that is more than time.
fn trouble(one: &Standing) -> Option<(State, Because)> {
    if one.busy == Some(Busy::Restarting) {
        return None;
    }
    if one.robbed {
        return Some((
            State::Unwell,
            Because::PortTaken(one.seen.port.unwrap_or_default()),
        ));
    }
    match (&one.seen.life, &one.well) {
        (
            Life::Resting {
                after, looping: true, ..
            },
            _,
        ) => Some((State::Looping, Because::Loops(after.clone()))),
        (Life::Resting { after, .. }, _) => Some((State::Unwell, Because::StartsAgain(after.clone()))),
        (Life::Ended { exit }, _) => Some((State::Failed, ended(exit))),
        (Life::Silent { keeper }, _) => Some((State::Unwell, Because::KeeperSilent(*keeper))),
        (Life::Running { .. }, Well::NotYet { late: Some(why) }) => {
            Some((State::Unwell, Because::Late(why.clone())))
        }
        (Life::Running { .. }, Well::Lost { why, .. }) => {
            Some((State::Unwell, Because::NoAnswer(why.clone())))
        }
        (Life::Running { .. }, Well::Unfilled(why)) => Some((State::Unwell, Because::Unfilled(why.clone()))),
        _ => None,
    }
}

fn ended(exit: &Exit) -> Because {
    Because::Ended(exit.clone())
}
