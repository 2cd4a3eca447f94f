//! The local authority, as those see it who trust it.
#![allow(
    clippy::disallowed_methods,
    reason = "the test looks at the files of the authority"
)]

mod kit;

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use kit::{edge, host};
use tokio::sync::mpsc::unbounded_channel;
use towpath_edge::{Config, Edge, EdgeError, Event, Patience};

async fn start(authority: &Path, port: u16) -> Result<Edge, EdgeError> {
    let config = Config {
        product: "hello".to_owned(),
        authority: authority.to_owned(),
        https: port,
        http: port,
        listen: towpath_model::run::Listen::default(),
        patience: Patience::default(),
        log: None,
        key: None,
    };
    Edge::start(config, unbounded_channel().0).await
}

#[tokio::test]
async fn names_of_this_machine_are_signed_and_no_others() {
    let running = edge().await;
    for name in [
        host("web").as_str(),
        "a.b.hello.localhost",
        "localhost",
        "127.0.0.1",
        "::1",
    ] {
        assert!(running.tls(name, &[]).await.is_ok(), "{name}");
    }
    for name in ["example.com", "localhost.example.com"] {
        assert!(running.tls(name, &[]).await.is_err(), "{name}");
    }
}

#[tokio::test]
async fn only_its_owner_reads_the_key() {
    let running = edge().await;
    let folder = running.folder.path().join("authority");
    let mode = |path: &Path| fs::metadata(path).expect("it is there").permissions().mode() & 0o777;
    assert_eq!(mode(&folder), 0o700);
    assert_eq!(mode(&folder.join("authority.key.pem")), 0o600);
    let trusted = fs::read_to_string(&running.edge.listening().authority).expect("it is there");
    assert!(trusted.contains("BEGIN CERTIFICATE") && !trusted.contains("PRIVATE"));
    assert_eq!(
        fs::read_dir(&folder).expect("it is there").count(),
        2,
        "nothing is left beside them"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn those_who_make_it_at_once_end_with_the_same() {
    let folder = tempfile::tempdir().expect("a folder");
    let authority = folder.path().join("shared/authority");
    let mut starting = tokio::task::JoinSet::new();
    for _ in 0..8 {
        let authority = authority.clone();
        starting.spawn(async move { start(&authority, 0).await.expect("it starts") });
    }
    let edges = starting.join_all().await;
    let connector = kit::connector(&authority.join("authority.pem"), &[]);
    for edge in &edges {
        let at = ("127.0.0.1", edge.listening().https);
        let stream = tokio::net::TcpStream::connect(at).await.expect("it listens");
        let name = rustls::pki_types::ServerName::try_from("web.hello.localhost").expect("a name");
        connector.connect(name, stream).await.expect("it is trusted");
    }
}

#[tokio::test]
async fn an_authority_that_is_broken_says_what_to_do() {
    let folder = tempfile::tempdir().expect("a folder");
    for text in [
        "nonsense",
        "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
    ] {
        fs::write(folder.path().join("authority.key.pem"), text).expect("a file");
        let told = start(folder.path(), 0)
            .await
            .expect_err("it cannot be used")
            .to_string();
        assert!(told.starts_with("the local certificate authority in "), "{told}");
        assert!(
            told.contains("authority.key.pem holds no ") && told.contains("remove the folder"),
            "{told}"
        );
    }
}

#[tokio::test]
async fn an_authority_is_opened_by_the_first_who_wants_it_and_may_be_mended_meanwhile() {
    let folder = tempfile::tempdir().expect("a folder");
    drop(start(folder.path(), 0).await.expect("it starts"));
    let key = folder.path().join("authority.key.pem");
    let sound = fs::read_to_string(&key).expect("it is there");
    fs::write(&key, "nonsense").expect("a file");
    let (sender, mut events) = unbounded_channel();
    let config = Config {
        product: "hello".to_owned(),
        authority: folder.path().to_owned(),
        https: 0,
        http: 0,
        listen: towpath_model::run::Listen::default(),
        patience: Patience::default(),
        log: None,
        key: None,
    };
    let edge = Edge::start(config, sender).await.expect("it starts all the same");
    let secure = async || {
        let at = ("127.0.0.1", edge.listening().https);
        let stream = tokio::net::TcpStream::connect(at).await.expect("it listens");
        let name = rustls::pki_types::ServerName::try_from("web.hello.localhost").expect("a name");
        let connector = kit::connector(&edge.listening().authority, &[]);
        connector.connect(name, stream).await
    };
    let at = ([127, 0, 0, 1], edge.listening().http).into();
    let plain = kit::ask(at, kit::get("nobody", "/")).await;
    assert_eq!(plain.status, http::StatusCode::NOT_FOUND);
    assert!(events.try_recv().is_err(), "plain HTTP does not need it");
    assert!(secure().await.is_err());
    match events.recv().await {
        Some(Event::Untrusted(why)) => assert!(why.contains("remove the folder"), "{why}"),
        other => panic!("{other:?}"),
    }
    fs::write(&key, sound).expect("a file");
    assert!(secure().await.is_ok());
}

#[tokio::test]
async fn what_a_power_cut_has_left_is_made_anew() {
    let folder = tempfile::tempdir().expect("a folder");
    fs::write(folder.path().join("authority.key.pem"), "").expect("a file");
    let edge = start(folder.path(), 0).await.expect("it starts");
    let trusted = fs::read_to_string(&edge.listening().authority).expect("it is there");
    assert!(trusted.contains("BEGIN CERTIFICATE"));
}

#[tokio::test]
async fn the_next_free_port_is_taken() {
    let folder = tempfile::tempdir().expect("a folder");
    let taken = tokio::net::TcpListener::bind("127.0.0.1:0")
        .await
        .expect("a port");
    let port = taken.local_addr().expect("an address").port();
    if port > 65_000 {
        println!("left out: {port} has too few ports above it");
        return;
    }
    let edge = start(folder.path(), port).await.expect("there is one");
    let listening = edge.listening();
    assert!(listening.https > port && listening.https < port + 100);
    assert!(listening.http > listening.https && listening.http < port + 100);
}
