//! Issuers of identities that are trusted: where they keep their keys, and the keys.
//!
//! **What is kept.** The keys of an issuer for an hour; then they are asked for anew, while what was known goes on. One that
//! does not answer keeps no job out whose key is known: its keys are believed for a day. So a key that an issuer takes back is
//! believed for an hour, and for a day where the issuer cannot be asked.
//!
//! **How often one is asked.** An identity that names a key which is not known may be signed with a new one, so it is asked for
//! at once. Everybody can make such identities up, so no more than three times in half a minute. Nobody is asked who is not
//! trusted: what an identity says of its issuer leads nowhere by itself.

use crate::turns::Turns;
use jsonwebtoken::DecodingKey;
use jsonwebtoken::jwk::Jwk;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::OnceCell;
use towpath_api::{Unread, Web, is_safe};

/// How long keys are taken without asking again.
const FRESH: Duration = Duration::from_secs(60 * 60);

/// How long they are taken where the issuer does not answer.
const KEPT: Duration = Duration::from_secs(24 * 60 * 60);

/// An issuer is asked so often in such a time, whoever wants its keys.
const TURNS: usize = 3;
const WITHIN: Duration = Duration::from_secs(30);

/// For so long after it has not answered, it is not asked again.
const REST: Duration = Duration::from_secs(2);

/// Keys that an issuer has at most: more are not looked at.
const KEYS: usize = 100;

/// So many issuers are known at once. A machine trusts one or two.
const ISSUERS: usize = 200;

/// Its keys, and since when they are known.
#[derive(Debug)]
pub(crate) struct Known {
    pub(crate) keys: Vec<Jwk>,
    since: Duration,
}

impl Known {
    fn has(&self, key: Option<&str>) -> bool {
        key.is_none_or(|key| {
            let mut names = self.keys.iter().map(|one| one.common.key_id.as_deref());
            names.any(|name| name == Some(key))
        })
    }
}

#[derive(Default)]
struct Issuer {
    known: Mutex<Option<Arc<Known>>>,
    /// Whoever asks it waits for whoever does already.
    asking: tokio::sync::Mutex<Asked>,
}

/// When it was asked, and what came of it.
struct Asked {
    turns: Turns,
    fault: Option<(Duration, Unread)>,
}

impl Default for Asked {
    fn default() -> Self {
        Asked {
            turns: Turns::new(TURNS, WITHIN),
            fault: None,
        }
    }
}

impl Asked {
    /// Why it is not asked now.
    fn rests(&mut self, now: Duration) -> Option<Unread> {
        let fault = self.fault.as_ref();
        if let Some((_, why)) = fault.filter(|(at, _)| now < *at + REST) {
            return Some(why.clone());
        }
        let why = fault.map(|(_, why)| why.clone());
        let often = || Unread("it was asked too often for keys that it does not have".to_owned());
        (!self.turns.take(now)).then(|| why.unwrap_or_else(often))
    }
}

/// All of them.
#[derive(Default)]
pub(crate) struct Issuers {
    web: OnceCell<Web>,
    all: Mutex<HashMap<String, Arc<Issuer>>>,
}

impl Issuers {
    /// The keys of an issuer, which is asked where what is known is old, or holds no key of this name.
    pub(crate) async fn learn(
        &self,
        issuer: &str,
        key: Option<&str>,
        now: Duration,
    ) -> Result<Arc<Known>, Unread> {
        let one = self.one(issuer);
        if let Some(known) = one.fitting(key, now) {
            return Ok(known);
        }
        let mut asking = one.asking.lock().await;
        // Somebody else may have asked meanwhile.
        if let Some(known) = one.fitting(key, now) {
            return Ok(known);
        }
        let known = one.known(now);
        if let Some(why) = asking.rests(now) {
            return known.ok_or(why);
        }
        match self.ask(issuer).await {
            Ok(keys) => {
                let found = Arc::new(Known { keys, since: now });
                *one.known.lock().unwrap_or_else(PoisonError::into_inner) = Some(Arc::clone(&found));
                asking.fault = None;
                Ok(found)
            }
            Err(why) => {
                asking.fault = Some((now, why.clone()));
                known.ok_or(why)
            }
        }
    }

    fn one(&self, issuer: &str) -> Arc<Issuer> {
        let mut all = self.all.lock().unwrap_or_else(PoisonError::into_inner);
        if all.len() >= ISSUERS && !all.contains_key(issuer) {
            all.clear();
        }
        Arc::clone(all.entry(issuer.to_owned()).or_default())
    }

    async fn ask(&self, issuer: &str) -> Result<Vec<Jwk>, Unread> {
        #[derive(Deserialize)]
        struct Says {
            issuer: String,
            jwks_uri: String,
        }
        #[derive(Deserialize)]
        struct Set {
            keys: Vec<serde_json::Value>,
        }
        let open = async || {
            let opened = tokio::task::spawn_blocking(Web::open).await;
            opened.map_err(|error| Unread(error.to_string()))?
        };
        let web = self.web.get_or_try_init(open).await?;
        let at = format!(
            "{}/.well-known/openid-configuration",
            issuer.trim_end_matches('/')
        );
        let says: Says = read(web, &at).await?;
        if says.issuer != issuer {
            return Err(Unread(format!("{at} is about another issuer")));
        }
        // One of the outside leads nowhere inside.
        let leads_inside = issuer.starts_with("https:") && !says.jwks_uri.starts_with("https:");
        if leads_inside || !is_safe(&says.jwks_uri) {
            return Err(Unread(format!(
                "{at} says that its keys are where nobody may trust them"
            )));
        }
        let set: Set = read(web, &says.jwks_uri).await?;
        // One of a kind that we do not know keeps nobody from the others.
        let keys = set.keys.into_iter().take(KEYS);
        let keys = keys.filter_map(|key| serde_json::from_value::<Jwk>(key).ok());
        let keys: Vec<Jwk> = keys.filter(|key| DecodingKey::from_jwk(key).is_ok()).collect();
        match keys.is_empty() {
            true => Err(Unread(format!("{at} leads to no key that can be read"))),
            false => Ok(keys),
        }
    }
}

impl Issuer {
    fn known(&self, now: Duration) -> Option<Arc<Known>> {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let known = known.as_ref().filter(|known| now < known.since + KEPT);
        known.map(Arc::clone)
    }

    /// What is known, where that is enough.
    fn fitting(&self, key: Option<&str>, now: Duration) -> Option<Arc<Known>> {
        let known = self.known(now)?;
        (known.has(key) && now < known.since + FRESH).then_some(known)
    }
}

async fn read<T: DeserializeOwned>(web: &Web, address: &str) -> Result<T, Unread> {
    let text = web.read(address, None).await?;
    serde_json::from_slice(&text).map_err(|_| Unread(format!("what {address} has answered cannot be read")))
}
