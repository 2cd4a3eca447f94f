//! Answers that come before their requests are whole, and what comes right behind them.

mod kit;

use std::net::SocketAddr;
use std::time::Duration;

use kit::{edge, host, target};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
use tokio::time::timeout;

const HOLD: Duration = Duration::from_secs(10);

/// An instance that reads until a request's head has ended, answers, reads on until so many bytes have come in all behind the
/// head, and tells what came.
async fn answers_early(answer: &'static [u8], more: usize) -> (SocketAddr, UnboundedReceiver<Vec<u8>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let at = listener.local_addr().expect("an address");
    let (tell, told) = unbounded_channel();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut came = Vec::new();
            let end = loop {
                let end = came.windows(4).position(|window| window == b"\r\n\r\n");
                match end {
                    Some(end) => break end + 4,
                    None if stream.read_buf(&mut came).await.unwrap_or(0) == 0 => return,
                    None => {}
                }
            };
            let _ = stream.write_all(answer).await;
            while came.len() < end + more && stream.read_buf(&mut came).await.unwrap_or(0) > 0 {}
            let _ = tell.send(came);
        }
    });
    (at, told)
}

async fn read_until(stream: &mut TcpStream, end: &str) -> String {
    let mut came = Vec::new();
    let read = async {
        while !came.ends_with(end.as_bytes()) {
            let count = stream.read_buf(&mut came).await.expect("it is open");
            assert!(count > 0, "it ended after {}", String::from_utf8_lossy(&came));
        }
    };
    timeout(kit::BOUND, read).await.expect("it comes");
    String::from_utf8(came).expect("it is text")
}

#[tokio::test]
async fn an_early_answer_is_passed_on_and_the_request_goes_on() {
    let running = edge().await;
    let answer = b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nearly";
    for (framing, body) in [
        ("content-length: 10", ["first", "other"]),
        (
            "transfer-encoding: chunked",
            ["5\r\nfirst\r\n", "5\r\nother\r\n0\r\n\r\n"],
        ),
    ] {
        let more = body.concat().len();
        let (at, mut told) = answers_early(answer, more).await;
        running.set(target("web", &[("one", at)], HOLD)).await;
        let mut visitor = TcpStream::connect(running.http()).await.expect("it listens");
        let head = format!(
            "POST / HTTP/1.1\r\nhost: {}\r\n{framing}\r\n\r\n{}",
            host("web"),
            body[0]
        );
        visitor.write_all(head.as_bytes()).await.expect("it is open");
        let came = read_until(&mut visitor, "early").await;
        assert!(came.starts_with("HTTP/1.1 200 OK\r\n"), "{came}");
        visitor.write_all(body[1].as_bytes()).await.expect("it is open");
        let got = timeout(kit::BOUND, told.recv())
            .await
            .expect("it comes")
            .expect("it is told");
        let got = String::from_utf8(got).expect("it is text");
        assert!(got.ends_with(&body.concat()), "{got}");
    }
}

#[tokio::test]
async fn an_instance_that_does_not_want_a_body_says_why() {
    let running = edge().await;
    let answer = b"HTTP/1.1 413 Content Too Large\r\ncontent-length: 5\r\nconnection: close\r\n\r\nlarge";
    let (at, _told) = answers_early(answer, 0).await;
    running.set(target("web", &[("one", at)], HOLD)).await;
    let mut visitor = TcpStream::connect(running.http()).await.expect("it listens");
    let head = format!(
        "POST / HTTP/1.1\r\nhost: {}\r\ncontent-length: 9000000\r\n\r\n",
        host("web")
    );
    visitor.write_all(head.as_bytes()).await.expect("it is open");
    let came = read_until(&mut visitor, "large").await;
    assert!(came.starts_with("HTTP/1.1 413 "), "{came}");
}

#[tokio::test]
async fn what_comes_right_behind_a_change_of_protocol_is_not_lost() {
    let running = edge().await;
    let answer = b"HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: chat\r\n\r\nhello";
    let (at, mut told) = answers_early(answer, 2).await;
    running.set(target("web", &[("one", at)], HOLD)).await;
    let mut visitor = TcpStream::connect(running.http()).await.expect("it listens");
    let head = format!(
        "GET / HTTP/1.1\r\nhost: {}\r\nconnection: upgrade\r\nupgrade: chat\r\n\r\n",
        host("web")
    );
    visitor.write_all(head.as_bytes()).await.expect("it is open");
    let came = read_until(&mut visitor, "hello").await;
    assert!(
        came.starts_with("HTTP/1.1 101 ") && came.contains("upgrade: chat\r\n"),
        "{came}"
    );
    visitor.write_all(b"ho").await.expect("it is open");
    let got = timeout(kit::BOUND, told.recv())
        .await
        .expect("it comes")
        .expect("it is told");
    assert!(got.ends_with(b"\r\n\r\nho"));
}

#[tokio::test]
async fn a_body_goes_on_whatever_the_method() {
    let running = edge().await;
    let answer = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok";
    let body = "2\r\nab\r\n0\r\n\r\n";
    for method in ["GET", "DELETE", "SEARCH"] {
        let (at, mut told) = answers_early(answer, body.len()).await;
        running.set(target("web", &[("one", at)], HOLD)).await;
        let mut visitor = TcpStream::connect(running.http()).await.expect("it listens");
        let head = format!(
            "{method} / HTTP/1.1\r\nhost: {}\r\ntransfer-encoding: chunked\r\n\r\n{body}",
            host("web")
        );
        visitor.write_all(head.as_bytes()).await.expect("it is open");
        read_until(&mut visitor, "ok").await;
        let got = timeout(kit::BOUND, told.recv())
            .await
            .expect("it comes")
            .expect("it is told");
        let got = String::from_utf8(got).expect("it is text");
        assert!(
            got.contains("transfer-encoding: chunked\r\n") && got.ends_with(body),
            "{got}"
        );
    }
}
