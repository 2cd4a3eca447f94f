//! What the edge makes of requests and answers as they stand on the wire, byte by byte.
//!
//! Each case is sent to a real edge over a connection of its own, with an innocent request behind it, and is compared as a
//! whole: what the visitor was told, whether the connection was kept, and every byte that an instance has got. What is
//! smuggled through shows as a request too many.

#[path = "../kit/mod.rs"]
mod kit;

mod answers;
mod requests;

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use kit::{Running, edge_with, target};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;
use towpath_edge::Patience;

const PROBE: &[u8] = b"GET /probe HTTP/1.1\r\nHost: web.hello.localhost\r\n\r\n";

/// An instance that writes down what it gets, word for word, and answers with what it has been told to.
#[derive(Clone, Default)]
struct Recorder {
    got: Arc<Mutex<Vec<String>>>,
    answer: Arc<Mutex<Option<&'static [u8]>>>,
}

impl Recorder {
    async fn start() -> (Recorder, SocketAddr) {
        let recorder = Recorder::default();
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let at = listener.local_addr().expect("an address");
        let records = recorder.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let records = records.clone();
                tokio::spawn(async move { records.serve(stream).await });
            }
        });
        (recorder, at)
    }

    async fn serve(&self, stream: TcpStream) -> Option<()> {
        let mut stream = BufReader::new(stream);
        loop {
            let request = read_request(&mut stream).await?;
            let is_probe = request.starts_with("GET /probe");
            let is_head = request.starts_with("HEAD ");
            let told = *self.answer.lock().expect("it is not held");
            let answer = match told {
                _ if is_probe => &b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nprobe"[..],
                Some(answer) => answer,
                None if is_head => b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n",
                None => b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok",
            };
            if !is_probe {
                self.got.lock().expect("it is not held").push(request);
            }
            stream.get_mut().write_all(answer).await.ok()?;
            if told.is_some() && !is_probe {
                return None;
            }
        }
    }

    fn take(&self) -> Vec<String> {
        std::mem::take(&mut self.got.lock().expect("it is not held"))
    }
}

/// A request in one line: its first line, its headers but for those that every request gets, and its body.
async fn read_request(stream: &mut BufReader<TcpStream>) -> Option<String> {
    let mut first = String::new();
    if stream.read_line(&mut first).await.ok()? == 0 {
        return None;
    }
    let mut said = first.trim_end().trim_end_matches("HTTP/1.1").to_owned();
    let (mut length, mut chunked) = (0, false);
    loop {
        let mut line = String::new();
        stream.read_line(&mut line).await.ok()?;
        let line = line.strip_suffix("\r\n").unwrap_or(&line);
        let Some((name, value)) = line.split_once(": ") else {
            break;
        };
        match name {
            "content-length" => length = value.parse().ok()?,
            "transfer-encoding" => chunked = true,
            _ => {}
        }
        let is_usual =
            name.starts_with("x-forwarded-") || matches!(name, "forwarded" | "x-request-id" | "traceparent");
        if !is_usual && line != "host: web.hello.localhost" {
            said.push_str(&format!("{{{line}}} "));
        }
    }
    let body = if chunked {
        read_chunks(stream).await?
    } else {
        let mut body = vec![0; length];
        stream.read_exact(&mut body).await.ok()?;
        String::from_utf8_lossy(&body).into_owned()
    };
    if !body.is_empty() {
        said.push_str(&format!("[{body}]"));
    }
    Some(said.trim_end().to_owned())
}

async fn read_chunks(stream: &mut BufReader<TcpStream>) -> Option<String> {
    let mut body = String::new();
    loop {
        let mut line = String::new();
        stream.read_line(&mut line).await.ok()?;
        let size = usize::from_str_radix(line.trim_end(), 16).ok()?;
        let mut chunk = vec![0; size];
        stream.read_exact(&mut chunk).await.ok()?;
        body.push_str(&String::from_utf8_lossy(&chunk));
        if size > 0 {
            stream.read_line(&mut line).await.ok()?;
            continue;
        }
        loop {
            let mut trailer = String::new();
            stream.read_line(&mut trailer).await.ok()?;
            match trailer.trim_end() {
                "" => return Some(body),
                trailer => body.push_str(&format!("|{trailer}")),
            }
        }
    }
}

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
        *recorder.answer.lock().expect("it is not held") = Some(answer);
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
