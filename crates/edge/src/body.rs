//! The body of an answer to a visitor.

use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body::{Frame, SizeHint};

use crate::answered::Answered;
use crate::place::Open;

/// Why a body broke off.
pub(crate) type Broken = Box<dyn std::error::Error + Send + Sync>;

/// A body that is made while it is sent.
pub(crate) type Flow = Pin<Box<dyn http_body::Body<Data = Bytes, Error = Broken> + Send>>;

/// The body of an answer to a visitor, and with it the count of the request, which is open as long as this is.
pub(crate) struct Body {
    kind: Kind,
    _open: Option<Open>,
}

enum Kind {
    Whole(Option<Bytes>),
    Answered(Answered),
    Flow(Flow),
}

impl Body {
    pub(crate) fn empty() -> Body {
        Body::of(Kind::Whole(None))
    }

    pub(crate) fn whole(bytes: impl Into<Bytes>) -> Body {
        Body::of(Kind::Whole(Some(bytes.into()).filter(|bytes| !bytes.is_empty())))
    }

    /// The body as an instance sends it.
    pub(crate) fn answered(answered: Answered) -> Body {
        Body::of(Kind::Answered(answered))
    }

    pub(crate) fn flow(flow: impl http_body::Body<Data = Bytes, Error = Broken> + Send + 'static) -> Body {
        Body::of(Kind::Flow(Box::pin(flow)))
    }

    fn of(kind: Kind) -> Body {
        Body { kind, _open: None }
    }

    /// The request is open until this body has ended.
    pub(crate) fn counted(mut self, open: Open) -> Body {
        self._open = Some(open);
        self
    }
}

impl http_body::Body for Body {
    type Data = Bytes;
    type Error = Broken;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Broken>>> {
        match &mut self.kind {
            Kind::Whole(bytes) => Poll::Ready(bytes.take().map(|bytes| Ok(Frame::data(bytes)))),
            Kind::Answered(answered) => Pin::new(answered).poll_frame(context),
            Kind::Flow(flow) => flow.as_mut().poll_frame(context),
        }
    }

    fn is_end_stream(&self) -> bool {
        match &self.kind {
            Kind::Whole(bytes) => bytes.is_none(),
            Kind::Answered(answered) => answered.is_end_stream(),
            Kind::Flow(flow) => flow.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.kind {
            Kind::Whole(bytes) => SizeHint::with_exact(bytes.as_ref().map_or(0, |bytes| bytes.len() as u64)),
            Kind::Answered(answered) => answered.size_hint(),
            Kind::Flow(flow) => flow.size_hint(),
        }
    }
}
