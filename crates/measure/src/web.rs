//! Asking an address: one question over HTTP/1.1, over TLS where it is asked for, and one answer that is not too large.
//!
//! What the system trusts is trusted, and where it knows nobody, whom browsers trust. Nobody follows a redirect: what a secret
//! opens at one address it is not shown at another.

use crate::sources::{Sources, place};
use bytes::Bytes;
use http::header::{ACCEPT, AUTHORIZATION, HOST, HeaderValue, LOCATION, USER_AGENT};
use http::{Request, Response, StatusCode};
use http_body_util::{BodyExt, Empty, LengthLimitError, Limited};
use hyper::body::Incoming;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use std::sync::{Arc, OnceLock};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use towpath_model::Sealed;
use url::{Host, Url};

/// The largest answer that is read. A page of metrics of a large service has a few megabytes.
const LARGEST: usize = 16 * 1024 * 1024;

/// An answer.
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) text: String,
}

/// Asks an address. An answer that is no success is one too, as some say in it why.
pub(crate) async fn get(
    url: &Url,
    bearer: Option<&Sealed<String>>,
    accept: &'static str,
    sources: &Sources,
) -> Result<Answer, String> {
    let answered = tokio::time::timeout(sources.bound.to_std(), ask(url, bearer, accept, sources)).await;
    let answered = answered.unwrap_or_else(|_| Err(format!("no answer within {}", sources.bound)));
    answered.map_err(|why| format!("{}: {why}", place(url)))
}

async fn ask(
    url: &Url,
    bearer: Option<&Sealed<String>>,
    accept: &'static str,
    sources: &Sources,
) -> Result<Answer, String> {
    let request = request(url, bearer, accept)?;
    let stream = reach(url).await?;
    let answer = if url.scheme() == "https" {
        let host = url
            .host_str()
            .unwrap_or_default()
            .trim_matches(['[', ']'])
            .to_owned();
        let name = ServerName::try_from(host).map_err(|why| why.to_string())?;
        let connector = TlsConnector::from(trust(&sources.authorities));
        let stream = connector.connect(name, stream).await.map_err(|why| {
            format!(
                "it cannot be spoken to in secret: {why}; is its certificate one that this machine trusts?"
            )
        })?;
        send(stream, request).await?
    } else {
        send(stream, request).await?
    };
    let status = answer.status();
    if status.is_redirection() {
        let to = answer.headers().get(LOCATION).and_then(|to| to.to_str().ok());
        let to = to
            .and_then(|to| url.join(to).ok())
            .map_or_else(String::new, |to| format!(" ({})", place(&to)));
        return Err(format!(
            "it sends us elsewhere{to}; write the address where the answer is"
        ));
    }
    let body = Limited::new(answer.into_body(), LARGEST)
        .collect()
        .await
        .map_err(|error| {
            if error.is::<LengthLimitError>() {
                format!("its answer is larger than {} MB", LARGEST / 1_000_000)
            } else {
                format!("its answer breaks off: {error}")
            }
        })?;
    let text = String::from_utf8(body.to_bytes().to_vec());
    let text = text.map_err(|_| "its answer is no text in UTF-8".to_owned())?;
    Ok(Answer { status, text })
}

fn request(
    url: &Url,
    bearer: Option<&Sealed<String>>,
    accept: &'static str,
) -> Result<Request<Empty<Bytes>>, String> {
    let path = match url.query() {
        Some(query) => format!("{}?{query}", url.path()),
        None => url.path().to_owned(),
    };
    let port = url.port().map_or_else(String::new, |port| format!(":{port}"));
    let mut request = Request::get(path)
        .header(HOST, format!("{}{port}", url.host_str().unwrap_or_default()))
        .header(ACCEPT, accept)
        .header(USER_AGENT, concat!("towpath/", env!("CARGO_PKG_VERSION")))
        .body(Empty::new())
        .map_err(|why| format!("it cannot be asked: {why}"))?;
    if let Some(bearer) = bearer {
        let value = HeaderValue::try_from(format!("Bearer {}", bearer.open().trim()));
        let mut value = value.map_err(|_| "the secret has letters that no header may have".to_owned())?;
        value.set_sensitive(true);
        request.headers_mut().insert(AUTHORIZATION, value);
    }
    Ok(request)
}

async fn reach(url: &Url) -> Result<TcpStream, String> {
    let port = url.port_or_known_default().unwrap_or(80);
    let refused = |why: std::io::Error| {
        format!("it cannot be reached: {why}; is it running, and may this machine reach it?")
    };
    let stream = match url.host() {
        Some(Host::Ipv4(address)) => TcpStream::connect((address, port)).await,
        Some(Host::Ipv6(address)) => TcpStream::connect((address, port)).await,
        // Not every resolver knows that such names are this machine (RFC 6761, 6.3).
        Some(Host::Domain(name)) if name == "localhost" || name.ends_with(".localhost") => {
            TcpStream::connect(("127.0.0.1", port)).await
        }
        Some(Host::Domain(name)) => TcpStream::connect((name, port)).await,
        None => return Err("it has no host".to_owned()),
    };
    stream.map_err(refused)
}

async fn send<S>(stream: S, request: Request<Empty<Bytes>>) -> Result<Response<Incoming>, String>
where
    S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
{
    let broken = |why: hyper::Error| format!("it does not speak HTTP as it should: {why}");
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.map_err(broken)?;
    // It ends with its sender, which every way out of here drops, and whose last answer may still be read.
    tokio::spawn(connection);
    sender.send_request(request).await.map_err(broken)
}

/// Those whom the system trusts, looked up once, and these.
fn trust(own: &[Vec<u8>]) -> Arc<ClientConfig> {
    static SYSTEM: OnceLock<RootCertStore> = OnceLock::new();
    let system = SYSTEM.get_or_init(|| {
        let mut roots = RootCertStore::empty();
        roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        if roots.is_empty() {
            roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
        }
        roots
    });
    let mut roots = system.clone();
    roots.add_parsable_certificates(own.iter().cloned().map(CertificateDer::from));
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("the provider has suites for both versions")
        .with_root_certificates(roots)
        .with_no_client_auth();
    Arc::new(config)
}

/// Why an answer that is no success is none.
pub(crate) fn refused(url: &Url, status: StatusCode, is_opened: bool) -> String {
    let next = match status {
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN if is_opened => "; is the secret still right?",
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => {
            "; name the secret that opens it: secret = \"NAME\""
        }
        StatusCode::NOT_FOUND => "; is the path right?",
        _ => "",
    };
    format!("{}: it answers with {status}{next}", place(url))
}
