//! A real edge, real instances behind it and real visitors before it, for tests.
#![allow(dead_code, reason = "each test takes what it needs")]

use std::convert::Infallible;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, Method, Request, Response, StatusCode, Version};
use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt, Full, StreamBody};
use hyper::body::{Frame, Incoming};
use hyper::client::conn::{http1, http2};
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use towpath_edge::{Answer, Config, Edge, Event, Patience, RequestLog, Target};

/// Nothing here takes so long unless it hangs.
pub(crate) const BOUND: Duration = Duration::from_secs(20);

/// An edge of its own, with an authority of its own.
pub(crate) struct Running {
    pub(crate) edge: Arc<Edge>,
    pub(crate) events: UnboundedReceiver<Event>,
    pub(crate) folder: tempfile::TempDir,
}

pub(crate) async fn edge() -> Running {
    edge_with(Patience::default()).await
}

pub(crate) async fn edge_with(patience: Patience) -> Running {
    begun(patience, |_| None).await
}

/// An edge that keeps a log of requests, somewhere in its folder.
pub(crate) async fn edge_with_log(log: impl FnOnce(&Path) -> RequestLog) -> Running {
    begun(Patience::default(), |folder| Some(log(folder))).await
}

pub(crate) async fn begun(patience: Patience, log: impl FnOnce(&Path) -> Option<RequestLog>) -> Running {
    let folder = tempfile::tempdir().expect("a folder");
    let (sender, events) = unbounded_channel();
    let config = Config {
        product: "hello".to_owned(),
        authority: folder.path().join("authority"),
        https: 0,
        http: 0,
        listen: towpath_model::run::Listen::default(),
        patience,
        log: log(folder.path()),
        key: Some(folder.path().join("edge.key")),
    };
    let edge = Edge::start(config, sender).await.expect("it starts");
    Running {
        edge: Arc::new(edge),
        events,
        folder,
    }
}

/// The host name of a component.
pub(crate) fn host(name: &str) -> String {
    format!("{name}.hello.localhost")
}

/// A target with its host name, which holds for so long.
pub(crate) fn target(name: &str, ready: &[(&str, SocketAddr)], hold: Duration) -> Target {
    with(
        name,
        Answer::Instances {
            ready: ready.iter().map(|(id, at)| ((*id).to_owned(), *at)).collect(),
            hold,
            because: format!("{name} is not there.\nLook at its log."),
            releases: towpath_edge::Releases::default(),
        },
    )
}

pub(crate) fn with(name: &str, answer: Answer) -> Target {
    Target {
        name: name.to_owned(),
        hosts: vec![host(name)],
        inside: None,
        raw: false,
        grpc: false,
        sticky: false,
        compress: false,
        routes: Vec::new(),
        rules: std::sync::Arc::default(),
        drain: Duration::ZERO,
        slow_start: Duration::ZERO,
        answer,
        build: None,
        maintenance: None,
        mutual: None,
    }
}

impl Running {
    pub(crate) async fn set(&self, target: Target) {
        let name = target.name.clone();
        let set = self.edge.set(vec![(name, Some(target))]).await;
        set.expect("no port is taken");
    }

    pub(crate) fn http(&self) -> SocketAddr {
        ([127, 0, 0, 1], self.edge.listening().http).into()
    }

    pub(crate) fn https(&self) -> SocketAddr {
        ([127, 0, 0, 1], self.edge.listening().https).into()
    }

    /// A TLS connection that trusts the authority and nobody else.
    pub(crate) async fn tls(&self, name: &str, protocols: &[&[u8]]) -> std::io::Result<TlsStream<TcpStream>> {
        let connector = connector(&self.edge.listening().authority, protocols);
        let stream = TcpStream::connect(self.https()).await?;
        let name = ServerName::try_from(name.to_owned()).expect("a name");
        connector.connect(name, stream).await
    }

    /// Asks over plain HTTP.
    pub(crate) async fn ask(&self, request: Request<Full<Bytes>>) -> Reply {
        ask(self.http(), request).await
    }

    /// Asks a component for a path.
    pub(crate) async fn get(&self, name: &str, path: &str) -> Reply {
        self.ask(get(&host(name), path)).await
    }

    pub(crate) async fn event(&mut self) -> Event {
        tokio::time::timeout(BOUND, self.events.recv())
            .await
            .expect("something is told")
            .expect("the edge is there")
    }
}

pub(crate) fn connector(authority: &std::path::Path, protocols: &[&[u8]]) -> TlsConnector {
    let mut roots = RootCertStore::empty();
    let root = CertificateDer::from_pem_file(authority).expect("a certificate");
    roots.add(root).expect("it can be trusted");
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("there are versions")
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = protocols.iter().map(|name| name.to_vec()).collect();
    TlsConnector::from(Arc::new(config))
}

/// An answer, read to its end.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
    pub(crate) trailers: Option<HeaderMap>,
}

impl Reply {
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .map_or("", |value| value.to_str().expect("it is text"))
    }

    pub(crate) fn text(&self) -> &str {
        std::str::from_utf8(&self.body).expect("it is text")
    }
}

pub(crate) fn get(host: &str, path: &str) -> Request<Full<Bytes>> {
    request(Method::GET, host, path, &[], "")
}

pub(crate) fn request(
    method: Method,
    host: &str,
    path: &str,
    headers: &[(&str, &str)],
    body: &'static str,
) -> Request<Full<Bytes>> {
    let mut request = Request::builder().method(method).uri(path).header("host", host);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    request.body(Full::from(body)).expect("it is a request")
}

pub(crate) async fn read(response: Response<Incoming>) -> Reply {
    let (parts, body) = response.into_parts();
    let collected = tokio::time::timeout(BOUND, body.collect())
        .await
        .expect("it ends")
        .expect("it is whole");
    Reply {
        status: parts.status,
        headers: parts.headers,
        trailers: collected.trailers().cloned(),
        body: collected.to_bytes(),
    }
}

/// Asks over a connection of its own.
pub(crate) async fn ask(at: SocketAddr, request: Request<Full<Bytes>>) -> Reply {
    try_ask(at, request).await.expect("an answer")
}

pub(crate) async fn try_ask(at: SocketAddr, request: Request<Full<Bytes>>) -> hyper::Result<Reply> {
    let stream = TcpStream::connect(at).await.expect("somebody listens");
    let mut sender = http_one(stream).await;
    let answered = tokio::time::timeout(BOUND, sender.send_request(request)).await;
    Ok(read(answered.expect("it is answered")?).await)
}

pub(crate) async fn http_one<S, B>(stream: S) -> http1::SendRequest<B>
where
    S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
    B: hyper::body::Body + Send + 'static,
    B::Data: Send,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    let (sender, connection) = http1::handshake(TokioIo::new(stream)).await.expect("a handshake");
    tokio::spawn(connection.with_upgrades());
    sender
}

pub(crate) async fn http_two<S, B>(stream: S) -> http2::SendRequest<B>
where
    S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
    B: hyper::body::Body + Send + Unpin + 'static,
    B::Data: Send,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    let (sender, connection) = http2::handshake(TokioExecutor::new(), TokioIo::new(stream))
        .await
        .expect("a handshake");
    tokio::spawn(connection);
    sender
}

pub(crate) type Content = BoxBody<Bytes, Infallible>;

/// A process of a component, as far as sockets can tell: killed, it and all of its connections are gone at once.
pub(crate) struct Instance {
    pub(crate) at: SocketAddr,
    /// Requests that it has got.
    pub(crate) got: Arc<AtomicUsize>,
    /// Lets `/wait` and `/events` go on.
    pub(crate) go: Arc<Notify>,
    listens: tokio::task::JoinHandle<()>,
    runtime: Option<tokio::runtime::Runtime>,
}

impl Instance {
    pub(crate) fn start(id: &'static str) -> Instance {
        Instance::start_at(id, ([127, 0, 0, 1], 0).into())
    }

    pub(crate) fn start_at(id: &'static str, at: SocketAddr) -> Instance {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .expect("a runtime");
        let (got, go) = (Arc::new(AtomicUsize::new(0)), Arc::new(Notify::new()));
        let (counts, goes) = (Arc::clone(&got), Arc::clone(&go));
        let listener = {
            let _entered = runtime.enter();
            let listener = socket(at);
            TcpListener::from_std(listener).expect("it listens")
        };
        let at = listener.local_addr().expect("an address");
        let listens = runtime.spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (counts, goes) = (Arc::clone(&counts), Arc::clone(&goes));
                let service = service_fn(move |request| {
                    counts.fetch_add(1, Ordering::SeqCst);
                    answer(id, Arc::clone(&goes), request)
                });
                tokio::spawn(async move {
                    let mut first = [0; 3];
                    let _ = stream.peek(&mut first).await;
                    let stream = TokioIo::new(stream);
                    if first == *b"PRI" {
                        let connection = hyper::server::conn::http2::Builder::new(TokioExecutor::new());
                        let _ = connection.serve_connection(stream, service).await;
                    } else {
                        let connection = hyper::server::conn::http1::Builder::new();
                        let _ = connection.serve_connection(stream, service).await;
                    }
                });
            }
        });
        Instance {
            at,
            got,
            go,
            listens,
            runtime: Some(runtime),
        }
    }

    pub(crate) fn got(&self) -> usize {
        self.got.load(Ordering::SeqCst)
    }

    /// Ends it, and answers when its sockets are gone: the one that it listens on before the others, as the system closes
    /// the descriptors of a process in their order.
    pub(crate) async fn kill(mut self) -> SocketAddr {
        self.listens.abort();
        let _ = (&mut self.listens).await;
        let runtime = self.runtime.take().expect("it runs");
        tokio::task::spawn_blocking(move || runtime.shutdown_timeout(BOUND))
            .await
            .expect("it ends");
        self.at
    }
}

impl Drop for Instance {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

/// Listens, on a port that has just been somebody else's too.
fn socket(at: SocketAddr) -> std::net::TcpListener {
    let socket = tokio::net::TcpSocket::new_v4().expect("a socket");
    socket.set_reuseaddr(true).expect("an option");
    socket.bind(at).expect("the port is free");
    let listener = socket.listen(1_024).expect("it listens").into_std();
    listener.expect("it is a listener")
}

async fn answer(
    id: &'static str,
    go: Arc<Notify>,
    request: Request<Incoming>,
) -> Result<Response<Content>, Infallible> {
    let text = |text: String| Response::new(Full::from(text).boxed());
    Ok(match request.uri().path() {
        "/headers" => {
            let lines = request
                .headers()
                .iter()
                .map(|(name, value)| format!("{name}: {}\n", value.to_str().unwrap_or("not text")));
            text(lines.collect())
        }
        "/echo" => {
            let body = request
                .into_body()
                .map_err(|error| panic!("the body broke: {error}"));
            Response::new(body.boxed())
        }
        "/wait" => {
            go.notified().await;
            text(format!("{id} has waited"))
        }
        "/events" => {
            let mut response = Response::new(ticks(go));
            let kind = http::HeaderValue::from_static("text/event-stream");
            response.headers_mut().insert("content-type", kind);
            response
        }
        "/stream" => {
            let mut response = Response::new(ticks(go));
            let kind = http::HeaderValue::from_static("text/plain");
            response.headers_mut().insert("content-type", kind);
            response
        }
        "/long" => {
            let mut response = text("a long text, again and again. ".repeat(1_000));
            let headers = response.headers_mut();
            headers.insert("content-type", http::HeaderValue::from_static("text/plain"));
            headers.insert("etag", http::HeaderValue::from_static("\"1\""));
            response
        }
        "/untouched" => {
            let mut response = text("a long text, again and again. ".repeat(1_000));
            let headers = response.headers_mut();
            headers.insert("content-type", http::HeaderValue::from_static("text/plain"));
            headers.insert("cache-control", http::HeaderValue::from_static("no-transform"));
            response
        }
        "/short" => {
            let mut response = text("short".to_owned());
            let kind = http::HeaderValue::from_static("text/plain");
            response.headers_mut().insert("content-type", kind);
            response
        }
        "/trailers" => {
            let version = request.version();
            let trailers = request.into_body().collect().await.expect("it is whole");
            let came = trailers.trailers().and_then(|map| map.get("x-sum")).cloned();
            let mut map = HeaderMap::new();
            map.insert("x-sum", came.unwrap_or(http::HeaderValue::from_static("none")));
            map.insert("grpc-status", http::HeaderValue::from_static("0"));
            let frames = [
                Frame::data(Bytes::from(format!("{version:?}"))),
                Frame::trailers(map),
            ];
            let frames = futures_util::stream::iter(frames.map(Ok));
            let mut response = Response::new(StreamBody::new(frames).boxed());
            let named = http::HeaderValue::from_static("x-sum, grpc-status");
            response.headers_mut().insert("trailer", named);
            response
        }
        "/hop" => {
            let mut response = text(id.to_owned());
            let headers = response.headers_mut();
            headers.insert("connection", http::HeaderValue::from_static("x-inner"));
            headers.insert("x-inner", http::HeaderValue::from_static("1"));
            headers.insert("keep-alive", http::HeaderValue::from_static("timeout=5"));
            response
        }
        _ => {
            let mut response = text(format!("{id} {} {}", request.method(), request.uri()));
            if request.version() == Version::HTTP_2 {
                let two = http::HeaderValue::from_static("2");
                response.headers_mut().insert("x-version", two);
            }
            response
        }
    })
}

/// One event at once, the other one when it may.
fn ticks(go: Arc<Notify>) -> Content {
    let stream = futures_util::stream::unfold(0, move |count| {
        let go = Arc::clone(&go);
        async move {
            if count == 1 {
                go.notified().await;
            }
            let event = Frame::data(Bytes::from(format!("data: {count}\n\n")));
            (count < 2).then_some((Ok(event), count + 1))
        }
    });
    // A stream in a box may be shared between threads only if the stream may.
    StreamBody::new(Box::pin(stream) as std::pin::Pin<Box<dyn futures_util::Stream<Item = _> + Send + Sync>>)
        .boxed()
}

/// Waits until something is the case.
pub(crate) async fn until(what: &str, is: impl AsyncFn() -> bool) {
    let began = tokio::time::Instant::now();
    while !is().await {
        assert!(began.elapsed() < BOUND, "{what} has not come");
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
}
