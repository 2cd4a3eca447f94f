//! A running edge: it is started, its targets are set, it is asked for counts, and it is stopped.

mod moved;

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::io;
use std::os::fd::OwnedFd;
use std::path::PathBuf;
use std::sync::atomic::Ordering;
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use tokio::sync::OwnedSemaphorePermit;
use tokio::sync::mpsc::UnboundedSender;
use tokio::time::timeout;
use towpath_model::run::{Certified, Front};
use towpath_model::sealed::Sealed;

use crate::bind::Port;
use crate::client::Most;
use crate::door::clock;
use crate::ending::Phase;
use crate::inside::Inside;
use crate::listen::Ear;
use crate::state::State;
use crate::table::Aim;
use crate::tickets::Tickets;
use crate::trust::Trust;
use crate::visit::Entry;
use crate::{Config, EdgeError, Event, Key, LeftOut, Listening, Running, Snapshot, Target, Traffic, bind};

/// What is cut off has nothing to wait for: its tasks have ended after this time.
const CUT_OFF: Duration = Duration::from_secs(1);

/// A running edge. When it is dropped it takes no more connections and cuts off those that are open.
pub struct Edge {
    state: Arc<State>,
    config: std::sync::Mutex<Config>,
    listening: std::sync::Mutex<Listening>,
    /// Whoever sets targets waits for whoever does already.
    inside: tokio::sync::Mutex<Inside>,
    ears: std::sync::Mutex<Vec<Ear>>,
    /// All seats, until targets are set: whoever waits at sockets that were handed over would be told that nothing is there.
    gate: std::sync::Mutex<Option<OwnedSemaphorePermit>>,
}

/// A socket on which an edge listens, as it goes from one process to another.
pub(crate) type Socket = (Entry, OwnedFd);

impl Edge {
    /// Starts listening. Events arrive at `events`.
    pub async fn start(config: Config, events: UnboundedSender<Event>) -> Result<Edge, EdgeError> {
        Edge::start_on(config, Vec::new(), events).await
    }

    /// Starts listening on sockets that somebody else has listened on, as far as there are any. Those for inside ports are
    /// kept until a target wants them.
    pub(crate) async fn start_on(
        config: Config,
        sockets: Vec<Socket>,
        events: UnboundedSender<Event>,
    ) -> Result<Edge, EdgeError> {
        clock::began();
        let trust = Trust::of(config.authority.clone()).await?;
        let (mut on_https, mut on_http, mut inside) = (Vec::new(), Vec::new(), HashMap::new());
        for (entry, socket) in sockets {
            match entry {
                Entry::Https => on_https.push(socket),
                Entry::Http => on_http.push(socket),
                Entry::Inside(port) => drop(inside.insert(port, socket)),
            }
        }
        let is_followed = !(on_https.is_empty() && on_http.is_empty());
        let (wanted, addresses) = (&config.listen, bind::meant(&config.listen));
        let https = bind::again(on_https, &addresses, wanted.https, config.https)?;
        let http = bind::again(on_http, &addresses, wanted.http, config.http)?;
        let key = match &config.key {
            Some(file) => Key::of(file).map_err(|source| EdgeError::System {
                doing: "reading the key of the edge",
                source,
            })?,
            None => Key::made_up(),
        };
        let state = Arc::new(State::new(
            config.product.clone(),
            (https.port, http.port),
            trust,
            (config.patience, key),
            events,
        ));
        if let Some(log) = &config.log {
            state.seen.keep_log(log.clone());
        }
        let seats = state.visitors.available_permits() as u32;
        let all = Arc::clone(&state.visitors);
        let gate = is_followed
            .then(|| all.try_acquire_many_owned(seats).ok())
            .flatten();
        let serve = |port: Port, entry| {
            let open = |listener| Ear::open(&state, listener, entry);
            port.listeners.into_iter().map(open).collect::<Vec<Ear>>()
        };
        let mut ears = serve(https, Entry::Https);
        ears.extend(serve(http, Entry::Http));
        let listening = listening_of(&ears, &state);
        state.is_open.store(listening.is_open(), Ordering::Relaxed);
        Ok(Edge {
            state,
            config: std::sync::Mutex::new(config),
            listening: std::sync::Mutex::new(listening),
            inside: tokio::sync::Mutex::new(Inside::of(inside)),
            ears: std::sync::Mutex::new(ears),
            gate: std::sync::Mutex::new(gate),
        })
    }

    /// Where it listens.
    pub fn listening(&self) -> Listening {
        let listening = self.listening.lock().unwrap_or_else(PoisonError::into_inner);
        listening.clone()
    }

    /// Learns the values that sign-ins are checked with, by their names, in place of those that it knew. None of
    /// them is shown to anybody but the provider that it is for.
    pub fn know(&self, values: &BTreeMap<String, Sealed<String>>) {
        self.state.know(values);
        self.state.seen.spans.know(&self.state.product, values);
    }

    /// Shows this page to browsers for what cannot be answered, or our own where there is none.
    pub fn show(&self, page: Option<&str>) {
        self.state.show(page);
    }

    /// The page that it shows.
    pub(crate) fn shown(&self) -> Option<String> {
        self.state.error_page().map(|page| page.text().to_owned())
    }

    /// Sets what holds in front of everything: whom it lets in and believes, and the certificate of each domain. What is asked
    /// for elsewhere is kept in a folder.
    pub async fn face(&self, front: Front, folder: PathBuf) {
        self.state.trust.set(front, folder).await;
    }

    /// Looks after the certificates that are asked for elsewhere, from now on. Only one edge of a folder may.
    pub fn look_after_certificates(&self) {
        self.state.trust.certificates.keep();
    }

    /// How the certificate of each domain is.
    pub async fn certificates(&self) -> Vec<Certified> {
        let certificates = Arc::clone(&self.state.trust.certificates);
        let told = tokio::task::spawn_blocking(move || certificates.told()).await;
        told.unwrap_or_default()
    }

    /// What holds in front of everything, and where what is asked for elsewhere is kept.
    pub(crate) fn facing(&self) -> (Front, PathBuf) {
        let facing = self.state.trust.certificates.facing();
        (facing.front.clone(), facing.folder.clone())
    }

    /// The keys of tickets.
    pub(crate) fn tickets(&self) -> &Tickets {
        &self.state.trust.tickets
    }

    /// Sets targets, each as a whole, by their names; `None` takes one away. All of them at one instant. Answers when
    /// inside ports are listened on; those that are taken by somebody else are told, and tried again when their target is
    /// set again.
    pub async fn set(&self, targets: Vec<(String, Option<Target>)>) -> Result<(), Vec<EdgeError>> {
        let (_, errors) = self.set_and_tell(targets).await;
        if errors.is_empty() { Ok(()) } else { Err(errors) }
    }

    /// The same, with the sockets that are listened on since, and what failed.
    pub(crate) async fn set_and_tell(
        &self,
        targets: Vec<(String, Option<Target>)>,
    ) -> (Vec<Socket>, Vec<EdgeError>) {
        let mut inside = self.inside.lock().await;
        let changes: Vec<(String, Option<Arc<Aim>>)> = targets
            .into_iter()
            .map(|(name, target)| {
                let before = self.state.aim(&name);
                let aim = target
                    .map(|target| Arc::new(Aim::new(&name, target, before.as_deref(), &self.state.counters)));
                (name, aim)
            })
            .collect();
        let mut wanted: Vec<(String, u16)> = Vec::new();
        for (name, aim) in &changes {
            let port = aim.as_ref().and_then(|aim| aim.target.inside);
            wanted.extend(port.map(|port| (name.clone(), port)));
        }
        let before = self.exchange(changes);
        drop(self.gate.lock().unwrap_or_else(PoisonError::into_inner).take());
        let left = before.iter().filter_map(|aim| aim.target.inside);
        inside.close(&self.state, left).await;
        let (mut opened, mut errors) = (Vec::new(), Vec::new());
        for (name, port) in wanted {
            match inside.open(&self.state, &name, port).await {
                Ok(socket) => opened.extend(socket.map(|socket| (Entry::Inside(port), socket))),
                Err(error) => errors.push(error),
            }
        }
        (opened, errors)
    }

    /// Puts everything in its place at one instant, wakes those who wait for it, and hands back what was there.
    fn exchange(&self, changes: Vec<(String, Option<Arc<Aim>>)>) -> Vec<Arc<Aim>> {
        let mut places = Vec::with_capacity(changes.len());
        let mut all_before = Vec::with_capacity(changes.len());
        let mut table = self.state.table_to_change();
        for (name, aim) in changes {
            let ready = aim.as_ref().is_some_and(|aim| !aim.instances.is_empty());
            let place = aim.as_ref().map(|aim| Arc::clone(&aim.place));
            let before = table.exchange(&name, aim.clone());
            before.iter().for_each(|before| before.part_from(aim.as_deref()));
            if let (Some(before), Some(aim)) = (&before, &aim)
                && before.build != aim.build
            {
                self.state.cache.forget_former(&name, aim.build);
            }
            let was_ready = before.as_ref().is_some_and(|aim| !aim.instances.is_empty());
            let place = place.or_else(|| before.as_ref().map(|aim| Arc::clone(&aim.place)));
            if ready || was_ready {
                place.iter().for_each(|place| place.forget_wanted());
            }
            places.extend(place);
            all_before.extend(before);
        }
        self.state.look_for_shares(&table);
        drop(table);
        for place in places {
            place.changed.notify_waiters();
        }
        all_before
    }

    /// Waits until an instance that is taken out of its target has nothing open any more, for so long at most, and not at all
    /// where no other one serves: those who would come meanwhile had to wait, too.
    pub async fn has_left(&self, target: &str, instance: &str, within: Duration) {
        let _ = timeout(within, async {
            while let Some(place) = self.state.aim(target).map(|aim| Arc::clone(&aim.place)) {
                let mut changed = std::pin::pin!(place.changed.notified());
                changed.as_mut().enable();
                let Some(aim) = self.state.aim(target).filter(|aim| !aim.instances.is_empty()) else {
                    return;
                };
                if aim.instances.iter().any(|one| one.id == instance) {
                    changed.await;
                    continue;
                }
                let Some(leaving) = place.leaving(instance) else {
                    return;
                };
                let mut empty = std::pin::pin!(leaving.empty.notified());
                empty.as_mut().enable();
                if leaving.open() == 0 {
                    return;
                }
                tokio::select! {
                    () = changed => {}
                    () = empty => {}
                }
            }
        })
        .await;
    }

    /// What has come through for a target.
    pub fn traffic(&self, target: &str) -> Traffic {
        let aim = self.state.aim(target);
        let open = aim.map_or_else(Traffic::default, |aim| aim.place.traffic());
        let (requests, errors) = self.state.seen.through(target);
        Traffic {
            requests,
            errors,
            ..open
        }
    }

    /// What it was started with.
    pub(crate) fn config(&self) -> Config {
        let config = self.config.lock().unwrap_or_else(PoisonError::into_inner);
        config.clone()
    }

    /// All targets, as they were set.
    pub(crate) fn targets(&self) -> Vec<(String, Target)> {
        let table = self.state.table();
        let all = table.all();
        all.map(|(name, aim)| (name.to_string(), aim.as_set())).collect()
    }

    /// The names of all targets, with their inside ports.
    pub(crate) fn names(&self) -> Vec<(String, Option<u16>)> {
        let table = self.state.table();
        let all = table.all();
        all.map(|(name, aim)| (name.to_string(), aim.target.inside))
            .collect()
    }

    /// The targets that somebody wants an instance of, as far as is known: one that was told of may have died over it.
    pub(crate) fn wishes(&self) -> Vec<Event> {
        let table = self.state.table();
        let wanted = table.all().filter(|(_, aim)| aim.place.is_wanted());
        wanted.map(|(name, _)| Event::Wanted(name.to_string())).collect()
    }

    /// The instances that are ready.
    pub(crate) fn addresses(&self) -> Vec<std::net::SocketAddr> {
        let table = self.state.table();
        let instances = table.all().flat_map(|(_, aim)| &aim.instances);
        instances.map(|instance| instance.at).collect()
    }

    /// All requests that were ever answered.
    pub(crate) fn answered(&self) -> u64 {
        self.state.seen.all_through()
    }

    /// The sockets that it listens on, once more, for somebody else.
    pub(crate) async fn sockets(&self) -> io::Result<Vec<Socket>> {
        let inside = self.inside.lock().await;
        let ears = self.ears.lock().unwrap_or_else(PoisonError::into_inner);
        let all = ears.iter().chain(inside.ears());
        all.map(|ear| Ok((ear.entry, ear.again()?))).collect()
    }

    /// Takes no more connections: somebody else does. What is open goes on; whoever asks is told that it was the last answer
    /// here, and WebSockets go one by one, as those of an instance that leaves.
    pub(crate) async fn leave(&self) {
        self.close_all().await;
        self.state.ending.tell(Phase::Leaving);
        let table = self.state.table();
        for (_, aim) in table.all() {
            aim.instances
                .iter()
                .for_each(|instance| instance.leave.tell(aim.target.drain));
        }
    }

    /// Waits until nothing is open.
    pub(crate) async fn is_empty(&self) {
        self.state.ending.is_empty().await;
    }

    async fn close_all(&self) {
        self.state.trust.certificates.leave().await;
        // Somebody may be moving what is listened on, and puts it back before it lets go of this.
        let mut inside = self.inside.lock().await;
        let mut ears = std::mem::take(&mut *self.ears.lock().unwrap_or_else(PoisonError::into_inner));
        ears.extend(inside.leave());
        drop(inside);
        ears.iter().for_each(Ear::abort);
        for ear in ears {
            ear.close().await;
        }
    }

    /// What has been seen of requests since it started.
    pub fn seen(&self) -> Snapshot {
        let mut seen = self.state.seen.read(clock::millis());
        let aims: Vec<Arc<Aim>> = self.state.table().all().map(|(_, aim)| Arc::clone(aim)).collect();
        let whole = |aim: &Arc<Aim>| {
            let mut whole = aim.place.seen()?;
            whole.out = aim.instances.iter().filter(|one| one.pulse.is_out()).count() as u64;
            let sheds = aim.place.queue.sheds(clock::millis());
            let most = Most::of(aim.guard.bounds());
            whole.sheds = aim
                .instances
                .first()
                .filter(|_| sheds)
                .map(|one| one.why_full(most));
            Some(whole)
        };
        seen.components = aims.iter().filter_map(whole).collect();
        seen.left_out = left_out(&aims);
        seen.kept = self.state.cache.size();
        seen.components
            .sort_by(|one, other| one.component.cmp(&other.component));
        seen.began = clock::began();
        seen.running = Running {
            process: std::process::id(),
            since: seen.began,
            connections: self.state.connections(),
            before: 0,
        };
        seen
    }

    /// Stops taking connections, lets open requests end for so long, closes WebSockets with 1012, and ends.
    pub async fn stop(self: Arc<Self>, within: Duration) {
        self.close_all().await;
        self.state.ending.tell(Phase::Ending);
        if timeout(within, self.state.ending.is_empty()).await.is_err() {
            self.state.ending.tell(Phase::Over);
            let _ = timeout(CUT_OFF, self.state.ending.is_empty()).await;
        }
        if let Some(log) = self.state.seen.log() {
            log.is_written().await;
        }
        self.state.seen.spans.are_sent().await;
    }
}

/// Where it listens, as its sockets say.
fn listening_of(ears: &[Ear], state: &State) -> Listening {
    let mut listening = Listening {
        https: 0,
        http: 0,
        addresses: Vec::new(),
        authority: state.trust.certificate(),
    };
    for ear in ears {
        let Some(at) = ear.at() else {
            continue;
        };
        match ear.entry {
            Entry::Https => listening.https = at.port(),
            Entry::Http => listening.http = at.port(),
            Entry::Inside(_) => continue,
        }
        if !listening.addresses.contains(&at.ip()) {
            listening.addresses.push(at.ip());
        }
    }
    listening.addresses.sort_unstable();
    listening
}

/// The instances that are left out now. One is told once, though several targets may know it.
fn left_out(aims: &[Arc<Aim>]) -> Vec<LeftOut> {
    let (now, today) = (clock::millis(), clock::since_epoch().as_millis());
    let today = u64::try_from(today).unwrap_or(u64::MAX);
    let all = aims.iter().flat_map(|aim| &aim.instances);
    let out = all.filter_map(|one| {
        let (because, long) = one.pulse.why(now)?;
        Some(LeftOut {
            instance: one.id.clone(),
            because: because.words(),
            since: today.saturating_sub(long),
        })
    });
    let mut out: Vec<LeftOut> = out.collect();
    out.sort_by(|one, other| one.instance.cmp(&other.instance));
    out.dedup_by(|one, other| one.instance == other.instance);
    out
}

impl Drop for Edge {
    fn drop(&mut self) {
        let ears = self.ears.get_mut().unwrap_or_else(PoisonError::into_inner);
        ears.iter().for_each(Ear::abort);
        self.inside.get_mut().abort();
        self.state.trust.certificates.abort();
        self.state.ending.tell(Phase::Over);
    }
}

impl fmt::Debug for Edge {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Edge")
            .field("listening", &self.listening())
            .finish_non_exhaustive()
    }
}
