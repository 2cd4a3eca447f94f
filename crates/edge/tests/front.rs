//! What holds in front of everything: certificates from files, the way to HTTPS, whom the edge lets in and believes.
#![allow(
    clippy::disallowed_methods,
    reason = "the test exchanges the files of a certificate"
)]

mod kit;

use std::collections::BTreeMap;
use std::fs;
use std::net::SocketAddr;
use std::time::Duration;

use http::{Method, StatusCode};
use kit::{Instance, Running, edge, get, host, http_one, http_two, read, request, target, until};
use rcgen::{CertificateParams, KeyPair};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};
use towpath_model::run::{Certificate, Front};
use towpath_model::unit::{Cidr, Unit};

const DOMAIN: &str = "shop.example.com";

async fn shop() -> (Running, Instance) {
    let running = edge().await;
    let instance = Instance::start("one");
    let mut web = target("web", &[("one", instance.at)], Duration::from_secs(1));
    web.hosts.push(DOMAIN.to_owned());
    running.set(web).await;
    (running, instance)
}

async fn face(running: &Running, front: Front) {
    running
        .edge
        .face(front, running.folder.path().join("certificates"))
        .await;
}

fn domains(from: Certificate) -> BTreeMap<String, Certificate> {
    BTreeMap::from([(DOMAIN.to_owned(), from)])
}

fn network(text: &str) -> Cidr {
    Cidr::parse(text).expect("a network")
}

/// Puts a new certificate for a name into the files, and answers where they are.
fn put(running: &Running, name: &str) -> Certificate {
    let key = KeyPair::generate().expect("a key");
    let params = CertificateParams::new([name.to_owned()]).expect("a name");
    let certificate = params.self_signed(&key).expect("it is signed");
    let at = |name: &str| running.folder.path().join(name);
    fs::write(at("site.pem"), certificate.pem()).expect("a file");
    fs::write(at("site.key"), key.serialize_pem()).expect("a file");
    Certificate::Files {
        chain: at("site.pem").display().to_string(),
        key: at("site.key").display().to_string(),
    }
}

/// Whether a visitor who believes what stands in the file now is shown exactly that.
async fn is_shown(running: &Running) -> bool {
    let connector = kit::connector(&running.folder.path().join("site.pem"), &[]);
    let stream = TcpStream::connect(running.https()).await.expect("it listens");
    let name = rustls::pki_types::ServerName::try_from(DOMAIN).expect("a name");
    connector.connect(name, stream).await.is_ok()
}

#[tokio::test]
async fn a_certificate_from_files_is_shown_and_exchanged_while_visitors_come() {
    let (running, _instance) = shop().await;
    assert!(
        running.tls(DOMAIN, &[]).await.is_err(),
        "it is no name of this machine"
    );
    let files = put(&running, DOMAIN);
    face(
        &running,
        Front {
            domains: domains(files),
            ..Front::default()
        },
    )
    .await;
    assert!(is_shown(&running).await);
    assert!(running.tls(&host("web"), &[]).await.is_ok(), "others have theirs");
    let before = fs::read_to_string(running.folder.path().join("site.pem")).expect("it is there");
    put(&running, DOMAIN);
    until("the new one", async || is_shown(&running).await).await;
    let good = fs::read_to_string(running.folder.path().join("site.pem")).expect("it is there");
    assert_ne!(before, good);
    put(&running, "other.example.com");
    until("a word about the bad one", async || {
        let told = running.edge.certificates().await;
        told.iter().any(|one| {
            one.until.is_some()
                && one
                    .wrong
                    .as_ref()
                    .is_some_and(|wrong| wrong.contains("it holds for other.example.com"))
        })
    })
    .await;
    fs::write(running.folder.path().join("site.pem"), good).expect("a file");
    assert!(
        is_shown(&running).await,
        "the one before is shown until there is a good one"
    );
}

#[tokio::test]
async fn plain_http_leads_to_https_under_domains_with_a_certificate() {
    let (running, instance) = shop().await;
    let files = put(&running, DOMAIN);
    let front = Front {
        https_only: true,
        domains: domains(files),
        ..Front::default()
    };
    face(&running, front.clone()).await;
    let asked = async |host: &str, path: &str| {
        let reply = running.ask(request(Method::POST, host, path, &[], "body")).await;
        (reply.status.as_u16(), reply.header("location").to_owned())
    };
    let https = running.https().port();
    let with_port = format!("{DOMAIN}:{}", running.http().port());
    assert_eq!(
        asked(DOMAIN, "/a%20b?c=d&e").await,
        (308, format!("https://{DOMAIN}/a%20b?c=d&e"))
    );
    assert_eq!(
        asked(&with_port, "/a").await,
        (308, format!("https://{DOMAIN}:{https}/a"))
    );
    assert_eq!(instance.got(), 0);
    assert_eq!(asked(DOMAIN, "/.well-known/acme-challenge/x").await.0, 200);
    assert_eq!(
        asked(&host("web"), "/a").await.0,
        200,
        "names of this machine stay as they are"
    );
    for from in [Certificate::Off, Certificate::InFront] {
        let domains = domains(from.clone());
        face(
            &running,
            Front {
                domains,
                ..front.clone()
            },
        )
        .await;
        assert_eq!(asked(DOMAIN, "/a").await.0, 200, "{from:?}");
    }
    face(
        &running,
        Front {
            https_only: false,
            ..front
        },
    )
    .await;
    assert_eq!(asked(DOMAIN, "/a").await.0, 200);
}

#[tokio::test]
async fn visitors_choose_from_the_protocols_that_are_said() {
    let (running, _instance) = shop().await;
    let chosen = async |spoken: &[&[u8]]| {
        let stream = running.tls(&host("web"), spoken).await.ok()?;
        stream.get_ref().1.alpn_protocol().map(<[u8]>::to_vec)
    };
    let both: [&[u8]; 2] = [b"h2", b"http/1.1"];
    assert_eq!(chosen(&both).await.as_deref(), Some(&b"h2"[..]));
    let only = |word: &str| Front {
        protocols: vec![word.to_owned()],
        ..Front::default()
    };
    face(&running, only("http/1.1")).await;
    assert_eq!(chosen(&both).await.as_deref(), Some(&b"http/1.1"[..]));
    assert_eq!(chosen(&[b"h2"]).await, None);
    let stream = running.tls(&host("web"), &both).await.expect("it is trusted");
    let reply = http_one(stream).await.send_request(get(&host("web"), "/")).await;
    assert_eq!(read(reply.expect("it answers")).await.status, StatusCode::OK);
    face(&running, only("h2")).await;
    let stream = running.tls(&host("web"), &both).await.expect("it is trusted");
    let mut sender = http_two(stream).await;
    let asked = http::Request::get(format!("https://{}/", host("web")));
    let reply = sender
        .send_request(
            asked
                .body(http_body_util::Empty::<bytes::Bytes>::new())
                .expect("a request"),
        )
        .await;
    assert_eq!(read(reply.expect("it answers")).await.status, StatusCode::OK);
}

/// Connects from an address of this machine.
async fn from(address: &str, to: SocketAddr) -> std::io::Result<TcpStream> {
    let socket = TcpSocket::new_v4()?;
    socket.bind(SocketAddr::new(address.parse().expect("an address"), 0))?;
    socket.connect(to).await
}

/// What comes back for these bytes, to the end.
async fn said(mut stream: TcpStream, bytes: &[u8]) -> String {
    let mut back = Vec::new();
    // Whoever is refused may be told so while they still speak.
    let _ = stream.write_all(bytes).await;
    let _ = tokio::time::timeout(kit::BOUND, stream.read_to_end(&mut back))
        .await
        .expect("it ends");
    String::from_utf8_lossy(&back).into_owned()
}

fn asks(more: &str) -> String {
    format!("GET /headers HTTP/1.1\r\nhost: {DOMAIN}\r\nconnection: close\r\n{more}\r\n")
}

#[tokio::test]
async fn others_than_those_who_may_are_refused_before_a_word() {
    let (running, instance) = shop().await;
    let front = Front {
        allow: vec![network("127.0.0.2/32")],
        ..Front::default()
    };
    face(&running, front).await;
    for to in [running.http(), running.https()] {
        let refused = from("127.0.0.1", to).await.expect("the system takes it");
        assert_eq!(said(refused, asks("").as_bytes()).await, "");
    }
    assert!(running.tls(&host("web"), &[]).await.is_err());
    assert_eq!(instance.got(), 0);
    let friend = from("127.0.0.2", running.http()).await.expect("it listens");
    assert!(
        said(friend, asks("").as_bytes())
            .await
            .starts_with("HTTP/1.1 200")
    );
}

#[tokio::test]
async fn what_is_said_of_a_visitor_is_believed_of_those_who_are_named_alone() {
    let (running, _instance) = shop().await;
    let front = Front {
        https_only: true,
        forwarders: vec![network("127.0.0.2/32"), network("10.0.0.0/8")],
        domains: domains(Certificate::InFront),
        ..Front::default()
    };
    face(&running, front).await;
    let told = "x-forwarded-for: 6.6.6.6, 203.0.113.7, 10.1.2.3\r\nx-forwarded-proto: https\r\nforwarded: for=9.9.9.9\r\n";
    let ask = async |by: &str, more: &str| {
        let stream = from(by, running.http()).await.expect("it listens");
        said(stream, asks(more).as_bytes()).await
    };
    let believed = ask("127.0.0.2", told).await;
    for line in [
        "\nx-forwarded-for: 203.0.113.7\n",
        "\nx-forwarded-proto: https\n",
        "\nforwarded: for=203.0.113.7;host=\"shop.example.com\";proto=https\n",
    ] {
        assert!(believed.contains(line), "{line}: {believed}");
    }
    let stranger = ask("127.0.0.1", told).await;
    for line in [
        "\nx-forwarded-for: 127.0.0.1\n",
        "\nx-forwarded-proto: http\n",
        "\nforwarded: for=127.0.0.1;host=\"shop.example.com\";proto=http\n",
    ] {
        assert!(stranger.contains(line), "{line}: {stranger}");
    }
    let plain = ask(
        "127.0.0.2",
        "x-forwarded-for: 203.0.113.7\r\nx-forwarded-proto: http\r\n",
    )
    .await;
    assert!(plain.starts_with("HTTP/1.1 308"), "{plain}");
    assert!(
        plain.contains("location: https://shop.example.com/headers\r\n"),
        "{plain}"
    );
}

#[tokio::test]
async fn networks_and_rates_are_those_of_the_visitor() {
    let (running, instance) = shop().await;
    let mut web = target("web", &[("one", instance.at)], Duration::from_secs(1));
    web.hosts.push(DOMAIN.to_owned());
    web.rules = std::sync::Arc::new(towpath_model::run::Rules {
        allow: vec![network("203.0.113.0/24")],
        ..Default::default()
    });
    running.set(web).await;
    let front = Front {
        forwarders: vec![network("127.0.0.1/32")],
        ..Front::default()
    };
    face(&running, front).await;
    for (visitor, status) in [
        ("203.0.113.7", 200),
        ("198.51.100.7", 403),
        ("203.0.113.7, 198.51.100.7", 403),
    ] {
        let asked = request(Method::GET, DOMAIN, "/", &[("x-forwarded-for", visitor)], "");
        assert_eq!(running.ask(asked).await.status.as_u16(), status, "{visitor}");
    }
}

#[tokio::test]
async fn the_proxy_protocol_is_read_from_forwarders_and_from_nobody_else() {
    let (running, instance) = shop().await;
    let front = Front {
        forwarders: vec![network("127.0.0.2/32")],
        proxy_protocol: true,
        ..Front::default()
    };
    face(&running, front).await;
    let ask =
        async |by: &str, bytes: &[u8]| said(from(by, running.http()).await.expect("it listens"), bytes).await;
    let line = "PROXY TCP4 203.0.113.7 192.0.2.1 51000 80\r\n";
    let first = [line.as_bytes(), asks("").as_bytes()].concat();
    let mut second = b"\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0C".to_vec();
    second.extend([203, 0, 113, 9, 192, 0, 2, 1, 0xC7, 0x38, 0, 80]);
    second.extend(asks("x-forwarded-for: 6.6.6.6\r\n").as_bytes());
    let told = ask("127.0.0.2", &first).await;
    assert!(told.contains("\nx-forwarded-for: 203.0.113.7\n"), "{told}");
    let told = ask("127.0.0.2", &second).await;
    assert!(
        told.contains("\nx-forwarded-for: 203.0.113.9\n"),
        "a visitor says nothing of itself: {told}"
    );
    let got = instance.got();
    for wrong in [
        asks("").into_bytes(),
        b"PROXY TCP4 nonsense\r\n".to_vec(),
        b"PROXY UNKNOWN ".repeat(40),
    ] {
        assert_eq!(ask("127.0.0.2", &wrong).await, "", "{}", wrong.escape_ascii());
    }
    let stranger = ask("127.0.0.1", &first).await;
    assert!(!stranger.contains("203.0.113.7"), "{stranger}");
    assert_eq!(instance.got(), got);
    let direct = ask("127.0.0.1", asks("").as_bytes()).await;
    assert!(direct.contains("\nx-forwarded-for: 127.0.0.1\n"), "{direct}");
}
