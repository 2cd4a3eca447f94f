//! Which host and path leads where, and what is said to whoever is lost.

mod kit;

use std::time::Duration;

use http::{Method, StatusCode};
use kit::{Instance, edge, get, host, request, target, with};
use std::sync::Arc;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use towpath_edge::{Answer, Route, RouteTo};

const HOLD: Duration = Duration::from_secs(10);

#[tokio::test]
async fn a_component_is_reached_by_its_name_over_http_and_https() {
    let running = edge().await;
    let web = Instance::start("one");
    running.set(target("web", &[("one", web.at)], HOLD)).await;
    assert_eq!(running.get("web", "/a?b=c").await.text(), "one GET /a?b=c");
    for protocols in [&[b"http/1.1".as_slice()][..], &[]] {
        let stream = running.tls(&host("web"), protocols).await.expect("it is trusted");
        let mut sender = kit::http_one(stream).await;
        for _ in 0..3 {
            sender.ready().await.expect("the connection is kept");
            let answered = sender
                .send_request(get(&host("web"), "/"))
                .await
                .expect("an answer");
            assert_eq!(kit::read(answered).await.text(), "one GET /");
        }
    }
    let stream = running.tls(&host("web"), &[b"h2"]).await.expect("it is trusted");
    assert_eq!(stream.get_ref().1.alpn_protocol(), Some(&b"h2"[..]));
    let mut sender = kit::http_two(stream).await;
    let uri = format!("https://{}:1/two", host("web"));
    let asked = http::Request::get(uri).body(http_body_util::Full::<bytes::Bytes>::default());
    let answered = sender
        .send_request(asked.expect("a request"))
        .await
        .expect("an answer");
    assert_eq!(kit::read(answered).await.text(), "one GET /two");
}

#[tokio::test]
async fn an_unknown_name_lists_those_that_there_are() {
    let running = edge().await;
    let lost = running.get("lost", "/").await;
    assert_eq!(lost.status, StatusCode::NOT_FOUND);
    assert!(
        lost.text().contains("No component of hello is public"),
        "{}",
        lost.text()
    );
    for name in ["web", "admin"] {
        running.set(target(name, &[], HOLD)).await;
    }
    let browser = [("accept", "text/html,*/*")];
    let lost = request(Method::GET, &host("lost"), "/", &browser, "");
    let lost = running.ask(lost).await;
    assert_eq!(lost.status, StatusCode::NOT_FOUND);
    assert_eq!(lost.header("content-type"), "text/html; charset=utf-8");
    let port = running.edge.listening().http;
    for name in ["web", "admin"] {
        let link = format!("<a href=\"http://{name}.hello.localhost:{port}/\">");
        assert!(lost.text().contains(&link), "{}", lost.text());
    }
    let plain = running.get("lost", "/").await;
    assert_eq!(plain.header("content-type"), "text/plain; charset=utf-8");
    assert!(
        plain
            .text()
            .contains(&format!("http://web.hello.localhost:{port}/\n"))
    );
}

#[tokio::test]
async fn this_machine_is_the_only_public_component_or_a_list() {
    let running = edge().await;
    let web = Instance::start("one");
    running.set(target("web", &[("one", web.at)], HOLD)).await;
    let mut hidden = target("hidden", &[], HOLD);
    hidden.hosts.clear();
    running.set(hidden).await;
    for name in ["localhost", "127.0.0.1:1", "[::1]:1"] {
        assert_eq!(running.ask(get(name, "/")).await.text(), "one GET /", "{name}");
    }
    running.set(target("second", &[], HOLD)).await;
    assert_eq!(
        running.ask(get("localhost", "/")).await.status,
        StatusCode::NOT_FOUND
    );
    let gone = running.edge.set(vec![("second".to_owned(), None)]).await;
    assert!(gone.is_ok());
    assert_eq!(running.ask(get("localhost", "/")).await.text(), "one GET /");
}

fn part(path: &str, to: RouteTo) -> Route {
    Route {
        path: path.to_owned(),
        to: Some(to),
        rules: Arc::default(),
    }
}

#[tokio::test]
async fn parts_of_an_address_space_lead_elsewhere() {
    let running = edge().await;
    let (web, api) = (Instance::start("web"), Instance::start("api"));
    let mut routed = target("web", &[("web", web.at)], HOLD);
    routed.routes = vec![
        part("/api", RouteTo::Target("api".to_owned())),
        part("/old", RouteTo::Redirect("/new?a".to_owned())),
        part("/lost", RouteTo::Target("nobody".to_owned())),
    ];
    running.set(routed).await;
    running.set(target("api", &[("api", api.at)], HOLD)).await;
    assert_eq!(running.get("web", "/api/x").await.text(), "api GET /api/x");
    assert_eq!(running.get("web", "/apiary").await.text(), "web GET /apiary");
    let old = running.get("web", "/old/page").await;
    assert_eq!(
        (old.status, old.header("location")),
        (StatusCode::TEMPORARY_REDIRECT, "/new?a")
    );
    assert_eq!(
        running.get("web", "/lost").await.status,
        StatusCode::SERVICE_UNAVAILABLE
    );
}

#[tokio::test]
async fn what_is_closed_says_why() {
    let running = edge().await;
    let because = "The budget is spent.\nRaise it.".to_owned();
    running.set(with("web", Answer::Closed { because })).await;
    let closed = running.get("web", "/").await;
    assert_eq!(closed.status, StatusCode::SERVICE_UNAVAILABLE);
    assert!(closed.text().contains("The budget is spent.\nRaise it.\n"));
    let seen = running.edge.traffic("web");
    assert_eq!((seen.requests, seen.errors), (1, 1));
}

#[tokio::test]
async fn a_request_without_a_sound_host_is_refused() {
    let running = edge().await;
    running.set(target("web", &[], HOLD)).await;
    for head in [
        "GET / HTTP/1.1\r\n\r\n",
        "GET / HTTP/1.0\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a b\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: \r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a@b\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: web.hello.localhost\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
        "GET / HTTP/1.1\r\nHost web\r\n\r\n",
        "\0\0\0\0 HTTP/1.1\r\n\r\n",
    ] {
        let answer = exchange(running.http(), head.as_bytes()).await;
        let status = answer.split(' ').nth(1);
        assert_eq!(status, Some("400"), "{head:?} has {answer:?}");
    }
    let large = format!("GET / HTTP/1.1\r\nHost: a\r\nX: {}\r\n\r\n", "x".repeat(100_000));
    let answer = exchange(running.http(), large.as_bytes()).await;
    assert!(answer.is_empty() || answer.contains(" 431 "), "{answer}");
    // What was sent did no harm.
    assert_eq!(running.get("lost", "/").await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn plain_http_at_the_port_for_https_is_sent_to_https() {
    let running = edge().await;
    let asked = get(&format!("{}:1", host("web")), "/a?b");
    let sent = kit::ask(running.https(), asked).await;
    let port = running.edge.listening().https;
    let expected = format!("https://web.hello.localhost:{port}/a?b");
    assert_eq!(
        (sent.status, sent.header("location")),
        (StatusCode::TEMPORARY_REDIRECT, expected.as_str())
    );
}

#[tokio::test]
async fn both_families_of_addresses_are_listened_on() {
    let running = edge().await;
    let port = running.edge.listening().http;
    let here = match TcpStream::connect(("::1", port)).await {
        Ok(stream) => stream,
        Err(error) => {
            let none = tokio::net::TcpListener::bind(("::1", 0)).await.is_err();
            assert!(none, "::1 is there and not listened on: {error}");
            println!("left out: this machine has no IPv6");
            return;
        }
    };
    let mut sender = kit::http_one(here).await;
    let answered = sender.send_request(get("lost", "/")).await.expect("an answer");
    assert_eq!(answered.status(), StatusCode::NOT_FOUND);
}

/// Sends bytes and reads what comes until the end.
async fn exchange(at: std::net::SocketAddr, bytes: &[u8]) -> String {
    let mut stream = TcpStream::connect(at).await.expect("somebody listens");
    // A head that is too large is answered before it has been sent.
    let _ = stream.write_all(bytes).await;
    let mut answer = Vec::new();
    let read = tokio::time::timeout(kit::BOUND, stream.read_to_end(&mut answer));
    let read = read.await;
    assert!(
        read.is_ok(),
        "the connection does not end after {:?}",
        String::from_utf8_lossy(bytes).get(..60)
    );
    String::from_utf8_lossy(&answer).into_owned()
}
