//! Certificates of people, which the product's own authority for them signs.
//!
//! It is another one than that of components: whoever breaks into a component has nothing that lets a person pass, and the
//! other way round. What was signed stands in a list beside it, with what was taken back; the edge reads that list whenever it
//! looks at a certificate, which it does once a minute for a connection.

use std::path::{Path, PathBuf};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use rcgen::{CertificateParams, ExtendedKeyUsagePurpose, SanType};
use serde::{Deserialize, Serialize};
use x509_parser::prelude::{FromDer, X509Certificate};

use super::issue::{self, OwnAuthority};
use crate::EdgeError;
use crate::authority::root;
use crate::door::{clock, disk};

/// Its folder, in that of all certificates.
const FOLDER: &str = "people";

/// What was signed.
const LIST: &str = "issued.json";

/// A list has no more than that; each entry has some two hundred bytes.
const LARGEST: u64 = 16 * 1024 * 1024;

/// A certificate of a person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Issued {
    /// By which it is taken back.
    pub serial: String,
    /// Whose it is.
    pub person: String,
    /// When it was signed.
    pub at: Timestamp,
    /// Until when it holds.
    pub until: Timestamp,
    /// When it was taken back, where it was.
    #[serde(default)]
    pub revoked: Option<Timestamp>,
}

/// The file with the authority of people, in the folder of certificates, and the list of what it has signed.
pub fn of_people(folder: &Path) -> (PathBuf, PathBuf) {
    let folder = folder.join(FOLDER);
    (folder.join(root::CERTIFICATE), folder.join(LIST))
}

/// Signs a certificate for a person that lasts so long, and writes it with its key into a file that is not there yet.
pub fn issue(folder: &Path, person: &str, lasts: Duration, file: &Path) -> Result<Issued, EdgeError> {
    let (_, list) = of_people(folder);
    let mut all = listed(folder)?;
    let own = OwnAuthority::open_as(&folder.join(FOLDER), "Authority of people").map_err(unusable(folder))?;
    let mut params = CertificateParams::default();
    let name = person
        .try_into()
        .map_err(|error: rcgen::Error| unusable(folder)(error.to_string()))?;
    params.subject_alt_names = vec![SanType::Rfc822Name(name)];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
    let now = clock::since_epoch();
    let (certificate, key) = own.sign(params, person, now, lasts).map_err(unusable(folder))?;
    let at = clock::today();
    let lasts = SignedDuration::try_from(lasts).unwrap_or(SignedDuration::MAX);
    let issued = Issued {
        serial: serial(certificate.der()).unwrap_or_default(),
        person: person.to_owned(),
        at,
        until: at.checked_add(lasts).unwrap_or(Timestamp::MAX),
        revoked: None,
    };
    // What nobody has to take back any more needs no place in the list.
    all.retain(|one| one.until > at);
    all.push(issued.clone());
    // One that is listed and was never written is nobody's; one that is not listed could never be taken back.
    write(&list, &all)?;
    let text = format!("{}{}", certificate.pem(), key.serialize_pem());
    disk::write_private_once(file, &text).map_err(|source| EdgeError::System {
        doing: "writing the certificate",
        source,
    })?;
    Ok(issued)
}

/// What was signed and has not ended, or not long ago.
pub fn listed(folder: &Path) -> Result<Vec<Issued>, EdgeError> {
    read(&of_people(folder).1).map_err(unusable(folder))
}

/// Takes a certificate back; nothing where none has this serial number.
pub fn revoke(folder: &Path, serial: &str) -> Result<Option<Issued>, EdgeError> {
    let (_, list) = of_people(folder);
    let mut all = listed(folder)?;
    let Some(one) = all.iter_mut().find(|one| one.serial.eq_ignore_ascii_case(serial)) else {
        return Ok(None);
    };
    if one.revoked.is_none() {
        one.revoked = Some(clock::today());
    }
    let one = one.clone();
    write(&list, &all)?;
    Ok(Some(one))
}

/// Whether a certificate is in a list, and was not taken back. A list that cannot be read lets nobody pass.
pub(crate) fn holds(list: &Path, certificate: &[u8]) -> bool {
    let Some(serial) = serial(certificate) else {
        return false;
    };
    let all = read(list).unwrap_or_default();
    all.iter()
        .any(|one| one.serial == serial && one.revoked.is_none())
}

fn serial(certificate: &[u8]) -> Option<String> {
    let (_, read) = X509Certificate::from_der(certificate).ok()?;
    Some(
        read.raw_serial()
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect(),
    )
}

fn read(list: &Path) -> Result<Vec<Issued>, String> {
    match disk::read_text_within(list, LARGEST) {
        Ok(text) => serde_json::from_str(&text).map_err(|error| format!("{LIST} cannot be read: {error}")),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Vec::new()),
        Err(error) => Err(format!("{LIST} cannot be read: {error}")),
    }
}

fn write(list: &Path, all: &[Issued]) -> Result<(), EdgeError> {
    let refused = |source| EdgeError::System {
        doing: "writing the list of certificates",
        source,
    };
    if let Some(folder) = list.parent() {
        disk::make_private_folder(folder).map_err(refused)?;
    }
    let text = serde_json::to_string_pretty(all).map_err(|error| refused(std::io::Error::other(error)))?;
    disk::replace_private(list, &text).map_err(refused)
}

fn unusable(folder: &Path) -> impl Fn(String) -> EdgeError {
    let folder = folder.join(FOLDER);
    move |why| issue::unusable(&folder, why)
}
