//! What a request carries: who asks, what for, and signatures.
//!
//! **Signatures.** `hmac` signs the body in two ways, and whoever is asked looks at the one that it knows. `x-signature` is
//! `sha256=` and the HMAC of the body alone, as components sign for one another. `x-towpath-signature` is what the edge says
//! when it signs for a caller: the time, the digest of the body, and the HMAC of time, method, path and digest.

use crate::aim::{Aim, Base};
use crate::door::clock::Moment;
use crate::stream::Peer;
use crate::unasked;
use aws_lc_rs::{digest, hmac};
use http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, COOKIE, HOST, HeaderName, HeaderValue, USER_AGENT};
use http::{HeaderMap, Uri};
use towpath_decide::gate::probe::{Broken, Request, To};
use towpath_model::Sealed;

/// The signature of a body alone.
const SIGNATURE: &str = "x-signature";

/// The signature of a whole call, as the edge makes it.
const OF_CALL: &str = "x-towpath-signature";

/// Where a request goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Course {
    pub(crate) peer: Peer,
    /// The name that a certificate has to have.
    pub(crate) name: Option<String>,
    pub(crate) host: String,
    pub(crate) path: String,
}

impl Course {
    /// Of a request that is made here.
    pub(crate) fn of(to: &To, base: Option<&Base>) -> Result<Course, Broken> {
        match to {
            To::Path(path) => {
                let base = base.ok_or_else(|| unasked("nothing that it could ask runs there"))?;
                let bare = base.host.parse::<http::uri::Authority>();
                let bare = bare.map_or_else(|_| base.host.clone(), |one| one.host().to_owned());
                Ok(Course {
                    peer: Peer::At(base.at),
                    name: base.tls.then(|| unbracketed(&bare)),
                    host: base.host.clone(),
                    path: path.split('#').next().unwrap_or("/").to_owned(),
                })
            }
            To::Url(url) => {
                let uri: Uri = url
                    .parse()
                    .map_err(|_| unasked(format!("`{url}` is no address")))?;
                let authority = uri
                    .authority()
                    .ok_or_else(|| unasked(format!("`{url}` names no host")))?;
                let tls = uri.scheme_str() == Some("https");
                let host = unbracketed(authority.host());
                let port = authority.port_u16().unwrap_or(if tls { 443 } else { 80 });
                Ok(Course {
                    name: tls.then(|| host.clone()),
                    peer: Peer::Named(host, port),
                    host: match authority.port_u16() {
                        Some(port) => format!("{}:{port}", authority.host()),
                        None => authority.host().to_owned(),
                    },
                    path: uri.path_and_query().map_or("/", |path| path.as_str()).to_owned(),
                })
            }
        }
    }
}

fn unbracketed(host: &str) -> String {
    host.trim_start_matches('[').trim_end_matches(']').to_owned()
}

/// The headers of a request with this body.
pub(crate) fn headers(
    request: &Request,
    course: &Course,
    body: &[u8],
    aim: &Aim,
    begun: Moment,
) -> Result<HeaderMap, Broken> {
    let mut headers = HeaderMap::new();
    headers.insert(USER_AGENT, HeaderValue::from_static("towpath-probe"));
    headers.insert(ACCEPT, HeaderValue::from_static("*/*"));
    headers.insert(HOST, valued("the host", &Sealed::new(course.host.clone()))?);
    if looks_like_json(body) {
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    }
    if let Some(cookie) = &request.cookie {
        headers.insert(COOKIE, valued("the cookie", &aim.value(cookie)?)?);
    }
    if let Some(token) = &request.token {
        let token = aim.value(token)?;
        let bearer = Sealed::new(format!("Bearer {}", token.open().trim()));
        headers.insert(AUTHORIZATION, valued("the token", &bearer)?);
    }
    if let Some(secret) = &request.hmac {
        let key = aim.secret(secret)?;
        let now = aim.now.as_second() + i64::try_from(begun.elapsed().as_secs()).unwrap_or(0);
        for (name, value) in signed(&key, now, (&request.method, &course.path), body) {
            headers.insert(HeaderName::from_static(name), valued(name, &Sealed::new(value))?);
        }
    }
    for (name, value) in &request.headers {
        let header: HeaderName = name
            .parse()
            .map_err(|_| unasked(format!("`{name}` is no name of a header")))?;
        headers.insert(header, valued(name, &aim.value(value)?)?);
    }
    Ok(headers)
}

/// A body that looks like JSON is said to be JSON.
fn looks_like_json(body: &[u8]) -> bool {
    let first = body.trim_ascii().first();
    let last = body.trim_ascii().last();
    matches!((first, last), (Some(b'{'), Some(b'}')) | (Some(b'['), Some(b']')))
}

/// A value as a header has it. What cannot be in one is not told: it may be a secret.
fn valued(what: &str, value: &Sealed<String>) -> Result<HeaderValue, Broken> {
    let mut value = HeaderValue::try_from(value.open().trim())
        .map_err(|_| unasked(format!("{what} has a letter in it that no header can have")))?;
    value.set_sensitive(true);
    Ok(value)
}

/// The signatures of a body and of a call.
fn signed(
    key: &Sealed<String>,
    now: i64,
    (method, path): (&str, &str),
    body: &[u8],
) -> [(&'static str, String); 2] {
    let key = hmac::Key::new(hmac::HMAC_SHA256, key.open().trim().as_bytes());
    let of_body = format!("sha256={}", hex(hmac::sign(&key, body).as_ref()));
    let hash = hex(digest::digest(&digest::SHA256, body).as_ref());
    let text = format!("{now}\n{method}\n{path}\n{hash}");
    let call = hex(hmac::sign(&key, text.as_bytes()).as_ref());
    [
        (SIGNATURE, of_body),
        (OF_CALL, format!("t={now},d={hash},v1={call}")),
    ]
}

/// The digest of an answer, as a fixture has it.
pub(crate) fn sha(body: &[u8]) -> String {
    format!("sha256:{}", hex(digest::digest(&digest::SHA256, body).as_ref()))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_body_is_signed_as_components_and_as_the_edge_sign_it() {
        // RFC 4231, test case 2.
        let key = Sealed::new("Jefe".to_owned());
        let [(_, of_body), (_, call)] = signed(&key, 7, ("POST", "/x"), b"what do ya want for nothing?");
        assert_eq!(
            of_body,
            "sha256=5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
        );
        assert!(
            call.starts_with("t=7,d=b381e7fe") && call.contains(",v1="),
            "{call}"
        );
    }

    #[test]
    fn an_address_is_split_into_where_it_leads_and_what_is_asked_there() {
        let course = Course::of(&To::Url("https://example.com/a?b=c".to_owned()), None).expect("it is one");
        assert_eq!(course.peer, Peer::Named("example.com".to_owned(), 443));
        assert_eq!(
            (course.name.as_deref(), course.path.as_str()),
            (Some("example.com"), "/a?b=c")
        );
        let course = Course::of(&To::Url("http://[::1]:8080".to_owned()), None).expect("it is one");
        assert_eq!(course.peer, Peer::Named("::1".to_owned(), 8080));
        assert_eq!((course.host.as_str(), course.path.as_str()), ("[::1]:8080", "/"));
        let base = Base::edge(([127, 0, 0, 1], 8443).into(), true, "web.shop.localhost:8443");
        let course = Course::of(&To::Path("/x".to_owned()), Some(&base)).expect("it is one");
        assert_eq!(course.name.as_deref(), Some("web.shop.localhost"));
        assert!(matches!(
            Course::of(&To::Path("/x".to_owned()), None),
            Err(Broken::Unknown(_))
        ));
    }
}
