//! Asking a provider over the web: one request a connection, bounded in time and in size, and no redirect is followed.
//!
//! Providers are asked over HTTPS, and by plain HTTP only on this machine, where nobody stands in between. What signs for them
//! is what the system trusts, or the roots that browsers trust where it says nothing, and the local authority: a provider may
//! be one of the product's own components.

use std::future::poll_fn;
use std::path::Path;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HOST, HeaderValue, USER_AGENT};
use http::uri::Scheme;
use http::{Method, Request, Response, StatusCode, Uri};
use http_body::Body as _;
use hyper::body::Incoming;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use super::Fault;
use crate::body::Body;

/// A person waits for it: a provider that takes longer is as good as not there.
const PATIENCE: Duration = Duration::from_secs(5);

/// Keys of the largest providers take some ten thousand bytes.
const LARGEST: usize = 256 * 1024;

/// What is asked of a provider.
pub(super) struct Ask<'a> {
    pub(super) address: &'a str,
    pub(super) authorization: Option<HeaderValue>,
    /// A form that is sent; without one it is only read.
    pub(super) form: Option<String>,
}

impl<'a> Ask<'a> {
    pub(super) fn reading(address: &'a str) -> Ask<'a> {
        Ask {
            address,
            authorization: None,
            form: None,
        }
    }
}

/// What providers are asked with.
#[derive(Clone)]
pub(super) struct Web(TlsConnector);

impl Web {
    /// Reads whom the system trusts.
    pub(super) fn open(authority: &Path) -> Web {
        let mut roots = RootCertStore::empty();
        roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        if roots.is_empty() {
            roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
        }
        if let Ok(own) = CertificateDer::from_pem_file(authority) {
            roots.add_parsable_certificates([own]);
        }
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .expect("the provider has suites for both versions")
            .with_root_certificates(roots)
            .with_no_client_auth();
        Web(TlsConnector::from(Arc::new(config)))
    }

    /// Asks, and reads the answer to its end.
    pub(super) async fn ask(&self, ask: Ask<'_>) -> Result<(StatusCode, Vec<u8>), Fault> {
        let host = ask.address.parse::<Uri>().ok();
        let host = host
            .as_ref()
            .and_then(Uri::host)
            .unwrap_or(ask.address)
            .to_owned();
        match tokio::time::timeout(PATIENCE, self.asked(ask)).await {
            Ok(Ok(answer)) => Ok(answer),
            Ok(Err(why)) => Err(Fault(format!("{host} cannot be asked: {why}"))),
            Err(_) => {
                let seconds = PATIENCE.as_secs();
                Err(Fault(format!("{host} has not answered within {seconds} seconds")))
            }
        }
    }

    async fn asked(&self, ask: Ask<'_>) -> Result<(StatusCode, Vec<u8>), String> {
        let uri: Uri = ask
            .address
            .parse()
            .map_err(|_| "its address is none".to_owned())?;
        let host = uri.host().ok_or("its address has no host")?.to_owned();
        let is_plain = match uri.scheme() {
            Some(scheme) if *scheme == Scheme::HTTPS => false,
            Some(scheme) if *scheme == Scheme::HTTP && is_here(&host) => true,
            _ => return Err("only https:// is safe for it".to_owned()),
        };
        let port = uri.port_u16().unwrap_or(if is_plain { 80 } else { 443 });
        let name = host.trim_start_matches('[').trim_end_matches(']');
        let reached = if name == "localhost" || name.ends_with(".localhost") {
            TcpStream::connect(("127.0.0.1", port)).await
        } else {
            TcpStream::connect((name, port)).await
        };
        let stream = reached.map_err(|error| error.to_string())?;
        let request = request(&uri, ask).ok_or("its address is none")?;
        if is_plain {
            return exchange(stream, request).await;
        }
        let name = ServerName::try_from(name.to_owned()).map_err(|error| error.to_string())?;
        let stream = self
            .0
            .connect(name, stream)
            .await
            .map_err(|error| error.to_string())?;
        exchange(stream, request).await
    }
}

fn request(uri: &Uri, ask: Ask<'_>) -> Option<Request<Body>> {
    let path = uri.path_and_query().map_or("/", |path| path.as_str());
    let mut request = Request::builder()
        .uri(path)
        .header(HOST, uri.authority()?.as_str())
        .header(USER_AGENT, "towpath")
        .header(ACCEPT, "application/json");
    if let Some(value) = ask.authorization {
        request = request.header(AUTHORIZATION, value);
    }
    match ask.form {
        None => request.body(Body::empty()).ok(),
        Some(form) => request
            .method(Method::POST)
            .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
            .body(Body::whole(form))
            .ok(),
    }
}

async fn exchange<S>(stream: S, request: Request<Body>) -> Result<(StatusCode, Vec<u8>), String>
where
    S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
{
    let told = |error: hyper::Error| error.to_string();
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.map_err(told)?;
    let answered = async {
        let answer = sender.send_request(request).await.map_err(told)?;
        let status = answer.status();
        Ok((status, read(answer).await?))
    };
    let mut answered = std::pin::pin!(answered);
    tokio::select! {
        answer = &mut answered => answer,
        // The connection may end with the last byte of the answer, which is still to be read then.
        _ = connection => answered.await,
    }
}

async fn read(mut answer: Response<Incoming>) -> Result<Vec<u8>, String> {
    let mut bytes = Vec::new();
    while let Some(frame) = poll_fn(|context| Pin::new(answer.body_mut()).poll_frame(context)).await {
        let frame = frame.map_err(|error| error.to_string())?;
        if let Ok(some) = frame.into_data() {
            if bytes.len() + some.len() > LARGEST {
                return Err(format!("its answer is larger than {LARGEST} bytes"));
            }
            bytes.extend_from_slice(&some);
        }
    }
    Ok(bytes)
}

/// Whether a host is this machine, where nobody stands in between.
pub(super) fn is_here(host: &str) -> bool {
    let host = host.trim_start_matches('[').trim_end_matches(']');
    let address = host.parse::<std::net::IpAddr>();
    host == "localhost" || host.ends_with(".localhost") || address.is_ok_and(|address| address.is_loopback())
}
