//! WebSockets and plain TCP, and how the edge ends.

mod kit;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use http::StatusCode;
use kit::{Instance, edge, get, host, target};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;

const HOLD: Duration = Duration::from_secs(20);

/// Says everything back.
async fn echoes() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let at = listener.local_addr().expect("an address");
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(async move {
                let mut socket = tokio_tungstenite::accept_async(stream)
                    .await
                    .expect("a handshake");
                while let Some(Ok(message)) = socket.next().await {
                    if message.is_text() || message.is_binary() {
                        socket.send(message).await.expect("it is open");
                    }
                }
            });
        }
    });
    at
}

async fn open<S: AsyncRead + AsyncWrite + Unpin>(stream: S) -> WebSocketStream<S> {
    let address = format!("ws://{}/socket", host("web"));
    let opened = tokio_tungstenite::client_async(address, stream).await;
    opened.expect("a handshake").0
}

async fn says_back<S: AsyncRead + AsyncWrite + Unpin>(socket: &mut WebSocketStream<S>) {
    for size in [0, 5, 200, 70_000, 300_000] {
        let message = Message::text("x".repeat(size));
        socket.send(message.clone()).await.expect("it is open");
        let back = timeout(kit::BOUND, socket.next()).await.expect("it comes back");
        assert!(
            back.expect("it is open").expect("it is whole") == message,
            "{size}"
        );
    }
}

async fn is_told_to_come_back<S: AsyncRead + AsyncWrite + Unpin>(socket: &mut WebSocketStream<S>) {
    let last = timeout(kit::BOUND, socket.next()).await.expect("it is told");
    match last.expect("it is told").expect("between two frames") {
        Message::Close(Some(frame)) => assert_eq!(frame.code, CloseCode::Restart),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn websockets_pass_over_http_and_https_and_are_told_when_the_edge_ends() {
    let running = edge().await;
    running.set(target("web", &[("one", echoes().await)], HOLD)).await;
    let mut plain = open(TcpStream::connect(running.http()).await.expect("it listens")).await;
    let mut secure = open(
        running
            .tls(&host("web"), &[b"http/1.1"])
            .await
            .expect("it is trusted"),
    )
    .await;
    says_back(&mut plain).await;
    says_back(&mut secure).await;
    assert_eq!(running.edge.traffic("web").active, 2);
    let stopped = tokio::spawn(Arc::clone(&running.edge).stop(HOLD));
    is_told_to_come_back(&mut plain).await;
    is_told_to_come_back(&mut secure).await;
    while plain.next().await.is_some() {}
    while secure.next().await.is_some() {}
    timeout(kit::BOUND, stopped)
        .await
        .expect("it ends")
        .expect("it ends well");
    assert_eq!(running.edge.traffic("web").active, 0);
}

#[tokio::test]
async fn a_websocket_ends_when_either_side_ends_it() {
    let running = edge().await;
    running.set(target("web", &[("one", echoes().await)], HOLD)).await;
    let mut polite = open(TcpStream::connect(running.http()).await.expect("it listens")).await;
    polite.close(None).await.expect("it is open");
    while polite.next().await.is_some() {}
    let rude = open(TcpStream::connect(running.http()).await.expect("it listens")).await;
    drop(rude);
    kit::until("the end", async || running.edge.traffic("web").active == 0).await;
}

#[tokio::test]
async fn an_instance_that_wants_no_websocket_answers_as_it_likes() {
    let running = edge().await;
    let one = Instance::start("one");
    running.set(target("web", &[("one", one.at)], HOLD)).await;
    let headers = [("connection", "upgrade"), ("upgrade", "websocket")];
    let asked = kit::request(http::Method::GET, &host("web"), "/", &headers, "");
    assert_eq!(running.ask(asked).await.text(), "one GET /");
    assert_eq!(running.edge.traffic("web").active, 0);
}

#[tokio::test]
async fn raw_bytes_pass_as_they_are_and_wait_for_an_instance() {
    let running = edge().await;
    let instance = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let at = instance.local_addr().expect("an address");
    let port = {
        let free = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        free.local_addr().expect("an address").port()
    };
    let mut store = target("store", &[], HOLD);
    store.hosts.clear();
    store.raw = true;
    store.inside = Some(port);
    running.set(store.clone()).await;
    let mut visitor = TcpStream::connect(("127.0.0.1", port)).await.expect("it listens");
    visitor.write_all(b"\x00\x16PRI").await.expect("it is open");
    kit::until("the connection", async || {
        running.edge.traffic("store").active == 1
    })
    .await;
    store.answer = target("store", &[("one", at)], HOLD).answer;
    running.set(store).await;
    let (mut inner, _) = timeout(kit::BOUND, instance.accept())
        .await
        .expect("it comes")
        .expect("it comes");
    let mut five = [0; 5];
    inner.read_exact(&mut five).await.expect("five bytes");
    assert_eq!(&five, b"\x00\x16PRI");
    // One side may end before the other one does.
    inner.write_all(b"greeting").await.expect("it is open");
    inner.shutdown().await.expect("it is open");
    let mut came = String::new();
    visitor.read_to_string(&mut came).await.expect("it ends");
    assert_eq!(came, "greeting");
    visitor.write_all(b"goodbye").await.expect("that way is open");
    visitor.shutdown().await.expect("it is open");
    let mut came = String::new();
    inner.read_to_string(&mut came).await.expect("it ends");
    assert_eq!(came, "goodbye");
    kit::until("the end", async || running.edge.traffic("store").active == 0).await;
}

#[tokio::test]
async fn open_requests_end_before_the_edge_does() {
    let running = edge().await;
    let one = Instance::start("one");
    running.set(target("web", &[("one", one.at)], HOLD)).await;
    let old = kit::http_one(TcpStream::connect(running.http()).await.expect("it listens")).await;
    let mut idle: hyper::client::conn::http1::SendRequest<http_body_util::Full<bytes::Bytes>> = old;
    let answered = idle
        .send_request(get(&host("web"), "/"))
        .await
        .expect("an answer");
    kit::read(answered).await;
    let first = tokio::spawn(kit::ask(running.http(), get(&host("web"), "/wait")));
    let stream = running.tls(&host("web"), &[b"h2"]).await.expect("it is trusted");
    let mut sender = kit::http_two(stream).await;
    let second = tokio::spawn(async move {
        let uri = format!("https://{}/wait", host("web"));
        let asked = http::Request::get(uri).body(http_body_util::Full::<bytes::Bytes>::default());
        kit::read(
            sender
                .send_request(asked.expect("a request"))
                .await
                .expect("an answer"),
        )
        .await
    });
    kit::until("both requests", async || one.got() == 3).await;
    let at = running.http();
    let stopped = tokio::spawn(Arc::clone(&running.edge).stop(HOLD));
    kit::until("the end of listening", async || {
        TcpStream::connect(at).await.is_err()
    })
    .await;
    kit::until("the idle connection", async || idle.is_closed()).await;
    one.go.notify_waiters();
    let first = first.await.expect("it ends");
    assert_eq!(
        (first.text(), first.header("connection")),
        ("one has waited", "close")
    );
    assert_eq!(second.await.expect("it ends").text(), "one has waited");
    timeout(kit::BOUND, stopped)
        .await
        .expect("it ends")
        .expect("it ends well");
}

#[tokio::test]
async fn what_does_not_end_in_time_is_cut_off() {
    let running = edge().await;
    let one = Instance::start("one");
    running.set(target("web", &[("one", one.at)], HOLD)).await;
    running.set(target("asleep", &[], HOLD)).await;
    let mut asked = Vec::new();
    for (name, path) in [("web", "/wait"), ("asleep", "/")] {
        asked.push(tokio::spawn(kit::try_ask(running.http(), get(&host(name), path))));
        kit::until("the request", async || running.edge.traffic(name).active == 1).await;
    }
    Arc::clone(&running.edge).stop(Duration::from_millis(20)).await;
    for asked in asked {
        let cut = asked.await.expect("it ends");
        assert!(cut.is_err() || cut.is_ok_and(|reply| reply.status == StatusCode::SERVICE_UNAVAILABLE));
    }
    assert_eq!(running.edge.traffic("web").active, 0);
}

/// Two instances, and so many WebSockets at the first one before the other one has taken its place.
async fn leaves(drain: Duration, count: usize) -> (kit::Running, Vec<WebSocketStream<TcpStream>>) {
    let running = edge().await;
    let mut web = target("web", &[("one", echoes().await)], HOLD);
    web.drain = drain;
    running.set(web.clone()).await;
    let mut sockets = Vec::new();
    for _ in 0..count {
        sockets.push(open(TcpStream::connect(running.http()).await.expect("it listens")).await);
    }
    web.answer = target("web", &[("two", echoes().await)], HOLD).answer;
    running.set(web).await;
    (running, sockets)
}

#[tokio::test]
async fn websockets_of_an_instance_that_leaves_stay_while_they_may() {
    let (running, mut sockets) = leaves(Duration::from_secs(3_600), 3).await;
    for socket in &mut sockets {
        says_back(socket).await;
    }
    let edge = Arc::clone(&running.edge);
    let left = tokio::spawn(async move { edge.has_left("web", "one", HOLD * 100).await });
    let mut other = open(TcpStream::connect(running.http()).await.expect("it listens")).await;
    says_back(&mut other).await;
    assert!(!left.is_finished(), "three are open");
    drop(sockets);
    timeout(kit::BOUND, left)
        .await
        .expect("nothing of it is open")
        .expect("it ends well");
    says_back(&mut other).await;
}

#[tokio::test]
async fn websockets_of_an_instance_that_leaves_are_told_to_come_back_before_it_does() {
    let drain = Duration::from_millis(300);
    let (running, mut sockets) = leaves(drain, 50).await;
    for socket in &mut sockets {
        is_told_to_come_back(socket).await;
        while socket.next().await.is_some() {}
    }
    timeout(kit::BOUND, running.edge.has_left("web", "one", HOLD * 100))
        .await
        .expect("nothing of it is open");
    kit::until("the end", async || running.edge.traffic("web").active == 0).await;
}

#[tokio::test]
async fn nobody_waits_for_a_leave_while_nobody_else_serves() {
    let (running, _sockets) = leaves(Duration::from_secs(3_600), 1).await;
    let edge = Arc::clone(&running.edge);
    let left = tokio::spawn(async move { edge.has_left("web", "one", HOLD * 100).await });
    running.set(target("web", &[], HOLD)).await;
    timeout(kit::BOUND, left)
        .await
        .expect("the other one has gone")
        .expect("it ends well");
}
