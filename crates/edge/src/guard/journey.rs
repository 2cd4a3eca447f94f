//! The way of a visitor to a provider and back, and out again.
//!
//! **There.** Whoever opens a page without a session is sent to the provider. Where they wanted to go and until when they may
//! come back is sealed into the `state`, for this browser: it has a cookie with a name that nobody can guess. So any number of
//! tabs may be under way at once and nothing is kept here. The verifier of the code (RFC 7636) and the nonce are made of that
//! name and of the state, and nobody else can make them.
//!
//! **Back.** The state has to be one of ours, of this browser, and of these days. The code is exchanged, the token verified, and
//! whoever may pass gets a session as a sealed cookie, and goes to where they wanted to go: a path of this host, and never
//! another one. A state that comes twice brings a code that the provider has taken already.
//!
//! **When it refuses.** Programs and scripts of pages are never sent anywhere: they could not sign in, and are told so.

use std::sync::Arc;

use http::header::{ACCEPT, CACHE_CONTROL, HeaderValue, LOCATION, REFERRER_POLICY, SET_COOKIE};
use http::request::Parts;
use http::{HeaderMap, Method, Response, StatusCode};
use towpath_model::run::Access;

use super::sign_in::{Door, Keys, Session};
use super::trip::{LASTS, Trip, local, name};
use super::{Guard, Refusal, admit, cookie, injection, key};
use crate::body::Body;
use crate::door::clock;
use crate::host::Host;
use crate::pages::Page;
use crate::provider::{self, Claims, Client, Exchange, Expected, Fault, Known};
use crate::state::State;
use crate::table::Found;
use crate::visit::Visit;

/// What lies below is answered here, where there is a sign-in at a provider.
const PLACE: &str = "/.well-known/towpath/sign-in/";
const BACK: &str = "/.well-known/towpath/sign-in/back";

/// One request on this way.
pub(super) struct Step<'a> {
    pub(super) state: &'a Arc<State>,
    pub(super) visit: &'a Visit,
    pub(super) host: &'a Host,
    pub(super) parts: &'a Parts,
}

/// A page that says what went wrong, and cookies with it.
type Failed = Box<Page>;

/// Whether a path is answered here.
pub(crate) fn is_ours(path: &str) -> bool {
    path.starts_with(PLACE)
}

/// Answers a path of ours; nothing where there is no sign-in that it is for.
pub(crate) async fn answer(
    state: &Arc<State>,
    visit: &Visit,
    host: &Host,
    parts: &Parts,
) -> Option<Response<Body>> {
    let step = Step {
        state,
        visit,
        host,
        parts,
    };
    match parts.uri.path().strip_prefix(PLACE)? {
        "begin" => {
            let to = step.asked("to").unwrap_or_default();
            let guard = step.guard_of(&to)?;
            let answer = step.begin(&guard, &to).await;
            Some(step.dressed(&guard, answer))
        }
        "back" => Some(step.back().await),
        "out" => Some(step.out()),
        _ => None,
    }
}

/// Whether somebody can be sent to a provider: a browser that opens a page.
pub(super) fn opens_page(method: &Method, headers: &HeaderMap) -> bool {
    let says = |name, part: &str| {
        let mut values = headers.get_all(name).iter();
        values.any(|value: &HeaderValue| value.to_str().is_ok_and(|value| value.contains(part)))
    };
    let mode = headers.get("sec-fetch-mode");
    let is_page = mode.is_none_or(|mode| mode == "navigate");
    (*method == Method::GET || *method == Method::HEAD) && is_page && says(ACCEPT, "text/html")
}

impl Step<'_> {
    /// The value of a word in the query.
    fn asked(&self, name: &str) -> Option<String> {
        let mut pairs = self.parts.uri.query()?.split('&');
        let value = pairs.find_map(|pair| pair.strip_prefix(name)?.strip_prefix('='))?;
        Some(injection::decode(value.as_bytes(), true))
    }

    /// The guard with a sign-in at a provider before a path.
    fn guard_of(&self, to: &str) -> Option<Arc<Guard>> {
        let to = local(to);
        let path = to.split(['?', '#']).next().unwrap_or(to);
        let table = self.state.table();
        let (Found::Aim(_, guard, _) | Found::Redirect(_, guard)) =
            table.outside(&self.host.name, path, &self.state.seen)
        else {
            return None;
        };
        guard.door.as_ref()?.issuer()?;
        let from = self.visit.from.ip();
        let allow = &guard.rules.allow;
        (allow.is_empty() || allow.iter().any(|network| network.contains(from))).then_some(guard)
    }

    fn dressed(&self, guard: &Guard, mut answer: Response<Body>) -> Response<Body> {
        guard.dress(answer.headers_mut(), &self.host.name, self.visit.secure);
        answer
    }

    fn origin(&self) -> String {
        let scheme = if self.visit.secure { "https" } else { "http" };
        format!("{scheme}://{}", self.host.written)
    }

    fn page(&self, page: Page) -> Response<Body> {
        page.answer(&self.parts.headers)
    }

    /// The cookie of the browser.
    fn browser(&self) -> String {
        cookie::of_host(cookie::BROWSER, self.visit.secure)
    }

    /// A page with the way to begin once more.
    fn again(&self, status: StatusCode, title: &str, words: &str, to: &str) -> Failed {
        let mut page = Page::new(status, title, words);
        let query = provider::query(&[("to", local(to))]);
        page.addresses = vec![format!("{}{PLACE}begin?{query}", self.origin())];
        Box::new(page)
    }

    fn down(&self, fault: &Fault, to: &str) -> Failed {
        let words = format!(
            "{}.\nTry it again in a while. Whoever has signed in before is not concerned.",
            fault.0
        );
        let title = "The place where people sign in does not answer";
        self.again(StatusCode::SERVICE_UNAVAILABLE, title, &words, to)
    }

    /// Sends somebody to the provider.
    pub(super) async fn begin(&self, guard: &Guard, to: &str) -> Response<Body> {
        match self.sent(guard, to).await {
            Ok(answer) => answer,
            Err(page) => self.page(*page),
        }
    }

    async fn sent(&self, guard: &Guard, to: &str) -> Result<Response<Body>, Failed> {
        let keys = self.state.keys();
        let (door, issuer, client) = of(guard, &keys)?;
        let learnt = self.state.providers.learn(issuer, None, clock::nanos()).await;
        let known = learnt.map_err(|fault| self.down(&fault, to))?;
        let Some(address) = &known.says.authorization_endpoint else {
            let fault = Fault(format!("Nobody can sign in at {issuer}"));
            return Err(self.down(&fault, to));
        };
        let brought = cookie::brought(&self.parts.headers, &self.browser());
        let brought = brought.filter(|name| cookie::unstamped(name, &["browser"]).is_some());
        let browser = match brought {
            Some(browser) => browser.to_owned(),
            None => cookie::stamped(&name(), &["browser"]),
        };
        let trip = Trip {
            id: name(),
            to: local(to).to_owned(),
            until: clock::since_epoch().as_secs() + LASTS,
            mark: door.mark.clone(),
        };
        let state = serde_json::to_string(&trip).unwrap_or_default();
        let verifier = trip.verifier(&browser);
        let challenge = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, verifier.as_bytes());
        let challenge = base64_simd::URL_SAFE_NO_PAD.encode_to_string(challenge.as_ref());
        let redirect = format!("{}{BACK}", self.origin());
        let scope = scope(&door.access, &known);
        let state = key::seal(&state, &["trip", &browser]);
        let nonce = trip.nonce(&browser);
        let query = provider::query(&[
            ("response_type", "code"),
            ("client_id", client.id),
            ("redirect_uri", &redirect),
            ("scope", &scope),
            ("state", &state),
            ("nonce", &nonce),
            ("code_challenge", &challenge),
            ("code_challenge_method", "S256"),
        ]);
        let between = if address.contains('?') { '&' } else { '?' };
        let other = if self.asked("as").is_some() {
            "&prompt=select_account"
        } else {
            ""
        };
        let mut answer = elsewhere(&format!("{address}{between}{query}{other}"));
        let cookie = cookie::given(&self.browser(), &browser, LASTS, self.visit.secure);
        give(&mut answer, cookie);
        Ok(answer)
    }

    /// Lets somebody in who comes from the provider.
    async fn back(&self) -> Response<Body> {
        let browser = cookie::brought(&self.parts.headers, &self.browser());
        let trip = browser.and_then(|browser| {
            let state = key::unseal(&self.asked("state")?, &["trip", browser])?;
            Some((browser, serde_json::from_str::<Trip>(&state).ok()?))
        });
        let found = trip.and_then(|(browser, trip)| {
            let guard = self.guard_of(&trip.to)?;
            let is_same = guard.door.as_ref().is_some_and(|door| door.mark == trip.mark);
            is_same.then_some((browser, trip, guard))
        });
        let Some((browser, trip, guard)) = found else {
            let words = "Your browser has not begun it, or has lost the cookie that belongs to it, or it is from before something was changed here.\nBegin once more.";
            let page = self.again(
                StatusCode::BAD_REQUEST,
                "This sign-in was not begun here",
                words,
                "/",
            );
            return self.page(*page);
        };
        let answer = match self.let_in(&guard, &trip, browser).await {
            Ok(answer) => answer,
            Err(page) => self.page(*page),
        };
        self.dressed(&guard, answer)
    }

    async fn let_in(&self, guard: &Guard, trip: &Trip, browser: &str) -> Result<Response<Body>, Failed> {
        let keys = self.state.keys();
        let (door, issuer, client) = of(guard, &keys)?;
        let now = clock::since_epoch().as_secs();
        let fail = |title, words: &str| self.again(StatusCode::BAD_REQUEST, title, words, &trip.to);
        if now >= trip.until {
            return Err(fail("The sign-in has taken too long", "Begin once more."));
        }
        if let Some(error) = self.asked("error") {
            let is_name = error.len() < 64
                && error
                    .bytes()
                    .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
            let error = if is_name {
                error
            } else {
                "something else".to_owned()
            };
            let words = format!("It says: {error}.");
            let title = "The provider has not let you in";
            return Err(self.again(StatusCode::FORBIDDEN, title, &words, &trip.to));
        }
        door.may_try(self.visit.from.ip())
            .map_err(|refusal| Box::new(refusal.page()))?;
        let claims = match self.exchanged(door, (issuer, &client), trip, browser).await? {
            Ok(claims) => claims,
            Err(why) => {
                door.has_failed(self.visit.from.ip());
                let words = format!("{why}\nBegin once more.");
                return Err(fail("The sign-in does not hold", &words));
            }
        };
        let groups = claims.person.groups.clone().unwrap_or_default();
        let email = claims.person.verified();
        if let Err(stranger) = admit::admit(&door.access, email.as_deref(), groups.all()) {
            let mut page = Page::new(StatusCode::FORBIDDEN, "You may not come here", stranger.words());
            let query = provider::query(&[("to", &trip.to), ("as", "another")]);
            page.addresses = vec![format!("{}{PLACE}begin?{query}", self.origin())];
            return Err(Box::new(page));
        }
        let session = Session {
            user: email.unwrap_or_else(|| format!("subject:{}", claims.sub)),
            since: now,
        };
        let mut answer = elsewhere(local(&trip.to));
        let cookie = door.session_cookie(&session, self.visit.secure);
        give(&mut answer, cookie);
        Ok(answer)
    }

    /// What the provider says of the one who brings a code, or why that does not hold.
    async fn exchanged(
        &self,
        door: &Door,
        (issuer, client): (&str, &Client<'_>),
        trip: &Trip,
        browser: &str,
    ) -> Result<Result<Claims, String>, Failed> {
        let providers = &self.state.providers;
        let down = |fault: Fault| self.down(&fault, &trip.to);
        let known = providers
            .learn(issuer, None, clock::nanos())
            .await
            .map_err(down)?;
        // Whoever says where the answer is from has to say this one (RFC 9207).
        if self.asked("iss").is_some_and(|said| said != known.says.issuer) {
            return Ok(Err(
                "It comes from another provider than it was begun at.".to_owned()
            ));
        }
        let Some(code) = self.asked("code") else {
            return Ok(Err("The provider has sent no code.".to_owned()));
        };
        let exchange = Exchange {
            code: &code,
            verifier: &trip.verifier(browser),
            redirect: &format!("{}{BACK}", self.origin()),
        };
        let exchanged = providers.exchange(&known.says, client, &exchange).await;
        let Some(exchanged) = exchanged.map_err(down)? else {
            return Ok(Err(
                "The provider does not take its code, which may have been used already.".to_owned(),
            ));
        };
        let signed = provider::key_of(&exchanged.id_token);
        let known = providers.learn(issuer, signed.as_deref(), clock::nanos()).await;
        let known = known.map_err(down)?;
        let nonce = trip.nonce(browser);
        let expected = Expected {
            issuer: &known.says.issuer,
            audience: Some(client.id),
            is_identity: true,
            nonce: Some(&nonce),
        };
        let now = clock::since_epoch().as_secs();
        let mut claims = match provider::verify(&exchanged.id_token, &known.keys, &expected, now) {
            Ok(claims) => claims,
            Err(unfit) => {
                let words = format!("The provider has sent a token, and {}.", unfit.words());
                return Ok(Err(words));
            }
        };
        if lacks(&door.access, &claims) {
            let more = providers.person(&known.says, &exchanged, &claims.sub).await;
            if let Some(more) = more.map_err(down)? {
                claims.person = claims.person.with(more);
            }
        }
        Ok(Ok(claims))
    }

    /// Signs somebody out here.
    fn out(&self) -> Response<Body> {
        let headers = &self.parts.headers;
        if headers
            .get("sec-fetch-site")
            .is_some_and(|site| site == "cross-site")
        {
            let words = "Another site has asked for it. Open this address yourself to sign out.";
            return self.page(Page::new(StatusCode::FORBIDDEN, "You are still signed in", words));
        }
        let words =
            "At the provider you may still be signed in: sign out there, too, where others use this browser.";
        let mut page = Page::new(StatusCode::OK, "You are signed out", words);
        let guard = self.guard_of("/");
        let issuer = guard.as_ref().and_then(|guard| guard.door.as_ref()?.issuer());
        let known = issuer.and_then(|issuer| self.state.providers.known(issuer, clock::nanos()));
        page.addresses
            .extend(known.and_then(|known| known.says.end_session_endpoint.clone()));
        page.addresses.push(format!("{}/", self.origin()));
        let mut answer = self.page(page);
        for name in cookie::of_sign_in(headers) {
            give(&mut answer, cookie::taken(&name));
        }
        answer
    }
}

/// A door at a provider, with the address of that and who we are there.
fn of<'a>(guard: &'a Guard, keys: &'a Keys) -> Result<(&'a Door, &'a str, Client<'a>), Failed> {
    let door = guard.door.as_ref();
    let found = door.and_then(|door| Some((door, door.issuer()?, door.client(keys)?)));
    found.ok_or_else(|| Box::new(Refusal::Unknown.page()))
}

/// What is asked of the provider. One that does not know a word may refuse everything.
fn scope(access: &Access, known: &Known) -> String {
    let has_groups = known.says.scopes_supported.iter().any(|one| one == "groups");
    let groups = if has_groups && !access.groups.is_empty() {
        " groups"
    } else {
        ""
    };
    format!("openid email profile{groups}")
}

/// Whether a token does not say what somebody is let in by.
fn lacks(access: &Access, claims: &Claims) -> bool {
    let by_address = !(access.people.is_empty() && access.domains.is_empty());
    let by_groups = !access.groups.is_empty();
    by_address && claims.person.email.is_none() || by_groups && claims.person.groups.is_none()
}

fn give(answer: &mut Response<Body>, cookie: Option<HeaderValue>) {
    if let Some(cookie) = cookie {
        answer.headers_mut().append(SET_COOKIE, cookie);
    }
}

fn elsewhere(address: &str) -> Response<Body> {
    let mut answer = Response::new(Body::empty());
    *answer.status_mut() = StatusCode::SEE_OTHER;
    let headers = answer.headers_mut();
    match HeaderValue::try_from(address) {
        Ok(location) => drop(headers.insert(LOCATION, location)),
        Err(_) => *answer.status_mut() = StatusCode::INTERNAL_SERVER_ERROR,
    }
    let headers = answer.headers_mut();
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    // The address has a code in it, or a state.
    headers.insert(REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    answer
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_browser_that_opens_a_page_is_sent_elsewhere() {
        let opens = |method: Method, rows: &[(&'static str, &'static str)]| {
            let mut headers = HeaderMap::new();
            for (name, value) in rows {
                headers.append(*name, HeaderValue::from_static(value));
            }
            opens_page(&method, &headers)
        };
        let page = ("accept", "text/html,application/xhtml+xml,*/*;q=0.8");
        assert!(opens(Method::GET, &[page]));
        assert!(opens(Method::GET, &[page, ("sec-fetch-mode", "navigate")]));
        assert!(!opens(Method::GET, &[page, ("sec-fetch-mode", "cors")]));
        assert!(!opens(Method::POST, &[page]));
        assert!(!opens(Method::GET, &[("accept", "*/*")]));
        assert!(!opens(Method::GET, &[]));
    }
}
