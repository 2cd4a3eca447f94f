//! Whether an identity is what its issuer has signed.
//!
//! A signature is believed by a key that the issuer has published, made in a way that needs that key alone: never `none`, and
//! never one that is checked with a shared secret, because then whoever reads the published key could sign. A key that says in
//! which way it signs is taken for that way only. What the words mean is decided elsewhere (`towpath_decide::trust`).

use base64_simd::URL_SAFE_NO_PAD;
use jsonwebtoken::jwk::{Jwk, PublicKeyUse};
use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode};
use serde::Deserialize;
use serde_json::{Map, Value};
use std::str::FromStr;
use towpath_api::sha256;

/// No identity that people use is longer, and everybody may send one.
const LONGEST: usize = 16 * 1024;

/// Ways of signing that need a key which only the issuer has.
const WAYS: [(&str, Algorithm); 9] = [
    ("RS256", Algorithm::RS256),
    ("RS384", Algorithm::RS384),
    ("RS512", Algorithm::RS512),
    ("PS256", Algorithm::PS256),
    ("PS384", Algorithm::PS384),
    ("PS512", Algorithm::PS512),
    ("ES256", Algorithm::ES256),
    ("ES384", Algorithm::ES384),
    ("EdDSA", Algorithm::EdDSA),
];

/// The most letters of a word of an identity that are told before it is believed.
const MOST_TOLD: usize = 40;

/// Why it is not believed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Unproven {
    /// It is nothing that anybody has signed.
    #[error("it is no signed token (JWT)")]
    Garbled,
    /// It is not signed in a way that is believed.
    #[error(
        "it is signed by `{0}` (`alg`), and only a signature by the issuer's own key is believed, as RS256 is"
    )]
    Way(String),
    /// It is a token of another kind.
    #[error("it is of the type `{0}` (`typ`), and an identity is a `JWT`")]
    Type(String),
    /// It wants something that we do not do.
    #[error("it wants to be understood in a way that is not known here (`crit`)")]
    Critical,
    /// The issuer has no such key.
    #[error("it is signed with the key {0} (`kid`), which its issuer has not published")]
    Key(String),
    /// The signature is wrong.
    #[error("its signature is wrong")]
    Signature,
}

impl Unproven {
    /// A word for programs.
    pub(crate) fn word(&self) -> &'static str {
        match self {
            Unproven::Garbled => "not-an-identity",
            Unproven::Way(_) => "wrong-algorithm",
            Unproven::Type(_) => "wrong-type",
            Unproven::Critical => "not-understood",
            Unproven::Key(_) => "unknown-key",
            Unproven::Signature => "wrong-signature",
        }
    }
}

/// What an identity says before it is believed.
#[derive(Debug)]
pub(crate) struct Looked<'a> {
    text: &'a str,
    way: Algorithm,
    /// The key that it says it is signed with.
    pub(crate) key: Option<String>,
    /// Who it says has issued it.
    pub(crate) issuer: Option<String>,
}

/// Looks at an identity as far as that is possible without believing it.
pub(crate) fn look(text: &str) -> Result<Looked<'_>, Unproven> {
    #[derive(Deserialize)]
    struct Head {
        alg: String,
        typ: Option<String>,
        kid: Option<String>,
        crit: Option<Value>,
    }
    let text = text.trim();
    let parts: Vec<&str> = text.splitn(4, '.').collect();
    let [head, words, _] = parts.as_slice() else {
        return Err(Unproven::Garbled);
    };
    if text.len() > LONGEST {
        return Err(Unproven::Garbled);
    }
    let read = |part: &str| URL_SAFE_NO_PAD.decode_to_vec(part).map_err(|_| Unproven::Garbled);
    let head: Head = serde_json::from_slice(&read(head)?).map_err(|_| Unproven::Garbled)?;
    let words: Map<String, Value> = serde_json::from_slice(&read(words)?).map_err(|_| Unproven::Garbled)?;
    let way = WAYS.iter().find(|(name, _)| *name == head.alg);
    let (_, way) = way.ok_or_else(|| Unproven::Way(tame(&head.alg)))?;
    if let Some(kind) = head.typ.filter(|kind| !kind.eq_ignore_ascii_case("jwt")) {
        return Err(Unproven::Type(tame(&kind)));
    }
    if head.crit.is_some() {
        return Err(Unproven::Critical);
    }
    Ok(Looked {
        text,
        way: *way,
        key: head.kid,
        issuer: words.get("iss").and_then(Value::as_str).map(str::to_owned),
    })
}

/// What it says, where one of these keys has signed it.
pub(crate) fn prove(looked: &Looked<'_>, keys: &[Jwk]) -> Result<Map<String, Value>, Unproven> {
    let mut validation = Validation::new(looked.way);
    validation.validate_exp = false;
    validation.validate_nbf = false;
    validation.validate_aud = false;
    validation.required_spec_claims.clear();
    let mut named = keys
        .iter()
        .filter(|key| looked.key.is_none() || key.common.key_id == looked.key)
        .peekable();
    if named.peek().is_none() {
        let told = looked.key.as_deref().map(|key| format!("`{}`", tame(key)));
        return Err(Unproven::Key(told.unwrap_or_else(|| "without a name".to_owned())));
    }
    for key in named.filter(|key| fits(key, looked.way)) {
        let Ok(key) = DecodingKey::from_jwk(key) else {
            continue;
        };
        if let Ok(read) = decode::<Map<String, Value>>(looked.text, &key, &validation) {
            return Ok(read.claims);
        }
    }
    Err(Unproven::Signature)
}

/// Whether a key may have signed in this way.
fn fits(key: &Jwk, way: Algorithm) -> bool {
    let own = &key.common;
    let signs = !matches!(own.public_key_use, Some(PublicKeyUse::Encryption));
    let said = own.key_algorithm.as_ref();
    signs && said.is_none_or(|said| Algorithm::from_str(&said.to_string()).is_ok_and(|said| said == way))
}

/// By what an identity is known again: the name that its issuer has given it, or all that is signed. The signature is no part of
/// it, because some kinds have several that are good.
pub(crate) fn digest(looked: &Looked<'_>, claims: &Map<String, Value>) -> String {
    let issuer = looked.issuer.as_deref().unwrap_or_default();
    let signed = looked.text.rsplit_once('.').map_or("", |(signed, _)| signed);
    let known = match claims.get("jti").and_then(Value::as_str) {
        Some(name) => format!("{issuer}\0{name}"),
        None => format!("{issuer}\0\0{signed}"),
    };
    URL_SAFE_NO_PAD.encode_to_string(sha256(known.as_bytes()))
}

/// A word of somebody whom nobody believes yet.
fn tame(text: &str) -> String {
    let letters = text.chars().take(MOST_TOLD);
    letters
        .map(|one| {
            if one.is_ascii_graphic() && one != '`' {
                one
            } else {
                '?'
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn token(head: Value, words: Value) -> String {
        let part = |value: &Value| URL_SAFE_NO_PAD.encode_to_string(value.to_string());
        format!("{}.{}.c2ln", part(&head), part(&words))
    }

    #[test]
    fn what_nobody_could_have_signed_is_refused_before_anybody_is_asked() {
        let why = |head: Value| {
            look(&token(head, json!({ "iss": "i" })))
                .expect_err("no")
                .to_string()
        };
        for way in ["none", "None", "HS256", "HS512", "rs256", "", "\u{1b}[0m"] {
            let told = why(json!({ "alg": way }));
            assert!(told.contains("(`alg`)") && !told.contains('\u{1b}'), "{told}");
        }
        assert!(why(json!({ "alg": "RS256", "typ": "at+jwt" })).contains("`at+jwt` (`typ`)"));
        assert!(why(json!({ "alg": "RS256", "crit": ["exp"] })).contains("`crit`"));
        assert!(why(json!({ "alg": 1 })).contains("no signed token"));
        assert!(why(json!({})).contains("no signed token"));
        for text in ["", "..", "a.b", "a.b.c", "a.b.c.d", "eyJ9.e30.", "\0"] {
            assert_eq!(look(text).expect_err("no"), Unproven::Garbled, "{text}");
        }
        let long = token(json!({ "alg": "RS256", "kid": "a".repeat(LONGEST) }), json!({}));
        assert_eq!(look(&long).expect_err("no"), Unproven::Garbled);
        let text = token(
            json!({ "alg": "RS256", "typ": "jwt", "kid": "k" }),
            json!({ "iss": "i" }),
        );
        let looked = look(&text).expect("it may be one");
        assert_eq!(
            (looked.key.as_deref(), looked.issuer.as_deref()),
            (Some("k"), Some("i"))
        );
        assert_eq!(prove(&looked, &[]), Err(Unproven::Key("`k`".to_owned())));
    }

    #[test]
    fn an_identity_is_known_again_by_its_name_or_by_all_that_is_signed() {
        let text = |words: Value| token(json!({ "alg": "RS256" }), words);
        let digest = |words: Value, signature: &str| {
            let text = text(words.clone());
            let other = format!("{}.{signature}", text.rsplit_once('.').expect("three parts").0);
            let looked = look(&other).expect("it may be one");
            super::digest(&looked, words.as_object().expect("an object"))
        };
        let (named, other) = (
            json!({ "iss": "i", "jti": "1" }),
            json!({ "iss": "o", "jti": "1" }),
        );
        let again = json!({ "iss": "i", "jti": "1", "iat": 7 });
        assert_eq!(digest(named.clone(), "a"), digest(again, "b"));
        assert_ne!(digest(named, "a"), digest(other, "a"));
        let (one, two) = (json!({ "iss": "i", "iat": 1 }), json!({ "iss": "i", "iat": 2 }));
        assert_eq!(digest(one.clone(), "a"), digest(one.clone(), "b"));
        assert_ne!(digest(one, "a"), digest(two, "a"));
    }
}
