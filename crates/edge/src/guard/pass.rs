//! The way of a request past its guard: it is looked at, it may wait, and its answer is told how things stand.

use std::sync::Arc;

use http::header::{AUTHORIZATION, SET_COOKIE};
use http::request::Parts;
use http::{HeaderMap, HeaderValue, Response};

use super::rate::Standing;
use super::robot::{SLOWED, Waits};
use super::{Asked, Guard, Refusal, cookie};
use crate::body::Body;
use crate::door::clock;
use crate::host::Host;
use crate::state::State;
use crate::visit::{Entry, Visit};

/// A request that goes on.
#[derive(Debug, Default)]
pub(crate) struct Passed {
    /// How its visitor stands, where that is counted.
    pub(super) standing: Option<Standing>,
    /// Cookies that its visitor gets.
    pub(super) cookies: Vec<HeaderValue>,
    /// It waits before it goes on.
    pub(super) waits: Option<Waits>,
    /// What stands in `Authorization` is the password of the edge, and not for the instance.
    pub(super) by_password: bool,
}

impl Passed {
    /// Tells the answer what its visitor has to know.
    pub(crate) fn tell(self, answer: &mut HeaderMap) {
        if let Some(standing) = self.standing {
            standing.tell(answer);
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
        return Ok(Passed::default());
    }
    let keys = state.keys();
    let checked = guard.check(&Asked {
        method: &parts.method,
        uri: &parts.uri,
        headers: &parts.headers,
        host,
        from: visit.from.ip(),
        secure: visit.secure,
        now: clock::nanos(),
        keys: &keys,
        is_own: &|host| state.table().is_own(host),
        ports: (state.https, state.http),
    });
    let mut passed = match checked {
        Ok(passed) => passed,
        Err(refusal) => return Err(refused(refusal, parts)),
    };
    if let Some(waits) = passed.waits.take() {
        tokio::time::sleep(SLOWED).await;
        drop(waits);
    }
    if passed.by_password {
        parts.headers.remove(AUTHORIZATION);
    }
    cookie::keep_back(&mut parts.headers);
    Ok(passed)
}
