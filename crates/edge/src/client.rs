//! Connections to instances.
//!
//! Each instance has a small store of connections that are idle. One is taken for a request and comes back when the answer
//! has ended. A connection that its instance has closed meanwhile is found out when it is taken. Nothing is kept for an
//! instance that has not been asked anything.

mod gate;
mod idle;
pub(crate) mod inward;
mod link;
mod outward;

use std::error::Error;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Mutex, OnceLock, PoisonError};
use std::time::Duration;

use http::{Method, Response};
use hyper::body::Incoming;
use hyper::client::conn::http2;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use rustix::io::Errno;
use tokio::net::TcpStream;
use tokio::sync::Notify;
use tokio::time::timeout;

use crate::answered::Answered;
use crate::balance;
use crate::door::clock;
use crate::leave::{Guest, Leave, Leaves};
use crate::pulse::Pulse;
use crate::queue::Queue;
use crate::sent::{Outgoing, Sent};

pub(crate) use gate::Most;
use gate::{Gate, Inside};
pub(crate) use idle::Idle;
pub(crate) use link::Changed;
use link::{Link, NoHead};
pub(crate) use outward::{Framing, line};

/// On this machine a connection is there at once or never; only an instance whose queue is full lets one wait.
const CONNECT: Duration = Duration::from_secs(5);

/// How many idle connections are kept for an instance.
const KEPT: usize = 64;

/// A request that must not be sent twice takes no connection that has been idle for longer: servers close idle connections
/// after some seconds, and one that is just being closed would lose it.
const FRESH: u64 = 1_000;

/// An instance that is ready.
#[derive(Debug)]
pub(crate) struct Instance {
    pub(crate) id: String,
    pub(crate) at: SocketAddr,
    /// By which a visitor's cookie names it.
    pub(crate) mark: u64,
    grpc: bool,
    /// The release that it belongs to, once one is known. It is never of another one.
    release: OnceLock<Arc<str>>,
    pub(crate) pulse: Pulse,
    /// Those who wait until it has room.
    queue: Arc<Queue>,
    open: AtomicUsize,
    /// How many of them it may have before an answer begins, where that is found out.
    gate: Gate,
    told: AtomicU64,
    idle: Mutex<Vec<(u64, Sender)>>,
    /// Its idle connections are looked at.
    watched: AtomicBool,
    pub(crate) leave: Leave,
    /// Rings when the last of what an instance that leaves has open is closed.
    pub(crate) empty: Notify,
}

impl Leaves for Instance {
    fn leave(&self) -> &Leave {
        &self.leave
    }
}

#[derive(Debug)]
enum Sender {
    Single(Box<Link>),
    Shared(http2::SendRequest<Sent>),
}

/// Why a request was not answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Failed {
    /// It has not been sent.
    Unreachable,
    /// It has not been sent either, and that is nobody's fault but ours: this machine has no room for a connection.
    Exhausted(Errno),
    /// It may have arrived; no byte of an answer has come.
    Broken,
    /// It has arrived, and was given back untouched: nothing was done for it (RFC 9113, 8.7).
    Refused(Back),
    /// An answer has begun that is none.
    Garbled,
}

/// By what a request was given back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Back {
    /// Its connection takes no more. Servers let no connection grow old, and another one may do.
    Connection,
    /// The instance takes no more.
    Instance,
}

impl Instance {
    pub(crate) fn new(id: String, at: SocketAddr, grpc: bool, queue: &Arc<Queue>) -> Instance {
        Instance {
            mark: balance::mark(&id),
            id,
            at,
            grpc,
            release: OnceLock::new(),
            pulse: Pulse::default(),
            queue: Arc::clone(queue),
            open: AtomicUsize::new(0),
            gate: Gate::new(),
            told: AtomicU64::new(0),
            idle: Mutex::default(),
            watched: AtomicBool::new(false),
            leave: Leave::new(),
            empty: Notify::new(),
        }
    }

    pub(crate) fn is(&self, id: &str, at: SocketAddr, grpc: bool) -> bool {
        self.id == id && self.at == at && self.grpc == grpc
    }

    /// It belongs to this release, unless it belongs to one already.
    pub(crate) fn belongs_to(&self, release: &Arc<str>) {
        self.release.get_or_init(|| Arc::clone(release));
    }

    /// The release that it belongs to, as far as one is known.
    pub(crate) fn release(&self) -> Option<&Arc<str>> {
        self.release.get()
    }

    /// How many requests and connections it has open.
    pub(crate) fn open(&self) -> usize {
        self.open.load(Ordering::Relaxed)
    }

    /// Whether so many milliseconds have passed since this last said yes.
    pub(crate) fn is_due_to_be_told(&self, each: u64) -> bool {
        let now = clock::millis();
        let told = self.told.load(Ordering::Relaxed);
        (told == 0 || now.saturating_sub(told) >= each)
            && self
                .told
                .compare_exchange(told, now, Ordering::Relaxed, Ordering::Relaxed)
                .is_ok()
    }

    /// Counts something that is open, until it is dropped; nothing where that makes more than may be.
    pub(crate) fn busy(self: &Arc<Instance>, most: Most) -> Option<Busy> {
        let mut inside = None;
        match most {
            Most::All => drop(self.open.fetch_add(1, Ordering::Relaxed)),
            Most::Said(most) => {
                let more = |open: usize| (open < most as usize).then_some(open + 1);
                self.open
                    .fetch_update(Ordering::Relaxed, Ordering::Relaxed, more)
                    .ok()?;
            }
            Most::Found => {
                inside = Some(self.gate.enters()?);
                self.open.fetch_add(1, Ordering::Relaxed);
            }
        }
        let instance = Arc::clone(self);
        Some(Busy { instance, inside })
    }

    /// Whether it has as much open as it may.
    pub(crate) fn is_full(&self, most: Most) -> bool {
        match most {
            Most::All => false,
            Most::Said(most) => self.open() >= most as usize,
            Most::Found => self.gate.is_full(),
        }
    }

    /// How many it is given at once, whether it is certain that no more can be, and how long an answer takes.
    pub(crate) fn room(&self, most: Most, now: u64) -> (usize, bool, Duration) {
        match most {
            Most::Found => self.gate.room(),
            Most::All => (usize::MAX, false, Duration::ZERO),
            Most::Said(most) => (most as usize, true, Duration::from_micros(self.pulse.micros(now))),
        }
    }

    /// Why it is given no more, in words.
    pub(crate) fn why_full(&self, most: Most) -> String {
        match most {
            Most::Said(most) => format!("{most} are open at each instance, which is its `hard` limit"),
            _ => self.gate.why(),
        }
    }

    /// Somebody waits because it has as much as it may. What it may is looked at from now on, until nobody waits.
    pub(crate) fn is_waited_for(self: &Arc<Instance>) {
        if self.gate.is_waited_for() {
            tokio::spawn(Gate::watch(Arc::downgrade(self)));
        }
    }

    /// So many more may come in.
    fn calls(&self, count: usize) {
        for _ in 0..count.min(self.queue.len()) {
            self.queue.call(&self.release.get().cloned());
        }
    }

    /// A connection to it.
    pub(crate) async fn connect(&self) -> std::io::Result<TcpStream> {
        let stream = timeout(CONNECT, TcpStream::connect(self.at))
            .await
            .map_err(|_| std::io::Error::from(std::io::ErrorKind::TimedOut))??;
        stream.set_nodelay(true)?;
        Ok(stream)
    }

    fn idle(&self) -> std::sync::MutexGuard<'_, Vec<(u64, Sender)>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The connection that became idle last, if it is still there.
    async fn take(&self, must_be_fresh: bool) -> Option<Sender> {
        loop {
            let (since, mut sender) = {
                let mut idle = self.idle();
                let (since, sender) = idle.pop()?;
                if let Sender::Shared(shared) = &sender {
                    let copy = Sender::Shared(shared.clone());
                    idle.push((clock::millis(), copy));
                }
                (since, sender)
            };
            let is_old = must_be_fresh && clock::millis().saturating_sub(since) > FRESH;
            let is_shared = matches!(sender, Sender::Shared(_));
            if is_old && !is_shared {
                // Those below have been idle for even longer.
                self.idle().clear();
                return None;
            }
            if sender.is_ready().await {
                return Some(sender);
            }
            if is_shared {
                self.idle().clear();
            }
        }
    }

    async fn open_new(&self, idle: &Idle) -> std::io::Result<Sender> {
        let stream = match self.connect().await {
            // What others have idle may be had again; what is asked for now cannot wait.
            Err(error) if lack(&error).is_some() && idle.close() => self.connect().await?,
            stream => stream?,
        };
        let failed = |error: hyper::Error| std::io::Error::other(error);
        if self.grpc {
            let (sender, connection) = http2::Builder::new(TokioExecutor::new())
                .timer(TokioTimer::new())
                .handshake(TokioIo::new(stream))
                .await
                .map_err(failed)?;
            tokio::spawn(connection);
            // One is enough for all requests; those that were opened beside it end with what is on them.
            *self.idle() = vec![(clock::millis(), Sender::Shared(sender.clone()))];
            return Ok(Sender::Shared(sender));
        }
        Ok(Sender::Single(Box::new(Link::new(stream))))
    }

    /// Sends a request and waits for the head of the answer.
    pub(crate) async fn send(
        self: &Arc<Instance>,
        idle: &Idle,
        outgoing: &mut Outgoing<'_>,
        mut busy: Busy,
    ) -> Result<Response<Answered>, Failed> {
        let is_idempotent = outgoing.is_repeatable();
        loop {
            let kept = self.take(!is_idempotent).await;
            let was_kept = kept.is_some();
            let sender = match kept {
                Some(sender) => sender,
                // Few requests need a new one, and the others do not carry the room for it.
                None => Box::pin(self.open_new(idle))
                    .await
                    .map_err(|error| match lack(&error) {
                        Some(why) => Failed::Exhausted(why),
                        None => Failed::Unreachable,
                    })?,
            };
            let failed = match sender.send(outgoing).await {
                Ok(response) => {
                    busy.heard();
                    let lease = Lease {
                        busy,
                        idle: idle.clone(),
                    };
                    return Ok(response.map(|content| Answered::new(content, lease)));
                }
                Err(failed) => failed,
            };
            // The others were opened to the same process, which has most likely gone.
            self.idle().clear();
            if failed == Failed::Refused(Back::Connection) && outgoing.again() {
                continue;
            }
            // What broke on a connection that was idle is not repeated here at once: a process that is ending closes its
            // connections before it stops listening, and would break it a second time.
            if failed != Failed::Unreachable || !was_kept {
                return Err(failed);
            }
        }
    }
}

/// What this machine, or this process, lacked for another connection: a descriptor, memory, a port of our own. It says nothing
/// of the instance.
pub(crate) fn lack(error: &std::io::Error) -> Option<Errno> {
    let why = Errno::from_raw_os_error(error.raw_os_error()?);
    let is_ours = matches!(
        why,
        Errno::MFILE | Errno::NFILE | Errno::NOBUFS | Errno::NOMEM | Errno::ADDRNOTAVAIL
    );
    is_ours.then_some(why)
}

/// What sends the body of an answer.
#[derive(Debug)]
pub(crate) enum Content {
    /// A connection that has this one request on it.
    Single(Box<Link>),
    Shared(Incoming),
}

impl Sender {
    /// Whether it can take a request, or will.
    async fn is_ready(&mut self) -> bool {
        match self {
            Sender::Single(link) => link.is_there(),
            Sender::Shared(sender) => sender.ready().await.is_ok(),
        }
    }

    async fn send(self, outgoing: &mut Outgoing<'_>) -> Result<Response<Content>, Failed> {
        match self {
            Sender::Single(link) => single(link, outgoing).await,
            Sender::Shared(mut sender) => match sender.try_send_request(outgoing.request()).await {
                Ok(response) => Ok(response.map(Content::Shared)),
                // A connection of many requests cannot tell whose answer has begun.
                Err(mut error) => Err(match error.take_message() {
                    Some(request) => {
                        outgoing.take_back(request.into_body());
                        Failed::Unreachable
                    }
                    None => given_back(&error.into_error()).map_or(Failed::Broken, Failed::Refused),
                }),
            },
        }
    }
}

/// By what a request was given back that an instance has not touched, if it says so.
fn given_back(error: &hyper::Error) -> Option<Back> {
    let why: &h2::Error = error.source()?.downcast_ref()?;
    match why.reason() {
        _ if !why.is_remote() => None,
        // Those that it goes on with break with the connection and not by this.
        _ if why.is_go_away() => Some(Back::Connection),
        Some(h2::Reason::REFUSED_STREAM) => Some(Back::Instance),
        _ => None,
    }
}

async fn single(mut link: Box<Link>, outgoing: &mut Outgoing<'_>) -> Result<Response<Content>, Failed> {
    let body = outgoing.body();
    let announced = match &body {
        Some((_, Framing::Chunks)) => outgoing.announced(),
        _ => Vec::new(),
    };
    link.write
        .begin(|head| outgoing.write_head(head), body, announced);
    match link.head(outgoing.method() == Method::HEAD).await {
        Ok(head) => Ok(head.map(|()| Content::Single(link))),
        Err(NoHead::Garbled) => Err(Failed::Garbled),
        Err(NoHead::Ended) => Err(Failed::Broken),
        Err(NoHead::Silent) => Err(match link.write.stop() {
            Some(unsent) => {
                if let Some(body) = unsent {
                    outgoing.take_back(body);
                }
                Failed::Unreachable
            }
            None => Failed::Broken,
        }),
    }
}

/// Something that an instance has open.
#[derive(Debug)]
pub(crate) struct Busy {
    instance: Arc<Instance>,
    /// As long as nothing has come back, where that counts.
    inside: Option<Inside>,
}

impl Busy {
    /// An answer begins.
    fn heard(&mut self) {
        let Some(inside) = self.inside.take() else { return };
        let instance = &self.instance;
        let more = instance.gate.answered(inside, || !instance.queue.is_empty());
        if !instance.queue.is_empty() {
            instance.calls(more.saturating_add(1));
        }
    }
}

impl Drop for Busy {
    fn drop(&mut self) {
        let instance = &self.instance;
        if self.inside.is_some() {
            instance.gate.leaves();
        }
        let open = instance.open.fetch_sub(1, Ordering::AcqRel);
        if !instance.queue.is_empty() {
            instance.calls(1);
        }
        if open == 1 && instance.leave.is_told() {
            instance.empty.notify_waiters();
        }
    }
}

/// A place among what an instance has open, while an answer of it is read.
#[derive(Debug)]
pub(crate) struct Lease {
    busy: Busy,
    idle: Idle,
}

impl Lease {
    /// What is open over this connection goes when its instance leaves.
    pub(crate) fn guest(&self) -> Guest<Arc<Instance>> {
        Guest::of(Arc::clone(&self.busy.instance))
    }

    /// By which a cookie names the instance.
    pub(crate) fn mark(&self) -> u64 {
        self.busy.instance.mark
    }

    /// The instance at its other end.
    pub(crate) fn instance(&self) -> Arc<Instance> {
        Arc::clone(&self.busy.instance)
    }

    /// The connection is free for another request, if it can take one.
    pub(crate) fn give_back(self, mut link: Box<Link>) {
        let instance = &self.busy.instance;
        if !link.is_free() {
            return;
        }
        link.rest();
        let mut kept = instance.idle();
        if kept.len() < KEPT {
            kept.push((clock::millis(), Sender::Single(link)));
        }
        drop(kept);
        if !instance.watched.load(Ordering::Relaxed) && !instance.watched.swap(true, Ordering::AcqRel) {
            self.idle.watch(instance);
        }
    }
}
