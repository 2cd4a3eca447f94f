//! A machine elsewhere: TLS to a key that is known beforehand.

use crate::client::ClientError;
use crate::token::{Pin, Token};
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, aws_lc_rs, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{ClientConfig, DigitallySignedStruct, SignatureScheme};
use std::io;
use std::sync::{Arc, OnceLock};
use std::time::Duration;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

/// The port of a machine where none is named.
pub const PORT: u16 = 8440;

/// How long a machine may take to let us in: the other side of the world answers in a second.
const PATIENCE: Duration = Duration::from_secs(10);

/// A machine elsewhere, and the environment on it that is spoken about.
#[derive(Debug)]
pub struct Remote {
    host: String,
    port: u16,
    token: Token,
    base: String,
}

impl Remote {
    /// The environment of a product there.
    pub fn new(host: &str, port: u16, token: Token, product: &str, environment: &str) -> Self {
        Remote {
            host: host.to_owned(),
            port,
            token,
            base: format!("/v1/products/{product}/environments/{environment}"),
        }
    }

    /// What stands before each path.
    pub(crate) fn base(&self) -> &str {
        &self.base
    }

    /// `towpath.example.com:8440`
    pub(crate) fn place(&self) -> String {
        place(&self.host, self.port)
    }

    /// What is shown there.
    pub(crate) fn token(&self) -> &Token {
        &self.token
    }

    /// What it is let in by.
    pub(crate) fn bearer(&self) -> String {
        format!("Bearer {}", self.token.text().open())
    }

    /// Connects, and makes sure that it is the machine that the token is for.
    pub(crate) async fn connect(&self) -> Result<TlsStream<TcpStream>, ClientError> {
        reach(&self.host, self.port, self.token.pin).await
    }
}

/// A machine and its port, as they are written.
pub(crate) fn place(host: &str, port: u16) -> String {
    match host.contains(':') {
        true => format!("[{host}]:{port}"),
        false => format!("{host}:{port}"),
    }
}

/// Connects, and makes sure that it is the machine that has this key.
pub(crate) async fn reach(host: &str, port: u16, pin: Pin) -> Result<TlsStream<TcpStream>, ClientError> {
    let unreachable = |why: io::Error| ClientError::Unreachable {
        place: place(host, port),
        why,
    };
    let late = |_| unreachable(io::ErrorKind::TimedOut.into());
    let name = ServerName::try_from(host.to_owned())
        .map_err(|_| unreachable(io::Error::other("this is no name of a machine")))?;
    let stream = TcpStream::connect((host, port));
    let stream = tokio::time::timeout(PATIENCE, stream)
        .await
        .map_err(late)?
        .map_err(unreachable)?;
    // Questions are short, and somebody waits for the answer.
    let _ = stream.set_nodelay(true);
    let known = Arc::new(Known::new(pin));
    let connector = TlsConnector::from(Arc::new(config(&known).map_err(unreachable)?));
    let greeted = tokio::time::timeout(PATIENCE, connector.connect(name, stream))
        .await
        .map_err(late)?;
    greeted.map_err(|why| match known.other.get() {
        Some(shown) => ClientError::OtherKey {
            place: place(host, port),
            pinned: pin,
            shown: *shown,
        },
        None => unreachable(why),
    })
}

fn config(known: &Arc<Known>) -> io::Result<ClientConfig> {
    let provider = Arc::clone(&known.provider);
    let config = ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&rustls::version::TLS13])
        .map_err(io::Error::other)?;
    let mut config = config
        .dangerous()
        .with_custom_certificate_verifier(Arc::clone(known) as Arc<dyn ServerCertVerifier>)
        .with_no_client_auth();
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(config)
}

/// Believes whoever has this key, by whatever name and for however long: the key is in the token, and the handshake shows that
/// the other side has its secret half.
#[derive(Debug)]
struct Known {
    pin: Pin,
    /// The key that was shown in its place.
    other: OnceLock<Pin>,
    provider: Arc<CryptoProvider>,
}

impl Known {
    fn new(pin: Pin) -> Self {
        Known {
            pin,
            other: OnceLock::new(),
            provider: Arc::new(aws_lc_rs::default_provider()),
        }
    }
}

impl ServerCertVerifier for Known {
    fn verify_server_cert(
        &self,
        shown: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _name: &ServerName<'_>,
        _ocsp: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        let shown = ParsedCertificate::try_from(shown)?;
        let shown = Pin::of(&shown.subject_public_key_info());
        if shown == self.pin {
            return Ok(ServerCertVerified::assertion());
        }
        let shown = *self.other.get_or_init(|| shown);
        Err(rustls::Error::General(format!("it shows the key {shown}")))
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        shown: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let schemes = &self.provider.signature_verification_algorithms;
        verify_tls12_signature(message, shown, signed, schemes)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        shown: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let schemes = &self.provider.signature_verification_algorithms;
        verify_tls13_signature(message, shown, signed, schemes)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider
            .signature_verification_algorithms
            .supported_schemes()
    }
}
