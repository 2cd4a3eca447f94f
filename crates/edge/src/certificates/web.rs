//! How an authority is spoken to: one HTTPS connection a request, bounded in time and bytes.
//!
//! A certificate takes ten requests every other month. The roots are those of the system, and those of a file of the manifest's.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use http::header::{HeaderValue, RETRY_AFTER};
use http::{Request, Response, Uri};
use instant_acme::{BodyWrapper, BytesResponse, Error, HttpClient};
use jiff::Timestamp;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use tokio::time::timeout;

use crate::door::{clock, disk};
use crate::web;

/// A request with its answer.
const ANSWERS: Duration = Duration::from_secs(30);

/// A chain of certificates is some ten kilobytes.
const LARGEST: usize = 1024 * 1024;

/// Speaks to authorities.
#[derive(Clone)]
pub(super) struct Web {
    web: web::Web,
    /// What an answer has said last about when to come back.
    come_back: Arc<Mutex<Option<Timestamp>>>,
}

impl Web {
    /// With the system's roots, and those of a file.
    pub(super) fn new(root: Option<&str>) -> Result<Web, String> {
        let mut own: Vec<CertificateDer<'static>> = Vec::new();
        let unreadable = |why: String| {
            let path = root.unwrap_or_default();
            format!("{path}, the file of `edge.acme_root`, {why}")
        };
        if let Some(path) = root {
            let text = disk::read_text(path.as_ref());
            let text = text.map_err(|error| unreadable(format!("cannot be read: {error}")))?;
            let read: Result<_, _> = CertificateDer::pem_slice_iter(text.as_bytes()).collect();
            own = read.map_err(|_| unreadable("holds no certificate".to_owned()))?;
        }
        let (web, taken) = web::Web::trusting(own);
        if root.is_some() && taken == 0 {
            return Err(unreadable("holds no certificate".to_owned()));
        }
        Ok(Web {
            web,
            come_back: Arc::default(),
        })
    }

    /// When the last answer said to come back, if it did.
    pub(super) fn come_back(&self) -> Option<Timestamp> {
        *self.come_back.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn ask(&self, request: Request<BodyWrapper<Bytes>>) -> io::Result<Response<Bytes>> {
        let (mut parts, body) = request.into_parts();
        is_safe(&parts.uri)?;
        let mut sender = self.web.open(&parts.uri).await?;
        web::name_host(&mut parts.headers, &parts.uri);
        let path = parts.uri.path_and_query().map_or("/", |path| path.as_str());
        parts.uri = Uri::try_from(path).map_err(io::Error::other)?;
        let answer = sender.send_request(Request::from_parts(parts, body)).await;
        web::whole(answer.map_err(io::Error::other)?, LARGEST).await
    }
}

/// Whoever stands in between could pass for it.
fn is_safe(uri: &Uri) -> io::Result<()> {
    match uri.scheme_str() {
        Some("https") => Ok(()),
        _ => Err(io::Error::other("an authority is spoken to over HTTPS only")),
    }
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
        let is_safe = |text: &str| super::is_safe(&text.parse().expect("an address")).is_ok();
        assert!(is_safe("https://a.example:14000/dir"));
        assert!(!is_safe("http://a.example/dir"));
    }
}
