//! Answers of instances, kept as long as they say (RFC 9111 as a shared cache) and as `cache.edge` of the manifest lets them.
//!
//! `rule` decides, `shelf` keeps, `flight` lets one of many ask, `record` takes in what comes, `ask` goes to the origin, and
//! `reply` makes answers of what is kept.
//!
//! **When it acts.** Where the rules of a part of an address space say `cache.edge`, and for GET and HEAD. An answer that is
//! fresh is given; one that may be used while it is asked for anew is given, and asked for; any other goes to the origin, with
//! its `ETAG` or `Last-Modified` where it has one. Of many who want the same thing that is not there, one asks and the others
//! wait for that, ten seconds at most. When it turns out that nothing is to be kept, everybody asks by himself, and for a
//! while nobody waits there. A visitor's own conditions and ranges are answered here from what came whole.
//!
//! **What it is found by** is everything that the origin is told and no header names: target, build, scheme, door, host and
//! path as they were written, with the query. Nothing is put in order or decoded: what two servers might read differently has
//! two keys. Headers that origins take for one of those make a request pass by (`rule::OVERRIDES`); what else an answer
//! depends on its origin says by `Vary`. The visitor's address, which an origin is told, too, is not part of it: an answer
//! that depends on it is `private`.
//!
//! **When it forgets.** When its target is made of something else, as soon as that is set; what an instance of another build
//! answers meanwhile is not kept. When a request that may change something went well (RFC 9111, 4.4), with what its
//! `Location` and `Content-Location` name. Everything, with the process: a successor of the edge begins with nothing.
//!
//! **When it refuses.** An answer larger than a sixteenth of all room is passed on and not kept; so is what comes while too
//! much comes already. What is kept is bounded in bytes, and its head, its key and its coded forms count.
//!
//! **Sign-in and rates** come before it: whoever may not pass gets nothing that is kept.

mod ask;
mod control;
mod flight;
pub(crate) mod fuzzing;
mod kept;
mod key;
mod record;
mod reply;
mod rule;
mod shelf;

use std::sync::Arc;

use bytes::Bytes;
use http::header::{CONTENT_LOCATION, HeaderMap, LOCATION, RANGE};
use http::request::Parts;
use http::{Method, Response, StatusCode};
use hyper::body::{Body as _, Incoming};

use crate::body::Body;
use crate::guard::Guard;
use crate::pages::Page;
use crate::place::Open;
use crate::proxy;
use crate::shares;
use crate::state::State;
use crate::table::Aim;
use crate::visit::{Entry, Named, Visit};
use ask::{Asking, Outcome};
use flight::{Lead, Phase};
use kept::Kept;
use key::{Key, Of};
use record::{Reader, Room};
use reply::Told;
use rule::{Use, Wish};
use shelf::Shelf;

/// All that is kept, in bytes. The pages of a site are some MiB; who needs more has something made for it in front of us.
const KEPT: usize = 32 * 1024 * 1024;

/// The largest answer that is kept: sixteen of them fill everything.
const LARGEST: usize = KEPT / 16;

/// What may be on its way in, in bytes.
const COMING: usize = KEPT / 2;

/// How often somebody waits for another one's answer before he asks by himself.
const ROUNDS: usize = 2;

/// How an answer came about, for whoever counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Source {
    /// From what is kept, or from another one's answer.
    Hit,
    /// From the origin.
    Miss,
    /// From what is kept, though it was old.
    Stale,
    /// From the origin, as it can only come from there.
    Passed,
}

/// The answers that are kept.
#[derive(Debug)]
pub(crate) struct Cache {
    shelf: Arc<Shelf>,
    room: Arc<Room>,
}

impl Default for Cache {
    fn default() -> Cache {
        Cache {
            shelf: Arc::new(Shelf::new(KEPT)),
            room: Room::new(COMING),
        }
    }
}

impl Cache {
    /// A target is made of something else from now on, perhaps: nothing of what it was made of before stays.
    pub(crate) fn forget_former(&self, target: &str, build: u64) {
        self.shelf.forget_former(target, build);
    }

    /// How many answers are kept, and their bytes.
    pub(crate) fn size(&self) -> (u64, u64) {
        self.shelf.size()
    }
}

/// A request, and where it is for.
pub(crate) struct Through<'r> {
    pub(crate) state: &'r Arc<State>,
    pub(crate) visit: &'r Visit,
    /// Of which release an answer has to be.
    pub(crate) wish: &'r shares::Wish,
    pub(crate) aim: Arc<Aim>,
    pub(crate) guard: &'r Arc<Guard>,
    pub(crate) named: &'r Arc<Named>,
}

/// Passes a request on to an instance, or answers it from what is kept.
pub(crate) async fn pass(
    through: Through<'_>,
    (asked, body): (&mut Parts, Incoming),
    mut open: Open,
) -> Response<Body> {
    let key = through.key(asked.uri.path_and_query().map_or("/", |path| path.as_str()));
    let wish = match rule::looks(asked, !body.is_end_stream()) {
        Ok(wish) => wish,
        Err(why) => {
            let changes = !asked.method.is_safe();
            open.facts.source = Some(Source::Passed);
            let mut response = through.by_itself((asked, body), open).await;
            reply::tell(response.headers_mut(), Told::Passed(why), 0);
            if changes && (response.status().is_success() || response.status().is_redirection()) {
                through.forget(&key, response.headers());
            }
            return response;
        }
    };
    let turn = through.look(&key, asked, &wish, &mut open).await;
    match turn {
        Turn::Answered(response) => {
            open.facts.is_theirs = true;
            open.facts.release = through.release().cloned();
            (*response).map(|body| body.counted(open).goes_out(&through.visit.outlet))
        }
        Turn::Refused(page) => {
            open.facts.release = through.release().cloned();
            proxy::refuse(page, asked, open)
        }
        Turn::Alone => {
            open.facts.source = Some(Source::Miss);
            let mut response = through.by_itself((asked, body), open).await;
            reply::tell(response.headers_mut(), Told::Alone, 0);
            response
        }
    }
}

/// What becomes of a request.
enum Turn {
    Answered(Box<Response<Body>>),
    /// The edge answers in the place of the origin.
    Refused(Page),
    /// It goes to the origin as it is.
    Alone,
}

impl Through<'_> {
    fn key(&self, path: &str) -> Key {
        let of = Of {
            target: &self.aim.place.name,
            build: self.aim.build,
            release: self.release().map_or("", |release| release),
            secure: self.visit.secure,
            inside: matches!(self.visit.entry, Entry::Inside(_)),
            host: &self.named.host.written,
            path,
        };
        of.key()
    }

    async fn by_itself(&self, request: (&mut Parts, Incoming), open: Open) -> Response<Body> {
        let aim = Arc::clone(&self.aim);
        let open = (open, self.wish);
        proxy::pass(self.state, self.visit, aim, self.guard, self.named, request, open).await
    }

    /// The release that answers, where there is a choice.
    fn release(&self) -> Option<&Arc<str>> {
        self.aim.pool(self.wish).1
    }

    fn shelf(&self) -> &Arc<Shelf> {
        &self.state.cache.shelf
    }

    /// Something has been changed: what is kept of its address, and of those that the answer names, is not right any more.
    fn forget(&self, key: &Key, answer: &HeaderMap) {
        self.shelf().forget(key);
        for name in [LOCATION, CONTENT_LOCATION] {
            let told = answer.get(name).and_then(|told| told.to_str().ok());
            // Only under the same name: nobody forgets for others (RFC 9111, 4.4).
            let path = told.and_then(|told| match told.split_once("://") {
                Some((_, rest)) => rest.strip_prefix(self.named.host.written.as_str()),
                None => Some(told),
            });
            if let Some(path) = path.filter(|path| path.starts_with('/') && !path.starts_with("//")) {
                self.shelf().forget(&self.key(path));
            }
        }
    }

    /// Answers from what is kept, asks for all who want the same, or lets it go by itself.
    async fn look(&self, key: &Key, asked: &Parts, wish: &Wish, open: &mut Open) -> Turn {
        for _ in 0..ROUNDS {
            let (kept, _) = self.shelf().find(key, &asked.headers);
            if let Some(kept) = &kept {
                let used = kept.head.terms.at(kept.head.age(), wish);
                let told = match used {
                    Use::Fresh => Some((Told::Hit, Source::Hit)),
                    Use::Stale | Use::Behind => Some((Told::Stale, Source::Stale)),
                    // Nobody is there to be asked: what may be given after an error is given at once, and asked for.
                    Use::Ask
                        if self.lacks_instances() && kept.head.terms.serves_after_error(kept.head.age()) =>
                    {
                        Some((Told::Stale, Source::Stale))
                    }
                    Use::Ask => None,
                };
                if let Some((told, source)) = told {
                    if told == Told::Stale {
                        self.ask_behind(key, kept, asked);
                    }
                    return self.answer_from(key, kept, asked, (told, source), open);
                }
            }
            if wish.only_kept {
                let words = "Only what is kept was asked for, and this is not.";
                return Turn::Refused(Page::new(StatusCode::GATEWAY_TIMEOUT, "It is not kept", words));
            }
            // One part does not make a whole, and a head does not make a body.
            let makes_nothing = asked.method == Method::HEAD || asked.headers.contains_key(RANGE);
            if kept.is_none() && (makes_nothing || self.shelf().passes(key)) {
                return Turn::Alone;
            }
            let Some((flight, is_first)) = self.shelf().flight(key) else {
                return Turn::Alone;
            };
            if is_first {
                let lead = Lead::new(self.shelf(), key, flight);
                return self.lead(lead, kept, asked, open).await;
            }
            match flight.wait().await {
                Phase::Comes(coming) if coming.0.suits(&asked.headers) && coming.0.terms.fresh > 0 => {
                    let (head, record) = &*coming;
                    open.facts.source = Some(Source::Hit);
                    let response = reply::of_head(head, Told::Joined);
                    return Turn::Answered(Box::new(self.of_reader(asked, response, record.reader())));
                }
                Phase::Kept => {}
                Phase::Comes(_) | Phase::Alone | Phase::Asking => return Turn::Alone,
            }
        }
        Turn::Alone
    }

    fn lacks_instances(&self) -> bool {
        self.aim.instances.is_empty()
    }

    fn answer_from(
        &self,
        key: &Key,
        kept: &Arc<Kept>,
        asked: &Parts,
        (told, source): (Told, Source),
        open: &mut Open,
    ) -> Turn {
        open.facts.source = Some(source);
        let compress = self.aim.target.compress;
        Turn::Answered(Box::new(reply::of_kept(
            (self.shelf(), key),
            kept,
            asked,
            compress,
            told,
        )))
    }

    /// What is read while it comes.
    fn of_reader(&self, asked: &Parts, response: Response<()>, reader: Reader) -> Response<Body> {
        let (status, has_it) = (
            response.status(),
            reply::has_it(&asked.headers, response.status(), response.headers()),
        );
        if has_it {
            return reply::unchanged(response.into_parts().0.headers);
        }
        if asked.method == Method::HEAD || status == StatusCode::NO_CONTENT {
            return response.map(|()| Body::empty());
        }
        let response = response.map(|()| Body::flow(reader));
        let compress = self.aim.target.compress;
        let coding = proxy::coding(compress, &asked.headers, &response);
        proxy::coded(compress, coding, response)
    }

    fn asking(&self, lead: Lead, kept: Option<Arc<Kept>>, asked: &Parts) -> Asking {
        Asking {
            state: Arc::clone(self.state),
            aim: Arc::clone(&self.aim),
            guard: Arc::clone(self.guard),
            named: Arc::clone(self.named),
            wish: self.wish.clone(),
            asked: asked.clone(),
            kept,
            lead,
        }
    }

    /// Asks anew for what is given meanwhile, if nobody does.
    fn ask_behind(&self, key: &Key, kept: &Arc<Kept>, asked: &Parts) {
        if let Some((flight, true)) = self.shelf().flight(key) {
            let lead = Lead::new(self.shelf(), key, flight);
            let asking = self.asking(lead, Some(Arc::clone(kept)), asked);
            tokio::spawn(asking.ask());
        }
    }

    /// Asks for all who want the same.
    async fn lead(&self, lead: Lead, kept: Option<Arc<Kept>>, asked: &Parts, open: &mut Open) -> Turn {
        let key = lead.key.clone();
        let asking = self.asking(lead, kept, asked);
        let (outcome, instance, failures) = asking.ask().await;
        open.facts.failures = failures;
        open.facts.source = Some(Source::Miss);
        open.facts.instance = instance;
        match outcome {
            Outcome::Right(kept) => {
                self.answer_from(&key, &kept, asked, (Told::Validated, Source::Hit), open)
            }
            Outcome::Old(kept) => self.answer_from(&key, &kept, asked, (Told::Stale, Source::Stale), open),
            Outcome::Comes(mut response, reader) => {
                reply::tell(response.headers_mut(), Told::Stored, 0);
                Turn::Answered(Box::new(self.of_reader(asked, response, reader)))
            }
            Outcome::Passed(mut response, told) => {
                reply::tell(response.headers_mut(), told, 0);
                if reply::has_it(&asked.headers, response.status(), response.headers()) {
                    return Turn::Answered(Box::new(reply::unchanged(response.into_parts().0.headers)));
                }
                let coding = match asked.method {
                    Method::HEAD => None,
                    _ => proxy::coding(self.aim.target.compress, &asked.headers, &response),
                };
                let response = match asked.method {
                    Method::HEAD => response.map(|_| Body::empty()),
                    _ => response.map(Body::answered),
                };
                Turn::Answered(Box::new(proxy::coded(self.aim.target.compress, coding, response)))
            }
            Outcome::Failed(page) => Turn::Refused(page),
        }
    }
}

/// Keeps what has come.
fn keep(shelf: &Shelf, lead: &Lead, head: kept::Head, body: Bytes) {
    if !lead.is_void() {
        shelf.keep(&lead.key, Arc::new(Kept::new(head, body)));
        lead.kept();
    }
}
