//! Instances that speak gRPC and break off, reset, or talk nonsense: what their visitor sees, and that nothing of it stays.

mod kit;

use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use http::Request;
use http_body_util::{BodyExt, Full};
use hyper::client::conn::http2::SendRequest;
use kit::{BOUND, Running, edge, host, until};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;
use towpath_model::run::{Bounds, Rules};

/// What a connection of a client begins with.
const PREFACE: usize = 24;

const HEADERS: u8 = 1;
const END_OF_HEADERS: u8 = 4;
const END_OF_STREAM: u8 = 1;

/// What an instance says when a request has come, and whether it hangs up behind that.
type Script = (Vec<Says>, bool);

#[derive(Debug, Clone, Copy)]
enum Says {
    /// A frame on the stream of the request: its kind, its flags and what is in it.
    Frame(u8, u8, &'static [u8]),
    /// A frame of the connection.
    Connection(u8, u8, &'static [u8]),
    /// Bytes that are none.
    Bytes(&'static [u8]),
}

use Says::{Bytes as Raw, Connection, Frame};

const SETTINGS: Says = Connection(4, 0, b"");
/// `:status: 200`, from the table that everybody has.
const HEAD: Says = Frame(HEADERS, END_OF_HEADERS, b"\x88");
const HALF: Says = Frame(0, 0, b"\0\0\0\0\x0Ahalf");
const TRAILERS: Says = Frame(
    HEADERS,
    END_OF_HEADERS | END_OF_STREAM,
    b"\x00\x0Bgrpc-status\x010",
);

struct Odd {
    at: SocketAddr,
    got: Arc<AtomicUsize>,
    script: Arc<Mutex<Script>>,
}

impl Odd {
    async fn start() -> Odd {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let odd = Odd {
            at: listener.local_addr().expect("an address"),
            got: Arc::default(),
            script: Arc::default(),
        };
        let (got, script) = (Arc::clone(&odd.got), Arc::clone(&odd.script));
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (got, script) = (Arc::clone(&got), Arc::clone(&script));
                tokio::spawn(async move { speaks(stream, &got, &script).await });
            }
        });
        odd
    }

    fn does(&self, says: &[Says], closes: bool) {
        *self.script.lock().expect("nobody panicked") = (says.to_vec(), closes);
        self.got.store(0, Ordering::SeqCst);
    }
}

fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).expect("it is short").to_be_bytes();
    [&length[1..], &[kind, flags], &stream.to_be_bytes(), payload].concat()
}

/// Reads frames, and says its words behind each head of a request. Nothing where the other side has gone.
async fn speaks(mut stream: TcpStream, got: &AtomicUsize, script: &Mutex<Script>) -> Option<()> {
    let mut preface = [0; PREFACE];
    stream.read_exact(&mut preface).await.ok()?;
    loop {
        let mut head = [0; 9];
        stream.read_exact(&mut head).await.ok()?;
        let [high, middle, low, kind, flags, number @ ..] = head;
        let mut payload = vec![0; u32::from_be_bytes([0, high, middle, low]) as usize];
        stream.read_exact(&mut payload).await.ok()?;
        if kind == 4 && flags == 0 {
            stream.write_all(&frame(4, 0, 0, b"")).await.ok()?;
            stream.write_all(&frame(4, 1, 0, b"")).await.ok()?;
        }
        if kind != HEADERS {
            continue;
        }
        got.fetch_add(1, Ordering::SeqCst);
        let (says, closes) = script.lock().expect("nobody panicked").clone();
        for word in says {
            let bytes = match word {
                Frame(kind, flags, payload) => frame(kind, flags, u32::from_be_bytes(number), payload),
                Connection(kind, flags, payload) => frame(kind, flags, 0, payload),
                Raw(bytes) => bytes.to_vec(),
            };
            stream.write_all(&bytes).await.ok()?;
        }
        if closes {
            return None;
        }
    }
}

/// What a visitor has seen.
#[derive(Debug, PartialEq, Eq)]
enum Saw {
    /// A status of the edge, which a gRPC client takes for one of its own.
    Edge(u16),
    Whole(String),
    Cut,
}

async fn calls(sender: &mut SendRequest<Full<Bytes>>) -> Saw {
    let asked = Request::post(format!("https://{}/shop.Orders/List", host("web")))
        .header("te", "trailers")
        .header("content-type", "application/grpc")
        .body(Full::from(&b"\0\0\0\0\0"[..]))
        .expect("a request");
    let answered = timeout(BOUND, sender.send_request(asked)).await;
    let answered = answered.expect("it is answered").expect("it has a head");
    let status = answered.status().as_u16();
    match timeout(BOUND, answered.into_body().collect())
        .await
        .expect("it ends")
    {
        Ok(_) if status != 200 => Saw::Edge(status),
        Ok(body) => {
            let said = body.trailers().and_then(|trailers| trailers.get("grpc-status"));
            Saw::Whole(String::from_utf8_lossy(said.map_or(b"", |said| said.as_bytes())).into_owned())
        }
        Err(_) => Saw::Cut,
    }
}

fn counted(running: &Running) -> towpath_edge::Whole {
    running
        .edge
        .seen()
        .components
        .into_iter()
        .next()
        .unwrap_or_default()
}

#[tokio::test]
async fn a_fault_of_an_instance_that_speaks_grpc_is_told_and_forgotten() {
    let running = edge().await;
    let odd = Odd::start().await;
    let mut web = kit::target("web", &[("one", odd.at)], Duration::from_secs(10));
    web.grpc = true;
    web.rules = Arc::new(Rules {
        bounds: Bounds {
            hard: Some(1),
            ..Bounds::default()
        },
        ..Rules::default()
    });
    running.set(web).await;
    let stream = running.tls(&host("web"), &[b"h2"]).await.expect("it is trusted");
    let mut sender = kit::http_two(stream).await;
    let reset = Frame(3, 0, b"\0\0\0\x02");
    let goes_away = Connection(7, 0, b"\0\0\0\0\0\0\0\0");
    let on_no_stream = Connection(0, 0, b"half");
    let cases: [(&str, &[Says], bool, Saw); 9] = [
        ("hangs up", &[], true, Saw::Edge(502)),
        (
            "speaks HTTP/1",
            &[Raw(b"HTTP/1.1 400 Bad Request\r\n\r\n")],
            true,
            Saw::Edge(502),
        ),
        ("resets the stream", &[reset], false, Saw::Edge(502)),
        ("goes away", &[goes_away], true, Saw::Edge(502)),
        ("breaks the connection", &[on_no_stream], false, Saw::Edge(502)),
        ("hangs up in a message", &[HEAD, HALF], true, Saw::Cut),
        ("resets in a message", &[HEAD, HALF, reset], false, Saw::Cut),
        (
            "breaks the connection in a message",
            &[HEAD, HALF, on_no_stream],
            false,
            Saw::Cut,
        ),
        (
            "settles again and again",
            &[SETTINGS, SETTINGS, HEAD, TRAILERS],
            false,
            Saw::Whole("0".to_owned()),
        ),
    ];
    for (name, says, closes, expected) in cases {
        let before = counted(&running).failures;
        odd.does(says, closes);
        let saw = calls(&mut sender).await;
        assert_eq!(
            odd.got.load(Ordering::SeqCst),
            1,
            "{name}: what may have been done is not done again"
        );
        let is_failure = matches!(saw, Saw::Edge(_));
        assert_eq!(saw, expected, "{name}");
        assert_eq!(
            counted(&running).failures - before,
            u64::from(is_failure),
            "{name}"
        );
        odd.does(&[HEAD, TRAILERS], false);
        assert_eq!(
            calls(&mut sender).await,
            Saw::Whole("0".to_owned()),
            "behind: {name}"
        );
    }
    until("the end of all", async || counted(&running).active == 0).await;
    assert_eq!(counted(&running).waiting, 0);
}
