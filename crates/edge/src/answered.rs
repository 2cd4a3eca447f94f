//! The body of an answer as an instance sends it; when it has ended, its connection is free for the next request.

use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use hyper::body::Incoming;

use crate::body::Broken;
use crate::client::Lease;

/// The body of an answer as an instance sends it.
pub(crate) struct Answered {
    body: Incoming,
    lease: Option<Lease>,
}

impl Answered {
    pub(crate) fn new(body: Incoming, lease: Lease) -> Answered {
        Answered {
            body,
            lease: Some(lease),
        }
    }
}

impl Body for Answered {
    type Data = Bytes;
    type Error = Broken;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Broken>>> {
        Pin::new(&mut self.body).poll_frame(context).map_err(Broken::from)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

impl Drop for Answered {
    fn drop(&mut self) {
        // A body that was not read to its end leaves bytes on the connection: that one is closed by its lease.
        if self.body.is_end_stream()
            && let Some(lease) = self.lease.take()
        {
            lease.give_back();
        }
    }
}
