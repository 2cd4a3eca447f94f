//! The body of an answer while it comes: it is taken in once, and read by as many as want it.
//!
//! A task takes it from the origin as fast as that sends, so no visitor sets the pace for the others, and what a slow one has
//! not read yet is in memory once, however many there are. When it becomes too large to be kept, the first visitor goes on
//! with what is left of it as if nothing had been kept. Nobody else has begun to read it then: others read along only where
//! its length was said before, and there was room for that.

use std::future::poll_fn;
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http::HeaderMap;
use http_body::{Body, Frame, SizeHint};
use tokio::time::timeout;

use crate::answered::Answered;
use crate::body::Broken;

/// When nothing comes for so long, and nobody reads, nobody waits for the rest.
const STALLED: Duration = Duration::from_secs(30);

/// Room for answers that come.
#[derive(Debug)]
pub(super) struct Room {
    taken: AtomicUsize,
    most: usize,
}

/// A part of the room. It is free again when this is dropped.
#[derive(Debug)]
struct Taken {
    room: Arc<Room>,
    bytes: usize,
}

impl Room {
    pub(super) fn new(most: usize) -> Arc<Room> {
        Arc::new(Room {
            taken: AtomicUsize::new(0),
            most,
        })
    }

    fn take(&self, bytes: usize) -> bool {
        let take = |taken: usize| taken.checked_add(bytes).filter(|taken| *taken <= self.most);
        self.taken
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, take)
            .is_ok()
    }
}

impl Taken {
    fn give_back(&mut self) {
        let bytes = std::mem::take(&mut self.bytes);
        self.room.taken.fetch_sub(bytes, Ordering::Relaxed);
    }
}

impl Drop for Taken {
    fn drop(&mut self) {
        self.give_back();
    }
}

/// A body while it comes.
#[derive(Debug)]
pub(super) struct Record {
    inner: Mutex<Inner>,
    /// Its length, where that was said.
    length: Option<u64>,
    readers: AtomicUsize,
}

#[derive(Debug)]
struct Inner {
    chunks: Vec<Bytes>,
    size: usize,
    taken: Taken,
    end: Option<End>,
    wakers: Vec<Waker>,
}

#[derive(Debug)]
enum End {
    Whole(Option<HeaderMap>),
    Broken,
    /// It has become too large: the first one to come goes on with the rest.
    Beyond(Option<Answered>),
}

impl Record {
    /// A record of an answer whose length is this, if there is room for it.
    pub(super) fn new(room: &Arc<Room>, length: Option<u64>) -> Option<Arc<Record>> {
        let bytes = usize::try_from(length.unwrap_or(0)).ok()?;
        room.take(bytes).then(|| {
            Arc::new(Record {
                inner: Mutex::new(Inner {
                    chunks: Vec::new(),
                    size: 0,
                    taken: Taken {
                        room: Arc::clone(room),
                        bytes,
                    },
                    end: None,
                    wakers: Vec::new(),
                }),
                length,
                readers: AtomicUsize::new(0),
            })
        })
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes a body in, of so many bytes at most; answers it when it is whole and may be kept.
    pub(super) async fn take_in(&self, mut body: Answered, most: usize) -> Option<Bytes> {
        loop {
            let frame = match timeout(
                STALLED,
                poll_fn(|context| Pin::new(&mut body).poll_frame(context)),
            )
            .await
            {
                Ok(frame) => frame,
                Err(_) if self.readers.load(Ordering::Relaxed) == 0 => return self.ends(End::Broken),
                Err(_) => continue,
            };
            match frame.map(|frame| frame.map(Frame::into_data)) {
                Some(Ok(Ok(bytes))) => {
                    if !self.takes(bytes, most) {
                        return self.ends(End::Beyond(Some(body)));
                    }
                }
                // What ends in more than its bytes is not kept.
                Some(Ok(Err(last))) => return self.ends(End::Whole(last.into_trailers().ok())),
                Some(Err(_)) => return self.ends(End::Broken),
                None => break,
            }
        }
        let whole = self.whole();
        let is_whole = self.length.is_none_or(|length| length == whole.len() as u64);
        self.ends(if is_whole { End::Whole(None) } else { End::Broken });
        is_whole.then_some(whole)
    }

    fn ends(&self, end: End) -> Option<Bytes> {
        let mut inner = self.lock();
        inner.end = Some(end);
        inner.wake();
        None
    }

    /// Takes bytes in; whether more may come.
    fn takes(&self, bytes: Bytes, most: usize) -> bool {
        let mut inner = self.lock();
        inner.size += bytes.len();
        let lacking = inner.size.saturating_sub(inner.taken.bytes);
        let fits = inner.size <= most && inner.taken.room.take(lacking);
        if fits {
            inner.taken.bytes += lacking;
        }
        inner.chunks.push(bytes);
        inner.wake();
        fits
    }

    /// All of it in one piece, which holds nothing of what it was read into.
    fn whole(&self) -> Bytes {
        let inner = self.lock();
        let mut whole = BytesMut::with_capacity(inner.size);
        inner
            .chunks
            .iter()
            .for_each(|chunk| whole.extend_from_slice(chunk));
        whole.freeze()
    }

    /// Reads it from its beginning.
    pub(super) fn reader(self: &Arc<Record>) -> Reader {
        self.readers.fetch_add(1, Ordering::Relaxed);
        Reader {
            record: Arc::clone(self),
            at: 0,
            sent: 0,
            rest: None,
            is_over: false,
        }
    }
}

impl Inner {
    fn wake(&mut self) {
        self.wakers.drain(..).for_each(Waker::wake);
    }
}

/// A body that is read while it comes.
pub(super) struct Reader {
    record: Arc<Record>,
    at: usize,
    sent: u64,
    rest: Option<Answered>,
    is_over: bool,
}

impl Reader {
    fn take(&mut self, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Broken>>> {
        let mut inner = self.record.lock();
        if let Some(chunk) = inner.chunks.get(self.at) {
            self.at += 1;
            self.sent += chunk.len() as u64;
            return Poll::Ready(Some(Ok(Frame::data(chunk.clone()))));
        }
        match &mut inner.end {
            None => {
                if !inner.wakers.iter().any(|waker| waker.will_wake(context.waker())) {
                    inner.wakers.push(context.waker().clone());
                }
                Poll::Pending
            }
            Some(End::Whole(trailers)) => {
                let trailers = trailers.clone();
                self.is_over = true;
                Poll::Ready(trailers.map(|trailers| Ok(Frame::trailers(trailers))))
            }
            Some(End::Beyond(rest)) if rest.is_some() => {
                self.rest = rest.take();
                // What has been sent is of no use to anybody else.
                inner.chunks = Vec::new();
                inner.taken.give_back();
                drop(inner);
                self.poll_rest(context)
            }
            Some(End::Broken | End::Beyond(_)) => {
                self.is_over = true;
                Poll::Ready(Some(Err("the answer broke off".into())))
            }
        }
    }

    fn poll_rest(&mut self, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Broken>>> {
        match &mut self.rest {
            Some(rest) => Pin::new(rest).poll_frame(context),
            None => Poll::Ready(None),
        }
    }
}

impl Body for Reader {
    type Data = Bytes;
    type Error = Broken;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Broken>>> {
        match (self.is_over, self.rest.is_some()) {
            (true, _) => Poll::Ready(None),
            (false, true) => self.poll_rest(context),
            (false, false) => self.take(context),
        }
    }

    fn is_end_stream(&self) -> bool {
        self.is_over || self.record.length.is_some_and(|length| length == self.sent)
    }

    fn size_hint(&self) -> SizeHint {
        let left = self.record.length.map(|length| length.saturating_sub(self.sent));
        left.map_or_else(SizeHint::new, SizeHint::with_exact)
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        self.record.readers.fetch_sub(1, Ordering::Relaxed);
    }
}
