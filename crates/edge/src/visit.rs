//! One request of a visitor or a component, from its head to its answer.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};

use http::header::{CONNECTION, HeaderMap, HeaderValue, LOCATION};
use http::request::Parts;
use http::{Request, Response, StatusCode, Version};
use hyper::body::Incoming;

use crate::Answer;
use crate::body::Body;
use crate::certificates::Facing;
use crate::guard::Guard;
use crate::host::{self, Host, NoHost};
use crate::pages::Page;
use crate::request_id::{self, REQUEST_ID};
use crate::seen::Witness;
use crate::state::State;
use crate::table::{Aim, Found};
use crate::{files, forwarded, guard, headers, proxy, sound, to_https};

/// The most addresses that a page lists.
const LISTED: usize = 100;

/// By which door a request came in.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Entry {
    /// The port for HTTPS.
    Https,
    /// The port for plain HTTP.
    Http,
    /// The inside port of a target.
    Inside(u16),
}

/// What is known of a connection.
#[derive(Debug)]
pub(crate) struct Visit {
    pub(crate) entry: Entry,
    pub(crate) from: SocketAddr,
    /// The visitor's connection is encrypted: this one, or the one to somebody in front who is believed.
    pub(crate) secure: bool,
    /// This one is encrypted.
    encrypted: bool,
    /// What is said of the visitor is believed.
    by_way_of: Option<Arc<Facing>>,
    /// What was said of the visitor's connection.
    said: Option<bool>,
    /// The host that was asked for last.
    last: Mutex<Option<Arc<Named>>>,
}

/// A host, and what instances are told of it and of the visitor.
#[derive(Debug)]
pub(crate) struct Named {
    pub(crate) host: Host,
    pub(crate) told: String,
}

impl Visit {
    pub(crate) fn new(entry: Entry, from: SocketAddr, secure: bool) -> Visit {
        Visit {
            entry,
            from,
            secure,
            encrypted: secure,
            by_way_of: None,
            said: None,
            last: Mutex::default(),
        }
    }

    /// The same, by way of somebody who is believed, if it is one.
    pub(crate) fn by_way_of(mut self, forwards: Option<Arc<Facing>>) -> Visit {
        self.by_way_of = forwards;
        self
    }

    /// The visit of the one for whom a request was passed on, where that is somebody else than who has connected.
    fn of_visitor(self: Arc<Visit>, parts: &Parts) -> Arc<Visit> {
        let Some(facing) = &self.by_way_of else {
            return self;
        };
        let told = forwarded::told(&parts.headers, self.from.ip(), &facing.front.forwarders);
        Arc::new(Visit {
            entry: self.entry,
            from: SocketAddr::new(
                told.from,
                if told.from == self.from.ip() {
                    self.from.port()
                } else {
                    0
                },
            ),
            secure: told.secure.unwrap_or(self.secure),
            encrypted: self.encrypted,
            by_way_of: None,
            said: told.secure,
            last: Mutex::default(),
        })
    }

    /// The host of a request. Most requests of a connection are for the same one, and that is read once.
    fn named(&self, parts: &Parts) -> Result<Arc<Named>, NoHost> {
        let written = host::written(parts)?;
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(named) = last.as_ref().filter(|named| named.host.written == written) {
            return Ok(Arc::clone(named));
        }
        let named = Arc::new(Named {
            host: host::parse(written)?,
            told: headers::told(written, self.from.ip(), self.secure),
        });
        *last = Some(Arc::clone(&named));
        Ok(named)
    }
}

/// Answers a request.
pub(crate) async fn answer(
    state: Arc<State>,
    visit: Arc<Visit>,
    request: Request<Incoming>,
) -> Result<Response<Body>, Infallible> {
    let (mut parts, body) = request.into_parts();
    let visit = visit.of_visitor(&parts);
    let id = request_id::of(&parts.headers);
    parts.headers.insert(REQUEST_ID, id.clone());
    let mut witness = Witness::begin(&state.seen, &visit, &mut parts, &id);
    let mut response = at_host(&state, &visit, (parts, body), &mut witness).await;
    response.headers_mut().entry(REQUEST_ID).or_insert(id);
    Ok(witness.answered(&state.seen, response))
}

async fn at_host(
    state: &Arc<State>,
    visit: &Visit,
    (mut parts, body): (Parts, Incoming),
    witness: &mut Witness,
) -> Response<Body> {
    let certificates = &state.trust.certificates;
    if !visit.encrypted
        && !matches!(visit.entry, Entry::Inside(_))
        && let Some(word) = certificates.proofs.word(parts.uri.path())
    {
        return Response::new(Body::whole(word));
    }
    if let Some(page) = sound::refusal(&parts) {
        return refuse(page, &parts);
    }
    let named = match visit.named(&parts) {
        Ok(named) => named,
        Err(no_host) => {
            let page = Page::new(StatusCode::BAD_REQUEST, "Bad request", no_host.words());
            return refuse(page, &parts);
        }
    };
    let host = &named.host;
    if !visit.secure
        && !matches!(visit.entry, Entry::Inside(_))
        && certificates.redirects()
        && let Some(elsewhere) =
            to_https::elsewhere(&certificates.facing(), host, &parts.uri, visit.said, state.https)
    {
        return to_https::answer(&elsewhere);
    }
    if matches!(visit.entry, Entry::Https) && !visit.encrypted {
        return to_https(state, host, parts.uri.path_and_query());
    }
    let path = parts.uri.path();
    let found = match visit.entry {
        Entry::Inside(port) => match state.table().inside(port) {
            Some(aim) => Found::Aim(Arc::clone(aim), Arc::clone(&aim.guard), aim.series(&state.seen)),
            None => Found::Unknown,
        },
        _ => state.table().outside(&host.name, path, &state.seen),
    };
    match found {
        Found::Aim(aim, guard, series) => {
            witness.reached(series);
            let mut answer = match guard::enter(state, visit, &guard, host, &mut parts).await {
                Ok(passed) => {
                    let mut answer = at_target(state, visit, aim, &guard, &named, (parts, body)).await;
                    passed.tell(answer.headers_mut());
                    answer
                }
                Err(refused) => refused,
            };
            if !matches!(visit.entry, Entry::Inside(_)) {
                guard.dress(answer.headers_mut(), &host.name, visit.secure);
            }
            answer
        }
        Found::Redirect(elsewhere, guard) => {
            let mut answer = match guard::enter(state, visit, &guard, host, &mut parts).await {
                Ok(_) => redirect(&elsewhere),
                Err(refused) => refused,
            };
            guard.dress(answer.headers_mut(), &host.name, visit.secure);
            answer
        }
        Found::Gone(name) => {
            let words = format!("This path leads to {name}, which is not there.");
            Page::new(StatusCode::SERVICE_UNAVAILABLE, "Nothing answers here", words).answer(&parts.headers)
        }
        Found::Unknown => nothing_here(state, visit, host, &parts.headers),
    }
}

/// Whoever asks for something that can be read in two ways may not mean the next bytes as it seems either.
fn refuse(page: Page, parts: &Parts) -> Response<Body> {
    let mut refused = page.answer(&parts.headers);
    if parts.version < Version::HTTP_2 {
        let close = HeaderValue::from_static("close");
        refused.headers_mut().insert(CONNECTION, close);
    }
    refused
}

async fn at_target(
    state: &Arc<State>,
    visit: &Visit,
    aim: Arc<Aim>,
    guard: &Guard,
    named: &Named,
    (parts, body): (Parts, Incoming),
) -> Response<Body> {
    let mut open = aim.place.open();
    let response = match &aim.target.answer {
        Answer::Instances { .. } => {
            return proxy::pass(state, visit.secure, aim, guard, named, (parts, body), open).await;
        }
        Answer::Files { .. } => {
            open.facts.is_theirs = true;
            files::answer(&state.packed, &aim.target, &parts).await
        }
        Answer::Closed { because } => {
            Page::new(StatusCode::SERVICE_UNAVAILABLE, "Nothing answers here", because).answer(&parts.headers)
        }
    };
    open.answered(response.status());
    response.map(|body| body.counted(open))
}

fn redirect(elsewhere: &str) -> Response<Body> {
    let mut response = Response::new(Body::empty());
    match HeaderValue::try_from(elsewhere) {
        Ok(location) => {
            *response.status_mut() = StatusCode::TEMPORARY_REDIRECT;
            response.headers_mut().insert(LOCATION, location);
        }
        Err(_) => *response.status_mut() = StatusCode::INTERNAL_SERVER_ERROR,
    }
    response
}

/// Somebody speaks plain HTTP to the port for HTTPS: most likely an address was typed without its `https://`.
fn to_https(state: &State, host: &Host, path: Option<&http::uri::PathAndQuery>) -> Response<Body> {
    let path = path.map_or("/", |path| path.as_str());
    let name = if host.name.contains(':') {
        format!("[{}]", host.name)
    } else {
        host.name.clone()
    };
    redirect(&format!("https://{name}:{}{path}", state.https))
}

fn nothing_here(state: &State, visit: &Visit, host: &Host, asked: &HeaderMap) -> Response<Body> {
    let product = &state.product;
    let (scheme, port) = if visit.secure {
        ("https", state.https)
    } else {
        ("http", state.http)
    };
    let addresses = state.table().addresses(LISTED);
    let words = if addresses.is_empty() {
        format!(
            "No component of {product} is public.\nSay `public = true` for the one that people should reach."
        )
    } else {
        format!("{product} has no component of that name. These are its addresses:")
    };
    let title = format!("Nothing is at {}", host.name);
    let mut page = Page::new(StatusCode::NOT_FOUND, title, words);
    page.addresses = addresses
        .into_iter()
        .map(|host| format!("{scheme}://{host}:{port}/"))
        .collect();
    page.answer(asked)
}
