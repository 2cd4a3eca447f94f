//! Certificates that are asked for elsewhere, of a real authority: first ones, renewed ones, and what happens when the
//! authority, or the edge, is not there.
#![allow(
    clippy::disallowed_methods,
    reason = "the test starts an authority, and looks at what is kept"
)]

#[path = "kit/acme.rs"]
mod acme;
mod kit;

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use acme::Pebble;
use kit::{BOUND, Instance, Running, edge, get, http_one, read, target};
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, SignatureScheme};
use tokio::net::TcpStream;
use tokio::sync::mpsc::unbounded_channel;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use towpath_edge::{Config, Edge, Patience};
use towpath_model::run::{Acme, Certificate, Certified, Challenge, Front};
use x509_parser::prelude::{FromDer, X509Certificate};

const DOMAIN: &str = "web.shop.example";

/// Believes everybody, to look at what is shown.
#[derive(Debug)]
struct Anybody;

impl ServerCertVerifier for Anybody {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn verify_tls13_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        let provider = rustls::crypto::aws_lc_rs::default_provider();
        provider.signature_verification_algorithms.supported_schemes()
    }
}

async fn connect(port: u16, name: &str) -> TlsStream<TcpStream> {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("there are versions")
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(Anybody))
        .with_no_client_auth();
    let stream = TcpStream::connect(("127.0.0.1", port)).await.expect("it listens");
    let name = ServerName::try_from(name.to_owned()).expect("a name");
    let connected = TlsConnector::from(Arc::new(config)).connect(name, stream).await;
    connected.expect("it is encrypted, be it with whose certificate it may")
}

/// Who has signed what is shown, and its number.
async fn shown(port: u16) -> (String, String) {
    let stream = connect(port, DOMAIN).await;
    let chain = stream
        .get_ref()
        .1
        .peer_certificates()
        .expect("there is one")
        .to_vec();
    let (_, first) = X509Certificate::from_der(&chain[0]).expect("it can be read");
    (first.issuer().to_string(), first.raw_serial_as_string())
}

fn front(pebble: &Pebble, challenge: Option<Challenge>) -> Front {
    Front {
        https_only: true,
        acme: Some(Acme {
            directory: pebble.directory(),
            root: Some(pebble.root()),
            challenge,
        }),
        domains: BTreeMap::from([(DOMAIN.to_owned(), Certificate::Acme)]),
        ..Front::default()
    }
}

/// An authority that is ready.
async fn pebble(folder: &Path, ports: (u16, u16), lasts: u32) -> Pebble {
    let pebble = Pebble::start(folder, ports, lasts);
    kit::until("an authority", async || pebble.is_ready()).await;
    pebble
}

/// An edge with a public component under the domain.
async fn shop() -> (Running, Instance) {
    let running = edge().await;
    let instance = Instance::start("one");
    let mut web = target("web", &[("one", instance.at)], Duration::from_secs(1));
    web.hosts.push(DOMAIN.to_owned());
    running.set(web).await;
    (running, instance)
}

fn ports(edge: &Edge) -> (u16, u16) {
    (edge.listening().http, edge.listening().https)
}

async fn told(edge: &Edge) -> Certified {
    let mut told = edge.certificates().await;
    told.pop().expect("there is one domain")
}

async fn until(pebble: &Pebble, edge: &Edge, what: &str, is: impl AsyncFn() -> bool) {
    let began = tokio::time::Instant::now();
    while !is().await {
        let (told, log) = (told(edge).await, pebble.log());
        assert!(
            began.elapsed() < BOUND * 3,
            "{what} has not come: {told:?}\n{log}"
        );
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

async fn answers_over_https(port: u16) -> bool {
    let mut sender = http_one(connect(port, DOMAIN).await).await;
    let reply = sender
        .send_request(get(DOMAIN, "/a?b"))
        .await
        .expect("it answers");
    read(reply).await.text() == "one GET /a?b"
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_domain_is_shown_to_be_ours_in_both_ways_and_nobody_waits_for_it() {
    if !acme::is_here() {
        println!("left out: pebble is not here");
        return;
    }
    for challenge in [Challenge::Http, Challenge::Tls] {
        let (running, _instance) = shop().await;
        let edge = &running.edge;
        let folder = running.folder.path();
        let pebble = pebble(folder, ports(edge), 3_600).await;
        let kept = folder.join("certificates");
        edge.face(front(&pebble, Some(challenge)), kept.clone()).await;
        let (issuer, _) = shown(edge.listening().https).await;
        assert!(issuer.contains("Towpath local authority"), "{issuer}");
        assert!(answers_over_https(edge.listening().https).await);
        let none = told(edge).await.wrong.expect("there is none");
        assert!(
            none.contains("visitors are shown one that nobody believes"),
            "{none}"
        );
        edge.look_after_certificates();
        until(&pebble, edge, "a certificate", async || {
            shown(edge.listening().https)
                .await
                .0
                .contains("Pebble Intermediate CA")
        })
        .await;
        assert!(answers_over_https(edge.listening().https).await);
        let told = told(edge).await;
        assert_eq!(told.from, pebble.directory().split('/').nth(2).expect("a host"));
        assert!(told.wrong.is_none() && told.until.is_some(), "{told:?}");
        assert!(told.next.starts_with("it is renewed at "), "{}", told.next);
        let log = pebble.log();
        assert!(log.contains("set VALID by completed challenge"), "{log}");
        let is_http = log.contains("validate w/ HTTP");
        assert_eq!(is_http, challenge == Challenge::Http, "{log}");
        let files = fs::read_dir(&kept).expect("it is there");
        let files: Vec<PathBuf> = files.map(|file| file.expect("a file").path()).collect();
        assert_eq!(files.len(), 2, "{files:?}");
        for file in files {
            let mode = fs::metadata(&file).expect("it is there").permissions().mode();
            assert_eq!(mode & 0o777, 0o600, "{}", file.display());
        }
        let plain = running.ask(get(DOMAIN, "/a?b")).await;
        assert_eq!(
            (plain.status.as_u16(), plain.header("location")),
            (308, "https://web.shop.example/a?b")
        );
        let looked = running
            .ask(get(DOMAIN, "/.well-known/acme-challenge/unknown"))
            .await;
        assert_eq!(
            looked.status.as_u16(),
            200,
            "what is no token of ours is the component's"
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_is_renewed_before_it_ends_and_after_an_outage_though_the_authority_forgets_us() {
    if !acme::is_here() {
        println!("left out: pebble is not here");
        return;
    }
    let (running, _instance) = shop().await;
    let edge = &running.edge;
    let https = edge.listening().https;
    let mut pebble = pebble(running.folder.path(), ports(edge), 6).await;
    pebble.end();
    edge.face(front(&pebble, None), running.folder.path().join("certificates"))
        .await;
    edge.look_after_certificates();
    until(&pebble, edge, "a second failure", async || {
        told(edge)
            .await
            .wrong
            .is_some_and(|wrong| wrong.contains("2 times in a row"))
    })
    .await;
    assert!(answers_over_https(https).await, "traffic does not wait");
    pebble.begin();
    let is_theirs = async || shown(https).await.0.contains("Pebble Intermediate CA");
    until(&pebble, edge, "the first certificate", is_theirs).await;
    let (_, first) = shown(https).await;
    until(&pebble, edge, "a renewed one", async || {
        shown(https).await.1 != first
    })
    .await;
    let held = told(edge).await.until.expect("there is one");
    assert!(held > jiff::Timestamp::now(), "it is renewed before it ends");
    pebble.end();
    until(&pebble, edge, "its end", async || {
        told(edge)
            .await
            .wrong
            .is_some_and(|wrong| wrong.starts_with("it ended at "))
    })
    .await;
    assert!(answers_over_https(https).await, "it is shown all the same");
    let (_, last) = shown(https).await;
    pebble.begin();
    until(
        &pebble,
        edge,
        "one of an authority that has never heard of us",
        async || shown(https).await.1 != last,
    )
    .await;
}

/// What is kept of the domain.
fn kept(folder: &Path) -> serde_json::Value {
    let text = fs::read_to_string(folder.join(format!("{DOMAIN}.json"))).unwrap_or_default();
    serde_json::from_str(&text).unwrap_or_default()
}

#[tokio::test]
async fn whoever_is_killed_in_the_middle_goes_on_with_what_was_begun() {
    if !acme::is_here() {
        println!("left out: pebble is not here");
        return;
    }
    let (running, _instance) = shop().await;
    let (http, https) = ports(&running.edge);
    let pebble = pebble(running.folder.path(), (http, https), 3_600).await;
    let certificates = running.folder.path().join("certificates");
    let config = Config {
        product: "hello".to_owned(),
        authority: running.folder.path().join("authority"),
        https,
        http,
        listen: towpath_model::run::Listen::default(),
        patience: Patience::default(),
        log: None,
        key: None,
    };
    let Running { edge, folder, .. } = running;
    let mut edge = Arc::into_inner(edge).expect("it is ours alone");
    let mut key = None;
    for moment in ["a key", "an order"] {
        edge.face(front(&pebble, Some(Challenge::Http)), certificates.clone())
            .await;
        edge.look_after_certificates();
        let began = tokio::time::Instant::now();
        loop {
            let order = &kept(&certificates)["order"];
            let is_there = match moment {
                "a key" => order["key"].is_string(),
                _ => order["address"].is_string(),
            };
            if is_there {
                let here = order["key"].clone();
                assert_eq!(
                    *key.get_or_insert_with(|| here.clone()),
                    here,
                    "it is one key all along"
                );
                break;
            }
            assert!(began.elapsed() < BOUND, "{moment} has not come: {}", pebble.log());
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        // Nothing of it is told that it ends.
        drop(edge);
        let began = tokio::time::Instant::now();
        edge = loop {
            let next = Edge::start(config.clone(), unbounded_channel().0)
                .await
                .expect("it starts");
            if ports(&next) == (http, https) {
                break next;
            }
            assert!(began.elapsed() < BOUND, "the ports are not free again");
            drop(next);
            tokio::time::sleep(Duration::from_millis(5)).await;
        };
    }
    edge.face(front(&pebble, Some(Challenge::Http)), certificates.clone())
        .await;
    edge.look_after_certificates();
    until(&pebble, &edge, "a certificate", async || {
        shown(https).await.0.contains("Pebble Intermediate CA")
    })
    .await;
    let issued = kept(&certificates)["issued"]["key"].clone();
    assert_eq!(Some(issued), key);
    let log = pebble.log();
    assert!(!log.contains("There are now 2 accounts"), "{log}");
    let orders = log.matches("Added order").count();
    assert!((1..=2).contains(&orders), "{orders} orders: {log}");
    drop(edge);
    drop(folder);
}
