//! Servers that answer as a test says, and probes as manifests have them.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use towpath_model::Sealed;
use towpath_model::desired::probe::Probe;
use towpath_model::run::Verdict;
use towpath_probe::{Aim, Base, Outcome};

/// What stands around the probe of a test.
const AROUND: &str = r#"
product = "shop"
[service.web]
run = "web"
speaks = "websocket"
uses = ["db", "cache"]
[postgres.db]
[redis.cache]
[secret.COOKIE]
[secret.KEY]
[environment.dev]
[probe.it]
of = "web"
"#;

pub(crate) fn probe(text: &str) -> Probe {
    let text = format!("{AROUND}{text}");
    let sources = BTreeMap::from([("towpath.toml".to_owned(), text.into_bytes())]);
    let reading = towpath_manifest::read("towpath.toml", &sources);
    let told: Vec<&str> = reading.findings.iter().map(|one| one.message.as_str()).collect();
    assert!(!reading.has_errors(), "{told:?}");
    reading
        .environments
        .get("dev")
        .unwrap()
        .desired
        .probe
        .get("it")
        .unwrap()
        .clone()
}

pub(crate) fn sealed(text: &str) -> Sealed<String> {
    Sealed::new(text.to_owned())
}

/// Aimed at these, with a secret of each kind.
pub(crate) fn aim(at: &[SocketAddr]) -> Aim {
    Aim {
        at: at.iter().map(|at| Base::instance(*at)).collect(),
        secrets: BTreeMap::from([
            ("COOKIE".to_owned(), sealed("session=0123456789abcdef")),
            ("KEY".to_owned(), sealed("hunter2hunter2")),
        ]),
        env: vec![("PATH".to_owned(), sealed("/usr/bin:/bin"))],
        folder: "/".into(),
        ..Aim::default()
    }
}

pub(crate) async fn tried(text: &str, aim: &Aim) -> Outcome {
    towpath_probe::probe(&probe(text), "it", aim).await
}

/// The verdict as people read it, without the numbers that are others each time.
pub(crate) fn told(outcome: &Outcome) -> String {
    match &outcome.found.verdict {
        Verdict::Pass => "pass".to_owned(),
        Verdict::Fail(why) => format!("FAIL {}", steady(why)),
        Verdict::Inconclusive(why) => format!("open {}", steady(why)),
        Verdict::Waived(why) => format!("waived {why}"),
        Verdict::Awaits(why) => format!("waits {why}"),
    }
}

/// A text with `PORT` for each port of this machine.
fn steady(text: &str) -> String {
    let mut parts = text.split("127.0.0.1:");
    let mut steady = parts.next().unwrap().to_owned();
    for part in parts {
        let rest = part.trim_start_matches(|letter: char| letter.is_ascii_digit());
        steady += "127.0.0.1:";
        steady += if rest.len() < part.len() { "PORT" } else { "" };
        steady += rest;
    }
    steady
}

/// How a server ends what it was asked.
#[derive(Clone)]
pub(crate) enum Reply {
    /// With these bytes, and then it hangs up.
    Bytes(Vec<u8>),
    /// Not at all: the connection stays open.
    Never,
    /// With this, again and again.
    Endless(Vec<u8>),
}

/// An answer with this status, further headers and body.
pub(crate) fn reply(status: &str, headers: &str, body: &str) -> Reply {
    let length = body.len();
    Reply::Bytes(format!("HTTP/1.1 {status}\r\ncontent-length: {length}\r\n{headers}\r\n{body}").into_bytes())
}

pub(crate) fn ok(body: &str) -> Reply {
    reply("200 OK", "", body)
}

/// A server that answers as it is told.
pub(crate) struct Server {
    pub(crate) at: SocketAddr,
    /// What it was asked.
    pub(crate) asked: Arc<Mutex<Vec<String>>>,
    serving: JoinHandle<()>,
}

impl Drop for Server {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

impl Server {
    /// Answers each request by its number and its text.
    pub(crate) async fn new(answer: impl Fn(usize, &str) -> Reply + Send + Sync + 'static) -> Server {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let at = listener.local_addr().unwrap();
        let asked = Arc::new(Mutex::new(Vec::new()));
        let (kept, answer) = (Arc::clone(&asked), Arc::new(answer));
        let serving = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, Arc::clone(&kept), Arc::clone(&answer)));
            }
        });
        Server { at, asked, serving }
    }

    pub(crate) fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }
}

/// Answers one request on a connection.
pub(crate) async fn serve<S: AsyncRead + AsyncWrite + Unpin>(
    mut stream: S,
    asked: Arc<Mutex<Vec<String>>>,
    answer: Arc<impl Fn(usize, &str) -> Reply>,
) {
    let Some(request) = request(&mut stream).await else {
        return;
    };
    let number = {
        let mut asked = asked.lock().unwrap();
        asked.push(request.clone());
        asked.len() - 1
    };
    match answer(number, &request) {
        Reply::Bytes(bytes) => {
            let _ = stream.write_all(&bytes).await;
            let _ = stream.shutdown().await;
        }
        Reply::Never => {
            // It is open until the other side has had enough.
            let _ = stream.read(&mut [0; 1]).await;
        }
        Reply::Endless(bytes) => while stream.write_all(&bytes).await.is_ok() {},
    }
}

async fn request<S: AsyncRead + Unpin>(stream: &mut S) -> Option<String> {
    let mut bytes = Vec::new();
    loop {
        let text = String::from_utf8_lossy(&bytes).into_owned();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head.to_ascii_lowercase();
            let length = length
                .lines()
                .find_map(|line| line.strip_prefix("content-length: ")?.parse().ok());
            if body.len() >= length.unwrap_or(0) {
                return Some(text);
            }
        }
        if stream.read_buf(&mut bytes).await.ok()? == 0 {
            return None;
        }
    }
}

/// An address at which nobody listens.
pub(crate) async fn nobody() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    listener.local_addr().unwrap()
}
