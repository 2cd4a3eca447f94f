//! What is kept in front of a target or a part of it, made ready for requests.
//!
//! Rules are compiled when a target is set, so that a request compares and never parses; and everything is decided here
//! without waiting, with the time as an argument.
//!
//! **The order.** First the network: who is not let in from there learns nothing else, and it costs a comparison. Then the
//! count by address, so that nothing behind it can be had more often than it may. Then how a request looks: who looks for
//! holes is sent away before anybody is asked for a password. Then the sign-in, before everything that would tell a stranger
//! what a component wants to have; and the counts of what only a known one is counted by. Last what a request has to be like:
//! from our own pages, with its headers, not too large. The time is kept while an instance is asked, and how much one has
//! open when it is chosen. What is refused reaches no instance, and wakes none.
//!
//! **Calls of components among themselves** come by inside ports, and rules are for visitors: nobody signs in there, nobody
//! is counted or looked at. What keeps an instance from being overrun holds for them, too: the size of a body, the time of an
//! answer, how many are open at one instance.
//!
//! **Counts go on** when a target is set anew with the same rate, whatever else has changed about it.

mod admit;
mod certificate;
pub(crate) mod cookie;
mod counters;
pub(crate) mod injection;
mod journey;
mod key;
mod origin;
mod pass;
mod rate;
mod refusal;
mod required;
mod robot;
mod sign;
mod sign_in;
mod trip;

use std::net::{IpAddr, Ipv6Addr};
use std::sync::Arc;

use http::header::{ACCESS_CONTROL_REQUEST_METHOD, CONTENT_LENGTH, Entry, ORIGIN, STRICT_TRANSPORT_SECURITY};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Uri};
use towpath_model::run::{Bounds, Rules};
use towpath_model::unit::RateKey;

use crate::host::Host;
use crate::provider::Providers;
use crate::shown::Shown;
pub(crate) use admit::Stranger;
pub(crate) use counters::Counters;
pub(crate) use journey::{answer as on_journey, is_ours as is_journey};
pub(crate) use key::{keep_in, random};
pub(crate) use pass::{Passed, User, enter};
pub(crate) use rate::Counter as RateCounter;
use rate::Counter;
pub(crate) use refusal::Refusal;
use required::Required;
use robot::Robots;
pub(crate) use sign::{Signature, Whole, sign};
pub(crate) use sign_in::Keys;
use sign_in::{Door, Known};

const API_KEY: HeaderName = HeaderName::from_static("x-api-key");

/// Rules that are ready for requests.
#[derive(Debug)]
pub(crate) struct Guard {
    /// What it was made of.
    rules: Arc<Rules>,
    /// Nothing of a request has to be looked at.
    is_open: bool,
    /// Headers of every answer that has not said them itself.
    headers: Vec<(HeaderName, HeaderValue)>,
    /// How long browsers insist on HTTPS: said where it is spoken, under a name that is not this machine's.
    insists: Option<HeaderValue>,
    /// Headers that a request has to carry.
    required: Vec<Required>,
    /// Parts of paths that nobody is let in to, in small letters.
    closed: Vec<String>,
    counter: Option<Arc<Counter>>,
    robots: Option<Robots>,
    door: Option<Door>,
}

/// What is known of a request before anything is done for it.
pub(crate) struct Asked<'a> {
    pub(crate) method: &'a Method,
    pub(crate) uri: &'a Uri,
    pub(crate) headers: &'a HeaderMap,
    pub(crate) host: &'a Host,
    pub(crate) from: IpAddr,
    pub(crate) secure: bool,
    /// Nanoseconds of a clock that never jumps.
    pub(crate) now: u64,
    /// Seconds since 1970.
    pub(crate) today: u64,
    /// What sign-ins are checked with.
    pub(crate) keys: &'a Keys,
    /// The certificate that the connection has shown, where it was asked for one.
    pub(crate) shown: Option<&'a Shown>,
    /// Whose tokens are believed.
    pub(crate) providers: &'a Providers,
    /// Whether a host is one of the product's.
    pub(crate) is_own: &'a dyn Fn(&str) -> bool,
    /// The ports of the edge.
    pub(crate) ports: (u16, u16),
}

impl Guard {
    /// Makes rules in front of a target ready. Where they are those of an earlier guard that one goes on.
    pub(crate) fn new<'g>(
        target: &str,
        rules: Arc<Rules>,
        mut earlier: impl Iterator<Item = &'g Arc<Guard>>,
        counters: &Counters,
    ) -> Arc<Guard> {
        match earlier.find(|guard| guard.rules == rules) {
            Some(guard) => Arc::clone(guard),
            None => Arc::new(Guard::of(target, rules, counters)),
        }
    }

    fn of(target: &str, rules: Arc<Rules>, counters: &Counters) -> Guard {
        // A header that is none has been refused where the manifest was read.
        let header = |name: &str| HeaderName::try_from(name).ok();
        let headers = rules
            .headers
            .iter()
            .filter_map(|(name, value)| Some((header(name)?, HeaderValue::try_from(value.as_str()).ok()?)));
        let (insists, headers): (Vec<_>, Vec<_>) =
            headers.partition(|(name, _)| *name == STRICT_TRANSPORT_SECURITY);
        let mut guard = Guard {
            is_open: false,
            headers,
            insists: insists.into_iter().next().map(|(_, value)| value),
            required: rules.require.iter().filter_map(Required::new).collect(),
            closed: rules
                .unwanted
                .paths
                .iter()
                .map(|path| path.to_ascii_lowercase())
                .collect(),
            counter: rules.bounds.rate.as_ref().map(|rate| counters.of(target, rate)),
            robots: Robots::new(rules.unwanted.bots),
            door: rules.access.clone().map(Door::new),
            rules,
        };
        guard.is_open = guard.asks_nothing();
        guard
    }

    /// What it was made of.
    pub(crate) fn rules(&self) -> &Arc<Rules> {
        &self.rules
    }

    fn asks_nothing(&self) -> bool {
        let looks = self.rules.unwanted.injections || !self.closed.is_empty() || self.robots.is_some();
        let knows = self.counter.is_some() || self.door.is_some() || !self.rules.allow.is_empty();
        let wants = self.rules.own_pages || !self.required.is_empty() || self.rules.bounds.body.is_some();
        !(looks || knows || wants)
    }

    /// Calls of components are signed.
    pub(crate) fn signs(&self) -> bool {
        !self.rules.signs.is_empty()
    }

    /// Whether anybody from this network is let in.
    pub(crate) fn lets_in(&self, from: IpAddr) -> bool {
        let allow = &self.rules.allow;
        allow.is_empty() || allow.iter().any(|network| network.contains(from))
    }

    /// What a request may take.
    pub(crate) fn bounds(&self) -> &Bounds {
        &self.rules.bounds
    }

    /// Whether a visitor's request goes on, and how.
    fn check(&self, asked: &Asked<'_>) -> Result<Passed, Refusal> {
        if self.is_open {
            return Ok(Passed::default());
        }
        if !self.lets_in(asked.from) {
            return Err(Refusal::Network);
        }
        let mut passed = Passed::default();
        let is_early = matches!(self.rate_key(), Some(RateKey::Ip | RateKey::Visitor));
        if is_early {
            self.count(asked, None, &mut passed)?;
        }
        if injection::has_part(asked.uri.path(), &self.closed) {
            return Err(Refusal::Path);
        }
        if self.rules.unwanted.injections
            && let Some(what) = injection::found(asked.uri.path(), asked.uri.query())
        {
            return Err(Refusal::Injection(what));
        }
        if let Some(robots) = &self.robots {
            passed.waits = robots.look(asked)?;
        }
        let known = match &self.door {
            Some(door) => door.open(asked)?,
            None => Known::default(),
        };
        passed.cookies.extend(known.cookie);
        passed.by_password = known.by_password;
        passed.user = known.user.as_ref().filter(|_| known.is_proven).cloned();
        if !is_early {
            self.count(asked, known.user.as_deref(), &mut passed)?;
        }
        if self.rules.own_pages
            && let Some(why) = origin::refusal(asked)
        {
            return Err(Refusal::Elsewhere(why));
        }
        self.required.iter().try_for_each(|one| one.check(asked))?;
        self.fits(asked.headers)?;
        Ok(passed)
    }

    fn rate_key(&self) -> Option<&RateKey> {
        self.rules.bounds.rate.as_ref()?.key()
    }

    /// Counts a request. What it should be counted by and does not have makes it one of its address.
    fn count(&self, asked: &Asked<'_>, user: Option<&str>, passed: &mut Passed) -> Result<(), Refusal> {
        let Some(counter) = &self.counter else {
            return Ok(());
        };
        let of = |name: &HeaderName| asked.headers.get(name).map(HeaderValue::as_bytes);
        let credentials = || of(&http::header::AUTHORIZATION).or_else(|| of(&API_KEY));
        let key = match self.rate_key() {
            None => Some(counter.key("all")),
            Some(RateKey::Ip) => None,
            Some(RateKey::User) => user
                .map(|user| counter.key(("user", user)))
                .or_else(|| credentials().map(|token| counter.key(("token", token)))),
            Some(RateKey::Token) => credentials().map(|token| counter.key(("token", token))),
            Some(RateKey::Header(name)) => HeaderName::try_from(name.as_str())
                .ok()
                .and_then(|name| of(&name).map(|value| counter.key(("header", value)))),
            Some(RateKey::Visitor) => self
                .visitor(asked, passed)
                .map(|one| counter.key(("visitor", one))),
        };
        let key = key.unwrap_or_else(|| counter.key(("ip", network_of(asked.from))));
        let standing = counter.take(key, asked.now);
        passed.standing = Some((standing, counter.policy.clone()));
        standing.passes.then_some(()).ok_or(Refusal::Often(standing))
    }

    /// Who a visitor is, by a cookie of ours; who has none gets one, and is counted by address until it comes back.
    fn visitor<'a>(&self, asked: &Asked<'a>, passed: &mut Passed) -> Option<&'a str> {
        let brought = cookie::brought(asked.headers, cookie::VISITOR);
        if let Some(known) = brought.and_then(|value| cookie::unstamped(value, &["visitor"])) {
            return Some(known);
        }
        let name = &cookie::stamp(&["name", &asked.from.to_string(), &asked.now.to_string()]).to_hex()[..16];
        let value = cookie::stamped(name, &["visitor"]);
        passed
            .cookies
            .extend(cookie::given(cookie::VISITOR, &value, YEAR, asked.secure));
        None
    }

    /// Tokens that a request brings, with those who have to have issued them.
    fn tokens<'a>(&'a self, headers: &'a HeaderMap) -> impl Iterator<Item = (&'a str, &'a str)> {
        let issuer = self.door.as_ref().and_then(Door::issuer);
        let at_door = issuer.and_then(|issuer| Some((issuer, sign_in::scheme(headers, "bearer")?)));
        let required = self.required.iter().filter_map(|one| one.token(headers));
        at_door.into_iter().chain(required)
    }

    /// Whether a body is as small as it has to be, as far as its length is said.
    fn fits(&self, headers: &HeaderMap) -> Result<(), Refusal> {
        let Some(most) = self.rules.bounds.body else {
            return Ok(());
        };
        let length = headers
            .get(CONTENT_LENGTH)
            .and_then(|length| length.to_str().ok());
        let is_large =
            length.is_some_and(|length| length.parse::<u64>().map_or(true, |length| length > most));
        (!is_large).then_some(()).ok_or(Refusal::Large(most))
    }

    /// Adds what every answer to a visitor has to say.
    pub(crate) fn dress(&self, answer: &mut HeaderMap, host: &str, secure: bool) {
        for (name, value) in &self.headers {
            if let Entry::Vacant(place) = answer.entry(name) {
                place.insert(value.clone());
            }
        }
        if secure
            && let Some(insists) = &self.insists
            && !answer.contains_key(STRICT_TRANSPORT_SECURITY)
            && !is_of_this_machine(host)
        {
            answer.insert(STRICT_TRANSPORT_SECURITY, insists.clone());
        }
    }
}

/// As long as browsers keep a cookie, about.
const YEAR: u64 = 365 * 24 * 60 * 60;

/// A name of this machine, which another program answers to tomorrow without HTTPS; and an address, which browsers insist on
/// nothing for (RFC 6797, 8.1.1).
fn is_of_this_machine(host: &str) -> bool {
    host == "localhost" || host.ends_with(".localhost") || host.parse::<IpAddr>().is_ok()
}

/// Who is counted as one: an address, and of the new ones all that a connection has (RFC 6177).
pub(crate) fn network_of(from: IpAddr) -> IpAddr {
    match from {
        IpAddr::V4(_) => from,
        IpAddr::V6(six) => Ipv6Addr::from_bits(six.to_bits() >> 64 << 64).into(),
    }
}

/// A browser asks whether a page may send something. It sends neither tokens nor headers of the page with that.
fn is_preflight(asked: &Asked<'_>) -> bool {
    *asked.method == Method::OPTIONS
        && asked.headers.contains_key(ORIGIN)
        && asked.headers.contains_key(ACCESS_CONTROL_REQUEST_METHOD)
}

/// `idempotency-key` as people write it: `Idempotency-Key`.
fn spelled(name: &HeaderName) -> String {
    let part = |part: &str| {
        let (first, rest) = part.split_at(part.len().min(1));
        first.to_ascii_uppercase() + rest
    };
    name.as_str().split('-').map(part).collect::<Vec<_>>().join("-")
}

#[cfg(test)]
mod tests;
