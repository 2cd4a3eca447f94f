//! One request of a visitor or a component, from its head to its answer.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use http::header::{CONNECTION, HeaderMap, HeaderValue, LOCATION, RETRY_AFTER};
use http::request::Parts;
use http::{Request, Response, StatusCode, Version};
use hyper::body::Incoming;
use towpath_decide::calls::Caller;

use crate::Answer;
use crate::body::Body;
use crate::certificates::Facing;
use crate::crowd::Outlet;
use crate::door::clock;
use crate::guard::Guard;
use crate::host::{self, Host, NoHost};
use crate::pages::Page;
use crate::request_id::{self, REQUEST_ID};
use crate::seen::Witness;
use crate::shares::Bucket;
use crate::shown::Shown;
use crate::state::State;
use crate::table::{Aim, Found};
use crate::{aside, cache, files, forwarded, guard, headers, inner, pages, proxy, shares, sound, to_https};

/// The most addresses that a page lists.
const LISTED: usize = 100;

/// After so many seconds a visitor may come again whom nobody has told when maintenance ends.
const COME_AGAIN: u64 = 120;

/// By which door a request came in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
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
    /// The certificate that was shown for it, where one was asked for.
    pub(crate) shown: Option<Box<Shown>>,
    /// The component that calls, where it has shown who it is.
    pub(crate) caller: Option<Box<Caller>>,
    /// Whether what is sent is read.
    pub(crate) outlet: Arc<Outlet>,
    /// This one is encrypted.
    encrypted: bool,
    /// What is said of the visitor is believed.
    by_way_of: Option<Arc<Facing>>,
    /// What was said of the visitor's connection.
    said: Option<bool>,
    /// The host that was asked for last.
    last: Mutex<Option<Arc<Named>>>,
    /// The bucket that was brought last, with its text: a browser brings the same one each time.
    bucket: Mutex<Option<(Box<str>, Bucket)>>,
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
            shown: None,
            caller: None,
            outlet: Arc::default(),
            encrypted: secure,
            by_way_of: None,
            said: None,
            last: Mutex::default(),
            bucket: Mutex::default(),
        }
    }

    /// The same, with a certificate that was shown.
    pub(crate) fn showing(self, shown: Option<Shown>) -> Visit {
        let shown = shown.map(Box::new);
        Visit { shown, ..self }
    }

    /// The same, of a component that has shown who it is.
    pub(crate) fn called_by(self, caller: Caller) -> Visit {
        let caller = Some(Box::new(caller));
        Visit { caller, ..self }
    }

    /// Whether what is said over this connection is encrypted.
    pub(crate) fn is_encrypted(&self) -> bool {
        self.encrypted
    }

    /// How long what was shown holds, where that ends.
    pub(crate) fn until(&self) -> Option<Duration> {
        let until = u64::try_from(self.caller.as_ref()?.until).unwrap_or(0);
        Some(Duration::from_secs(until).saturating_sub(clock::since_epoch()))
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
            shown: None,
            caller: None,
            outlet: Arc::clone(&self.outlet),
            said: told.secure,
            last: Mutex::default(),
            bucket: Mutex::default(),
        })
    }

    /// The bucket in a text, which is opened where it is another one than before.
    pub(crate) fn bucket(&self, text: &str, open: impl FnOnce(&str) -> Option<Bucket>) -> Option<Bucket> {
        let mut known = self.bucket.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, bucket)) = known.as_ref().filter(|(known, _)| **known == *text) {
            return Some(*bucket);
        }
        let bucket = open(text)?;
        *known = Some((text.into(), bucket));
        Some(bucket)
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
    let mut response = pin!(at_host(&state, &visit, (&mut parts, body), &mut witness)).await;
    // What is not one of our own pages says nothing about itself.
    if !response.extensions().is_empty() {
        response = pages::dress(state.error_page().as_deref(), response, &id);
    }
    let told = response.headers_mut().entry(REQUEST_ID).or_insert(id);
    headers::is_once(told);
    Ok(witness.answered(&state.seen, response))
}

async fn at_host(
    state: &Arc<State>,
    visit: &Visit,
    (parts, body): (&mut Parts, Incoming),
    witness: &mut Witness,
) -> Response<Body> {
    let certificates = &state.trust.certificates;
    if !visit.encrypted
        && !matches!(visit.entry, Entry::Inside(_))
        && let Some(word) = certificates.proofs.word(parts.uri.path())
    {
        return Response::new(Body::whole(word));
    }
    if let Some(page) = sound::refusal(parts) {
        return refuse(page, parts);
    }
    sound::complete(parts);
    let named = match visit.named(parts) {
        Ok(named) => named,
        Err(no_host) => {
            let page = Page::new(StatusCode::BAD_REQUEST, "Bad request", no_host.words());
            return refuse(page, parts);
        }
    };
    let (host, https) = (&named.host, state.https());
    if !visit.secure
        && !matches!(visit.entry, Entry::Inside(_))
        && certificates.redirects()
        && let Some(elsewhere) =
            to_https::elsewhere(&certificates.facing(), host, &parts.uri, visit.said, https)
    {
        return to_https::answer(&elsewhere);
    }
    if matches!(visit.entry, Entry::Https) && !visit.encrypted {
        return to_https(state, host, parts.uri.path_and_query());
    }
    let path = parts.uri.path();
    if guard::is_journey(path)
        && !matches!(visit.entry, Entry::Inside(_))
        && let Some(answer) = Box::pin(guard::on_journey(state, visit, host, parts)).await
    {
        return answer;
    }
    let found = match visit.entry {
        Entry::Inside(port) => match state.table().inside(port) {
            Some(aim) => Found::Aim(Arc::clone(aim), Arc::clone(&aim.guard), aim.series(&state.seen)),
            None => Found::Unknown,
        },
        _ => state.table().outside(&host.name, path, &state.seen),
    };
    match found {
        Found::Aim(_, guard, _)
            if !matches!(visit.entry, Entry::Inside(_))
                && let Some(aside) = aside::asked(&guard, path) =>
        {
            witness.is_aside();
            let answer = Box::pin(aside::answer(state, visit, aside, (&guard, host), (parts, body)));
            let mut answer = answer.await;
            guard.dress(answer.headers_mut(), &host.name, visit.secure);
            answer
        }
        Found::Aim(aim, guard, series) => {
            witness.reached(series);
            pin!(at_aim(state, visit, (aim, &guard), &named, (parts, body))).await
        }
        Found::Redirect(elsewhere, guard) => {
            let mut answer = match guard::enter(state, visit, &guard, host, parts).await {
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

/// Past the guard of a target, if it may pass.
async fn at_aim(
    state: &Arc<State>,
    visit: &Visit,
    (aim, guard): (Arc<Aim>, &Arc<Guard>),
    named: &Arc<Named>,
    (parts, mut body): (&mut Parts, Incoming),
) -> Response<Body> {
    let is_inside = matches!(visit.entry, Entry::Inside(_));
    if is_inside && let Some(page) = inner::refusal(&aim, visit, parts) {
        return refuse(page, parts);
    }
    if let Some(closed) = closed(&aim, visit, &parts.headers) {
        return closed;
    }
    let entered = pin!(guard::enter(state, visit, guard, &named.host, parts)).await;
    let mut answer = match entered {
        Ok(passed) => {
            if is_inside
                && guard.signs()
                && let Err(answer) = Box::pin(guard::sign(state, guard, parts, &mut body)).await
            {
                return answer;
            }
            let mut answer = pin!(at_target(state, visit, aim, guard, named, (parts, body))).await;
            passed.tell(answer.headers_mut());
            answer
        }
        Err(refused) => refused,
    };
    if !is_inside {
        guard.dress(answer.headers_mut(), &named.host.name, visit.secure);
    }
    answer
}

/// What a visitor is told while a target is in maintenance. Components ask each other as ever.
fn closed(aim: &Arc<Aim>, visit: &Visit, asked: &HeaderMap) -> Option<Response<Body>> {
    let maintenance = aim.target.maintenance.as_ref()?;
    if matches!(visit.entry, Entry::Inside(_)) {
        return None;
    }
    let now = clock::today();
    if !maintenance.keeps_out(visit.from.ip().to_canonical(), now) {
        return None;
    }
    let because = maintenance.because.as_deref().unwrap_or("We will be back soon.");
    let page = Page::new(StatusCode::SERVICE_UNAVAILABLE, "Closed for maintenance", because);
    let open = aim.place.open();
    let mut response = page.answer(asked).map(|body| body.counted(open));
    let seconds = maintenance.seconds_left(now).unwrap_or(COME_AGAIN);
    response
        .headers_mut()
        .insert(RETRY_AFTER, HeaderValue::from(seconds));
    Some(response)
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
    guard: &Arc<Guard>,
    named: &Arc<Named>,
    (parts, body): (&mut Parts, Incoming),
) -> Response<Body> {
    let mut open = aim.place.open();
    let response = match &aim.target.answer {
        Answer::Instances { .. } => {
            let way = shares::enter(state, visit, &aim, &named.host, parts);
            let asks = (parts, body);
            // Whoever asks for a release wants to know how that one answers.
            let may_be_kept = guard.rules().cache.is_some()
                && !aim.target.grpc
                && !matches!(way.wish, shares::Wish::Forced(_));
            let mut answer = if may_be_kept {
                let through = cache::Through {
                    state,
                    visit,
                    wish: &way.wish,
                    aim,
                    guard,
                    named,
                };
                Box::pin(cache::pass(through, asks, open)).await
            } else {
                pin!(proxy::pass(
                    state,
                    visit,
                    aim,
                    guard,
                    named,
                    asks,
                    (open, &way.wish)
                ))
                .await
            };
            way.tell(answer.headers_mut());
            return answer;
        }
        Answer::Files { .. } => {
            open.facts.is_theirs = true;
            let way = shares::enter(state, visit, &aim, &named.host, parts);
            let (folder, release) = aim.folder(&way.wish);
            open.facts.release = release.map(Arc::clone);
            let mut answer = Box::pin(files::answer(&state.packed, &aim, folder, parts)).await;
            way.tell(answer.headers_mut());
            answer
        }
        Answer::Closed { because } => {
            Page::new(StatusCode::SERVICE_UNAVAILABLE, "Nothing answers here", because).answer(&parts.headers)
        }
    };
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
    redirect(&format!(
        "https://{name}{}{path}",
        port_of("https", state.https())
    ))
}

/// A port as it stands in an address: not at all where the scheme means it anyway.
fn port_of(scheme: &str, port: u16) -> String {
    match (scheme, port) {
        ("https", 443) | ("http", 80) => String::new(),
        _ => format!(":{port}"),
    }
}

fn nothing_here(state: &State, visit: &Visit, host: &Host, asked: &HeaderMap) -> Response<Body> {
    let product = &state.product;
    let (https, http) = state.ports();
    let (scheme, port) = if visit.secure {
        ("https", port_of("https", https))
    } else {
        ("http", port_of("http", http))
    };
    // What else there is helps whoever has built it, and is no stranger's business.
    let is_open = state.is_open.load(Ordering::Relaxed);
    let addresses = if is_open {
        Vec::new()
    } else {
        state.table().addresses(LISTED)
    };
    let words = if is_open {
        "No site of that name is here.".to_owned()
    } else if addresses.is_empty() {
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
        .map(|host| format!("{scheme}://{host}{port}/"))
        .collect();
    page.answer(asked)
}

/// There are too many requests over HTTP/2 at once.
pub(crate) fn crowded(request: &Request<Incoming>) -> Response<Body> {
    let words = "Too many requests are open. Ask again in a moment.";
    Page::new(StatusCode::SERVICE_UNAVAILABLE, "Too much at once", words).answer(request.headers())
}
