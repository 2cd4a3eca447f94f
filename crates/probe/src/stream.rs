//! Connections: to an instance, an edge, or an address elsewhere; over TLS where that is asked for.

use crate::aim::Aim;
use crate::door::clock::Moment;
use crate::failed;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use towpath_decide::gate::probe::Broken;

/// A connection, encrypted or not.
pub(crate) trait Stream: AsyncRead + AsyncWrite + Unpin + Send {}
impl<S: AsyncRead + AsyncWrite + Unpin + Send> Stream for S {}

/// Where a connection leads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Peer {
    /// To an address.
    At(SocketAddr),
    /// To a host, which is looked up.
    Named(String, u16),
}

impl std::fmt::Display for Peer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Peer::At(at) => at.fmt(f),
            Peer::Named(host, port) if host.contains(':') => write!(f, "[{host}]:{port}"),
            Peer::Named(host, port) => write!(f, "{host}:{port}"),
        }
    }
}

/// Connects, or says why not.
pub(crate) async fn reach(peer: &Peer) -> Result<TcpStream, Broken> {
    let reached = match peer {
        Peer::At(at) => TcpStream::connect(at).await,
        Peer::Named(host, port) => TcpStream::connect((host.as_str(), *port)).await,
    };
    let stream = reached.map_err(|error| match error.kind() {
        io::ErrorKind::ConnectionRefused => failed(format!("nobody listens on {peer}")),
        _ => failed(format!("{peer} cannot be reached: {error}")),
    })?;
    // What is asked is written in one go.
    let _ = stream.set_nodelay(true);
    Ok(stream)
}

/// Connects, over TLS where the other side has a name to show.
pub(crate) async fn open(peer: &Peer, name: Option<&str>, aim: &Aim) -> Result<Box<dyn Stream>, Broken> {
    let stream = reach(peer).await?;
    let Some(name) = name else {
        return Ok(Box::new(stream));
    };
    let server = ServerName::try_from(name.to_owned())
        .map_err(|_| failed(format!("`{name}` is no name that a certificate can have")))?;
    let connector = connector(aim).await;
    let encrypted = connector.connect(server, stream).await;
    encrypted
        .map(|stream| Box::new(stream) as Box<dyn Stream>)
        .map_err(|error| failed(untrusted(name, &error)))
}

fn untrusted(name: &str, error: &io::Error) -> String {
    let inner = error
        .get_ref()
        .and_then(|inner| inner.downcast_ref::<rustls::Error>());
    match inner {
        Some(rustls::Error::InvalidCertificate(why)) => {
            format!("the certificate that {name} shows is not believed: {why}")
        }
        _ => format!("no encrypted connection with {name} came about: {error}"),
    }
}

/// Believes what the system believes, or browsers where it knows nobody; and the authorities of the aim.
async fn connector(aim: &Aim) -> TlsConnector {
    let system = tokio::task::spawn_blocking(|| rustls_native_certs::load_native_certs().certs);
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(system.await.unwrap_or_default());
    if roots.is_empty() {
        roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
    }
    for text in &aim.authorities {
        let certificates = CertificateDer::pem_slice_iter(text.as_bytes());
        roots.add_parsable_certificates(certificates.filter_map(Result::ok));
    }
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("the provider has suites for both versions")
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    TlsConnector::from(Arc::new(config))
}

/// Waits for something until its time is over, and says so then.
pub(crate) async fn timely<T>(
    begun: Moment,
    bound: Duration,
    doing: impl Future<Output = Result<T, Broken>>,
) -> Result<T, Broken> {
    let done = tokio::time::timeout(begun.left(bound), doing).await;
    done.unwrap_or_else(|_| Err(failed(format!("no answer came within {}", spoken(bound)))))
}

/// `250ms`, `10s`: as people write it.
pub(crate) fn spoken(time: Duration) -> String {
    let millis = u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
    towpath_model::unit::Duration::from_millis(millis).to_string()
}
