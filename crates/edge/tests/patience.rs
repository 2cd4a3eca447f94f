//! Visitors that send or read nothing, or hardly anything.

mod kit;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use http::StatusCode;
use kit::{Instance, Running, edge_with, get, host, target};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;
use towpath_edge::Patience;

const HOLD: Duration = Duration::from_secs(20);
const LONG: Duration = Duration::from_secs(3_600);
const SHORT: Duration = Duration::from_millis(200);
/// A connection rests after a second without a request.
const LONGER_THAN_A_REST: Duration = Duration::from_millis(1_200);

/// Nobody is waited for but for what a test is about.
const PATIENT: Patience = Patience {
    head: LONG,
    body: LONG,
    reading: LONG,
};

async fn with_one(patience: Patience) -> (Running, Instance) {
    let running = edge_with(patience).await;
    let one = Instance::start("one");
    running.set(target("web", &[("one", one.at)], HOLD)).await;
    (running, one)
}

/// Sends a beginning, then a byte now and then until the edge has had enough.
async fn dribbles(at: SocketAddr, begins: &[u8]) {
    let mut stream = TcpStream::connect(at).await.expect("it listens");
    stream.write_all(begins).await.expect("it is open");
    let (mut reads, mut writes) = stream.split();
    let dribble = async {
        while writes.write_all(b"a").await.is_ok() {
            tokio::time::sleep(SHORT / 10).await;
        }
    };
    let mut answer = Vec::new();
    let ended = async {
        tokio::select! {
            _ = reads.read_to_end(&mut answer) => {}
            () = dribble => {}
        }
    };
    timeout(kit::BOUND, ended).await.expect("it is ended");
}

#[tokio::test]
async fn a_head_that_comes_a_byte_at_a_time_is_ended() {
    let patience = Patience {
        head: SHORT,
        ..PATIENT
    };
    let (running, one) = with_one(patience).await;
    let hosts = format!("GET / HTTP/1.1\r\nhost: {}\r\nx-slow: ", host("web"));
    for at in [running.http(), running.https()] {
        dribbles(at, b"G").await;
        dribbles(at, hosts.as_bytes()).await;
    }
    // A handshake that does not go on, and nothing at all.
    dribbles(running.https(), &[0x16, 0x03, 0x01, 0x40, 0x00, 0x01]).await;
    let mut silent = TcpStream::connect(running.http()).await.expect("it listens");
    let read = timeout(kit::BOUND, silent.read(&mut [0]))
        .await
        .expect("it is ended");
    assert!(matches!(read, Ok(0) | Err(_)));
    assert_eq!(one.got(), 0);
}

#[tokio::test]
async fn a_body_that_does_not_go_on_is_ended() {
    let patience = Patience {
        body: SHORT,
        ..PATIENT
    };
    let (running, one) = with_one(patience).await;
    for method in ["POST", "PUT"] {
        let mut stream = TcpStream::connect(running.http()).await.expect("it listens");
        let head = format!(
            "{method} /trailers HTTP/1.1\r\nhost: {}\r\ncontent-length: 10\r\n\r\nhalf",
            host("web")
        );
        stream.write_all(head.as_bytes()).await.expect("it is open");
        let mut answer = String::new();
        let read = stream.read_to_string(&mut answer);
        timeout(kit::BOUND, read)
            .await
            .expect("it is closed")
            .expect("it is text");
        assert!(answer.starts_with("HTTP/1.1 408 "), "{method}: {answer}");
    }
    kit::until("the end", async || running.edge.traffic("web").active == 0).await;
    assert!(one.got() <= 2, "it is not repeated");
}

#[tokio::test]
async fn a_slow_instance_is_not_taken_for_a_slow_visitor() {
    let patience = Patience {
        body: SHORT,
        reading: SHORT,
        head: SHORT,
    };
    let (running, one) = with_one(patience).await;
    let mut sender = kit::http_one(TcpStream::connect(running.http()).await.expect("it listens")).await;
    let asked = tokio::spawn(async move {
        let answered = sender
            .send_request(get(&host("web"), "/wait"))
            .await
            .expect("an answer");
        kit::read(answered).await
    });
    kit::until("the request", async || one.got() == 1).await;
    tokio::time::sleep(SHORT * 3).await;
    one.go.notify_waiters();
    assert_eq!(asked.await.expect("it ends").status, StatusCode::OK);
}

/// An instance that answers without end.
async fn floods() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let at = listener.local_addr().expect("an address");
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            tokio::spawn(async move {
                let _ = stream.read(&mut [0; 4_096]).await;
                let head = b"HTTP/1.1 200 OK\r\ncontent-length: 1000000000000\r\n\r\n";
                let mut written = stream.write_all(head).await;
                while written.is_ok() {
                    written = stream.write_all(&[0; 65_536]).await;
                }
            });
        }
    });
    at
}

#[tokio::test]
async fn an_answer_that_nobody_reads_is_ended() {
    let patience = Patience {
        reading: SHORT,
        ..PATIENT
    };
    let running = edge_with(patience).await;
    running.set(target("web", &[("one", floods().await)], HOLD)).await;
    let head = format!("GET / HTTP/1.1\r\nhost: {}\r\n\r\n", host("web"));
    let mut plain = TcpStream::connect(running.http()).await.expect("it listens");
    plain.write_all(head.as_bytes()).await.expect("it is open");
    let mut secure = running.tls(&host("web"), &[]).await.expect("it is trusted");
    secure.write_all(head.as_bytes()).await.expect("it is open");
    secure.flush().await.expect("it is open");
    kit::until("both", async || running.edge.traffic("web").active == 2).await;
    kit::until("the end", async || running.edge.traffic("web").active == 0).await;
}

/// Asks in pieces, with a pause behind each, and reads so many answers.
async fn asks_in_pieces<S: AsyncRead + AsyncWrite + Unpin>(stream: &mut S, pieces: &[&str], answers: usize) {
    for piece in pieces {
        stream.write_all(piece.as_bytes()).await.expect("it is open");
        tokio::time::sleep(LONGER_THAN_A_REST).await;
    }
    let mut came = Vec::new();
    let all = async {
        while String::from_utf8_lossy(&came).matches("HTTP/1.1 200").count() < answers
            || !came.ends_with(b" /")
        {
            assert_ne!(
                stream.read_buf(&mut came).await.expect("it is open"),
                0,
                "it was closed"
            );
        }
    };
    timeout(kit::BOUND, all).await.expect("it is answered");
}

#[tokio::test]
async fn a_connection_that_has_rested_goes_on_where_it_was() {
    let (running, one) = with_one(PATIENT).await;
    let name = host("web");
    let get = format!("GET / HTTP/1.1\r\nhost: {name}\r\n\r\n");
    let post = format!("POST / HTTP/1.1\r\nhost: {name}\r\ncontent-length: 10\r\n\r\n01234");
    let (begin, end) = get.split_at(7);
    let pieces = [&get, &get, begin, end, &post, "56789", &get];
    let mut plain = TcpStream::connect(running.http()).await.expect("it listens");
    let mut secure = running.tls(&name, &[b"http/1.1"]).await.expect("a handshake");
    tokio::join!(
        asks_in_pieces(&mut plain, &pieces, 5),
        asks_in_pieces(&mut secure, &pieces, 5)
    );
    assert_eq!(one.got(), 10);
    // Whoever goes while nothing happens is not waited for, and holds up no end.
    drop((plain, secure));
    let resting = TcpStream::connect(running.http()).await.expect("it listens");
    timeout(kit::BOUND, Arc::clone(&running.edge).stop(LONG))
        .await
        .expect("a connection that rests holds up no end");
    drop(resting);
}

#[tokio::test]
async fn a_connection_that_rests_for_too_long_is_ended() {
    let patience = Patience {
        head: 2 * LONGER_THAN_A_REST,
        ..PATIENT
    };
    let (running, _one) = with_one(patience).await;
    let mut stream = TcpStream::connect(running.http()).await.expect("it listens");
    let get = format!("GET / HTTP/1.1\r\nhost: {}\r\n\r\n", host("web"));
    asks_in_pieces(&mut stream, &[&get], 1).await;
    let read = timeout(kit::BOUND, stream.read(&mut [0]))
        .await
        .expect("it is ended");
    assert!(matches!(read, Ok(0) | Err(_)));
}
