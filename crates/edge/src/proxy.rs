//! Passes a request on to an instance, and its answer back.

use std::sync::Arc;

use http::header::{ACCEPT_ENCODING, CONNECTION, HeaderMap, HeaderValue, SET_COOKIE, UPGRADE};
use http::request::Parts;
use http::{Response, StatusCode, Version};
use hyper::body::Incoming;
use hyper::upgrade::OnUpgrade;
use tokio::time::timeout;
use towpath_model::run::Bounds;

use crate::answered::Answered;
use crate::body::Body;
use crate::client::{Changed, Failed, Lease};
use crate::encode::Coding;
use crate::guard::{Guard, Refusal};
use crate::pages::Page;
use crate::place::Open;
use crate::search::{Search, Vain};
use crate::sent::{Early, Outgoing};
use crate::state::State;
use crate::table::Aim;
use crate::visit::Named;
use crate::{balance, compress, headers, pipe};

/// Passes a request on, and its answer back.
pub(crate) async fn pass(
    state: &Arc<State>,
    secure: bool,
    aim: Arc<Aim>,
    guard: &Guard,
    named: &Named,
    (mut asked, body): (Parts, Incoming),
    mut open: Open,
) -> Response<Body> {
    let protocol = (asked.version == Version::HTTP_11)
        .then(|| headers::upgrade(&asked.headers))
        .flatten();
    let upgrade = match protocol {
        Some(_) => asked.extensions.remove::<OnUpgrade>(),
        None => None,
    };
    let place = Arc::clone(&aim.place);
    let told = (named.told.as_str(), named.host.written.as_str());
    let mut outgoing = Outgoing::new((&asked, body), told, protocol, &place, state.patience.body);
    outgoing.most = guard.bounds().body;
    open.facts.passed = outgoing.passed();
    let brought = match aim.target.sticky {
        true => balance::brought(&asked.headers),
        false => None,
    };
    let mut search = Search::new(state, aim, brought);
    let sent = send(state, &mut search, &mut outgoing, guard.bounds()).await;
    drop(outgoing);
    let mut response = match sent {
        Ok(response) => response,
        Err(page) => {
            open.answered(page.status);
            return page.answer(&asked.headers).map(|body| body.counted(open));
        }
    };
    open.facts.is_theirs = true;
    open.facts.instance = response.body().instance();
    open.facts.failures = search.failures;
    if response.status() == StatusCode::SWITCHING_PROTOCOLS {
        let instance = response.body_mut().take_changed();
        let (Some(visitor), Some(instance)) = (upgrade, instance) else {
            let words = format!("{} changed to a protocol that nobody asked for.", place.name);
            let page = Page::new(StatusCode::BAD_GATEWAY, "No answer", words);
            open.answered(page.status);
            return page.answer(&asked.headers).map(|body| body.counted(open));
        };
        open.answered(response.status());
        return switch(state, visitor, response.map(|_| ()), instance, open);
    }
    open.answered(response.status());
    headers::strip_connection(response.headers_mut());
    let target = &search.aim.target;
    if target.sticky
        && let Some(mark) = response.body().mark().filter(|mark| brought != Some(*mark))
        && let Some(cookie) = balance::given(mark, secure)
    {
        response.headers_mut().append(SET_COOKIE, cookie);
    }
    let coding = coding(target.compress, &asked.headers, &response);
    let (compress, (mut parts, body)) = (target.compress, response.into_parts());
    parts.version = Version::default();
    coded(
        compress,
        coding,
        Response::from_parts(parts, Body::answered(body)),
    )
    .map(|body| body.counted(open))
}

/// The coding that an answer goes out in.
pub(crate) fn coding<B: http_body::Body>(
    compress: bool,
    asked: &HeaderMap,
    response: &Response<B>,
) -> Option<Coding> {
    match compress {
        true => compress::coding_for(asked, response),
        false => None,
    }
}

/// An answer in its coding.
pub(crate) fn coded(compress: bool, coding: Option<Coding>, mut response: Response<Body>) -> Response<Body> {
    let Some(coding) = coding else {
        if compress && compress::is_compressible(response.headers()) {
            compress::vary(response.headers_mut(), &ACCEPT_ENCODING);
        }
        return response;
    };
    compress::mark(response.headers_mut(), coding);
    response.map(|body| Body::flow(compress::Compressed::new(body, coding)))
}

/// Sends a request to one instance after the other, until one answers.
pub(crate) async fn send(
    state: &State,
    search: &mut Search<'_>,
    outgoing: &mut Outgoing<'_>,
    bounds: &Bounds,
) -> Result<Response<Answered>, Page> {
    search.aim.place.earn_repetition();
    loop {
        let (instance, busy) = match search.next().await {
            Ok(found) => found,
            Err(Vain(because)) => {
                let status = StatusCode::SERVICE_UNAVAILABLE;
                return Err(Page::new(status, "Nothing answers here yet", because));
            }
        };
        let sent = instance.send(&state.idle, outgoing, busy);
        let answered = match bounds.time {
            Some(time) => timeout(time.to_std(), sent).await,
            None => Ok(sent.await),
        };
        let failed = match answered {
            Ok(Ok(response)) => return Ok(response),
            Ok(Err(failed)) => failed,
            Err(_) => {
                let millis = bounds.time.map_or(0, |time| time.millis());
                return Err(Refusal::Slow(search.aim.place.name.to_string(), millis).page());
            }
        };
        if let Some(early) = outgoing.visitor_ended() {
            let status = match early {
                Early::Broken => StatusCode::BAD_REQUEST,
                Early::Stalled => StatusCode::REQUEST_TIMEOUT,
                Early::Large => return Err(Refusal::Large(bounds.body.unwrap_or(0)).page()),
            };
            return Err(Page::new(status, "The request broke off", ""));
        }
        search.refused(&instance);
        let name = &search.aim.place.name;
        let words = match failed {
            Failed::Unreachable => continue,
            Failed::Broken if outgoing.repeat() => continue,
            Failed::Broken => {
                format!("{name} closed the connection before it answered. Its log may say why.")
            }
            Failed::Garbled => format!("What {name} began to answer is no HTTP, or broke off at once."),
        };
        return Err(Page::new(StatusCode::BAD_GATEWAY, "No answer", words));
    }
}

/// Both sides change to another protocol: from here on bytes are passed on.
fn switch(
    state: &Arc<State>,
    visitor: OnUpgrade,
    response: Response<()>,
    (instance, lease): (Changed, Lease),
    open: Open,
) -> Response<Body> {
    let protocol = headers::upgrade(response.headers());
    let is_websocket = protocol
        .as_ref()
        .is_some_and(|protocol| protocol.as_bytes().eq_ignore_ascii_case(b"websocket"));
    let part = state.ending.join();
    let guest = lease.guest();
    tokio::spawn(async move {
        // Both are counted as long as the connection is.
        let _counted = (lease, open);
        if let Ok(visitor) = visitor.await {
            pipe::upgraded(visitor, instance, is_websocket, (part, guest)).await;
        }
    });
    let mut headers = response.into_parts().0.headers;
    headers::strip_connection(&mut headers);
    headers.insert(CONNECTION, HeaderValue::from_static("upgrade"));
    if let Some(protocol) = protocol {
        headers.insert(UPGRADE, protocol);
    }
    let mut answer = Response::new(Body::empty());
    *answer.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
    *answer.headers_mut() = headers;
    answer
}
