//! What answers handshakes: the certificates of domains, and the local authority for names of this machine, which the first
//! visitor that wants an encrypted connection opens.
//!
//! Reading keys and making the provider ready takes longer than everything else that the edge begins with, and whoever only
//! speaks plain HTTP never needs it. Where there is no authority yet it is made at once: a person is told where its
//! certificate lies.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};

use rustls::crypto::aws_lc_rs;
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use rustls::{ServerConfig, version};
use tokio::sync::OnceCell;
use tokio_rustls::TlsAcceptor;
use towpath_model::run::{Certificate, Front};

use crate::EdgeError;
use crate::authority::Authority;
use crate::certificates::{Certificates, PROTOCOL};
use crate::door::disk;
use crate::tickets::Tickets;

/// What visitors may choose from where nothing is said.
const PROTOCOLS: [&str; 2] = ["h2", "http/1.1"];

/// What answers handshakes.
pub(crate) struct Trust {
    folder: PathBuf,
    authority: OnceCell<Arc<Authority>>,
    pub(crate) certificates: Arc<Certificates>,
    pub(crate) tickets: Arc<Tickets>,
    /// Made when it is first asked for, and anew when another front is set.
    acceptor: RwLock<Option<TlsAcceptor>>,
}

impl Trust {
    /// The trust of an authority in a folder.
    pub(crate) async fn of(folder: PathBuf) -> Result<Trust, EdgeError> {
        let trust = Trust {
            folder,
            authority: OnceCell::new(),
            certificates: Arc::default(),
            tickets: Arc::default(),
            acceptor: RwLock::default(),
        };
        if disk::is_missing(&trust.certificate()) {
            trust.authority().await?;
        }
        Ok(trust)
    }

    /// The file with the certificate of the root.
    pub(crate) fn certificate(&self) -> PathBuf {
        Authority::certificate(Path::new(&self.folder))
    }

    /// Sets what holds in front of everything. It reads files.
    pub(crate) async fn set(&self, front: Front, folder: PathBuf) {
        let certificates = Arc::clone(&self.certificates);
        // It ends before the runtime does, which is when nobody waits for it any more.
        let _ = tokio::task::spawn_blocking(move || certificates.set(front, &folder)).await;
        *self.acceptor.write().unwrap_or_else(PoisonError::into_inner) = None;
    }

    /// What answers handshakes. Where the authority cannot be had it is tried again by the next one who asks: a person may
    /// have seen to it meanwhile. Domains with a certificate of their own do without it.
    pub(crate) async fn acceptor(&self) -> Result<TlsAcceptor, EdgeError> {
        let made = self
            .acceptor
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        if let Some(made) = made {
            return Ok(made);
        }
        let facing = self.certificates.facing();
        match self.authority().await {
            Ok(authority) => {
                let made = self.make(Some(Arc::clone(authority)), &facing.front);
                let mut acceptor = self.acceptor.write().unwrap_or_else(PoisonError::into_inner);
                // Another front may have been set meanwhile: then this one serves one connection.
                if Arc::ptr_eq(&facing, &self.certificates.facing()) {
                    *acceptor = Some(made.clone());
                }
                Ok(made)
            }
            Err(_) if has_own(&facing.front) => Ok(self.make(None, &facing.front)),
            Err(error) => Err(error),
        }
    }

    async fn authority(&self) -> Result<&Arc<Authority>, EdgeError> {
        let open = async || {
            let folder = self.folder.clone();
            let opened = tokio::task::spawn_blocking(move || Authority::open(&folder).map(Arc::new));
            opened.await.map_err(|error| EdgeError::System {
                doing: "opening the authority",
                source: std::io::Error::other(error),
            })?
        };
        self.authority.get_or_try_init(open).await
    }

    fn make(&self, authority: Option<Arc<Authority>>, front: &Front) -> TlsAcceptor {
        let provider = Arc::new(aws_lc_rs::default_provider());
        let mut config = ServerConfig::builder_with_provider(provider)
            .with_protocol_versions(&[&version::TLS13, &version::TLS12])
            .expect("the provider has suites for both versions")
            .with_no_client_auth()
            .with_cert_resolver(Arc::new(Shown {
                authority,
                certificates: Arc::clone(&self.certificates),
            }));
        let tickets: Arc<Tickets> = Arc::clone(&self.tickets);
        config.ticketer = tickets;
        let chosen = front.protocols.iter().map(String::as_str);
        let usual = PROTOCOLS.into_iter().filter(|_| front.protocols.is_empty());
        config.alpn_protocols = chosen.chain(usual).map(|name| name.as_bytes().to_vec()).collect();
        if front.acme.is_some() {
            config.alpn_protocols.push(PROTOCOL.to_vec());
        }
        TlsAcceptor::from(Arc::new(config))
    }
}

/// Whether there is a domain whose certificate is not the local authority's.
fn has_own(front: &Front) -> bool {
    let mut all = front.domains.values();
    all.any(|one| matches!(one, Certificate::Acme | Certificate::Files { .. }))
}

/// Finds the certificate for a name.
struct Shown {
    authority: Option<Arc<Authority>>,
    certificates: Arc<Certificates>,
}

impl ResolvesServerCert for Shown {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        let Some(name) = hello.server_name() else {
            return self.authority.as_ref()?.of(None);
        };
        let lower;
        let name = match name.bytes().any(|byte| byte.is_ascii_uppercase()) {
            true => {
                lower = name.to_ascii_lowercase();
                lower.as_str()
            }
            false => name,
        };
        if is_looked_at(&hello) {
            return self.certificates.proof(name);
        }
        match self.certificates.of(name) {
            Some(Ok(key)) => Some(key),
            // It has none yet: what this machine has is believed by nobody, and encrypted.
            Some(Err(())) => {
                let authority = self.authority.as_ref()?;
                authority.of(Some(name)).or_else(|| authority.of(None))
            }
            None => self.authority.as_ref()?.of(Some(name)),
        }
    }
}

/// Whether it is an authority that looks whether a domain is ours: it speaks nothing else.
fn is_looked_at(hello: &ClientHello<'_>) -> bool {
    hello
        .alpn()
        .is_some_and(|mut spoken| spoken.any(|one| one == PROTOCOL))
}

impl fmt::Debug for Shown {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Shown").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rustls::pki_types::pem::PemObject;
    use rustls::pki_types::{CertificateDer, ServerName};
    use rustls::{ClientConfig, HandshakeKind, RootCertStore};
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio_rustls::TlsConnector;

    /// Comes to somebody, and says how it went: a byte is read back, so that tickets have come, too.
    async fn come(connector: &TlsConnector, to: &TlsAcceptor) -> Option<HandshakeKind> {
        let (ours, theirs) = tokio::io::duplex(64 * 1024);
        let name = ServerName::try_from("web.hello.localhost").expect("a name");
        let visitor = async {
            let mut stream = connector.connect(name, ours).await.expect("it is trusted");
            stream.read_u8().await.expect("a byte");
            stream.get_ref().1.handshake_kind()
        };
        let edge = async {
            let mut stream = to.accept(theirs).await.expect("a handshake");
            stream.write_all(b"x").await.expect("it reads");
            stream.flush().await.expect("it reads");
            stream
        };
        tokio::join!(visitor, edge).0
    }

    #[tokio::test]
    async fn a_visitor_comes_back_to_a_successor_without_a_whole_handshake() {
        let folder = tempfile::tempdir().expect("a folder");
        let before = Trust::of(folder.path().to_owned()).await.expect("it is made");
        let after = Trust::of(folder.path().to_owned()).await.expect("it is there");
        let stranger = Trust::of(folder.path().to_owned()).await.expect("it is there");
        let handed = serde_json::to_string(&before.tickets.hand_over()).expect("it is written");
        after
            .tickets
            .take_over(&serde_json::from_str(&handed).expect("it is read"));
        for version in [&version::TLS13, &version::TLS12] {
            let mut roots = RootCertStore::empty();
            let root = CertificateDer::from_pem_file(before.certificate()).expect("a certificate");
            roots.add(root).expect("it can be trusted");
            let config = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
                .with_protocol_versions(&[version])
                .expect("there are suites")
                .with_root_certificates(roots)
                .with_no_client_auth();
            let connector = TlsConnector::from(Arc::new(config));
            let to = async |trust: &Trust| {
                let acceptor = trust.acceptor().await.expect("it opens");
                come(&connector, &acceptor).await
            };
            assert_eq!(to(&before).await, Some(HandshakeKind::Full));
            assert_eq!(to(&after).await, Some(HandshakeKind::Resumed));
            assert_eq!(to(&before).await, Some(HandshakeKind::Resumed));
            assert_eq!(to(&stranger).await, Some(HandshakeKind::Full));
        }
    }
}
