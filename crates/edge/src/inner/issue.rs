//! The product's own authority, and the certificates that components show each other.
//!
//! It is kept in the folder of certificates, in that of the state, where only its owner may look, and signs nothing but names
//! below `localhost`. A component's certificate and its key stand in one file, which is replaced as a whole: whoever reads it
//! at any moment reads a pair. Each replacement has a key of its own.

use std::path::{Path, PathBuf};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use rcgen::{
    CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, KeyPair, KeyUsagePurpose,
    PKCS_ECDSA_P256_SHA256, SanType, SerialNumber, date_time_ymd,
};
use rustls::crypto::{CryptoProvider, aws_lc_rs};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use towpath_decide::credential::{BEGAN, Held, Step, next};
use towpath_model::run::Credential;
use x509_parser::extensions::GeneralName;
use x509_parser::prelude::{FromDer, X509Certificate};

use crate::EdgeError;
use crate::authority::root::{self, Root};
use crate::door::{clock, disk};

/// Its folder, in that of all certificates.
const FOLDER: &str = "own";

/// The folder of what components show, in that.
const COMPONENTS: &str = "components";

/// The file by which a component is known or knows others, in the folder of certificates.
pub fn credential(folder: &Path, component: &str, which: Credential) -> PathBuf {
    match which {
        Credential::Certificate => folder
            .join(FOLDER)
            .join(COMPONENTS)
            .join(format!("{component}.pem")),
        Credential::Authority => authority(folder),
    }
}

/// The file with the authority's certificate.
pub(super) fn authority(folder: &Path) -> PathBuf {
    folder.join(FOLDER).join(root::CERTIFICATE)
}

/// What the names of a product's components begin with.
pub(super) fn domain(product: &str) -> String {
    format!("spiffe://{product}.localhost")
}

/// Sees to it that each of these components has a certificate that lasts so long, and that no half of its life is over. When
/// the first of them is due again.
pub fn keep_credentials(
    folder: &Path,
    product: &str,
    components: &[String],
    lasts: Duration,
) -> Result<Timestamp, EdgeError> {
    let unusable = |why: String| unusable(&folder.join(FOLDER), why);
    let own = OwnAuthority::open(folder, product).map_err(unusable)?;
    let mut until = Timestamp::MAX;
    let within = folder.join(FOLDER).join(COMPONENTS);
    disk::make_private_folder(&within).map_err(|error| unusable(format!("it cannot be made: {error}")))?;
    for component in components {
        let file = credential(folder, component, Credential::Certificate);
        let due = own.keep(product, component, &file, lasts).map_err(unusable)?;
        until = until.min(due);
    }
    Ok(until)
}

pub(super) fn unusable(folder: &Path, why: String) -> EdgeError {
    let folder = folder.display().to_string();
    EdgeError::Authority { folder, why }
}

/// The product's own authority.
pub(super) struct OwnAuthority {
    root: Root,
    provider: CryptoProvider,
}

impl OwnAuthority {
    /// Opens it in the folder of certificates, and makes it where there is none.
    pub(super) fn open(folder: &Path, product: &str) -> Result<OwnAuthority, String> {
        OwnAuthority::open_as(&folder.join(FOLDER), &format!("Authority of {product}"))
    }

    /// Opens one in a folder of its own.
    pub(super) fn open_as(folder: &Path, name: &str) -> Result<OwnAuthority, String> {
        let provider = aws_lc_rs::default_provider();
        let root = root::open(folder, name, &provider)?;
        Ok(OwnAuthority { root, provider })
    }

    pub(super) fn certificate(&self) -> &CertificateDer<'static> {
        &self.root.certificate
    }

    /// Replaces what a component shows, where it is due. When it is due again.
    fn keep(
        &self,
        product: &str,
        component: &str,
        file: &Path,
        lasts: Duration,
    ) -> Result<Timestamp, String> {
        let asked = SignedDuration::try_from(lasts).unwrap_or(SignedDuration::MAX);
        let name = format!("{}/{component}", domain(product));
        let held = disk::read_text(file)
            .ok()
            .and_then(|text| self.held(&text, &name));
        let now = clock::today();
        match next(held.as_ref(), asked, now).0 {
            Step::Wait(until) => Ok(until),
            Step::Issue => {
                let mut params = CertificateParams::default();
                params.subject_alt_names = vec![
                    SanType::URI(name.try_into().map_err(said)?),
                    SanType::DnsName(
                        format!("{component}.{product}.localhost")
                            .try_into()
                            .map_err(said)?,
                    ),
                ];
                params.extended_key_usages = vec![
                    ExtendedKeyUsagePurpose::ClientAuth,
                    ExtendedKeyUsagePurpose::ServerAuth,
                ];
                let (certificate, key) = self.sign(params, component, clock::since_epoch(), lasts)?;
                let text = format!("{}{}", certificate.pem(), key.serialize_pem());
                disk::replace_private(file, &text)
                    .map_err(|error| format!("{component}.pem cannot be written: {error}"))?;
                let half = SignedDuration::try_from(lasts / 2).unwrap_or(SignedDuration::MAX);
                Ok(now.checked_add(half).unwrap_or(Timestamp::MAX))
            }
        }
    }

    /// What the edge shows to components.
    pub(super) fn of_edge(
        &self,
        product: &str,
        now: Duration,
        lasts: Duration,
    ) -> Result<(Vec<CertificateDer<'static>>, PrivateKeyDer<'static>), String> {
        let mut params = CertificateParams::default();
        let names = ["localhost".to_owned(), format!("{product}.localhost")];
        for name in names {
            params
                .subject_alt_names
                .push(SanType::DnsName(name.try_into().map_err(said)?));
        }
        let here = std::net::Ipv4Addr::LOCALHOST;
        params.subject_alt_names.push(SanType::IpAddress(here.into()));
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        let (certificate, key) = self.sign(params, "the edge", now, lasts)?;
        let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(key.serialize_der()));
        Ok((vec![certificate.der().clone()], key))
    }

    pub(super) fn sign(
        &self,
        mut params: CertificateParams,
        subject: &str,
        now: Duration,
        lasts: Duration,
    ) -> Result<(rcgen::Certificate, KeyPair), String> {
        let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).map_err(said)?;
        let serial = root::random(&self.provider).ok_or("the system has no randomness")?;
        let mut name = DistinguishedName::new();
        name.push(DnType::OrganizationName, "Towpath");
        name.push(DnType::CommonName, subject);
        params.distinguished_name = name;
        params.serial_number = Some(SerialNumber::from(serial.to_vec()));
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.use_authority_key_identifier_extension = true;
        let began = Duration::try_from(BEGAN).unwrap_or_default();
        params.not_before = date_time_ymd(1970, 1, 1) + now.saturating_sub(began);
        params.not_after = date_time_ymd(1970, 1, 1) + now + lasts;
        let certificate = params.signed_by(&key, &self.root.issuer).map_err(said)?;
        Ok((certificate, key))
    }

    /// What is known of a certificate that there is.
    fn held(&self, text: &str, name: &str) -> Option<Held> {
        let der = CertificateDer::from_pem_slice(text.as_bytes()).ok()?;
        let (_, read) = X509Certificate::from_der(&der).ok()?;
        let (_, root) = X509Certificate::from_der(&self.root.certificate).ok()?;
        let named = read.subject_alternative_name().ok().flatten();
        let mut names = named.iter().flat_map(|named| &named.value.general_names);
        let is_named = names.any(|one| matches!(one, GeneralName::URI(uri) if *uri == name));
        let time = |time: x509_parser::time::ASN1Time| Timestamp::from_second(time.timestamp()).ok();
        Some(Held {
            begins: time(read.validity().not_before)?,
            ends: time(read.validity().not_after)?,
            is_ours: is_named && read.issuer().as_raw() == root.subject().as_raw(),
        })
    }
}

fn said(error: rcgen::Error) -> String {
    format!("no certificate can be made: {error}")
}
