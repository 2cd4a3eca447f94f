//! Certificates that visitors show when they connect.
//!
//! One is asked for only where the name of the handshake has something before which people sign in so: a browser asks its
//! person which one to show. Whatever is shown is taken, as long as the visitor has its key; whether somebody who is believed
//! has signed it is looked at before the part that it is for, because two parts may believe different authorities. A connection
//! that was begun for another name shows nothing here, and its visitor is told to begin one for this name (RFC 9110, 15.5.20).

use std::sync::{Arc, Mutex, PoisonError};

use rustls::client::danger::HandshakeSignatureValid;
use rustls::crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, UnixTime};
use rustls::server::Acceptor;
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::{DigitallySignedStruct, DistinguishedName, Error, ServerConfig, SignatureScheme};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_rustls::server::TlsStream;
use tokio_rustls::{LazyConfigAcceptor, TlsAcceptor};

use crate::state::State;

/// What a connection has shown, for one name.
#[derive(Debug)]
pub(crate) struct Shown {
    /// The name that the connection was begun for.
    pub(crate) name: String,
    /// The visitor's certificate and those that lead to who has signed it; nothing where it has shown none.
    pub(crate) chain: Vec<CertificateDer<'static>>,
    /// What was found of it last, for which door and when: requests of one connection are mostly for one.
    pub(crate) found: Mutex<Option<(String, u64, String)>>,
}

/// What asks for certificates: made of what asks for none, and anew when that is another one.
#[derive(Default)]
pub(crate) struct Asking(Mutex<Option<[Arc<ServerConfig>; 2]>>);

impl Asking {
    fn of(&self, plain: &Arc<ServerConfig>) -> Arc<ServerConfig> {
        let mut made = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match &*made {
            Some([of, asking]) if Arc::ptr_eq(of, plain) => Arc::clone(asking),
            _ => {
                let asking = asking(plain);
                *made = Some([Arc::clone(plain), Arc::clone(&asking)]);
                asking
            }
        }
    }
}

/// Shakes hands, and asks for a certificate where the name needs it.
pub(crate) async fn accept<S>(
    state: &State,
    tls: &TlsAcceptor,
    stream: S,
) -> std::io::Result<(TlsStream<S>, Option<Shown>)>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let start = LazyConfigAcceptor::new(Acceptor::default(), stream).await?;
    let hello = start.client_hello();
    let name = hello.server_name().map(str::to_ascii_lowercase);
    let name = name.filter(|name| state.table().asks_certificate(name));
    let Some(name) = name else {
        return Ok((start.into_stream(Arc::clone(tls.config())).await?, None));
    };
    let config = state.asking.of(tls.config());
    let stream = start.into_stream(config).await?;
    let chain = stream.get_ref().1.peer_certificates().unwrap_or_default();
    let shown = Shown {
        name,
        chain: chain.iter().map(|one| one.clone().into_owned()).collect(),
        found: Mutex::default(),
    };
    Ok((stream, Some(shown)))
}

/// The same as is told to everybody, with a wish for a certificate.
fn asking(config: &ServerConfig) -> Arc<ServerConfig> {
    let provider = Arc::clone(config.crypto_provider());
    let mut asking = ServerConfig::builder_with_provider(Arc::clone(&provider))
        .with_protocol_versions(rustls::ALL_VERSIONS)
        .expect("the provider has suites for both versions")
        .with_client_cert_verifier(Arc::new(Anybody(provider)))
        .with_cert_resolver(Arc::clone(&config.cert_resolver));
    asking.alpn_protocols.clone_from(&config.alpn_protocols);
    Arc::new(asking)
}

/// Takes every certificate whose key the visitor has.
#[derive(Debug)]
struct Anybody(Arc<CryptoProvider>);

impl ClientCertVerifier for Anybody {
    fn client_auth_mandatory(&self) -> bool {
        false
    }

    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        &[]
    }

    fn verify_client_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        Ok(ClientCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let ways = &self.0.signature_verification_algorithms;
        verify_tls12_signature(message, certificate, signed, ways)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let ways = &self.0.signature_verification_algorithms;
        verify_tls13_signature(message, certificate, signed, ways)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}
