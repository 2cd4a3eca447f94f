//! The way of a request to its release: who asks, which bucket that is, and what the answer tells about it.

use std::net::IpAddr;

use http::header::{AUTHORIZATION, CACHE_CONTROL, SET_COOKIE, USER_AGENT};
use http::request::Parts;
use http::{HeaderMap, HeaderName, HeaderValue};

use super::bucket::Bucket;
use super::{FORCED, Visitors};
use crate::guard::cookie;
use crate::host::Host;
use crate::state::State;
use crate::table::Aim;
use crate::visit::{Entry, Visit};

/// The cookie that holds a bucket.
const COOKIE_NAME: &str = "towpath-bucket";

/// The header by which components pass a bucket on to each other.
const PASSED_ON: HeaderName = HeaderName::from_static("towpath-bucket");

const FORCED_NAME: HeaderName = HeaderName::from_static(FORCED);

/// The other header that holds credentials.
const API_KEY: HeaderName = HeaderName::from_static("x-api-key");

/// A month, in seconds: longer than a release takes, and whoever comes back later gets it anew.
const LASTS: u64 = 30 * 24 * 60 * 60;

/// Of which release an answer has to be.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) enum Wish {
    /// There is no choice.
    #[default]
    Any,
    /// Of the one that has this bucket.
    Bucket(Bucket),
    /// Of this one and no other.
    Forced(String),
}

/// What is known of a request, and what its answer is told.
#[derive(Debug, Default)]
pub(crate) struct Way {
    pub(crate) wish: Wish,
    cookie: Option<HeaderValue>,
}

impl Way {
    /// Tells the answer what its visitor keeps. An answer that others may be given, too, is not told: they would all have
    /// the bucket of the first.
    pub(crate) fn tell(self, answer: &mut HeaderMap) {
        if let Wish::Forced(release) = &self.wish
            && let Ok(release) = HeaderValue::try_from(release.as_str())
        {
            answer.insert(FORCED_NAME, release);
        }
        if let Some(cookie) = self.cookie.filter(|_| !is_for_all(answer)) {
            answer.append(SET_COOKIE, cookie);
        }
    }
}

fn is_for_all(answer: &HeaderMap) -> bool {
    let said = answer
        .get_all(CACHE_CONTROL)
        .iter()
        .filter_map(|said| said.to_str().ok());
    let mut words = said.flat_map(|said| said.split(',')).map(str::trim);
    words.any(|word| word.eq_ignore_ascii_case("public") || word.to_ascii_lowercase().starts_with("s-maxage"))
}

/// Finds out which release answers a request. Nothing is looked at while no target has two.
pub(crate) fn enter(state: &State, visit: &Visit, aim: &Aim, host: &Host, parts: &mut Parts) -> Way {
    if aim.has_releases()
        && let Some(forced) = parts.headers.remove(FORCED_NAME)
        && let Some(release) = forced.to_str().ok().and_then(|text| state.key.forced(text))
    {
        return Way {
            wish: Wish::Forced(release.to_owned()),
            cookie: None,
        };
    }
    if !state.has_shares() {
        return Way::default();
    }
    let passed_on = parts.headers.remove(PASSED_ON);
    let (bucket, cookie) = match (visit.entry, passed_on) {
        (Entry::Inside(_), passed_on) => {
            let known = passed_on.and_then(|passed_on| Bucket::read(passed_on.as_bytes()));
            (
                known.or_else(|| known_by(aim, visit.from.ip(), &parts.headers)),
                None,
            )
        }
        _ => visitor(state, visit, aim, host, &parts.headers),
    };
    let bucket = bucket.unwrap_or_else(|| aim.place.next_bucket());
    parts
        .headers
        .insert(PASSED_ON, HeaderValue::from(bucket.number()));
    Way {
        wish: Wish::Bucket(bucket),
        cookie,
    }
}

/// A connection of which nothing is known.
pub(crate) fn of_connection(aim: &Aim) -> Wish {
    match aim.has_shares() {
        true => Wish::Bucket(aim.place.next_bucket()),
        false => Wish::Any,
    }
}

/// The bucket of a visitor, and the cookie that a newcomer gets.
fn visitor(
    state: &State,
    visit: &Visit,
    aim: &Aim,
    host: &Host,
    headers: &HeaderMap,
) -> (Option<Bucket>, Option<HeaderValue>) {
    if aim.visitors() != &Visitors::Cookie {
        return (known_by(aim, visit.from.ip(), headers), None);
    }
    let brought = cookie::brought(headers, COOKIE_NAME);
    let known = brought.and_then(|text| visit.bucket(text, |text| state.key.unseal(text)));
    if let Some(known) = known.or_else(|| known_by(aim, visit.from.ip(), headers)) {
        return (Some(known), None);
    }
    let bucket = aim.place.next_bucket();
    let text = state.key.seal(bucket);
    (Some(bucket), given(&text, scope(state, &host.name), visit.secure))
}

/// The bucket of whoever is known by something else than a cookie of ours.
fn known_by(aim: &Aim, from: IpAddr, headers: &HeaderMap) -> Option<Bucket> {
    let of = |name: &HeaderName| headers.get(name).map(HeaderValue::as_bytes);
    match aim.visitors() {
        Visitors::Cookie => {
            let credentials = of(&AUTHORIZATION).or_else(|| of(&API_KEY))?;
            Some(Bucket::by(&[b"credentials", credentials]))
        }
        Visitors::Address => {
            let program = of(&USER_AGENT).unwrap_or_default();
            Some(Bucket::by(&[
                b"address",
                from.to_canonical().to_string().as_bytes(),
                program,
            ]))
        }
        Visitors::Header(name) => {
            let name = HeaderName::try_from(name.as_str()).ok()?;
            Some(Bucket::by(&[b"header", of(&name)?]))
        }
        Visitors::Nobody => None,
    }
}

fn given(text: &str, domain: Option<&str>, secure: bool) -> Option<HeaderValue> {
    cookie::written((COOKIE_NAME, text), (Some(LASTS), domain), secure)
}

/// The widest name that is surely the product's own, and under which the one that was asked stands. Whose a name is that nobody has
/// named, is not known: then the cookie is for the one that was asked.
fn scope<'h>(state: &State, host: &'h str) -> Option<&'h str> {
    let above = host
        .strip_suffix(".localhost")
        .and_then(|above| above.strip_suffix(state.product.as_str()));
    if let Some(above) = above.and_then(|above| above.strip_suffix('.')) {
        return Some(&host[above.len() + 1..]);
    }
    let table = state.table();
    let mut widest = None;
    let mut above = host;
    while let Some((_, rest)) = above.split_once('.').filter(|(_, rest)| rest.contains('.')) {
        above = rest;
        widest = Some(above).filter(|name| table.is_own(name)).or(widest);
    }
    widest.or_else(|| Some(host).filter(|name| table.has_below(name)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(rows: &[(&'static str, &'static str)]) -> HeaderMap {
        let row = |(name, value): &(&'static str, &'static str)| {
            (HeaderName::from_static(name), HeaderValue::from_static(value))
        };
        rows.iter().map(row).collect()
    }

    #[test]
    fn nobody_gets_the_cookie_of_somebody_else_out_of_a_cache() {
        let tell = |said: &[(&'static str, &'static str)]| {
            let mut answer = headers(said);
            let cookie = given("x", Some("hello.localhost"), true);
            let wish = Wish::Any;
            Way { wish, cookie }.tell(&mut answer);
            answer
                .get(SET_COOKIE)
                .map(|value| value.to_str().expect("it is text").to_owned())
        };
        let given = "towpath-bucket=x; Path=/; Max-Age=2592000; Domain=hello.localhost; HttpOnly; SameSite=Lax; Secure";
        assert_eq!(tell(&[]).as_deref(), Some(given));
        assert_eq!(
            tell(&[("cache-control", "private, max-age=5")]).as_deref(),
            Some(given)
        );
        assert_eq!(tell(&[("cache-control", "max-age=5, Public")]), None);
        assert_eq!(tell(&[("cache-control", "s-maxage=5")]), None);
    }

    #[test]
    fn the_cookie_is_found_among_others() {
        let found = |text| cookie::brought(&headers(&[("cookie", text)]), COOKIE_NAME).map(str::to_owned);
        assert_eq!(found("a=b; towpath-bucket=xyz; c=d").as_deref(), Some("xyz"));
        assert_eq!(found("towpath-bucketed=xyz"), None);
    }
}
