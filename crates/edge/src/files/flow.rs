//! A file that is read while it is sent.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::{Bytes, BytesMut};
use http_body::{Body, Frame, SizeHint};
use tokio::io::{AsyncRead, ReadBuf};

use crate::body::Broken;
use crate::door::disk::Reader;

/// What is read at once: enough that reading costs more than asking for it.
const CHUNK: u64 = 128 * 1024;

/// So many bytes of a file.
pub(super) struct Flow {
    reader: Reader,
    left: u64,
    chunk: BytesMut,
}

impl Flow {
    pub(super) fn new(reader: Reader, length: u64) -> Flow {
        Flow {
            reader,
            left: length,
            chunk: BytesMut::new(),
        }
    }
}

impl Body for Flow {
    type Data = Bytes;
    type Error = Broken;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Broken>>> {
        let this = &mut *self;
        if this.left == 0 {
            return Poll::Ready(None);
        }
        if this.chunk.is_empty() {
            this.chunk.resize(this.left.min(CHUNK) as usize, 0);
        }
        let mut buffer = ReadBuf::new(&mut this.chunk);
        ready!(Pin::new(&mut this.reader).poll_read(context, &mut buffer))?;
        let count = buffer.filled().len();
        if count == 0 {
            // It has become shorter: what was promised is not there any more.
            return Poll::Ready(Some(Err(io::Error::from(io::ErrorKind::UnexpectedEof).into())));
        }
        this.left -= count as u64;
        let mut chunk = std::mem::take(&mut this.chunk);
        chunk.truncate(count);
        Poll::Ready(Some(Ok(Frame::data(chunk.freeze()))))
    }

    fn is_end_stream(&self) -> bool {
        self.left == 0
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.left)
    }
}
