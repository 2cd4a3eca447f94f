//! One request to an origin for all who want the same, and what its answer means for what is kept.

use std::sync::Arc;

use http::header::{CONTENT_LENGTH, ETAG, IF_MODIFIED_SINCE, IF_NONE_MATCH, IF_RANGE, LAST_MODIFIED, RANGE};
use http::request::Parts;
use http::{HeaderMap, HeaderValue, Method, Response, StatusCode};
use http_body::Body as _;

use super::flight::Lead;
use super::kept::{Head, Kept};
use super::record::{Reader, Record};
use super::reply::Told;
use super::rule::{self, Whose, Why};
use super::{LARGEST, keep};
use crate::answered::Answered;
use crate::client::Instance;
use crate::deadline::Deadline;
use crate::door::clock;
use crate::guard::Guard;
use crate::pages::Page;
use crate::search::Search;
use crate::sent::Outgoing;
use crate::state::State;
use crate::table::Aim;
use crate::visit::Named;
use crate::{balance, headers, proxy, shares};

/// A request that is about to go to an origin.
pub(super) struct Asking {
    pub(super) state: Arc<State>,
    pub(super) aim: Arc<Aim>,
    pub(super) guard: Arc<Guard>,
    pub(super) named: Arc<Named>,
    /// Of which release the answer has to be.
    pub(super) wish: shares::Wish,
    pub(super) asked: Parts,
    /// What is kept, and old.
    pub(super) kept: Option<Arc<Kept>>,
    pub(super) lead: Lead,
}

/// What came of it.
pub(super) enum Outcome {
    /// What is kept is right still.
    Right(Arc<Kept>),
    /// The origin has failed, and what is kept is better than that.
    Old(Arc<Kept>),
    /// It comes, and is kept when it is whole.
    Comes(Response<()>, Reader),
    /// It is not kept.
    Passed(Response<Answered>, Told),
    /// There was no answer.
    Failed(Page),
}

impl Asking {
    /// Asks, and keeps what is to be kept; with the instance that answered, and how many had failed before.
    pub(super) async fn ask(self) -> (Outcome, Option<Arc<Instance>>, u32) {
        let began = clock::millis();
        let (came, build, failures) = self.send().await;
        let took = clock::millis().saturating_sub(began);
        let mut response = match came {
            Ok(response) => response,
            Err(page) => return (self.failed(page), None, failures),
        };
        let instance = response.body().instance();
        headers::strip_connection(response.headers_mut());
        if response.status() == StatusCode::SWITCHING_PROTOCOLS {
            let words = "It changed to a protocol that nobody asked for.";
            let page = Page::new(StatusCode::BAD_GATEWAY, "No answer", words);
            return (Outcome::Failed(page), instance, failures);
        }
        (self.came(response, build, took), instance, failures)
    }

    /// The request as it goes to the origin: without what its visitor has already, and with what we have.
    fn request(&self) -> Parts {
        let mut asked = self.asked.clone();
        asked.method = Method::GET;
        for name in [IF_NONE_MATCH, IF_MODIFIED_SINCE, IF_RANGE, RANGE] {
            asked.headers.remove(name);
        }
        if let Some(kept) = &self.kept {
            for (known, condition) in [(ETAG, IF_NONE_MATCH), (LAST_MODIFIED, IF_MODIFIED_SINCE)] {
                if let Some(value) = kept.head.headers.get(known) {
                    asked.headers.insert(condition, value.clone());
                }
            }
        }
        asked
    }

    async fn send(&self) -> (Result<Response<Answered>, Page>, u64, u32) {
        let request = self.request();
        let place = Arc::clone(&self.aim.place);
        let told = (self.named.told.as_str(), self.named.host.written.as_str());
        let mut outgoing = Outgoing::alone(&request, told, &place, self.state.patience.body);
        let brought = match self.aim.target.sticky {
            true => balance::brought(&request.headers),
            false => None,
        };
        let mut search = Search::new(&self.state, Arc::clone(&self.aim), brought, &self.wish);
        let bounds = self.guard.bounds();
        let deadline = Deadline::of(&request.headers, false, bounds);
        let sent = proxy::send(&self.state, &mut search, &mut outgoing, (bounds, deadline)).await;
        (sent, search.aim.build, search.failures)
    }

    fn failed(self, page: Page) -> Outcome {
        match self.after_error() {
            Some(kept) => Outcome::Old(kept),
            None => Outcome::Failed(page),
        }
    }

    /// What is kept, where it may be given in the place of an error.
    fn after_error(&self) -> Option<Arc<Kept>> {
        let kept = self.kept.as_ref()?;
        let may = kept.head.terms.serves_after_error(kept.head.age());
        may.then(|| Arc::clone(kept))
    }

    /// An answer came, of this build, after so many milliseconds.
    fn came(self, response: Response<Answered>, build: u64, took: u64) -> Outcome {
        let shelf = Arc::clone(&self.state.cache.shelf);
        let status = response.status();
        if status.is_server_error()
            && let Some(kept) = self.after_error()
        {
            return Outcome::Old(kept);
        }
        if status == StatusCode::NOT_MODIFIED
            && let Some(kept) = &self.kept
        {
            return Outcome::Right(self.freshened(kept, response.headers(), took));
        }
        let terms = match self.terms(status, response.headers()) {
            Ok(terms) if build == self.aim.build && self.is_of_release(&response) => terms,
            Ok(_) => return Outcome::Passed(response, Told::Alone),
            Err(why) => {
                if let Some(kept) = self.kept.as_ref().filter(|_| !status.is_server_error()) {
                    shelf.drop_kept(&self.lead.key, kept);
                }
                if self.kept.is_none() {
                    shelf.pass(&self.lead.key);
                }
                let told = if status.is_server_error() {
                    Told::Failed
                } else {
                    Told::Passed(why)
                };
                return Outcome::Passed(response, told);
            }
        };
        let length = response.body().size_hint().exact();
        let fits = length.is_none_or(|length| length <= LARGEST as u64);
        let record = fits
            .then(|| Record::new(&self.state.cache.room, length))
            .flatten();
        let Some(record) = record else {
            if !fits {
                shelf.pass(&self.lead.key);
            }
            return Outcome::Passed(response, Told::Passed(Why::Large));
        };
        let head = Head::new(&self.asked.headers, &response, terms, took);
        if length.is_some() {
            self.lead.comes(head.clone(), Arc::clone(&record));
        }
        let reader = record.reader();
        let (parts, body) = response.into_parts();
        let lead = self.lead;
        tokio::spawn(async move {
            match record.take_in(body, LARGEST).await {
                Some(whole) => keep(&shelf, &lead, head, whole),
                None => shelf.pass(&lead.key),
            }
        });
        let mut response = Response::from_parts(parts, ());
        *response.version_mut() = http::Version::default();
        Outcome::Comes(response, reader)
    }

    /// Whether it is of the release that it is kept for: where that one cannot answer, another one does.
    fn is_of_release(&self, response: &Response<Answered>) -> bool {
        let instance = response.body().instance();
        let is = instance.as_ref().and_then(|instance| instance.release());
        is == self.aim.pool(&self.wish).1
    }

    fn terms(&self, status: StatusCode, headers: &HeaderMap) -> Result<rule::Terms, Why> {
        let rules = self.guard.rules();
        let whose = Whose::of(&self.asked.headers, rules.access.is_some());
        let most = rules
            .cache
            .map_or(std::time::Duration::ZERO, |most| most.to_std());
        rule::keeps(whose, status, headers, most, clock::since_epoch().as_secs())
    }

    /// The origin says that what is kept is right still.
    fn freshened(&self, kept: &Arc<Kept>, said: &HeaderMap, took: u64) -> Arc<Kept> {
        let mut updated = kept.head.updated(said);
        updated.insert(CONTENT_LENGTH, HeaderValue::from(kept.body.len()));
        let shelf = &self.state.cache.shelf;
        match self.terms(kept.head.status, &updated) {
            Ok(terms) => {
                let again = Arc::new(kept.again(kept.head.freshened(said, terms, took)));
                if !self.lead.is_void() {
                    shelf.keep(&self.lead.key, Arc::clone(&again));
                    if again.head.terms.fresh > 0 {
                        self.lead.kept();
                    }
                }
                again
            }
            // It is right, and it is the last time that it may be said so.
            Err(_) => {
                shelf.drop_kept(&self.lead.key, kept);
                Arc::new(kept.again(kept.head.freshened(said, kept.head.terms, took)))
            }
        }
    }
}
