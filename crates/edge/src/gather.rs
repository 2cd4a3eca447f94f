//! A connection of many requests, whose answers go out together.
//!
//! Answers that are ready at the same time would each be a write of its own, and over TLS a record of its own: the connection
//! is woken by the first of them. So what is written is gathered, and whoever flushes lets the others go first, once.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::{Buf, BytesMut};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// What one record of TLS holds. More is not gathered.
const MOST: usize = 16 * 1024;

/// A connection that gathers what is written.
#[derive(Debug)]
pub(crate) struct Gather<S> {
    stream: S,
    gathered: BytesMut,
    /// The others have been let go first.
    has_yielded: bool,
}

impl<S: AsyncWrite + Unpin> Gather<S> {
    pub(crate) fn new(stream: S) -> Gather<S> {
        Gather {
            stream,
            gathered: BytesMut::new(),
            has_yielded: false,
        }
    }

    /// Writes what is gathered.
    fn poll_empty(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        while !self.gathered.is_empty() {
            let count = ready!(Pin::new(&mut self.stream).poll_write(context, &self.gathered))?;
            if count == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            self.gathered.advance(count);
        }
        // A connection that is idle holds no memory for what it may say one day.
        self.gathered = BytesMut::new();
        self.has_yielded = false;
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Gather<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Gather<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let this = &mut *self;
        if this.gathered.len() >= MOST {
            ready!(this.poll_empty(context))?;
        }
        let count = bytes.len().min(MOST - this.gathered.len());
        this.gathered.extend_from_slice(&bytes[..count]);
        Poll::Ready(Ok(count))
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = &mut *self;
        if !this.gathered.is_empty() && !std::mem::replace(&mut this.has_yielded, true) {
            context.waker().wake_by_ref();
            return Poll::Pending;
        }
        ready!(this.poll_empty(context))?;
        Pin::new(&mut this.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.poll_empty(context))?;
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::task::Waker;

    #[test]
    fn what_is_written_before_it_is_flushed_twice_goes_out_at_once() {
        let (near, far) = tokio::io::duplex(1_024 * 1_024);
        let mut near = Gather::new(near);
        let mut far = std::pin::pin!(far);
        let mut context = Context::from_waker(Waker::noop());
        let mut buffer = [0; 64];
        let mut came = |context: &mut Context<'_>| {
            let mut buffer = ReadBuf::new(&mut buffer);
            let read = far.as_mut().poll_read(context, &mut buffer);
            read.is_ready().then(|| buffer.filled().to_vec())
        };
        for word in [&b"one "[..], b"two "] {
            let written = Pin::new(&mut near).poll_write(&mut context, word);
            assert!(matches!(written, Poll::Ready(Ok(4))));
            let flushed = Pin::new(&mut near).poll_flush(&mut context);
            assert_eq!(flushed.is_ready(), word == b"two ");
            assert_eq!(
                came(&mut context).is_some(),
                word == b"two ",
                "nothing before the second"
            );
        }
        let large = vec![1; 3 * MOST];
        let written = Pin::new(&mut near).poll_write(&mut context, &large);
        assert!(matches!(written, Poll::Ready(Ok(MOST))));
        assert!(came(&mut context).is_none());
        let written = Pin::new(&mut near).poll_write(&mut context, &large);
        assert!(
            matches!(written, Poll::Ready(Ok(MOST))),
            "what was there has gone out"
        );
        assert!(came(&mut context).is_some());
    }
}
