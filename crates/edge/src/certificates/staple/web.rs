//! How a responder is asked: by plain HTTP, as certificates say. What it answers is signed, and nothing else of it is believed.

use std::io;
use std::time::Duration;

use bytes::Bytes;
use http::header::{ACCEPT, CONNECTION, CONTENT_TYPE};
use http::{Request, StatusCode, Uri};
use http_body_util::Full;
use tokio::time::timeout;

use crate::web;

/// A question with its answer.
const ANSWERS: Duration = Duration::from_secs(10);

/// An answer is two kilobytes, or five with the certificate of whoever has signed it.
const LARGEST: usize = 64 * 1024;

/// Asks, and hands back what was answered.
pub(super) async fn ask(responder: &str, question: Vec<u8>) -> Result<Vec<u8>, String> {
    match timeout(ANSWERS, exchange(responder, question)).await {
        Ok(answered) => answered.map_err(|error| error.to_string()),
        Err(_) => Err("it took too long".to_owned()),
    }
}

async fn exchange(responder: &str, question: Vec<u8>) -> io::Result<Vec<u8>> {
    let uri: Uri = responder.parse().map_err(io::Error::other)?;
    let mut sender = web::open_plain(&uri).await?;
    let path = uri.path_and_query().map_or("/", |path| path.as_str());
    let mut request = Request::post(path)
        .header(CONTENT_TYPE, "application/ocsp-request")
        .header(ACCEPT, "application/ocsp-response")
        .header(CONNECTION, "close")
        .body(Full::new(Bytes::from(question)))
        .map_err(io::Error::other)?;
    web::name_host(request.headers_mut(), &uri);
    let answer = sender.send_request(request).await.map_err(io::Error::other)?;
    if answer.status() != StatusCode::OK {
        return Err(io::Error::other(format!("it answered {}", answer.status())));
    }
    Ok(web::whole(answer, LARGEST).await?.into_body().into())
}
