//! Asking a provider over the web: one request a connection, bounded in time and in size, and no redirect is followed.
//!
//! Providers are asked over HTTPS, and by plain HTTP only on this machine, where nobody stands in between. What signs for them
//! is what the system trusts, or the roots that browsers trust where it says nothing, and the local authority: a provider may
//! be one of the product's own components.

use std::io;
use std::path::Path;
use std::time::Duration;

use http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HOST, HeaderValue, USER_AGENT};
use http::{Method, Request, StatusCode, Uri};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;

use super::Fault;
use crate::body::Body;
use crate::web::{self, Place};

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
pub(super) struct Web(web::Web);

impl Web {
    /// Reads whom the system trusts.
    pub(super) fn open(authority: &Path) -> Web {
        let own = CertificateDer::from_pem_file(authority);
        Web(web::Web::trusting(own.ok()).0)
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
        let place = Place::of(&uri).map_err(|error| error.to_string())?;
        if !place.is_secure && !place.is_here() {
            return Err("only https:// is safe for it".to_owned());
        }
        let request = request(&uri, ask).ok_or("its address is none")?;
        let answered = async {
            let mut sender = self.0.open(&uri).await?;
            let answer = sender.send_request(request).await.map_err(io::Error::other)?;
            web::whole(answer, LARGEST).await
        };
        let answer = answered.await.map_err(|error| error.to_string())?;
        Ok((answer.status(), answer.into_body().into()))
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
