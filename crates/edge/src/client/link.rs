//! A connection to an instance that speaks HTTP/1.1, one request after the other.
//!
//! Whoever sends a request writes and reads by itself, in the task of its visitor: nothing is handed to another task and back.
//! While it is idle nobody looks at a connection; the system keeps what happens to it, and that is seen when it is taken.

use std::io;
use std::task::{Context, Poll, ready};

use bytes::{Bytes, BytesMut};
use http::Response;
use http_body::Frame;
use tokio::io::AsyncReadExt;
use tokio::net::TcpStream;
use tokio::net::tcp::OwnedReadHalf;

use super::inward::{self, Garbage, Left};
use super::outward::{Outward, Stopped};
use crate::body::Broken;
use crate::crowd;
use crate::first::First;

/// The largest head of an answer.
const LARGEST_HEAD: usize = 128 * 1024;

/// What is read at once at first.
const LEAST: usize = 4 * 1024;

/// What is read at once of a body that fills what it is given.
const MOST: usize = 64 * 1024;

/// A connection to an instance.
pub(crate) struct Link {
    stream: Stream,
    read: BytesMut,
    /// What has been read and not been handed on.
    came: Bytes,
    room: usize,
    pub(super) write: Outward,
    left: Left,
    keeps: bool,
    /// Something of the answer has come.
    heard: bool,
    /// The answer breaks off, and what has come of it is on its way.
    breaks: bool,
}

enum Stream {
    Whole(TcpStream),
    /// The other half goes on with the request while its answer is read.
    Half(OwnedReadHalf),
    Gone,
}

/// Why there is no head of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum NoHead {
    /// The visitor has ended its request before it was whole.
    Ended,
    /// Nothing has come.
    Silent,
    /// What has come is none.
    Garbled,
}

impl Link {
    pub(super) fn new(stream: TcpStream) -> Link {
        Link {
            stream: Stream::Whole(stream),
            read: BytesMut::new(),
            came: Bytes::new(),
            room: LEAST,
            write: Outward::default(),
            left: Left::Nothing,
            keeps: true,
            heard: false,
            breaks: false,
        }
    }

    /// Whether an idle connection can take a request: nothing has come, not even its end.
    pub(super) fn is_there(&self) -> bool {
        let Stream::Whole(stream) = &self.stream else {
            return false;
        };
        // The system is only asked where it has said that there is something.
        let read = stream.try_read(&mut [0]);
        matches!(read, Err(error) if error.kind() == io::ErrorKind::WouldBlock)
    }

    /// Writes the request that has begun and waits for the head of its answer. A body that is still on its way then goes on in a
    /// task of its own, whatever the visitor does with the answer.
    pub(super) async fn head(&mut self, is_head: bool) -> Result<Response<()>, NoHead> {
        self.heard = false;
        self.room = LEAST;
        let head = std::future::poll_fn(|context| self.poll_head(is_head, context)).await;
        let head = match head {
            Ok(head) => head,
            Err(NoHead::Silent) if self.heard => return Err(NoHead::Garbled),
            Err(why) => return Err(why),
        };
        self.left = head.left;
        self.keeps = head.keeps;
        if !self.write.is_done() {
            self.part();
        }
        Ok(head.response)
    }

    fn poll_head(&mut self, is_head: bool, context: &mut Context<'_>) -> Poll<Result<inward::Head, NoHead>> {
        if !self.write.is_done()
            && let Stream::Whole(stream) = &mut self.stream
            && let Poll::Ready(Err(stopped)) = self.write.poll(stream, context)
        {
            self.keeps = false;
            if stopped == Stopped::Body {
                return Poll::Ready(Err(NoHead::Ended));
            }
            if self.write.is_untouched() {
                return Poll::Ready(Err(NoHead::Silent));
            }
            // An instance that takes no more may have said why.
            self.write.stop();
        }
        loop {
            if !matches!(ready!(self.poll_more(context)), Ok(1..)) {
                return Poll::Ready(Err(NoHead::Silent));
            }
            self.heard = true;
            match inward::head(&mut self.came, is_head) {
                Ok(Some(head)) => return Poll::Ready(Ok(head)),
                Ok(None) if self.came.len() <= LARGEST_HEAD => {}
                Ok(None) | Err(Garbage) => return Poll::Ready(Err(NoHead::Garbled)),
            }
        }
    }

    /// Reads what has come behind what is there already.
    fn poll_more(&mut self, context: &mut Context<'_>) -> Poll<io::Result<usize>> {
        let came = std::mem::take(&mut self.came);
        let room = if crowd::is_crowded() { LEAST } else { self.room };
        self.read.reserve(came.len() + room);
        self.read.extend_from_slice(&came);
        drop(came);
        let read = match &mut self.stream {
            Stream::Whole(stream) => std::pin::pin!(stream.read_buf(&mut self.read)).poll(context),
            Stream::Half(stream) => std::pin::pin!(stream.read_buf(&mut self.read)).poll(context),
            Stream::Gone => Poll::Ready(Ok(0)),
        };
        let count = ready!(read)?;
        if self.read.len() == self.read.capacity() {
            self.room = (self.room * 2).min(MOST);
        }
        self.came = self.read.split().freeze();
        Poll::Ready(Ok(count))
    }

    /// The next piece of the answer's body.
    pub(crate) fn poll_frame(
        &mut self,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Broken>>> {
        loop {
            match self.left.next(&mut self.came) {
                Ok(Some(frame)) => return Poll::Ready(Some(Ok(frame))),
                Ok(None) if self.left == Left::Nothing => return Poll::Ready(None),
                Ok(None) if self.breaks => {}
                Ok(None) => match ready!(self.poll_more(context)) {
                    Ok(1..) => continue,
                    Ok(0) if self.left == Left::All => self.left = Left::Nothing,
                    Ok(0) | Err(_) => {}
                },
                Err(Garbage) => {}
            }
            if self.left == Left::Nothing {
                return Poll::Ready(None);
            }
            // What has come goes on its way to the visitor first: an error ends its connection there and then.
            if !std::mem::replace(&mut self.breaks, true) {
                context.waker().wake_by_ref();
                return Poll::Pending;
            }
            return Poll::Ready(Some(Err("the answer has broken off".into())));
        }
    }

    /// The length of what is still to come of the body, where that is known.
    pub(crate) fn length(&self) -> Option<u64> {
        match self.left {
            Left::Nothing => Some(0),
            Left::Length(left) => Some(left),
            Left::All | Left::Chunks(_) => None,
        }
    }

    /// It can take another request: this one and its answer have ended, and nothing has come behind it.
    pub(super) fn is_free(&self) -> bool {
        self.keeps
            && self.left == Left::Nothing
            && self.write.is_done()
            && self.came.is_empty()
            && self.read.is_empty()
            && matches!(self.stream, Stream::Whole(_))
    }

    /// Lets go of what only a large answer needed.
    pub(super) fn rest(&mut self) {
        if self.read.capacity() > 2 * LEAST {
            self.read = BytesMut::new();
        }
    }

    /// The rest of the request goes on by itself.
    fn part(&mut self) {
        self.keeps = false;
        let Stream::Whole(stream) = std::mem::replace(&mut self.stream, Stream::Gone) else {
            return;
        };
        let (reads, mut writes) = stream.into_split();
        self.stream = Stream::Half(reads);
        let mut write = std::mem::take(&mut self.write);
        tokio::spawn(async move {
            let written = std::future::poll_fn(|context| write.poll(&mut writes, context)).await;
            // What was cut off has to be seen to be.
            if written.is_ok() {
                writes.forget();
            }
        });
    }

    /// The connection itself, when both sides have changed to another protocol.
    pub(crate) fn into_changed(mut self) -> Option<Changed> {
        let Stream::Whole(stream) = std::mem::replace(&mut self.stream, Stream::Gone) else {
            return None;
        };
        Some(First::again(std::mem::take(&mut self.came), stream))
    }
}

impl std::fmt::Debug for Link {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Link").finish_non_exhaustive()
    }
}

/// A connection that speaks another protocol now, and what has come of that already.
pub(crate) type Changed = First<TcpStream>;
