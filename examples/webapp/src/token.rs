//! Sessions of visitors: JWTs, signed with HMAC-SHA256, as the sign-in signs them.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use hmac::{Hmac, KeyInit, Mac};
use serde::{Deserialize, Serialize};
use sha2::Sha256;

/// `{"alg":"HS256","typ":"JWT"}`: the only header that we write, so it is the only one that we accept.
const HEADER: &str = "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9";

/// Who somebody is, and until when we believe it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claims {
    pub sub: String,
    pub email: String,
    pub exp: i64,
}

/// The time, in seconds since 1970.
pub fn now() -> i64 {
    jiff::Timestamp::now().as_second()
}

/// A token that says so, for whoever knows the key.
pub fn sign(key: &str, claims: &Claims) -> String {
    let body = serde_json::to_vec(claims).unwrap_or_default();
    let signed = format!("{HEADER}.{}", BASE64.encode(body));
    let signature = BASE64.encode(mac(key, &signed).finalize().into_bytes());
    format!("{signed}.{signature}")
}

/// What a token says, if we signed it and it is not too old.
pub fn read(key: &str, token: &str, now: i64) -> Option<Claims> {
    let (signed, signature) = token.rsplit_once('.')?;
    let body = signed.strip_prefix(HEADER)?.strip_prefix('.')?;
    let signature = BASE64.decode(signature).ok()?;
    mac(key, signed).verify_slice(&signature).ok()?;
    let claims: Claims = serde_json::from_slice(&BASE64.decode(body).ok()?).ok()?;
    (claims.exp > now).then_some(claims)
}

fn mac(key: &str, text: &str) -> Hmac<Sha256> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key.as_bytes()).expect("HMAC takes keys of any length");
    mac.update(text.as_bytes());
    mac
}

#[cfg(test)]
mod tests {
    use super::{Claims, read, sign};

    fn ada() -> Claims {
        Claims {
            sub: "visitor-1".to_owned(),
            email: "ada@example.com".to_owned(),
            exp: 100,
        }
    }

    #[test]
    fn a_token_is_believed_until_it_is_too_old() {
        let token = sign("key", &ada());
        assert_eq!(read("key", &token, 99), Some(ada()));
        assert_eq!(read("key", &token, 100), None);
    }

    #[test]
    fn a_token_of_somebody_else_is_not_believed() {
        let token = sign("another key", &ada());
        assert_eq!(read("key", &token, 0), None);
        let (signed, _) = token.rsplit_once('.').expect("it has three parts");
        assert_eq!(read("another key", &format!("{signed}."), 0), None);
        assert_eq!(read("another key", "eyJhbGciOiJub25lIn0.e30.", 0), None);
    }
}
