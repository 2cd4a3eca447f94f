//! Passes a request on to an instance, and its answer back.

use std::pin::pin;
use std::sync::Arc;

use http::header::{ACCEPT_ENCODING, CONNECTION, HeaderMap, HeaderValue, SET_COOKIE, UPGRADE};
use http::request::Parts;
use http::{Response, StatusCode, Version};
use hyper::body::Incoming;
use hyper::upgrade::OnUpgrade;
use towpath_model::run::Bounds;

use crate::answered::Answered;
use crate::body::Body;
use crate::client::{Changed, Failed, Lease};
use crate::deadline::Deadline;
use crate::door::clock;
use crate::encode::Coding;
use crate::guard::{Guard, Refusal};
use crate::pages::Page;
use crate::place::Open;
use crate::search::{Search, Vain};
use crate::sent::{Early, Outgoing};
use crate::shares::Wish;
use crate::state::State;
use crate::table::Aim;
use crate::visit::{Named, Visit};
use crate::{balance, compress, headers, pipe};

/// Passes a request on, and its answer back.
pub(crate) async fn pass(
    state: &Arc<State>,
    visit: &Visit,
    aim: Arc<Aim>,
    guard: &Guard,
    named: &Named,
    (asked, body): (&mut Parts, Incoming),
    (mut open, wish): (Open, &Wish),
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
    let mut outgoing = Outgoing::new((asked, body), told, protocol, &place, state.patience.body);
    outgoing.most = guard.bounds().body;
    if aim.target.grpc {
        outgoing.hold();
    }
    open.facts.passed = outgoing.passed();
    let brought = match aim.target.sticky {
        true => balance::brought(&asked.headers),
        false => None,
    };
    let mut search = Search::new(state, aim, brought, wish);
    search.is_apart = outgoing.is_large();
    let deadline = Deadline::of(&asked.headers, search.aim.target.grpc, guard.bounds());
    let sent = pin!(send(
        state,
        &mut search,
        &mut outgoing,
        (guard.bounds(), deadline)
    ))
    .await;
    drop(outgoing);
    open.facts.failures = search.failures;
    let mut response = match sent {
        Ok(response) => response,
        Err(page) => {
            open.facts.release = search.release();
            return refuse(page, asked, open);
        }
    };
    open.facts.is_theirs = true;
    open.facts.instance = response.body().instance();
    open.facts.release = open
        .facts
        .instance
        .as_ref()
        .and_then(|one| one.release().map(Arc::clone));
    if response.status() == StatusCode::SWITCHING_PROTOCOLS {
        let instance = response.body_mut().take_changed();
        let Some(both) = upgrade.zip(instance) else {
            let words = format!("{} changed to a protocol that nobody asked for.", place.name);
            let page = Page::new(StatusCode::BAD_GATEWAY, "No answer", words);
            return refuse(page, asked, open);
        };
        visit.outlet.changes();
        return switch(state, response.map(|_| ()), both, open);
    }
    headers::strip_connection(response.headers_mut());
    let target = &search.aim.target;
    if target.sticky
        && let Some(mark) = response.body().mark().filter(|mark| brought != Some(*mark))
        && let Some(cookie) = balance::given(mark, visit.secure)
    {
        response.headers_mut().append(SET_COOKIE, cookie);
    }
    let coding = coding(target.compress, &asked.headers, &response);
    let (compress, (mut parts, body)) = (target.compress, response.into_parts());
    parts.version = Version::default();
    let response = Response::from_parts(parts, Body::answered(body));
    coded(compress, coding, response).map(|body| body.counted(open).goes_out(&visit.outlet))
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

/// The edge answers in the place of an instance.
pub(crate) fn refuse(page: Page, asked: &Parts, open: Open) -> Response<Body> {
    page.answer(&asked.headers).map(|body| body.counted(open))
}

/// Sends a request to one instance after the other, until one answers.
pub(crate) async fn send(
    state: &State,
    search: &mut Search<'_>,
    outgoing: &mut Outgoing<'_>,
    (bounds, mut deadline): (&Bounds, Deadline),
) -> Result<Response<Answered>, Page> {
    search.aim.place.earn_repetition();
    loop {
        let found = deadline.keep(pin!(search.next())).await;
        let (instance, busy) = match found {
            Ok(Ok(found)) => found,
            Err(late) => return Err(late.page(&search.aim.place.name)),
            Ok(Err(Vain(because))) => {
                let status = StatusCode::SERVICE_UNAVAILABLE;
                return Err(Page::new(status, "Nothing answers here yet", because));
            }
        };
        let began = search.is_measured().then(clock::now);
        let answered = deadline
            .keep_asking(pin!(instance.send(&state.idle, outgoing, busy)))
            .await;
        let failed = match answered {
            Ok(Ok(response)) => {
                if let Some(began) = began {
                    let took = clock::now().duration_since(began);
                    search.answered(&instance, took, response.status().is_server_error());
                }
                return Ok(response);
            }
            Ok(Err(failed)) => failed,
            Err(late) => return Err(late.page(&search.aim.place.name)),
        };
        if let Some(early) = outgoing.visitor_ended() {
            let status = match early {
                Early::Broken => StatusCode::BAD_REQUEST,
                Early::Stalled => StatusCode::REQUEST_TIMEOUT,
                Early::Large => return Err(Refusal::Large(bounds.body.unwrap_or(0)).page()),
            };
            return Err(Page::new(status, "The request broke off", ""));
        }
        if let Failed::Exhausted(why) = failed {
            // The instance has done nothing: it is not left out for it, and waiting here would keep what others need.
            return Err(search.exhausted(why));
        }
        search.refused(&instance);
        let name = &search.aim.place.name;
        let words = match failed {
            Failed::Unreachable | Failed::Exhausted(_) => continue,
            Failed::Broken if outgoing.repeat() => continue,
            Failed::Refused(_) if outgoing.again() => continue,
            Failed::Refused(_) => format!("{name} has refused the request, which cannot be sent again."),
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
    response: Response<()>,
    (visitor, (instance, lease)): (OnUpgrade, (Changed, Lease)),
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
