//! Telling: how everything is, and what happens, to whoever asks.

use crate::core::Core;
use crate::door::clock;
use crate::serve::Resources;
use jiff::Timestamp;
use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};
use tokio::sync::mpsc::Sender;
use tokio::sync::mpsc::error::TrySendError;
use towpath_api::{Event, Explained, Instance, Status, Steward, Surroundings, Tone};
use towpath_decide::converge::{Because, Standing, Well};
use towpath_decide::tend::{Part, Parts};
use towpath_edge::Traffic;
use towpath_engine::Engine;
use towpath_model::desired::component::Protocol;
use towpath_model::run::{Ask, Life, State};
use towpath_model::sealed::Sealed;
use towpath_model::unit::Name;
use towpath_store::Written;

/// So many of the newest instances of a component are told of when it is explained, be they still there or not.
const TOLD_OF: u64 = 5;

/// So many events may wait for somebody who looks on. Ten thousand components that come up at once are some forty thousand;
/// whoever has not read those does not read any more.
pub(crate) const MOST_WAITING: usize = 100_000;

/// What is not asked how it is has to run for so long before it is told as well to whoever goes away then: what cannot even
/// start, for want of a file or a variable, has ended by then.
const STEADY: Duration = Duration::from_millis(300);

/// Somebody who looks on.
#[derive(Debug)]
pub(crate) struct Onlooker {
    /// Where events go. When it is gone, so is whoever looked on.
    pub(crate) to: Sender<Event>,
    /// It goes when everything has settled; or else when everything is gone.
    pub(crate) until_settled: bool,
    /// It is not told that all is well before what is not asked how it is has run for a moment.
    pub(crate) steady: bool,
    /// Those that it asked for; everything when empty.
    pub(crate) of: Vec<String>,
    /// It goes when the rollout that is under way has ended, or holds.
    pub(crate) follows: bool,
    /// It is told how things stand, and goes.
    pub(crate) once: bool,
}

/// All who look on.
#[derive(Debug, Default)]
pub(crate) struct Onlookers {
    all: Vec<(Onlooker, bool)>,
    /// Until when somebody is kept who waits for what has just been started.
    pub(crate) kept_until: Option<Instant>,
}

impl Onlookers {
    pub(crate) fn add(&mut self, onlooker: Onlooker, idle: bool) {
        self.all.push((onlooker, idle));
    }

    /// The last one who came asks for nothing that is not so already.
    pub(crate) fn idle(&mut self) {
        if let Some((_, idle)) = self.all.last_mut() {
            *idle = true;
        }
    }

    /// Nothing can be done for the last one who came; why has been told.
    pub(crate) fn refuse(&mut self) {
        if let Some((onlooker, _)) = self.all.pop() {
            // That it is gone already changes nothing.
            let _ = onlooker.to.try_send(Event::Settled {
                well: false,
                idle: false,
            });
        }
    }

    /// Tells the last one who came.
    pub(crate) fn tell_last(&mut self, event: &Event) {
        if let Some((onlooker, _)) = self.all.last() {
            onlooker.tell(event);
        }
    }

    /// Whether somebody waits for the end of a rollout.
    pub(crate) fn is_followed(&self) -> bool {
        self.all.iter().any(|(onlooker, _)| onlooker.follows)
    }

    /// Lets those go who wait for the end of a rollout, with how it stands; where it has not ended, those who wanted to know
    /// only how it begins.
    pub(crate) fn end_following(&mut self, event: &Event, has_ended: bool) {
        self.all.retain(|(onlooker, _)| {
            let goes = onlooker.follows && (has_ended || onlooker.once);
            if goes {
                onlooker.tell(event);
            }
            !goes
        });
    }

    pub(crate) fn tell(&mut self, event: &Event) {
        self.all.retain(|(onlooker, _)| onlooker.tell(event));
    }

    /// Lets those go that wait until everything has settled.
    pub(crate) fn settle<'a>(&mut self, settled: bool, parts: impl Fn() -> &'a Parts) {
        if !settled || self.all.iter().all(|(onlooker, _)| !onlooker.until_settled) {
            self.kept_until = None;
            return;
        }
        let parts = parts();
        let now = clock::now();
        let waits = self
            .all
            .iter()
            .any(|(onlooker, _)| onlooker.until_settled && onlooker.steady);
        // They are looked through once a moment, however much happens meanwhile.
        if waits && self.kept_until.is_none_or(|at| at <= now) {
            self.kept_until = unsteady(parts).map(|wait| now + wait);
        }
        let keeps = waits && self.kept_until.is_some();
        self.all.retain(|(onlooker, idle)| {
            if !onlooker.until_settled {
                return true;
            }
            let asked =
                |name: &Name| onlooker.of.is_empty() || onlooker.of.iter().any(|one| one == name.as_str());
            let well = parts
                .iter()
                .filter(|(name, _)| asked(name))
                .all(|(_, part)| part.state.is_well() || part.state == State::Stopped);
            if well && keeps && onlooker.steady {
                return true;
            }
            // That it is gone already changes nothing.
            let _ = onlooker.to.try_send(Event::Settled { well, idle: *idle });
            false
        });
    }

    /// Everything is gone: the last thing that anybody is told. Answers when it has been said.
    pub(crate) async fn gone(mut self) {
        self.tell(&Event::Gone);
        let last: Vec<Sender<Event>> = self.all.drain(..).map(|(onlooker, _)| onlooker.to).collect();
        for to in last {
            // The other side closes when it has passed everything on; a second is long for that.
            let closed = tokio::time::timeout(std::time::Duration::from_secs(1), to.closed());
            drop(closed.await);
        }
    }
}

impl Onlooker {
    /// Tells an event; whether there is somebody who reads. Whoever does not is let go, with a word.
    fn tell(&self, event: &Event) -> bool {
        // The last place is for that word.
        if self.to.capacity() > 1 {
            return !matches!(self.to.try_send(event.clone()), Err(TrySendError::Closed(_)));
        }
        let text = "nothing was read here for so long that no more is told".to_owned();
        let _ = self.to.try_send(Event::Note {
            tone: Tone::Error,
            text,
        });
        false
    }
}

/// How long it takes until everything that runs and is not asked how it is has run for a moment; nothing where it has.
fn unsteady(parts: &Parts) -> Option<Duration> {
    let now = clock::today();
    let is_asked = |part: &Part| {
        let component = part.component.as_ref();
        component.is_none_or(|component| component.health.ask != Ask::Runs)
    };
    let youngest = parts
        .values()
        .filter(|part| !is_asked(part))
        .flat_map(|part| &part.standing)
        .filter(|one| matches!(one.seen.life, Life::Running { .. }))
        .map(|one| one.seen.since)
        .max()?;
    // A clock that was set back makes nobody wait for longer.
    let age = Duration::try_from(now.duration_since(youngest)).unwrap_or_default();
    STEADY.checked_sub(age).filter(|wait| !wait.is_zero())
}

impl<E: Engine> Core<E> {
    pub(crate) fn tell_state(&mut self, name: &Name) {
        if let Some((part, component)) = self
            .tended
            .parts()
            .get(name)
            .and_then(|part| Some((part, part.component.as_ref()?)))
        {
            let event = Event::State {
                name: name.to_string(),
                kind: component.kind,
                state: part.state,
                because: because(part),
            };
            self.onlookers.tell(&event);
        }
    }

    pub(crate) fn tell_missed(&mut self, name: &Name, count: usize, last: Timestamp) {
        let times = if count == 1 {
            "a run was".to_owned()
        } else {
            format!("{count} runs were")
        };
        let text = format!(
            "{name}: {times} missed, the last one at {}; `towpath start {name}` runs it now",
            clock::spoken(last)
        );
        self.ledger.happened(
            "missed",
            name.as_str(),
            serde_json::json!({ "count": count }),
            &text,
        );
        self.note(Tone::Warning, text);
    }

    /// How everything is, without what has to be measured.
    pub(crate) async fn status(&self) -> Status {
        let names = self.tended.parts().keys().map(Name::to_string).collect();
        let traffic = self.traffic(names).await;
        let (product, environment) = match &self.product {
            Some(product) => (product.product.to_string(), product.environment.to_string()),
            None => (String::new(), String::new()),
        };
        let parts = self.tended.parts().iter();
        Status {
            product,
            environment,
            steward: Some(Steward {
                pid: std::process::id(),
                since: self.config.since,
                version: env!("CARGO_PKG_VERSION").to_owned(),
                http: self.edge.as_ref().and(self.edge_ports).map(|(_, http)| http),
                https: self.edge.as_ref().and(self.edge_ports).map(|(https, _)| https),
                listens: self
                    .edge
                    .iter()
                    .filter_map(|edge| edge.listening())
                    .flat_map(|listening| listening.addresses)
                    .map(|address| address.to_string())
                    .collect(),
            }),
            edge: None,
            components: parts
                .filter_map(|(name, part)| {
                    let traffic = traffic.get(name.as_str()).copied();
                    self.component(name, part, traffic.unwrap_or_default())
                })
                .collect(),
            notes: self
                .notes
                .values()
                .cloned()
                .chain(self.probes.notes())
                .chain(self.closed.notes(clock::today()))
                .collect(),
            certificates: self.certificates().await,
        }
    }

    fn component(&self, name: &Name, part: &Part, traffic: Traffic) -> Option<towpath_api::Component> {
        let component = part.component.as_ref()?;
        Some(towpath_api::Component {
            name: name.to_string(),
            kind: component.kind,
            state: part.state,
            because: because(part),
            url: self.wardrobe.public.get(name).cloned(),
            inside: self
                .addresses
                .inside(name)
                .map(|port| format!("{}://127.0.0.1:{port}", scheme(component))),
            requests: traffic.requests,
            lately: None,
            vitals: BTreeMap::new(),
            instances: part
                .standing
                .iter()
                .filter(|one| one.seen.since != Timestamp::UNIX_EPOCH)
                .map(|one| instance(one, component))
                .collect(),
            schedule: schedule(part),
            keeps: None,
        })
    }

    /// The resources that can be looked at, by their names.
    pub(crate) fn resources(&self) -> Resources {
        let well = self
            .tended
            .parts()
            .iter()
            .filter(|(_, part)| part.state.is_well());
        let looked = well.filter_map(|(name, part)| {
            let component = part.component.as_ref()?;
            let filling = self.filling(component, self.addresses.inside(name))?;
            Some((name.to_string(), filling))
        });
        looked.collect()
    }

    /// Why a component is in its state, at length.
    pub(crate) async fn explain(&self, name: &Name) -> Option<Explained> {
        let part = self.tended.parts().get(name)?;
        let component = part.component.as_ref()?;
        let traffic = self.traffic(vec![name.to_string()]).await;
        let traffic = traffic.get(name.as_str()).copied();
        let told = self.component(name, part, traffic.unwrap_or_default())?;
        let mut history: Vec<Written> = Vec::new();
        // Those that are gone are told of, too: why they went is what is asked most.
        let last = part.remembered().last;
        let numbers = (last.saturating_sub(TOLD_OF) + 1)..=last;
        let standing = part.standing.iter().map(|one| one.seen.id.number);
        let numbers: BTreeSet<u64> = numbers.chain(standing).collect();
        let mut subjects: Vec<String> = numbers.iter().map(|number| format!("{name}.{number}")).collect();
        subjects.push(name.to_string());
        subjects.extend(component.build.iter().map(ToString::to_string));
        for subject in subjects {
            // What cannot be read is not told; the state is, all the same.
            history.extend(self.ledger.newest(Some(&subject), 10).await.unwrap_or_default());
        }
        history.sort_by_key(|written| std::cmp::Reverse(written.seq));
        history.dedup_by_key(|written| written.seq);
        Some(Explained {
            place: Some(format!("{}:{}", component.at.file, component.at.line)),
            needs: component.needs.iter().map(|need| self.need(need)).collect(),
            history: history.iter().take(10).map(line).collect(),
            next: next_steps(name, part),
            component: told,
        })
    }

    fn need(&self, need: &towpath_model::run::Need) -> String {
        let optional = if need.optional {
            ", which it can do without"
        } else {
            ""
        };
        match self.tended.parts().get(&need.name) {
            Some(part) => format!("{} is {}{optional}: {}", need.name, part.state, because(part)),
            None => format!("{} is not there{optional}", need.name),
        }
    }

    /// Everything that a command needs to be run as the component itself would be.
    pub(crate) fn surroundings(&self, name: &Name) -> Option<Surroundings> {
        let part = self.tended.parts().get(name)?;
        let component = part.component.as_ref()?;
        let port = part.standing.iter().find_map(|one| one.seen.port);
        let (mut env, files) = self.wardrobe.variables(&component.env, port, &self.addresses);
        if let Some(resource) = &component.resource {
            env.extend(self.wardrobe.order(name, resource));
        }
        let open = |(name, value): (String, Sealed<String>)| (name, value.open().clone());
        Some(Surroundings {
            dir: component.dir.clone(),
            env: env.into_iter().map(open).collect(),
            files: files.into_iter().map(open).collect(),
        })
    }
}

/// What the schedule of a component says, where it has one.
fn schedule(part: &Part) -> Option<towpath_api::Schedule> {
    let hours = part.hours.as_ref()?;
    let by_hand = part.scale.is_some();
    let turn = hours.turn.as_ref();
    Some(towpath_api::Schedule {
        wanted: part.instances(),
        by_hand,
        until: part.scale_until.filter(|_| by_hand).or(turn.map(|turn| turn.at)),
        then: turn.map(|turn| turn.instances),
    })
}

/// How those speak who reach a component.
fn scheme(component: &towpath_model::run::Component) -> &'static str {
    let speaks = |protocol| {
        let listens = component.listens.as_ref();
        listens.is_some_and(|listens| listens.speaks.contains(&protocol))
    };
    if speaks(Protocol::Tcp) { "tcp" } else { "http" }
}

/// Why a component is as it is, with times as they are read here.
fn because(part: &Part) -> String {
    part.because.told(&clock::spoken)
}

fn instance(one: &Standing, component: &towpath_model::run::Component) -> Instance {
    let (state, because) = match (&one.seen.life, &one.well) {
        (Life::Running { .. }, Well::Yes) => (State::Ready, "it is well".to_owned()),
        (Life::Running { .. }, Well::NotYet { late: None }) => {
            (State::Starting, "it does not answer yet".to_owned())
        }
        (
            Life::Running { .. },
            Well::NotYet { late: Some(why) } | Well::Lost { why, .. } | Well::Unfilled(why),
        ) => (State::Unwell, why.clone()),
        (
            Life::Resting {
                after,
                looping,
                until,
            },
            _,
        ) => {
            let state = if *looping { State::Looping } else { State::Starting };
            (
                state,
                format!("{after}; it is started again at {}", clock::spoken(*until)),
            )
        }
        (Life::Stopping { .. }, _) => {
            let until = one.seen.since.checked_add(component.stop.within.to_jiff());
            let until = clock::spoken(until.unwrap_or(one.seen.since));
            (
                State::Stopping,
                format!("it has been asked to stop, and is killed at {until}"),
            )
        }
        (Life::Ended { exit }, _) if exit.is_success() => (State::Done, exit.to_string()),
        (Life::Ended { exit }, _) => (State::Failed, exit.to_string()),
        (Life::Silent { keeper }, _) => (State::Unwell, Because::KeeperSilent(*keeper).to_string()),
        (Life::Lost, _) => (State::Failed, "its keeper was killed, and it with it".to_owned()),
    };
    Instance {
        id: one.seen.id.clone(),
        pid: one.seen.life.pid(),
        state,
        because,
        restarts: one.seen.restarts,
        memory_bytes: 0,
        cpu_percent: 0.0,
        since: one.seen.since,
        left_out: None,
    }
}

fn line(written: &Written) -> String {
    let entry = &written.entry;
    let outcome = match &written.outcome {
        Some(outcome) if outcome.done => "done".to_owned(),
        Some(outcome) => match outcome.body.get("why").and_then(|why| why.as_str()) {
            Some(why) => format!("failed: {why}"),
            None => "failed".to_owned(),
        },
        None if entry.intent => "under way".to_owned(),
        None => "noted".to_owned(),
    };
    format!(
        "{:.0}  {} {}: {} ({outcome})",
        written.at, entry.what, entry.subject, entry.because
    )
}

/// What can be done next.
fn next_steps(name: &Name, part: &Part) -> Vec<String> {
    let step = |what: &str, command: &str| format!("`towpath {command} {name}` {what}");
    match part.state {
        State::Looping | State::Failed | State::Unwell | State::Degraded => vec![
            step("shows what it has said", "logs"),
            step("starts it anew, once what is wrong is mended", "restart"),
        ],
        State::Stopped => vec![step("starts it", "start")],
        State::Asleep if part.hours.is_some() && !part.sleeps() => {
            vec![step("wakes it, until its schedule wants another number", "start")]
        }
        State::Blocked | State::Waiting => {
            let needs = part.component.iter().flat_map(|component| &component.needs);
            needs
                .map(|need| format!("`towpath explain {}` tells what it waits for", need.name))
                .collect()
        }
        _ => Vec::new(),
    }
}

/// The processor use of instances since they were last looked at, in percent of one core.
#[derive(Debug, Default)]
pub(crate) struct Samples(BTreeMap<String, (std::time::Instant, u64)>);

impl Samples {
    /// Fills in what was measured.
    pub(crate) fn fill(
        &mut self,
        status: &mut Status,
        used: &[(towpath_model::run::InstanceId, towpath_model::run::Usage)],
    ) {
        let used: BTreeMap<String, towpath_model::run::Usage> =
            used.iter().map(|(id, usage)| (id.to_string(), *usage)).collect();
        let now = clock::now();
        let mut samples = BTreeMap::new();
        for one in status
            .components
            .iter_mut()
            .flat_map(|component| &mut component.instances)
        {
            let key = one.id.to_string();
            let Some(usage) = used.get(&key) else {
                continue;
            };
            one.memory_bytes = usage.memory;
            let before = self.0.get(&key).copied();
            // At the first look it is the average since it was started.
            let (since, cpu) = before.map_or_else(
                || {
                    let age = clock::today().duration_since(one.since);
                    (std::time::Duration::try_from(age).unwrap_or_default(), usage.cpu)
                },
                |(at, cpu)| (now.saturating_duration_since(at), usage.cpu.saturating_sub(cpu)),
            );
            let micros = since.as_micros().max(1) as f64;
            one.cpu_percent = (cpu as f64 / micros * 1000.0).round() / 10.0;
            samples.insert(key, (now, usage.cpu));
        }
        self.0 = samples;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whoever_does_not_read_is_let_go_with_a_word() {
        let (to, mut events) = tokio::sync::mpsc::channel(3);
        let mut onlookers = Onlookers::default();
        let onlooker = Onlooker {
            to,
            until_settled: false,
            steady: false,
            of: Vec::new(),
            follows: false,
            once: false,
        };
        onlookers.add(onlooker, false);
        for _ in 0..5 {
            onlookers.tell(&Event::Gone);
        }
        assert!(onlookers.all.is_empty(), "nothing more is kept for it");
        let mut told = Vec::new();
        while let Ok(event) = events.try_recv() {
            told.push(event);
        }
        assert_eq!(told.len(), 3, "{told:?}");
        let Some(Event::Note { text, .. }) = told.last() else {
            panic!("{told:?}");
        };
        assert!(text.contains("no more is told"), "{text}");
    }
}
