//! Signing in by a certificate: who shows one, who does not, and who shows it to the wrong name.

mod kit;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use http::{Method, StatusCode};
use kit::{Instance, Reply, Running, host, request, target};
use rcgen::{
    BasicConstraints, CertificateParams, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair, SanType,
    date_time_ymd,
};
use rustls::client::ResolvesClientCert;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer, ServerName};
use rustls::sign::CertifiedKey;
use rustls::{ClientConfig, RootCertStore, SignatureScheme};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use towpath_model::desired::edge::SignIn;
use towpath_model::run::{Access, Rules};
use towpath_model::unit::{Domain, Email, Unit};

/// Who signs certificates.
struct Signer {
    issuer: Issuer<'static, KeyPair>,
    pem: String,
}

impl Signer {
    fn new() -> Signer {
        let key = KeyPair::generate().expect("a key");
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let pem = params.self_signed(&key).expect("it is signed").pem();
        Signer {
            issuer: Issuer::new(params, key),
            pem,
        }
    }

    /// A certificate of somebody, changed.
    fn sign(&self, names: &[&str], change: impl FnOnce(&mut CertificateParams)) -> Shown {
        let key = KeyPair::generate().expect("a key");
        let mut params = CertificateParams::default();
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        let name = |name: &&str| match name.contains('@') {
            true => SanType::Rfc822Name((*name).try_into().expect("an address")),
            false => SanType::DnsName((*name).try_into().expect("a name")),
        };
        params.subject_alt_names = names.iter().map(name).collect();
        change(&mut params);
        let certificate = params.signed_by(&key, &self.issuer).expect("it is signed");
        let der = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(key.serialize_der()));
        let signs = rustls::crypto::aws_lc_rs::sign::any_ecdsa_type(&der).expect("a key");
        let key = CertifiedKey::new(vec![certificate.der().clone()], signs);
        Shown {
            key: Some(Arc::new(key)),
            asked: Arc::default(),
        }
    }
}

/// What a visitor shows when somebody asks, and how often they did.
#[derive(Debug, Clone, Default)]
struct Shown {
    key: Option<Arc<CertifiedKey>>,
    asked: Arc<AtomicUsize>,
}

impl ResolvesClientCert for Shown {
    fn resolve(&self, _: &[&[u8]], _: &[SignatureScheme]) -> Option<Arc<CertifiedKey>> {
        self.asked.fetch_add(1, Ordering::SeqCst);
        self.key.clone()
    }

    fn has_certs(&self) -> bool {
        true
    }
}

async fn connect(running: &Running, name: &str, shown: &Shown, protocol: &[u8]) -> TlsStream<TcpStream> {
    let mut roots = RootCertStore::empty();
    let root = CertificateDer::from_pem_file(&running.edge.listening().authority).expect("a certificate");
    roots.add(root).expect("it can be trusted");
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("there are versions")
        .with_root_certificates(roots)
        .with_client_cert_resolver(Arc::new(shown.clone()));
    config.alpn_protocols = vec![protocol.to_vec()];
    let stream = TcpStream::connect(running.https()).await.expect("it listens");
    let name = ServerName::try_from(host(name)).expect("a name");
    let connector = TlsConnector::from(Arc::new(config));
    connector.connect(name, stream).await.expect("a handshake")
}

async fn get(running: &Running, shown: &Shown, path: &str) -> Reply {
    let stream = connect(running, "web", shown, b"http/1.1").await;
    let mut sender = kit::http_one(stream).await;
    let asked = request(Method::GET, &host("web"), path, &[], "");
    kit::read(sender.send_request(asked).await.expect("an answer")).await
}

/// An edge with a sign-in by certificates of this one before `web`, and nothing before `open`.
async fn guarded(signer: &Signer, change: impl FnOnce(&mut Access)) -> (Running, Instance) {
    let running = kit::edge().await;
    let file = running.folder.path().join("people.pem");
    tokio::fs::write(&file, &signer.pem).await.expect("it is written");
    let mut access = Access {
        authority: Some(file.display().to_string()),
        ..Access::by(SignIn::Certificate)
    };
    change(&mut access);
    let one = Instance::start("one");
    let mut web = target("web", &[("one", one.at)], Duration::from_secs(5));
    web.rules = Arc::new(Rules {
        access: Some(access),
        ..Rules::default()
    });
    running.set(web).await;
    running
        .set(target("open", &[("one", one.at)], Duration::from_secs(5)))
        .await;
    (running, one)
}

#[tokio::test]
async fn whoever_shows_a_certificate_is_known_and_nobody_else_passes() {
    let signer = Signer::new();
    let (running, one) = guarded(&signer, |_| {}).await;
    let ana = signer.sign(&["Ana@example.com"], |_| {});
    let known = get(&running, &ana, "/headers").await;
    assert_eq!(known.status, StatusCode::OK, "{}", known.text());
    assert!(
        known.text().contains("x-towpath-user: ana@example.com\n"),
        "{}",
        known.text()
    );
    let machine = signer.sign(&["api.example.com"], |_| {});
    let known = get(&running, &machine, "/headers").await;
    assert!(
        known.text().contains("x-towpath-user: api.example.com\n"),
        "{}",
        known.text()
    );
    let got = one.got();
    let none = get(&running, &Shown::default(), "/").await;
    assert_eq!(none.status, StatusCode::FORBIDDEN);
    assert!(none.text().contains("A certificate is needed") && none.text().contains("has shown none"));
    for (why, wrong) in [
        (
            "signed by somebody else",
            Signer::new().sign(&["ana@example.com"], |_| {}),
        ),
        (
            "of a server",
            signer.sign(&["ana@example.com"], |params| {
                params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
            }),
        ),
        (
            "that has ended",
            signer.sign(&["ana@example.com"], |params| {
                params.not_after = date_time_ymd(2020, 1, 1)
            }),
        ),
        (
            "that has not begun",
            signer.sign(&["ana@example.com"], |params| {
                params.not_before = date_time_ymd(3000, 1, 1)
            }),
        ),
    ] {
        let reply = get(&running, &wrong, "/").await;
        assert_eq!(reply.status, StatusCode::FORBIDDEN, "{why}");
        assert!(
            reply.text().contains("signed by nobody who is believed here"),
            "{why}: {}",
            reply.text()
        );
    }
    let nameless = get(&running, &signer.sign(&[], |_| {}), "/").await;
    assert!(
        nameless.text().contains("has neither an e-mail address"),
        "{}",
        nameless.text()
    );
    let plain = running.get("web", "/").await;
    assert_eq!(plain.status, StatusCode::FORBIDDEN);
    assert!(plain.text().contains("over HTTPS only"), "{}", plain.text());
    assert_eq!(one.got(), got);
}

#[tokio::test]
async fn only_those_who_are_named_pass() {
    let signer = Signer::new();
    let (running, _one) = guarded(&signer, |access| {
        access.people = vec![Email::parse("ana@example.org").expect("an address")];
        access.domains = vec![Domain::parse("example.com").expect("a domain")];
    })
    .await;
    for (name, status) in [
        ("ana@example.org", StatusCode::OK),
        ("bo@example.com", StatusCode::OK),
        ("api.example.com", StatusCode::OK),
        ("example.com", StatusCode::OK),
        ("bo@example.org", StatusCode::FORBIDDEN),
        ("bo@api.example.com", StatusCode::FORBIDDEN),
        ("notexample.com", StatusCode::FORBIDDEN),
        ("api.example.org", StatusCode::FORBIDDEN),
    ] {
        let reply = get(&running, &signer.sign(&[name], |_| {}), "/").await;
        assert_eq!(reply.status, status, "{name}: {}", reply.text());
    }
}

#[tokio::test]
async fn a_connection_for_another_name_shows_nothing_here() {
    let signer = Signer::new();
    let (running, one) = guarded(&signer, |_| {}).await;
    let ana = signer.sign(&["ana@example.com"], |_| {});
    let stream = connect(&running, "open", &ana, b"h2").await;
    let mut sender = kit::http_two(stream).await;
    let of = |name: &str| {
        let uri = format!("https://{}/headers", host(name));
        let asked = http::Request::builder()
            .uri(uri)
            .body(http_body_util::Full::<bytes::Bytes>::default());
        asked.expect("a request")
    };
    let open = kit::read(sender.send_request(of("open")).await.expect("an answer")).await;
    assert_eq!(open.status, StatusCode::OK);
    assert_eq!(
        ana.asked.load(Ordering::SeqCst),
        0,
        "nobody is asked where nobody needs it"
    );
    assert!(!open.text().contains("x-towpath-user"));
    let web = kit::read(sender.send_request(of("web")).await.expect("an answer")).await;
    assert_eq!(web.status, StatusCode::MISDIRECTED_REQUEST);
    assert_eq!(one.got(), 1);
    let stream = connect(&running, "web", &ana, b"h2").await;
    let mut sender = kit::http_two(stream).await;
    for _ in 0..2 {
        let web = kit::read(sender.send_request(of("web")).await.expect("an answer")).await;
        assert!(
            web.text().contains("x-towpath-user: ana@example.com\n"),
            "{}",
            web.text()
        );
    }
    assert_eq!(ana.asked.load(Ordering::SeqCst), 1);
}
