//! How an authority is spoken to: one HTTPS connection a request, bounded in time and bytes.
//!
//! A certificate takes ten requests every other month. The roots are those of the system (and so those of `SSL_CERT_FILE`
//! and `SSL_CERT_DIR`), a file of the manifest's, and, where the system knows none, those that Mozilla trusts.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use http::header::{HOST, HeaderValue, RETRY_AFTER};
use http::{Request, Response, Uri};
use http_body_util::{BodyExt, Limited};
use hyper_util::rt::TokioIo;
use instant_acme::{BodyWrapper, BytesResponse, Error, HttpClient};
use jiff::Timestamp;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore, version};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;

use crate::door::{clock, disk};

/// A request with its answer.
const ANSWERS: Duration = Duration::from_secs(30);

/// A chain of certificates is some ten kilobytes.
const LARGEST: usize = 1024 * 1024;

/// Speaks to authorities.
#[derive(Clone)]
pub(super) struct Web {
    connector: TlsConnector,
    /// What an answer has said last about when to come back.
    come_back: Arc<Mutex<Option<Timestamp>>>,
}

impl Web {
    /// With the system's roots, and those of a file.
    pub(super) fn new(root: Option<&str>) -> Result<Web, String> {
        let mut roots = RootCertStore::empty();
        roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        if roots.is_empty() {
            roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
        }
        if let Some(path) = root {
            let unreadable = |why: String| format!("{path}, the file of `edge.acme_root`, {why}");
            let text = disk::read_text(path.as_ref());
            let text = text.map_err(|error| unreadable(format!("cannot be read: {error}")))?;
            let own: Result<Vec<CertificateDer<'static>>, _> =
                CertificateDer::pem_slice_iter(text.as_bytes()).collect();
            let own = own.map_err(|_| unreadable("holds no certificate".to_owned()))?;
            if roots.add_parsable_certificates(own).0 == 0 {
                return Err(unreadable("holds no certificate".to_owned()));
            }
        }
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let config = ClientConfig::builder_with_provider(provider)
            .with_protocol_versions(&[&version::TLS13, &version::TLS12])
            .expect("the provider has suites for both versions")
            .with_root_certificates(roots)
            .with_no_client_auth();
        Ok(Web {
            connector: TlsConnector::from(Arc::new(config)),
            come_back: Arc::default(),
        })
    }

    /// When the last answer said to come back, if it did.
    pub(super) fn come_back(&self) -> Option<Timestamp> {
        *self.come_back.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn ask(&self, request: Request<BodyWrapper<Bytes>>) -> io::Result<Response<Bytes>> {
        let (host, port) = address(request.uri())?;
        let stream = TcpStream::connect((host.as_str(), port)).await?;
        let name = host.trim_start_matches('[').trim_end_matches(']').to_owned();
        let name = ServerName::try_from(name).map_err(io::Error::other)?;
        let stream = self.connector.connect(name, stream).await?;
        let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream))
            .await
            .map_err(io::Error::other)?;
        let drives = tokio::spawn(connection);
        let answered = async {
            let response = sender
                .send_request(as_sent(request)?)
                .await
                .map_err(io::Error::other)?;
            let (parts, body) = response.into_parts();
            let body = Limited::new(body, LARGEST)
                .collect()
                .await
                .map_err(io::Error::other)?;
            Ok(Response::from_parts(parts, body.to_bytes()))
        };
        let answered = answered.await;
        drives.abort();
        answered
    }
}

/// Where a request goes.
fn address(uri: &Uri) -> io::Result<(String, u16)> {
    if uri.scheme_str() != Some("https") {
        return Err(io::Error::other("an authority is spoken to over HTTPS only"));
    }
    let host = uri
        .host()
        .ok_or_else(|| io::Error::other("its address has no host"))?;
    Ok((host.to_owned(), uri.port_u16().unwrap_or(443)))
}

/// The request as it stands on the wire, with its host apart from its path.
fn as_sent(request: Request<BodyWrapper<Bytes>>) -> io::Result<Request<BodyWrapper<Bytes>>> {
    let (mut parts, body) = request.into_parts();
    let authority = parts.uri.authority().map_or("", |authority| authority.as_str());
    parts
        .headers
        .insert(HOST, HeaderValue::try_from(authority).map_err(io::Error::other)?);
    let path = parts.uri.path_and_query().map_or("/", |path| path.as_str());
    parts.uri = Uri::try_from(path).map_err(io::Error::other)?;
    Ok(Request::from_parts(parts, body))
}

/// What an answer says about when to come back: in so many seconds, or at a time.
fn said(value: &HeaderValue, now: Timestamp) -> Option<Timestamp> {
    let text = value.to_str().ok()?.trim();
    match text.parse::<i64>() {
        Ok(seconds) => now.checked_add(jiff::SignedDuration::from_secs(seconds)).ok(),
        Err(_) => httpdate::parse_http_date(text).ok()?.try_into().ok(),
    }
}

impl HttpClient for Web {
    fn request(
        &self,
        request: Request<BodyWrapper<Bytes>>,
    ) -> Pin<Box<dyn Future<Output = Result<BytesResponse, Error>> + Send>> {
        let web = self.clone();
        Box::pin(async move {
            let answered = timeout(ANSWERS, web.ask(request)).await;
            let answered = answered.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()));
            let response = answered.map_err(|error| Error::Other(Box::new(error)))?;
            let is_refusal = response.status().is_client_error() || response.status().is_server_error();
            let later = response.headers().get(RETRY_AFTER).filter(|_| is_refusal);
            let later = later.and_then(|value| said(value, clock::today()));
            *web.come_back.lock().unwrap_or_else(PoisonError::into_inner) = later;
            let (parts, body) = response.into_parts();
            Ok(BytesResponse {
                parts,
                body: Box::new(body),
            })
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn when_to_come_back_is_read_in_both_spellings() {
        let now: Timestamp = "2026-11-21T20:00:00Z".parse().expect("it is a time");
        let read = |text: &'static str| said(&HeaderValue::from_static(text), now).map(|at| at.to_string());
        assert_eq!(read("60").as_deref(), Some("2026-11-21T20:01:00Z"));
        assert_eq!(
            read("Sat, 21 Nov 2026 21:00:00 GMT").as_deref(),
            Some("2026-11-21T21:00:00Z")
        );
        assert_eq!(read("soon"), None);
    }

    #[test]
    fn an_authority_is_never_spoken_to_by_plain_http() {
        let at = |text: &str| address(&text.parse().expect("an address")).ok();
        assert_eq!(at("https://a.example/dir"), Some(("a.example".to_owned(), 443)));
        assert_eq!(
            at("https://a.example:14000/dir").map(|(_, port)| port),
            Some(14_000)
        );
        assert_eq!(at("http://a.example/dir"), None);
    }
}
