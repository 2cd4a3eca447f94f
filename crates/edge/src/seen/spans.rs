//! Spans of requests, where they go somewhere: to a collector, by OpenTelemetry's protocol.
//!
//! **Which.** A visitor's trace that says it is recorded is, and one that says it is not is not. Of the traces that begin here
//! a share is recorded, and what goes on to an instance says which; so a trace is whole or not there.
//!
//! **What a request pays.** Where spans go nowhere, a look at one bit. Where they do, one allocation and some hundred
//! nanoseconds for writing it down. No request waits: what is written waits in a queue for whoever sends it, and where that
//! is full it is dropped, and counted.
//!
//! **When a collector does not take them** they are offered again, each time after twice as long, as the standard has it; not
//! for ever, for what comes meanwhile waits, too.

mod collector;
mod encode;

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::Duration;

use http::header::{HOST, HeaderMap, HeaderName, HeaderValue};
use http::request::Parts;
use http::{Method, Uri, Version};
use tokio::sync::{mpsc, oneshot};
use tokio::time::{sleep, timeout};
use towpath_model::run::{SPANS_HEADERS, SPANS_OF, SPANS_SHARE, SPANS_TO};
use towpath_model::sealed::Sealed;

use super::line::{Ended, network};
use super::snapshot::SpanCounts;
use super::trace::{TRACESTATE, Trace};
use crate::door::clock;
use crate::visit::Visit;
use collector::Collector;
use encode::Message;

/// So many wait to be sent: about a megabyte.
const WAITING: usize = 2_048;

/// So many are sent in one go, as OpenTelemetry's own programs do.
const TOGETHER: usize = 512;

/// How long the first of them waits for others.
const GATHERS: Duration = Duration::from_secs(1);

/// The first wait before they are offered again; each further one is twice as long.
const AGAIN: Duration = Duration::from_secs(1);

/// How often they are offered. With the waits between that is half a minute.
const OFFERS: u32 = 5;

/// How long the end waits for what has not been sent.
const LAST: Duration = Duration::from_millis(500);

/// A server, in the words of the protocol.
const SERVER: u64 = 2;
const ERROR: u64 = 2;

/// Texts that visitors choose are cut off.
const LONGEST: usize = 512;

type Values = BTreeMap<String, Sealed<String>>;

/// Where spans go, if they go anywhere.
#[derive(Debug, Default)]
pub(crate) struct Spans {
    is_on: AtomicBool,
    line: RwLock<Option<Arc<Line>>>,
    counts: Arc<Counts>,
}

#[derive(Debug, Default)]
struct Counts {
    sent: AtomicU64,
    dropped: AtomicU64,
    because: Mutex<Option<String>>,
}

/// The way to one collector.
#[derive(Debug)]
struct Line {
    /// What it was made of.
    values: Values,
    share: f64,
    to: mpsc::Sender<Offer>,
}

enum Offer {
    Span(Vec<u8>),
    /// Everything before this has been offered when it is answered.
    Sent(oneshot::Sender<()>),
}

impl Spans {
    /// Learns where spans go from now on, among the values that the edge may know.
    pub(crate) fn know(&self, product: &str, all: &Values) {
        let names = [SPANS_TO, SPANS_HEADERS, SPANS_SHARE, SPANS_OF];
        let known = names
            .iter()
            .filter_map(|name| Some(((*name).to_owned(), all.get(*name)?.clone())));
        let values: Values = known.collect();
        let mut line = self.line.write().unwrap_or_else(PoisonError::into_inner);
        let is_same = |line: &Arc<Line>| {
            let pairs = line.values.iter().zip(&values);
            line.values.len() == values.len()
                && pairs
                    .into_iter()
                    .all(|(one, other)| one.0 == other.0 && one.1.open() == other.1.open())
        };
        if line.as_ref().is_some_and(is_same) {
            return;
        }
        *line = self.begin_line(product, values).map(Arc::new);
        self.is_on.store(line.is_some(), Ordering::Relaxed);
    }

    /// A way to a collector; nothing where none is named.
    fn begin_line(&self, product: &str, values: Values) -> Option<Line> {
        let said = |name: &str| values.get(name).map(|value| value.open().as_str());
        let to: Uri = said(SPANS_TO)?.parse().ok()?;
        // A word alone would be read as a host.
        to.scheme().and(to.host())?;
        let share = said(SPANS_SHARE).and_then(|share| share.parse::<f64>().ok());
        let (sender, offers) = mpsc::channel(WAITING);
        let sends = Sends {
            collector: Collector::new(to, headers(said(SPANS_HEADERS).unwrap_or_default())),
            product: product.to_owned(),
            environment: said(SPANS_OF).unwrap_or_default().to_owned(),
            counts: Arc::clone(&self.counts),
        };
        tokio::spawn(sends.send_all(offers));
        Some(Line {
            share: share.unwrap_or(1.0).clamp(0.0, 1.0),
            to: sender,
            values,
        })
    }

    fn line(&self) -> Option<Arc<Line>> {
        if !self.is_on.load(Ordering::Relaxed) {
            return None;
        }
        let line = self.line.read().unwrap_or_else(PoisonError::into_inner);
        line.as_ref().map(Arc::clone)
    }

    /// A request begins. Its trace is said in its headers from here on; and where it is recorded, its span begins.
    pub(super) fn begin(&self, visit: &Visit, parts: &mut Parts) -> (Trace, Option<Box<Span>>) {
        let Some(line) = self.line() else {
            return (Trace::pass(&mut parts.headers, 1.0), None);
        };
        let trace = Trace::pass(&mut parts.headers, line.share);
        let span = trace.is_recorded().then(|| {
            Box::new(Span {
                line,
                counts: Arc::clone(&self.counts),
                trace,
                at: clock::since_epoch(),
                method: parts.method.clone(),
                uri: parts.uri.clone(),
                version: parts.version,
                host: parts.headers.get(HOST).cloned(),
                state: parts.headers.get(TRACESTATE).cloned(),
                from: visit.from.ip(),
                secure: visit.secure,
            })
        });
        (trace, span)
    }

    /// What has become of spans; nothing where they have never gone anywhere.
    pub(super) fn read(&self) -> Option<SpanCounts> {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        let counts = SpanCounts {
            sent: read(&self.counts.sent),
            dropped: read(&self.counts.dropped),
            because: self.counts.because().clone(),
        };
        (self.is_on.load(Ordering::Relaxed) || counts != SpanCounts::default()).then_some(counts)
    }

    /// Waits until everything has been offered, and not for long.
    pub(crate) async fn are_sent(&self) {
        let Some(line) = self.line() else { return };
        let (sent, is_sent) = oneshot::channel();
        let _ = timeout(LAST, async {
            if line.to.send(Offer::Sent(sent)).await.is_ok() {
                let _ = is_sent.await;
            }
        })
        .await;
    }
}

impl Counts {
    fn because(&self) -> std::sync::MutexGuard<'_, Option<String>> {
        self.because.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Headers as OpenTelemetry writes them in one variable. What is none is passed over, and none of them is ever shown.
fn headers(text: &str) -> HeaderMap {
    let pairs = text.split(',').filter_map(|pair| pair.split_once('='));
    let pairs = pairs.filter_map(|(name, value)| {
        let mut value = HeaderValue::try_from(value.trim().replace("%20", " ")).ok()?;
        value.set_sensitive(true);
        Some((HeaderName::try_from(name.trim()).ok()?, value))
    });
    pairs.collect()
}

/// The span of one request, from its head on. All that it holds is shared with the request, not copied.
#[derive(Debug)]
pub(super) struct Span {
    line: Arc<Line>,
    counts: Arc<Counts>,
    trace: Trace,
    at: Duration,
    method: Method,
    uri: Uri,
    version: Version,
    host: Option<HeaderValue>,
    state: Option<HeaderValue>,
    from: IpAddr,
    secure: bool,
}

impl Span {
    /// The request has ended.
    pub(super) fn end(self, ended: &Ended) {
        let written = self.write(ended);
        if self.line.to.try_send(Offer::Span(written)).is_err() {
            self.counts.dropped.fetch_add(1, Ordering::Relaxed);
        }
    }

    fn write(&self, ended: &Ended) -> Vec<u8> {
        let nanos = |at: Duration| u64::try_from(at.as_nanos()).unwrap_or(u64::MAX);
        let series = ended.series.as_deref();
        let route = series.map_or("", |series| &series.route);
        let method = cut(self.method.as_str());
        let mut span = Message(Vec::with_capacity(512));
        span.bytes(1, &self.trace.trace.to_be_bytes());
        span.bytes(2, &self.trace.parent.to_be_bytes());
        let state = self.state.as_ref().and_then(|state| state.to_str().ok());
        span.text(3, cut(state.unwrap_or_default()));
        if let Some(above) = self.trace.above {
            span.bytes(4, &above.to_be_bytes());
        }
        span.text(5, format!("{method} {route}").trim_end());
        span.number(6, SERVER);
        span.fixed(7, nanos(self.at));
        span.fixed(8, nanos(self.at + ended.whole));
        self.attributes(&mut span, (method, route), ended);
        let is_error = ended.is_cut || ended.status.is_some_and(|status| status.is_server_error());
        if is_error {
            span.within(15, |status| {
                status.text(2, if ended.is_cut { "the answer broke off" } else { "" });
                status.number(3, ERROR);
            });
        }
        span.small(16, u32::from(self.trace.flags));
        span.0
    }

    /// What the conventions for HTTP servers name, and what only we know.
    fn attributes(&self, span: &mut Message, (method, route): (&str, &str), ended: &Ended) {
        const ATTRIBUTE: u64 = 9;
        let host = self.host.as_ref().and_then(|host| host.to_str().ok());
        let host = host.or(self.uri.host()).unwrap_or_default();
        let (name, port) = match host.rsplit_once(':') {
            Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => (name, port),
            _ => (host, ""),
        };
        let version = match self.version {
            Version::HTTP_2 => "2",
            Version::HTTP_10 => "1.0",
            _ => "1.1",
        };
        let series = ended.series.as_deref();
        let instance = ended
            .instance
            .as_ref()
            .map_or("", |instance| instance.id.as_str());
        for (key, text) in [
            ("http.request.method", method),
            ("http.route", route),
            ("url.scheme", if self.secure { "https" } else { "http" }),
            ("url.path", cut(self.uri.path())),
            ("server.address", cut(name)),
            ("client.address", &network(self.from)),
            ("network.protocol.version", version),
            ("towpath.component", series.map_or("", |series| &series.component)),
            (
                "towpath.release",
                series.and_then(|series| series.release.as_deref()).unwrap_or(""),
            ),
            ("towpath.instance", instance),
        ] {
            span.says(ATTRIBUTE, key, text);
        }
        for (key, number) in [
            (
                "http.response.status_code",
                ended.status.map(|status| u64::from(status.as_u16())),
            ),
            ("server.port", port.parse().ok()),
            (
                "http.request.body.size",
                Some(ended.received).filter(|count| *count > 0),
            ),
            ("http.response.body.size", Some(ended.sent)),
            (
                "towpath.failures",
                Some(u64::from(ended.failures)).filter(|count| *count > 0),
            ),
        ] {
            if let Some(number) = number {
                span.counts(ATTRIBUTE, key, number);
            }
        }
    }
}

fn cut(text: &str) -> &str {
    &text[..text.floor_char_boundary(LONGEST)]
}

/// Who sends spans.
struct Sends {
    collector: Collector,
    product: String,
    environment: String,
    counts: Arc<Counts>,
}

impl Sends {
    /// Sends until nobody can offer any more.
    async fn send_all(mut self, mut offers: mpsc::Receiver<Offer>) {
        let mut spans = Vec::new();
        let mut waiting = Vec::new();
        while let Some(first) = offers.recv().await {
            let mut next = Some(first);
            let mut gathers = std::pin::pin!(sleep(GATHERS));
            while let Some(offer) = next.take() {
                match offer {
                    Offer::Span(span) => spans.push(span),
                    Offer::Sent(sent) => waiting.push(sent),
                }
                if spans.len() < TOGETHER && waiting.is_empty() {
                    tokio::select! {
                        offer = offers.recv() => next = offer,
                        () = &mut gathers => {}
                    }
                }
            }
            self.send(&mut spans).await;
            for sent in waiting.drain(..) {
                // Whoever does not wait any more needs no answer.
                let _ = sent.send(());
            }
        }
    }

    async fn send(&mut self, spans: &mut Vec<Vec<u8>>) {
        if spans.is_empty() {
            return;
        }
        let count = spans.len() as u64;
        let message = encode::request(&self.product, &self.environment, spans);
        spans.clear();
        let mut wait = AGAIN;
        for _ in 1..OFFERS {
            match self.collector.take(message.clone()).await {
                Ok(()) => return self.taken(count),
                Err(refused) => {
                    *self.counts.because() = Some(refused.why);
                    let Some(least) = refused.again else {
                        return self.dropped(count);
                    };
                    sleep(wait.max(least)).await;
                    wait *= 2;
                }
            }
        }
        match self.collector.take(message).await {
            Ok(()) => self.taken(count),
            Err(refused) => {
                *self.counts.because() = Some(refused.why);
                self.dropped(count);
            }
        }
    }

    fn taken(&self, count: u64) {
        self.counts.sent.fetch_add(count, Ordering::Relaxed);
        *self.counts.because() = None;
    }

    fn dropped(&self, count: u64) {
        self.counts.dropped.fetch_add(count, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_are_read_as_opentelemetry_writes_them_and_never_shown() {
        let read = headers("Authorization=Bearer%20HUSH, x-team = a,nonsense,b@d=1");
        assert_eq!(read.len(), 2);
        assert_eq!(read["authorization"], "Bearer HUSH");
        assert_eq!(read["x-team"], "a");
        assert!(!format!("{read:?}").contains("HUSH"));
    }

    #[tokio::test]
    async fn spans_go_nowhere_until_an_address_is_known_and_nowhere_again_after() {
        let spans = Spans::default();
        let sealed = |text: &str| Sealed::new(text.to_owned());
        assert_eq!((spans.line().is_none(), spans.read()), (true, None));
        let to = BTreeMap::from([(SPANS_TO.to_owned(), sealed("http://127.0.0.1:1/v1/traces"))]);
        spans.know("shop", &to);
        let first = spans.line().expect("they go somewhere");
        spans.know("shop", &to);
        assert!(
            Arc::ptr_eq(&first, &spans.line().expect("they still do")),
            "nothing has changed"
        );
        let mut fewer = to.clone();
        fewer.insert(SPANS_SHARE.to_owned(), sealed("0.25"));
        spans.know("shop", &fewer);
        assert_eq!(spans.line().map(|line| line.share), Some(0.25));
        spans.know(
            "shop",
            &BTreeMap::from([(SPANS_TO.to_owned(), sealed("nonsense"))]),
        );
        assert!(spans.line().is_none());
    }
}
