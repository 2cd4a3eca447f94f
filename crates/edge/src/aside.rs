//! What the edge itself answers under a public name, beside everything that the component answers: where browsers tell how
//! they had a page, and what its policy forbade.
//!
//! Whoever tells need not have signed in, and may tell anything. So all of it is bounded: how often an address may, how
//! long what it says is, and what it is counted by (`seen::vitals`, `seen::violation`). It reaches no instance and wakes none.

use std::future::poll_fn;
use std::net::IpAddr;
use std::pin::Pin;
use std::sync::{Arc, OnceLock};

use http::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderName, HeaderValue, ORIGIN};
use http::request::Parts;
use http::{Method, Response, StatusCode};
use http_body::Body as _;
use hyper::body::Incoming;
use tokio::time::timeout;
use towpath_model::unit::{Duration, Rate};

use crate::body::Body;
use crate::door::clock;
use crate::guard::{Guard, RateCounter, network_of};
use crate::host::Host;
use crate::pages::Page;
use crate::seen::{violation, vitals};
use crate::state::State;
use crate::table::Found;
use crate::visit::Visit;

/// Where all of it lies.
const BEGINNING: &str = "/.well-known/towpath/";

const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// What a page says about itself is a few hundred bytes.
const LONGEST: usize = 4 * 1024;

/// How often one address may tell something: an office behind one address has some dozens of people who turn a page now.
const OFTEN: u64 = 120;

/// What measures pages.
const SCRIPT: &str = include_str!("aside/vitals.js");

/// How often each address tells something.
#[derive(Debug, Default)]
pub(crate) struct Tellers(OnceLock<RateCounter>);

impl Tellers {
    /// Whether one more may come from this address now.
    fn lets(&self, from: IpAddr, now: u64) -> bool {
        let counter = self
            .0
            .get_or_init(|| RateCounter::new(&Rate::new(OFTEN, Duration::from_secs(60), None)));
        counter
            .take(counter.key(network_of(from.to_canonical())), now)
            .passes
    }
}

/// What is asked of the edge itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Aside {
    /// The script that measures pages.
    Script,
    /// A browser tells how a page was.
    Vitals,
    /// A browser tells what a policy forbade.
    Violation,
}

/// Whether something is asked of the edge itself, under a name whose rules have it answer that.
pub(crate) fn asked(guard: &Guard, path: &str) -> Option<Aside> {
    let rules = guard.rules();
    if !(rules.vitals || rules.reports) {
        return None;
    }
    match path.strip_prefix(BEGINNING)? {
        "vitals.js" if rules.vitals => Some(Aside::Script),
        "vitals" if rules.vitals => Some(Aside::Vitals),
        "csp" if rules.reports => Some(Aside::Violation),
        _ => None,
    }
}

/// Answers it.
pub(crate) async fn answer(
    state: &Arc<State>,
    visit: &Visit,
    aside: Aside,
    (guard, host): (&Guard, &Host),
    (parts, body): (&Parts, Incoming),
) -> Response<Body> {
    let from = visit.from.ip();
    let page = |status, title: &str, words: &str| Page::new(status, title, words).answer(&parts.headers);
    if !guard.lets_in(from) {
        return page(
            StatusCode::FORBIDDEN,
            "Not from here",
            "This network may not ask here.",
        );
    }
    if aside == Aside::Script && matches!(parts.method, Method::GET | Method::HEAD) {
        return script();
    }
    if aside == Aside::Script || parts.method != Method::POST {
        let words = "Browsers send something here; there is nothing to be looked at.";
        return page(StatusCode::METHOD_NOT_ALLOWED, "Not in this way", words);
    }
    if !state.tellers.lets(from, clock::nanos()) {
        return page(
            StatusCode::TOO_MANY_REQUESTS,
            "Too often",
            "So much is not told from one address.",
        );
    }
    if aside == Aside::Vitals && !is_of_this_site(parts, &host.written) {
        return page(
            StatusCode::FORBIDDEN,
            "From elsewhere",
            "Only pages of this site tell something here.",
        );
    }
    let told = match timeout(state.patience.body, read(body)).await {
        Ok(Ok(told)) => told,
        Ok(Err(status)) => return page(status, "Not taken", "It broke off, or is longer than 4 KiB."),
        Err(_) => return page(StatusCode::REQUEST_TIMEOUT, "Not taken", "It took too long."),
    };
    let is_taken = match aside {
        Aside::Vitals => measured(state, host, &told),
        _ => forbidden(state, host, &told),
    };
    if is_taken.is_none() {
        return page(
            StatusCode::BAD_REQUEST,
            "Not understood",
            "It is not what a browser sends here.",
        );
    }
    let mut taken = Response::new(Body::empty());
    *taken.status_mut() = StatusCode::NO_CONTENT;
    taken
}

fn script() -> Response<Body> {
    let mut response = Response::new(Body::whole(SCRIPT));
    let headers = response.headers_mut();
    let kind = HeaderValue::from_static("text/javascript; charset=utf-8");
    headers.insert(CONTENT_TYPE, kind);
    // It changes with the edge, and what is a day old still measures the same.
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("public, max-age=86400"));
    response
}

/// A browser says where a page is from, and no page can change what it says. What says nothing is no browser, and may say
/// what it likes in any case.
fn is_of_this_site(parts: &Parts, host: &str) -> bool {
    let said = |name: HeaderName| {
        parts
            .headers
            .get(name)
            .map(|value| value.to_str().unwrap_or_default())
    };
    if let Some(site) = said(SEC_FETCH_SITE) {
        return site == "same-origin";
    }
    said(ORIGIN).is_none_or(|origin| {
        let its = origin.split_once("://").map(|(_, host)| host);
        its.is_some_and(|its| its.eq_ignore_ascii_case(host))
    })
}

/// Reads what is told, as far as it may be.
pub(crate) async fn read(mut body: Incoming) -> Result<Vec<u8>, StatusCode> {
    let mut told = Vec::new();
    while let Some(frame) = poll_fn(|context| Pin::new(&mut body).poll_frame(context)).await {
        let frame = frame.map_err(|_| StatusCode::BAD_REQUEST)?;
        if let Some(bytes) = frame.data_ref() {
            if told.len() + bytes.len() > LONGEST {
                return Err(StatusCode::PAYLOAD_TOO_LARGE);
            }
            told.extend_from_slice(bytes);
        }
    }
    Ok(told)
}

/// A page that is led to another component is measured as a page of that one.
fn measured(state: &State, host: &Host, told: &[u8]) -> Option<()> {
    let told = vitals::read(told)?;
    if let Found::Aim(_, _, series) = state.table().outside(&host.name, &told.path, &state.seen) {
        series.measured(&told);
    }
    Some(())
}

/// What a page of somebody else's was forbidden is nothing of ours.
fn forbidden(state: &State, host: &Host, told: &[u8]) -> Option<()> {
    let told = violation::read(told)?;
    for one in told.into_iter().filter(|one| one.host == host.name) {
        if let Found::Aim(_, _, series) = state.table().outside(&host.name, &one.page, &state.seen) {
            state.seen.violated(&series.component, one);
        }
    }
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_address_tells_no_more_than_so_much_and_another_one_still_may() {
        let tellers = Tellers::default();
        let (one, other) = (IpAddr::from([192, 0, 2, 1]), IpAddr::from([192, 0, 2, 2]));
        let now = 86_400_000_000_000;
        let taken = (0..1_000).filter(|_| tellers.lets(one, now)).count();
        assert_eq!(taken as u64, OFTEN);
        assert!(tellers.lets(other, now));
    }
}
