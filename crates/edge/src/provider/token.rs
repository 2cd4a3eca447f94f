//! Whether a token of a provider holds, and what it says.
//!
//! **What is believed.** A signature by a key that the provider has published, in a way that needs that key alone: never
//! `none`, and never one that is checked with a shared secret, because then whoever reads the published key could sign. A key
//! that says in which way it signs is taken for that way only. Then the words: who has issued it, for whom, and when, with
//! a minute for clocks that differ; and for a sign-in, that it is the answer to what was asked.

use std::str::FromStr;

use jsonwebtoken::jwk::{Jwk, PublicKeyUse};
use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode, decode_header};
use serde::Deserialize;

/// How much clocks may differ, in seconds.
const LEEWAY: u64 = 60;

/// No token that people use is longer, and everybody may send one.
const LONGEST: usize = 16 * 1024;

/// Ways of signing that need a key which only the provider has.
const WAYS: [Algorithm; 9] = [
    Algorithm::RS256,
    Algorithm::RS384,
    Algorithm::RS512,
    Algorithm::PS256,
    Algorithm::PS384,
    Algorithm::PS512,
    Algorithm::ES256,
    Algorithm::ES384,
    Algorithm::EdDSA,
];

/// Why a token does not hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unfit {
    Garbled,
    Way,
    Key,
    Signature,
    Issuer,
    Audience,
    Party,
    Expired,
    Early,
    Nonce,
}

impl Unfit {
    /// What is wrong with it. Nothing of the token stands in it.
    pub(crate) fn words(self) -> &'static str {
        match self {
            Unfit::Garbled => "it is no signed token",
            Unfit::Way => "it is signed in a way that is not believed",
            Unfit::Key => "it is signed with a key that its issuer has not published",
            Unfit::Signature => "its signature is wrong",
            Unfit::Issuer => "somebody else has issued it",
            Unfit::Audience => "it is for somebody else",
            Unfit::Party => "it was issued to somebody else",
            Unfit::Expired => "it has expired",
            Unfit::Early => "it is from a time that has not come",
            Unfit::Nonce => "it is not the answer to this sign-in",
        }
    }
}

/// What a token has to be.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Expected<'a> {
    pub(crate) issuer: &'a str,
    /// For whom; for anybody where nothing is said.
    pub(crate) audience: Option<&'a str>,
    /// It says who has signed in, to the client that is its audience.
    pub(crate) is_identity: bool,
    /// It answers this.
    pub(crate) nonce: Option<&'a str>,
}

/// What a token says.
#[derive(Debug, Clone, Default, Deserialize)]
pub(crate) struct Claims {
    #[serde(default)]
    iss: String,
    #[serde(default)]
    pub(crate) sub: String,
    #[serde(default)]
    aud: Several,
    azp: Option<String>,
    exp: Option<f64>,
    nbf: Option<f64>,
    iat: Option<f64>,
    nonce: Option<String>,
    #[serde(flatten)]
    pub(crate) person: Person,
}

/// What a provider says of a person.
#[derive(Debug, Clone, Default, Deserialize)]
pub(crate) struct Person {
    pub(crate) email: Option<String>,
    #[serde(default)]
    email_verified: Verified,
    #[serde(default)]
    pub(crate) groups: Option<Several>,
}

impl Person {
    /// What was said, and of the rest what is said elsewhere.
    pub(crate) fn with(self, more: Person) -> Person {
        let (email, email_verified) = match self.email {
            Some(email) => (Some(email), self.email_verified),
            None => (more.email, more.email_verified),
        };
        Person {
            email,
            email_verified,
            groups: self.groups.or(more.groups),
        }
    }

    /// The address, where the provider says that it is theirs.
    pub(crate) fn verified(&self) -> Option<String> {
        let is_verified = match &self.email_verified {
            Verified::Said(said) => *said,
            Verified::Written(said) => said == "true",
            Verified::Nothing => false,
        };
        let email = self.email.as_ref().filter(|_| is_verified)?;
        Some(email.to_ascii_lowercase())
    }
}

/// Some providers write it as a text.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(untagged)]
enum Verified {
    Said(bool),
    Written(String),
    #[default]
    Nothing,
}

/// One text, or some.
#[derive(Debug, Clone, Deserialize)]
#[serde(untagged)]
pub(crate) enum Several {
    One(String),
    Some(Vec<String>),
}

impl Default for Several {
    fn default() -> Several {
        Several::Some(Vec::new())
    }
}

impl Several {
    pub(crate) fn all(&self) -> &[String] {
        match self {
            Several::One(one) => std::slice::from_ref(one),
            Several::Some(some) => some,
        }
    }
}

/// The name of the key that a token is signed with, where it says one and is signed in a way that is believed.
pub(crate) fn key_of(token: &str) -> Option<String> {
    head(token).ok()?.kid
}

fn head(token: &str) -> Result<jsonwebtoken::Header, Unfit> {
    if token.len() > LONGEST {
        return Err(Unfit::Garbled);
    }
    // What cannot be read at all is told apart from a way that is known and not believed.
    let head = decode_header(token).map_err(|error| match error.kind() {
        jsonwebtoken::errors::ErrorKind::Json(_) => Unfit::Way,
        _ => Unfit::Garbled,
    })?;
    let is_sound = WAYS.contains(&head.alg) && head.crit.is_none();
    is_sound.then_some(head).ok_or(Unfit::Way)
}

/// What a token says, where it holds now (in seconds since 1970).
pub(crate) fn verify(token: &str, keys: &[Jwk], expected: &Expected<'_>, now: u64) -> Result<Claims, Unfit> {
    let head = head(token)?;
    let mut validation = Validation::new(head.alg);
    validation.validate_exp = false;
    validation.validate_nbf = false;
    validation.validate_aud = false;
    validation.required_spec_claims.clear();
    let mut unfit = Unfit::Key;
    for key in keys.iter().filter(|key| fits(key, &head)) {
        let Ok(key) = DecodingKey::from_jwk(key) else {
            continue;
        };
        match decode::<Claims>(token, &key, &validation) {
            Ok(read) => return holds(&read.claims, expected, now).map(|()| read.claims),
            Err(error) => {
                unfit = match error.kind() {
                    jsonwebtoken::errors::ErrorKind::Json(_) => Unfit::Garbled,
                    _ => Unfit::Signature,
                }
            }
        }
    }
    Err(unfit)
}

/// Whether a key may have signed in this way.
fn fits(key: &Jwk, head: &jsonwebtoken::Header) -> bool {
    let common = &key.common;
    let signs = !matches!(common.public_key_use, Some(PublicKeyUse::Encryption));
    let way = common
        .key_algorithm
        .as_ref()
        .is_none_or(|way| Algorithm::from_str(&way.to_string()).is_ok_and(|way| way == head.alg));
    let name = head.kid.is_none() || common.key_id == head.kid;
    signs && way && name
}

/// Whether what a token says holds for us, now.
fn holds(claims: &Claims, expected: &Expected<'_>, now: u64) -> Result<(), Unfit> {
    let now = now as f64;
    let leeway = LEEWAY as f64;
    if claims.iss != expected.issuer {
        return Err(Unfit::Issuer);
    }
    let audience = claims.aud.all();
    if let Some(wanted) = expected.audience
        && !audience.iter().any(|one| one == wanted)
    {
        return Err(Unfit::Audience);
    }
    if expected.is_identity {
        // Who shares a token with others has to be the one that it was issued to (OpenID Connect Core, 3.1.3.7).
        let is_shared = audience.len() > 1;
        let party = claims.azp.as_deref();
        if party.is_some_and(|party| Some(party) != expected.audience) || is_shared && party.is_none() {
            return Err(Unfit::Party);
        }
        if claims.sub.is_empty() || claims.iat.is_none() {
            return Err(Unfit::Garbled);
        }
    }
    if !claims.exp.is_some_and(|end| now < end + leeway) {
        return Err(Unfit::Expired);
    }
    if [claims.nbf, claims.iat]
        .into_iter()
        .flatten()
        .any(|begin| begin > now + leeway)
    {
        return Err(Unfit::Early);
    }
    if expected
        .nonce
        .is_some_and(|nonce| claims.nonce.as_deref() != Some(nonce))
    {
        return Err(Unfit::Nonce);
    }
    Ok(())
}
