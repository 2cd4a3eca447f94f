//! A connection whose first bytes have been read already, to see what it speaks.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::{Buf, Bytes, BytesMut};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, ReadBuf};

/// The first part of a request or a handshake: most of them are whole in it.
const READ: usize = 2 * 1024;

/// A connection whose first bytes are read once more.
#[derive(Debug)]
pub(crate) struct First<S> {
    bytes: Bytes,
    stream: S,
}

impl<S> First<S> {
    /// One of which these bytes are read once more.
    pub(crate) fn again(bytes: Bytes, stream: S) -> First<S> {
        First { bytes, stream }
    }
}

impl<S: AsyncRead + Unpin> First<S> {
    /// Reads until there are so many bytes, or fewer that `tell` what there is to know; none if it ended before that.
    pub(crate) async fn of(mut stream: S, tell: impl Fn(&[u8]) -> bool) -> Option<First<S>> {
        let mut bytes = BytesMut::with_capacity(READ);
        while !tell(&bytes) {
            if stream.read_buf(&mut bytes).await.unwrap_or(0) == 0 {
                return None;
            }
        }
        let bytes = bytes.freeze();
        Some(First { bytes, stream })
    }

    /// Reads on until there are so many bytes; none if it ended before that.
    pub(crate) async fn more(mut self, tell: impl Fn(&[u8]) -> bool) -> Option<First<S>> {
        if tell(&self.bytes) {
            return Some(self);
        }
        let mut bytes = BytesMut::with_capacity(READ);
        bytes.extend_from_slice(&self.bytes);
        while !tell(&bytes) {
            if self.stream.read_buf(&mut bytes).await.unwrap_or(0) == 0 {
                return None;
            }
        }
        self.bytes = bytes.freeze();
        Some(self)
    }

    /// Leaves out so many bytes that were read already.
    pub(crate) fn skip(&mut self, count: usize) {
        self.bytes.advance(count.min(self.bytes.len()));
    }

    /// These bytes are read once more, before all others. There are none yet.
    pub(crate) fn give_back(&mut self, bytes: &[u8]) {
        self.bytes = Bytes::copy_from_slice(bytes);
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        &self.bytes
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for First<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.bytes.is_empty() {
            return Pin::new(&mut self.stream).poll_read(context, buffer);
        }
        let count = self.bytes.len().min(buffer.remaining());
        buffer.put_slice(&self.bytes[..count]);
        // What is empty holds no memory.
        self.bytes = match self.bytes.len() {
            all if all == count => Bytes::new(),
            _ => self.bytes.slice(count..),
        };
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for First<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        parts: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(context, parts)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
