//! Passes a request on to an instance, and its answer back.

use std::sync::Arc;
use std::time::Duration;

use http::header::{ACCEPT_ENCODING, CONNECTION, HeaderValue, SET_COOKIE, UPGRADE};
use http::uri::{Authority, Scheme};
use http::{Request, Response, StatusCode, Uri, Version};
use hyper::body::Incoming;
use hyper::upgrade::OnUpgrade;

use crate::answered::Answered;
use crate::body::Body;
use crate::client::{Failed, Lease};
use crate::host::Host;
use crate::pages::Page;
use crate::place::Open;
use crate::search::{Search, Vain};
use crate::sent::{Early, Outgoing};
use crate::state::State;
use crate::table::Aim;
use crate::visit::Visit;
use crate::{balance, compress, headers, pipe};

/// Passes a request on, and its answer back.
pub(crate) async fn pass(
    state: &Arc<State>,
    visit: Visit,
    aim: Arc<Aim>,
    host: Host,
    mut request: Request<Incoming>,
    mut open: Open,
) -> Response<Body> {
    let asked = request.headers().clone();
    let protocol = (request.version() == Version::HTTP_11)
        .then(|| headers::upgrade(&asked))
        .flatten();
    let upgrade = protocol.is_some().then(|| hyper::upgrade::on(&mut request));
    let outgoing = outgoing(state.patience.body, visit, &aim, &host, request, protocol);
    open.facts.passed = outgoing.passed();
    let stick = aim
        .target
        .sticky
        .then(|| balance::brought(&asked).map(str::to_owned));
    let brought = stick.flatten();
    let mut search = Search::new(state, aim, brought.clone());
    let (mut response, lease, mark) = match send(state, &mut search, outgoing).await {
        Ok(answered) => answered,
        Err(page) => {
            open.answered(page.status);
            return page.answer(&asked).map(|body| body.counted(open));
        }
    };
    open.facts.is_theirs = true;
    open.facts.instance = Some(lease.instance());
    open.facts.failures = search.failures;
    if response.status() == StatusCode::SWITCHING_PROTOCOLS {
        let Some(visitor) = upgrade else {
            let words = format!(
                "{} changed to a protocol that nobody asked for.",
                search.aim.place.name
            );
            let page = Page::new(StatusCode::BAD_GATEWAY, "No answer", words);
            open.answered(page.status);
            return page.answer(&asked).map(|body| body.counted(open));
        };
        open.answered(response.status());
        return switch(state, visitor, response, lease, open);
    }
    open.answered(response.status());
    headers::strip_connection(response.headers_mut());
    let target = &search.aim.target;
    if target.sticky
        && brought.as_deref() != Some(&mark)
        && let Some(cookie) = balance::given(&mark, visit.secure)
    {
        response.headers_mut().append(SET_COOKIE, cookie);
    }
    let coding = target
        .compress
        .then(|| compress::coding_for(&asked, &response))
        .flatten();
    let (mut parts, body) = response.into_parts();
    parts.version = Version::default();
    let body = Answered::new(body, lease);
    let body = match coding {
        Some(coding) => {
            compress::mark(&mut parts.headers, coding);
            Body::flow(compress::Compressed::new(body, coding))
        }
        None => {
            if target.compress && compress::is_compressible(&parts.headers) {
                compress::vary(&mut parts.headers, &ACCEPT_ENCODING);
            }
            Body::answered(body)
        }
    };
    Response::from_parts(parts, body.counted(open))
}

/// The request as an instance gets it.
fn outgoing(
    patience: Duration,
    visit: Visit,
    aim: &Aim,
    host: &Host,
    request: Request<Incoming>,
    protocol: Option<HeaderValue>,
) -> Outgoing {
    let (mut parts, body) = request.into_parts();
    headers::toward_instance(&mut parts.headers, &host.written, visit.from.ip(), visit.secure);
    if let Some(protocol) = protocol {
        parts
            .headers
            .insert(CONNECTION, HeaderValue::from_static("upgrade"));
        parts.headers.insert(UPGRADE, protocol);
    }
    let mut uri = http::uri::Parts::default();
    uri.path_and_query = parts.uri.into_parts().path_and_query;
    if uri.path_and_query.is_none() {
        uri.path_and_query = Some(http::uri::PathAndQuery::from_static("/"));
    }
    if aim.target.grpc {
        // HTTP/2 has the host in its own place.
        uri.authority = Authority::try_from(host.written.as_str()).ok();
        uri.scheme = uri.authority.is_some().then_some(Scheme::HTTP);
        parts.headers.remove(http::header::HOST);
    }
    parts.uri = Uri::from_parts(uri).unwrap_or_default();
    Outgoing::new(parts, body, Arc::clone(&aim.place), patience)
}

type Sent = (Response<Incoming>, Lease, String);

/// Sends a request to one instance after the other, until one answers.
async fn send(state: &State, search: &mut Search<'_>, mut outgoing: Outgoing) -> Result<Sent, Page> {
    search.aim.place.earn_repetition();
    loop {
        let instance = match search.next().await {
            Ok(instance) => instance,
            Err(Vain(because)) => {
                let status = StatusCode::SERVICE_UNAVAILABLE;
                return Err(Page::new(status, "Nothing answers here yet", because));
            }
        };
        let failed = match instance.send(&state.idle, &mut outgoing).await {
            Ok((response, lease)) => {
                return Ok((response, lease, balance::mark(&instance.id)));
            }
            Err(failed) => failed,
        };
        if let Some(early) = outgoing.visitor_ended() {
            let status = match early {
                Early::Broken => StatusCode::BAD_REQUEST,
                Early::Stalled => StatusCode::REQUEST_TIMEOUT,
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
    mut response: Response<Incoming>,
    lease: Lease,
    open: Open,
) -> Response<Body> {
    let protocol = headers::upgrade(response.headers());
    let is_websocket = protocol
        .as_ref()
        .is_some_and(|protocol| protocol.as_bytes().eq_ignore_ascii_case(b"websocket"));
    let instance = hyper::upgrade::on(&mut response);
    let part = state.ending.join();
    let guest = lease.guest();
    tokio::spawn(async move {
        // Both are counted as long as the connection is.
        let _counted = (lease, open);
        if let (Ok(visitor), Ok(instance)) = tokio::join!(visitor, instance) {
            pipe::upgraded(visitor, instance, is_websocket, (part, guest)).await;
        }
    });
    let mut headers = std::mem::take(response.headers_mut());
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
