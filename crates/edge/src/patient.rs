//! Patience with whoever sends or reads nothing: a time that begins when there is nothing, and ends when there is something.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Sleep, sleep};

use crate::crowd::Outlet;
use crate::door::clock;

/// A connection without a request for so long holds nothing but its socket: what reads and answers is made anew when something
/// comes, which takes a microsecond or two.
const RESTS_AFTER: Duration = Duration::from_secs(1);

/// A time that runs only while something is waited for.
#[derive(Debug)]
pub(crate) struct Waiting {
    within: Duration,
    /// Made when there is something to wait for: most connections and bodies never wait.
    sleep: Option<Pin<Box<Sleep>>>,
    runs: bool,
}

impl Waiting {
    pub(crate) fn new(within: Duration) -> Waiting {
        Waiting {
            within,
            sleep: None,
            runs: false,
        }
    }

    /// Something has come or gone.
    pub(crate) fn ends(&mut self) {
        self.runs = false;
    }

    /// Nothing has come or gone: whether that has lasted too long.
    pub(crate) fn is_over(&mut self, context: &mut Context<'_>) -> bool {
        let within = self.within;
        let sleep = self.sleep.get_or_insert_with(|| Box::pin(sleep(within)));
        if !std::mem::replace(&mut self.runs, true) {
            sleep.as_mut().reset((clock::now() + within).into());
        }
        sleep.as_mut().poll(context).is_ready()
    }
}

/// How long a visitor may take for the head of its next request, and when it has none for now. One clock watches all of a
/// connection: it is set when it runs out and not with each request, which would cost more than reading the head.
#[derive(Debug)]
pub(crate) struct Heads {
    within: Duration,
    /// Requests that are being answered.
    open: AtomicUsize,
    /// The last one had a body, and it is not known whether all of that has been read.
    has_body: AtomicBool,
    /// Since when the next head is waited for, in milliseconds.
    since: AtomicU64,
}

/// A request that is being answered; when this is dropped, the next one is waited for.
#[derive(Debug)]
pub(crate) struct Turn(Arc<Heads>);

/// What comes of waiting for a head.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Waited {
    /// It is late.
    TooLong,
    /// Nothing of the connection is in use, so it need not hold more than its socket.
    AWhile,
}

impl Heads {
    pub(crate) fn new(within: Duration) -> Arc<Heads> {
        Arc::new(Heads {
            within,
            open: AtomicUsize::new(0),
            has_body: AtomicBool::new(false),
            since: AtomicU64::new(clock::millis()),
        })
    }

    /// A head is there, and a body comes behind it or not.
    pub(crate) fn came(self: &Arc<Heads>, has_body: bool) -> Turn {
        self.has_body.store(has_body, Ordering::Relaxed);
        self.open.fetch_add(1, Ordering::Relaxed);
        Turn(Arc::clone(self))
    }

    /// How long the next head has been waited for; nothing while a request is being answered.
    fn waited(&self) -> Duration {
        if self.open.load(Ordering::Acquire) > 0 {
            return Duration::ZERO;
        }
        let since = self.since.load(Ordering::Relaxed);
        Duration::from_millis(clock::millis().saturating_sub(since))
    }

    /// Waits until a head is late, or nothing of the connection has been in use for a while.
    pub(crate) async fn watch(&self, outlet: &Outlet) -> Waited {
        loop {
            // Somebody who sends a head letter by letter does not rest between two of them, so nothing is asked before a while.
            sleep(RESTS_AFTER.min(self.within.saturating_sub(self.waited()))).await;
            let waited = self.waited();
            if waited >= self.within {
                return Waited::TooLong;
            }
            let is_done = !self.has_body.load(Ordering::Relaxed) && !outlet.is_blocked();
            if waited >= RESTS_AFTER && is_done {
                return Waited::AWhile;
            }
        }
    }

    /// Waits until a head is late.
    pub(crate) async fn late(&self) {
        while let Some(left) = self
            .within
            .checked_sub(self.waited())
            .filter(|left| !left.is_zero())
        {
            sleep(left).await;
        }
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        self.0.since.store(clock::millis(), Ordering::Relaxed);
        self.0.open.fetch_sub(1, Ordering::Release);
    }
}

/// A connection whose other side has to read what is written, sooner or later.
#[derive(Debug)]
pub(crate) struct Read<S> {
    stream: S,
    waiting: Waiting,
    /// For whoever has more to write.
    outlet: Arc<Outlet>,
    /// Its end has to be said, as that of what is encrypted has to be.
    says_its_end: bool,
}

impl<S> Read<S> {
    pub(crate) fn new(stream: S, within: Duration, outlet: Arc<Outlet>, says_its_end: bool) -> Read<S> {
        Read {
            stream,
            outlet,
            says_its_end,
            waiting: Waiting::new(within),
        }
    }

    fn wrote<T>(&mut self, wrote: Poll<io::Result<T>>, context: &mut Context<'_>) -> Poll<io::Result<T>> {
        match wrote {
            Poll::Ready(wrote) => {
                self.waiting.ends();
                self.outlet.flows();
                Poll::Ready(wrote)
            }
            Poll::Pending if self.waiting.is_over(context) => {
                Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
            }
            Poll::Pending => {
                self.outlet.blocks();
                Poll::Pending
            }
        }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Read<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Read<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let wrote = Pin::new(&mut self.stream).poll_write(context, bytes);
        self.wrote(wrote, context)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        parts: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let wrote = Pin::new(&mut self.stream).poll_write_vectored(context, parts);
        self.wrote(wrote, context)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let wrote = Pin::new(&mut self.stream).poll_flush(context);
        self.wrote(wrote, context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        // HTTP ends a connection as a whole, so its socket is closed at once, and closing says the same to the other side.
        let wrote = if self.says_its_end || self.outlet.has_changed() {
            Pin::new(&mut self.stream).poll_shutdown(context)
        } else {
            Poll::Ready(Ok(()))
        };
        self.wrote(wrote, context)
    }
}
