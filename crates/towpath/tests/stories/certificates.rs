//! Certificates of domains: asked for elsewhere, from files, and what is told of them.

#[path = "../../../edge/tests/kit/acme.rs"]
mod acme;

use crate::kit::{Product, ask, eventually};
use acme::Pebble;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, ClientConnection, HandshakeKind, RootCertStore, StreamOwned};
use serde_json::Value;
use std::net::TcpStream;
use std::sync::Arc;

const WEB: &str = r#"
[service.web]
run     = "sh ./program web"
public  = true
health  = { path = "/healthz", interval = "100ms" }
"#;

const LIVE: &[&str] = &["--env", "live"];

fn in_live(product: &Product, words: &[&str]) -> crate::kit::Ran {
    product.run(&[words, LIVE].concat())
}

fn live_status(product: &Product) -> Value {
    serde_json::from_str(&in_live(product, &["status", "--json"]).out).unwrap_or(Value::Null)
}

/// The ports of the edge there: for HTTPS and plain HTTP.
fn live_ports(product: &Product) -> (u16, u16) {
    let status = live_status(product);
    let web = crate::kit::component(&status, "web");
    let url = web["url"].as_str().expect("it is public").to_owned();
    let port = url
        .trim_end_matches('/')
        .rsplit(':')
        .next()
        .expect("a port")
        .to_owned();
    let http = status["steward"]["http"].as_u64().expect("it is told");
    (
        port.parse().expect("a port"),
        u16::try_from(http).expect("a port"),
    )
}

#[test]
fn a_certificate_is_asked_for_where_others_come_and_told_until_it_is_there() {
    if !acme::is_here() {
        println!("left out: pebble is not here");
        return;
    }
    let product = Product::new("certstory", "");
    let manifest = |directory: &str, root: &str| {
        let edge = format!("listen = [\"127.0.0.1\"]\nacme = \"{directory}\"\nacme_root = \"{root}\"");
        let web = format!("{WEB}domains = [\"web.shop.example\"]\n[edge]\n{edge}\n");
        product.manifest(&format!("{web}[environment.live]\nsecrets = \"dotenv\"\n"));
    };
    product.write(
        "nobody.pem",
        &rcgen::generate_simple_self_signed(["x".to_owned()])
            .expect("one")
            .cert
            .pem(),
    );
    manifest("https://localhost:1/dir", "nobody.pem");
    let up = in_live(&product, &["up", "--detach"]);
    assert_eq!(up.code, Some(0), "{}{}", up.out, up.err);
    let wrong = eventually("it is told that there is none", || {
        let wrong = live_status(&product)["certificates"][0]["wrong"]
            .as_str()?
            .to_owned();
        wrong.contains("refused").then_some(wrong)
    });
    assert!(wrong.starts_with("there is none yet"), "{wrong}");
    let text = in_live(&product, &["status"]).out;
    assert!(
        text.contains("certificates\n  web.shop.example: from localhost:1; "),
        "{text}"
    );
    let doctor = in_live(&product, &["doctor"]);
    assert!(
        doctor.out.contains("web.shop.example") && doctor.out.contains("there is none yet"),
        "{}",
        doctor.out
    );
    let (https, http) = live_ports(&product);
    let folder = tempfile::tempdir().expect("a folder");
    let pebble = Pebble::start(folder.path(), (http, https), 3_600);
    eventually("an authority is there", || pebble.is_ready().then_some(()));
    manifest(&pebble.directory(), &pebble.root());
    let up = in_live(&product, &["up", "--detach"]);
    assert_eq!(up.code, Some(0), "{}{}", up.out, up.err);
    let told = eventually("there is one", || {
        let told = live_status(&product)["certificates"][0].clone();
        (told["wrong"].is_null() && told["until"].is_string()).then_some(told)
    });
    assert!(
        told["next"]
            .as_str()
            .is_some_and(|next| next.starts_with("it is renewed at ")),
        "{told}"
    );
    assert!(in_live(&product, &["doctor"]).out.contains("from localhost:"));
    let stream = TcpStream::connect(("127.0.0.1", http)).expect("it listens");
    let plain = ask(stream, "web.shop.example", "/a?b").unwrap_or_default();
    assert_eq!(plain, "", "it leads to HTTPS, without a body");
    let down = in_live(&product, &["down", "--now"]);
    assert_eq!(down.code, Some(0), "{}{}", down.out, down.err);
}

/// Comes to the edge as somebody who believes what is in the file, and says how the handshake went.
fn come(config: &Arc<ClientConfig>, port: u16) -> Option<HandshakeKind> {
    let name = ServerName::try_from("web.shop.example").expect("a name");
    let connection = ClientConnection::new(Arc::clone(config), name).expect("a connection");
    let stream = TcpStream::connect(("127.0.0.1", port)).expect("it listens");
    let mut stream = StreamOwned::new(connection, stream);
    ask(&mut stream, "web.shop.example", "/")?;
    stream.conn.handshake_kind()
}

#[test]
fn a_certificate_from_files_and_a_resumed_session_outlive_the_program() {
    let made = rcgen::generate_simple_self_signed(["web.shop.example".to_owned()]).expect("a certificate");
    let product = Product::new("filestory", "");
    product.write("site.pem", &made.cert.pem());
    product.write("site.key", &made.signing_key.serialize_pem());
    let files = "domains = [\"web.shop.example\"]\ntls = \"files\"\ncertificate = { chain = \"site.pem\", key = \"site.key\" }\n";
    product.manifest(&format!("{WEB}{files}"));
    product.up();
    let url = product.until_state("web", "ready")["url"]
        .as_str()
        .expect("it is public")
        .to_owned();
    let port: u16 = url
        .trim_end_matches('/')
        .rsplit(':')
        .next()
        .expect("a port")
        .parse()
        .expect("a port");
    let mut roots = RootCertStore::empty();
    let root = CertificateDer::from_pem_slice(made.cert.pem().as_bytes()).expect("a certificate");
    roots.add(root).expect("it can be trusted");
    let config = ClientConfig::builder_with_provider(Arc::new(rustls::crypto::aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .expect("there are versions")
        .with_root_certificates(roots)
        .with_no_client_auth();
    let config = Arc::new(config);
    assert_eq!(come(&config, port), Some(HandshakeKind::Full));
    let before = product.edge();
    assert!(product.kill_steward());
    product.up_with(&product.another_program(1));
    eventually("another edge serves", || {
        (product.edge()? != before?).then_some(())
    });
    assert_eq!(come(&config, port), Some(HandshakeKind::Resumed));
    let told = product.status()["certificates"][0].clone();
    assert!(told["wrong"].is_null() && told["until"].is_string(), "{told}");
    product.write("site.key", "nonsense");
    let told = eventually("it is told of a bad file", || {
        let told = product.status()["certificates"][0].clone();
        told["wrong"].is_string().then_some(told)
    });
    assert!(
        told["wrong"]
            .as_str()
            .is_some_and(|wrong| wrong.contains("its key cannot be read")),
        "{told}"
    );
    assert!(told["until"].is_string(), "{told}");
    assert!(come(&config, port).is_some(), "the one before is shown");
}
