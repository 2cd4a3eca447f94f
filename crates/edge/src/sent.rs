//! A visitor's request on its way to an instance, which may have to be sent more than once.
//!
//! A request can be repeated when nobody has got it yet, or when its method (RFC 9110, 9.2.2) or its `Idempotency-Key` says that
//! twice is like once, and its body is still there. For such methods a small body is kept while it passes; it is never waited for.
//!
//! It is repeated once and no more: a request that makes its instance fall over would otherwise go round until none is left.

use std::io::Write;
use std::pin::Pin;
use std::sync::atomic::{AtomicU8, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http::header::{CONTENT_LENGTH, HeaderMap, HeaderName, HeaderValue, TRAILER, TRANSFER_ENCODING, UPGRADE};
use http::request::Parts;
use http::uri::{Authority, PathAndQuery, Scheme};
use http::{Method, Request, Uri, Version};
use http_body::{Body as _, Frame, SizeHint};
use hyper::body::Incoming;

use crate::body::Broken;
use crate::client::{Framing, line};
use crate::guard::Whole;
use crate::headers::{self, Passing};
use crate::patient::Waiting;
use crate::place::Place;

const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");

/// The largest body that is kept.
const KEPT: usize = 64 * 1024;

/// A request that is to be sent.
pub(crate) struct Outgoing<'r> {
    /// As the visitor sent it.
    asked: &'r Parts,
    /// What the instance is told of the visitor, and the host.
    told: &'r str,
    host: &'r str,
    /// The protocol that it asks to change to.
    protocol: Option<HeaderValue>,
    length: Length,
    source: Source,
    ended: Option<Arc<Ended>>,
    patience: Duration,
    place: &'r Place,
    is_repeated: bool,
    /// The most bytes that its body may have.
    pub(crate) most: Option<u64>,
}

/// What was said of a body before anything of it came.
#[derive(Debug, Clone, Copy)]
enum Length {
    /// There is none, and its length is told where the visitor told it.
    Nothing,
    Known(u64),
    Unknown,
}

enum Source {
    Nothing,
    Once(Incoming, Bytes),
    Kept(Arc<Mutex<Kept>>),
    Gone,
}

impl<'r> Outgoing<'r> {
    pub(crate) fn new(
        (asked, body): (&'r Parts, Incoming),
        (told, host): (&'r str, &'r str),
        protocol: Option<HeaderValue>,
        place: &'r Place,
        patience: Duration,
    ) -> Outgoing<'r> {
        let whole = asked.extensions.get::<Whole>().map(|Whole(bytes)| bytes.clone());
        let is_nothing = whole.is_none() && body.is_end_stream();
        let length = match body.size_hint().exact() {
            _ if whole.is_some() => Length::Known(whole.as_ref().map_or(0, |bytes| bytes.len() as u64)),
            _ if is_nothing => Length::Nothing,
            Some(length) => Length::Known(length),
            None => Length::Unknown,
        };
        let source = if is_nothing {
            Source::Nothing
        } else if let Some(whole) = whole {
            Source::Once(body, whole)
        } else if is_repeatable(asked) {
            Source::Kept(Arc::new(Mutex::new(Kept::new(body, Bytes::new()))))
        } else {
            Source::Once(body, Bytes::new())
        };
        Outgoing {
            asked,
            told,
            host,
            protocol,
            length,
            source,
            ended: (!is_nothing).then(Arc::default),
            patience,
            place,
            is_repeated: false,
            most: None,
        }
    }

    /// Whether twice is like once: its method says so, or the visitor does, who has given it a key to be known by
    /// (draft-ietf-httpapi-idempotency-key-header).
    pub(crate) fn is_repeatable(&self) -> bool {
        is_repeatable(self.asked)
    }

    /// Whether its body may take long to come.
    pub(crate) fn is_large(&self) -> bool {
        match self.length {
            Length::Nothing => false,
            Length::Known(length) => length > KEPT as u64,
            Length::Unknown => true,
        }
    }

    /// A request without a body.
    pub(crate) fn alone(
        asked: &'r Parts,
        (told, host): (&'r str, &'r str),
        place: &'r Place,
        patience: Duration,
    ) -> Outgoing<'r> {
        Outgoing {
            asked,
            told,
            host,
            protocol: None,
            length: Length::Nothing,
            source: Source::Nothing,
            ended: None,
            patience,
            place,
            is_repeated: false,
            most: None,
        }
    }

    pub(crate) fn method(&self) -> &Method {
        &self.asked.method
    }

    fn path(&self) -> &str {
        self.asked.uri.path_and_query().map_or("/", PathAndQuery::as_str)
    }

    /// The body, to be sent now, and how its end is told. What an earlier attempt still holds of it is cut off.
    pub(crate) fn body(&mut self) -> Option<(Sent, Framing)> {
        let framing = match self.length {
            Length::Nothing => return None,
            Length::Known(length) => Framing::Length(length),
            Length::Unknown => Framing::Chunks,
        };
        Some((self.sent(), framing))
    }

    fn sent(&mut self) -> Sent {
        let kind = match std::mem::replace(&mut self.source, Source::Gone) {
            Source::Nothing => {
                self.source = Source::Nothing;
                Kind::Nothing
            }
            Source::Once(body, first) => Kind::Once(body, first),
            Source::Kept(kept) => {
                let attempt = lock(&kept).begin();
                self.source = Source::Kept(Arc::clone(&kept));
                Kind::Kept { kept, attempt, at: 0 }
            }
            Source::Gone => Kind::Nothing,
        };
        Sent {
            kind,
            ended: self.ended.clone(),
            bytes: 0,
            waiting: Waiting::new(self.patience),
            left: self.most,
        }
    }

    /// Writes the head as it stands on the wire.
    pub(crate) fn write_head(&self, head: &mut Vec<u8>) {
        let headers = &self.asked.headers;
        let passing = Passing::of(headers);
        head.extend_from_slice(self.asked.method.as_str().as_bytes());
        head.push(b' ');
        head.extend_from_slice(self.path().as_bytes());
        head.extend_from_slice(b" HTTP/1.1\r\n");
        head.extend_from_slice(self.told.as_bytes());
        for (name, value) in passing.rows() {
            line(head, name.as_str(), value.as_bytes());
        }
        for (name, value) in headers::known(&self.asked.extensions) {
            line(head, name, value.as_bytes());
        }
        if passing.wants_trailers() {
            head.extend_from_slice(b"te: trailers\r\n");
        }
        if let Some(protocol) = &self.protocol {
            head.extend_from_slice(b"connection: upgrade\r\n");
            line(head, UPGRADE.as_str(), protocol.as_bytes());
        }
        let is_told = headers.contains_key(CONTENT_LENGTH) && !headers.contains_key(TRANSFER_ENCODING);
        match self.length {
            Length::Nothing if is_told => head.extend_from_slice(b"content-length: 0\r\n"),
            Length::Nothing => {}
            // Memory takes everything.
            Length::Known(length) => drop(write!(head, "content-length: {length}\r\n")),
            Length::Unknown => head.extend_from_slice(b"transfer-encoding: chunked\r\n"),
        }
        head.extend_from_slice(b"\r\n");
    }

    /// The trailers that the visitor has announced.
    pub(crate) fn announced(&self) -> Vec<HeaderName> {
        let said = self.asked.headers.get_all(TRAILER).iter();
        let names = said.flat_map(|said| said.to_str().unwrap_or_default().split(','));
        names
            .filter_map(|name| HeaderName::try_from(name.trim()).ok())
            .collect()
    }

    /// The request as a whole, for an instance that is spoken to in HTTP/2.
    pub(crate) fn request(&mut self) -> Request<Sent> {
        let mut request = Request::new(self.sent());
        let mut uri = http::uri::Parts::default();
        uri.path_and_query =
            Some(PathAndQuery::try_from(self.path()).unwrap_or(PathAndQuery::from_static("/")));
        uri.authority = Authority::try_from(self.host).ok();
        uri.scheme = uri.authority.is_some().then_some(Scheme::HTTP);
        *request.uri_mut() = Uri::from_parts(uri).unwrap_or_default();
        *request.method_mut() = self.asked.method.clone();
        *request.version_mut() = Version::HTTP_2;
        *request.headers_mut() =
            headers::toward_instance(&self.asked.headers, self.told, &self.asked.extensions);
        request
    }

    /// Takes back the body of a request that has not been sent.
    pub(crate) fn take_back(&mut self, body: Sent) {
        if let Kind::Once(body, first) = body.kind {
            self.source = Source::Once(body, first);
        }
    }

    /// Whether the request, which may have arrived, is sent once more. It is asked when that is about to be done.
    pub(crate) fn repeat(&mut self) -> bool {
        let may = self.is_there()
            && is_repeatable(self.asked)
            && !self.is_repeated
            && self.visitor_ended().is_none()
            && self.place.spend_repetition();
        self.is_repeated |= may;
        may
    }

    /// Keeps the beginning of its body in any case, for an instance that may give a request back: one that is spoken to in
    /// HTTP/2 does so with whatever comes when it stops.
    pub(crate) fn hold(&mut self) {
        self.source = match std::mem::replace(&mut self.source, Source::Gone) {
            Source::Once(body, first) => Source::Kept(Arc::new(Mutex::new(Kept::new(body, first)))),
            other => other,
        };
    }

    /// Whether the request, for which an instance has done nothing, is sent once more, whatever its method.
    pub(crate) fn again(&mut self) -> bool {
        let may = self.is_there() && !self.is_repeated && self.visitor_ended().is_none();
        self.is_repeated |= may;
        may
    }

    /// Whether there is still all of it.
    fn is_there(&self) -> bool {
        match &self.source {
            Source::Nothing => true,
            Source::Kept(kept) => !lock(kept).lost,
            Source::Once(..) | Source::Gone => false,
        }
    }

    /// Where the bytes of its body are counted, if it has one.
    pub(crate) fn passed(&self) -> Option<Arc<Ended>> {
        self.ended.clone()
    }

    /// How the visitor, not the instance, has ended the request before it was whole.
    pub(crate) fn visitor_ended(&self) -> Option<Early> {
        match self.ended.as_ref()?.0.load(Ordering::Relaxed) {
            BROKEN => Some(Early::Broken),
            STALLED => Some(Early::Stalled),
            LARGE => Some(Early::Large),
            _ => None,
        }
    }
}

fn is_repeatable(asked: &Parts) -> bool {
    asked.method.is_idempotent()
        || asked
            .headers
            .get(IDEMPOTENCY_KEY)
            .is_some_and(|key| !key.is_empty())
}

/// How a request has ended before it was whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Early {
    /// Its connection ended, or what came was no body.
    Broken,
    /// Nothing came for too long.
    Stalled,
    /// More came than may.
    Large,
}

const BROKEN: u8 = 1;
const STALLED: u8 = 2;
const LARGE: u8 = 3;

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
    /// A body, and what was taken of it already.
    fn new(body: Incoming, first: Bytes) -> Kept {
        let hint = match first.is_empty() {
            true => body.size_hint(),
            false => SizeHint::default(),
        };
        let mut kept = Kept {
            hint,
            body,
            parts: Vec::new(),
            trailers: None,
            size: 0,
            ended: false,
            lost: false,
            attempt: 0,
        };
        if !first.is_empty() {
            kept.size = first.len();
            kept.parts.push(first);
        }
        kept
    }

    fn begin(&mut self) -> u32 {
        self.attempt += 1;
        self.attempt
    }

    fn poll(
        &mut self,
        (at, is_last): (&mut usize, bool),
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
            match is_last {
                true => self.lose(),
                false => self.keep(part.clone()),
            }
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
            self.lose();
        } else {
            self.parts.push(part);
        }
    }

    fn lose(&mut self) {
        self.lost = true;
        self.parts = Vec::new();
    }
}

/// The body of a request to an instance.
pub(crate) struct Sent {
    kind: Kind,
    ended: Option<Arc<Ended>>,
    bytes: u64,
    waiting: Waiting,
    /// How many bytes may still come, where they are counted.
    left: Option<u64>,
}

enum Kind {
    Nothing,
    /// A body that passes, and what was taken of it and has not been sent.
    Once(Incoming, Bytes),
    Kept {
        kept: Arc<Mutex<Kept>>,
        attempt: u32,
        at: usize,
    },
}

impl Sent {
    /// Puts back what was taken last and has not been sent.
    pub(crate) fn put_back(&mut self, taken: Bytes) {
        if let Kind::Once(_, first) = &mut self.kind {
            *first = taken;
        }
    }

    fn ends(&self, how: u8) {
        if let Some(ended) = &self.ended {
            ended.0.store(how, Ordering::Relaxed);
        }
    }

    /// Whether what has come so far is no more than may come.
    fn fits(&mut self, frame: &Frame<Bytes>) -> bool {
        let (Some(left), Some(part)) = (&mut self.left, frame.data_ref()) else {
            return true;
        };
        let after = left.checked_sub(part.len() as u64);
        *left = after.unwrap_or(0);
        after.is_some()
    }
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
            Kind::Once(_, first) if !first.is_empty() => {
                return Poll::Ready(Some(Ok(Frame::data(std::mem::take(first)))));
            }
            Kind::Once(body, _) => Pin::new(body).poll_frame(context).map_err(Broken::from),
            Kind::Kept { kept, attempt, at } => {
                // When its answer has begun, nobody sends it again.
                let is_last = Arc::strong_count(kept) == 1;
                let mut kept = lock(kept);
                if kept.attempt != *attempt {
                    return Poll::Ready(Some(Err("the request is sent by another connection".into())));
                }
                kept.poll((at, is_last), context)
            }
        };
        match &frame {
            Poll::Pending if this.waiting.is_over(context) => {
                this.ends(STALLED);
                return Poll::Ready(Some(Err("nothing more came of the request".into())));
            }
            Poll::Pending => {}
            Poll::Ready(Some(Err(_))) => this.ends(BROKEN),
            Poll::Ready(Some(Ok(frame))) if !this.fits(frame) => {
                this.ends(LARGE);
                return Poll::Ready(Some(Err("the request is larger than it may be".into())));
            }
            Poll::Ready(frame) => {
                this.waiting.ends();
                if let (Some(Ok(frame)), Some(ended)) = (frame, &this.ended)
                    && let Some(part) = frame.data_ref()
                {
                    this.bytes += part.len() as u64;
                    // What is sent once more has come once.
                    ended.1.fetch_max(this.bytes, Ordering::Relaxed);
                }
            }
        }
        frame
    }

    fn is_end_stream(&self) -> bool {
        match &self.kind {
            Kind::Nothing => true,
            Kind::Once(body, first) => first.is_empty() && body.is_end_stream(),
            Kind::Kept { kept, at, .. } => {
                let kept = lock(kept);
                kept.ended && kept.trailers.is_none() && *at >= kept.parts.len()
            }
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.kind {
            Kind::Nothing => SizeHint::with_exact(0),
            Kind::Once(body, first) if first.is_empty() => body.size_hint(),
            Kind::Once(..) => SizeHint::default(),
            Kind::Kept { kept, .. } => lock(kept).hint,
        }
    }
}

fn lock(kept: &Mutex<Kept>) -> std::sync::MutexGuard<'_, Kept> {
    kept.lock().unwrap_or_else(PoisonError::into_inner)
}
