//! Connections to instances.
//!
//! Each instance has a small store of connections that are idle. One is taken for a request and comes back when the answer
//! has ended. A connection that its instance has closed meanwhile is found out when it is taken. Nothing is kept for an
//! instance that has not been asked anything.

mod heard;
mod idle;

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use http::{Request, Response, Version};
use hyper::body::Incoming;
use hyper::client::conn::{TrySendError, http1, http2};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use tokio::net::TcpStream;
use tokio::sync::Notify;
use tokio::time::timeout;

use crate::door::clock;
use crate::leave::{Guest, Leave, Leaves};
use crate::sent::{Outgoing, Sent};

use heard::{Count, Heard};
pub(crate) use idle::Idle;

/// On this machine a connection is there at once or never; only an instance whose queue is full lets one wait.
const CONNECT: Duration = Duration::from_secs(5);

/// How many idle connections are kept for an instance.
const KEPT: usize = 64;

/// A request that must not be sent twice takes no connection that has been idle for longer: servers close idle connections
/// after some seconds, and one that is just being closed would lose it.
const FRESH: u64 = 1_000;

/// What a connection may read ahead of an answer's head.
const LARGEST_HEAD: usize = 128 * 1024;

/// An instance that is ready.
#[derive(Debug)]
pub(crate) struct Instance {
    pub(crate) id: String,
    pub(crate) at: SocketAddr,
    grpc: bool,
    open: AtomicUsize,
    told: AtomicU64,
    idle: Mutex<Vec<(u64, Sender)>>,
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
    Single(http1::SendRequest<Sent>, Count),
    Shared(http2::SendRequest<Sent>),
}

/// Why a request was not answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Failed {
    /// It has not been sent.
    Unreachable,
    /// It may have arrived; no byte of an answer has come.
    Broken,
    /// An answer has begun that is none.
    Garbled,
}

impl Instance {
    pub(crate) fn new(id: String, at: SocketAddr, grpc: bool) -> Instance {
        Instance {
            id,
            at,
            grpc,
            open: AtomicUsize::new(0),
            told: AtomicU64::new(0),
            idle: Mutex::default(),
            leave: Leave::new(),
            empty: Notify::new(),
        }
    }

    pub(crate) fn is(&self, id: &str, at: SocketAddr, grpc: bool) -> bool {
        self.id == id && self.at == at && self.grpc == grpc
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

    /// Counts something that is open, until it is dropped.
    pub(crate) fn busy(self: &Arc<Instance>) -> Busy {
        self.open.fetch_add(1, Ordering::Relaxed);
        Busy(Arc::clone(self))
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

    async fn open_new(&self) -> std::io::Result<Sender> {
        let stream = self.connect().await?;
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
        let count = Count::default();
        let (sender, connection) = http1::Builder::new()
            .max_buf_size(LARGEST_HEAD)
            .handshake(TokioIo::new(Heard::new(stream, count.clone())))
            .await
            .map_err(failed)?;
        tokio::spawn(connection.with_upgrades());
        Ok(Sender::Single(sender, count))
    }

    /// Sends a request and waits for the head of the answer.
    pub(crate) async fn send(
        self: &Arc<Instance>,
        idle: &Idle,
        outgoing: &mut Outgoing,
    ) -> Result<(Response<Incoming>, Lease), Failed> {
        let version = if self.grpc {
            Version::HTTP_2
        } else {
            Version::HTTP_11
        };
        let is_idempotent = outgoing.method.is_idempotent();
        let busy = self.busy();
        let mut takes_kept = true;
        loop {
            let kept = match takes_kept {
                true => self.take(!is_idempotent).await,
                false => None,
            };
            let was_kept = kept.is_some();
            let mut sender = match kept {
                Some(sender) => sender,
                None => self.open_new().await.map_err(|_| Failed::Unreachable)?,
            };
            let heard = sender.heard();
            match sender.send(outgoing.attempt(version)).await {
                Ok(response) => {
                    let lease = Lease {
                        sender,
                        busy,
                        idle: idle.clone(),
                    };
                    return Ok((response, lease));
                }
                Err(mut error) => {
                    let unsent = error.take_message();
                    let is_unsent = unsent.is_some();
                    if let Some(request) = unsent {
                        outgoing.take_back(request);
                    }
                    // The others were opened to the same process, which has most likely gone.
                    self.idle().clear();
                    match (is_unsent, was_kept) {
                        (true, true) => {}
                        (true, false) => return Err(Failed::Unreachable),
                        (false, _) if sender.heard() != heard => return Err(Failed::Garbled),
                        // It was idle, and most likely closed by its instance before that saw the request.
                        (false, true) if outgoing.repeat() => takes_kept = false,
                        (false, _) => return Err(Failed::Broken),
                    }
                }
            }
        }
    }
}

impl Sender {
    /// Waits until it can take a request; false when it never will.
    async fn is_ready(&mut self) -> bool {
        match self {
            Sender::Single(sender, _) if sender.is_closed() => false,
            Sender::Single(sender, _) if sender.is_ready() => true,
            // The end of the last answer has been seen here, but not yet by the task of the connection.
            Sender::Single(sender, _) => {
                let soon = timeout(Duration::from_millis(1), sender.ready()).await;
                matches!(soon, Ok(Ok(())))
            }
            Sender::Shared(sender) => sender.ready().await.is_ok(),
        }
    }

    /// How much has come from the instance. A connection of many requests cannot tell for whom.
    fn heard(&self) -> u64 {
        match self {
            Sender::Single(_, count) => count.now(),
            Sender::Shared(_) => 0,
        }
    }

    async fn send(
        &mut self,
        request: Request<Sent>,
    ) -> Result<Response<Incoming>, TrySendError<Request<Sent>>> {
        match self {
            Sender::Single(sender, _) => sender.try_send_request(request).await,
            Sender::Shared(sender) => sender.try_send_request(request).await,
        }
    }
}

/// Something that an instance has open.
#[derive(Debug)]
pub(crate) struct Busy(Arc<Instance>);

impl Drop for Busy {
    fn drop(&mut self) {
        let open = self.0.open.fetch_sub(1, Ordering::AcqRel);
        if open == 1 && self.0.leave.is_told() {
            self.0.empty.notify_waiters();
        }
    }
}

/// A connection while a request is on it. Dropped, it is closed.
#[derive(Debug)]
pub(crate) struct Lease {
    sender: Sender,
    busy: Busy,
    idle: Idle,
}

impl Lease {
    /// What is open over this connection goes when its instance leaves.
    pub(crate) fn guest(&self) -> Guest<Arc<Instance>> {
        Guest::of(Arc::clone(&self.busy.0))
    }

    /// The instance at its other end.
    pub(crate) fn instance(&self) -> Arc<Instance> {
        Arc::clone(&self.busy.0)
    }

    /// The connection is free for another request.
    pub(crate) fn give_back(self) {
        let Sender::Single(..) = &self.sender else {
            return;
        };
        let instance = Arc::clone(&self.busy.0);
        let mut kept = instance.idle();
        let is_first = kept.is_empty();
        if kept.len() < KEPT {
            kept.push((clock::millis(), self.sender));
        }
        drop(kept);
        if is_first {
            self.idle.watch(&instance);
        }
    }
}
