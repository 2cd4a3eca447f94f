//! Instances that speak gRPC and break off, reset, or talk nonsense: what their visitor sees, and that nothing of it stays.

mod kit;

use std::collections::VecDeque;
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

const DATA: u8 = 0;
const HEADERS: u8 = 1;
const SETTINGS_FRAME: u8 = 4;
const MORE: u8 = 8;
const END_OF_HEADERS: u8 = 4;
const END_OF_STREAM: u8 = 1;

/// What an instance does with a request.
#[derive(Debug, Clone, Default)]
struct Script {
    /// It says it when so many bytes of a body have come; else at once.
    after: usize,
    says: Vec<Says>,
    /// It hangs up behind that.
    closes: bool,
}

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
    /// What it does with one request after the other, and with all that come behind those.
    scripts: Arc<Mutex<VecDeque<Script>>>,
    /// How many bytes of a body came with each.
    bodies: Arc<Mutex<Vec<usize>>>,
}

impl Odd {
    async fn start() -> Odd {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let odd = Odd {
            at: listener.local_addr().expect("an address"),
            got: Arc::default(),
            scripts: Arc::default(),
            bodies: Arc::default(),
        };
        let speaker = Arc::new(odd.speaker());
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let speaker = Arc::clone(&speaker);
                tokio::spawn(async move { speaker.speaks(stream).await });
            }
        });
        odd
    }

    fn speaker(&self) -> Odd {
        Odd {
            at: self.at,
            got: Arc::clone(&self.got),
            scripts: Arc::clone(&self.scripts),
            bodies: Arc::clone(&self.bodies),
        }
    }

    fn does(&self, says: &[Says], closes: bool) {
        let script = Script {
            says: says.to_vec(),
            closes,
            after: 0,
        };
        self.does_in_turn([script]);
    }

    fn does_in_turn(&self, scripts: impl IntoIterator<Item = Script>) {
        *self.scripts.lock().expect("nobody panicked") = scripts.into_iter().collect();
        self.bodies.lock().expect("nobody panicked").clear();
        self.got.store(0, Ordering::SeqCst);
    }

    fn got(&self) -> usize {
        self.got.load(Ordering::SeqCst)
    }

    fn bodies(&self) -> Vec<usize> {
        self.bodies.lock().expect("nobody panicked").clone()
    }

    fn next_script(&self) -> Script {
        let mut scripts = self.scripts.lock().expect("nobody panicked");
        match scripts.len() {
            0 => Script::default(),
            1 => scripts[0].clone(),
            _ => scripts.pop_front().unwrap_or_default(),
        }
    }
}

fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).expect("it is short").to_be_bytes();
    [&length[1..], &[kind, flags], &stream.to_be_bytes(), payload].concat()
}

impl Odd {
    /// Reads frames, and says its words behind each request. Nothing where the other side has gone.
    async fn speaks(&self, mut stream: TcpStream) -> Option<()> {
        let mut preface = [0; PREFACE];
        stream.read_exact(&mut preface).await.ok()?;
        let mut asked: Option<(Script, usize)> = None;
        loop {
            let mut head = [0; 9];
            stream.read_exact(&mut head).await.ok()?;
            let [high, middle, low, kind, flags, number @ ..] = head;
            let mut payload = vec![0; u32::from_be_bytes([0, high, middle, low]) as usize];
            stream.read_exact(&mut payload).await.ok()?;
            if kind == SETTINGS_FRAME && flags == 0 {
                stream.write_all(&frame(SETTINGS_FRAME, 0, 0, b"")).await.ok()?;
                stream.write_all(&frame(SETTINGS_FRAME, 1, 0, b"")).await.ok()?;
            }
            let number = u32::from_be_bytes(number);
            if kind == HEADERS {
                self.got.fetch_add(1, Ordering::SeqCst);
                let at = {
                    let mut bodies = self.bodies.lock().expect("nobody panicked");
                    bodies.push(0);
                    bodies.len() - 1
                };
                asked = Some((self.next_script(), at));
                for stream_of in [0, number] {
                    let more = frame(MORE, 0, stream_of, &(1_u32 << 20).to_be_bytes());
                    stream.write_all(&more).await.ok()?;
                }
            }
            let came = {
                let at = asked.as_ref().map(|(_, at)| *at);
                let mut bodies = self.bodies.lock().expect("nobody panicked");
                let of = at.and_then(|at| bodies.get_mut(at));
                of.map_or(0, |body| {
                    *body += if kind == DATA { payload.len() } else { 0 };
                    *body
                })
            };
            let Some((script, _)) = asked.take_if(|(script, _)| came >= script.after && kind <= HEADERS)
            else {
                continue;
            };
            for word in script.says {
                let bytes = match word {
                    Frame(kind, flags, payload) => frame(kind, flags, number, payload),
                    Connection(kind, flags, payload) => frame(kind, flags, 0, payload),
                    Raw(bytes) => bytes.to_vec(),
                };
                stream.write_all(&bytes).await.ok()?;
            }
            if script.closes {
                // Whoever closes with something unread in hand takes back what is on its way.
                stream.shutdown().await.ok()?;
                while stream.read(&mut [0; 1024]).await.ok()? > 0 {}
                return None;
            }
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
    sends(sender, Bytes::from_static(b"\0\0\0\0\0")).await
}

async fn sends(sender: &mut SendRequest<Full<Bytes>>, body: Bytes) -> Saw {
    let asked = Request::post(format!("https://{}/shop.Orders/List", host("web")))
        .header("te", "trailers")
        .header("content-type", "application/grpc")
        .body(Full::from(body))
        .expect("a request");
    let answered = timeout(BOUND, sender.send_request(asked)).await;
    // What is reset before its head has gone out goes out without it: a client may throw away the one for the other anyway.
    let Ok(answered) = answered.expect("it is answered") else {
        return Saw::Cut;
    };
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

async fn speaks_grpc(
    running: &Running,
    odds: &[(&str, SocketAddr)],
    bounds: Bounds,
) -> SendRequest<Full<Bytes>> {
    let mut web = kit::target("web", odds, Duration::from_secs(10));
    web.grpc = true;
    web.rules = Arc::new(Rules {
        bounds,
        ..Rules::default()
    });
    running.set(web).await;
    let stream = running.tls(&host("web"), &[b"h2"]).await.expect("it is trusted");
    kit::http_two(stream).await
}

#[tokio::test]
async fn a_fault_of_an_instance_that_speaks_grpc_is_told_and_forgotten() {
    let running = edge().await;
    let odd = Odd::start().await;
    let bounds = Bounds {
        hard: Some(1),
        ..Bounds::default()
    };
    let mut sender = speaks_grpc(&running, &[("one", odd.at)], bounds).await;
    let reset = Frame(3, 0, b"\0\0\0\x02");
    let goes_away = Connection(7, 0, b"\x7F\xFF\xFF\xFF\0\0\0\0");
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
        ("goes away in the middle", &[goes_away], true, Saw::Edge(502)),
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
        assert_eq!(odd.got(), 1, "{name}: what may have been done is not done again");
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

/// No stream of its connection was looked at.
const GOES_AWAY: Says = Connection(7, 0, b"\0\0\0\0\0\0\0\0");
/// This one was not.
const REFUSES: Says = Frame(3, 0, b"\0\0\0\x07");

fn script(after: usize, says: &[Says], closes: bool) -> Script {
    Script {
        after,
        says: says.to_vec(),
        closes,
    }
}

#[tokio::test]
async fn what_an_instance_gives_back_untouched_is_sent_again_whatever_its_method() {
    let running = edge().await;
    let odd = Odd::start().await;
    let mut sender = speaks_grpc(&running, &[("one", odd.at)], Bounds::default()).await;
    let body = Bytes::from(vec![1; 40_000]);
    let answers = || script(body.len(), &[HEAD, TRAILERS], false);
    for (name, says, after, closes) in [
        ("before its body", GOES_AWAY, 0, true),
        ("in its body", GOES_AWAY, 10_000, true),
        ("behind its body", GOES_AWAY, 40_000, false),
        ("a stream before its body", REFUSES, 0, false),
        ("a stream behind its body", REFUSES, 40_000, false),
    ] {
        odd.does_in_turn([script(after, &[says], closes), answers()]);
        assert_eq!(
            sends(&mut sender, body.clone()).await,
            Saw::Whole("0".to_owned()),
            "{name}"
        );
        assert_eq!(odd.got(), 2, "{name}");
        assert_eq!(odd.bodies()[1], body.len(), "all of it: {name}");
    }
    odd.does(&[GOES_AWAY], false);
    assert_eq!(
        sends(&mut sender, body.clone()).await,
        Saw::Edge(502),
        "no more than twice"
    );
    assert_eq!(odd.got(), 2);
    let large = Bytes::from(vec![1; 200_000]);
    odd.does_in_turn([script(100_000, &[REFUSES], false), answers()]);
    assert_eq!(
        sends(&mut sender, large).await,
        Saw::Edge(502),
        "it is not there any more"
    );
    assert_eq!(odd.got(), 1);
    odd.does_in_turn([answers()]);
    assert_eq!(
        sends(&mut sender, body).await,
        Saw::Whole("0".to_owned()),
        "behind all that"
    );
}

#[tokio::test]
async fn what_one_instance_refuses_another_one_answers() {
    let running = edge().await;
    let (refuses, answers) = (Odd::start().await, Odd::start().await);
    refuses.does(&[REFUSES], false);
    answers.does(&[HEAD, TRAILERS], false);
    let both = [("one", refuses.at), ("two", answers.at)];
    let mut sender = speaks_grpc(&running, &both, Bounds::default()).await;
    for _ in 0..10 {
        assert_eq!(calls(&mut sender).await, Saw::Whole("0".to_owned()));
    }
    assert!(refuses.got() > 0, "it was asked");
    assert_eq!(answers.got(), 10);
}
