//! A certificate with its key, as it was read, and whether it does for a domain.

use std::sync::Arc;

use jiff::Timestamp;
use rustls::crypto::CryptoProvider;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::sign::CertifiedKey;
use rustls::{Error, InconsistentKeys};
use towpath_decide::certificate::staple::Word;
use towpath_model::unit::{Domain, Unit};
use x509_parser::extensions::{GeneralName, ParsedExtension};
use x509_parser::prelude::{FromDer, X509Certificate};

use super::staple::demands_word;

/// `1.3.6.1.5.5.7.48.1`: who is asked whether a certificate is good.
const RESPONDER: &str = "1.3.6.1.5.5.7.48.1";

/// A certificate with its key.
#[derive(Debug, Clone)]
pub(crate) struct Pair {
    pub(crate) key: Arc<CertifiedKey>,
    pub(crate) begins: Timestamp,
    pub(crate) ends: Timestamp,
    /// The names that it holds for, in small letters.
    names: Vec<String>,
    /// Whom the certificate says to ask whether it is good.
    pub(crate) responder: Option<String>,
    /// It demands to be shown with the word of its authority.
    pub(crate) demands_word: bool,
    /// The word of its authority that visitors get with it.
    pub(crate) word: Option<Word>,
}

impl Pair {
    /// Reads a chain of certificates and the key of the first one. What is wrong with them is told without a word of the key.
    pub(crate) fn read(chain: &str, key: &str, provider: &CryptoProvider) -> Result<Pair, String> {
        let chain: Result<Vec<CertificateDer<'static>>, _> =
            CertificateDer::pem_slice_iter(chain.as_bytes()).collect();
        let chain = chain.map_err(|_| "its certificate cannot be read".to_owned())?;
        let first = chain.first().ok_or("there is no certificate in it")?;
        let said = said(first).ok_or("its certificate cannot be read")?;
        let key = PrivateKeyDer::from_pem_slice(key.as_bytes()).map_err(|_| "its key cannot be read")?;
        let key = CertifiedKey::from_der(chain, key, provider).map_err(|error| match error {
            Error::InconsistentKeys(InconsistentKeys::KeyMismatch) => {
                "its key belongs to another certificate".to_owned()
            }
            _ => "its key is of a kind that is not known here".to_owned(),
        })?;
        Ok(Pair {
            key: Arc::new(key),
            begins: said.begins,
            ends: said.ends,
            names: said.names,
            responder: said.responder,
            demands_word: said.demands_word,
            word: None,
        })
    }

    /// Why it is none of a domain, if it is not.
    pub(crate) fn foreign(&self, domain: &str) -> Option<String> {
        let covers = |name: &String| {
            name == domain || Domain::parse(name).is_ok_and(|name| name.is_wildcard() && name.covers(domain))
        };
        if !self.names.iter().any(covers) {
            let names = match self.names.is_empty() {
                true => "no name".to_owned(),
                false => self
                    .names
                    .iter()
                    .take(5)
                    .map(String::as_str)
                    .collect::<Vec<_>>()
                    .join(", "),
            };
            return Some(format!("it holds for {names}"));
        }
        None
    }

    /// Why this is not its time, if it is not.
    pub(crate) fn untimely(&self, now: Timestamp) -> Option<String> {
        if self.ends <= now {
            return Some(format!("it ended at {:.0}", self.ends));
        }
        (self.begins > now).then(|| format!("it begins at {:.0} only", self.begins))
    }
}

/// What a certificate says of itself.
struct Said {
    names: Vec<String>,
    begins: Timestamp,
    ends: Timestamp,
    responder: Option<String>,
    demands_word: bool,
}

fn said(certificate: &CertificateDer<'_>) -> Option<Said> {
    let (_, parsed) = X509Certificate::from_der(certificate).ok()?;
    let names = parsed.subject_alternative_name().ok()?;
    let names = names.iter().flat_map(|names| &names.value.general_names);
    let names = names.filter_map(|name| match name {
        GeneralName::DNSName(name) => Some(name.to_ascii_lowercase()),
        _ => None,
    });
    let validity = parsed.validity();
    let time = |time: x509_parser::time::ASN1Time| Timestamp::from_second(time.timestamp()).ok();
    Some(Said {
        names: names.collect(),
        begins: time(validity.not_before)?,
        ends: time(validity.not_after)?,
        responder: responder(&parsed),
        demands_word: demands_word(&parsed),
    })
}

/// Whom it says to ask whether it is good.
fn responder(certificate: &X509Certificate<'_>) -> Option<String> {
    let mut all = certificate.iter_extensions();
    let told = all.find_map(|one| match one.parsed_extension() {
        ParsedExtension::AuthorityInfoAccess(told) => Some(told),
        _ => None,
    })?;
    let mut all = told.iter();
    all.find_map(|one| match &one.access_location {
        GeneralName::URI(address) if one.access_method.to_id_string() == RESPONDER => {
            Some((*address).to_owned())
        }
        _ => None,
    })
}
