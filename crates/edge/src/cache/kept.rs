//! An answer that is kept.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use bytes::Bytes;
use http::header::{
    AGE, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_RANGE, DATE, HeaderMap, HeaderName, HeaderValue,
    SET_COOKIE, TRANSFER_ENCODING,
};
use http::{Response, StatusCode};

use super::rule::{self, Terms};
use crate::door::clock;
use crate::encode::Coding;
use crate::request_id::REQUEST_ID;

pub(super) const CACHE_STATUS: HeaderName = HeaderName::from_static("cache-status");

/// What an answer weighs beside its bytes.
const BESIDE: usize = 512;

/// The head of an answer that is kept, and how it may be used.
#[derive(Debug, Clone)]
pub(super) struct Head {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    pub(super) terms: Terms,
    /// What the request said of the headers that it depends on.
    varies: Vec<(HeaderName, Option<Vec<u8>>)>,
    /// How old it was when it came.
    born: u64,
    /// When it came, by a clock that never jumps, in milliseconds.
    came: u64,
}

impl Head {
    /// The head of an answer that came now, after so many milliseconds, to a request with these headers.
    pub(super) fn new<B>(asked: &HeaderMap, response: &Response<B>, terms: Terms, took: u64) -> Head {
        let now = clock::since_epoch();
        let mut headers = response.headers().clone();
        let names = rule::varies(&headers).unwrap_or_default();
        let varies = names.into_iter().map(|name| {
            let said = rule::said(asked, &name);
            (name, said)
        });
        let born = rule::age(&headers, now.as_secs(), took / 1_000);
        // What belongs to one visitor or to one request, and what is told anew each time.
        for name in [SET_COOKIE, AGE, REQUEST_ID, CACHE_STATUS] {
            headers.remove(name);
        }
        dated(&mut headers);
        Head {
            status: response.status(),
            varies: varies.collect(),
            headers,
            terms,
            born,
            came: clock::millis(),
        }
    }

    /// The same answer, which its origin says is right still (RFC 9111, 3.2).
    pub(super) fn freshened(&self, said: &HeaderMap, terms: Terms, took: u64) -> Head {
        let mut head = self.clone();
        head.terms = terms;
        head.came = clock::millis();
        head.born = rule::age(said, clock::since_epoch().as_secs(), took / 1_000);
        head.headers = self.updated(said);
        head
    }

    /// Its headers, with those of a 304.
    pub(super) fn updated(&self, said: &HeaderMap) -> HeaderMap {
        let mut headers = self.headers.clone();
        if !said.contains_key(DATE) {
            headers.remove(DATE);
        }
        let is_of_the_body = |name: &HeaderName| {
            [CONTENT_LENGTH, CONTENT_ENCODING, CONTENT_RANGE, TRANSFER_ENCODING].contains(name)
        };
        let is_told_anew = |name: &HeaderName| [SET_COOKIE, AGE, REQUEST_ID, CACHE_STATUS].contains(name);
        for name in said
            .keys()
            .filter(|name| !is_of_the_body(name) && !is_told_anew(name))
        {
            headers.remove(name);
            for value in said.get_all(name) {
                headers.append(name, value.clone());
            }
        }
        dated(&mut headers);
        headers
    }

    /// How old it is, in seconds.
    pub(super) fn age(&self) -> u64 {
        self.born + clock::millis().saturating_sub(self.came) / 1_000
    }

    /// Whether it answers a request with these headers.
    pub(super) fn suits(&self, asked: &HeaderMap) -> bool {
        let is_same = |(name, said): &(HeaderName, Option<Vec<u8>>)| rule::said(asked, name) == *said;
        self.varies.iter().all(is_same)
    }

    /// Whether it takes the place of another one.
    pub(super) fn replaces(&self, other: &Head) -> bool {
        self.varies == other.varies
    }

    pub(super) fn text(&self, name: &HeaderName) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    fn weight(&self) -> usize {
        let rows = self
            .headers
            .iter()
            .map(|(name, value)| name.as_str().len() + value.len() + 32);
        let varies = self
            .varies
            .iter()
            .map(|(_, said)| said.as_ref().map_or(0, Vec::len) + 32);
        rows.sum::<usize>() + varies.sum::<usize>() + BESIDE
    }
}

/// When it was made: whoever gets it later counts from there.
fn dated(headers: &mut HeaderMap) {
    if !headers.contains_key(DATE) {
        let now = httpdate::fmt_http_date(std::time::UNIX_EPOCH + clock::since_epoch());
        if let Ok(now) = HeaderValue::try_from(now) {
            headers.insert(DATE, now);
        }
    }
}

/// An answer that is kept, as its origin gave it.
#[derive(Debug)]
pub(super) struct Kept {
    pub(super) head: Head,
    pub(super) body: Bytes,
    /// The body in the codings that somebody has asked for.
    coded: [OnceLock<Bytes>; 3],
    /// What those weigh, as far as that is counted.
    pub(super) coded_weight: AtomicUsize,
    /// Somebody codes it.
    codes: AtomicBool,
    /// It has been asked for since it was last looked at.
    pub(super) used: AtomicBool,
}

impl Kept {
    pub(super) fn new(head: Head, body: Bytes) -> Kept {
        Kept {
            head,
            body,
            coded: Default::default(),
            coded_weight: AtomicUsize::new(0),
            codes: AtomicBool::new(false),
            used: AtomicBool::new(false),
        }
    }

    /// The same with another head.
    pub(super) fn again(&self, head: Head) -> Kept {
        let again = Kept::new(head, self.body.clone());
        Kept {
            coded: self.coded.clone(),
            coded_weight: AtomicUsize::new(self.coded_weight.load(Ordering::Relaxed)),
            ..again
        }
    }

    pub(super) fn weight(&self) -> usize {
        self.head.weight() + self.body.len() + self.coded_weight.load(Ordering::Relaxed)
    }

    pub(super) fn coded(&self, coding: Coding) -> Option<Bytes> {
        self.coded[coding as usize].get().cloned()
    }

    /// Whether whoever asks is the one who codes it now.
    pub(super) fn may_code(&self) -> bool {
        !self.codes.swap(true, Ordering::Relaxed)
    }

    /// It has been coded, or could not be. Answers how much heavier it is by that.
    pub(super) fn keep_coded(&self, coding: Coding, bytes: Option<Vec<u8>>) -> usize {
        self.codes.store(false, Ordering::Relaxed);
        let Some(bytes) = bytes else { return 0 };
        let weight = bytes.len();
        match self.coded[coding as usize].set(bytes.into()) {
            Ok(()) => weight,
            Err(_) => 0,
        }
    }
}
