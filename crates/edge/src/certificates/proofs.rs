//! What is shown to an authority that looks whether a domain is ours: a word at a path, or a certificate in a handshake.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use aws_lc_rs::digest::{SHA256, digest};
use rcgen::{
    CertificateParams, CustomExtension, DistinguishedName, KeyPair, PKCS_ECDSA_P256_SHA256, SanType,
};
use rustls::crypto::aws_lc_rs::sign::any_ecdsa_type;
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::sign::CertifiedKey;

use super::record::Proof;

/// The beginning of the path at which an authority looks (RFC 8555, 8.3).
pub(crate) const PATH: &str = "/.well-known/acme-challenge/";

/// The protocol that an authority asks for in a handshake (RFC 8737).
pub(crate) const PROTOCOL: &[u8] = b"acme-tls/1";

/// Everything that is shown now, by domain.
#[derive(Default)]
pub(crate) struct Proofs {
    /// Whether there is anything at all: almost never.
    any: AtomicBool,
    shown: RwLock<HashMap<String, Shown>>,
}

enum Shown {
    Http { token: String, answer: String },
    Tls(Arc<CertifiedKey>),
}

impl Proofs {
    /// Shows something from now on, in the place of what was shown for the domain.
    pub(super) fn show(&self, domain: &str, proof: &Proof) -> Result<(), String> {
        let shown = match proof {
            Proof::Http { token, answer } => Shown::Http {
                token: token.clone(),
                answer: answer.clone(),
            },
            Proof::Tls { answer } => Shown::Tls(Arc::new(certificate(domain, answer)?)),
        };
        let mut all = self.shown.write().unwrap_or_else(PoisonError::into_inner);
        all.insert(domain.to_owned(), shown);
        self.any.store(true, Ordering::Release);
        Ok(())
    }

    pub(super) fn forget(&self, domain: &str) {
        let mut all = self.shown.write().unwrap_or_else(PoisonError::into_inner);
        all.remove(domain);
        self.any.store(!all.is_empty(), Ordering::Release);
    }

    /// The word for a path, whichever host is asked for: the token is nobody else's.
    pub(crate) fn word(&self, path: &str) -> Option<String> {
        if !self.any.load(Ordering::Acquire) {
            return None;
        }
        let asked = path.strip_prefix(PATH)?;
        let all = self.shown.read().unwrap_or_else(PoisonError::into_inner);
        all.values().find_map(|shown| match shown {
            Shown::Http { token, answer } if token == asked => Some(answer.clone()),
            _ => None,
        })
    }

    /// The certificate for a handshake.
    pub(super) fn certificate(&self, domain: &str) -> Option<Arc<CertifiedKey>> {
        let all = self.shown.read().unwrap_or_else(PoisonError::into_inner);
        match all.get(domain) {
            Some(Shown::Tls(key)) => Some(Arc::clone(key)),
            _ => None,
        }
    }
}

/// A certificate of our own that says what the authority wants to see.
fn certificate(domain: &str, answer: &str) -> Result<CertifiedKey, String> {
    let failed = |error: rcgen::Error| format!("no certificate can be made for it: {error}");
    let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).map_err(failed)?;
    let mut params = CertificateParams::default();
    params.distinguished_name = DistinguishedName::new();
    params.subject_alt_names = vec![SanType::DnsName(domain.try_into().map_err(failed)?)];
    let digest = digest(&SHA256, answer.as_bytes());
    params.custom_extensions = vec![CustomExtension::new_acme_identifier(digest.as_ref())];
    let made = params.self_signed(&key).map_err(failed)?;
    let der = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(key.serialize_der()));
    let signs = any_ecdsa_type(&der).map_err(|error| error.to_string())?;
    Ok(CertifiedKey::new(vec![made.der().clone()], signs))
}
