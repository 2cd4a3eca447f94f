//! A machine in a folder of its own, with stewards that are tasks of ours.

use bytes::Bytes;
use http::{Method, Request, Response, StatusCode};
use http_body::Frame;
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Full, StreamBody};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use std::convert::Infallible;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::net::UnixListener;
use tokio::sync::{Notify, mpsc, oneshot};
use tokio::task::{JoinHandle, JoinSet};
use towpath_api::{Client, Mint, Minted, Remote, Token, Verb};
use towpath_serve::{Config, Open, Outside, SOCKET, serve};

/// Nothing here takes so long unless it hangs.
pub(crate) const BOUND: Duration = Duration::from_secs(30);

/// Stewards that are tasks of ours.
pub(crate) struct Fakes {
    runtime: tokio::runtime::Handle,
    living: Mutex<Vec<JoinHandle<()>>>,
    said: Mutex<Vec<String>>,
    /// The second line of `/logs` comes when this rings.
    pub(crate) next: Arc<Notify>,
    /// Rings when somebody follows a steward.
    follows: Arc<Notify>,
    /// Whoever waits for a steward to be started.
    started: mpsc::UnboundedSender<()>,
}

impl Fakes {
    pub(crate) fn said(&self) -> Vec<String> {
        self.said.lock().expect("it is not held").clone()
    }
}

impl Outside for Fakes {
    fn hatch(&self, folder: &Path, environment: &str) -> Result<(), String> {
        let socket = self.socket(folder, environment);
        std::fs::create_dir_all(socket.parent().expect("it lies in one")).expect("it can be made");
        let _ = std::fs::remove_file(&socket);
        let _inside = self.runtime.enter();
        let listener = UnixListener::bind(&socket).map_err(|error| error.to_string())?;
        let steward = steward(listener, Arc::clone(&self.next), Arc::clone(&self.follows));
        self.living
            .lock()
            .expect("it is not held")
            .push(tokio::spawn(steward));
        let _ = self.started.send(());
        Ok(())
    }

    fn socket(&self, folder: &Path, environment: &str) -> PathBuf {
        folder.join(environment).join("socket")
    }

    fn environments(&self, folder: &Path) -> Vec<String> {
        let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
        entries
            .filter_map(|entry| entry.file_name().into_string().ok())
            .collect()
    }

    fn tell(&self, text: &str) {
        self.said.lock().expect("it is not held").push(text.to_owned());
    }
}

async fn steward(listener: UnixListener, next: Arc<Notify>, follows: Arc<Notify>) {
    // With the task all of its connections end.
    let mut all = JoinSet::new();
    while let Ok((stream, _)) = listener.accept().await {
        let (next, follows) = (Arc::clone(&next), Arc::clone(&follows));
        all.spawn(async move {
            let service = service_fn(|request| answer(request, Arc::clone(&next), Arc::clone(&follows)));
            let _ = hyper::server::conn::http1::Builder::new()
                .serve_connection(TokioIo::new(stream), service)
                .await;
        });
    }
}

type Body = UnsyncBoxBody<Bytes, Infallible>;

async fn answer(
    request: Request<Incoming>,
    next: Arc<Notify>,
    follows: Arc<Notify>,
) -> Result<Response<Body>, Infallible> {
    assert!(
        request.headers().get("authorization").is_none(),
        "a steward sees no token"
    );
    let path = request
        .uri()
        .path_and_query()
        .map(ToString::to_string)
        .unwrap_or_default();
    let (to, lines) = mpsc::channel(4);
    match (request.method().as_str(), path.as_str()) {
        ("GET", "/events") => {
            follows.notify_one();
            tokio::spawn(async move { to.closed().await });
        }
        ("POST", "/logs") => {
            tokio::spawn(async move {
                let _ = to
                    .send("{\"event\":\"settled\",\"well\":true,\"idle\":false}\n")
                    .await;
                next.notified().await;
                let _ = to.send("{\"event\":\"gone\"}\n").await;
            });
        }
        ("GET", "/refused") => {
            let problem = "{\"status\":418,\"code\":\"teapot\",\"message\":\"no\",\"hint\":null}";
            let mut answer = Response::new(UnsyncBoxBody::new(Full::new(Bytes::from(problem))));
            *answer.status_mut() = StatusCode::IM_A_TEAPOT;
            return Ok(answer);
        }
        _ => {
            let mut body = request.into_body();
            let mut length = 0;
            while let Some(Ok(frame)) = body.frame().await {
                length += frame.data_ref().map_or(0, Bytes::len);
            }
            let text = match path.as_str() {
                "/whatever" => path.clone(),
                _ => format!("{path} {length}"),
            };
            return Ok(Response::new(UnsyncBoxBody::new(Full::new(Bytes::from(text)))));
        }
    }
    Ok(Response::new(UnsyncBoxBody::new(StreamBody::new(Lines(lines)))))
}

/// Lines as they come.
struct Lines(mpsc::Receiver<&'static str>);

impl futures_util::Stream for Lines {
    type Item = Result<Frame<Bytes>, Infallible>;
    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let polled = self.0.poll_recv(context);
        polled.map(|line| line.map(|line| Ok(Frame::data(Bytes::from_static(line.as_bytes())))))
    }
}

/// A machine in a folder of its own.
pub(crate) struct Bed {
    folder: tempfile::TempDir,
    pub(crate) fakes: Arc<Fakes>,
    starts: mpsc::UnboundedReceiver<()>,
    pub(crate) open: Open,
    end: oneshot::Sender<()>,
    serving: JoinHandle<()>,
}

impl Bed {
    pub(crate) async fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let (started, starts) = mpsc::unbounded_channel();
        let fakes = Arc::new(Fakes {
            runtime: tokio::runtime::Handle::current(),
            living: Mutex::default(),
            said: Mutex::default(),
            next: Arc::default(),
            follows: Arc::default(),
            started,
        });
        let config = Config {
            home: folder.path().join("home"),
            listen: Some(SocketAddr::from(([127, 0, 0, 1], 0))),
            files: None,
            version: "1.2.3",
        };
        let (tell, told) = oneshot::channel();
        let (end, ended) = oneshot::channel::<()>();
        let outside = Arc::clone(&fakes) as Arc<dyn Outside>;
        let serving = tokio::spawn(async move {
            let ready = |open: &Open| drop(tell.send(open.clone()));
            let ends = async { drop(ended.await) };
            serve(config, outside, ready, ends).await.expect("it serves");
        });
        let open = told.await.expect("it opens");
        Bed {
            folder,
            fakes,
            starts,
            open,
            end,
            serving,
        }
    }

    pub(crate) fn home(&self) -> PathBuf {
        self.folder.path().join("home")
    }

    /// Asks through the machine's own socket: the status, the media type and the text of the answer.
    pub(crate) async fn ask(
        &self,
        method: Method,
        path: &str,
        body: Vec<u8>,
    ) -> (StatusCode, String, String) {
        let stream = towpath_api::connect(&self.home().join(SOCKET))
            .await
            .expect("it listens");
        let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream))
            .await
            .expect("it is spoken to");
        tokio::spawn(connection);
        let request = Request::builder().method(method).uri(path).header("host", "a");
        let request = request.body(Full::new(Bytes::from(body))).expect("it is one");
        let answer = sender.send_request(request).await.expect("it answers");
        let kind = answer
            .headers()
            .get("content-type")
            .map(|kind| kind.to_str().expect("text").to_owned());
        let status = answer.status();
        let body = answer
            .into_body()
            .collect()
            .await
            .expect("it is whole")
            .to_bytes();
        (
            status,
            kind.unwrap_or_default(),
            String::from_utf8_lossy(&body).into_owned(),
        )
    }

    /// A token for all environments of the shop.
    pub(crate) async fn token(&self, may: &[Verb]) -> Token {
        let asked = Mint {
            product: "shop".to_owned(),
            environments: Vec::new(),
            may: may.to_vec(),
            lasts: 600,
            name: None,
        };
        let client = Client::new(self.open.socket.clone());
        let minted: Minted = client
            .ask(Method::POST, "/v1/tokens", &asked)
            .await
            .expect("it is made");
        Token::parse(&minted.token).expect("it is one")
    }

    /// Whoever comes over TLS with such a token.
    pub(crate) async fn client(&self, may: &[Verb]) -> Client {
        let port = self.open.listen.expect("it listens").port();
        let token = self.token(may).await;
        Client::elsewhere(Remote::new("127.0.0.1", port, token, "shop", "prod"))
    }

    /// Waits until a steward is started.
    pub(crate) async fn started(&mut self) {
        let started = tokio::time::timeout(BOUND, self.starts.recv()).await;
        started.expect("a steward is started").expect("somebody tells");
    }

    /// Waits until one is followed.
    pub(crate) async fn followed(&self) {
        let followed = tokio::time::timeout(BOUND, self.fakes.follows.notified()).await;
        followed.expect("it is followed");
    }

    /// Kills the newest steward.
    pub(crate) async fn kill(&self) {
        let dead = self
            .fakes
            .living
            .lock()
            .expect("it is not held")
            .pop()
            .expect("it lives");
        dead.abort();
        let _ = dead.await;
    }

    pub(crate) async fn end(self) {
        drop(self.end);
        self.serving.await.expect("it ends well");
    }
}
