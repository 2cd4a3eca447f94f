//! The vault: the secrets of one environment, sealed, each in versions that only grow.
//!
//! They stand in the store beside the journal, so that a change and what is told of it are there together or not at all. A
//! release names the versions that it was made with, and is started with those however often they were set since; so a
//! version stays as long as a release that is kept names it. The newest one stays in any case, also where it says that there
//! is none any more: the next one has to have a number that never meant anything else.

mod key;

use crate::seal::Key;
use crate::{Batch, Entry, Store, StoreError};
use base64_simd::STANDARD;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Weak};
use tokio::sync::Mutex;
use towpath_model::run::Variables;
use towpath_model::sealed::Sealed;

pub use key::Keys;

/// The kind of the records.
const KIND: &str = "secret";

/// The secrets of an environment. It costs nothing before one is sealed or opened.
#[derive(Debug)]
pub struct Vault {
    /// Whoever closes the store closes it for us, too.
    store: Weak<Store>,
    environment: String,
    keys: Keys,
    key: Mutex<Option<Key>>,
    /// Who changes something looks at what is there first.
    turn: Mutex<()>,
}

/// A secret, as it may be told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Secret {
    /// Its name.
    pub name: String,
    /// Its newest version.
    pub version: u64,
    /// Whether that has a value.
    pub is_set: bool,
    /// When it was set, or unset.
    pub at: Timestamp,
    /// By whom.
    pub by: String,
}

/// A version, as it stands in the store.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Version {
    at: Timestamp,
    by: String,
    /// The value; nothing where it was unset.
    sealed: Option<String>,
}

type Versions = BTreeMap<String, BTreeMap<u64, Version>>;

impl Vault {
    /// The secrets of this environment, which stand in this store.
    pub fn new(store: &Arc<Store>, environment: &str, keys: Keys) -> Self {
        Vault {
            store: Arc::downgrade(store),
            environment: environment.to_owned(),
            keys,
            key: Mutex::default(),
            turn: Mutex::default(),
        }
    }

    /// Sets these, all or none of them, and says which of them have a new version: a value that holds already gets none.
    pub async fn set(
        &self,
        values: &Variables,
        by: &str,
        now: Timestamp,
    ) -> Result<BTreeMap<String, u64>, StoreError> {
        let _turn = self.turn.lock().await;
        let (key, there) = (self.key(now).await?, self.read().await?);
        let mut batch = Batch::default();
        let mut news = BTreeMap::new();
        for (name, value) in values {
            let newest = there.get(name).and_then(|versions| versions.last_key_value());
            if let Some((version, kept)) = newest
                && kept.sealed.is_some()
                // One that cannot be opened any more is another one.
                && self.opened(&key, name, *version, kept).is_ok_and(|same| same == *value)
            {
                continue;
            }
            let version = newest.map_or(1, |(version, _)| version + 1);
            self.add(&mut batch, &key, (name, version, value), (by, now));
            news.insert(name.clone(), version);
        }
        if !news.is_empty() {
            self.store()?.write(batch, now).await?;
        }
        Ok(news)
    }

    /// Begins with a new key, because the one before is lost: these are set, and no other value is there any more.
    pub async fn begin_anew(
        &self,
        values: &Variables,
        by: &str,
        now: Timestamp,
    ) -> Result<BTreeMap<String, u64>, StoreError> {
        let _turn = self.turn.lock().await;
        let there = self.read().await?;
        let (key, mut batch) = key::anew(&self.environment, &self.keys).await?;
        for (name, versions) in &there {
            for (version, kept) in versions {
                let lost = Version {
                    sealed: None,
                    ..kept.clone()
                };
                batch.records.push(lost.record(name, *version));
            }
        }
        let mut news = BTreeMap::new();
        for (name, value) in values {
            let newest = there.get(name).and_then(|versions| versions.last_key_value());
            let version = newest.map_or(1, |(version, _)| version + 1);
            self.add(&mut batch, &key, (name, version, value), (by, now));
            news.insert(name.clone(), version);
        }
        self.store()?.write(batch, now).await?;
        *self.key.lock().await = Some(key);
        Ok(news)
    }

    /// From now on it has no value; releases that name an earlier version keep theirs. Its version; nothing where it has no
    /// value already.
    pub async fn unset(&self, name: &str, by: &str, now: Timestamp) -> Result<Option<u64>, StoreError> {
        let _turn = self.turn.lock().await;
        let there = self.read().await?;
        let newest = there.get(name).and_then(|versions| versions.last_key_value());
        let Some((version, _)) = newest.filter(|(_, kept)| kept.sealed.is_some()) else {
            return Ok(None);
        };
        let kept = Version {
            at: now,
            by: by.to_owned(),
            sealed: None,
        };
        let mut batch = Batch::default();
        write(&mut batch, "unset-secret", (name, version + 1), &kept);
        self.store()?.write(batch, now).await?;
        Ok(Some(version + 1))
    }

    /// The versions that hold now, of those that have a value.
    pub async fn versions(&self) -> Result<BTreeMap<String, u64>, StoreError> {
        let listed = self.listed().await?.into_iter();
        Ok(listed
            .filter(|secret| secret.is_set)
            .map(|secret| (secret.name, secret.version))
            .collect())
    }

    /// What may be told: each with its newest version.
    pub async fn listed(&self) -> Result<Vec<Secret>, StoreError> {
        let newest = self.read().await?.into_iter().filter_map(|(name, versions)| {
            let (version, kept) = versions.into_iter().next_back()?;
            Some(Secret {
                name,
                version,
                is_set: kept.sealed.is_some(),
                at: kept.at,
                by: kept.by,
            })
        });
        Ok(newest.collect())
    }

    /// The values of these versions. Where some have none, it is said which, and nothing is opened.
    pub async fn open(
        &self,
        wanted: &BTreeMap<String, u64>,
        now: Timestamp,
    ) -> Result<Variables, StoreError> {
        if wanted.is_empty() {
            return Ok(Variables::new());
        }
        let there = self.read().await?;
        let find = |name: &String, version: &u64| {
            let kept = there.get(name)?.get(version)?;
            kept.sealed.is_some().then_some(kept)
        };
        let missing: Vec<String> = wanted
            .iter()
            .filter(|(name, version)| find(name, version).is_none())
            .map(|(name, version)| format!("{name} (version {version})"))
            .collect();
        if !missing.is_empty() {
            return Err(StoreError::NoValues { names: missing });
        }
        let key = self.key(now).await?;
        let found = wanted.iter().filter_map(|(name, version)| {
            let kept = find(name, version)?;
            Some(
                self.opened(&key, name, *version, kept)
                    .map(|value| (name.clone(), value)),
            )
        });
        found.collect()
    }

    /// All values that hold now, for somebody who takes them out. That is in the journal before they have them.
    pub async fn take_out(&self, by: &str, now: Timestamp) -> Result<Variables, StoreError> {
        let versions = self.versions().await?;
        let values = self.open(&versions, now).await?;
        let entry = Entry {
            what: "export-secrets".to_owned(),
            subject: self.environment.clone(),
            body: json!({ "versions": versions }),
            because: format!("{by} takes them out, locked by a passphrase"),
            intent: false,
        };
        let batch = Batch {
            entries: vec![entry],
            ..Batch::default()
        };
        self.store()?.write(batch, now).await?;
        Ok(values)
    }

    fn store(&self) -> Result<Arc<Store>, StoreError> {
        self.store.upgrade().ok_or(StoreError::Closed)
    }

    /// Takes away all versions but those that these releases are started with, and the newest of each.
    pub async fn prune(&self, named: &BTreeSet<(String, u64)>, now: Timestamp) -> Result<(), StoreError> {
        let _turn = self.turn.lock().await;
        let mut batch = Batch::default();
        for (name, mut versions) in self.read().await? {
            versions.pop_last();
            for version in versions.into_keys() {
                if !named.contains(&(name.clone(), version)) {
                    batch
                        .records
                        .push((KIND.to_owned(), record(&name, version), None));
                }
            }
        }
        if !batch.records.is_empty() {
            self.store()?.write(batch, now).await?;
        }
        Ok(())
    }

    fn add(
        &self,
        batch: &mut Batch,
        key: &Key,
        (name, version, value): (&str, u64, &Sealed<String>),
        (by, now): (&str, Timestamp),
    ) {
        let sealed = key.seal(value.open().as_bytes(), &self.place(name, version));
        let kept = Version {
            at: now,
            by: by.to_owned(),
            sealed: Some(STANDARD.encode_to_string(sealed)),
        };
        write(batch, "set-secret", (name, version), &kept);
    }

    async fn key(&self, now: Timestamp) -> Result<Key, StoreError> {
        let mut known = self.key.lock().await;
        if let Some(key) = known.as_ref() {
            return Ok(key.clone());
        }
        let key = key::of(&*self.store()?, &self.environment, &self.keys, now).await?;
        Ok(known.insert(key).clone())
    }

    async fn read(&self) -> Result<Versions, StoreError> {
        let mut there = Versions::new();
        for (record, body) in self.store()?.records(KIND).await? {
            // What another version of us has written is not taken for something else.
            let unreadable = || StoreError::Unsealable { what: record.clone() };
            let (name, version) = record.rsplit_once('/').ok_or_else(unreadable)?;
            let version = version.parse().map_err(|_| unreadable())?;
            let kept = serde_json::from_value(body).map_err(|_| unreadable())?;
            there.entry(name.to_owned()).or_default().insert(version, kept);
        }
        Ok(there)
    }

    fn opened(
        &self,
        key: &Key,
        name: &str,
        version: u64,
        kept: &Version,
    ) -> Result<Sealed<String>, StoreError> {
        let sealed = kept.sealed.as_deref().unwrap_or_default();
        let sealed = STANDARD.decode_to_vec(sealed).ok();
        let value = sealed.and_then(|sealed| key.open(&sealed, &self.place(name, version)));
        value
            .and_then(|value| String::from_utf8(value.to_vec()).ok())
            .map(Sealed::new)
            .ok_or_else(|| StoreError::Unsealable {
                what: format!("{name} (version {version})"),
            })
    }

    /// What a value is sealed for: the same bytes under another name, version or environment open nothing. No name of an
    /// environment has a line break in it.
    fn place(&self, name: &str, version: u64) -> String {
        format!("towpath secret\n{}\n{name}\n{version}", self.environment)
    }
}

/// The name of a record: in their order versions stand as they came.
fn record(name: &str, version: u64) -> String {
    format!("{name}/{version:012}")
}

impl Version {
    fn record(&self, name: &str, version: u64) -> (String, String, Option<Value>) {
        let body = json!({ "at": self.at.to_string(), "by": self.by, "sealed": self.sealed });
        (KIND.to_owned(), record(name, version), Some(body))
    }
}

fn write(batch: &mut Batch, what: &str, (name, version): (&str, u64), kept: &Version) {
    batch.records.push(kept.record(name, version));
    batch.entries.push(Entry {
        what: what.to_owned(),
        subject: name.to_owned(),
        body: json!({ "version": version }),
        because: format!("{} wants it so", kept.by),
        intent: false,
    });
}
