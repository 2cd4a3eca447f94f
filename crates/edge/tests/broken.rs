//! Instances that close early, stall, talk nonsense, reset, or say more than they have promised.
//!
//! Each of them is asked over HTTP/1 and over one HTTP/2 connection that outlives them all. Behind each of them the same instance
//! has to answer well, though it may have one request open and no more: what a fault had kept of that would be missed there.

mod kit;

use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use http::{Method, Request};
use http_body_util::{BodyExt, Full};
use hyper::client::conn::http2::SendRequest;
use kit::{BOUND, Running, edge, host, until};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;
use towpath_edge::{Target, Whole};
use towpath_model::run::{Bounds, Rules};

const HOLD: Duration = Duration::from_secs(10);

/// What an instance does behind its words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Then {
    /// It hangs up.
    Closes,
    /// Its end of the connection is gone as if its process had been.
    Resets,
    /// It says nothing more, and holds on.
    Stalls,
    /// It waits for the next request.
    GoesOn,
}

use Then::{Closes, GoesOn, Resets, Stalls};

type Script = (Vec<u8>, Then);

/// An instance that does with every request what it was told last.
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
            script: Arc::new(Mutex::new((Vec::new(), Closes))),
        };
        let (got, script) = (Arc::clone(&odd.got), Arc::clone(&odd.script));
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(speaks(stream, Arc::clone(&got), Arc::clone(&script)));
            }
        });
        odd
    }

    fn does(&self, says: &[u8], then: Then) {
        *self.script.lock().expect("nobody panicked") = (says.to_vec(), then);
        self.got.store(0, Ordering::SeqCst);
    }
}

async fn speaks(mut stream: TcpStream, got: Arc<AtomicUsize>, script: Arc<Mutex<Script>>) {
    loop {
        let mut came = Vec::new();
        while !came.windows(4).any(|window| window == b"\r\n\r\n") {
            if stream.read_buf(&mut came).await.unwrap_or(0) == 0 {
                return;
            }
        }
        got.fetch_add(1, Ordering::SeqCst);
        let (says, then) = script.lock().expect("nobody panicked").clone();
        let _ = stream.write_all(&says).await;
        match then {
            Closes => return,
            Resets => return stream.set_zero_linger().expect("an option"),
            Stalls => {
                // Until the other side has gone.
                while stream.read_buf(&mut came).await.unwrap_or(0) > 0 {}
                return;
            }
            GoesOn => {}
        }
    }
}

/// What a visitor has seen.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Saw {
    /// An answer of the edge itself.
    Edge(u16),
    /// An answer of the instance, to its end.
    Whole(u16, String),
    /// One that broke off behind its head.
    Cut,
}

/// A visitor, over either version.
enum Visitor {
    One,
    Two(SendRequest<Full<Bytes>>),
}

impl Visitor {
    async fn asks(&mut self, running: &Running, method: Method, body: &'static [u8]) -> Saw {
        let request = |uri: String| {
            Request::builder()
                .method(method)
                .uri(uri)
                .header("host", host("web"))
                .body(Full::from(body))
                .expect("a request")
        };
        let sent = match self {
            Visitor::One => {
                let stream = TcpStream::connect(running.http()).await.expect("it listens");
                let mut sender = kit::http_one(stream).await;
                timeout(BOUND, sender.send_request(request("/".to_owned()))).await
            }
            Visitor::Two(sender) => {
                let mut request = request(format!("https://{}/", host("web")));
                request.headers_mut().remove("host");
                timeout(BOUND, sender.send_request(request)).await
            }
        };
        let answered = sent.expect("it is answered").expect("it has a head");
        let status = answered.status().as_u16();
        match timeout(BOUND, answered.into_body().collect())
            .await
            .expect("it ends")
        {
            Ok(body) => {
                let body = String::from_utf8(body.to_bytes().to_vec()).expect("it is text");
                match body.starts_with("No answer") {
                    true => Saw::Edge(status),
                    false => Saw::Whole(status, body),
                }
            }
            Err(_) => Saw::Cut,
        }
    }
}

fn bounded(at: SocketAddr, time: Option<u64>) -> Target {
    let mut web = kit::target("web", &[("one", at)], HOLD);
    web.rules = Arc::new(Rules {
        bounds: Bounds {
            hard: Some(1),
            time: time.map(towpath_model::unit::Duration::from_millis),
            ..Bounds::default()
        },
        ..Rules::default()
    });
    web
}

fn counted(running: &Running) -> Whole {
    running
        .edge
        .seen()
        .components
        .into_iter()
        .next()
        .unwrap_or_default()
}

/// A fault, how a visitor sees it, how often the instance is asked, and how often that is a failure of it.
struct Case {
    name: &'static str,
    method: Method,
    says: Vec<u8>,
    then: Then,
    saw: Saw,
    got: usize,
    failures: u64,
}

fn case(name: &'static str, says: &str, then: Then, saw: Saw, got: usize, failures: u64) -> Case {
    Case {
        name,
        method: Method::GET,
        says: says.replace('\n', "\r\n").into_bytes(),
        then,
        saw,
        got,
        failures,
    }
}

const OK: &str = "HTTP/1.1 200 OK\ncontent-length: 2\n\nok";

fn faults() -> Vec<Case> {
    let whole = |status, text: &str| Saw::Whole(status, text.to_owned());
    let large = format!("HTTP/1.1 200 OK\nx-large: {}\n\n", "x".repeat(200 * 1_024));
    let hints = "HTTP/1.1 103 Early Hints\nlink: </a>\n\n".repeat(1_000);
    let mut all = vec![
        case("closes before its head", "", Closes, Saw::Edge(502), 2, 2),
        case("resets before its head", "", Resets, Saw::Edge(502), 2, 2),
        case(
            "closes in its head",
            "HTTP/1.1 200 OK\ncontent-le",
            Closes,
            Saw::Edge(502),
            1,
            1,
        ),
        case("talks nonsense", "nonsense\n\n", GoesOn, Saw::Edge(502), 1, 1),
        case(
            "speaks TLS",
            "\u{16}\u{3}\u{1}\0\u{2}",
            GoesOn,
            Saw::Edge(502),
            1,
            1,
        ),
        case("speaks HTTP/2", "HTTP/2 200\n\n", GoesOn, Saw::Edge(502), 1, 1),
        case(
            "says two lengths",
            "HTTP/1.1 200 OK\ncontent-length: 2\ncontent-length: 3\n\nok",
            GoesOn,
            Saw::Edge(502),
            1,
            1,
        ),
        case("has a head without an end", &large, GoesOn, Saw::Edge(502), 1, 1),
        case(
            "changes the protocol though nobody asked",
            "HTTP/1.1 101 Switching Protocols\nconnection: upgrade\nupgrade: chat\n\nhello",
            GoesOn,
            Saw::Edge(502),
            1,
            0,
        ),
        case(
            "closes in its body",
            "HTTP/1.1 200 OK\ncontent-length: 10\n\nhalf",
            Closes,
            Saw::Cut,
            1,
            0,
        ),
        case(
            "resets in its body",
            "HTTP/1.1 200 OK\ncontent-length: 10\n\nhalf",
            Resets,
            Saw::Cut,
            1,
            0,
        ),
        case(
            "closes between two chunks",
            "HTTP/1.1 200 OK\ntransfer-encoding: chunked\n\n4\nhalf\n",
            Closes,
            Saw::Cut,
            1,
            0,
        ),
        case(
            "talks nonsense between two chunks",
            "HTTP/1.1 200 OK\ntransfer-encoding: chunked\n\n4\nhalf\nzz\n",
            GoesOn,
            Saw::Cut,
            1,
            0,
        ),
        case(
            "talks nonsense as trailers",
            "HTTP/1.1 200 OK\ntransfer-encoding: chunked\n\n4\nhalf\n0\nnonsense\n\n",
            GoesOn,
            Saw::Cut,
            1,
            0,
        ),
        case(
            "resets a body without a length",
            "HTTP/1.1 200 OK\n\nhalf",
            Resets,
            Saw::Cut,
            1,
            0,
        ),
        case(
            "ends a body without a length",
            "HTTP/1.1 200 OK\n\nall",
            Closes,
            whole(200, "all"),
            1,
            0,
        ),
        case(
            "says more than it promised",
            "HTTP/1.1 200 OK\ncontent-length: 2\n\nokHTTP/1.1 200 OK\ncontent-length: 6\n\npoison",
            GoesOn,
            whole(200, "ok"),
            1,
            0,
        ),
        case(
            "has a body where there is none",
            "HTTP/1.1 204 No Content\n\npoison",
            GoesOn,
            whole(204, ""),
            1,
            0,
        ),
        case(
            "has much to say before its answer",
            &format!("{hints}{OK}"),
            GoesOn,
            whole(200, "ok"),
            1,
            0,
        ),
    ];
    let mut heads = case(
        "answers HEAD with a body",
        "HTTP/1.1 200 OK\ncontent-length: 6\n\npoison",
        GoesOn,
        whole(200, ""),
        1,
        0,
    );
    heads.method = Method::HEAD;
    let mut posts = case("closes before its head on POST", "", Closes, Saw::Edge(502), 1, 1);
    posts.method = Method::POST;
    all.extend([heads, posts]);
    all
}

async fn both(running: &Running) -> [(&'static str, Visitor); 2] {
    let stream = running.tls(&host("web"), &[b"h2"]).await.expect("it is trusted");
    let two = kit::http_two(stream).await;
    [("HTTP/1", Visitor::One), ("HTTP/2", Visitor::Two(two))]
}

#[tokio::test]
async fn a_fault_of_an_instance_is_told_as_what_it_is_counted_and_forgotten() {
    let running = edge().await;
    let odd = Odd::start().await;
    running.set(bounded(odd.at, None)).await;
    for (version, mut visitor) in both(&running).await {
        for case in faults() {
            let name = format!("{} over {version}", case.name);
            let before = counted(&running);
            odd.does(&case.says, case.then);
            let saw = visitor.asks(&running, case.method.clone(), b"").await;
            assert_eq!(saw, case.saw, "{name}");
            assert_eq!(odd.got.load(Ordering::SeqCst), case.got, "{name}");
            let after = counted(&running);
            assert_eq!(after.failures - before.failures, case.failures, "{name}");
            assert_eq!(after.repeated - before.repeated, case.got as u64 - 1, "{name}");
            // Nothing of it is left, and nothing of what it has said is taken for an answer to somebody else.
            odd.does(OK.replace('\n', "\r\n").as_bytes(), GoesOn);
            let well = visitor.asks(&running, Method::POST, b"").await;
            assert_eq!(well, Saw::Whole(200, "ok".to_owned()), "behind: {name}");
        }
    }
    until("the end of all", async || counted(&running).active == 0).await;
    assert_eq!(counted(&running).waiting, 0);
    let all = running.edge.seen();
    let cut: u64 = all.requests.iter().map(|one| one.cut).sum();
    let expected = faults().iter().filter(|case| case.saw == Saw::Cut).count();
    assert_eq!(cut, 2 * expected as u64);
}

#[tokio::test]
async fn an_instance_that_stalls_is_waited_for_as_long_as_it_may_take() {
    let running = edge().await;
    let odd = Odd::start().await;
    for (version, mut visitor) in both(&running).await {
        for says in [
            "",
            "HTTP/1.1 200 OK\r\ncontent-le",
            "HTTP/1.1 103 Early Hints\r\n\r\n",
        ] {
            running.set(bounded(odd.at, Some(100))).await;
            odd.does(says.as_bytes(), Stalls);
            let saw = visitor.asks(&running, Method::GET, b"").await;
            assert_eq!(saw, Saw::Edge(504), "{says:?} over {version}");
            assert_eq!(odd.got.load(Ordering::SeqCst), 1, "{says:?} over {version}");
            running.set(bounded(odd.at, None)).await;
            odd.does(OK.replace('\n', "\r\n").as_bytes(), GoesOn);
            let well = visitor.asks(&running, Method::POST, b"").await;
            assert_eq!(well, Saw::Whole(200, "ok".to_owned()), "behind {says:?}");
        }
    }
    until("the end of all", async || counted(&running).active == 0).await;
}

/// Asks, and leaves once the answer has begun.
async fn leaves(visitor: &mut Visitor, running: &Running) {
    let begun = |came: &Bytes| assert!(b"half".starts_with(came) && !came.is_empty());
    match visitor {
        Visitor::One => {
            let stream = TcpStream::connect(running.http()).await.expect("it listens");
            let mut sender = kit::http_one(stream).await;
            let answered = sender.send_request(kit::get(&host("web"), "/")).await;
            let mut body = answered.expect("a head").into_body();
            let frame = timeout(BOUND, body.frame()).await.expect("it begins");
            begun(
                frame
                    .expect("a frame")
                    .expect("it is whole")
                    .data_ref()
                    .expect("bytes"),
            );
        }
        Visitor::Two(sender) => {
            let asked = Request::get(format!("https://{}/", host("web"))).body(Full::default());
            let answered = sender.send_request(asked.expect("a request")).await;
            let mut body = answered.expect("a head").into_body();
            let frame = timeout(BOUND, body.frame()).await.expect("it begins");
            begun(
                frame
                    .expect("a frame")
                    .expect("it is whole")
                    .data_ref()
                    .expect("bytes"),
            );
        }
    }
}

#[tokio::test]
async fn a_visitor_who_leaves_an_answer_that_has_stalled_takes_everything_along() {
    let running = edge().await;
    let odd = Odd::start().await;
    running.set(bounded(odd.at, None)).await;
    for (version, mut visitor) in both(&running).await {
        for head in ["content-length: 10\r\n\r\nhalf", "\r\nhalf"] {
            odd.does(format!("HTTP/1.1 200 OK\r\n{head}").as_bytes(), Stalls);
            leaves(&mut visitor, &running).await;
            until("the end of it", async || counted(&running).active == 0).await;
            odd.does(OK.replace('\n', "\r\n").as_bytes(), GoesOn);
            let well = visitor.asks(&running, Method::POST, b"").await;
            assert_eq!(well, Saw::Whole(200, "ok".to_owned()), "over {version}");
        }
    }
}

#[tokio::test]
async fn an_instance_that_answers_before_it_has_read_a_body_and_hangs_up_is_heard() {
    static LARGE: [u8; 4 * 1_024 * 1_024] = [b'x'; 4 * 1_024 * 1_024];
    let running = edge().await;
    let odd = Odd::start().await;
    running.set(bounded(odd.at, None)).await;
    let refuses = b"HTTP/1.1 413 Content Too Large\r\ncontent-length: 5\r\nconnection: close\r\n\r\nlarge";
    for (version, mut visitor) in both(&running).await {
        // The instance goes on reading: one that hangs up at once takes its own words back, as TCP has it.
        odd.does(refuses, Stalls);
        let saw = visitor.asks(&running, Method::POST, &LARGE).await;
        assert_eq!(saw, Saw::Whole(413, "large".to_owned()), "over {version}");
        odd.does(OK.replace('\n', "\r\n").as_bytes(), GoesOn);
        let well = visitor.asks(&running, Method::POST, b"").await;
        assert_eq!(well, Saw::Whole(200, "ok".to_owned()), "over {version}");
        // It hangs up in the middle of the body without a word: nobody knows what it has done, so it is not asked again.
        odd.does(b"", Closes);
        let saw = visitor.asks(&running, Method::POST, &LARGE).await;
        assert_eq!(saw, Saw::Edge(502), "over {version}");
        assert_eq!(odd.got.load(Ordering::SeqCst), 1, "over {version}");
        odd.does(OK.replace('\n', "\r\n").as_bytes(), GoesOn);
        let well = visitor.asks(&running, Method::POST, b"").await;
        assert_eq!(well, Saw::Whole(200, "ok".to_owned()), "over {version}");
    }
    until("the end of all", async || counted(&running).active == 0).await;
}
