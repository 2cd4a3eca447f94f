//! Signatures: who calls the coach, and what edge tells core about a visitor.

use crate::{Fault, clock};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit, Mac};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// The header that holds the signature of a body.
pub const SIGNATURE: &str = "x-signature";

/// Who signs what is said about visitors; core takes nobody else's word.
const ISSUER: &str = "https://app.example.com";

/// A token is for one call: longer than that nobody can use one that leaked.
const LASTS: i64 = 60;

/// What edge says about whoever asks.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Claims {
    pub iss: String,
    /// The person; empty before they have signed in.
    pub sub: String,
    pub exp: i64,
}

fn code(key: &str, bytes: &[u8]) -> Hmac<Sha256> {
    let mut code =
        <Hmac<Sha256> as KeyInit>::new_from_slice(key.as_bytes()).expect("HMAC takes keys of any length");
    code.update(bytes);
    code
}

/// Bytes as hexadecimal digits.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn from_hex(text: &str) -> Option<Vec<u8>> {
    let pairs = text.as_bytes().chunks(2);
    pairs
        .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok())
        .collect()
}

/// The SHA-256 digest of bytes, in hexadecimal digits.
pub fn digest(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}

/// The signature of a body. The coach only computes, so a request that is sent again does no harm, and needs no time in it.
pub fn body(key: &str, body: &[u8]) -> String {
    format!("sha256={}", hex(&code(key, body).finalize().into_bytes()))
}

/// Whether a body was signed with this key. How long the answer takes says nothing about the key.
pub fn is_signed(key: &str, bytes: &[u8], signature: &str) -> bool {
    let given = signature.strip_prefix("sha256=").and_then(from_hex);
    given.is_some_and(|given| code(key, bytes).verify_slice(&given).is_ok())
}

/// A JWT about a person.
pub fn token(key: &str, person: &str) -> Result<String, Fault> {
    let claims = Claims {
        iss: ISSUER.to_owned(),
        sub: person.to_owned(),
        exp: clock::now().as_second() + LASTS,
    };
    let head = URL_SAFE_NO_PAD.encode(r#"{"alg":"HS256","typ":"JWT"}"#);
    let said = format!("{head}.{}", URL_SAFE_NO_PAD.encode(serde_json::to_vec(&claims)?));
    let signature = URL_SAFE_NO_PAD.encode(code(key, said.as_bytes()).finalize().into_bytes());
    Ok(format!("{said}.{signature}"))
}

/// What a JWT says, if it is ours and still good. The algorithm is ours to choose, whatever its head says.
pub fn claims(key: &str, token: &str) -> Option<Claims> {
    let (said, signature) = token.rsplit_once('.')?;
    let signature = URL_SAFE_NO_PAD.decode(signature).ok()?;
    code(key, said.as_bytes()).verify_slice(&signature).ok()?;
    let claims: Claims =
        serde_json::from_slice(&URL_SAFE_NO_PAD.decode(said.split_once('.')?.1).ok()?).ok()?;
    let is_good = claims.iss == ISSUER && claims.exp > clock::now().as_second();
    is_good.then_some(claims)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_key_that_signed_a_body_opens_it() {
        let signature = body("key", b"text");
        assert!(is_signed("key", b"text", &signature));
        assert!(!is_signed("other", b"text", &signature));
        assert!(!is_signed("key", b"texts", &signature));
        assert!(!is_signed("key", b"text", "sha256=zz"));
        assert!(!is_signed("key", b"text", ""));
    }

    #[test]
    fn a_token_says_who_it_is_about_to_whoever_has_the_key() {
        let token = token("key", "ana").expect("it can be signed");
        assert_eq!(claims("key", &token).expect("it is good").sub, "ana");
        assert!(claims("other", &token).is_none());
        let (said, signature) = token.rsplit_once('.').expect("it has three parts");
        let forged =
            URL_SAFE_NO_PAD.encode(r#"{"iss":"https://app.example.com","sub":"ben","exp":99999999999}"#);
        let head = said.split_once('.').expect("it has a head").0;
        assert!(claims("key", &format!("{head}.{forged}.{signature}")).is_none());
    }
}
