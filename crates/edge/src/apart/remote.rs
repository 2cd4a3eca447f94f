//! An edge that is a process of its own, as whoever sets its targets sees it.

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::net::UnixStream;
use tokio::sync::mpsc::error::SendError;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::sync::{oneshot, watch};
use tokio::task::JoinHandle;
use tokio::time::timeout;
use towpath_model::run::{Certified, Front, Listen};
use towpath_model::sealed::Sealed;

use super::house::locked;
use super::line::{Letter, receive, send};
use super::wire::{Answer, Asked, Ear, Estate, Here, Request, Told, Values};
use crate::door::sockets;
use crate::{Config, EdgeError, Event, Listening, Snapshot, Target, Traffic};

/// An edge answers in a millisecond. One that has not answered for so long never will, and is ended: another one takes its
/// place on the same sockets.
const ANSWERS: Duration = Duration::from_secs(15);

/// What an edge may take for its end beyond what is open in it.
const LAST_WORDS: Duration = Duration::from_secs(3);

type Waiting = HashMap<u64, oneshot::Sender<(Answer, Vec<OwnedFd>)>>;

/// An edge that is a process of its own.
pub struct Remote {
    line: Arc<Line>,
    here: Mutex<Here>,
    held: Mutex<Held>,
    reads: JoinHandle<()>,
    is_over: watch::Receiver<bool>,
}

/// A line to an edge, with what is asked over it.
struct Line {
    letters: UnboundedSender<Letter>,
    /// Nothing once the line is over.
    waiting: Mutex<Option<Waiting>>,
    next: AtomicU64,
    /// Answers are kept as last words are.
    keeps: AtomicBool,
    /// What it has counted for each target, as it said when it ended; before that, when it was asked last.
    last: Mutex<HashMap<String, Traffic>>,
    /// What it has seen, as it said when it ended; before that, when it was asked last.
    last_seen: Mutex<Snapshot>,
}

impl Line {
    /// A number for a question.
    fn number(&self) -> u64 {
        self.next.fetch_add(1, Ordering::Relaxed)
    }

    /// Says something, if anybody is there to hear it.
    fn say(&self, number: u64, what: Request, files: Vec<OwnedFd>) -> Result<(), SendError<Letter>> {
        self.letters.send(Letter::new(&Asked { number, what }, files))
    }
}

/// The sockets that an edge listens on, once more: while somebody holds them, whoever connects waits in the queue of the
/// system though that edge has died.
#[derive(Debug, Default)]
pub struct Held {
    outside: Vec<(Ear, OwnedFd)>,
    inside: HashMap<u16, OwnedFd>,
    ports: HashMap<String, u16>,
}

impl Held {
    fn take_in(&mut self, ears: Vec<Ear>, sockets: Vec<OwnedFd>) {
        for (ear, socket) in ears.into_iter().zip(sockets) {
            match ear {
                Ear::Inside(port) => drop(self.inside.insert(port, socket)),
                _ => self.outside.push((ear, socket)),
            }
        }
    }

    /// What is not held here any more is free when the edge lets go of it.
    fn set(&mut self, name: &str, port: Option<u16>) {
        let before = match port {
            Some(port) => self.ports.insert(name.to_owned(), port),
            None => self.ports.remove(name),
        };
        if let Some(before) = before.filter(|before| Some(*before) != port) {
            self.inside.remove(&before);
        }
    }

    fn all(self) -> (Vec<Ear>, Vec<OwnedFd>) {
        let inside = self.inside.into_iter();
        let inside = inside.map(|(port, socket)| (Ear::Inside(port), socket));
        self.outside.into_iter().chain(inside).unzip()
    }
}

impl Remote {
    /// The edge of a state folder; nothing where there is none. What happens is told to `events`.
    pub async fn connect(folder: &Path, events: UnboundedSender<Event>) -> Result<Option<Remote>, EdgeError> {
        let stream = sockets::connect(folder)
            .await
            .map_err(|error| EdgeError::Apart(format!("the edge cannot be reached: {error}")))?;
        match stream {
            // One that is about to end takes a question and never answers it.
            Some(stream) => Ok(Remote::over(stream, events).await.ok()),
            None => Ok(None),
        }
    }

    /// An edge that was just started, with the other end of this socket as its standard input.
    pub async fn hatched(socket: OwnedFd, events: UnboundedSender<Event>) -> Result<Remote, EdgeError> {
        let stream = sockets::stream(socket).map_err(|error| gone(&error))?;
        Remote::over(stream, events).await
    }

    /// Whether an edge is there that serves, or one that only ends what it has begun.
    pub async fn is_there(folder: &Path) -> bool {
        let serving = sockets::connect(folder).await;
        serving.is_ok_and(|serving| serving.is_some()) || !sockets::connect_leaving(folder).await.is_empty()
    }

    pub(super) async fn over(
        stream: UnixStream,
        events: UnboundedSender<Event>,
    ) -> Result<Remote, EdgeError> {
        let (letters, to_send) = unbounded_channel();
        let (over, is_over) = watch::channel(false);
        let line = Arc::new(Line {
            letters,
            waiting: Mutex::new(Some(Waiting::new())),
            next: AtomicU64::new(1),
            keeps: AtomicBool::new(false),
            last: Mutex::default(),
            last_seen: Mutex::default(),
        });
        let stream = Arc::new(stream);
        tokio::spawn(write(Arc::clone(&stream), to_send));
        let reads = tokio::spawn(read(stream, Arc::clone(&line), events, over));
        let remote = Remote {
            line,
            here: Mutex::default(),
            held: Mutex::default(),
            reads,
            is_over,
        };
        let (answer, sockets) = remote.ask(Request::Hello, ANSWERS).await?;
        let Answer::Here(mut here) = answer else {
            return Err(unexpected());
        };
        let mut held = Held::default();
        held.take_in(std::mem::take(&mut here.ears), sockets);
        let ports = here.targets.iter();
        held.ports = ports
            .filter_map(|(name, port)| Some((name.clone(), (*port)?)))
            .collect();
        *locked(&remote.held) = held;
        *locked(&remote.here) = *here;
        Ok(remote)
    }

    /// Its process.
    pub fn process(&self) -> u32 {
        locked(&self.here).process
    }

    /// Whether it is the same program as this process.
    pub fn is_ours(&self) -> bool {
        locked(&self.here).program == sockets::program()
    }

    /// Where it listens; nothing before it has begun to.
    pub fn listening(&self) -> Option<Listening> {
        let here = locked(&self.here);
        here.began.as_ref().map(|(_, listening)| listening.clone())
    }

    /// What it was begun with.
    pub fn config(&self) -> Option<Config> {
        locked(&self.here)
            .began
            .as_ref()
            .map(|(config, _)| config.clone())
    }

    /// The targets that it had when we came.
    pub fn targets(&self) -> Vec<String> {
        let here = locked(&self.here);
        here.targets.iter().map(|(name, _)| name.clone()).collect()
    }

    /// Has it listen, on these sockets where there are any.
    pub async fn begin(&self, config: Config, held: Held) -> Result<Listening, EdgeError> {
        let (ears, sockets) = held.all();
        let what = Request::Begin(config.clone(), ears);
        let answer = self.ask_with(what, sockets, ANSWERS).await?;
        self.has_begun(config, answer)
    }

    /// Has it listen there from now on, and nowhere else; free ports are looked for from these upwards. What is open stays open.
    pub async fn listen(&self, listen: &Listen, near: (u16, u16)) -> Result<Listening, EdgeError> {
        // An address cannot be exchanged for all of them while somebody holds it.
        locked(&self.held).outside.clear();
        match self.ask(Request::Listen(listen.clone(), near), ANSWERS).await? {
            (Answer::Listens(listening, ears, fault), sockets) => {
                locked(&self.held).take_in(ears, sockets);
                if let Some((config, known)) = &mut locked(&self.here).began {
                    known.clone_from(&listening);
                    if fault.is_none() {
                        config.listen.clone_from(listen);
                    }
                }
                fault.map_or(Ok(listening), |fault| Err(fault.into()))
            }
            (Answer::Failed(fault), _) => Err(fault.into()),
            _ => Err(unexpected()),
        }
    }

    /// Has it take over from the one that serves.
    pub async fn succeed(&self, config: Config) -> Result<Listening, EdgeError> {
        let answer = self.ask(Request::Succeed, ANSWERS).await?;
        self.has_begun(config, answer)
    }

    fn has_begun(
        &self,
        config: Config,
        (answer, sockets): (Answer, Vec<OwnedFd>),
    ) -> Result<Listening, EdgeError> {
        match answer {
            Answer::Began(listening, ears) => {
                locked(&self.held).take_in(ears, sockets);
                locked(&self.here).began = Some((config, listening.clone()));
                Ok(listening)
            }
            Answer::Failed(fault) => Err(fault.into()),
            _ => Err(unexpected()),
        }
    }

    /// Sets targets, as an edge in the same process does.
    pub async fn set(&self, targets: Vec<(String, Option<Target>)>) -> Result<(), Vec<EdgeError>> {
        {
            let mut held = locked(&self.held);
            for (name, target) in &targets {
                held.set(name, target.as_ref().and_then(|target| target.inside));
            }
        }
        let answered = self.ask(Request::Set(targets), ANSWERS).await;
        match answered.map_err(|error| vec![error])? {
            (Answer::Set(ears, faults), sockets) => {
                locked(&self.held).take_in(ears, sockets);
                let errors: Vec<EdgeError> = faults.into_iter().map(EdgeError::from).collect();
                if errors.is_empty() { Ok(()) } else { Err(errors) }
            }
            _ => Err(vec![unexpected()]),
        }
    }

    /// Sets targets as those were set that are asked after this; nobody waits for it.
    pub(super) fn post(&self, targets: Vec<(String, Option<Target>)>) {
        // Where nobody hears it any more, nothing is open there.
        let _ = self
            .line
            .say(self.line.number(), Request::Set(targets), Vec::new());
    }

    /// Waits until an instance has nothing open any more, as an edge in the same process does.
    pub async fn has_left(&self, target: &str, instance: &str, within: Duration) {
        let what = Request::HasLeft {
            target: target.to_owned(),
            instance: instance.to_owned(),
            within,
        };
        // Where it has gone, nothing is open any more.
        let _ = self.put(what, Vec::new(), within + ANSWERS).await;
    }

    /// Lets it know the values that sign-ins are checked with, in place of those that it knew.
    pub async fn know(&self, values: &BTreeMap<String, Sealed<String>>) {
        // One that has ended is followed by another, which is told, too.
        let _ = self.ask(Request::Know(Values(values.clone())), ANSWERS).await;
    }

    /// Has it show this page to browsers for what cannot be answered. One of an earlier version, which has none, is not asked.
    pub async fn show(&self, page: Option<&str>) {
        if self.is_ours() {
            let _ = self.ask(Request::Show(page.map(str::to_owned)), ANSWERS).await;
        }
    }

    /// Sets what holds in front of everything, as an edge in the same process does, and has it look after the certificates.
    pub async fn face(&self, front: Front, folder: PathBuf) {
        // One that has ended is followed by another, which is told, too.
        let _ = self.ask(Request::Face(Box::new(front), folder), ANSWERS).await;
    }

    /// How the certificate of each domain is.
    pub async fn certificates(&self) -> Vec<Certified> {
        match self.ask(Request::Certificates, ANSWERS).await {
            Ok((Answer::Certificates(told), _)) => told,
            _ => Vec::new(),
        }
    }

    /// What it has seen of requests since it began.
    pub async fn seen(&self) -> Snapshot {
        match self.ask(Request::Seen, ANSWERS).await {
            Ok((Answer::Seen(seen), _)) => *seen,
            _ => Snapshot::default(),
        }
    }

    /// What has come through for these targets. Of those for which nothing has, nothing is said.
    pub async fn traffic(&self, targets: Vec<String>) -> HashMap<String, Traffic> {
        match self.ask(Request::Traffic(targets), ANSWERS).await {
            Ok((Answer::Traffic(traffic), _)) => traffic,
            _ => HashMap::new(),
        }
    }

    /// Has it take no more connections, and waits until it has ended, which it does when what is open has ended, or then.
    pub async fn stop(&self, within: Duration) {
        // While these are held, somebody could still connect, and nobody would answer.
        drop(self.sockets());
        let _ = self
            .line
            .say(self.line.number(), Request::Stop(within), Vec::new());
        if timeout(within + LAST_WORDS, self.ended()).await.is_err() {
            sockets::kill(self.process());
            let _ = timeout(LAST_WORDS, self.ended()).await;
        }
    }

    /// The sockets that it listens on. They are not held here any more.
    pub fn sockets(&self) -> Held {
        std::mem::take(&mut *locked(&self.held))
    }

    /// Everything that a successor needs, with its lock and its sockets.
    pub(super) async fn estate(&self) -> Result<(Estate, Vec<Ear>, Vec<OwnedFd>), EdgeError> {
        match self.ask(Request::HandOver, ANSWERS).await? {
            (Answer::Estate(estate, ears), files) => Ok((*estate, ears, files)),
            (Answer::Failed(fault), _) => Err(fault.into()),
            _ => Err(unexpected()),
        }
    }

    /// Tells it that its successor takes connections.
    pub(super) async fn is_succeeded(&self) -> Result<(), EdgeError> {
        self.ask(Request::Taken, ANSWERS).await.map(drop)
    }

    /// Waits until it has ended.
    pub(super) async fn ended(&self) {
        // That the other end has gone says the same.
        let _ = self.is_over.clone().wait_for(|over| *over).await;
    }

    /// Whether it has ended.
    pub fn has_ended(&self) -> bool {
        *self.is_over.borrow()
    }

    /// What it has counted, as it said last: what was told once is never taken back, though it be killed. Nothing is open
    /// in one that has ended.
    pub(super) fn last_traffic(&self) -> HashMap<String, Traffic> {
        let mut last = locked(&self.line.last).clone();
        if self.has_ended() {
            for traffic in last.values_mut() {
                (traffic.active, traffic.quiet_for) = (0, None);
            }
        }
        last
    }

    /// What it has seen, in the same way.
    pub(super) fn last_seen(&self) -> Snapshot {
        let last = locked(&self.line.last_seen).clone();
        if self.has_ended() { last.ended() } else { last }
    }

    /// Keeps from now on what it says of itself when it is asked, and not its last words alone.
    pub(super) fn keep(&self) {
        self.line.keeps.store(true, Ordering::Relaxed);
    }

    async fn ask(&self, what: Request, within: Duration) -> Result<(Answer, Vec<OwnedFd>), EdgeError> {
        self.ask_with(what, Vec::new(), within).await
    }

    async fn ask_with(
        &self,
        what: Request,
        files: Vec<OwnedFd>,
        within: Duration,
    ) -> Result<(Answer, Vec<OwnedFd>), EdgeError> {
        match self.put(what, files, within).await {
            Ok(answer) => Ok(answer),
            Err(silent) => {
                if silent {
                    sockets::kill(self.process());
                }
                Err(EdgeError::Apart("the edge has ended".to_owned()))
            }
        }
    }

    /// Asks; where there is no answer, whether that is because time has run out.
    async fn put(
        &self,
        what: Request,
        files: Vec<OwnedFd>,
        within: Duration,
    ) -> Result<(Answer, Vec<OwnedFd>), bool> {
        let number = self.line.number();
        let (answer, answered) = oneshot::channel();
        match &mut *locked(&self.line.waiting) {
            Some(waiting) => drop(waiting.insert(number, answer)),
            None => return Err(false),
        }
        self.line.say(number, what, files).map_err(|_| false)?;
        match timeout(within, answered).await {
            Ok(answered) => answered.map_err(|_| false),
            Err(_) => Err(true),
        }
    }
}

fn gone(error: &io::Error) -> EdgeError {
    EdgeError::Apart(format!("the edge cannot be reached: {error}"))
}

fn unexpected() -> EdgeError {
    EdgeError::Apart("the edge answers something else than was asked".to_owned())
}

/// Sends what is to be said, until nobody says anything any more.
pub(super) async fn write(stream: Arc<UnixStream>, mut letters: UnboundedReceiver<Letter>) {
    while let Some(letter) = letters.recv().await {
        if send(&stream, &letter).await.is_err() {
            return;
        }
    }
    // Whoever reads on the other side learns of the end though we may still read here.
    let _ = rustix::net::shutdown(stream.as_fd(), rustix::net::Shutdown::Write);
}

/// Hands on what is told, until nothing is any more.
async fn read(
    stream: Arc<UnixStream>,
    line: Arc<Line>,
    events: UnboundedSender<Event>,
    over: watch::Sender<bool>,
) {
    while let Ok(Some((told, files))) = receive::<Told>(&stream).await {
        match (told.number, told.what) {
            (0, Answer::Event(event)) => drop(events.send(event)),
            (0, Answer::Traffic(last)) => *locked(&line.last) = last,
            (0, Answer::Seen(last)) => *locked(&line.last_seen) = *last,
            (number, answer) => {
                // Here, where everything comes in the order in which it was said: an answer never takes the place of last words.
                let keeps = line.keeps.load(Ordering::Relaxed);
                match &answer {
                    Answer::Traffic(told) if keeps => locked(&line.last).extend(told.clone()),
                    Answer::Seen(told) if keeps => locked(&line.last_seen).clone_from(told),
                    _ => {}
                }
                let asked = locked(&line.waiting).as_mut().and_then(|all| all.remove(&number));
                // Whoever does not wait for it any more needs no answer.
                if let Some(asked) = asked {
                    let _ = asked.send((answer, files));
                }
            }
        }
    }
    *locked(&line.waiting) = None;
    over.send_replace(true);
    let _ = events.send(Event::Ended);
}

impl Drop for Remote {
    fn drop(&mut self) {
        // Whoever lets go of it knows that: nothing is told of it any more.
        self.reads.abort();
    }
}

impl fmt::Debug for Remote {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Remote")
            .field("here", &*locked(&self.here))
            .finish_non_exhaustive()
    }
}
