//! Who may pass: by a password, by a token, or by what a provider says.
//!
//! A value is stamped when it arrives, and what a visitor brings is stamped before it is compared: the comparison takes the
//! same time for every value. The value itself stays for a provider, which the edge shows it to.
//!
//! Whoever has given the password gets a cookie, for as long as a sign-in lasts. Browsers send one `Authorization` only, and
//! a page that speaks to its own interface with a token of its own needs it for that. The cookie holds for this secret, at
//! every component that asks for the same one under its name; an instance never sees it, nor the password.

use std::collections::HashMap;
use std::net::IpAddr;

use http::HeaderMap;
use http::header::{AUTHORIZATION, HeaderName, HeaderValue};
use serde::{Deserialize, Serialize};
use towpath_model::desired::edge::SignIn;
use towpath_model::run::Access;
use towpath_model::sealed::Sealed;
use towpath_model::unit::{Duration, Rate};

use super::certificate::Signer;
use super::rate::Counter;
use super::refusal::Refusal;
use super::{Asked, Stranger, admit, cookie, key};
use crate::door::clock;
use crate::provider::{self, Client, Expected};

/// Clocks are set now and then.
const MINUTE: u64 = 60;

/// A person mistypes a few times; a program that guesses is held to this.
const GUESSES: (u64, Duration) = (10, Duration::from_secs(60));

/// The values that sign-ins are checked with, by their names, with their stamps.
#[derive(Debug, Default)]
pub(crate) struct Keys(HashMap<String, (blake3::Hash, Sealed<String>)>);

impl Keys {
    pub(crate) fn new<'v>(values: impl IntoIterator<Item = (&'v String, &'v Sealed<String>)>) -> Keys {
        let stamp = |value: &Sealed<String>| cookie::stamp(&["secret", value.open()]);
        Keys(
            values
                .into_iter()
                .map(|(name, value)| (name.clone(), (stamp(value), value.clone())))
                .collect(),
        )
    }

    /// A value itself, to be shown to a provider.
    pub(super) fn value(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(|(_, value)| value.open().as_str())
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
    /// Who they are has been shown, and is told to the instance.
    pub(crate) is_proven: bool,
}

/// Somebody who has signed in at a provider, as their cookie says it.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Session {
    pub(super) user: String,
    /// Seconds since 1970.
    pub(super) since: u64,
}

/// A sign-in in front of something.
#[derive(Debug)]
pub(crate) struct Door {
    pub(super) access: Access,
    /// It is another door where anything of what is asked there is other: whoever has signed in does so once more, and is
    /// measured by what is asked now.
    pub(super) mark: String,
    guesses: Counter,
    signer: Signer,
}

/// Somebody who has shown who they are.
fn proven(user: String) -> Known {
    Known {
        user: Some(user),
        is_proven: true,
        ..Known::default()
    }
}

impl Door {
    pub(crate) fn new(access: Access) -> Door {
        let asks = serde_json::to_string(&access).unwrap_or_default();
        Door {
            mark: cookie::stamp(&["door", &asks]).to_hex().to_string(),
            access,
            guesses: Counter::new(&Rate::new(GUESSES.0, GUESSES.1, None)),
            signer: Signer::default(),
        }
    }

    /// Whether somebody may pass, and as whom.
    pub(crate) fn open(&self, asked: &Asked<'_>) -> Result<Known, Refusal> {
        match self.access.sign_in {
            SignIn::Oidc => return self.by_provider(asked),
            SignIn::Certificate => {
                let user = self.signer.know(&self.access, &self.mark, asked)?;
                return Ok(proven(user));
            }
            SignIn::Token | SignIn::Password => {}
        }
        let secret = self.access.secret.as_deref();
        let Some((stamp, _)) = secret.and_then(|secret| asked.keys.0.get(secret)) else {
            return Err(Refusal::Unknown);
        };
        let is_token = self.access.sign_in == SignIn::Token;
        match is_token {
            // A browser asks beforehand whether it may send a token, and cannot send it with that.
            true if super::is_preflight(asked) => Ok(Known::default()),
            true => self.by_token(asked, stamp),
            false => self.by_password(asked, stamp),
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
                by_password,
                ..Known::default()
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
        let text = format!("{}.{hex}", asked.today + lasts);
        let value = cookie::stamped(&text, &["signed-in", &self.bound(stamp)]);
        self.known(Known {
            user: Some(user.to_owned()),
            cookie: cookie::given(cookie::SIGNED_IN, &value, lasts, asked.secure),
            by_password: true,
            is_proven: false,
        })
    }

    /// Where people sign in.
    pub(super) fn issuer(&self) -> Option<&str> {
        let is_provider = self.access.sign_in == SignIn::Oidc;
        let issuer = self.access.issuer.as_ref().filter(|_| is_provider)?;
        Some(issuer.as_str())
    }

    /// Who we are there, where what is needed for that is known.
    pub(super) fn client<'a>(&'a self, keys: &'a Keys) -> Option<Client<'a>> {
        let id = self.access.client.as_deref();
        let (id, secret) = match (id, &self.access.secret) {
            (Some(id), None) => (id, None),
            (Some(id), Some(name)) => (id, Some(keys.value(name)?)),
            (None, Some(name)) => (keys.value(name)?, None),
            (None, None) => return None,
        };
        Some(Client { id, secret })
    }

    /// By a session, or as programs do, by a token that the provider has issued for us.
    fn by_provider(&self, asked: &Asked<'_>) -> Result<Known, Refusal> {
        let (Some(issuer), Some(client)) = (self.issuer(), self.client(asked.keys)) else {
            return Err(Refusal::Unknown);
        };
        if let Some(session) = self.session(asked) {
            return Ok(proven(session.user));
        }
        let Some(token) = scheme(asked.headers, "bearer") else {
            return Err(Refusal::AtProvider(None));
        };
        let Some(provider) = asked.providers.known(issuer, asked.now) else {
            return Err(Refusal::NoProvider(String::new()));
        };
        let expected = Expected {
            issuer: &provider.says.issuer,
            audience: Some(client.id),
            is_identity: true,
            nonce: None,
        };
        let claims = provider::verify(token, &provider.keys, &expected, asked.today)
            .map_err(|unfit| Refusal::AtProvider(Some(unfit)))?;
        let email = claims.person.verified();
        let groups = claims.person.groups.unwrap_or_default();
        admit::admit(&self.access, email.as_deref(), groups.all()).map_err(Refusal::Stranger)?;
        Ok(proven(email.unwrap_or_else(|| format!("subject:{}", claims.sub))))
    }

    fn session_name(&self, secure: bool) -> String {
        cookie::of_host(&format!("{}{}", cookie::SESSION, &self.mark[..8]), secure)
    }

    /// The session that somebody brings, as long as it lasts.
    fn session(&self, asked: &Asked<'_>) -> Option<Session> {
        let sealed = cookie::brought(asked.headers, &self.session_name(asked.secure))?;
        let text = key::unseal(sealed, &["session", &self.mark])?;
        let session: Session = serde_json::from_str(&text).ok()?;
        let lasts = self.access.lasts.secs();
        // One from a time that has not come was given before the clock was turned back.
        let is_good = session.since <= asked.today + MINUTE && asked.today < session.since + lasts;
        is_good.then_some(session)
    }

    /// The cookie of a session.
    pub(super) fn session_cookie(&self, session: &Session, secure: bool) -> Option<HeaderValue> {
        let text = serde_json::to_string(session).ok()?;
        let sealed = key::seal(&text, &["session", &self.mark]);
        cookie::given(
            &self.session_name(secure),
            &sealed,
            self.access.lasts.secs(),
            secure,
        )
    }

    /// Whether somebody may try to sign in, after those who have failed there.
    pub(super) fn may_try(&self, from: IpAddr) -> Result<(), Refusal> {
        let standing = self
            .guesses
            .look(self.guesses.key(super::network_of(from)), clock::nanos());
        standing.passes.then_some(()).ok_or(Refusal::Guessing(standing))
    }

    /// Somebody has tried to sign in, in vain.
    pub(super) fn has_failed(&self, from: IpAddr) {
        let from = self.guesses.key(super::network_of(from));
        self.guesses.take(from, clock::nanos());
    }

    /// What the cookie of somebody who has given the password is bound to.
    fn bound(&self, stamp: &blake3::Hash) -> String {
        match self.access.since {
            0 => stamp.to_hex().to_string(),
            since => format!("{}.{since}", stamp.to_hex()),
        }
    }

    /// Who has signed in before, as long as that lasts.
    fn by_cookie(&self, asked: &Asked<'_>, stamp: &blake3::Hash) -> Option<String> {
        let value = cookie::brought(asked.headers, cookie::SIGNED_IN)?;
        let text = cookie::unstamped(value, &["signed-in", &self.bound(stamp)])?;
        let (until, hex) = text.split_once('.')?;
        if until.parse::<u64>().ok()? <= asked.today {
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
            .ok_or(Refusal::Stranger(Stranger::Unnamed))
    }
}

/// What stands behind a scheme in `Authorization`.
pub(crate) fn scheme<'h>(headers: &'h HeaderMap, scheme: &str) -> Option<&'h str> {
    behind(headers, &AUTHORIZATION, scheme)
}

/// What stands behind a scheme in a header.
pub(crate) fn behind<'h>(headers: &'h HeaderMap, name: &HeaderName, scheme: &str) -> Option<&'h str> {
    let (said, rest) = headers.get(name)?.to_str().ok()?.split_once(' ')?;
    said.eq_ignore_ascii_case(scheme).then(|| rest.trim())
}
