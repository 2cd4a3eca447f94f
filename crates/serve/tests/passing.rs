//! Questions are passed on to stewards and their answers back, as they flow, and stewards that die come again.
#![allow(
    clippy::disallowed_methods,
    reason = "a machine has a real folder and real sockets"
)]

mod kit;

use http::{Method, StatusCode};
use kit::{BOUND, Bed};
use std::sync::Arc;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use towpath_api::{Client, ClientError, Event, Machine, Problem, Remote, Status, Verb};
use towpath_serve::{Config, Outside, serve};

const PROD: &str = "/v1/products/shop/environments/prod";

#[tokio::test]
async fn what_is_asked_reaches_the_steward_of_that_environment_and_nobody_else() {
    let bed = Bed::new().await;
    let (status, kind, text) = bed.ask(Method::GET, &format!("{PROD}/status"), Vec::new()).await;
    assert_eq!(
        (status.as_u16(), kind.as_str()),
        (404, "application/problem+json"),
        "{text}"
    );
    let problem: Problem = serde_json::from_str(&text).expect("it is one");
    assert_eq!(problem.code, "unknown-environment");

    let (_, _, text) = bed
        .ask(Method::POST, &format!("{PROD}/down"), b"{}".to_vec())
        .await;
    assert_eq!(text, "/down 2", "whoever changes something begins it");
    let (status, kind, text) = bed
        .ask(Method::GET, &format!("{PROD}/status?usage=no"), Vec::new())
        .await;
    assert_eq!((status.as_u16(), kind.as_str()), (200, "application/json"));
    assert_eq!(text, "/status?usage=no 0");
    let (status, kind, text) = bed.ask(Method::GET, &format!("{PROD}/refused"), Vec::new()).await;
    assert_eq!(
        (status.as_u16(), kind.as_str()),
        (418, "application/problem+json"),
        "{text}"
    );
    let (_, _, text) = bed.ask(Method::GET, "/v1", Vec::new()).await;
    let machine: Machine = serde_json::from_str(&text).expect("it is one");
    assert_eq!(machine.version, "1.2.3");
    assert_eq!(machine.products[0].environments, ["prod"]);
    bed.end().await;
}

#[tokio::test]
async fn a_file_passes_however_long_it_is_and_anything_else_only_so_long() {
    let bed = Bed::new().await;
    let long = vec![7; 65 * 1024 * 1024];
    let (status, _, text) = bed
        .ask(Method::PUT, &format!("{PROD}/artifacts/5b1c"), long.clone())
        .await;
    assert_eq!(
        (status.as_u16(), text.as_str()),
        (200, "/artifacts/5b1c 68157440")
    );
    let (status, _, text) = bed.ask(Method::POST, &format!("{PROD}/deploy"), long).await;
    assert_eq!(status.as_u16(), 413, "{text}");
    bed.end().await;
}

#[tokio::test]
async fn what_a_steward_says_comes_as_it_is_said() {
    let bed = Bed::new().await;
    let client = bed.client(&[Verb::Read, Verb::Operate]).await;
    let begun = client.text("/status").await;
    assert!(matches!(begun, Err(ClientError::Refused(problem)) if problem.status == 404));
    client
        .follow(Method::POST, "/maintenance", &())
        .await
        .expect("it is begun");
    let mut lines = client
        .follow(Method::POST, "/logs", &())
        .await
        .expect("it is answered");
    let first = tokio::time::timeout(BOUND, lines.next::<Event>()).await;
    let first = first.expect("it comes by itself");
    assert!(matches!(first, Ok(Some(Event::Settled { .. }))), "{first:?}");
    bed.fakes.next.notify_one();
    assert!(matches!(lines.next::<Event>().await, Ok(Some(Event::Gone))));
    assert!(matches!(lines.next::<Event>().await, Ok(None)));
    bed.end().await;
}

#[tokio::test]
async fn whoever_comes_over_tls_may_do_what_their_token_allows() {
    let bed = Bed::new().await;
    let client = bed.client(&[Verb::Read, Verb::Operate]).await;
    let refused = |asked: Result<Status, ClientError>| match asked {
        Err(ClientError::Refused(problem)) => (problem.status, problem.message),
        other => panic!("it was to be refused: {other:?}"),
    };
    let asked = client.ask(Method::POST, "/deploy", &()).await;
    assert_eq!(
        refused(asked),
        (403, "this token does not allow `deploy`".to_owned())
    );
    // Whoever may do everything may do what nobody has thought of, and nobody else may.
    let everything = bed.client(&[Verb::Admin]).await;
    assert_eq!(
        everything.text("/whatever").await.expect("it is answered"),
        "/whatever"
    );
    let asked = client.ask(Method::GET, "/whatever", &()).await;
    assert_eq!(
        refused(asked),
        (403, "this token does not allow `admin`".to_owned())
    );
    let port = bed.open.listen.expect("it listens").port();
    let outside = Remote::new("127.0.0.1", port, bed.token(&[Verb::Admin]).await, "till", "prod");
    let asked = Client::elsewhere(outside).ask(Method::GET, "/status", &()).await;
    assert_eq!(
        refused(asked),
        (403, "this token is for the product `shop`".to_owned())
    );
    bed.end().await;
}

#[tokio::test]
async fn a_steward_that_dies_is_followed_by_another_one_and_the_machine_says_so_once() {
    let mut bed = Bed::new().await;
    bed.ask(Method::POST, &format!("{PROD}/down"), b"{}".to_vec())
        .await;
    bed.started().await;
    for _ in 0..3 {
        bed.followed().await;
        bed.kill().await;
        bed.started().await;
    }
    let said = bed.fakes.said();
    assert_eq!(
        said,
        ["the steward of shop in prod has died; another one is started"]
    );
    let (status, _, _) = bed.ask(Method::GET, &format!("{PROD}/status"), Vec::new()).await;
    assert_eq!(status, StatusCode::OK);
    bed.end().await;
}

#[tokio::test]
async fn a_head_that_is_too_long_is_refused_and_a_folder_is_served_once() {
    let bed = Bed::new().await;
    let mut stream = towpath_api::connect(&bed.open.socket).await.expect("it listens");
    let head = format!("GET /v1 HTTP/1.1\r\nhost: a\r\nx: {}\r\n\r\n", "a".repeat(20_000));
    // It is refused before all of it is there.
    let _ = stream.write_all(head.as_bytes()).await;
    let mut said = Vec::new();
    let read = tokio::time::timeout(BOUND, stream.read_to_end(&mut said)).await;
    let _ = read.expect("it ends");
    assert!(
        said.starts_with(b"HTTP/1.1 431"),
        "{}",
        String::from_utf8_lossy(&said)
    );

    let config = Config {
        home: bed.home(),
        listen: None,
        files: None,
        version: "1.2.3",
    };
    let outside = Arc::clone(&bed.fakes) as Arc<dyn Outside>;
    let second = serve(config, outside, |_| {}, std::future::pending()).await;
    assert!(
        second
            .expect_err("one is there")
            .to_string()
            .contains("another `towpath serve`")
    );
    // A port that speaks TLS says nothing to who does not.
    let mut plain = TcpStream::connect(bed.open.listen.expect("it listens"))
        .await
        .expect("it listens");
    plain
        .write_all(b"GET /v1 HTTP/1.1\r\n\r\n")
        .await
        .expect("it is sent");
    let mut said = Vec::new();
    let read = tokio::time::timeout(BOUND, plain.read_to_end(&mut said)).await;
    let _ = read.expect("it ends");
    assert!(!said.starts_with(b"HTTP"));
    bed.end().await;
}
