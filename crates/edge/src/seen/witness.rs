//! Who sees one request, from its head to the end of its answer.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use http::request::Parts;
use http::{HeaderValue, Response, StatusCode};

use super::line::{Ended, Line};
use super::spans::Span;
use super::{Seen, Series};
use crate::body::Body;
use crate::cache::Source;
use crate::client::Instance;
use crate::door::clock;
use crate::sent;
use crate::visit::Visit;

/// What is known of an answer where it is made, and nowhere else.
#[derive(Debug, Default)]
pub(crate) struct Facts {
    /// A file or an instance has answered, and not the edge in its place.
    pub(crate) is_theirs: bool,
    /// The release that answered, or should have.
    pub(crate) release: Option<Arc<str>>,
    /// The instance that answered.
    pub(crate) instance: Option<Arc<Instance>>,
    /// How many instances had failed before.
    pub(crate) failures: u32,
    /// How it came about, where answers are kept.
    pub(crate) source: Option<Source>,
    /// The body of the request, while it passes.
    pub(crate) passed: Option<Arc<sent::Ended>>,
}

/// Who sees a request. It tells what it has seen when it is dropped.
#[derive(Debug)]
pub(crate) struct Witness {
    began: Instant,
    /// Until the head of the answer was there.
    first: Option<Duration>,
    status: StatusCode,
    series: Option<Arc<Series>>,
    facts: Facts,
    sent: u64,
    is_cut: bool,
    line: Option<Box<Line>>,
    span: Option<Box<Span>>,
    /// It is for the edge itself: nothing of it is counted.
    is_aside: bool,
}

impl Witness {
    /// A request begins. What it is part of is said in its headers from here on.
    pub(crate) fn begin(seen: &Seen, visit: &Visit, parts: &mut Parts, id: &HeaderValue) -> Witness {
        let (trace, span) = seen.spans.begin(visit, parts);
        Witness {
            began: clock::now(),
            first: None,
            status: StatusCode::OK,
            series: None,
            facts: Facts::default(),
            sent: 0,
            is_cut: false,
            line: seen
                .log()
                .map(|log| Line::begin(log, visit, parts, id, trace.trace)),
            span,
            is_aside: false,
        }
    }

    /// It is clear for whom the request is.
    pub(crate) fn reached(&mut self, series: Arc<Series>) {
        self.series = Some(series);
    }

    /// The request is for the edge itself. What browsers tell by themselves gets no line.
    pub(crate) fn is_aside(&mut self) {
        self.is_aside = true;
        (self.line, self.span) = (None, None);
    }

    /// The head of the answer is there. The witness stays with the body until that has ended.
    pub(crate) fn answered(mut self, seen: &Seen, mut response: Response<Body>) -> Response<Body> {
        let first = clock::now().duration_since(self.began);
        self.first = Some(first);
        self.status = response.status();
        if let Some(facts) = response.body_mut().facts() {
            self.facts = std::mem::take(facts);
        }
        if let Some((release, series)) = self.facts.release.take().zip(self.series.as_ref()) {
            self.series = Some(series.of_release(&release, seen));
        }
        match &self.series {
            Some(series) => {
                series.answered(self.status);
                series.first.count(first);
                if let Some(source) = self.facts.source {
                    series.came(source);
                }
                if !self.facts.is_theirs && self.status != StatusCode::SWITCHING_PROTOCOLS {
                    series.refusals.count(self.status);
                }
            }
            None if self.is_aside => {}
            None => seen.nowhere(self.status),
        }
        response.map(|body| body.seen(self))
    }

    /// Bytes of the answer go out.
    pub(crate) fn sends(&mut self, count: usize) {
        self.sent += count as u64;
    }

    /// The answer breaks off.
    pub(crate) fn is_cut(&mut self) {
        self.is_cut = true;
    }
}

impl Drop for Witness {
    fn drop(&mut self) {
        let whole = clock::now().duration_since(self.began);
        let received = self.facts.passed.as_ref().map_or(0, |passed| passed.bytes());
        if let Some(series) = &self.series {
            match self.first {
                // What it changed to is no answer, and may be open for days.
                Some(_) if self.status == StatusCode::SWITCHING_PROTOCOLS => {}
                Some(_) => series.whole.count(whole),
                None => drop(series.gone.fetch_add(1, Ordering::Relaxed)),
            }
            if self.is_cut {
                series.cut.fetch_add(1, Ordering::Relaxed);
            }
            if received > 0 {
                series.received.fetch_add(received, Ordering::Relaxed);
            }
            if self.sent > 0 {
                series.sent.fetch_add(self.sent, Ordering::Relaxed);
            }
        }
        let (line, span) = (self.line.take(), self.span.take());
        if line.is_some() || span.is_some() {
            let ended = Ended {
                status: self.first.map(|_| self.status),
                first: self.first,
                whole,
                received,
                sent: self.sent,
                is_cut: self.is_cut,
                failures: self.facts.failures,
                source: self.facts.source,
                series: self.series.take(),
                instance: self.facts.instance.take(),
            };
            if let Some(span) = span {
                span.end(&ended);
            }
            if let Some(line) = line {
                line.end(ended);
            }
        }
    }
}
