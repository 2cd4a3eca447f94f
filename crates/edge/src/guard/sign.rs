//! Calls of components, signed on their way to one that wants to know that they have come by the edge.
//!
//! **What is signed.** When, the method, the path with its query, and the digest of the body, with HMAC-SHA-256 and each of the
//! secrets that the component is called with: it looks for one signature that its own secret makes. A caller may go on with an
//! old secret while the new one is brought to everybody. Where the caller has shown who it is, its name is signed with the rest.
//!
//! **The body.** One of up to 64 KiB whose length is said is read before it goes on. What is longer or has no length is never
//! held up: a dash stands for its digest, and a component that wants bodies to be signed refuses that.
//!
//! **When it refuses.** Where none of the secrets is known, nothing goes on: a component must not learn to do without.

use std::future::poll_fn;
use std::pin::Pin;

use aws_lc_rs::{digest, hmac};
use bytes::{Bytes, BytesMut};
use http::request::Parts;
use http::{HeaderValue, Response};
use http_body::Body as _;
use hyper::body::Incoming;
use tokio::time::timeout;

use super::{Guard, Keys, Refusal};
use crate::body::Body;
use crate::door::clock;
use crate::hexadecimal;
use crate::inner::CalledBy;
use crate::state::State;

/// The longest body that is read before it goes on.
const LARGEST: u64 = 64 * 1024;

/// What is said of a call, as its instance is told.
#[derive(Debug, Clone)]
pub(crate) struct Signature(pub(crate) HeaderValue);

/// The body of a request that has been read already.
#[derive(Debug, Clone)]
pub(crate) struct Whole(pub(crate) Bytes);

/// Signs a call, or answers it.
pub(crate) async fn sign(
    state: &State,
    guard: &Guard,
    parts: &mut Parts,
    body: &mut Incoming,
) -> Result<(), Response<Body>> {
    let refused = |refusal: Refusal, parts: &Parts| refusal.answer(&parts.headers, parts.version);
    let hash = match body.size_hint().exact() {
        Some(length) if length <= LARGEST => {
            let read = timeout(state.patience.body, read(body)).await.ok().flatten();
            let Some(read) = read else {
                return Err(refused(Refusal::Broken, parts));
            };
            let hash = hex(digest::digest(&digest::SHA256, &read).as_ref());
            if !read.is_empty() {
                parts.extensions.insert(Whole(read));
            }
            hash
        }
        _ => "-".to_owned(),
    };
    let path = parts.uri.path_and_query().map_or("/", |path| path.as_str());
    let now = clock::since_epoch().as_secs();
    let caller = parts.extensions.get().map(|CalledBy(caller)| caller.clone());
    let caller = caller.as_ref().and_then(|caller| caller.to_str().ok());
    let text = text(now, parts, path, &hash, caller);
    match signed(&state.keys(), &guard.rules.signs, &text) {
        Some(signatures) => {
            let named = caller.map(|caller| format!(",c={caller}")).unwrap_or_default();
            let value = format!("t={now},d={hash}{named}{signatures}");
            if let Ok(value) = HeaderValue::try_from(value) {
                parts.extensions.insert(Signature(value));
            }
            Ok(())
        }
        None => Err(refused(Refusal::Unknown, parts)),
    }
}

/// What is signed. Nobody takes a name for a digest: it is a line more.
fn text(now: u64, parts: &Parts, path: &str, hash: &str, caller: Option<&str>) -> String {
    let mut text = format!("{now}\n{}\n{path}\n{hash}", parts.method);
    if let Some(caller) = caller {
        text.push('\n');
        text.push_str(caller);
    }
    text
}

/// A signature of a text with each of the secrets that are known; nothing where none is.
fn signed(keys: &Keys, names: &[String], text: &str) -> Option<String> {
    let mut signatures = String::new();
    for value in names.iter().filter_map(|name| keys.value(name)) {
        let key = hmac::Key::new(hmac::HMAC_SHA256, value.as_bytes());
        signatures.push_str(",v1=");
        signatures.push_str(&hex(hmac::sign(&key, text.as_bytes()).as_ref()));
    }
    (!signatures.is_empty()).then_some(signatures)
}

async fn read(body: &mut Incoming) -> Option<Bytes> {
    let mut bytes = BytesMut::new();
    while let Some(frame) = poll_fn(|context| Pin::new(&mut *body).poll_frame(context)).await {
        if let Ok(some) = frame.ok()?.into_data() {
            bytes.extend_from_slice(&some);
        }
    }
    Some(bytes.freeze())
}

fn hex(bytes: &[u8]) -> String {
    let mut digits = vec![0; 2 * bytes.len()];
    hexadecimal::write(bytes, &mut digits);
    String::from_utf8(digits).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use towpath_model::sealed::Sealed;

    use super::*;

    #[test]
    fn a_text_is_signed_with_each_secret_that_is_known() {
        let secret = |name: &str, value: &str| (name.to_owned(), Sealed::new(value.to_owned()));
        // RFC 4231, test case 2.
        let values = BTreeMap::from([secret("OLD", "Jefe"), secret("NEW", "another")]);
        let keys = Keys::new(&values);
        let text = "what do ya want for nothing?";
        let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
        let one = ",v1=5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843";
        assert_eq!(
            signed(&keys, &names(&["OLD", "UNKNOWN"]), text).as_deref(),
            Some(one)
        );
        let both = signed(&keys, &names(&["OLD", "NEW"]), text).expect("they are known");
        assert!(both.starts_with(one) && both.len() == 2 * one.len());
        assert_eq!(signed(&keys, &names(&["UNKNOWN"]), text), None);
    }
}
