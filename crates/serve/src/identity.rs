//! The key by which clients know this machine, and the certificate that it shows with it.
//!
//! The key is made once and kept. Tokens name it, so clients ask no authority; the certificate is signed by the key itself, made
//! anew at each start, and lies beside the tokens for those who come without one, such as curl. Whoever has a certificate from
//! elsewhere names its files; then tokens name the key of that one, which has to stay the same when it is renewed.

use crate::ServeError;
use crate::door::{clock, disk};
use rcgen::{
    CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, KeyPair, PKCS_ECDSA_P256_SHA256,
};
use rustls::ServerConfig;
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::ParsedCertificate;
use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use towpath_api::Pin;

const KEY: &str = "serve.key.pem";
const CERTIFICATE: &str = "serve.pem";

/// A certificate begins a while ago: clocks differ.
const BEGAN: Duration = Duration::from_secs(60 * 60);

/// It is made anew at each start, and nobody asks for it who has a token.
const LASTS: Duration = Duration::from_secs(3_652 * 24 * 60 * 60);

/// The files of a certificate that comes from elsewhere.
#[derive(Debug, Clone)]
pub struct Files {
    /// The certificate, with those between it and its authority.
    pub certificate: PathBuf,
    /// Its key.
    pub key: PathBuf,
}

/// What this machine shows.
#[derive(Debug)]
pub(crate) struct Identity {
    files: Option<Files>,
    shown: Mutex<Shown>,
}

#[derive(Debug, Clone)]
struct Shown {
    /// What it was read from.
    text: (String, String),
    pin: Pin,
    config: Arc<ServerConfig>,
}

impl Identity {
    /// The one of a machine's folder, or of these files.
    pub(crate) fn open(
        home: &Path,
        files: Option<Files>,
        listen: Option<SocketAddr>,
    ) -> Result<Self, ServeError> {
        let text = match &files {
            Some(files) => read(files)?,
            None => own(home, listen)?,
        };
        let shown = shown(text).map_err(|why| match &files {
            Some(files) => ServeError::Certificate {
                file: files.certificate.clone(),
                why,
            },
            None => ServeError::Certificate {
                file: home.join(KEY),
                why,
            },
        })?;
        Ok(Identity {
            files,
            shown: Mutex::new(shown),
        })
    }

    /// By what clients know it.
    pub(crate) fn pin(&self) -> Pin {
        self.shown.lock().unwrap_or_else(PoisonError::into_inner).pin
    }

    /// How connections are begun.
    pub(crate) fn config(&self) -> Arc<ServerConfig> {
        Arc::clone(&self.shown.lock().unwrap_or_else(PoisonError::into_inner).config)
    }

    /// Looks at the files again: whether there is another certificate, and whether its key is another one.
    pub(crate) fn look(&self) -> Result<Option<bool>, ServeError> {
        let Some(files) = &self.files else {
            return Ok(None);
        };
        let text = read(files)?;
        let before = self.shown.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if before.text == text {
            return Ok(None);
        }
        let now = shown(text).map_err(|why| ServeError::Certificate {
            file: files.certificate.clone(),
            why,
        })?;
        let other = now.pin != before.pin;
        *self.shown.lock().unwrap_or_else(PoisonError::into_inner) = now;
        Ok(Some(other))
    }
}

fn read(files: &Files) -> Result<(String, String), ServeError> {
    let text = |file: &Path| {
        let found = disk::text(file).and_then(|text| text.ok_or_else(|| io::ErrorKind::NotFound.into()));
        found.map_err(|source| ServeError::System {
            doing: "reading",
            subject: file.to_path_buf(),
            source,
        })
    };
    Ok((text(&files.certificate)?, text(&files.key)?))
}

/// The key of this machine, made where there is none, with a certificate for what it is called.
fn own(home: &Path, listen: Option<SocketAddr>) -> Result<(String, String), ServeError> {
    let system = |source, file: &str| ServeError::System {
        doing: "writing",
        subject: home.join(file),
        source,
    };
    let broken = |error: rcgen::Error| ServeError::Certificate {
        file: home.join(KEY),
        why: error.to_string(),
    };
    let kept = disk::text(&home.join(KEY)).map_err(|error| system(error, KEY))?;
    let pair = match &kept {
        Some(text) => KeyPair::from_pem(text).map_err(broken)?,
        None => {
            let pair = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).map_err(broken)?;
            disk::replace_private(&home.join(KEY), &pair.serialize_pem())
                .map_err(|error| system(error, KEY))?;
            pair
        }
    };
    let certificate = certificate(&pair, names(listen)).map_err(broken)?;
    disk::replace_private(&home.join(CERTIFICATE), &certificate)
        .map_err(|error| system(error, CERTIFICATE))?;
    Ok((certificate, pair.serialize_pem()))
}

/// What this machine may be called.
fn names(listen: Option<SocketAddr>) -> Vec<String> {
    let mut names = vec!["localhost".to_owned(), "127.0.0.1".to_owned(), "::1".to_owned()];
    let own = disk::machine();
    // What is no name in a certificate would make that impossible as a whole.
    if !own.is_empty()
        && own
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"-.".contains(&byte))
    {
        names.push(own);
    }
    names.extend(
        listen
            .filter(|at| !at.ip().is_unspecified())
            .map(|at| at.ip().to_string()),
    );
    names.sort();
    names.dedup();
    names
}

fn certificate(pair: &KeyPair, names: Vec<String>) -> Result<String, rcgen::Error> {
    let mut params = CertificateParams::new(names)?;
    let mut subject = DistinguishedName::new();
    subject.push(DnType::OrganizationName, "Towpath");
    subject.push(DnType::CommonName, "towpath serve");
    params.distinguished_name = subject;
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    let now = Duration::try_from(clock::today().as_duration()).unwrap_or_default();
    params.not_before = rcgen::date_time_ymd(1970, 1, 1) + now.saturating_sub(BEGAN);
    params.not_after = rcgen::date_time_ymd(1970, 1, 1) + now + LASTS;
    Ok(params.self_signed(pair)?.pem())
}

fn shown((certificate, key): (String, String)) -> Result<Shown, String> {
    let chain: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(certificate.as_bytes()).collect();
    let chain = chain.map_err(|error| format!("it cannot be read: {error}"))?;
    let leaf = chain.first().ok_or("it holds no certificate")?;
    let parsed = ParsedCertificate::try_from(leaf).map_err(|error| format!("it cannot be read: {error}"))?;
    let pin = Pin::of(&parsed.subject_public_key_info());
    let secret = PrivateKeyDer::from_pem_slice(key.as_bytes()).map_err(|_| "its key cannot be read")?;
    let config = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_protocol_versions(&[&rustls::version::TLS13])
        .map_err(|error| error.to_string())?
        .with_no_client_auth()
        .with_single_cert(chain, secret);
    let mut config = config.map_err(|error| format!("it and its key do not fit: {error}"))?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(Shown {
        text: (certificate, key),
        pin,
        config: Arc::new(config),
    })
}

#[cfg(test)]
#[allow(clippy::disallowed_methods, reason = "keys lie in real files")]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn a_machine_keeps_its_key() {
        let folder = tempfile::tempdir().expect("a folder");
        let first = Identity::open(folder.path(), None, None).expect("it is made");
        let listen = Some("127.0.0.2:8440".parse().expect("it is an address"));
        let again = Identity::open(folder.path(), None, listen).expect("it is read");
        assert_eq!(first.pin(), again.pin());
        let mode = std::fs::metadata(folder.path().join(KEY))
            .expect("it is there")
            .permissions()
            .mode();
        assert_eq!(mode & 0o777, 0o600);
        assert!(again.look().expect("nothing to look at").is_none());
    }

    #[test]
    fn a_certificate_from_elsewhere_is_shown_and_a_renewed_one_in_its_place() {
        let folder = tempfile::tempdir().expect("a folder");
        let files = Files {
            certificate: folder.path().join("chain.pem"),
            key: folder.path().join("key.pem"),
        };
        let put = |pair: &KeyPair| {
            let names = vec!["towpath.example.com".to_owned()];
            std::fs::write(&files.certificate, certificate(pair, names).expect("it is made"))
                .expect("it is written");
            std::fs::write(&files.key, pair.serialize_pem()).expect("it is written");
        };
        let pair = || KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).expect("a key");
        let (one, other) = (pair(), pair());
        put(&one);
        let identity = Identity::open(folder.path(), Some(files.clone()), None).expect("it is read");
        let pin = identity.pin();
        assert_eq!(identity.look().expect("it is read"), None);
        put(&one);
        assert_eq!(
            identity.look().expect("it is read"),
            Some(false),
            "renewed with its key"
        );
        assert_eq!(identity.pin(), pin);
        std::fs::write(&files.key, other.serialize_pem()).expect("it is written");
        let error = identity.look().expect_err("they do not fit");
        assert!(error.to_string().contains("do not fit"), "{error}");
        put(&other);
        assert_eq!(identity.look().expect("it is read"), Some(true));
        assert_ne!(identity.pin(), pin);
    }
}
