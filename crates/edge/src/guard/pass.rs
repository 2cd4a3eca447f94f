//! The way of a request past its guard: it is looked at, it may wait, and its answer is told how things stand.

use std::sync::Arc;

use http::header::{AUTHORIZATION, SET_COOKIE};
use http::request::Parts;
use http::{HeaderMap, HeaderValue, Response};

use super::journey::{self, Step};
use super::rate::Standing;
use super::robot::{SLOWED, Waits};
use super::{Asked, Guard, Refusal, cookie, refusal};
use crate::body::Body;
use crate::door::clock;
use crate::host::Host;
use crate::provider::{self, Fault};
use crate::state::State;
use crate::visit::{Entry, Visit};

/// A request that goes on.
#[derive(Debug, Default)]
pub(crate) struct Passed {
    /// How its visitor stands under which policy, where that is counted.
    pub(super) standing: Option<(Standing, HeaderValue)>,
    /// Cookies that its visitor gets.
    pub(super) cookies: Vec<HeaderValue>,
    /// It waits before it goes on.
    pub(super) waits: Option<Waits>,
    /// What stands in `Authorization` is the password of the edge, and not for the instance.
    pub(super) by_password: bool,
    /// Who its visitor is, where that has been shown.
    pub(super) user: Option<String>,
}

/// Who the visitor of a request is, as its instance is told.
#[derive(Debug, Clone)]
pub(crate) struct User(pub(crate) HeaderValue);

impl Passed {
    /// Tells the answer what its visitor has to know.
    pub(crate) fn tell(self, answer: &mut HeaderMap) {
        if let Some((standing, policy)) = self.standing {
            refusal::tell(&standing, policy, answer);
        }
        for cookie in self.cookies {
            answer.append(SET_COOKIE, cookie);
        }
    }
}

/// Lets a request through to a target, or answers it.
pub(crate) async fn enter(
    state: &Arc<State>,
    visit: &Visit,
    guard: &Guard,
    host: &Host,
    parts: &mut Parts,
) -> Result<Passed, Response<Body>> {
    let refused = |refusal: Refusal, parts: &Parts| refusal.answer(&parts.headers, parts.version);
    if matches!(visit.entry, Entry::Inside(_)) {
        return match guard.fits(&parts.headers) {
            Ok(()) => Ok(Passed::default()),
            Err(refusal) => Err(refused(refusal, parts)),
        };
    }
    if guard.is_open {
        // Somebody may have signed in before another part under the same name.
        cookie::keep_back(&mut parts.headers);
        return Ok(Passed::default());
    }
    // What few requests need takes no room in those of all others.
    let fault = match guard.tokens(&parts.headers).next() {
        Some(_) => Box::pin(learn(state, guard, &parts.headers)).await,
        None => None,
    };
    let keys = state.keys();
    let checked = guard.check(&Asked {
        method: &parts.method,
        uri: &parts.uri,
        headers: &parts.headers,
        host,
        from: visit.from.ip(),
        secure: visit.secure,
        now: clock::nanos(),
        today: clock::since_epoch().as_secs(),
        shown: visit.shown.as_deref(),
        providers: &state.providers,
        keys: &keys,
        is_own: &|host| state.table().is_own(host),
        ports: state.ports(),
    });
    let mut passed = match checked {
        Ok(passed) => passed,
        Err(Refusal::AtProvider(None)) if journey::opens_page(&parts.method, &parts.headers) => {
            let step = Step {
                state,
                visit,
                host,
                parts,
            };
            let to = parts.uri.path_and_query().map_or("/", |path| path.as_str());
            return Err(Box::pin(step.begin(guard, to)).await);
        }
        Err(Refusal::NoProvider(_)) => {
            let why = fault.map(|fault| fault.0).unwrap_or_default();
            return Err(refused(Refusal::NoProvider(why), parts));
        }
        Err(refusal) => return Err(refused(refusal, parts)),
    };
    if let Some(waits) = passed.waits.take() {
        tokio::time::sleep(SLOWED).await;
        drop(waits);
    }
    if passed.by_password {
        parts.headers.remove(AUTHORIZATION);
    }
    if let Some(user) = passed
        .user
        .take()
        .and_then(|user| HeaderValue::try_from(user).ok())
    {
        parts.extensions.insert(User(user));
    }
    cookie::keep_back(&mut parts.headers);
    Ok(passed)
}

/// Asks for what the tokens of a request are checked with, where that is not known yet.
async fn learn(state: &State, guard: &Guard, headers: &HeaderMap) -> Option<Fault> {
    let mut fault = None;
    for (issuer, token) in guard.tokens(headers) {
        let key = provider::key_of(token);
        let learnt = state
            .providers
            .learn(issuer, key.as_deref(), clock::nanos())
            .await;
        fault = learnt.err().or(fault);
    }
    fault
}
