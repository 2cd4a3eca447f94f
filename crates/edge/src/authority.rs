//! The local certificate authority, and the certificates that it signs.
//!
//! A root is made once and kept in a folder of its owner; all products on the machine share it, so that it is trusted once.
//! It may sign names below `localhost` and addresses of this machine and nothing else: whoever steals its key can pretend
//! to be nobody but this machine. Certificates are made when a name is first asked for, all with one key that lives as long
//! as the process, and made anew before they end.

mod leaf;
mod root;

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::crypto::{CryptoProvider, aws_lc_rs};
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use rustls::{ServerConfig, version};
use tokio_rustls::TlsAcceptor;

use crate::EdgeError;

/// The local certificate authority.
pub(crate) struct Authority {
    provider: Arc<CryptoProvider>,
    leaves: leaf::Leaves,
}

impl Authority {
    /// Opens the authority in a folder, and makes it where there is none.
    pub(crate) fn open(folder: &Path) -> Result<Authority, EdgeError> {
        let unusable = |why: String| EdgeError::Authority {
            folder: folder.display().to_string(),
            why,
        };
        let provider = Arc::new(aws_lc_rs::default_provider());
        let root = root::open(folder, &provider).map_err(unusable)?;
        Ok(Authority {
            leaves: leaf::Leaves::new(root.issuer, Arc::clone(&provider)),
            provider,
        })
    }

    /// The file with the certificate of the root.
    pub(crate) fn certificate(folder: &Path) -> PathBuf {
        folder.join(root::CERTIFICATE)
    }

    /// What answers handshakes.
    pub(crate) fn acceptor(self) -> TlsAcceptor {
        let provider = Arc::clone(&self.provider);
        let mut config = ServerConfig::builder_with_provider(provider)
            .with_protocol_versions(&[&version::TLS13, &version::TLS12])
            .expect("the provider has suites for both versions")
            .with_no_client_auth()
            .with_cert_resolver(Arc::new(self));
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        TlsAcceptor::from(Arc::new(config))
    }
}

impl ResolvesServerCert for Authority {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        self.leaves.of(hello.server_name())
    }
}

impl fmt::Debug for Authority {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Authority").finish_non_exhaustive()
    }
}
