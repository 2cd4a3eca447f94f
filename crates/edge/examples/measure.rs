//! Measures the edge: the first answer, what a request costs on its way, and what ten thousand targets weigh.
#![allow(
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "a measurement reads the clock and tells what it has read"
)]

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::Request;
use http_body_util::{BodyExt, Full};
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use towpath_edge::{Answer, Config, Edge, Patience, Target};

const ROUNDS: u32 = 20_000;
const STARTS: usize = 21;
const MANY: u16 = 10_000;
const HOST: &str = "web.hello.localhost";

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let instance = instance().await?;
    let folder = tempfile::tempdir()?;
    first_answers(instance, folder.path()).await?;
    let edge = start(folder.path()).await?;
    edge.set(vec![("web".to_owned(), Some(target("web", instance, None)))])
        .await
        .map_err(|_| "taken")?;
    for _ in 0..3 {
        let direct = each(connect(instance).await?).await?;
        let http = each(connect(([127, 0, 0, 1], edge.listening().http).into()).await?).await?;
        let https = each(secure(&edge).await?).await?;
        println!(
            "a request, one after the other: {direct:.1} us without the edge, +{:.1} us over HTTP, +{:.1} us over HTTPS",
            http - direct,
            https - direct
        );
    }
    many(&edge, instance).await
}

async fn first_answers(
    instance: SocketAddr,
    folder: &std::path::Path,
) -> Result<(), Box<dyn std::error::Error>> {
    let fresh = Instant::now();
    drop(start(folder).await?);
    println!(
        "start with an authority to be made: {:.2} ms",
        milliseconds(fresh)
    );
    let (mut starts, mut plain, mut encrypted) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..STARTS {
        let began = Instant::now();
        let edge = start(folder).await?;
        starts.push(milliseconds(began));
        edge.set(vec![("web".to_owned(), Some(target("web", instance, None)))])
            .await
            .map_err(|_| "taken")?;
        once(&mut connect(([127, 0, 0, 1], edge.listening().http).into()).await?).await?;
        plain.push(milliseconds(began));
        let began = Instant::now();
        let edge = start(folder).await?;
        edge.set(vec![("web".to_owned(), Some(target("web", instance, None)))])
            .await
            .map_err(|_| "taken")?;
        once(&mut secure(&edge).await?).await?;
        encrypted.push(milliseconds(began));
    }
    println!(
        "medians of {STARTS}: start {:.2} ms; start, set and first answer {:.2} ms over HTTP, {:.2} ms over HTTPS",
        median(starts),
        median(plain),
        median(encrypted)
    );
    Ok(())
}

async fn many(edge: &Edge, instance: SocketAddr) -> Result<(), Box<dyn std::error::Error>> {
    let before = resident()?;
    let began = Instant::now();
    let named = |count: u16| format!("component-{count}");
    let all = (0..MANY)
        .map(|count| (named(count), Some(target(&named(count), instance, None))))
        .collect();
    edge.set(all).await.map_err(|_| "taken")?;
    println!(
        "{MANY} targets: set in {:.1} ms, {} KiB of memory",
        milliseconds(began),
        resident()?.saturating_sub(before)
    );
    let began = Instant::now();
    for count in 0..1_000 {
        let name = named(count);
        let changed = target(&name, instance, None);
        edge.set(vec![(name, Some(changed))]).await.map_err(|_| "taken")?;
    }
    println!(
        "a change of one of them: {:.2} us",
        began.elapsed().as_secs_f64() * 1e6 / 1_000.0
    );
    let before = resident()?;
    let ports = (0..500).map(|count| {
        let name = named(count);
        let changed = target(&name, instance, Some(20_000 + count));
        (name, Some(changed))
    });
    match edge.set(ports.collect()).await {
        Ok(()) => println!(
            "500 inside ports: {} KiB of memory",
            resident()?.saturating_sub(before)
        ),
        Err(errors) => println!("500 inside ports: left out, {} of them are taken", errors.len()),
    }
    Ok(())
}

async fn start(folder: &std::path::Path) -> Result<Edge, towpath_edge::EdgeError> {
    let config = Config {
        product: "hello".to_owned(),
        authority: folder.to_owned(),
        https: 0,
        http: 0,
        patience: Patience::default(),
    };
    Edge::start(config, tokio::sync::mpsc::unbounded_channel().0).await
}

fn target(name: &str, at: SocketAddr, inside: Option<u16>) -> Target {
    Target {
        name: name.to_owned(),
        hosts: vec![format!("{name}.hello.localhost")],
        inside,
        raw: false,
        grpc: false,
        sticky: false,
        compress: true,
        routes: Vec::new(),
        rules: Arc::default(),
        drain: Duration::ZERO,
        answer: Answer::Instances {
            ready: vec![(format!("{name}-1"), at)],
            hold: Duration::from_secs(30),
            because: format!("{name} is starting"),
        },
    }
}

async fn instance() -> std::io::Result<SocketAddr> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let at = listener.local_addr()?;
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let _ = stream.set_nodelay(true);
            let service = service_fn(|_| async {
                Ok::<_, std::convert::Infallible>(http::Response::new(Full::<Bytes>::from("x".repeat(1_024))))
            });
            let connection =
                hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service);
            tokio::spawn(connection);
        }
    });
    Ok(at)
}

type Sender = SendRequest<Full<Bytes>>;

async fn connect(at: SocketAddr) -> Result<Sender, Box<dyn std::error::Error>> {
    let stream = TcpStream::connect(at).await?;
    stream.set_nodelay(true)?;
    over(stream).await
}

async fn secure(edge: &Edge) -> Result<Sender, Box<dyn std::error::Error>> {
    let mut roots = rustls::RootCertStore::empty();
    roots.add(CertificateDer::from_pem_file(&edge.listening().authority)?)?;
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots)
        .with_no_client_auth();
    let stream = TcpStream::connect(("127.0.0.1", edge.listening().https)).await?;
    stream.set_nodelay(true)?;
    let connector = tokio_rustls::TlsConnector::from(Arc::new(config));
    over(connector.connect(ServerName::try_from(HOST)?, stream).await?).await
}

async fn over<S>(stream: S) -> Result<Sender, Box<dyn std::error::Error>>
where
    S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
{
    let (sender, connection) = handshake(TokioIo::new(stream)).await?;
    tokio::spawn(connection);
    Ok(sender)
}

async fn once(sender: &mut Sender) -> Result<(), Box<dyn std::error::Error>> {
    sender.ready().await?;
    let request = Request::get("/").header("host", HOST).body(Full::default())?;
    let response = sender.send_request(request).await?;
    if response.status() != http::StatusCode::OK {
        return Err(format!("an answer was {}", response.status()).into());
    }
    response.into_body().collect().await?;
    Ok(())
}

/// Microseconds for one request.
async fn each(mut sender: Sender) -> Result<f64, Box<dyn std::error::Error>> {
    for _ in 0..1_000 {
        once(&mut sender).await?;
    }
    let began = Instant::now();
    for _ in 0..ROUNDS {
        once(&mut sender).await?;
    }
    Ok(began.elapsed().as_secs_f64() * 1e6 / f64::from(ROUNDS))
}

fn milliseconds(since: Instant) -> f64 {
    since.elapsed().as_secs_f64() * 1e3
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

/// KiB of memory that this process has.
fn resident() -> std::io::Result<u64> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    Ok(line
        .and_then(|line| line.split_whitespace().next()?.parse().ok())
        .unwrap_or(0))
}
