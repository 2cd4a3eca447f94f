//! Who may pass by a certificate: it is signed by the authority of this door, for showing who somebody is, and holds now.
//!
//! Somebody is known by the e-mail address in it, or by a name of a machine where it is one's. What the authority has signed
//! is verified, so the address is believed. A certificate is looked at once a minute for each connection.

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use rustls::RootCertStore;
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, UnixTime};
use rustls::server::WebPkiClientVerifier;
use rustls::server::danger::ClientCertVerifier;
use towpath_model::run::Access;
use x509_parser::extensions::GeneralName;

use super::{Asked, Refusal, Stranger, admit};
use crate::inner;
use crate::shown::Shown;

/// How long what was found of a certificate is taken without looking again, in seconds.
const FRESH: u64 = 60;

/// Who signs certificates that are believed at a door, once they have been read.
#[derive(Debug, Default)]
pub(super) struct Signer(Mutex<Option<Arc<dyn ClientCertVerifier>>>);

/// Why a certificate does not let anybody pass.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unshown {
    /// None was shown.
    Missing,
    /// By plain HTTP none can be.
    Plain,
    /// Nobody who is believed here has signed it, or it is not good now.
    Unbelieved,
    /// It was taken back.
    Revoked,
    /// It has no name that somebody could be known by.
    Nameless,
}

impl Unshown {
    pub(super) fn words(self) -> &'static str {
        match self {
            Unshown::Missing => "Your browser or program has shown none. Import one there, and connect anew.",
            Unshown::Plain => "It can be shown over HTTPS only.",
            Unshown::Unbelieved => {
                "The one that was shown is signed by nobody who is believed here, or not for this, or is not good now."
            }
            Unshown::Revoked => "The one that was shown was taken back. Ask for another one.",
            Unshown::Nameless => {
                "The one that was shown has neither an e-mail address nor a name of a machine in it."
            }
        }
    }
}

impl Signer {
    /// Where it cannot be read it is tried again by the next one.
    fn verifier(&self, authority: Option<&str>) -> Option<Arc<dyn ClientCertVerifier>> {
        let mut read = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(read) = read.as_ref() {
            return Some(Arc::clone(read));
        }
        let mut roots = RootCertStore::empty();
        for root in CertificateDer::pem_file_iter(Path::new(authority?)).ok()? {
            roots.add(root.ok()?).ok()?;
        }
        let provider = Arc::new(aws_lc_rs::default_provider());
        let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider);
        let verifier = verifier.build().ok()?;
        *read = Some(Arc::clone(&verifier));
        Some(verifier)
    }

    /// Who has shown a certificate, where they may pass by it.
    pub(super) fn know(&self, access: &Access, mark: &str, asked: &Asked<'_>) -> Result<String, Refusal> {
        let Some(shown) = asked.shown.filter(|shown| shown.name == asked.host.name) else {
            return Err(match asked.secure {
                true => Refusal::Misdirected,
                false => Refusal::Certificate(Unshown::Plain),
            });
        };
        let mut found = shown.found.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((door, at, user)) = found.as_ref()
            && door == mark
            && (*at..at + FRESH).contains(&asked.today)
        {
            return Ok(user.clone());
        }
        let user = self.look(access, shown, asked.today)?;
        *found = Some((mark.to_owned(), asked.today, user.clone()));
        Ok(user)
    }

    fn look(&self, access: &Access, shown: &Shown, today: u64) -> Result<String, Refusal> {
        let Some((own, others)) = shown.chain.split_first() else {
            return Err(Refusal::Certificate(Unshown::Missing));
        };
        let verifier = self
            .verifier(access.authority.as_deref())
            .ok_or(Refusal::Unknown)?;
        let now = UnixTime::since_unix_epoch(Duration::from_secs(today));
        verifier
            .verify_client_cert(own, others, now)
            .map_err(|_| Refusal::Certificate(Unshown::Unbelieved))?;
        if let Some(list) = &access.issued
            && !inner::people::holds(Path::new(list), own)
        {
            return Err(Refusal::Certificate(Unshown::Revoked));
        }
        let (people, machines) = names(own);
        let first = people.first().or(machines.first());
        let first = first.ok_or(Refusal::Certificate(Unshown::Nameless))?.clone();
        let is_admitted = |one: &&String| admit::admit(access, Some(one), &[]).is_ok();
        if let Some(person) = people.iter().find(is_admitted) {
            return Ok(person.clone());
        }
        // A machine is at home in a domain that its name lies in.
        let is_at_home = |machine: &&String| {
            let mut domains = access.domains.iter().map(|domain| domain.as_str());
            domains.any(|domain| {
                let before = machine.strip_suffix(domain);
                before.is_some_and(|before| before.is_empty() || before.ends_with('.'))
            })
        };
        if let Some(machine) = machines.iter().find(is_at_home) {
            return Ok(machine.clone());
        }
        let is_for_all = access.people.is_empty() && access.domains.is_empty();
        is_for_all
            .then_some(first)
            .ok_or(Refusal::Stranger(Stranger::Unnamed))
    }
}

/// The e-mail addresses and the names of machines in a certificate, in small letters.
fn names(certificate: &CertificateDer<'_>) -> (Vec<String>, Vec<String>) {
    let (mut people, mut machines) = (Vec::new(), Vec::new());
    let Ok((_, read)) = x509_parser::parse_x509_certificate(certificate) else {
        return (people, machines);
    };
    let Ok(Some(named)) = read.subject_alternative_name() else {
        return (people, machines);
    };
    for name in &named.value.general_names {
        match name {
            GeneralName::RFC822Name(name) => people.push(name.to_ascii_lowercase()),
            GeneralName::DNSName(name) => machines.push(name.to_ascii_lowercase()),
            _ => {}
        }
    }
    (people, machines)
}
