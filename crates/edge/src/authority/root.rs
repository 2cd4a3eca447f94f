//! The root of the authority, and the folder in which it is kept.
//!
//! Key and certificate stand in one file, which comes into being as a whole: two processes that make it at once end with
//! the same one. The certificate stands beside it once more, alone, for those who are to trust it.

use std::path::Path;
use std::time::Duration;

use rcgen::{
    BasicConstraints, CertificateParams, CidrSubnet, DistinguishedName, DnType, GeneralSubtree, IsCa, Issuer,
    KeyPair, KeyUsagePurpose, NameConstraints, PKCS_ECDSA_P256_SHA256, SerialNumber, date_time_ymd,
};
use rustls::crypto::CryptoProvider;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;

use crate::door::{clock, disk};

const KEY_AND_CERTIFICATE: &str = "authority.key.pem";
pub(crate) const CERTIFICATE: &str = "authority.pem";

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// Ten years: trusting it again is a person's work.
const LASTS: Duration = DAY.saturating_mul(3_652);

/// A certificate begins a while ago: a clock may be turned back, and clocks differ.
pub(crate) const BEGAN: Duration = Duration::from_secs(60 * 60);

pub(crate) struct Root {
    pub(crate) issuer: Issuer<'static, KeyPair>,
    /// Its own certificate.
    pub(crate) certificate: CertificateDer<'static>,
}

/// Opens the root in a folder, and makes it where there is none, by this name.
pub(crate) fn open(folder: &Path, name: &str, provider: &CryptoProvider) -> Result<Root, String> {
    let file = folder.join(KEY_AND_CERTIFICATE);
    let certificate = folder.join(CERTIFICATE);
    let text = match disk::read_text(&file) {
        Ok(text) if !text.is_empty() => text,
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(unreadable(&error)),
        found => {
            if found.is_ok() {
                // The power went before the first one was on the disk. Waiting for the disk each first time would cost
                // everybody more than making it anew costs the few.
                disk::remove(&file).map_err(|error| unreadable(&error))?;
            }
            disk::make_private_folder(folder).map_err(|error| format!("it cannot be made: {error}"))?;
            let text = make(name, provider)?;
            match disk::write_private_once(&file, &text) {
                Ok(()) => text,
                // Another process was faster: its root is the one.
                Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {
                    disk::read_text(&file).map_err(|error| unreadable(&error))?
                }
                Err(error) => return Err(format!("{KEY_AND_CERTIFICATE} cannot be written: {error}")),
            }
        }
    };
    let (issuer, der, alone) = read(&text).map_err(|why| {
        format!(
            "{KEY_AND_CERTIFICATE} {why}; remove the folder to have a new authority made, and trust that one"
        )
    })?;
    if disk::read_text(&certificate).ok().as_ref() != Some(&alone) {
        disk::replace(&certificate, &alone)
            .map_err(|error| format!("{CERTIFICATE} cannot be written: {error}"))?;
    }
    Ok(Root {
        issuer,
        certificate: der,
    })
}

fn unreadable(error: &std::io::Error) -> String {
    format!("{KEY_AND_CERTIFICATE} cannot be read: {error}")
}

/// Reads what `make` has written: the issuer, its certificate, and the text of that alone.
fn read(text: &str) -> Result<(Issuer<'static, KeyPair>, CertificateDer<'static>, String), &'static str> {
    let begins = text
        .find("-----BEGIN CERTIFICATE-----")
        .ok_or("holds no certificate")?;
    let (key, certificate) = text.split_at(begins);
    let key = KeyPair::from_pem(key).map_err(|_| "holds no key")?;
    let der = CertificateDer::from_pem_slice(certificate.as_bytes()).map_err(|_| "holds no certificate")?;
    let issuer =
        Issuer::from_ca_cert_der(&der, key).map_err(|_| "holds a certificate that cannot be read")?;
    Ok((issuer, der, certificate.to_owned()))
}

/// Makes a root: its key and its certificate as text.
fn make(of: &str, provider: &CryptoProvider) -> Result<String, String> {
    let failed = |error: rcgen::Error| format!("no key can be made: {error}");
    let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).map_err(failed)?;
    let mut params = CertificateParams::default();
    let mut name = DistinguishedName::new();
    let serial = random(provider).ok_or("the system has no randomness")?;
    // Two authorities of one name would be taken for each other by whoever trusts both.
    let mark: String = serial[..4].iter().map(|byte| format!("{byte:02x}")).collect();
    name.push(DnType::OrganizationName, "Towpath");
    name.push(DnType::CommonName, format!("{of} {mark}"));
    params.distinguished_name = name;
    params.serial_number = Some(SerialNumber::from(serial.to_vec()));
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    params.name_constraints = Some(NameConstraints {
        permitted_subtrees: vec![
            GeneralSubtree::DnsName("localhost".to_owned()),
            GeneralSubtree::IpAddress(CidrSubnet::from_v4_prefix([127, 0, 0, 0], 8)),
            GeneralSubtree::IpAddress(CidrSubnet::from_v6_prefix(
                [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1],
                128,
            )),
        ],
        excluded_subtrees: Vec::new(),
    });
    let now = clock::since_epoch();
    params.not_before = date_time_ymd(1970, 1, 1) + now.saturating_sub(BEGAN);
    params.not_after = date_time_ymd(1970, 1, 1) + now + LASTS;
    let certificate = params.self_signed(&key).map_err(failed)?;
    Ok(format!("{}{}", key.serialize_pem(), certificate.pem()))
}

/// A serial number that nobody has: positive, and without a zero in front.
pub(crate) fn random(provider: &CryptoProvider) -> Option<[u8; 16]> {
    let mut bytes = [0; 16];
    provider.secure_random.fill(&mut bytes).ok()?;
    bytes[0] = bytes[0] & 0x7F | 0x40;
    Some(bytes)
}
