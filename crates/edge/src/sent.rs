//! A visitor's request on its way to an instance, which may have to be sent more than once.
//!
//! A request can be repeated when nobody has got it yet, or when its method says that twice is like once (RFC 9110, 9.2.2)
//! and its body is still there. For such methods a small body is kept while it passes; it is never waited for.
//!
//! It is repeated once and no more: a request that makes its instance fall over would otherwise go round until none is left.

use std::pin::Pin;
use std::sync::atomic::{AtomicU8, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http::request::Parts;
use http::{HeaderMap, Method, Request, Uri, Version};
use http_body::{Body as _, Frame, SizeHint};
use hyper::body::Incoming;

use crate::body::Broken;
use crate::patient::Waiting;
use crate::place::Place;

/// The largest body that is kept.
const KEPT: usize = 64 * 1024;

/// A request that is to be sent.
pub(crate) struct Outgoing {
    pub(crate) method: Method,
    pub(crate) uri: Uri,
    pub(crate) headers: HeaderMap,
    source: Source,
    ended: Arc<Ended>,
    patience: Duration,
    place: Arc<Place>,
    is_repeated: bool,
}

enum Source {
    Nothing,
    Once(Incoming),
    Kept(Arc<Mutex<Kept>>),
    Gone,
}

impl Outgoing {
    pub(crate) fn new(parts: Parts, body: Incoming, place: Arc<Place>, patience: Duration) -> Outgoing {
        let source = if body.is_end_stream() {
            Source::Nothing
        } else if parts.method.is_idempotent() {
            Source::Kept(Arc::new(Mutex::new(Kept::new(body))))
        } else {
            Source::Once(body)
        };
        Outgoing {
            method: parts.method,
            uri: parts.uri,
            headers: parts.headers,
            source,
            ended: Arc::default(),
            patience,
            place,
            is_repeated: false,
        }
    }

    /// The request, to be sent now. What an earlier attempt still holds of the body is cut off.
    pub(crate) fn attempt(&mut self, version: Version) -> Request<Sent> {
        let kind = match std::mem::replace(&mut self.source, Source::Gone) {
            Source::Nothing => {
                self.source = Source::Nothing;
                Kind::Nothing
            }
            Source::Once(body) => Kind::Once(body),
            Source::Kept(kept) => {
                let attempt = lock(&kept).begin();
                self.source = Source::Kept(Arc::clone(&kept));
                Kind::Kept { kept, attempt, at: 0 }
            }
            Source::Gone => Kind::Nothing,
        };
        let mut request = Request::new(Sent {
            kind,
            ended: Arc::clone(&self.ended),
            bytes: 0,
            waiting: Waiting::new(self.patience),
        });
        *request.method_mut() = self.method.clone();
        *request.uri_mut() = self.uri.clone();
        *request.headers_mut() = self.headers.clone();
        *request.version_mut() = version;
        request
    }

    /// Takes back a request that has not been sent.
    pub(crate) fn take_back(&mut self, request: Request<Sent>) {
        if let Kind::Once(body) = request.into_body().kind {
            self.source = Source::Once(body);
        }
    }

    /// Whether the request, which may have arrived, is sent once more. It is asked when that is about to be done.
    pub(crate) fn repeat(&mut self) -> bool {
        let is_there = match &self.source {
            Source::Nothing => true,
            Source::Kept(kept) => !lock(kept).lost,
            Source::Once(_) | Source::Gone => false,
        };
        let may = is_there
            && self.method.is_idempotent()
            && !self.is_repeated
            && self.visitor_ended().is_none()
            && self.place.spend_repetition();
        self.is_repeated |= may;
        may
    }

    /// Where the bytes of its body are counted, if it has one.
    pub(crate) fn passed(&self) -> Option<Arc<Ended>> {
        (!matches!(self.source, Source::Nothing)).then(|| Arc::clone(&self.ended))
    }

    /// How the visitor, not the instance, has ended the request before it was whole.
    pub(crate) fn visitor_ended(&self) -> Option<Early> {
        match self.ended.0.load(Ordering::Relaxed) {
            BROKEN => Some(Early::Broken),
            STALLED => Some(Early::Stalled),
            _ => None,
        }
    }
}

/// How a request has ended before it was whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Early {
    /// Its connection ended, or what came was no body.
    Broken,
    /// Nothing came for too long.
    Stalled,
}

const BROKEN: u8 = 1;
const STALLED: u8 = 2;

/// How the body of a request has passed: how it ended, and how many of its bytes came.
#[derive(Debug, Default)]
pub(crate) struct Ended(AtomicU8, AtomicU64);

impl Ended {
    pub(crate) fn bytes(&self) -> u64 {
        self.1.load(Ordering::Relaxed)
    }
}

/// A body that is kept while it passes.
struct Kept {
    body: Incoming,
    hint: SizeHint,
    parts: Vec<Bytes>,
    trailers: Option<HeaderMap>,
    size: usize,
    ended: bool,
    /// It has become too large, and what has passed is gone.
    lost: bool,
    attempt: u32,
}

impl Kept {
    fn new(body: Incoming) -> Kept {
        Kept {
            hint: body.size_hint(),
            body,
            parts: Vec::new(),
            trailers: None,
            size: 0,
            ended: false,
            lost: false,
            attempt: 0,
        }
    }

    fn begin(&mut self) -> u32 {
        self.attempt += 1;
        self.attempt
    }

    fn poll(
        &mut self,
        at: &mut usize,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Broken>>> {
        if !self.lost
            && let Some(part) = self.parts.get(*at)
        {
            *at += 1;
            return Poll::Ready(Some(Ok(Frame::data(part.clone()))));
        }
        if self.ended {
            let first = !std::mem::replace(at, usize::MAX).eq(&usize::MAX);
            let trailers = self.trailers.clone().filter(|_| first);
            return Poll::Ready(trailers.map(|trailers| Ok(Frame::trailers(trailers))));
        }
        let frame = match std::task::ready!(Pin::new(&mut self.body).poll_frame(context)) {
            None => {
                self.ended = true;
                return Poll::Ready(None);
            }
            Some(Err(error)) => return Poll::Ready(Some(Err(error.into()))),
            Some(Ok(frame)) => frame,
        };
        if let Some(part) = frame.data_ref() {
            self.keep(part.clone());
            *at += 1;
        } else if let Some(trailers) = frame.trailers_ref() {
            self.trailers = Some(trailers.clone());
            self.ended = true;
            *at = usize::MAX;
        }
        Poll::Ready(Some(Ok(frame)))
    }

    fn keep(&mut self, part: Bytes) {
        self.size += part.len();
        if self.size > KEPT {
            self.lost = true;
            self.parts = Vec::new();
        } else {
            self.parts.push(part);
        }
    }
}

/// The body of a request to an instance.
pub(crate) struct Sent {
    kind: Kind,
    ended: Arc<Ended>,
    bytes: u64,
    waiting: Waiting,
}

enum Kind {
    Nothing,
    Once(Incoming),
    Kept {
        kept: Arc<Mutex<Kept>>,
        attempt: u32,
        at: usize,
    },
}

impl http_body::Body for Sent {
    type Data = Bytes;
    type Error = Broken;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Broken>>> {
        let this = &mut *self;
        let frame = match &mut this.kind {
            Kind::Nothing => return Poll::Ready(None),
            Kind::Once(body) => Pin::new(body).poll_frame(context).map_err(Broken::from),
            Kind::Kept { kept, attempt, at } => {
                let mut kept = lock(kept);
                if kept.attempt != *attempt {
                    return Poll::Ready(Some(Err("the request is sent by another connection".into())));
                }
                kept.poll(at, context)
            }
        };
        match &frame {
            Poll::Pending if this.waiting.is_over(context) => {
                this.ended.0.store(STALLED, Ordering::Relaxed);
                return Poll::Ready(Some(Err("nothing more came of the request".into())));
            }
            Poll::Pending => {}
            Poll::Ready(Some(Err(_))) => this.ended.0.store(BROKEN, Ordering::Relaxed),
            Poll::Ready(frame) => {
                this.waiting.ends();
                if let Some(Ok(frame)) = frame
                    && let Some(part) = frame.data_ref()
                {
                    this.bytes += part.len() as u64;
                    // What is sent once more has come once.
                    this.ended.1.fetch_max(this.bytes, Ordering::Relaxed);
                }
            }
        }
        frame
    }

    fn is_end_stream(&self) -> bool {
        match &self.kind {
            Kind::Nothing => true,
            Kind::Once(body) => body.is_end_stream(),
            Kind::Kept { kept, at, .. } => {
                let kept = lock(kept);
                kept.ended && kept.trailers.is_none() && *at >= kept.parts.len()
            }
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.kind {
            Kind::Nothing => SizeHint::with_exact(0),
            Kind::Once(body) => body.size_hint(),
            Kind::Kept { kept, .. } => lock(kept).hint,
        }
    }
}

fn lock(kept: &Mutex<Kept>) -> std::sync::MutexGuard<'_, Kept> {
    kept.lock().unwrap_or_else(PoisonError::into_inner)
}
