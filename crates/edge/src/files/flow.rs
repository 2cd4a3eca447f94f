//! A file that is read while it is sent.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use tokio::task::{JoinHandle, spawn_blocking};

use crate::body::Broken;
use crate::crowd;
use crate::door::disk::Reader;

/// What is read at once: enough that reading costs more than asking for it.
const CHUNK: u64 = 128 * 1024;

/// While many visitors read slowly.
const LITTLE: u64 = 8 * 1024;

/// So many bytes of a file.
pub(super) struct Flow {
    state: State,
    left: u64,
}

enum State {
    Idle(Option<Reader>),
    /// A thread that may wait for the disk reads the next piece.
    Reading(JoinHandle<(Reader, std::io::Result<Bytes>)>),
}

impl Flow {
    pub(super) fn new(reader: Reader, length: u64) -> Flow {
        Flow {
            state: State::Idle(Some(reader)),
            left: length,
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
        loop {
            match &mut this.state {
                State::Idle(reader) => {
                    let Some(mut reader) = reader.take().filter(|_| this.left > 0) else {
                        return Poll::Ready(None);
                    };
                    let most = if crowd::is_crowded() { LITTLE } else { CHUNK };
                    let count = this.left.min(most) as usize;
                    this.state = State::Reading(spawn_blocking(move || {
                        let piece = reader.piece(count);
                        (reader, piece)
                    }));
                }
                State::Reading(reading) => {
                    let (reader, piece) = ready!(Pin::new(reading).poll(context))?;
                    this.state = State::Idle(Some(reader));
                    // An error is a file that has become shorter: what was promised is not there any more.
                    let piece = piece?;
                    this.left -= piece.len() as u64;
                    return Poll::Ready(Some(Ok(Frame::data(piece))));
                }
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.left == 0
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.left)
    }
}
