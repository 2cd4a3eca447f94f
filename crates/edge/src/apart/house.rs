//! The process that an edge is by itself: whom it hears, what it hands on, and when it ends.

use std::collections::HashMap;
use std::io;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use tokio::net::{TcpStream, UnixListener, UnixStream};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};
use towpath_model::run::{Certified, Front, Listen};

use super::line::{Letter, receive};
use super::remote::{Remote, write};
use super::wire::{Answer, Asked, Ear, Fault, Here, Request, Told, Values};
use crate::door::sockets::{self, Folder};
use crate::running::Socket;
use crate::{Edge, EdgeError, Event, Listening, Snapshot, Target, Traffic};

/// How often somebody whom nobody looks after looks whether anything is left to serve.
const LOOK: Duration = Duration::from_secs(60);

/// After so many looks in vain it ends. Whoever has lost their steward and means to go on has started another one by then.
const LOOKS: u32 = 10;

/// How long one waits for a successor that has gone before it ends what it has open: a steward that finds the successor gone
/// starts another one in much less.
const ABANDONED: Duration = Duration::from_secs(10);

/// How long what is open may take to end when nobody has said so.
const DRAIN: Duration = Duration::from_millis(500);

/// What a look for a living instance may take.
const KNOCK: Duration = Duration::from_secs(1);

/// More targets than this at once leave memory behind that is worth giving back.
const LARGE: usize = 500;

/// Why an edge has ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// It was asked to.
    Asked,
    /// Its state folder was deleted or moved.
    Gone,
    /// Nobody looked after it, and nothing was left to serve.
    Lonely,
    /// A successor has taken over, and the last connection has ended.
    Left,
}

/// What was counted by those who have gone.
#[derive(Debug, Default)]
pub(super) struct Past {
    /// Requests and errors, by target.
    pub(super) traffic: HashMap<String, (u64, u64)>,
    /// Everything that was seen.
    pub(super) seen: Snapshot,
}

impl Past {
    /// Takes note of what one has counted that has ended.
    fn bury(&mut self, one: &Remote) {
        for (name, traffic) in one.last_traffic() {
            let counted = self.traffic.entry(name).or_default();
            counted.0 += traffic.requests;
            counted.1 += traffic.errors;
        }
        self.seen.add(&one.last_seen());
    }
}

pub(super) struct House {
    pub(super) folder: PathBuf,
    give_back_memory: fn(),
    pub(super) edge: OnceLock<Arc<Edge>>,
    pub(super) lock: Mutex<Option<OwnedFd>>,
    pub(super) events: UnboundedSender<Event>,
    /// Those who are told what happens.
    told: Mutex<Vec<UnboundedSender<Letter>>>,
    /// How many talk to us.
    guests: watch::Sender<usize>,
    /// Hears new ones.
    hears: Mutex<Option<JoinHandle<()>>>,
    /// Those before us that only end what they have begun.
    pub(super) before: Mutex<Vec<Arc<Remote>>>,
    /// What was counted by those who have gone.
    pub(super) past: Mutex<Past>,
    /// What sign-ins are checked with.
    pub(super) values: Mutex<Values>,
    pub(super) has_left: watch::Sender<bool>,
    stop: watch::Sender<Option<Duration>>,
}

/// Is the edge of a state folder, until it is told to end or has nothing to do any more. Whoever starts it has the other end
/// of its standard input.
pub async fn serve(folder: &Path, give_back_memory: fn()) -> io::Result<End> {
    sockets::raise_files();
    crate::guard::keep_in(folder);
    let (house, happens) = House::new(folder, give_back_memory);
    house.attend(sockets::given()?);
    tokio::spawn(tell_all(Arc::clone(&house), happens));
    let watched = Folder::watch(folder);
    let end = tokio::select! {
        () = house.is_stopped() => End::Asked,
        () = house.is_homeless(&watched) => End::Gone,
        () = house.is_lonely(&watched) => End::Lonely,
        () = house.is_done() => End::Left,
    };
    house.end().await;
    Ok(end)
}

impl House {
    /// One that has not begun, and what happens in it.
    pub(super) fn new(folder: &Path, give_back_memory: fn()) -> (Arc<House>, UnboundedReceiver<Event>) {
        let (events, happens) = unbounded_channel();
        let house = Arc::new(House {
            folder: folder.to_owned(),
            give_back_memory,
            edge: OnceLock::new(),
            lock: Mutex::default(),
            events,
            told: Mutex::default(),
            guests: watch::Sender::new(0),
            hears: Mutex::default(),
            before: Mutex::default(),
            past: Mutex::default(),
            values: Mutex::default(),
            has_left: watch::Sender::new(false),
            stop: watch::Sender::new(None),
        });
        (house, happens)
    }
}

/// Tells everybody what happens.
async fn tell_all(house: Arc<House>, mut happens: UnboundedReceiver<Event>) {
    while let Some(event) = happens.recv().await {
        if event == Event::Ended {
            house.bury();
            continue;
        }
        let message = told(0, Answer::Event(event));
        locked(&house.told).retain(|guest| guest.send(Letter::new(&message, Vec::new())).is_ok());
    }
}

fn told(number: u64, what: Answer) -> Told {
    Told { number, what }
}

pub(super) fn locked<T>(what: &Mutex<T>) -> MutexGuard<'_, T> {
    what.lock().unwrap_or_else(PoisonError::into_inner)
}

impl House {
    /// Hears what somebody asks, until they go.
    fn attend(self: &Arc<House>, stream: UnixStream) {
        self.guests.send_modify(|guests| *guests += 1);
        let house = Arc::clone(self);
        tokio::spawn(async move {
            let stream = Arc::new(stream);
            let (letters, to_send) = unbounded_channel();
            tokio::spawn(write(Arc::clone(&stream), to_send));
            let mut hands_over = false;
            while let Ok(Some((asked, files))) = receive::<Asked>(&stream).await {
                hands_over |= matches!(asked.what, Request::HandOver);
                house.hear(asked, files, &letters).await;
            }
            locked(&house.told).retain(|guest| !guest.same_channel(&letters));
            if hands_over && !*house.has_left.borrow() {
                // Our successor has died over it. It may have put its name in the place of ours.
                let _ = house.listen();
            }
            house.guests.send_modify(|guests| *guests -= 1);
        });
    }

    async fn hear(self: &Arc<House>, asked: Asked, files: Vec<OwnedFd>, letters: &UnboundedSender<Letter>) {
        let number = asked.number;
        let letters = letters.clone();
        // Whoever has gone meanwhile needs no answer.
        let say = |what, files| drop(letters.send(Letter::new(&told(number, what), files)));
        match asked.what {
            Request::Hello => {
                // Before it is answered: whoever has an answer from us hears our last words, however soon they come.
                locked(&self.told).push(letters.clone());
                let (here, sockets) = self.here().await;
                say(Answer::Here(Box::new(here)), sockets);
                // Who was told of them before may have died over it.
                for wish in self.edge.get().map(|edge| edge.wishes()).unwrap_or_default() {
                    let message = told(0, Answer::Event(wish));
                    let _ = letters.send(Letter::new(&message, Vec::new()));
                }
            }
            Request::Begin(config, ears) => say_begun(self.begin(config, sockets_of(ears, files)).await, say),
            Request::Listen(listen, near) => {
                let (answer, sockets) = self.listen_at(&listen, near).await;
                say(answer, sockets);
            }
            Request::Succeed => say_begun(self.succeed().await, say),
            Request::Set(targets) => {
                let (ears, files, faults) = self.set(targets).await;
                say(Answer::Set(ears, faults), files);
            }
            Request::Know(values) => {
                self.know(values);
                say(Answer::Done, Vec::new());
            }
            Request::Show(page) => {
                if let Some(edge) = self.edge.get() {
                    edge.show(page.as_deref());
                }
                say(Answer::Done, Vec::new());
            }
            Request::Face(front, folder) => {
                self.face(*front, folder).await;
                say(Answer::Done, Vec::new());
            }
            Request::Certificates => say(Answer::Certificates(self.certificates().await), Vec::new()),
            Request::Seen => {
                say(Answer::Seen(Box::new(self.seen().await)), Vec::new());
            }
            Request::Traffic(targets) => say(Answer::Traffic(self.traffic(targets).await), Vec::new()),
            Request::HasLeft {
                target,
                instance,
                within,
            } => {
                let house = Arc::clone(self);
                tokio::spawn(async move {
                    house.leaves(&target, &instance, within).await;
                    let letter = Letter::new(&told(number, Answer::Done), Vec::new());
                    let _ = letters.send(letter);
                });
            }
            Request::Stop(within) => drop(self.stop.send_replace(Some(within))),
            Request::HandOver => match self.estate().await {
                Ok((estate, ears, files)) => say(Answer::Estate(Box::new(estate), ears), files),
                Err(error) => say(Answer::Failed(Fault::from(error)), Vec::new()),
            },
            Request::Taken => {
                self.leave().await;
                say(Answer::Done, Vec::new());
                // Where nothing is open this is our end, and what is said after it may not arrive.
                self.has_left.send_replace(true);
            }
        }
    }

    async fn here(&self) -> (Here, Vec<OwnedFd>) {
        let mut here = Here {
            program: sockets::program(),
            process: std::process::id(),
            ..Here::default()
        };
        let Some(edge) = self.edge.get() else {
            return (here, Vec::new());
        };
        here.began = Some((edge.config(), edge.listening()));
        here.targets = edge.names();
        // Where they cannot be held twice, less is safe when we die, and nothing else.
        let (ears, sockets) = ears_of(edge.sockets().await.unwrap_or_default());
        here.ears = ears;
        (here, sockets)
    }

    /// Knows the values that sign-ins are checked with.
    pub(super) fn know(&self, values: Values) {
        if let Some(edge) = self.edge.get() {
            edge.know(&values.0);
        }
        *locked(&self.values) = values;
    }

    /// Learns what holds in front of everything. One that only ends what it has begun looks after no certificates.
    async fn face(&self, front: Front, folder: PathBuf) {
        if let Some(edge) = self.edge.get() {
            edge.face(front, folder).await;
            if !*self.has_left.borrow() {
                edge.look_after_certificates();
            }
        }
    }

    /// Listens there from now on.
    async fn listen_at(&self, listen: &Listen, near: (u16, u16)) -> (Answer, Vec<OwnedFd>) {
        let Some(edge) = self.edge.get() else {
            let fault = Fault::Other("the edge has not begun".to_owned());
            return (Answer::Failed(fault), Vec::new());
        };
        let (moved, sockets) = edge.move_to(listen, near).await;
        let (ears, files) = ears_of(sockets);
        let fault = moved.err().map(Fault::from);
        (Answer::Listens(edge.listening(), ears, fault), files)
    }

    async fn certificates(&self) -> Vec<Certified> {
        match self.edge.get() {
            Some(edge) => edge.certificates().await,
            None => Vec::new(),
        }
    }

    async fn set(&self, targets: Vec<(String, Option<Target>)>) -> (Vec<Ear>, Vec<OwnedFd>, Vec<Fault>) {
        let Some(edge) = self.edge.get() else {
            let fault = Fault::Other("the edge has not begun".to_owned());
            return (Vec::new(), Vec::new(), vec![fault]);
        };
        // Those that have handed over still have requests that wait for an instance, and WebSockets of those that leave.
        for one in locked(&self.before).iter() {
            one.post(targets.clone());
        }
        let is_large = targets.len() >= LARGE;
        let (sockets, errors) = edge.set_and_tell(targets).await;
        if is_large {
            tokio::task::spawn_blocking(self.give_back_memory);
        }
        let (ears, files) = ears_of(sockets);
        (ears, files, errors.into_iter().map(Fault::from).collect())
    }

    async fn traffic(&self, targets: Vec<String>) -> HashMap<String, Traffic> {
        let mut all = HashMap::new();
        let Some(edge) = self.edge.get() else {
            return all;
        };
        for name in &targets {
            let traffic = edge.traffic(name);
            if traffic != Traffic::default() {
                all.insert(name.clone(), traffic);
            }
        }
        if *self.has_left.borrow() {
            return all;
        }
        self.ask_those_before(|one| {
            let targets = targets.clone();
            async move { drop(one.traffic(targets).await) }
        })
        .await;
        let (past, before) = self.counted_before();
        for one in before.iter() {
            for (name, traffic) in one.last_traffic() {
                if targets.contains(&name) {
                    add(all.entry(name).or_default(), traffic);
                }
            }
        }
        for (name, (requests, errors)) in &past.traffic {
            if targets.contains(name) {
                let traffic = all.entry(name.clone()).or_default();
                traffic.requests += requests;
                traffic.errors += errors;
            }
        }
        all
    }

    /// What has been seen here, and by those before us: counts go on where one edge follows another. One that is leaving
    /// tells of itself alone, for its successor adds the rest.
    async fn seen(&self) -> Snapshot {
        let Some(edge) = self.edge.get() else {
            return Snapshot::default();
        };
        let mut seen = edge.seen();
        if *self.has_left.borrow() {
            return seen;
        }
        self.ask_those_before(async |one| drop(one.seen().await)).await;
        let (past, before) = self.counted_before();
        let live = before.iter().filter(|one| !one.has_ended()).count();
        seen.running.before = u32::try_from(live).unwrap_or(u32::MAX);
        for one in before.iter() {
            seen.add(&one.last_seen());
        }
        if past.seen.began > 0 {
            seen.began = past.seen.began;
            seen.at += past.seen.at;
        }
        seen.add(&past.seen);
        seen
    }

    async fn leaves(&self, target: &str, instance: &str, within: Duration) {
        let before = locked(&self.before).clone().into_iter();
        let others: Vec<JoinHandle<()>> = before
            .map(|one| {
                let (target, instance) = (target.to_owned(), instance.to_owned());
                tokio::spawn(async move { one.has_left(&target, &instance, within).await })
            })
            .collect();
        if let Some(edge) = self.edge.get() {
            edge.has_left(target, instance, within).await;
        }
        for other in others {
            let _ = other.await;
        }
    }

    /// Asks all of those before us at once. What they answer is kept with each of them.
    async fn ask_those_before<A: Future<Output = ()> + Send + 'static>(
        &self,
        ask: impl Fn(Arc<Remote>) -> A,
    ) {
        let before = locked(&self.before).clone().into_iter();
        let asked: Vec<JoinHandle<()>> = before.map(|one| tokio::spawn(ask(one))).collect();
        for one in asked {
            let _ = one.await;
        }
    }

    /// What was counted by those who have gone, and those who have not: nobody is among both while this is held. They are
    /// locked in this order.
    pub(super) fn counted_before(&self) -> (MutexGuard<'_, Past>, MutexGuard<'_, Vec<Arc<Remote>>>) {
        let past = locked(&self.past);
        (past, locked(&self.before))
    }

    /// Takes note of what those have counted that have ended.
    fn bury(&self) {
        let (mut past, mut before) = self.counted_before();
        before.retain(|one| {
            if one.has_ended() {
                past.bury(one);
            }
            !one.has_ended()
        });
    }

    async fn is_stopped(&self) {
        // The sender lives as long as we do.
        let _ = self.stop.subscribe().wait_for(Option::is_some).await;
    }

    /// Waits until the folder has gone, and nobody who talks to us sees to it.
    async fn is_homeless(&self, folder: &Folder) {
        folder.gone().await;
        let _ = self.guests.subscribe().wait_for(|guests| *guests == 0).await;
    }

    /// Waits until somebody else has taken over and nothing is open any more.
    async fn is_done(&self) {
        let _ = self.has_left.subscribe().wait_for(|left| *left).await;
        if let Some(edge) = self.edge.get() {
            edge.is_empty().await;
        }
    }

    /// Waits until nobody looks after us, and nothing is left to serve. A steward that has died is followed by another one,
    /// as soon as a person asks for anything, and what serves meanwhile is what this process is for; but nobody may have
    /// meant to go on. So it goes on as long as an instance lives or somebody asks.
    async fn is_lonely(&self, folder: &Folder) {
        let mut guests = self.guests.subscribe();
        loop {
            let _ = guests.wait_for(|guests| *guests == 0).await;
            // Whoever has told it to begin may have died over that, and it has waited for its turn all the while.
            let Some(edge) = self.edge.get().filter(|edge| !edge.names().is_empty()) else {
                return;
            };
            if *self.has_left.borrow() {
                if timeout(ABANDONED, guests.wait_for(|guests| *guests > 0))
                    .await
                    .is_err()
                {
                    return;
                }
                continue;
            }
            let (mut looks, mut answered) = (0, edge.answered());
            while timeout(LOOK, guests.wait_for(|guests| *guests > 0))
                .await
                .is_err()
            {
                let is_asked = std::mem::replace(&mut answered, edge.answered()) != answered;
                looks = if is_asked || somebody_lives(edge).await {
                    0
                } else {
                    looks + 1
                };
                if looks == LOOKS || folder.is_gone() {
                    return;
                }
            }
        }
    }

    /// Ends what is open, as those who went before do.
    async fn end(&self) {
        let within = self.stop.borrow().unwrap_or(DRAIN);
        let is_leaving = *self.has_left.borrow();
        if let Some(hears) = locked(&self.hears).take() {
            hears.abort();
        }
        let before = std::mem::take(&mut *locked(&self.before));
        let stops = before
            .into_iter()
            .map(|one| tokio::spawn(async move { one.stop(within).await }));
        let stops: Vec<JoinHandle<()>> = stops.collect();
        if let Some(edge) = self.edge.get() {
            Arc::clone(edge).stop(within).await;
            self.say_last(edge).await;
            sockets::leave(&self.folder, is_leaving);
        }
        for stop in stops {
            let _ = stop.await;
        }
    }

    /// Says what was counted, to whoever goes on counting.
    async fn say_last(&self, edge: &Edge) {
        let names = edge.names().into_iter();
        let last = names.map(|(name, _)| (edge.traffic(&name), name));
        let last: HashMap<String, Traffic> = last.map(|(traffic, name)| (name, traffic)).collect();
        let message = told(0, Answer::Traffic(last));
        let seen = told(0, Answer::Seen(Box::new(edge.seen())));
        let guests = std::mem::take(&mut *locked(&self.told));
        for guest in guests {
            let _ = guest.send(Letter::new(&seen, Vec::new()));
            let (letter, is_sent) = Letter::awaited(&message);
            let _ = guest.send(letter);
            // It is sent by a task of its own; whoever does not read it has had the time to.
            let _ = timeout(KNOCK, is_sent).await;
        }
    }

    /// Hears whoever comes to the socket of the folder from now on.
    pub(super) fn listen(self: &Arc<House>) -> io::Result<()> {
        let listener = sockets::listen(&self.folder)?;
        self.hear_at(listener);
        Ok(())
    }

    pub(super) fn hear_at(self: &Arc<House>, listener: UnixListener) {
        let house = Arc::clone(self);
        let hears = tokio::spawn(async move {
            loop {
                match listener.accept().await {
                    Ok((stream, _)) if sockets::is_ours(&stream) => house.attend(stream),
                    Ok(_) => {}
                    // Too many files are open, or the like: it passes.
                    Err(_) => sleep(LOOK / 600).await,
                }
            }
        });
        if let Some(before) = locked(&self.hears).replace(hears) {
            before.abort();
        }
    }
}

fn add(all: &mut Traffic, more: Traffic) {
    all.requests += more.requests;
    all.errors += more.errors;
    all.active += more.active;
    all.quiet_for = match (all.quiet_for, more.quiet_for) {
        (Some(one), Some(other)) => Some(one.min(other)),
        (one, other) => one.or(other),
    };
}

/// Whether an instance takes a connection.
async fn somebody_lives(edge: &Edge) -> bool {
    for at in edge.addresses() {
        if matches!(timeout(KNOCK, TcpStream::connect(at)).await, Ok(Ok(_))) {
            return true;
        }
    }
    false
}

fn say_begun(begun: Result<(Listening, Vec<Socket>), EdgeError>, say: impl FnOnce(Answer, Vec<OwnedFd>)) {
    match begun {
        Ok((listening, sockets)) => {
            let (ears, files) = ears_of(sockets);
            say(Answer::Began(listening, ears), files);
        }
        Err(error) => say(Answer::Failed(Fault::from(error)), Vec::new()),
    }
}

pub(super) fn ears_of(sockets: Vec<Socket>) -> (Vec<Ear>, Vec<OwnedFd>) {
    sockets
        .into_iter()
        .map(|(entry, socket)| (Ear::from(entry), socket))
        .unzip()
}

pub(super) fn sockets_of(ears: Vec<Ear>, sockets: Vec<OwnedFd>) -> Vec<Socket> {
    ears.into_iter().map(Into::into).zip(sockets).collect()
}
