//! What the edge makes of requests and answers as they stand on the wire, byte by byte.
//!
//! Each case is sent to a real edge over a connection of its own, with an innocent request behind it, and is compared as a
//! whole: what the visitor was told, whether the connection was kept, and every byte that an instance has got. What is
//! smuggled through shows as a request too many.

#[path = "../kit/mod.rs"]
mod kit;

mod answers;
mod doubtful;
mod recorder;
mod requests;

use std::net::SocketAddr;
use std::time::Duration;

use kit::{Running, edge_with, target};
use recorder::Recorder;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;
use towpath_edge::Patience;

const PROBE: &[u8] = b"GET /probe HTTP/1.1\r\nHost: web.hello.localhost\r\n\r\n";

/// Sends bytes and then the probe, and tells what came of it: the codes that the visitor got, whether the probe was
/// answered, and the bytes of the answer to the case itself.
async fn visit(at: SocketAddr, bytes: &[u8]) -> (String, String) {
    let mut stream = TcpStream::connect(at).await.expect("it listens");
    let all = [bytes, PROBE].concat();
    let (mut reads, mut writes) = stream.split();
    let mut came = Vec::new();
    let send = async {
        let _ = writes.write_all(&all).await;
        std::future::pending::<()>().await
    };
    let read = async {
        let mut part = [0; 4_096];
        while let Ok(count @ 1..) = reads.read(&mut part).await {
            came.extend_from_slice(&part[..count]);
            if came.ends_with(b"probe") {
                return "kept";
            }
        }
        "closed"
    };
    let end = tokio::select! {
        end = timeout(kit::BOUND, read) => end.expect("it is answered or closed"),
        () = send => "never",
    };
    let came = String::from_utf8_lossy(&came).into_owned();
    let mut codes: Vec<&str> = came
        .split("HTTP/1.")
        .skip(1)
        .filter_map(|answer| answer.get(2..5))
        .collect();
    if end == "kept" {
        codes.pop();
    }
    (format!("{} {end}", codes.join(" ")), came)
}

async fn start() -> (Running, Recorder) {
    let soon = Duration::from_millis(300);
    let running = edge_with(Patience {
        head: soon,
        body: soon,
        reading: kit::BOUND,
    })
    .await;
    let (recorder, at) = Recorder::start().await;
    running.set(target("web", &[("one", at)], kit::BOUND)).await;
    (running, recorder)
}

#[tokio::test]
async fn each_request_is_understood_in_one_way_or_refused() {
    let (running, recorder) = start().await;
    let mut wrong = Vec::new();
    for (name, bytes, expected) in requests::cases() {
        let (end, _) = visit(running.http(), &bytes).await;
        let got = recorder.take().join(" && ");
        let told = format!("{end} | {got}");
        if told.trim_end_matches([' ', '|']) != expected {
            wrong.push(format!("{name}\n    expected: {expected}\n    told:     {told}"));
        }
    }
    assert!(wrong.is_empty(), "{} cases:\n{}", wrong.len(), wrong.join("\n"));
}

#[tokio::test]
async fn each_answer_is_understood_in_one_way_or_not_passed_on() {
    let (running, recorder) = start().await;
    let mut wrong = Vec::new();
    for (name, request, answer, expected) in answers::CASES {
        recorder.answers(answer);
        let (end, came) = visit(running.http(), request.as_bytes()).await;
        let told = format!("{end} | {}", answers::in_one_line(&came));
        let times = recorder.take().len();
        if told.trim_end() != *expected || times != 1 {
            wrong.push(format!(
                "{name} (asked {times} times)\n    expected: {expected}\n    told:     {told}"
            ));
        }
    }
    assert!(wrong.is_empty(), "{} cases:\n{}", wrong.len(), wrong.join("\n"));
}
