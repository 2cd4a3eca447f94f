//! The line of one request in the log of requests.
//!
//! What may be a secret is not written: of a query the names and never a value, no cookie, no authorization, and of an address
//! only the network that it is from. A path is written as it came: who puts secrets into paths has them in every log.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use http::header::{HOST, HeaderValue, USER_AGENT};
use http::request::Parts;
use http::uri::Uri;
use http::{Method, StatusCode};
use serde::Serialize;

use super::Series;
use super::log::Log;
use crate::cache::Source;
use crate::client::Instance;
use crate::door::clock;
use crate::visit::Visit;

/// Longer paths and names of programs are cut off: a line is for reading.
const LONGEST: usize = 512;
/// The most names of a query that are written, and the longest of them.
const NAMES: usize = 16;
const LONGEST_NAME: usize = 32;

/// What nginx has taught everybody to read: the visitor left before an answer began.
const LEFT: u16 = 499;

/// The line of one request, from its head on. All that it holds is shared with the request, not copied.
#[derive(Debug)]
pub(crate) struct Line {
    log: Log,
    id: HeaderValue,
    trace: u128,
    method: Method,
    uri: Uri,
    host: Option<HeaderValue>,
    agent: Option<HeaderValue>,
    from: IpAddr,
    secure: bool,
    at: Duration,
    ended: Option<Ended>,
}

/// How a request ended.
#[derive(Debug)]
pub(crate) struct Ended {
    /// None where no answer has begun.
    pub(crate) status: Option<StatusCode>,
    pub(crate) first: Option<Duration>,
    pub(crate) whole: Duration,
    pub(crate) received: u64,
    pub(crate) sent: u64,
    pub(crate) is_cut: bool,
    pub(crate) failures: u32,
    pub(crate) source: Option<Source>,
    pub(crate) series: Option<Arc<Series>>,
    pub(crate) instance: Option<Arc<Instance>>,
}

impl Ended {
    /// Somebody may look for it: it is always written.
    pub(crate) fn is_odd(&self, slow: Duration) -> bool {
        let is_error = self.status.is_none_or(|status| status.is_server_error());
        let is_slow = self.whole >= slow && self.status != Some(StatusCode::SWITCHING_PROTOCOLS);
        is_error || self.is_cut || is_slow
    }
}

impl Line {
    pub(crate) fn begin(log: &Log, visit: &Visit, parts: &Parts, id: &HeaderValue, trace: u128) -> Box<Line> {
        Box::new(Line {
            log: log.clone(),
            id: id.clone(),
            trace,
            method: parts.method.clone(),
            uri: parts.uri.clone(),
            host: parts.headers.get(HOST).cloned(),
            agent: parts.headers.get(USER_AGENT).cloned(),
            from: visit.from.ip(),
            secure: visit.secure,
            at: Duration::ZERO,
            ended: None,
        })
    }

    /// The request has ended: its line is written, or not. Nobody waits for that.
    pub(crate) fn end(mut self: Box<Line>, ended: Ended) {
        let log = self.log.clone();
        if log.wants(&ended, self.trace) {
            self.at = clock::since_epoch();
            self.ended = Some(ended);
            log.take(self);
        }
    }

    /// Writes the line, with its end.
    pub(crate) fn write(&self, whole_addresses: bool, to: &mut Vec<u8>) {
        let Some(ended) = &self.ended else { return };
        let host = self.host.as_ref().and_then(|host| host.to_str().ok());
        let series = ended.series.as_deref();
        let written = Written {
            time: time(self.at),
            request: self.id.to_str().unwrap_or_default(),
            trace: format!("{:032x}", self.trace),
            component: series.map(|series| &*series.component),
            release: series.and_then(|series| series.release.as_deref()),
            route: series.map(|series| &*series.route),
            method: cut(self.method.as_str()),
            scheme: if self.secure { "https" } else { "http" },
            host: cut(host.or(self.uri.host()).unwrap_or_default()),
            path: cut(self.uri.path()),
            query: names(self.uri.query().unwrap_or_default()),
            status: ended.status.map_or(LEFT, |status| status.as_u16()),
            cut: ended.is_cut,
            received: ended.received,
            sent: ended.sent,
            first_ms: ended.first.map(millis),
            whole_ms: millis(ended.whole),
            instance: ended.instance.as_ref().map(|instance| instance.id.as_str()),
            failures: ended.failures,
            cache: ended.source.map(|source| super::series::SOURCES[source as usize]),
            agent: self
                .agent
                .as_ref()
                .map(|agent| cut(agent.to_str().unwrap_or_default())),
            address: match whole_addresses {
                true => self.from.to_string(),
                false => network(self.from),
            },
        };
        let before = to.len();
        match serde_json::to_writer(&mut *to, &written) {
            Ok(()) => to.push(b'\n'),
            Err(_) => to.truncate(before),
        }
    }
}

#[derive(Serialize)]
struct Written<'l> {
    time: String,
    request: &'l str,
    trace: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    component: Option<&'l str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    release: Option<&'l str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    route: Option<&'l str>,
    method: &'l str,
    scheme: &'l str,
    host: &'l str,
    path: &'l str,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    query: Vec<&'l str>,
    status: u16,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    cut: bool,
    received: u64,
    sent: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    first_ms: Option<f64>,
    whole_ms: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    instance: Option<&'l str>,
    #[serde(skip_serializing_if = "is_none")]
    failures: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    cache: Option<&'l str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    agent: Option<&'l str>,
    address: String,
}

fn is_none(count: &u32) -> bool {
    *count == 0
}

/// A time as RFC 3339 writes it, to the microsecond.
pub(crate) fn time(at: Duration) -> String {
    let micros = i64::try_from(at.as_micros()).unwrap_or(i64::MAX);
    let time = jiff::Timestamp::from_microsecond(micros).unwrap_or(jiff::Timestamp::MAX);
    format!("{time:.6}")
}

fn millis(took: Duration) -> f64 {
    took.as_micros() as f64 / 1_000.0
}

fn cut(text: &str) -> &str {
    &text[..text.floor_char_boundary(LONGEST)]
}

/// The names in a query. What has no value may be one, and what does not look like a name is none.
fn names(query: &str) -> Vec<&str> {
    let is_letter = |byte: u8| byte.is_ascii_alphanumeric() || b"_-.[]".contains(&byte);
    let pairs = query.split('&').filter_map(|pair| pair.split_once('='));
    let names = pairs.map(|(name, _)| name);
    names
        .filter(|name| (1..=LONGEST_NAME).contains(&name.len()) && name.bytes().all(is_letter))
        .take(NAMES)
        .collect()
}

/// The network that an address is from: the first three of four numbers, or the first three of eight groups.
pub(super) fn network(address: IpAddr) -> String {
    match address.to_canonical() {
        IpAddr::V4(address) => {
            let [first, second, third, _] = address.octets();
            format!("{first}.{second}.{third}.0/24")
        }
        IpAddr::V6(address) => {
            let [first, second, third, ..] = address.segments();
            let network = std::net::Ipv6Addr::new(first, second, third, 0, 0, 0, 0, 0);
            format!("{network}/48")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_a_query_only_names_are_kept_and_nothing_that_may_be_a_value() {
        assert_eq!(
            names("token=hush&page=2&flag&=x&filter[a]=1"),
            ["token", "page", "filter[a]"]
        );
        assert_eq!(names("c2VjcmV0IHRva2Vu"), [""; 0]);
        assert_eq!(names("a%20b=1&<script>=2"), [""; 0]);
        assert_eq!(names(&format!("{}=1", "a".repeat(33))), [""; 0]);
        assert_eq!(names(&"a=1&".repeat(100)).len(), NAMES);
    }

    #[test]
    fn of_an_address_the_network_is_kept() {
        for (address, kept) in [
            ("192.0.2.77", "192.0.2.0/24"),
            ("::ffff:192.0.2.77", "192.0.2.0/24"),
            ("2001:db8:1:2:3:4:5:6", "2001:db8:1::/48"),
            ("::1", "::/48"),
        ] {
            assert_eq!(network(address.parse().expect("an address")), kept);
        }
    }

    #[test]
    fn times_are_written_to_the_microsecond() {
        assert_eq!(
            time(Duration::from_micros(1_500_000)),
            "1970-01-01T00:00:01.500000Z"
        );
        assert_eq!(millis(Duration::from_micros(3_204)), 3.204);
    }

    #[test]
    fn long_texts_are_cut_between_letters() {
        let long = "ä".repeat(400);
        assert_eq!(cut(&long).len(), LONGEST);
        assert_eq!(cut("short"), "short");
    }
}
