//! The body of an answer as an instance sends it; when it has ended, its connection is free for the next request.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};

use crate::body::Broken;
use crate::client::{Changed, Content, Instance, Lease};

/// The body of an answer as an instance sends it.
#[derive(Debug)]
pub(crate) struct Answered(Option<(Content, Lease)>);

impl Answered {
    pub(crate) fn new(content: Content, lease: Lease) -> Answered {
        Answered(Some((content, lease)))
    }

    /// By which a cookie names the instance that answers.
    pub(crate) fn mark(&self) -> Option<u64> {
        self.0.as_ref().map(|(_, lease)| lease.mark())
    }

    /// The instance that answers.
    pub(crate) fn instance(&self) -> Option<Arc<Instance>> {
        self.0.as_ref().map(|(_, lease)| lease.instance())
    }

    /// Takes the connection out of it, which speaks another protocol from here on.
    pub(crate) fn take_changed(&mut self) -> Option<(Changed, Lease)> {
        match self.0.take() {
            Some((Content::Single(link), lease)) => Some((link.into_changed()?, lease)),
            _ => None,
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
        match &mut self.0 {
            Some((Content::Single(link), _)) => link.poll_frame(context),
            Some((Content::Shared(body), _)) => Pin::new(body).poll_frame(context).map_err(Broken::from),
            None => Poll::Ready(None),
        }
    }

    fn is_end_stream(&self) -> bool {
        match &self.0 {
            Some((Content::Single(link), _)) => link.length() == Some(0),
            Some((Content::Shared(body), _)) => body.is_end_stream(),
            None => true,
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.0 {
            Some((Content::Single(link), _)) => {
                link.length().map_or_else(SizeHint::new, SizeHint::with_exact)
            }
            Some((Content::Shared(body), _)) => body.size_hint(),
            None => SizeHint::with_exact(0),
        }
    }
}

impl Drop for Answered {
    fn drop(&mut self) {
        // A body that was not read to its end leaves bytes on the connection: that one is closed.
        if let Some((Content::Single(link), lease)) = self.0.take() {
            lease.give_back(link);
        }
    }
}
