//! TLS: who is believed, and what is told of who is not.

use crate::kit::{aim, ok, serve, told, tried};
use rcgen::{CertificateParams, KeyPair};
use rustls::ServerConfig;
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;
use towpath_probe::{Aim, Base};

/// A server with a certificate of its own for this name, and that certificate.
async fn server(name: &str) -> (SocketAddr, String) {
    let key = KeyPair::generate().unwrap();
    let params = CertificateParams::new(vec![name.to_owned()]).unwrap();
    let certificate = params.self_signed(&key).unwrap();
    let text = certificate.pem();
    let private = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate.der().clone()], private)
        .unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let at = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            if let Ok(stream) = acceptor.accept(stream).await {
                let asked = Arc::new(Mutex::new(Vec::new()));
                serve(stream, asked, Arc::new(|_: usize, _: &str| ok("well"))).await;
            }
        }
    });
    (at, text)
}

#[tokio::test]
async fn an_edge_is_believed_by_its_authority_and_by_the_right_name_only() {
    let asks = "http = \"/\"\nexpect = \"body = well\"";
    let (at, authority) = server("web.shop.localhost").await;
    let edge = |host: &str, authorities: Vec<String>| Aim {
        at: vec![Base::edge(at, true, host)],
        authorities,
        ..aim(&[])
    };
    let right = edge("web.shop.localhost:8443", vec![authority.clone()]);
    assert_eq!(told(&tried(asks, &right).await), "pass");
    let other = tried(asks, &edge("api.shop.localhost", vec![authority])).await;
    let other = told(&other);
    let begins = "FAIL probe `it`: GET /: the certificate that api.shop.localhost shows is not believed: ";
    assert!(other.starts_with(begins), "{other}");
    let unknown = told(&tried(asks, &edge("web.shop.localhost", Vec::new())).await);
    assert!(
        unknown.contains("web.shop.localhost shows is not believed"),
        "{unknown}"
    );
}
