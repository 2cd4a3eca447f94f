//! Certificates of names, made when they are first asked for.

use std::collections::HashMap;
use std::net::{Ipv4Addr, Ipv6Addr};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use rcgen::{
    CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, Issuer, KeyPair, KeyUsagePurpose,
    PKCS_ECDSA_P256_SHA256, SanType, SerialNumber, date_time_ymd,
};
use rustls::crypto::{CryptoProvider, aws_lc_rs};
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::sign::{CertifiedKey, SigningKey};

use super::root::{BEGAN, random};
use crate::door::clock;

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// Short enough that a stolen key is soon worth nothing, long enough for a laptop that sleeps over a holiday.
const LASTS: Duration = DAY.saturating_mul(30);

/// A certificate is made anew when it lasts for less.
const RENEWED: Duration = DAY.saturating_mul(10);

/// How many are kept. Names that nobody has are answered too, with a page that lists those that there are, and a stranger
/// may think of many.
const KEPT: usize = 1_000;

/// The name of a visitor that names none: it has typed an address.
const THIS_MACHINE: &str = "localhost";

pub(super) struct Leaves {
    issuer: Issuer<'static, KeyPair>,
    provider: Arc<CryptoProvider>,
    key: OnceLock<Option<Key>>,
    made: Mutex<HashMap<Box<str>, Leaf>>,
}

struct Key {
    pair: KeyPair,
    signs: Arc<dyn SigningKey>,
}

#[derive(Clone)]
struct Leaf {
    key: Arc<CertifiedKey>,
    made: Duration,
}

impl Leaves {
    pub(super) fn new(issuer: Issuer<'static, KeyPair>, provider: Arc<CryptoProvider>) -> Leaves {
        Leaves {
            issuer,
            provider,
            key: OnceLock::new(),
            made: Mutex::default(),
        }
    }

    /// The certificate of a name; none for names that are not this machine's.
    pub(super) fn of(&self, name: Option<&str>) -> Option<Arc<CertifiedKey>> {
        self.at(name.unwrap_or(THIS_MACHINE), clock::since_epoch())
    }

    fn at(&self, name: &str, now: Duration) -> Option<Arc<CertifiedKey>> {
        let name = name.to_ascii_lowercase();
        if name != THIS_MACHINE && !name.ends_with(".localhost") {
            return None;
        }
        let mut made = self.made.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(leaf) = made.get(&*name)
            && is_valid(leaf.made, now)
        {
            return Some(Arc::clone(&leaf.key));
        }
        let leaf = self.make(&name, now)?;
        if made.len() >= KEPT {
            made.clear();
        }
        made.insert(name.into(), leaf.clone());
        Some(leaf.key)
    }

    fn key(&self) -> Option<&Key> {
        let make = || {
            let pair = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).ok()?;
            let der = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(pair.serialize_der()));
            let signs = aws_lc_rs::sign::any_ecdsa_type(&der).ok()?;
            Some(Key { pair, signs })
        };
        self.key.get_or_init(make).as_ref()
    }

    fn make(&self, name: &str, now: Duration) -> Option<Leaf> {
        let key = self.key()?;
        let mut params = CertificateParams::default();
        let mut subject = DistinguishedName::new();
        subject.push(DnType::OrganizationName, "Towpath");
        params.distinguished_name = subject;
        params.serial_number = Some(SerialNumber::from(random(&self.provider)?.to_vec()));
        params.subject_alt_names = vec![SanType::DnsName(name.try_into().ok()?)];
        if name == THIS_MACHINE {
            params.subject_alt_names.extend([
                SanType::IpAddress(Ipv4Addr::LOCALHOST.into()),
                SanType::IpAddress(Ipv6Addr::LOCALHOST.into()),
            ]);
        }
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        params.use_authority_key_identifier_extension = true;
        params.not_before = date_time_ymd(1970, 1, 1) + now.saturating_sub(BEGAN);
        params.not_after = date_time_ymd(1970, 1, 1) + now + LASTS;
        let certificate = params.signed_by(&key.pair, &self.issuer).ok()?;
        let chain = vec![certificate.der().clone()];
        Some(Leaf {
            key: Arc::new(CertifiedKey::new(chain, Arc::clone(&key.signs))),
            made: now,
        })
    }
}

/// Whether a certificate is still good: neither near its end, nor from a time that has not come, after the clock was turned
/// back.
fn is_valid(made: Duration, now: Duration) -> bool {
    let ends = made + LASTS - RENEWED;
    let begins = made.saturating_sub(BEGAN / 2);
    (begins..ends).contains(&now)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Duration = DAY.saturating_mul(20_000);

    fn leaves(folder: &std::path::Path) -> Leaves {
        let provider = Arc::new(aws_lc_rs::default_provider());
        let root = super::super::root::open(folder, "Test", &provider).expect("it is made");
        Leaves::new(root.issuer, provider)
    }

    #[test]
    fn a_certificate_is_kept_until_it_nears_its_end_or_the_clock_goes_back() {
        let folder = tempfile::tempdir().expect("a folder");
        let leaves = leaves(folder.path());
        let first = leaves.at("web.hello.localhost", NOW).expect("it is made");
        let again = |now| leaves.at("WEB.hello.localhost", now).expect("it is made");
        assert!(Arc::ptr_eq(&first, &again(NOW + DAY * 19)));
        assert!(Arc::ptr_eq(&first, &again(NOW - BEGAN / 4)));
        let back = again(NOW - BEGAN);
        assert!(!Arc::ptr_eq(&first, &back));
        assert!(!Arc::ptr_eq(&back, &again(NOW + DAY * 21)));
    }

    #[test]
    fn only_names_of_this_machine_are_signed_and_not_without_end() {
        let folder = tempfile::tempdir().expect("a folder");
        let leaves = leaves(folder.path());
        for name in [
            "example.com",
            "localhost.example.com",
            "notlocalhost",
            "",
            "a b.localhost\u{e4}",
        ] {
            assert!(leaves.at(name, NOW).is_none(), "{name}");
        }
        for count in 0..KEPT + 10 {
            assert!(leaves.at(&format!("n{count}.hello.localhost"), NOW).is_some());
        }
        assert!(leaves.made.lock().expect("it is not held").len() <= KEPT);
        assert!(leaves.of(None).is_some());
    }
}
