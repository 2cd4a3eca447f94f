//! Headers that a request has to carry, and tokens in them.

use http::Method;
use http::header::{AUTHORIZATION, HeaderMap, HeaderName, HeaderValue};
use towpath_model::run::Carried;

use super::refusal::Refusal;
use super::{Asked, is_preflight, spelled};
use crate::provider::{self, Expected};

/// A header that a request has to carry.
#[derive(Debug)]
pub(super) struct Required {
    name: HeaderName,
    /// The methods that need it; all where none is named.
    methods: Vec<Method>,
    token: Option<Token>,
}

/// The token that stands in it.
#[derive(Debug)]
struct Token {
    issuer: String,
    audience: Option<String>,
}

impl Required {
    /// A header that is none has been refused where the manifest was read.
    pub(super) fn new(carried: &Carried) -> Option<Required> {
        let methods = carried.methods.iter();
        let token = |issuer: &towpath_model::unit::Url| Token {
            issuer: issuer.as_str().to_owned(),
            audience: carried.audience.clone(),
        };
        Some(Required {
            name: HeaderName::try_from(carried.header.as_str()).ok()?,
            methods: methods
                .filter_map(|one| Method::try_from(one.as_str()).ok())
                .collect(),
            token: carried.issuer.as_ref().map(token),
        })
    }

    /// Who has to have issued a token, and the token, where there is one.
    pub(super) fn token<'a>(&'a self, headers: &'a HeaderMap) -> Option<(&'a str, &'a str)> {
        let issuer = self.token.as_ref()?.issuer.as_str();
        Some((issuer, written(&self.name, headers)?))
    }

    /// Whether a request carries it.
    pub(super) fn check(&self, asked: &Asked<'_>) -> Result<(), Refusal> {
        let is_any = self.methods.is_empty() && !is_preflight(asked);
        if !(is_any || self.methods.contains(asked.method)) {
            return Ok(());
        }
        if let Some(token) = &self.token {
            return token.check(asked, written(&self.name, asked.headers));
        }
        let is_missing = asked.headers.get(&self.name).is_none_or(HeaderValue::is_empty);
        (!is_missing)
            .then_some(())
            .ok_or_else(|| Refusal::Header(spelled(&self.name)))
    }
}

impl Token {
    fn check(&self, asked: &Asked<'_>, written: Option<&str>) -> Result<(), Refusal> {
        let Some(written) = written else {
            return Err(Refusal::Token(None));
        };
        let Some(known) = asked.providers.known(&self.issuer, asked.now) else {
            return Err(Refusal::NoProvider(String::new()));
        };
        let expected = Expected {
            issuer: &known.says.issuer,
            audience: self.audience.as_deref(),
            is_identity: false,
            nonce: None,
        };
        provider::verify(written, &known.keys, &expected, asked.today)
            .map(drop)
            .map_err(|unfit| Refusal::Token(Some(unfit)))
    }
}

/// The token in a header: behind its scheme, or alone where the header is one of its own.
fn written<'h>(name: &HeaderName, headers: &'h HeaderMap) -> Option<&'h str> {
    if let Some(token) = super::sign_in::behind(headers, name, "bearer") {
        return Some(token);
    }
    let is_own = *name != AUTHORIZATION;
    let value = headers.get(name).filter(|_| is_own)?.to_str().ok()?.trim();
    (!value.is_empty()).then_some(value)
}
