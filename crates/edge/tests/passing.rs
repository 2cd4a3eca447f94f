//! What an instance sees of a request, and a visitor of an answer.

mod kit;

use std::time::Duration;

use bytes::Bytes;
use futures_util::stream;
use http::{HeaderMap, Method, Request, StatusCode, Version};
use http_body_util::{BodyExt, Full, StreamBody};
use hyper::body::Frame;
use kit::{Instance, Running, edge, get, host, request, target};
use tokio::net::TcpStream;
use tokio::time::timeout;

const HOLD: Duration = Duration::from_secs(10);

async fn with_one(change: impl FnOnce(&mut towpath_edge::Target)) -> (Running, Instance) {
    let running = edge().await;
    let instance = Instance::start("one");
    let mut web = target("web", &[("one", instance.at)], HOLD);
    change(&mut web);
    running.set(web).await;
    (running, instance)
}

#[tokio::test]
async fn headers_of_one_connection_end_and_who_forwards_is_told_anew() {
    let (running, _one) = with_one(|_| {}).await;
    let headers = [
        ("x-forwarded-for", "6.6.6.6"),
        ("forwarded", "for=6.6.6.6"),
        ("connection", "x-mine"),
        ("x-mine", "1"),
        ("proxy-authorization", "secret"),
        ("x-kept", "2"),
        ("x-request-id", "4bf92f3577b34da6"),
    ];
    let name = format!("{}:7", host("web"));
    let seen = running
        .ask(request(Method::GET, &name, "/headers", &headers, ""))
        .await;
    // The trace has a test of its own.
    let told = seen
        .text()
        .lines()
        .filter(|line| !line.starts_with("traceparent: "));
    let mut lines: Vec<&str> = told.collect();
    lines.sort_unstable();
    assert_eq!(
        lines,
        [
            "forwarded: for=127.0.0.1;host=\"web.hello.localhost:7\";proto=http",
            "host: web.hello.localhost:7",
            "x-forwarded-for: 127.0.0.1",
            "x-forwarded-host: web.hello.localhost:7",
            "x-forwarded-proto: http",
            "x-kept: 2",
            "x-request-id: 4bf92f3577b34da6",
        ]
    );
    assert_eq!(seen.header("x-request-id"), "4bf92f3577b34da6");
    let made = running.get("web", "/headers").await;
    let id = made.header("x-request-id");
    assert!(id.len() == 32 && made.text().contains(&format!("x-request-id: {id}\n")));
    assert_ne!(running.get("nobody", "/").await.header("x-request-id"), id);
    let hop = running.get("web", "/hop").await;
    assert_eq!(
        (
            hop.header("connection"),
            hop.header("x-inner"),
            hop.header("keep-alive")
        ),
        ("", "", "")
    );
    let stream = running.tls(&host("web"), &[]).await.expect("it is trusted");
    let mut sender = kit::http_one(stream).await;
    let answered = sender
        .send_request(get(&host("web"), "/headers"))
        .await
        .expect("an answer");
    assert!(
        kit::read(answered)
            .await
            .text()
            .contains("x-forwarded-proto: https\n")
    );
}

#[tokio::test]
async fn bodies_pass_while_they_are_written() {
    let (running, one) = with_one(|_| {}).await;
    for path in ["/events", "/stream"] {
        let mut sender = kit::http_one(TcpStream::connect(running.http()).await.expect("it listens")).await;
        let answered = sender
            .send_request(get(&host("web"), path))
            .await
            .expect("an answer");
        let mut body = answered.into_body();
        let first = timeout(kit::BOUND, body.frame())
            .await
            .expect("it comes before the second one");
        let first = first.expect("a frame").expect("it is whole");
        assert_eq!(first.into_data().expect("bytes"), "data: 0\n\n");
        one.go.notify_one();
        let second = body.frame().await.expect("a frame").expect("it is whole");
        assert_eq!(second.into_data().expect("bytes"), "data: 1\n\n");
    }
    // The same the other way: a part of the body is answered before the next one is written.
    for method in [Method::POST, Method::PUT] {
        let (parts, body) = tokio::sync::mpsc::unbounded_channel::<&'static str>();
        let body = stream::unfold(body, |mut body| async {
            let part = body.recv().await?;
            Some((Ok::<_, std::io::Error>(Frame::data(Bytes::from(part))), body))
        });
        let asked = Request::builder()
            .method(method)
            .uri("/echo")
            .header("host", host("web"));
        let asked = asked.body(StreamBody::new(Box::pin(body))).expect("a request");
        let mut sender = kit::http_one(TcpStream::connect(running.http()).await.expect("it listens")).await;
        parts.send("first").expect("it is read");
        let mut back = sender.send_request(asked).await.expect("an answer").into_body();
        for part in ["first", "second"] {
            if part == "second" {
                parts.send("second").expect("it is read");
            }
            let came = timeout(kit::BOUND, back.frame()).await.expect("it comes at once");
            assert_eq!(
                came.expect("a frame")
                    .expect("it is whole")
                    .into_data()
                    .expect("bytes"),
                part
            );
        }
        drop(parts);
        assert!(back.frame().await.is_none());
    }
}

#[tokio::test]
async fn a_large_body_passes_both_ways_whole() {
    let (running, _one) = with_one(|_| {}).await;
    let sent: Vec<u8> = (0..5_000_000_u32).map(|at| (at / 7) as u8).collect();
    for method in [Method::POST, Method::PUT] {
        let asked = Request::builder()
            .method(method)
            .uri("/echo")
            .header("host", host("web"));
        let asked = asked
            .body(Full::new(Bytes::from(sent.clone())))
            .expect("a request");
        let back = running.ask(asked).await;
        assert!(back.body == sent, "{} bytes came back", back.body.len());
    }
}

#[tokio::test]
async fn trailers_pass_over_both_versions() {
    for grpc in [false, true] {
        let (running, _one) = with_one(|web| web.grpc = grpc).await;
        let stream = running.tls(&host("web"), &[b"h2"]).await.expect("it is trusted");
        let mut sender = kit::http_two(stream).await;
        let mut trailers = HeaderMap::new();
        trailers.insert("x-sum", http::HeaderValue::from_static("42"));
        let frames = [Frame::data(Bytes::from("body")), Frame::trailers(trailers)];
        let frames = stream::iter(frames.map(Ok::<_, std::io::Error>));
        let asked = Request::post(format!("https://{}/trailers", host("web")))
            .header("te", "trailers")
            .header("trailer", "x-sum")
            .body(StreamBody::new(frames))
            .expect("a request");
        let reply = kit::read(sender.send_request(asked).await.expect("an answer")).await;
        assert_eq!(reply.text(), if grpc { "HTTP/2.0" } else { "HTTP/1.1" });
        let trailers = reply.trailers.expect("there are trailers");
        assert_eq!(
            trailers.get("grpc-status").map(|value| value.as_bytes()),
            Some(&b"0"[..])
        );
        assert_eq!(
            trailers.get("x-sum").map(|value| value.as_bytes()),
            Some(&b"42"[..])
        );
    }
}

#[tokio::test]
async fn inside_ports_speak_both_versions() {
    let port = free_port().await;
    let (running, _one) = with_one(|web| {
        web.inside = Some(port);
        web.grpc = true;
    })
    .await;
    let at = ([127, 0, 0, 1], port).into();
    let reply = kit::ask(at, get("web", "/a")).await;
    assert_eq!(
        (reply.text().ends_with("/a"), reply.header("x-version")),
        (true, "2")
    );
    let mut sender = kit::http_two(TcpStream::connect(at).await.expect("it listens")).await;
    for _ in 0..3 {
        let asked = Request::get("http://web:1/b")
            .body(Full::<Bytes>::default())
            .expect("a request");
        let reply = kit::read(sender.send_request(asked).await.expect("an answer")).await;
        assert_eq!(reply.header("x-version"), "2");
    }
    assert!(running.edge.set(vec![("web".to_owned(), None)]).await.is_ok());
    assert!(TcpStream::connect(at).await.is_err(), "the port is closed");
}

#[tokio::test]
async fn an_inside_port_that_is_taken_is_told_and_tried_again() {
    let running = edge().await;
    let one = Instance::start("one");
    let other = tokio::net::TcpListener::bind("127.0.0.1:0")
        .await
        .expect("a port");
    let port = other.local_addr().expect("an address").port();
    let mut web = target("web", &[("one", one.at)], HOLD);
    web.inside = Some(port);
    let told = running
        .edge
        .set(vec![("web".to_owned(), Some(web.clone()))])
        .await
        .expect_err("it is taken");
    assert_eq!(
        told[0].to_string(),
        format!("port {port}, which `web` is reached by, is taken")
    );
    assert_eq!(
        running.get("web", "/").await.status,
        StatusCode::OK,
        "the rest is set"
    );
    drop(other);
    running.set(web.clone()).await;
    // Another target takes the port over in the same instant.
    let two = Instance::start("two");
    let mut next = target("next", &[("two", two.at)], HOLD);
    next.inside = Some(port);
    web.inside = None;
    let both = vec![("next".to_owned(), Some(next)), ("web".to_owned(), Some(web))];
    running.edge.set(both).await.expect("the port is ours");
    let reply = kit::ask(([127, 0, 0, 1], port).into(), get("any", "/")).await;
    assert_eq!(reply.text(), "two GET /");
}

#[tokio::test]
async fn answers_are_compressed_where_that_helps_and_nobody_minds() {
    let (running, one) = with_one(|web| web.compress = true).await;
    let ask = async |path: &str, accept: &str| {
        let headers = [("accept-encoding", accept)];
        running
            .ask(request(Method::GET, &host("web"), path, &headers, ""))
            .await
    };
    for (accept, coding) in [("gzip", "gzip"), ("br", "br"), ("gzip, br, zstd", "zstd")] {
        let reply = ask("/long", accept).await;
        assert_eq!(reply.header("content-encoding"), coding);
        assert_eq!(
            (reply.header("etag"), reply.header("content-length")),
            ("W/\"1\"", "")
        );
        assert_eq!(reply.header("vary"), "accept-encoding");
        let plain = unpack(coding, &reply.body).await;
        assert_eq!(plain, "a long text, again and again. ".repeat(1_000), "{coding}");
        assert!(reply.body.len() < 2_000);
    }
    for (path, accept) in [
        ("/long", ""),
        ("/short", "gzip"),
        ("/untouched", "gzip"),
        ("/", "gzip"),
    ] {
        assert_eq!(ask(path, accept).await.header("content-encoding"), "", "{path}");
    }
    // What has come is not kept back until more has.
    for (path, coding) in [("/stream", "gzip"), ("/events", "")] {
        let asked = request(
            Method::GET,
            &host("web"),
            path,
            &[("accept-encoding", "gzip")],
            "",
        );
        let mut sender = kit::http_one(TcpStream::connect(running.http()).await.expect("it listens")).await;
        let answered = sender.send_request(asked).await.expect("an answer");
        let came = answered
            .headers()
            .get("content-encoding")
            .map_or("", |value| value.to_str().unwrap());
        assert_eq!(came, coding, "{path}");
        let mut body = answered.into_body();
        let first = timeout(kit::BOUND, body.frame())
            .await
            .expect("it comes before the second one");
        assert!(first.is_some_and(|first| first.is_ok()));
        one.go.notify_one();
        assert!(body.collect().await.is_ok());
    }
}

async fn unpack(coding: &str, bytes: &[u8]) -> String {
    use async_compression::tokio::write::{BrotliDecoder, GzipDecoder, ZstdDecoder};
    use tokio::io::AsyncWriteExt;
    macro_rules! with {
        ($decoder:ident) => {{
            let mut decoder = $decoder::new(Vec::new());
            decoder.write_all(bytes).await.expect("it is whole");
            decoder.shutdown().await.expect("it is whole");
            decoder.into_inner()
        }};
    }
    let plain = match coding {
        "gzip" => with!(GzipDecoder),
        "br" => with!(BrotliDecoder),
        _ => with!(ZstdDecoder),
    };
    String::from_utf8(plain).expect("it is text")
}

#[tokio::test]
async fn requests_spread_over_instances_and_visitors_stay_where_they_may() {
    let running = edge().await;
    let (one, two) = (Instance::start("one"), Instance::start("two"));
    let mut web = target("web", &[("one", one.at), ("two", two.at)], HOLD);
    running.set(web.clone()).await;
    for _ in 0..10 {
        assert_eq!(running.get("web", "/").await.status, StatusCode::OK);
    }
    // Whoever was slow once gets fewer, and not none.
    assert_eq!(one.got() + two.got(), 10);
    assert!(one.got().min(two.got()) >= 1, "{} and {}", one.got(), two.got());
    // While one of them is busy, nobody waits for that. Which one is asked depends on how fast each was: `balance` looks at it.
    let before = one.got();
    let waiting = tokio::spawn(kit::ask(running.http(), get(&host("web"), "/wait")));
    kit::until("the request", async || one.got() + two.got() == 11).await;
    let busy = if one.got() > before { &one } else { &two };
    for _ in 0..6 {
        assert_eq!(running.get("web", "/").await.status, StatusCode::OK);
    }
    busy.go.notify_one();
    assert_eq!(waiting.await.expect("it ends").status, StatusCode::OK);
    web.sticky = true;
    running.set(web.clone()).await;
    let first = running.get("web", "/").await;
    let cookie = first
        .header("set-cookie")
        .split(';')
        .next()
        .unwrap_or_default()
        .to_owned();
    assert!(
        first
            .header("set-cookie")
            .ends_with("; Path=/; HttpOnly; SameSite=Lax")
    );
    for _ in 0..6 {
        let headers = [("cookie", cookie.as_str())];
        let again = running
            .ask(request(Method::GET, &host("web"), "/", &headers, ""))
            .await;
        assert_eq!((again.text(), again.header("set-cookie")), (first.text(), ""));
    }
    // Its instance has gone: another one takes the visitor, and keeps it.
    let gone = &first.text()[..3];
    web.answer = target(
        "web",
        &[if gone == "one" {
            ("two", two.at)
        } else {
            ("one", one.at)
        }],
        HOLD,
    )
    .answer;
    running.set(web).await;
    let headers = [("cookie", cookie.as_str())];
    let moved = running
        .ask(request(Method::GET, &host("web"), "/", &headers, ""))
        .await;
    assert!(moved.status == StatusCode::OK && !moved.header("set-cookie").is_empty());
}

#[tokio::test]
async fn connections_to_instances_are_kept() {
    let (running, one) = with_one(|_| {}).await;
    let mut sender = kit::http_one(TcpStream::connect(running.http()).await.expect("it listens")).await;
    for method in [Method::GET, Method::HEAD, Method::POST, Method::GET] {
        sender.ready().await.expect("the connection is kept");
        let asked = request(method, &host("web"), "/", &[], "");
        let answered = sender.send_request(asked).await.expect("an answer");
        assert_eq!(answered.version(), Version::HTTP_11);
        kit::read(answered).await;
    }
    assert_eq!(one.got(), 4);
    let seen = running.edge.traffic("web");
    assert_eq!((seen.requests, seen.errors, seen.active), (4, 0, 0));
    assert!(seen.quiet_for.is_some());
    assert_eq!(running.edge.traffic("nobody"), towpath_edge::Traffic::default());
}

async fn free_port() -> u16 {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0")
        .await
        .expect("a port");
    listener.local_addr().expect("an address").port()
}
