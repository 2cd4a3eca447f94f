//! Who may pass: by a password or a token, whose value is known here by its stamp alone.
//!
//! A value is stamped when it arrives, and what a visitor brings is stamped before it is compared: the comparison takes the
//! same time for every value, and no value stays where it could be read.
//!
//! Whoever has given the password gets a cookie, for as long as a sign-in lasts. Browsers send one `Authorization` only, and
//! a page that speaks to its own interface with a token of its own needs it for that. The cookie holds for this secret, at
//! every component that asks for the same one under its name; an instance never sees it, nor the password.

use std::collections::HashMap;

use http::HeaderMap;
use http::header::{AUTHORIZATION, HeaderValue};
use towpath_model::desired::edge::SignIn;
use towpath_model::run::Access;
use towpath_model::sealed::Sealed;
use towpath_model::unit::{Duration, Rate};

use super::rate::Counter;
use super::refusal::Refusal;
use super::{Asked, cookie};

/// A person mistypes a few times; a program that guesses is held to this.
const GUESSES: (u64, Duration) = (10, Duration::from_secs(60));

const NANOS: u64 = 1_000_000_000;

/// The values that sign-ins are checked with, by their names, as stamps.
#[derive(Debug, Default)]
pub(crate) struct Keys(HashMap<String, blake3::Hash>);

impl Keys {
    pub(crate) fn new<'v>(values: impl IntoIterator<Item = (&'v String, &'v Sealed<String>)>) -> Keys {
        let stamp = |value: &Sealed<String>| cookie::stamp(&["secret", value.open()]);
        Keys(
            values
                .into_iter()
                .map(|(name, value)| (name.clone(), stamp(value)))
                .collect(),
        )
    }
}

/// Somebody who may pass.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Known {
    /// What they call themselves.
    pub(crate) user: Option<String>,
    /// A cookie by which they are known from now on.
    pub(crate) cookie: Option<HeaderValue>,
    /// Their password is not for the instance.
    pub(crate) by_password: bool,
}

/// A sign-in in front of something.
#[derive(Debug)]
pub(crate) struct Door {
    access: Access,
    guesses: Counter,
}

impl Door {
    pub(crate) fn new(access: Access) -> Door {
        Door {
            access,
            guesses: Counter::new(&Rate::new(GUESSES.0, GUESSES.1, None)),
        }
    }

    /// Whether somebody may pass, and as whom.
    pub(crate) fn open(&self, asked: &Asked<'_>) -> Result<Known, Refusal> {
        let secret = self.access.secret.as_deref();
        let Some(stamp) = secret.and_then(|secret| asked.keys.0.get(secret)) else {
            return Err(Refusal::Unknown);
        };
        match self.access.sign_in {
            // Nobody is asked for it where a product with it is not started.
            SignIn::Oidc | SignIn::Certificate => Err(Refusal::Unknown),
            // A browser asks beforehand whether it may send a token, and cannot send it with that.
            SignIn::Token if super::is_preflight(asked) => Ok(Known::default()),
            SignIn::Token => self.by_token(asked, stamp),
            SignIn::Password => self.by_password(asked, stamp),
        }
    }

    fn by_token(&self, asked: &Asked<'_>, stamp: &blake3::Hash) -> Result<Known, Refusal> {
        let Some(token) = scheme(asked.headers, "bearer") else {
            return Err(Refusal::SignIn(None));
        };
        if cookie::stamp(&["secret", token]) != *stamp {
            return Err(Refusal::SignIn(None));
        }
        Ok(Known::default())
    }

    fn by_password(&self, asked: &Asked<'_>, stamp: &blake3::Hash) -> Result<Known, Refusal> {
        if let Some(user) = self.by_cookie(asked, stamp) {
            let by_password = scheme(asked.headers, "basic").is_some();
            return self.known(Known {
                user: Some(user),
                cookie: None,
                by_password,
            });
        }
        let realm = || Refusal::SignIn(Some(asked.host.name.clone()));
        let Some(words) = scheme(asked.headers, "basic") else {
            return Err(realm());
        };
        let from = self.guesses.key(super::network_of(asked.from));
        let standing = self.guesses.look(from, asked.now);
        if !standing.passes {
            return Err(Refusal::Guessing(standing));
        }
        let words = base64_simd::STANDARD.decode_to_vec(words).ok();
        let words = words.and_then(|words| String::from_utf8(words).ok());
        let Some((user, password)) = words.as_deref().and_then(|words| words.split_once(':')) else {
            return Err(realm());
        };
        if cookie::stamp(&["secret", password]) != *stamp {
            self.guesses.take(from, asked.now);
            return Err(realm());
        }
        let lasts = self.access.lasts.secs();
        let hex: String = user.bytes().map(|byte| format!("{byte:02x}")).collect();
        let text = format!("{}.{hex}", asked.now / NANOS + lasts);
        let value = cookie::stamped(&text, &["signed-in", &stamp.to_hex()]);
        self.known(Known {
            user: Some(user.to_owned()),
            cookie: cookie::given(cookie::SIGNED_IN, &value, lasts, asked.secure),
            by_password: true,
        })
    }

    /// Who has signed in before, as long as that lasts.
    fn by_cookie(&self, asked: &Asked<'_>, stamp: &blake3::Hash) -> Option<String> {
        let value = cookie::brought(asked.headers, cookie::SIGNED_IN)?;
        let text = cookie::unstamped(value, &["signed-in", &stamp.to_hex()])?;
        let (until, hex) = text.split_once('.')?;
        if until.parse::<u64>().ok()? <= asked.now / NANOS {
            return None;
        }
        let byte = |at: usize| u8::from_str_radix(hex.get(at..at + 2)?, 16).ok();
        let bytes: Option<Vec<u8>> = (0..hex.len()).step_by(2).map(byte).collect();
        String::from_utf8(bytes?).ok()
    }

    /// Only some people may pass, where some are named.
    fn known(&self, known: Known) -> Result<Known, Refusal> {
        let user = known.user.as_deref().unwrap_or("").to_ascii_lowercase();
        let all = self.access.people.is_empty() && self.access.domains.is_empty();
        let person = self
            .access
            .people
            .iter()
            .any(|one| one.as_str().eq_ignore_ascii_case(&user));
        let domain = user
            .rsplit_once('@')
            .is_some_and(|(_, domain)| self.access.domains.iter().any(|one| one.as_str() == domain));
        (all || person || domain)
            .then_some(known)
            .ok_or(Refusal::Stranger)
    }
}

/// What stands behind a scheme in `Authorization`.
pub(crate) fn scheme<'h>(headers: &'h HeaderMap, scheme: &str) -> Option<&'h str> {
    let (said, rest) = headers.get(AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    said.eq_ignore_ascii_case(scheme).then(|| rest.trim())
}
