//! A request on its way onto a connection: its head, then its body, piece by piece.

use std::io::{self, IoSlice, Write};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::{Buf, Bytes};
use http::header::{HeaderMap, HeaderName};
use http_body::Body;
use tokio::io::AsyncWrite;

use crate::sent::Sent;

/// Why no more is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stopped {
    /// The visitor has ended its request before it was whole.
    Body,
    /// The connection takes nothing any more.
    Connection,
}

/// How an instance knows where a body ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Framing {
    /// So many bytes are still to come.
    Length(u64),
    Chunks,
}

/// What is to be written, and what has been.
#[derive(Default)]
pub(super) struct Outward {
    /// The head, or what stands before a chunk. Its memory is used again by the next request.
    before: Vec<u8>,
    /// So much of it has been written.
    at: usize,
    chunk: Bytes,
    after: &'static [u8],
    body: Option<(Sent, Framing)>,
    /// The trailers that were announced: no others are sent.
    announced: Vec<HeaderName>,
    has_begun: bool,
}

/// What no trailer may say: it would be a header of the request, or of another one (RFC 9110, 6.5.1).
const NO_TRAILERS: [&str; 14] = [
    "authorization",
    "cache-control",
    "content-encoding",
    "content-length",
    "content-range",
    "content-type",
    "host",
    "max-forwards",
    "proxy-authorization",
    "set-cookie",
    "te",
    "trailer",
    "transfer-encoding",
    "connection",
];

impl Outward {
    /// Begins a request: `head` writes its head.
    pub(super) fn begin(
        &mut self,
        head: impl FnOnce(&mut Vec<u8>),
        body: Option<(Sent, Framing)>,
        announced: Vec<HeaderName>,
    ) {
        self.before.clear();
        head(&mut self.before);
        self.at = 0;
        self.chunk = Bytes::new();
        self.after = b"";
        self.body = body;
        self.announced = announced;
        self.has_begun = false;
    }

    /// Everything has been written.
    pub(super) fn is_done(&self) -> bool {
        self.body.is_none() && self.is_written()
    }

    /// No byte of it has gone.
    pub(super) fn is_untouched(&self) -> bool {
        !self.has_begun
    }

    fn is_written(&self) -> bool {
        self.at == self.before.len() && self.chunk.is_empty() && self.after.is_empty()
    }

    /// Nothing more is written; what is left of the request is handed back if no byte of it has gone.
    pub(super) fn stop(&mut self) -> Option<Option<Sent>> {
        self.at = self.before.len();
        let chunk = std::mem::take(&mut self.chunk);
        self.after = b"";
        let body = self.body.take().map(|(mut body, _)| {
            body.put_back(chunk);
            body
        });
        (!self.has_begun).then_some(body)
    }

    /// Writes what there is.
    pub(super) fn poll(
        &mut self,
        stream: &mut (impl AsyncWrite + Unpin),
        context: &mut Context<'_>,
    ) -> Poll<Result<(), Stopped>> {
        loop {
            let waits =
                self.chunk.is_empty() && self.after.is_empty() && self.poll_body(context)?.is_pending();
            while !self.is_written() {
                if ready!(self.poll_write(stream, context)).is_err() {
                    return Poll::Ready(Err(Stopped::Connection));
                }
            }
            if self.body.is_none() {
                return Poll::Ready(Ok(()));
            }
            if waits {
                return Poll::Pending;
            }
        }
    }

    /// Takes the next piece of the body, if there is one, so that it is written with what is there already.
    fn poll_body(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Stopped>> {
        let Some((body, framing)) = &mut self.body else {
            return Poll::Ready(Ok(()));
        };
        let frame = match ready!(Pin::new(body).poll_frame(context)) {
            Some(Ok(frame)) => frame,
            Some(Err(_)) => return Poll::Ready(Err(Stopped::Body)),
            None => return Poll::Ready(self.end(None)),
        };
        let data = match frame.into_data() {
            Ok(data) => data,
            Err(frame) => return Poll::Ready(self.end(frame.into_trailers().ok())),
        };
        if data.is_empty() {
            context.waker().wake_by_ref();
            return Poll::Pending;
        }
        if self.at == self.before.len() {
            self.before.clear();
            self.at = 0;
        }
        match framing {
            Framing::Length(left) => match left.checked_sub(data.len() as u64) {
                Some(rest) => *left = rest,
                None => return Poll::Ready(Err(Stopped::Body)),
            },
            Framing::Chunks => {
                // Memory takes everything.
                let _ = write!(self.before, "{:x}\r\n", data.len());
                self.after = b"\r\n";
            }
        }
        self.chunk = data;
        if matches!(framing, Framing::Length(0)) {
            self.body = None;
        }
        Poll::Ready(Ok(()))
    }

    fn end(&mut self, trailers: Option<HeaderMap>) -> Result<(), Stopped> {
        match self.body.take() {
            Some((_, Framing::Length(1..))) => return Err(Stopped::Body),
            Some((_, Framing::Chunks)) => {}
            _ => return Ok(()),
        }
        self.before.extend_from_slice(b"0\r\n");
        for (name, value) in trailers.iter().flatten() {
            if self.announced.contains(name) && !NO_TRAILERS.contains(&name.as_str()) {
                line(&mut self.before, name.as_str(), value.as_bytes());
            }
        }
        self.before.extend_from_slice(b"\r\n");
        Ok(())
    }

    fn poll_write(
        &mut self,
        stream: &mut (impl AsyncWrite + Unpin),
        context: &mut Context<'_>,
    ) -> Poll<io::Result<()>> {
        let before = &self.before[self.at..];
        let stream = Pin::new(stream);
        let written = if self.chunk.is_empty() && self.after.is_empty() {
            ready!(stream.poll_write(context, before))?
        } else {
            let parts = [
                IoSlice::new(before),
                IoSlice::new(&self.chunk),
                IoSlice::new(self.after),
            ];
            ready!(stream.poll_write_vectored(context, &parts))?
        };
        if written == 0 {
            return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
        }
        self.has_begun = true;
        let of_before = written.min(before.len());
        self.at += of_before;
        let of_chunk = (written - of_before).min(self.chunk.len());
        self.chunk.advance(of_chunk);
        self.after = &self.after[written - of_before - of_chunk..];
        Poll::Ready(Ok(()))
    }
}

/// Writes a header as it stands on the wire.
pub(crate) fn line(head: &mut Vec<u8>, name: &str, value: &[u8]) {
    head.extend_from_slice(name.as_bytes());
    head.extend_from_slice(b": ");
    head.extend_from_slice(value);
    head.extend_from_slice(b"\r\n");
}
