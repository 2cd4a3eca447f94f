//! What a visitor is told who may not pass.

use http::header::{
    CONNECTION, HeaderMap, HeaderName, HeaderValue, RETRY_AFTER, SET_COOKIE, WWW_AUTHENTICATE,
};
use http::{Response, StatusCode, Version};

use super::rate::Standing;
use crate::body::Body;
use crate::pages::Page;

const REFRESH: HeaderName = HeaderName::from_static("refresh");
const RATE: HeaderName = HeaderName::from_static("ratelimit");
const POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");

/// Why somebody may not pass.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// They are in none of the networks that may.
    Network,
    /// They have asked too often.
    Often(Standing),
    /// This path is asked for by those who look for holes.
    Path,
    /// What they ask looks like an injection.
    Injection(&'static str),
    /// They look like a program.
    Robot,
    /// They have to show that they keep cookies, with this one.
    Challenge(HeaderValue),
    /// They have to sign in, by a password (with a realm) or a token.
    SignIn(Option<String>),
    /// Their password has been wrong too often.
    Guessing(Standing),
    /// What they would be asked for is not known here yet.
    Unknown,
    /// They are known, and are none of those who may.
    Stranger,
    /// They come from elsewhere.
    Elsewhere(String),
    /// A header is missing.
    Header(String),
    /// The body is larger than this.
    Large(u64),
    /// No answer has begun for so many milliseconds.
    Slow(String, u64),
}

impl Refusal {
    /// The words, as a page or as text.
    pub(crate) fn page(&self) -> Page {
        Page::new(self.status(), self.title(), self.words())
    }

    fn status(&self) -> StatusCode {
        match self {
            Refusal::Network
            | Refusal::Path
            | Refusal::Injection(_)
            | Refusal::Robot
            | Refusal::Stranger
            | Refusal::Elsewhere(_) => StatusCode::FORBIDDEN,
            Refusal::Often(_) | Refusal::Guessing(_) | Refusal::Challenge(_) => StatusCode::TOO_MANY_REQUESTS,
            Refusal::SignIn(_) => StatusCode::UNAUTHORIZED,
            Refusal::Unknown => StatusCode::SERVICE_UNAVAILABLE,
            Refusal::Header(_) => StatusCode::BAD_REQUEST,
            Refusal::Large(_) => StatusCode::PAYLOAD_TOO_LARGE,
            Refusal::Slow(..) => StatusCode::GATEWAY_TIMEOUT,
        }
    }

    fn title(&self) -> &'static str {
        match self {
            Refusal::Network | Refusal::Stranger => "You may not come here",
            Refusal::Often(_) => "Too many requests",
            Refusal::Path => "This path is closed",
            Refusal::Injection(_) => "The request looks like an attack",
            Refusal::Robot => "Programs may not come here",
            Refusal::Challenge(_) => "One moment",
            Refusal::SignIn(Some(_)) => "Sign in to go on",
            Refusal::SignIn(None) => "A token is needed",
            Refusal::Guessing(_) => "The password was wrong too often",
            Refusal::Unknown => "Nobody can sign in yet",
            Refusal::Elsewhere(_) => "Only our own pages may ask for this",
            Refusal::Header(_) => "A header is missing",
            Refusal::Large(_) => "The request is too large",
            Refusal::Slow(..) => "No answer in time",
        }
    }

    fn words(&self) -> String {
        let words = match self {
            Refusal::Network => "Only some networks reach this, and yours is none of them.",
            Refusal::Path => "Nobody is let in here.",
            Refusal::Robot => "The request says, by its User-Agent, that no browser has sent it.",
            Refusal::Challenge(_) => {
                "This is for browsers. Yours asks again by itself in a second, and has to keep a cookie for that."
            }
            Refusal::SignIn(Some(_)) => "The password is asked for by your browser.",
            Refusal::SignIn(None) => "Send it as `Authorization: Bearer` and the token.",
            Refusal::Unknown => "What a sign-in is checked with is not known here yet.",
            Refusal::Stranger => "You are signed in, and are none of those who may pass.",
            Refusal::Often(standing) => {
                let (per, wait) = (seconds(standing.per), seconds(standing.wait.max(1)));
                return format!("There may be {} in {per}. Ask again in {wait}.", standing.count);
            }
            Refusal::Guessing(standing) => return format!("Try again in {}.", seconds(standing.wait.max(1))),
            Refusal::Injection(what) => {
                return format!(
                    "Something in its path or query looks like {what}. If it is none, write it in other words."
                );
            }
            Refusal::Elsewhere(why) => return format!("{why}, and it would change something."),
            Refusal::Header(name) => return format!("This request has to carry {name}."),
            Refusal::Large(most) => return format!("Its body may have {most} bytes."),
            Refusal::Slow(name, millis) => {
                let within = towpath_model::unit::Duration::from_millis(*millis);
                return format!("{name} has not begun to answer within {within}.");
            }
        };
        words.to_owned()
    }

    /// The answer, in the form that is asked for.
    pub(crate) fn answer(self, asked: &HeaderMap, version: Version) -> Response<Body> {
        let mut answer = self.page().answer(asked);
        let headers = answer.headers_mut();
        let wait = |headers: &mut HeaderMap, seconds: u64| {
            headers.insert(RETRY_AFTER, HeaderValue::from(seconds.max(1)));
        };
        match self {
            Refusal::Often(standing) => {
                wait(headers, standing.wait);
                tell(&standing, headers);
            }
            Refusal::Guessing(standing) => wait(headers, standing.wait),
            Refusal::Challenge(cookie) => {
                wait(headers, 1);
                headers.insert(REFRESH, HeaderValue::from_static("1"));
                headers.append(SET_COOKIE, cookie);
            }
            Refusal::SignIn(realm) => {
                let how = match realm {
                    Some(realm) => format!("Basic realm=\"{realm}\", charset=\"UTF-8\""),
                    None => "Bearer".to_owned(),
                };
                if let Ok(how) = HeaderValue::try_from(how) {
                    headers.insert(WWW_AUTHENTICATE, how);
                }
            }
            // Nobody reads the rest of it, so nothing else can come over this connection.
            Refusal::Large(_) if version < Version::HTTP_2 => {
                headers.insert(CONNECTION, HeaderValue::from_static("close"));
            }
            _ => {}
        }
        answer
    }
}

/// Tells how somebody stands (draft-ietf-httpapi-ratelimit-headers).
pub(crate) fn tell(standing: &Standing, headers: &mut HeaderMap) {
    let policy = format!("\"edge\";q={};w={}", standing.count, standing.per);
    let rate = format!("\"edge\";r={};t={}", standing.left, standing.full);
    for (name, value) in [(POLICY, policy), (RATE, rate)] {
        if let Ok(value) = HeaderValue::try_from(value) {
            headers.insert(name, value);
        }
    }
}

fn seconds(count: u64) -> String {
    match count {
        1 => "a second".to_owned(),
        count => format!("{count} seconds"),
    }
}
