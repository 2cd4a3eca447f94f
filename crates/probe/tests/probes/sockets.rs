//! WebSockets: open over steps, and every way in which they end too early.

use crate::kit::{Reply, Server, aim, ok, reply, told, tried};
use futures_util::{SinkExt, StreamExt};
use std::net::SocketAddr;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::{CloseFrame, frame::coding::CloseCode};

type Socket = WebSocketStream<TcpStream>;

/// A server that does this with each WebSocket.
async fn sockets<F, R>(doing: F) -> SocketAddr
where
    F: Fn(Socket) -> R + Send + Sync + 'static,
    R: Future<Output = ()> + Send + 'static,
{
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let at = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            if let Ok(socket) = tokio_tungstenite::accept_async(stream).await {
                doing(socket).await;
            }
        }
    });
    at
}

/// Until the other side has gone.
async fn to_the_end(mut socket: Socket) {
    while let Some(Ok(_)) = socket.next().await {}
}

fn hears(within: &str) -> String {
    format!(
        "steps = [{{ websocket = \"/ws\" }}, {{ websocket = \"/ws\", expect = \"body contains reflect\", within = \"{within}\" }}]"
    )
}

#[tokio::test]
async fn a_message_is_heard_on_the_socket_that_was_opened_two_steps_before() {
    let (tell, told_of) = mpsc::channel::<()>(1);
    let told_of = std::sync::Arc::new(tokio::sync::Mutex::new(told_of));
    let at = sockets(move |mut socket| {
        let told_of = std::sync::Arc::clone(&told_of);
        async move {
            socket.send(Message::text("{\"kind\":\"hello\"}")).await.unwrap();
            told_of.lock().await.recv().await;
            for text in ["{\"kind\":\"other\"}", "{\"kind\":\"reflect\",\"of\":{\"n\":3}}"] {
                socket.send(Message::text(text)).await.unwrap();
            }
            to_the_end(socket).await;
        }
    })
    .await;
    let server = Server::new(move |_, _| {
        let _ = tell.try_send(());
        ok("")
    })
    .await;
    let asks = format!(
        "steps = [\n{{ websocket = \"/ws\" }},\n{{ http = \"http://{}/go\", expect = \"status = 200\" }},\n\
         {{ websocket = \"/ws\", expect = [\"kind = reflect\", \"of.n = 3\"], within = \"20s\" }},\n]",
        server.at
    );
    let outcome = tried(&asks, &aim(&[at])).await;
    assert_eq!(told(&outcome), "pass", "{outcome:?}");
    let measured = outcome.found.measured.unwrap();
    assert!(measured.contains("kind `reflect`, of.n `3`"), "{measured}");
}

#[tokio::test]
async fn what_came_before_it_was_asked_for_is_no_answer() {
    let at = sockets(|mut socket| async move {
        socket.send(Message::text("an old reflect")).await.unwrap();
        // It has come by the time that this is answered.
        socket.send(Message::text("ready")).await.unwrap();
        to_the_end(socket).await;
    })
    .await;
    let server = Server::new(|_, _| ok("")).await;
    let asks = format!(
        "steps = [\n{{ websocket = \"/ws\", expect = \"body = ready\" }},\n\
         {{ http = \"http://{}/go\", expect = \"status = 200\" }},\n\
         {{ websocket = \"/ws\", expect = \"body contains reflect\", within = \"300ms\" }},\n]",
        server.at
    );
    assert_eq!(
        told(&tried(&asks, &aim(&[at])).await),
        "FAIL probe `it`: step 3 (WebSocket /ws): `body contains reflect` is expected within 300ms, and no message came"
    );
}

#[tokio::test]
async fn what_a_step_says_is_sent() {
    let at = sockets(|mut socket| async move {
        if let Some(Ok(text)) = socket.next().await {
            socket.send(text).await.unwrap();
        }
        to_the_end(socket).await;
    })
    .await;
    let asks = "websocket = \"/ws\"\nwith = { body = \"echo this\" }\nexpect = \"body = 'echo this'\"";
    let asks = asks.replace("'", "\\\"");
    assert_eq!(told(&tried(&asks, &aim(&[at])).await), "pass");
}

#[tokio::test]
async fn every_bad_end_of_a_socket_has_words_of_its_own() {
    let wrong = sockets(|mut socket| async move {
        socket.send(Message::text("{\"kind\":\"hello\"}")).await.unwrap();
        to_the_end(socket).await;
    })
    .await;
    let silent = sockets(to_the_end).await;
    let closes = sockets(|mut socket| async move {
        let frame = CloseFrame {
            code: CloseCode::Restart,
            reason: "restart".into(),
        };
        let _ = socket.close(Some(frame)).await;
        to_the_end(socket).await;
    })
    .await;
    let hangs_up = sockets(|socket| async move { drop(socket) }).await;
    let large = sockets(|mut socket| async move {
        let _ = socket.send(Message::text("x".repeat(300 * 1024))).await;
        to_the_end(socket).await;
    })
    .await;
    let mut all = Vec::new();
    for (name, at) in [
        ("wrong", wrong),
        ("silent", silent),
        ("closes", closes),
        ("large", large),
    ] {
        all.push(format!(
            "{name:8} {}",
            told(&tried(&hears("500ms"), &aim(&[at])).await)
        ));
    }
    let gone = told(&tried(&hears("5s"), &aim(&[hangs_up])).await);
    assert!(
        gone.starts_with(
            "FAIL probe `it`: step 2 (WebSocket /ws): `body contains reflect` is expected within 5s, and "
        ),
        "{gone}"
    );
    for (name, end) in [
        ("refuses", reply("401 Unauthorized", "", "sign in")),
        ("no socket", ok("hello")),
        ("hangs up", Reply::Bytes(Vec::new())),
        ("never", Reply::Never),
    ] {
        let server = Server::new(move |_, _| end.clone()).await;
        let asks = "websocket = \"/ws\"\nwithin = \"300ms\"";
        all.push(format!(
            "{name:8} {}",
            told(&tried(asks, &aim(&[server.at])).await)
        ));
    }
    insta::assert_snapshot!(all.join("\n"), @r#"
    wrong    FAIL probe `it`: step 2 (WebSocket /ws): `body contains reflect` is expected within 500ms, and `{"kind":"hello"}` came
    silent   FAIL probe `it`: step 2 (WebSocket /ws): `body contains reflect` is expected within 500ms, and no message came
    closes   FAIL probe `it`: step 2 (WebSocket /ws): `body contains reflect` is expected within 500ms, and it was closed (1012 restart)
    large    FAIL probe `it`: step 2 (WebSocket /ws): `body contains reflect` is expected within 500ms, and a message came that is larger than 262144 bytes
    refuses  FAIL probe `it`: WebSocket /ws: 401 was answered in place of a WebSocket
    no socket FAIL probe `it`: WebSocket /ws: 200 was answered in place of a WebSocket
    hangs up FAIL probe `it`: WebSocket /ws: it hung up before a WebSocket was open
    never    FAIL probe `it`: WebSocket /ws: no answer came within 300ms
    "#);
}
