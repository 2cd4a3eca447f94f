//! The certificates of domains that are not names of this machine: from files, or asked for elsewhere.
//!
//! Which one a visitor sees is looked up by the name that it says. A domain that has none yet shows that of this machine,
//! which nobody believes, and why is told to whoever looks after it: traffic waits for no authority.

mod files;
mod keep;
mod order;
mod pair;
mod proofs;
mod record;
mod staple;
mod told;
mod web;

use std::collections::HashMap;
use std::fmt;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use rustls::crypto::{CryptoProvider, aws_lc_rs};
use rustls::sign::CertifiedKey;
use tokio::sync::Notify;
use tokio::task::JoinHandle;
use towpath_decide::certificate::Known;
use towpath_model::run::{Acme, Certificate, Certified, Front};

use crate::door::clock;
use files::Files;
use pair::Pair;
pub(crate) use proofs::{PATH, PROTOCOL, Proofs};
use record::Record;
use staple::Asked;

/// The certificates of an edge, and what else holds in front of everything.
pub(crate) struct Certificates {
    facing: RwLock<Arc<Facing>>,
    pub(crate) proofs: Proofs,
    provider: CryptoProvider,
    /// Whether plain HTTP leads to HTTPS anywhere.
    redirects: AtomicBool,
    /// Rings when another front was set.
    changed: Notify,
    /// Rings when a domain shows another certificate.
    shown: Notify,
    keeps: Mutex<Option<JoinHandle<()>>>,
}

/// A front that is ready for visitors.
#[derive(Debug, Default)]
pub(crate) struct Facing {
    pub(crate) front: Front,
    /// Where what is asked for is kept.
    pub(crate) folder: PathBuf,
    domains: HashMap<String, Arc<Domain>>,
}

/// A domain, and what there is of its certificate.
pub(crate) struct Domain {
    name: String,
    from: Certificate,
    shown: RwLock<Option<Arc<Pair>>>,
    files: Option<Files>,
    kept: Mutex<Record>,
    asked: Mutex<Asked>,
    busy: AtomicBool,
    /// Tells it from others that wait for the same.
    share: u64,
}

impl Default for Certificates {
    fn default() -> Certificates {
        Certificates {
            facing: RwLock::default(),
            proofs: Proofs::default(),
            provider: aws_lc_rs::default_provider(),
            redirects: AtomicBool::new(false),
            changed: Notify::new(),
            shown: Notify::new(),
            keeps: Mutex::default(),
        }
    }
}

impl Certificates {
    /// What holds now.
    pub(crate) fn facing(&self) -> Arc<Facing> {
        Arc::clone(&self.facing.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Sets what holds from now on. What there is of a domain that stays the same goes on. It reads files.
    pub(crate) fn set(&self, front: Front, folder: &Path) {
        let before = self.facing();
        if before.front == front && before.folder == folder {
            return;
        }
        let domains = front.domains.iter().map(|(name, from)| {
            let same = before
                .domains
                .get(name)
                .filter(|one| one.from == *from && before.folder == folder);
            let domain = match same {
                Some(same) => Arc::clone(same),
                None => Arc::new(self.domain(name, from, folder)),
            };
            (name.clone(), domain)
        });
        let domains = domains.collect();
        self.redirects
            .store(front.https_only && !front.domains.is_empty(), Ordering::Relaxed);
        let facing = Facing {
            front,
            folder: folder.to_owned(),
            domains,
        };
        *self.facing.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(facing);
        self.changed.notify_waiters();
    }

    fn domain(&self, name: &str, from: &Certificate, folder: &Path) -> Domain {
        let mut hasher = DefaultHasher::new();
        (name, folder).hash(&mut hasher);
        let mut domain = Domain {
            name: name.to_owned(),
            from: from.clone(),
            shown: RwLock::default(),
            files: None,
            kept: Mutex::default(),
            asked: Mutex::default(),
            busy: AtomicBool::new(false),
            share: hasher.finish(),
        };
        match from {
            Certificate::Files { chain, key } => {
                domain.files = Some(Files::new(chain, key));
                domain.look(&self.provider);
                let shown = domain.shown.get_mut().unwrap_or_else(PoisonError::into_inner);
                if let Some(pair) = shown.take() {
                    let pair = Arc::unwrap_or_clone(pair);
                    *shown = Some(Arc::new(staple::restored(pair, name, folder, &self.provider)));
                }
            }
            Certificate::Acme => {
                // One that cannot be read is asked for anew.
                let kept = record::read::<Record>(&record::of_domain(folder, name))
                    .ok()
                    .flatten();
                let kept = kept.unwrap_or_default();
                let issued = kept.issued.as_ref();
                let pair = issued.and_then(|one| Pair::read(&one.chain, &one.key, &self.provider).ok());
                if let Some(proof) = kept.order.as_ref().and_then(|order| order.proof.as_ref()) {
                    // Where it cannot be shown the order says so when it is gone on with.
                    let _ = self.proofs.show(name, proof);
                }
                let pair = pair.map(|pair| staple::restored(pair, name, folder, &self.provider));
                domain.shown = RwLock::new(pair.map(Arc::new));
                domain.kept = Mutex::new(kept);
            }
            _ => {}
        }
        domain
    }

    /// Looks after what is asked for elsewhere, from now on. Only one edge of a folder does.
    pub(crate) fn keep(self: &Arc<Certificates>) {
        let mut keeps = self.keeps.lock().unwrap_or_else(PoisonError::into_inner);
        if keeps.is_none() {
            let (ordered, words) = (keep::keep(Arc::clone(self)), staple::keep(Arc::clone(self)));
            *keeps = Some(tokio::spawn(async move {
                tokio::join!(ordered, words);
            }));
        }
    }

    /// Leaves that to somebody else.
    pub(crate) async fn leave(&self) {
        let keeps = self.abort();
        if let Some(keeps) = keeps {
            let _ = keeps.await;
        }
    }

    pub(crate) fn abort(&self) -> Option<JoinHandle<()>> {
        let keeps = self.keeps.lock().unwrap_or_else(PoisonError::into_inner).take();
        keeps.inspect(JoinHandle::abort)
    }

    /// The certificate for a name; nothing where it is none of these. `Err` where it is, and there is none yet.
    pub(crate) fn of(self: &Arc<Certificates>, name: &str) -> Option<Result<Arc<CertifiedKey>, ()>> {
        let facing = self.facing();
        let domain = facing.domain(name)?;
        domain.look_soon(self);
        let shown = domain.shown();
        Some(shown.map(|pair| Arc::clone(&pair.key)).ok_or(()))
    }

    /// Whether plain HTTP leads to HTTPS anywhere.
    pub(crate) fn redirects(&self) -> bool {
        self.redirects.load(Ordering::Relaxed)
    }

    /// The certificate that an authority wants to see for a name.
    pub(crate) fn proof(&self, name: &str) -> Option<Arc<CertifiedKey>> {
        self.proofs.certificate(name)
    }

    /// How the certificate of each domain is.
    pub(crate) fn told(&self) -> Vec<Certified> {
        let facing = self.facing();
        let mut all: Vec<Certified> = facing
            .domains
            .values()
            .map(|domain| {
                if domain.look_if_due(&self.provider) {
                    self.shown.notify_one();
                }
                told::told(domain, facing.front.acme.as_ref(), clock::today())
            })
            .collect();
        all.sort_by(|one, other| one.domain.cmp(&other.domain));
        all
    }
}

impl Facing {
    /// Whether somebody may connect from there.
    pub(crate) fn admits(&self, from: IpAddr) -> bool {
        let allow = &self.front.allow;
        allow.is_empty() || allow.iter().any(|network| network.contains(from))
    }

    /// Whether somebody there is believed in what it says of visitors.
    pub(crate) fn believes(&self, from: IpAddr) -> bool {
        self.front.forwarders.iter().any(|network| network.contains(from))
    }

    /// The domain of a name in small letters, be it by a star.
    pub(crate) fn domain(&self, name: &str) -> Option<&Arc<Domain>> {
        if self.domains.is_empty() {
            return None;
        }
        if let Some(domain) = self.domains.get(name) {
            return Some(domain);
        }
        let (_, above) = name.split_once('.')?;
        self.domains.get(&format!("*.{above}"))
    }

    /// Where the certificate of a name comes from.
    pub(crate) fn from(&self, name: &str) -> Option<&Certificate> {
        self.domain(name).map(|domain| &domain.from)
    }
}

impl Domain {
    fn shown(&self) -> Option<Arc<Pair>> {
        self.shown.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn shows(&self, pair: Arc<Pair>) {
        *self.shown.write().unwrap_or_else(PoisonError::into_inner) = Some(pair);
    }

    fn kept(&self) -> Record {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn keeps(&self, kept: Record) {
        *self.kept.lock().unwrap_or_else(PoisonError::into_inner) = kept;
    }

    fn is_busy(&self, is_busy: bool) {
        self.busy.store(is_busy, Ordering::Relaxed);
    }

    fn known(&self, acme: &Acme) -> Known {
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.known(self.shown().as_deref(), &acme.directory)
    }

    /// Looks at its files now. Whether there is another certificate.
    fn look(&self, provider: &CryptoProvider) -> bool {
        let Some(files) = &self.files else {
            return false;
        };
        let found = files.look(&self.name, self.shown().as_deref(), clock::today(), provider);
        found.map(|pair| self.shows(Arc::new(pair))).is_some()
    }

    fn look_if_due(&self, provider: &CryptoProvider) -> bool {
        let mut files = self.files.iter();
        files.any(|files| files.is_time(clock::millis())) && self.look(provider)
    }

    /// Has its files looked at, behind the back of whoever asks, if that was not done a moment ago.
    fn look_soon(self: &Arc<Domain>, certificates: &Arc<Certificates>) {
        if self
            .files
            .as_ref()
            .is_some_and(|files| files.is_time(clock::millis()))
            && let Ok(runtime) = tokio::runtime::Handle::try_current()
        {
            let (domain, certificates) = (Arc::clone(self), Arc::clone(certificates));
            runtime.spawn_blocking(move || {
                if domain.look(&certificates.provider) {
                    certificates.shown.notify_one();
                }
            });
        }
    }
}

impl fmt::Debug for Domain {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Domain")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
