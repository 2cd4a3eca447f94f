//! What a visitor is told who may not pass.

use http::header::{
    ACCEPT, CONNECTION, HeaderMap, HeaderName, HeaderValue, RETRY_AFTER, SET_COOKIE, WWW_AUTHENTICATE,
};
use http::{Response, StatusCode, Version};

use super::Stranger;
use super::certificate::Unshown;
use super::rate::Standing;
use crate::body::Body;
use crate::headers::is_once;
use crate::pages::Page;
use crate::provider::Unfit;

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
    Stranger(Stranger),
    /// They have to sign in at a provider; or they have a token of it that does not hold.
    AtProvider(Option<Unfit>),
    /// They have to show a certificate.
    Certificate(Unshown),
    /// The connection was begun for another name, and a certificate is needed for this one.
    Misdirected,
    /// They need a token of an issuer; theirs does not hold.
    Token(Option<Unfit>),
    /// The provider that they would be checked by is of no use now, and why.
    NoProvider(String),
    /// They come from elsewhere.
    Elsewhere(String),
    /// Its body has not come as it was said.
    Broken,
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
            | Refusal::Stranger(_)
            | Refusal::Certificate(_)
            | Refusal::Elsewhere(_) => StatusCode::FORBIDDEN,
            Refusal::Often(_) | Refusal::Guessing(_) | Refusal::Challenge(_) => StatusCode::TOO_MANY_REQUESTS,
            Refusal::SignIn(_) | Refusal::AtProvider(_) | Refusal::Token(_) => StatusCode::UNAUTHORIZED,
            Refusal::Unknown | Refusal::NoProvider(_) => StatusCode::SERVICE_UNAVAILABLE,
            Refusal::Misdirected => StatusCode::MISDIRECTED_REQUEST,
            Refusal::Header(_) | Refusal::Broken => StatusCode::BAD_REQUEST,
            Refusal::Large(_) => StatusCode::PAYLOAD_TOO_LARGE,
            Refusal::Slow(..) => StatusCode::GATEWAY_TIMEOUT,
        }
    }

    fn title(&self) -> &'static str {
        match self {
            Refusal::Network | Refusal::Stranger(_) => "You may not come here",
            Refusal::Often(_) => "Too many requests",
            Refusal::Path => "This path is closed",
            Refusal::Injection(_) => "The request looks like an attack",
            Refusal::Robot => "Programs may not come here",
            Refusal::Challenge(_) => "One moment",
            Refusal::SignIn(Some(_)) => "Sign in to go on",
            Refusal::AtProvider(None) => "Sign in to go on",
            Refusal::SignIn(None) | Refusal::Token(None) => "A token is needed",
            Refusal::AtProvider(Some(_)) | Refusal::Token(Some(_)) => "The token does not hold",
            Refusal::NoProvider(_) => "Nobody can be checked now",
            Refusal::Certificate(_) => "A certificate is needed",
            Refusal::Misdirected => "Connect anew for this name",
            Refusal::Guessing(_) => "The password was wrong too often",
            Refusal::Unknown => "Nobody can sign in yet",
            Refusal::Elsewhere(_) => "Only our own pages may ask for this",
            Refusal::Broken => "The request broke off",
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
            Refusal::Stranger(stranger) => stranger.words(),
            Refusal::Broken => "Its body has not come, or not in time.",
            Refusal::Certificate(unshown) => unshown.words(),
            Refusal::Misdirected => {
                "Who comes here shows a certificate when they connect, and this connection is for another name."
            }
            Refusal::AtProvider(None) => {
                "Open a page of this host in a browser and sign in there, or send a token of its provider as `Authorization: Bearer`."
            }
            Refusal::Token(None) => {
                "Send it as `Authorization: Bearer` and the token, or as the header that it has here."
            }
            Refusal::AtProvider(Some(unfit)) | Refusal::Token(Some(unfit)) => {
                return format!("Of the one that was sent: {}.", unfit.words());
            }
            Refusal::NoProvider(why) if why.is_empty() => "Whoever signs tokens has not been asked yet.",
            Refusal::NoProvider(why) => {
                return format!(
                    "{why}.\nTry it again in a while. Whoever has signed in before is not concerned."
                );
            }
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
        let mut answer = match &self {
            Refusal::AtProvider(_) | Refusal::Token(_) => self.page().answer(&for_programs(asked)),
            _ => self.page().answer(asked),
        };
        let headers = answer.headers_mut();
        let wait = |headers: &mut HeaderMap, seconds: u64| {
            headers.insert(RETRY_AFTER, HeaderValue::from(seconds.max(1)));
        };
        match self {
            Refusal::Often(standing) => {
                wait(headers, standing.wait);
                tell(&standing, policy(standing.count, standing.per), headers);
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
            Refusal::AtProvider(unfit) | Refusal::Token(unfit) => {
                let error = unfit.map(|unfit| {
                    format!(
                        " error=\"invalid_token\", error_description=\"{}\"",
                        unfit.words()
                    )
                });
                if let Ok(how) = HeaderValue::try_from(format!("Bearer{}", error.unwrap_or_default())) {
                    headers.insert(WWW_AUTHENTICATE, how);
                }
            }
            // Nobody reads the rest of it, or shows anything later: nothing else can come over this connection.
            Refusal::Large(_) | Refusal::Broken | Refusal::Misdirected if version < Version::HTTP_2 => {
                headers.insert(CONNECTION, HeaderValue::from_static("close"));
            }
            _ => {}
        }
        answer
    }
}

/// What is asked for by whoever sends tokens: programs read JSON, and only browsers say that they want pages.
fn for_programs(asked: &HeaderMap) -> HeaderMap {
    let mut wanted = asked.clone();
    let accepts = asked
        .get_all(ACCEPT)
        .iter()
        .filter_map(|value| value.to_str().ok());
    if !accepts.into_iter().any(|value| value.contains("text/html")) {
        wanted.insert(ACCEPT, HeaderValue::from_static("application/problem+json"));
    }
    wanted
}

/// What a rate allows, as answers tell it (draft-ietf-httpapi-ratelimit-headers).
pub(super) fn policy(count: u64, per: u64) -> HeaderValue {
    quoted(["q", "w"], [count, per])
}

/// Tells how somebody stands under a policy.
pub(super) fn tell(standing: &Standing, policy: HeaderValue, headers: &mut HeaderMap) {
    headers.insert(POLICY, policy);
    let mut rate = quoted(["r", "t"], [standing.left, standing.full]);
    is_once(&mut rate);
    headers.insert(RATE, rate);
}

/// Two numbers with their names. Every answer has them, so they are put together without the machinery of formats.
fn quoted([first, second]: [&str; 2], [one, other]: [u64; 2]) -> HeaderValue {
    let (mut digits, mut more) = (itoa::Buffer::new(), itoa::Buffer::new());
    let (one, other) = (digits.format(one), more.format(other));
    let text = ["\"edge\";", first, "=", one, ";", second, "=", other].concat();
    HeaderValue::try_from(text).expect("it is letters and digits")
}

fn seconds(count: u64) -> String {
    match count {
        1 => "a second".to_owned(),
        count => format!("{count} seconds"),
    }
}
