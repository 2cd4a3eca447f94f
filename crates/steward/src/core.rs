//! The core: the one task that keeps what is known, and lets things be done.

mod message;
mod wanted;

pub(crate) use message::Message;

use crate::act::Prepared;
use crate::addresses::Addresses;
use crate::ask::{Asker, Question};
use crate::course::Helm;
use crate::credentials::Credentials;
use crate::door::{clock, sockets};
use crate::dress::Wardrobe;
use crate::fill::Filling;
use crate::front::{CERTIFICATES, Front};
use crate::idle::Presence;
use crate::keep::{Ledger, Left};
use crate::make::Maker;
use crate::probe::Probes;
use crate::sign_out::{self, Moments};
use crate::sleep::Naps;
use crate::start::Config;
use crate::tell::Onlookers;
use crate::{errors, face};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender};
use tokio::task::JoinHandle;
use towpath_api::{Event, Tone};
use towpath_decide::converge::Because;
use towpath_decide::maintenance::Closed;
use towpath_decide::tend::{Act, Did, Fact, Part, Tended};
use towpath_edge::Target;
use towpath_edge::apart::Remote;
use towpath_engine::{Engine, EngineError};
use towpath_keeper::give_back_memory;
use towpath_model::run::{Ask, Component, InstanceId, Life, Listen, Product, Seen};
use towpath_model::unit::Name;
use towpath_store::{Artifacts, Seq, StoreError, Vault};

/// How soon it is tried again to write what could not be written.
const WRITE_AGAIN: Duration = Duration::from_secs(1);

/// How long outcomes may wait to be written with the next intent.
const FLUSH: Duration = Duration::from_millis(200);

/// The longest wait for a time of day.
const LONGEST_WAIT: Duration = Duration::from_secs(20);

/// How long open requests may take when everything has stopped.
const AT_THE_END: Duration = Duration::from_millis(500);

/// The number of an intent that could not be written down.
const UNWRITTEN: Seq = 0;

/// The most messages that are heard before something is decided: many instances that start at once are decided together.
const MOST_AT_ONCE: usize = 512;

/// Everything that the core has.
pub(crate) struct Core<E> {
    pub(crate) config: Config,
    pub(crate) tended: Tended,
    pub(crate) product: Option<Arc<Product>>,
    /// The releases, where it is they that say what runs.
    pub(crate) helm: Option<Helm>,
    /// What releases are made of.
    pub(crate) artifacts: Artifacts,
    /// The values that they are started with, sealed.
    pub(crate) vault: Arc<Vault>,
    pub(crate) engine: Arc<E>,
    pub(crate) ledger: Ledger,
    /// The edge, once it serves.
    pub(crate) edge: Option<Arc<Remote>>,
    pub(crate) front: Front,
    /// What could not be told to the edge, and is told it again.
    pub(crate) lagging: BTreeSet<Name>,
    /// What components show each other.
    pub(crate) credentials: Credentials,
    pub(crate) edge_ports: Option<(u16, u16)>,
    /// Where it is to listen, where whoever started it has said so.
    pub(crate) listen: Option<Listen>,
    pub(crate) addresses: Addresses,
    pub(crate) wardrobe: Wardrobe,
    pub(crate) asker: Asker,
    /// What is asked of whom: its process, and what a resource has been filled with by then.
    pub(crate) asked: HashMap<InstanceId, (u32, String)>,
    pub(crate) naps: Naps,
    pub(crate) probes: Probes,
    pub(crate) maker: Maker,
    pub(crate) inbox: UnboundedSender<Message>,
    pub(crate) onlookers: Onlookers,
    /// What could not be written down yet, and is therefore not done yet.
    pub(crate) pending: Vec<Prepared>,
    pub(crate) write_again: Option<Instant>,
    pub(crate) flush_at: Option<Instant>,
    /// When it is looked again for folders of sites that are missing.
    pub(crate) look_again: Option<Instant>,
    /// What is not as it should be with the whole.
    pub(crate) notes: BTreeMap<&'static str, String>,
    /// What an earlier steward has left, once it has been read, until it is taken over.
    pub(crate) left: Option<Left>,
    /// What runs already, once it has been looked at, until it is taken over.
    pub(crate) observed: Option<JoinHandle<Result<Vec<Seen>, EngineError>>>,
    /// Who asks for something.
    pub(crate) presence: Arc<Presence>,
    /// An earlier steward's product has been taken over, or there was none.
    pub(crate) restored: bool,
    /// Nothing ran when we came: whoever asks for something makes the environment.
    pub(crate) from_nothing: bool,
    /// The folder of the state has gone.
    pub(crate) vanished: bool,
    /// Builds run although nothing has changed.
    pub(crate) force_builds: bool,
    /// What is closed for visitors.
    pub(crate) closed: Closed,
    /// When everybody was signed out last.
    pub(crate) signed_out: Moments,
    /// Where the assets of earlier builds of sites are.
    pub(crate) attics: BTreeMap<Name, Vec<PathBuf>>,
    /// Something large was read, and what that took has not been given back yet.
    pub(crate) untidy: bool,
    /// The ports that were given to those that are being started.
    pub(crate) starting: HashMap<InstanceId, u16>,
}

impl<E: Engine> Core<E> {
    /// Runs until everything is down; whether that was because the folder of the state has gone.
    pub(crate) async fn run(
        mut self,
        mut inbox: UnboundedReceiver<Message>,
        mut changes: UnboundedReceiver<Seen>,
        mut edge_events: UnboundedReceiver<towpath_edge::Event>,
    ) -> bool {
        // Whoever has started us reads the manifest meanwhile. What cannot be read now is said when it is needed.
        let engine = Arc::clone(&self.engine);
        self.observed = Some(tokio::spawn(async move { engine.observe().await }));
        self.left = self.ledger.left().await.ok();
        self.say_unread();
        self.adopt_edge().await;
        self.resume_course().await;
        self.turn().await;
        loop {
            let wake = self.next_look();
            let message = tokio::select! {
                message = inbox.recv() => message,
                // What changes before it is known what was wanted waits.
                Some(seen) = changes.recv(), if self.restored => Some(Message::Fact(Fact::Changed(seen))),
                // What visitors want of what is not known yet waits, too.
                Some(event) = edge_events.recv(), if self.restored => Some(Message::Edge(event)),
                () = sleep_until(wake) => None,
            };
            if let Some(message) = message {
                self.hear(message).await;
            }
            for _ in 0..MOST_AT_ONCE {
                if self.restored
                    && let Ok(seen) = changes.try_recv()
                {
                    self.learn(Fact::Changed(seen));
                } else if let Ok(message) = inbox.try_recv() {
                    self.hear(message).await;
                } else {
                    break;
                }
            }
            self.look_after_naps().await;
            if self.look_again.is_some_and(|at| at <= clock::now()) {
                self.look_for_folders();
            }
            self.turn().await;
            if self.tended.is_gone() || self.is_needless().await {
                let vanished = self.vanished;
                self.leave().await;
                return vanished;
            }
        }
    }

    fn next_look(&self) -> Option<Instant> {
        let look = self.tended.next_look().map(|at| {
            let wait = at.duration_since(clock::today());
            // The clock that we wait by stands still while the machine sleeps, and people set the other one.
            clock::now() + Duration::try_from(wait).unwrap_or_default().min(LONGEST_WAIT)
        });
        [
            look,
            self.write_again,
            self.flush_at,
            self.look_again,
            self.onlookers.kept_until,
            self.naps.next(),
            self.front.until,
            self.helm.as_ref().filter(|_| self.steers()).and_then(Helm::next),
            self.next_doubt(),
        ]
        .into_iter()
        .flatten()
        .min()
    }

    async fn hear(&mut self, message: Message) {
        match message {
            Message::Fact(fact) => self.learn(fact),
            Message::Done { seq, fact, outcome } => {
                self.ledger
                    .outcome(seq, outcome.as_ref().copied().map_err(String::as_str));
                let fact = self.dressed_fact(fact);
                let built = matches!(fact, Fact::Built { .. });
                self.learn(fact);
                if built {
                    self.maker.rounds.turn();
                    self.look_for_folders();
                }
            }
            Message::Edge(towpath_edge::Event::Wanted(name)) => {
                if let Some(name) = self.named(&name) {
                    self.learn(Fact::Wanted(name));
                }
            }
            Message::Edge(towpath_edge::Event::Refused { instance, .. }) => {
                if let Ok(id) = InstanceId::parse(&instance) {
                    self.asker.now(id);
                }
            }
            Message::Edge(towpath_edge::Event::Ejected {
                target,
                instance,
                because,
            }) => {
                self.note(
                    Tone::Warning,
                    format!("{target}: {instance} is left out, because {because}"),
                );
                if let Ok(id) = InstanceId::parse(&instance) {
                    self.asker.now(id);
                }
            }
            Message::Edge(towpath_edge::Event::Shed { target, because }) => {
                let text = format!("{target}: requests are sent away (503), because {because}");
                self.note(Tone::Warning, text);
            }
            Message::Edge(towpath_edge::Event::Returned { target, instance }) => {
                self.note(
                    Tone::Note,
                    format!("{target}: {instance} does well again, and is asked"),
                );
            }
            Message::Edge(towpath_edge::Event::Exhausted(why)) => {
                let text = format!("the edge can take no more connections until others end: {why}");
                self.note(Tone::Warning, text);
            }
            Message::Edge(towpath_edge::Event::Untrusted(why)) => self.cannot_be_trusted(why),
            Message::Edge(towpath_edge::Event::Ended) => self.edge_ended().await,
            Message::Note(tone, text) => self.note(tone, self.without_values(text)),
            Message::BuildLine(name, line) => self.onlookers.tell(&Event::Build { name, line }),
            Message::Files(change) => self.files_changed(&change),
            Message::Built { owners, anew } => self.built(&owners, anew),
            Message::Judged(judged) => self.judged(*judged),
            Message::Sampled(sampled) => self.sampled(*sampled),
            Message::Counted(seen) => self.counted(&seen),
            Message::Tasked(tasked) => self.tasked(*tasked),
            Message::Moved(name, ran) => self.moved(name, ran),
            Message::Request(request) => self.answer(request).await,
            Message::Reread(reread) => self.reread(reread).await,
            Message::Kept(name, kept) => self.assets_kept(name, kept).await,
            Message::Vanished => self.vanish(),
            Message::Probed(name, found) => self.probed(name, &found),
        }
    }

    /// Nobody can reach us any more, and a second one would start everything again beside us: everything stops.
    fn vanish(&mut self) {
        if !self.vanished {
            self.vanished = true;
            let text = format!(
                "{} was deleted or moved, and nobody could reach what runs any more: everything stops",
                self.config.state.display()
            );
            self.note(Tone::Error, text);
            self.learn(Fact::Down { at_once: false });
        }
    }

    /// The name of a part, from a text that came from outside.
    pub(crate) fn named(&self, name: &str) -> Option<Name> {
        self.tended.parts().name(name).cloned()
    }

    pub(crate) fn learn(&mut self, fact: Fact) {
        if let Fact::Changed(seen) = &fact {
            self.look_for_robbers(seen);
            self.look_for_silent(seen);
        }
        if let Fact::Did {
            result: Ok(Some(seen)),
            ..
        } = &fact
        {
            self.look_for_silent(seen);
        }
        if let Fact::Did {
            id,
            did: Did::Start,
            result,
        } = &fact
            && let Some(port) = self.starting.remove(id)
            && result.is_err()
        {
            self.addresses.give_back(port);
        }
        if let Fact::Did {
            id, result: Ok(None), ..
        } = &fact
        {
            self.release(id);
        }
        self.tended.learn(fact);
    }

    /// An instance that cannot stay up may have lost its port to somebody else.
    fn look_for_robbers(&mut self, seen: &Seen) {
        if let (Life::Resting { looping: true, .. }, Some(port)) = (&seen.life, seen.port)
            && !sockets::is_free(port)
        {
            // It is told after the change itself, which would take it back.
            let _ = self.inbox.send(Message::Fact(Fact::Robbed(seen.id.clone())));
        }
    }

    /// A keeper that does not answer is told of, and that it was ended for it.
    pub(crate) fn look_for_silent(&mut self, seen: &Seen) {
        let parts = self.tended.parts();
        let before = parts
            .get(&seen.id.component)
            .and_then(|part| part.standing.iter().find(|one| one.seen.id == seen.id))
            .map(|one| &one.seen.life);
        let text = match (&seen.life, before) {
            (Life::Silent { .. }, Some(Life::Silent { .. })) => return,
            // It is ended in a moment, and then that is told.
            (Life::Silent { .. }, _) if self.tended.goes_down() => return,
            (Life::Silent { keeper }, _) => Because::KeeperSilent(*keeper).to_string(),
            (Life::Lost, Some(Life::Silent { .. })) => {
                "its keeper did not answer, and was killed with all that it kept".to_owned()
            }
            _ => return,
        };
        self.note(Tone::Warning, format!("{}: {text}", seen.id));
    }

    /// The port of an instance that is no more can be given again.
    fn release(&mut self, id: &InstanceId) {
        let part = self.tended.parts().get(&id.component);
        let standing = part.and_then(|part| part.standing.iter().find(|one| one.seen.id == *id));
        if let Some(port) = standing.and_then(|one| one.seen.port) {
            self.addresses.give_back(port);
        }
        self.asked.remove(id);
        self.asker.end(id.clone());
    }

    /// Decides, writes down, does, and tells. Where releases say what runs, what follows for them is decided when everything
    /// else has been told, until nothing follows any more.
    pub(crate) async fn turn(&mut self) {
        for _ in 0..MOST_AT_ONCE {
            self.turn_once().await;
            if !self.steer().await {
                break;
            }
        }
        self.let_followers_go();
    }

    async fn turn_once(&mut self) {
        let mut faces = Vec::new();
        let mut prepared = std::mem::take(&mut self.pending);
        for act in self.tended.decide(clock::today()) {
            let port = match self.port_for(&act) {
                Ok(port) => port,
                Err(fact) => {
                    // It is heard after this turn, and decided with everything else.
                    let _ = self.inbox.send(Message::Fact(*fact));
                    continue;
                }
            };
            match Prepared::of(act, port) {
                Ok(exact) => prepared.push(exact),
                Err(Act::Remember(name, what)) => self.ledger.remember(&name, what),
                Err(Act::Face(name)) => faces.push(name),
                Err(Act::Tell(name)) => self.tell_state(&name),
                Err(Act::Missed { name, count, last }) => self.tell_missed(&name, count, last),
                Err(_) => {}
            }
        }
        self.write_and_do(prepared).await;
        self.turn_faces(faces).await;
        let settled = self.tended.is_settled() && self.pending.is_empty();
        self.stop_believing(settled).await;
        self.onlookers.settle(settled, || self.tended.parts());
        if settled && std::mem::take(&mut self.untidy) {
            tokio::task::spawn_blocking(give_back_memory);
        }
    }

    async fn write_and_do(&mut self, prepared: Vec<Prepared>) {
        let now = clock::now();
        self.write_again = self.write_again.filter(|at| *at > now);
        let waits_long = self.flush_at.is_some_and(|at| at <= now);
        if prepared.is_empty() && !waits_long {
            if self.ledger.waits() && self.flush_at.is_none() {
                self.flush_at = Some(now + FLUSH);
            }
            return;
        }
        if self.write_again.is_some() {
            self.flush_at = self.flush_at.and(self.write_again);
            self.put_off(prepared);
            return;
        }
        self.flush_at = None;
        match self.ledger.write(&prepared, clock::today()).await {
            Ok(seqs) => {
                self.write_again = None;
                if self.notes.remove("journal").is_some() {
                    self.note(
                        Tone::Note,
                        "the journal can be written again, and everything goes on".to_owned(),
                    );
                }
                for (prepared, seq) in prepared.into_iter().zip(seqs) {
                    self.perform(prepared, seq);
                }
            }
            Err(error) => {
                self.write_again = Some(now + WRITE_AGAIN);
                self.flush_at = self.write_again;
                self.cannot_write(&error);
                self.put_off(prepared);
            }
        }
    }

    /// What cannot be written down is not done, and is decided anew when there is room: somebody may want something else by
    /// then. Stopping is done all the same: a disk that is full is made empty by stopping what fills it, and that something
    /// was stopped is seen without the journal.
    fn put_off(&mut self, prepared: Vec<Prepared>) {
        for one in prepared {
            if let Some(port) = one.given_port() {
                self.addresses.give_back(port);
            }
            match one.withdrawn() {
                _ if one.stops() => self.perform(one, UNWRITTEN),
                Some(fact) => self.tended.learn(fact),
                None => self.pending.push(one),
            }
        }
    }

    /// Nothing is done that is not written down. What runs goes on meanwhile.
    pub(crate) fn cannot_write(&mut self, error: &StoreError) {
        let text = format!(
            "nothing is started, because the journal cannot be written: {}; what runs goes on, and so does \
             this when there is room",
            errors::told(error)
        );
        // That there is no journal any more has been said.
        if self.notes.insert("journal", text.clone()).as_ref() != Some(&text) && !self.vanished {
            self.note(Tone::Error, text);
        }
    }

    /// Whoever wants HTTPS is turned away. It is said once, however many of them there are.
    fn cannot_be_trusted(&mut self, why: String) {
        if self.notes.insert("authority", why.clone()).as_ref() != Some(&why) {
            self.note(Tone::Error, why);
        }
    }

    /// What waits is written with the next turn: somebody is about to be told that it holds.
    pub(crate) fn flush(&mut self) {
        self.flush_at = Some(clock::now());
    }

    pub(crate) fn note(&mut self, tone: Tone, text: String) {
        self.onlookers.tell(&Event::Note { tone, text });
    }

    /// Tells edge and asker what has changed for them.
    pub(crate) async fn turn_faces(&mut self, names: Vec<Name>) {
        let mut targets: Vec<(String, Option<Target>)> = Vec::new();
        let product = self
            .product
            .as_ref()
            .map(|product| product.product.to_string())
            .unwrap_or_default();
        let turned = names.clone();
        for name in names {
            let part = self.tended.parts().get(&name);
            let mut target = part.and_then(|part| face::target(&name, part, &product, &self.addresses));
            if let Some(target) = &mut target {
                if let (Some(part), Some(row)) = (part, self.helm.as_ref().and_then(|helm| helm.row(&name))) {
                    face::divide(target, part, row);
                }
                self.with_former(&name, &mut target.answer);
                sign_out::bind(&self.signed_out, &name, target);
                face::believe(&self.config.state.join(CERTIFICATES), target);
                target.maintenance = self.closed.of(&name, clock::today()).cloned();
            }
            let is_known = part.is_none_or(Part::faces);
            let is_believed = part.is_some_and(|part| self.front.believes(&name, part));
            if is_known && !is_believed {
                targets.push((name.to_string(), target));
            }
            if let Some(part) = part {
                self.naps.see(&name, part);
            }
            self.question(&name);
        }
        let Some(edge) = self.edge.clone().filter(|_| !targets.is_empty()) else {
            return;
        };
        let told: Vec<Name> = targets.iter().filter_map(|(name, _)| self.named(name)).collect();
        let set = edge.set(targets).await;
        for name in told {
            match set {
                Ok(()) => self.lagging.remove(&name),
                Err(_) => self.lagging.insert(name),
            };
        }
        if let Err(errors) = set {
            for error in errors {
                self.move_inside(&error);
                self.note(Tone::Warning, errors::told(&error));
            }
        }
        self.probe(&turned);
    }

    /// Somebody else listens where a component was reached from inside: it gets another port, and those that need it are
    /// started anew with it.
    fn move_inside(&mut self, error: &towpath_edge::EdgeError) {
        let towpath_edge::EdgeError::Taken { target, .. } = error else {
            return;
        };
        let Some(name) = self.named(target) else {
            return;
        };
        self.move_to_another_port(&name);
    }

    /// A component is reached by another port from now on, and those that need it are started anew with that.
    pub(crate) fn move_to_another_port(&mut self, name: &Name) {
        self.addresses.forget(name);
        if let Some(port) = self.addresses.settle(name) {
            self.ledger.inside(name, port);
        }
        if let Some(helm) = &mut self.helm {
            helm.has_moved = true;
            return;
        }
        let product = self.product.clone();
        let users = product.iter().flat_map(|product| product.components.values());
        let users: Vec<Name> = users
            .filter(|component| component.needs.iter().any(|need| need.name == *name))
            .map(|component| component.name.clone())
            .collect();
        for user in users {
            self.dress(&user);
        }
        self.dress(name);
    }

    /// What is to be done to a resource, and how it is looked at; nothing of what is none.
    pub(crate) fn filling(&self, component: &Component, port: Option<u16>) -> Option<Arc<Filling>> {
        let resource = component.resource.as_ref()?;
        let (env, _) = self.wardrobe.variables(&component.env, port, &self.addresses);
        let whose = (&component.name, component.dir.as_str());
        Some(Arc::new(Filling::of(whose, resource, env, &self.wardrobe, port)))
    }

    /// Begins and ends to ask the instances of a component how they are.
    fn question(&mut self, name: &Name) {
        let Some(part) = self.tended.parts().get(name) else {
            return;
        };
        for one in &part.standing {
            // Two releases of it may want to be asked in two ways.
            let Some(component) = part.component_of(&one.seen.digest) else {
                return;
            };
            if component.health.ask == Ask::Runs {
                continue;
            }
            let pid = match one.seen.life {
                Life::Running { pid } if one.busy.is_none() => Some(pid),
                _ => None,
            };
            let known = self.asked.get(&one.seen.id);
            let contents = component
                .resource
                .as_ref()
                .map(|resource| resource.contents.as_str());
            let contents = contents.unwrap_or_default();
            match pid {
                Some(pid) if known.is_none_or(|(other, was)| *other != pid || was != contents) => {
                    let env = match component.health.ask {
                        Ask::Command(_) => {
                            self.wardrobe
                                .variables(&component.env, one.seen.port, &self.addresses)
                        }
                        _ => Default::default(),
                    };
                    self.asked.insert(one.seen.id.clone(), (pid, contents.to_owned()));
                    let filling = self.filling(component, one.seen.port);
                    self.asker.begin(Question {
                        filling,
                        id: one.seen.id.clone(),
                        health: Arc::new(component.health.clone()),
                        port: one.seen.port,
                        pid,
                        dir: component.dir.clone().into(),
                        env: Arc::new(env),
                    });
                }
                None if known.is_some() => {
                    self.asked.remove(&one.seen.id);
                    self.asker.end(one.seen.id.clone());
                }
                _ => {}
            }
        }
    }

    /// Everything is down: says so, and closes what is open.
    async fn leave(mut self) {
        if let Err(error) = self.ledger.write(&[], clock::today()).await {
            self.cannot_write(&error);
        }
        if let Some(edge) = self.edge.take() {
            edge.stop(AT_THE_END).await;
        }
        self.maker.end().await;
        self.ledger.close().await;
        if !self.vanished {
            sockets::leave(&self.config.state);
        }
        self.onlookers.gone().await;
    }
}

async fn sleep_until(at: Option<Instant>) {
    match at {
        Some(at) => tokio::time::sleep_until(at.into()).await,
        None => std::future::pending().await,
    }
}
