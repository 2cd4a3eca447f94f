//! Providers that people and programs have signed in at: where they are asked, and the keys that they sign with.
//!
//! **What is kept.** What a provider says of itself, and its keys, for an hour; then they are asked for anew while what was
//! known goes on. A provider that does not answer keeps nobody out who is known by a token or a session: its keys are believed
//! for a day.
//!
//! **How often one is asked.** A token that names a key which is not known may be signed with a new one, so it is asked for
//! at once. Everybody can make such tokens up, so no more than three times in half a minute.

mod token;
mod web;

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use http::StatusCode;
use http::header::HeaderValue;
use jsonwebtoken::jwk::Jwk;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use tokio::sync::OnceCell;

pub(crate) use token::{Claims, Expected, Person, Unfit, key_of, verify};
use web::{Ask, Web};

const SECOND: u64 = 1_000_000_000;

/// How long what a provider says is taken without asking again.
const FRESH: u64 = 60 * 60 * SECOND;

/// How long it is taken where the provider does not answer.
const KEPT: u64 = 24 * FRESH;

/// A provider is asked for its keys so often in such a time, whoever wants them.
const TURNS: usize = 3;
const WITHIN: u64 = 30 * SECOND;

/// For so long after it has not answered, it is not asked again.
const REST: u64 = 2 * SECOND;

/// Keys that a provider has at most: more are not looked at.
const KEYS: usize = 100;

/// How many providers are known at once. A product has some; an edit now and then makes others of them.
const PROVIDERS: usize = 100;

/// Why a provider is of no use now, without a dot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Fault(pub(crate) String);

/// What a provider says of itself (OpenID Connect Discovery, 3).
#[derive(Debug, Deserialize)]
pub(crate) struct Metadata {
    pub(crate) issuer: String,
    jwks_uri: String,
    pub(crate) authorization_endpoint: Option<String>,
    token_endpoint: Option<String>,
    userinfo_endpoint: Option<String>,
    pub(crate) end_session_endpoint: Option<String>,
    #[serde(default)]
    pub(crate) scopes_supported: Vec<String>,
    #[serde(default)]
    token_endpoint_auth_methods_supported: Vec<String>,
}

/// What is known of a provider.
#[derive(Debug)]
pub(crate) struct Known {
    pub(crate) says: Metadata,
    pub(crate) keys: Vec<Jwk>,
    since: u64,
}

impl Known {
    fn has(&self, key: Option<&str>) -> bool {
        key.is_none_or(|key| {
            self.keys
                .iter()
                .any(|one| one.common.key_id.as_deref() == Some(key))
        })
    }
}

/// A provider.
#[derive(Default)]
pub(crate) struct Provider {
    known: Mutex<Option<Arc<Known>>>,
    /// Whoever asks it waits for whoever does already.
    asking: tokio::sync::Mutex<Asked>,
}

/// When it was asked, and what came of it.
#[derive(Default)]
struct Asked {
    at: Vec<u64>,
    fault: Option<(u64, Fault)>,
}

/// A client at a provider.
pub(crate) struct Client<'a> {
    pub(crate) id: &'a str,
    pub(crate) secret: Option<&'a str>,
}

/// What a code is exchanged with.
pub(crate) struct Exchange<'a> {
    pub(crate) code: &'a str,
    pub(crate) verifier: &'a str,
    pub(crate) redirect: &'a str,
}

/// What a code is exchanged for.
#[derive(Deserialize)]
pub(crate) struct Exchanged {
    pub(crate) id_token: String,
    #[serde(default)]
    access_token: Option<String>,
}

/// All providers of a running edge.
pub(crate) struct Providers {
    authority: PathBuf,
    web: OnceCell<Web>,
    all: Mutex<HashMap<String, Arc<Provider>>>,
}

impl Providers {
    /// Providers, some of which may be signed for by the local authority.
    pub(crate) fn new(authority: PathBuf) -> Providers {
        Providers {
            authority,
            web: OnceCell::new(),
            all: Mutex::default(),
        }
    }

    fn provider(&self, issuer: &str) -> Arc<Provider> {
        let mut all = self.all.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = all.get(issuer) {
            return Arc::clone(known);
        }
        if all.len() >= PROVIDERS {
            all.clear();
        }
        Arc::clone(all.entry(issuer.to_owned()).or_default())
    }

    async fn web(&self) -> Web {
        let open = async || {
            let authority = self.authority.clone();
            let opened = tokio::task::spawn_blocking(move || Web::open(&authority)).await;
            opened.map_err(|error| Fault(format!("what the system trusts cannot be read: {error}")))
        };
        match self.web.get_or_try_init(open).await {
            Ok(web) => web.clone(),
            Err(_) => Web::open(&self.authority),
        }
    }

    /// What is known of a provider, if that is enough for a token that is signed with this key.
    pub(crate) fn known(&self, issuer: &str, now: u64) -> Option<Arc<Known>> {
        let provider = self.provider(issuer);
        let known = provider.known.lock().unwrap_or_else(PoisonError::into_inner);
        known
            .as_ref()
            .filter(|known| now < known.since + KEPT)
            .map(Arc::clone)
    }

    /// What is known of a provider, which is asked where that is old, or is not enough for a token that is signed with this
    /// key.
    pub(crate) async fn learn(&self, issuer: &str, key: Option<&str>, now: u64) -> Result<Arc<Known>, Fault> {
        let known = self.known(issuer, now);
        if let Some(known) = &known
            && known.has(key)
            && now < known.since + FRESH
        {
            return Ok(Arc::clone(known));
        }
        let provider = self.provider(issuer);
        let mut asking = match &known {
            // Somebody asks already, and what is known does meanwhile.
            Some(known) if known.has(key) => match provider.asking.try_lock() {
                Ok(asking) => asking,
                Err(_) => return Ok(Arc::clone(known)),
            },
            _ => provider.asking.lock().await,
        };
        // Whoever has waited may find what somebody else has asked for.
        let meanwhile = self.known(issuer, now).filter(|after| {
            let is_newer = known.as_ref().is_none_or(|before| !Arc::ptr_eq(before, after));
            is_newer && after.has(key)
        });
        if let Some(meanwhile) = meanwhile {
            return Ok(meanwhile);
        }
        let known = self.known(issuer, now);
        if let Some(fault) = asking.rests(now) {
            return known.ok_or(fault);
        }
        asking.at.push(now);
        match self.ask(issuer, now).await {
            Ok(found) => {
                let found = Arc::new(found);
                *provider.known.lock().unwrap_or_else(PoisonError::into_inner) = Some(Arc::clone(&found));
                asking.fault = None;
                Ok(found)
            }
            Err(fault) => {
                asking.fault = Some((now, fault.clone()));
                known.ok_or(fault)
            }
        }
    }

    async fn ask(&self, issuer: &str, now: u64) -> Result<Known, Fault> {
        let web = self.web().await;
        let base = issuer.trim_end_matches('/');
        let at = format!("{base}/.well-known/openid-configuration");
        let says: Metadata = read(&web, Ask::reading(&at)).await?;
        if says.issuer.trim_end_matches('/') != base {
            return Err(Fault(format!("{base} says that it is another provider")));
        }
        #[derive(Deserialize)]
        struct Set {
            keys: Vec<serde_json::Value>,
        }
        let set: Set = read(&web, Ask::reading(&says.jwks_uri)).await?;
        // One of a kind that we do not know keeps nobody from the others.
        let keys = set.keys.into_iter().take(KEYS);
        let keys = keys.filter_map(|key| serde_json::from_value(key).ok()).collect();
        Ok(Known {
            says,
            keys,
            since: now,
        })
    }

    /// Exchanges a code for what it stands for; `None` where the provider does not take it.
    pub(crate) async fn exchange(
        &self,
        says: &Metadata,
        client: &Client<'_>,
        exchange: &Exchange<'_>,
    ) -> Result<Option<Exchanged>, Fault> {
        let Some(address) = says.token_endpoint.as_deref() else {
            return Err(Fault(format!("{} exchanges no codes", says.issuer)));
        };
        let mut form = vec![
            ("grant_type", "authorization_code"),
            ("code", exchange.code),
            ("redirect_uri", exchange.redirect),
            ("code_verifier", exchange.verifier),
        ];
        let ways = &says.token_endpoint_auth_methods_supported;
        let has = |way: &str| ways.iter().any(|one| one == way);
        let is_posted = has("client_secret_post") && !has("client_secret_basic");
        let authorization = match client.secret {
            Some(secret) if !is_posted => basic(client.id, secret),
            Some(secret) => {
                form.extend([("client_id", client.id), ("client_secret", secret)]);
                None
            }
            None => {
                form.push(("client_id", client.id));
                None
            }
        };
        let ask = Ask {
            address,
            authorization,
            form: Some(query(&form)),
        };
        let (status, bytes) = self.web().await.ask(ask).await?;
        match status {
            StatusCode::OK => parsed(address, &bytes).map(Some),
            StatusCode::BAD_REQUEST => Ok(None),
            StatusCode::UNAUTHORIZED => Err(Fault(format!(
                "{} does not take the client's secret",
                says.issuer
            ))),
            status => Err(Fault(format!("{} has answered {status}", says.issuer))),
        }
    }

    /// What a provider says of somebody beyond their token, where it says it for the same one.
    pub(crate) async fn person(
        &self,
        says: &Metadata,
        exchanged: &Exchanged,
        subject: &str,
    ) -> Result<Option<Person>, Fault> {
        #[derive(Deserialize)]
        struct Told {
            sub: String,
            #[serde(flatten)]
            person: Person,
        }
        let (Some(address), Some(token)) = (&says.userinfo_endpoint, &exchanged.access_token) else {
            return Ok(None);
        };
        let mut value = HeaderValue::try_from(format!("Bearer {token}")).ok();
        if let Some(value) = &mut value {
            value.set_sensitive(true);
        }
        let ask = Ask {
            address,
            authorization: value,
            form: None,
        };
        let told: Told = read(&self.web().await, ask).await?;
        Ok((told.sub == subject).then_some(told.person))
    }
}

impl Asked {
    /// Why it is not asked now.
    fn rests(&mut self, now: u64) -> Option<Fault> {
        self.at.retain(|at| now < at + WITHIN);
        let fault = self.fault.as_ref();
        let is_down = fault.is_some_and(|(at, _)| now < at + REST);
        (is_down || self.at.len() >= TURNS).then(|| match fault {
            Some((_, fault)) => fault.clone(),
            None => Fault("it was asked too often for keys that it does not have".to_owned()),
        })
    }
}

async fn read<T: DeserializeOwned>(web: &Web, ask: Ask<'_>) -> Result<T, Fault> {
    let address = ask.address;
    let (status, bytes) = web.ask(ask).await?;
    match status {
        StatusCode::OK => parsed(address, &bytes),
        status => Err(Fault(format!("{address} has answered {status}"))),
    }
}

fn parsed<T: DeserializeOwned>(address: &str, bytes: &[u8]) -> Result<T, Fault> {
    // What is in it may be a secret: why it cannot be read is not told.
    serde_json::from_slice(bytes).map_err(|_| Fault(format!("what {address} has answered cannot be read")))
}

/// How a client shows its secret (RFC 6749, 2.3.1).
fn basic(id: &str, secret: &str) -> Option<HeaderValue> {
    let words = format!("{}:{}", encoded(id), encoded(secret));
    let words = base64_simd::STANDARD.encode_to_string(words);
    let mut value = HeaderValue::try_from(format!("Basic {words}")).ok()?;
    value.set_sensitive(true);
    Some(value)
}

/// Words of a query, or of a form.
pub(crate) fn query(pairs: &[(&str, &str)]) -> String {
    let pairs = pairs.iter();
    let pairs = pairs.map(|(name, value)| format!("{}={}", encoded(name), encoded(value)));
    pairs.collect::<Vec<_>>().join("&")
}

fn encoded(text: &str) -> String {
    let mut written = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                written.push(char::from(byte))
            }
            byte => written.push_str(&format!("%{byte:02X}")),
        }
    }
    written
}
