//! Asking instances how they are: one task with a heap of times, and a short task for each question under way.

use crate::core::Message;
use crate::door::memory::Handed;
use crate::door::{clock, listeners, processes};
use crate::dress::Dress;
use crate::fill::Filling;
use bytes::Bytes;
use http_body_util::Empty;
use hyper_util::rt::TokioIo;
use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use towpath_api::Tone;
use towpath_decide::converge::Well;
use towpath_decide::health::{Answers, Meaning, hear};
use towpath_decide::moving::Allowed;
use towpath_decide::tend::Fact;
use towpath_model::run::{Ask, Health, InstanceId};
use towpath_model::sealed::Sealed;
use towpath_resource::{Answer as Said, postgres, redis};

/// The most questions that are under way at a time: a thousand instances that start at once are asked in turn.
const MOST: usize = 64;

/// How soon it is tried again to do what could not be done to a resource. Somebody has to repair something first, so the
/// pause doubles each time; a file that is repaired is tried at once.
const FILL_AGAIN: Duration = Duration::from_secs(15);

/// So often the pause doubles: up to four minutes.
const MOST_DOUBLED: u32 = 4;

/// A question that is under way for so long hangs, and costs nothing any more but its socket: it does not count among those
/// that are under way, or sixty-four that hang would hold back the health of all others. An instance has one at most.
const SLOW: Duration = Duration::from_millis(250);

/// So many may hang without being counted: more would take the files that the steward may open.
const MOST_SLOW: usize = 1024;

/// What is asked of whom.
#[derive(Debug, Clone)]
pub(crate) struct Question {
    /// Of which instance.
    pub(crate) id: InstanceId,
    /// What, and how often.
    pub(crate) health: Arc<Health>,
    /// Where it listens.
    pub(crate) port: Option<u16>,
    /// Its first process.
    pub(crate) pid: u32,
    /// Where and with what a command runs.
    pub(crate) dir: PathBuf,
    /// The variables of a command.
    pub(crate) env: Arc<Dress>,
    /// What is to be done to a resource before it is well, and what opens it.
    pub(crate) filling: Option<Arc<Filling>>,
}

/// An order to the one who asks.
#[derive(Debug)]
enum Order {
    /// Asks from now on. Whatever was asked of it before is of a process that is no more.
    Begin(Question),
    /// Asks no more.
    End(InstanceId),
    /// Asks now, whenever it was asked last.
    Now(InstanceId),
    /// Some question hangs.
    Slow,
    /// There was an answer.
    Answer {
        /// Whose.
        id: InstanceId,
        /// Of which of its processes.
        round: u64,
        /// It hung before.
        was_slow: bool,
        /// What it is.
        answer: Result<(), String>,
    },
    /// What had to be done to a resource was done, or could not be.
    Filled(InstanceId, u64, Result<Option<Allowed>, String>),
}

/// How far a resource has come with what has to be done to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// It has not taken a request yet, or what was tried failed.
    Due,
    Underway,
    /// There is nothing to do, any more or at all.
    Done,
}

/// The one who asks.
#[derive(Debug, Clone)]
pub(crate) struct Asker(UnboundedSender<Order>);

#[derive(Debug)]
struct Asked {
    question: Question,
    answers: Answers,
    since: Instant,
    /// Which process is meant: answers of an earlier one do not count.
    round: u64,
    due: Option<Instant>,
    stage: Stage,
    /// How often in a row it could not be filled.
    failed: u32,
    /// Something waits until more may run than this.
    waits: Option<Allowed>,
}

impl Asker {
    /// Begins to ask; what is learned goes to `facts`.
    pub(crate) fn start(facts: UnboundedSender<Message>) -> Self {
        let (orders, inbox) = unbounded_channel();
        let own = orders.clone();
        tokio::spawn(run(inbox, own, facts));
        Asker(orders)
    }

    pub(crate) fn begin(&self, question: Question) {
        // That nobody asks any more means that we are ending.
        let _ = self.0.send(Order::Begin(question));
    }

    pub(crate) fn end(&self, id: InstanceId) {
        let _ = self.0.send(Order::End(id));
    }

    pub(crate) fn now(&self, id: InstanceId) {
        let _ = self.0.send(Order::Now(id));
    }
}

#[derive(Debug, Default)]
struct Book {
    asked: HashMap<InstanceId, Asked>,
    due: BinaryHeap<Reverse<(Instant, u64, InstanceId)>>,
    under_way: usize,
    /// How many of those hang.
    slow: usize,
    round: u64,
}

async fn run(
    mut inbox: UnboundedReceiver<Order>,
    own: UnboundedSender<Order>,
    facts: UnboundedSender<Message>,
) {
    let mut book = Book::default();
    loop {
        book.ask_due(&own);
        let next = book
            .due
            .peek()
            .map(|Reverse((at, ..))| *at)
            .filter(|_| !book.is_full());
        let order = match next {
            Some(at) => tokio::select! {
                biased;
                order = inbox.recv() => order,
                () = tokio::time::sleep_until(at.into()) => continue,
            },
            None => inbox.recv().await,
        };
        let Some(order) = order else {
            return;
        };
        if let Some(fact) = book.hear(order, &own, &facts) {
            let _ = facts.send(Message::Fact(fact));
        }
    }
}

impl Book {
    /// Whether nobody else can be asked before there is an answer.
    fn is_full(&self) -> bool {
        self.under_way - self.slow.min(MOST_SLOW) >= MOST
    }

    fn put(&mut self, id: &InstanceId, at: Instant) {
        if let Some(asked) = self.asked.get_mut(id) {
            asked.due = Some(at);
            self.due.push(Reverse((at, asked.round, id.clone())));
        }
    }

    /// Asks everybody whose time has come.
    fn ask_due(&mut self, own: &UnboundedSender<Order>) {
        let now = clock::now();
        while !self.is_full() {
            match self.due.peek() {
                Some(Reverse((at, ..))) if *at <= now => {}
                _ => return,
            }
            let Some(Reverse((at, round, id))) = self.due.pop() else {
                return;
            };
            // What was put off or given up meanwhile stands there still.
            let Some(asked) = self
                .asked
                .get_mut(&id)
                .filter(|asked| asked.round == round && asked.due == Some(at))
            else {
                continue;
            };
            asked.due = None;
            self.under_way += 1;
            let question = asked.question.clone();
            let own = own.clone();
            let is_first = !asked.answers.is_well();
            tokio::spawn(async move {
                let mut asking = std::pin::pin!(ask_well(&question, is_first));
                let soon = tokio::time::timeout(SLOW, &mut asking).await;
                let was_slow = soon.is_err();
                let answer = match soon {
                    Ok(answer) => answer,
                    Err(_) => {
                        // It only waits from here on, and others have their turn.
                        let _ = own.send(Order::Slow);
                        asking.await
                    }
                };
                let _ = own.send(Order::Answer {
                    id,
                    round,
                    was_slow,
                    answer,
                });
            });
        }
    }

    fn hear(
        &mut self,
        order: Order,
        own: &UnboundedSender<Order>,
        facts: &UnboundedSender<Message>,
    ) -> Option<Fact> {
        match order {
            Order::Begin(question) => {
                self.round += 1;
                let id = question.id.clone();
                let now = clock::now();
                let filling = question.filling.as_ref();
                let is_due = filling.is_some_and(|filling| filling.is_wanted());
                let asked = Asked {
                    stage: if is_due { Stage::Due } else { Stage::Done },
                    question,
                    answers: Answers::default(),
                    since: now,
                    round: self.round,
                    due: None,
                    failed: 0,
                    waits: None,
                };
                self.asked.insert(id.clone(), asked);
                self.put(&id, now);
                None
            }
            Order::End(id) => {
                self.asked.remove(&id);
                None
            }
            Order::Now(id) => {
                if self.asked.get(&id).is_some_and(|asked| asked.due.is_some()) {
                    self.put(&id, clock::now());
                }
                None
            }
            Order::Slow => {
                self.slow += 1;
                None
            }
            Order::Answer {
                id,
                round,
                was_slow,
                answer,
            } => {
                self.under_way -= 1;
                self.slow -= usize::from(was_slow);
                let asked = self.asked.get_mut(&id).filter(|asked| asked.round == round)?;
                asked.open();
                if answer.is_ok() && asked.stage != Stage::Done {
                    asked.fill(&id, own, facts);
                    return None;
                }
                let now = clock::now();
                let since = now.saturating_duration_since(asked.since);
                let (answers, meaning, pause) = hear(&asked.question.health, asked.answers, answer, since);
                asked.answers = answers;
                // A port that took a connection once is watched over by the edge and by its keeper.
                let enough = asked.question.health.ask == Ask::Port && answers.is_well();
                if !enough {
                    self.put(&id, now + pause);
                }
                let well = match meaning {
                    Meaning::Same => return None,
                    Meaning::Well => Well::Yes,
                    Meaning::Late(why) => Well::NotYet { late: Some(why) },
                    Meaning::Lost(why) => Well::Lost {
                        since: clock::today(),
                        why,
                    },
                };
                Some(Fact::Answered { id, well })
            }
            Order::Filled(id, round, done) => self.filled(id, round, done),
        }
    }

    /// A resource was filled, and is asked once more; or why it could not be.
    fn filled(&mut self, id: InstanceId, round: u64, done: Result<Option<Allowed>, String>) -> Option<Fact> {
        let asked = self.asked.get_mut(&id).filter(|asked| asked.round == round)?;
        asked.stage = if done.is_ok() { Stage::Done } else { Stage::Due };
        let why = match done {
            Ok(waits) => {
                asked.failed = 0;
                asked.waits = waits;
                self.put(&id, clock::now());
                return None;
            }
            Err(why) => why,
        };
        let pause = FILL_AGAIN * (1 << asked.failed.min(MOST_DOUBLED));
        asked.failed += 1;
        self.put(&id, clock::now() + pause);
        let well = Well::Unfilled(why);
        Some(Fact::Answered { id, well })
    }
}

impl Asked {
    /// Where something waits and a window has opened, there is something to do again. It is well meanwhile.
    fn open(&mut self) {
        let filling = self.question.filling.as_ref();
        let changed = |was: &Allowed| filling.is_some_and(|one| one.allowed(false).as_ref() != Some(was));
        if self.stage == Stage::Done && self.waits.as_ref().is_some_and(changed) {
            self.stage = Stage::Due;
        }
    }

    /// A resource has taken a request: what has to be done to it is done now, however long that takes.
    fn fill(&mut self, id: &InstanceId, own: &UnboundedSender<Order>, facts: &UnboundedSender<Message>) {
        if std::mem::replace(&mut self.stage, Stage::Underway) == Stage::Underway {
            return;
        }
        let Some(filling) = self.question.filling.clone() else {
            return;
        };
        let (own, facts, id, round) = (own.clone(), facts.clone(), id.clone(), self.round);
        tokio::spawn(async move {
            let name = id.component.clone();
            let mut tell = |line: &str| {
                let _ = facts.send(Message::Note(Tone::Note, format!("{name}: {line}")));
            };
            let done = filling.fill(&mut tell).await;
            let _ = own.send(Order::Filled(id, round, done));
        });
    }
}

/// Asks once, and at the first time whether it was the instance itself that has answered.
async fn ask_well(question: &Question, is_first: bool) -> Result<(), String> {
    match ask(question).await {
        Ok(()) if is_first => is_its_own(question).await,
        answer => answer,
    }
}

/// Whether the instance itself has answered. Somebody else may have taken its port while it started, and is no sign of its
/// health; after that the port is the instance's, and nobody takes it.
async fn is_its_own(question: &Question) -> Result<(), String> {
    let (Ask::Port | Ask::Path(_), Some(port)) = (&question.health.ask, question.port) else {
        return Ok(());
    };
    let pid = question.pid;
    let looked = tokio::task::spawn_blocking(move || listeners::stranger(port, pid));
    // What cannot be looked at is believed.
    looked.await.ok().flatten().map_or(Ok(()), Err)
}

/// Asks once. The answer, or why there was none, in words that stand behind the component's name.
async fn ask(question: &Question) -> Result<(), String> {
    let timeout = question.health.timeout.to_std();
    let answer = async {
        match (&question.health.ask, question.port) {
            (Ask::Runs, _) | (Ask::Port | Ask::Path(_) | Ask::Postgres { .. } | Ask::Redis, None) => Ok(()),
            (Ask::Postgres { user, database }, Some(port)) => {
                let question = postgres::ask(user, database);
                say(port, &question, postgres::judge).await
            }
            (Ask::Redis, Some(port)) => {
                let nobody = Sealed::new(String::new());
                let filling = question.filling.as_ref();
                let password = filling.map_or(&nobody, |filling| filling.password());
                say(port, redis::ask(password).open(), redis::judge).await
            }
            (Ask::Port, Some(port)) => connect(port).await.map(|_| ()),
            (Ask::Path(path), Some(port)) => get(port, path).await,
            (Ask::Command(command), _) => match run_command(command, question).await {
                Ok(status) if status.success() => Ok(()),
                Ok(status) => Err(format!("`{command}` ended with {status}")),
                Err(error) => Err(format!("`{command}` could not be started: {error}")),
            },
        }
    };
    match tokio::time::timeout(timeout, answer).await {
        Ok(answer) => answer,
        Err(_) => Err(format!("no answer within {}", spoken(timeout))),
    }
}

/// Runs a command as the component itself would, with its files for as long as it runs.
async fn run_command(command: &str, question: &Question) -> std::io::Result<std::process::ExitStatus> {
    let (env, files) = &*question.env;
    let handed = Handed::new(files)?;
    processes::ask(command, &question.dir, &handed.with(env)).await
}

fn spoken(time: Duration) -> String {
    towpath_model::unit::Duration::from_millis(u64::try_from(time.as_millis()).unwrap_or(u64::MAX))
        .to_string()
}

async fn connect(port: u16) -> Result<TcpStream, String> {
    TcpStream::connect(SocketAddr::from((Ipv4Addr::LOCALHOST, port)))
        .await
        .map_err(|error| match error.kind() {
            std::io::ErrorKind::ConnectionRefused => format!("nobody listens on port {port}"),
            _ => format!("port {port} cannot be reached: {error}"),
        })
}

/// Says something to a resource, and judges what comes.
async fn say(port: u16, question: &[u8], judge: impl Fn(&[u8]) -> Said) -> Result<(), String> {
    let mut stream = connect(port).await?;
    let broken = |error: std::io::Error| format!("port {port} answers no more: {error}");
    stream.write_all(question).await.map_err(broken)?;
    let mut heard = Vec::new();
    loop {
        let read = stream.read_buf(&mut heard).await.map_err(broken)?;
        match judge(&heard) {
            Said::Ready => return Ok(()),
            Said::Starting => return Err("it is starting, and takes no requests yet".to_owned()),
            Said::Strange(why) => return Err(why),
            Said::Unfinished if read == 0 => return Err("it hung up without an answer".to_owned()),
            Said::Unfinished => {}
        }
    }
}

async fn get(port: u16, path: &str) -> Result<(), String> {
    let stream = connect(port).await?;
    let broken = |error: hyper::Error| format!("GET {path} was not answered: {error}");
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream))
        .await
        .map_err(broken)?;
    let connection = tokio::spawn(connection);
    let request = http::Request::get(path)
        .header(http::header::HOST, format!("127.0.0.1:{port}"))
        .header(http::header::USER_AGENT, "towpath-health")
        .header(http::header::CONNECTION, "close")
        .body(Empty::<Bytes>::new())
        .map_err(|error| format!("GET {path} cannot be asked: {error}"))?;
    let answer = sender.send_request(request).await.map_err(broken);
    connection.abort();
    let status = answer?.status();
    if status.is_success() || status.is_redirection() {
        Ok(())
    } else {
        Err(format!("GET {path} answered {status}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use towpath_model::unit::known;

    fn question(name: &str, number: u64, port: u16) -> Question {
        let health = Health {
            ask: Ask::Path("/".to_owned()),
            interval: known("1s"),
            timeout: known("1h"),
            deadline: known("1h"),
        };
        Question {
            filling: None,
            id: InstanceId::new(&known(name), number),
            health: Arc::new(health),
            port: Some(port),
            pid: std::process::id(),
            dir: PathBuf::new(),
            env: Arc::default(),
        }
    }

    #[tokio::test]
    async fn many_that_hang_do_not_hold_back_the_others() {
        // It never answers: the system itself takes the connections.
        let hangs = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("there is a port");
        let port = hangs.local_addr().expect("it has a port").port();
        let answers = tokio::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
            .await
            .expect("there is a port");
        let well = answers.local_addr().expect("it has a port").port();
        let (facts, mut learned) = unbounded_channel();
        let asker = Asker::start(facts);
        for number in 1..=MOST as u64 {
            asker.begin(question("hangs", number, port));
        }
        asker.begin(question("well", 1, well));
        let answering = async {
            let (mut stream, _) = answers.accept().await.expect("it is asked");
            let answer = b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n";
            tokio::io::AsyncWriteExt::write_all(&mut stream, answer)
                .await
                .expect("it listens");
            stream
        };
        let bound = Duration::from_secs(30);
        let _open = tokio::time::timeout(bound, answering)
            .await
            .expect("it is asked in time");
        let fact = tokio::time::timeout(bound, learned.recv())
            .await
            .expect("it is heard");
        let Some(Message::Fact(Fact::Answered { id, well: Well::Yes })) = fact else {
            panic!("{fact:?}");
        };
        assert_eq!(id.component.as_str(), "well");
    }
}
