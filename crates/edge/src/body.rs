//! The body of an answer to a visitor.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body::{Frame, SizeHint};

use crate::answered::Answered;
use crate::crowd::{self, Outlet, Stream};
use crate::patient::Turn;
use crate::place::Open;
use crate::seen::{Facts, Witness};

/// Why a body broke off.
pub(crate) type Broken = Box<dyn std::error::Error + Send + Sync>;

/// A body that is made while it is sent.
pub(crate) type Flow = Pin<Box<dyn http_body::Body<Data = Bytes, Error = Broken> + Send>>;

/// The body of an answer to a visitor, and with it the count of the request, which is open as long as this is.
pub(crate) struct Body {
    kind: Kind,
    open: Option<Open>,
    witness: Option<Witness>,
    stream: Option<Stream>,
    turn: Option<Turn>,
    outlet: Option<Arc<Outlet>>,
    /// Its last bytes are written before more are read.
    rests: bool,
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
        Body {
            kind,
            open: None,
            witness: None,
            stream: None,
            turn: None,
            outlet: None,
            rests: false,
        }
    }

    /// Other bytes, for the same request.
    pub(crate) fn instead(self, bytes: Bytes) -> Body {
        Body {
            kind: Kind::Whole(Some(bytes).filter(|bytes| !bytes.is_empty())),
            ..self
        }
    }

    /// The request is open until this body has ended.
    pub(crate) fn counted(mut self, open: Open) -> Body {
        self.open = Some(open);
        self
    }

    /// What is known of the answer where it was made.
    pub(crate) fn facts(&mut self) -> Option<&mut Facts> {
        self.open.as_mut().map(|open| &mut open.facts)
    }

    /// It is on a stream of HTTP/2, as long as it is there.
    pub(crate) fn is_on(&mut self, stream: Stream) {
        self.stream = Some(stream);
    }

    /// The next request of its connection is waited for when it has ended.
    pub(crate) fn has_turn(&mut self, turn: Turn) {
        self.turn = Some(turn);
    }

    /// It goes out over this connection, which may be slow.
    pub(crate) fn goes_out(mut self, outlet: &Arc<Outlet>) -> Body {
        self.outlet = Some(Arc::clone(outlet));
        self
    }

    /// Whether more has to wait, because many visitors read slowly.
    fn has_to_rest(&mut self, context: &mut Context<'_>) -> bool {
        let Some(outlet) = self.outlet.as_ref().filter(|_| crowd::is_crowded()) else {
            return false;
        };
        if std::mem::take(&mut self.rests) {
            context.waker().wake_by_ref();
            return true;
        }
        outlet.has_to_wait(context)
    }

    /// The request is seen until this body has ended.
    pub(crate) fn seen(mut self, witness: Witness) -> Body {
        self.witness = Some(witness);
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
        if self.has_to_rest(context) {
            return Poll::Pending;
        }
        let frame = match &mut self.kind {
            Kind::Whole(bytes) => Poll::Ready(bytes.take().map(|bytes| Ok(Frame::data(bytes)))),
            Kind::Answered(answered) => Pin::new(answered).poll_frame(context),
            Kind::Flow(flow) => flow.as_mut().poll_frame(context),
        };
        self.rests = frame.is_ready();
        if let (Poll::Ready(Some(frame)), Some(witness)) = (&frame, &mut self.witness) {
            match frame {
                Ok(frame) => witness.sends(frame.data_ref().map_or(0, Bytes::len)),
                Err(_) => witness.is_cut(),
            }
        }
        frame
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
