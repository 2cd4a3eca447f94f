//! Plain HTTP under a domain that has a certificate: the visitor is sent to the same address over HTTPS.
//!
//! Not under names of this machine, and not where an authority looks whether a domain is ours: it follows, but what it finds
//! there may be the very certificate that is missing. Where something in front ends the encryption, what comes from there is
//! plain by itself, and only what that says of the visitor counts.

use http::header::{HeaderValue, LOCATION};
use http::{Response, StatusCode, Uri};
use towpath_model::run::Certificate;

use crate::body::Body;
use crate::certificates::{Facing, PATH};
use crate::host::Host;

/// The port that an address with `https` means where it names none.
const USUAL: u16 = 443;

/// Where a visitor is sent who asked by plain HTTP, if it is. `said` is what was said of the visitor by somebody in front.
pub(crate) fn elsewhere(
    facing: &Facing,
    host: &Host,
    uri: &Uri,
    said: Option<bool>,
    port: u16,
) -> Option<String> {
    if !facing.front.https_only || uri.path().starts_with(PATH) {
        return None;
    }
    let has_port = match facing.from(&host.name)? {
        Certificate::Acme | Certificate::Files { .. } => is_ours(&host.written),
        Certificate::InFront if said == Some(false) => false,
        Certificate::InFront | Certificate::Off | Certificate::Local { .. } => return None,
    };
    let path = uri.path_and_query().map_or("/", |path| path.as_str());
    Some(match has_port && port != USUAL {
        true => format!("https://{}:{port}{path}", host.name),
        false => format!("https://{}{path}", host.name),
    })
}

/// Whether the visitor has typed a port. Without one the usual ports lead here, whichever we have ourselves.
fn is_ours(written: &str) -> bool {
    written
        .rsplit_once(':')
        .is_some_and(|(_, port)| !port.is_empty() && port != "80")
}

/// The answer: for good, and with the same method and body.
pub(crate) fn answer(elsewhere: &str) -> Response<Body> {
    let mut response = Response::new(Body::empty());
    match HeaderValue::try_from(elsewhere) {
        Ok(location) => {
            *response.status_mut() = StatusCode::PERMANENT_REDIRECT;
            response.headers_mut().insert(LOCATION, location);
        }
        Err(_) => *response.status_mut() = StatusCode::BAD_REQUEST,
    }
    response
}
