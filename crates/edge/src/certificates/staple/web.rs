//! How a responder is asked: by plain HTTP, as certificates say. What it answers is signed, and nothing else of it is believed.

use std::io;
use std::time::Duration;

use bytes::Bytes;
use http::header::{ACCEPT, CONNECTION, CONTENT_TYPE, HOST};
use http::{Request, StatusCode, Uri};
use http_body_util::{BodyExt, Full, Limited};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::time::timeout;

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
    let (Some("http"), Some(authority)) = (uri.scheme_str(), uri.authority()) else {
        return Err(io::Error::other("its address is none of plain HTTP"));
    };
    let host = authority.host().trim_start_matches('[').trim_end_matches(']');
    let stream = TcpStream::connect((host, authority.port_u16().unwrap_or(80))).await?;
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream))
        .await
        .map_err(io::Error::other)?;
    let drives = tokio::spawn(connection);
    let path = uri.path_and_query().map_or("/", |path| path.as_str());
    let request = Request::post(path)
        .header(HOST, authority.as_str())
        .header(CONTENT_TYPE, "application/ocsp-request")
        .header(ACCEPT, "application/ocsp-response")
        .header(CONNECTION, "close")
        .body(Full::new(Bytes::from(question)))
        .map_err(io::Error::other);
    let answered = async {
        let response = sender.send_request(request?).await.map_err(io::Error::other)?;
        if response.status() != StatusCode::OK {
            return Err(io::Error::other(format!("it answered {}", response.status())));
        }
        let body = Limited::new(response.into_body(), LARGEST).collect().await;
        Ok(body.map_err(io::Error::other)?.to_bytes().to_vec())
    };
    let answered = answered.await;
    drives.abort();
    answered
}
