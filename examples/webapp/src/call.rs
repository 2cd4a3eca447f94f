//! Asking another program for JSON over HTTP, on a connection of its own for each request.

use axum::body::{Body, Bytes, to_bytes};
use axum::http::header::{AUTHORIZATION, HOST};
use axum::http::{Request, Uri};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::net::TcpStream;

/// No answer that we read is longer.
const LONGEST: usize = 1 << 20;

/// Asks with a token. What is wrong is told as text; a refusal is nothing.
pub async fn get(url: &str, path: &str, token: &str) -> Result<Option<Value>, String> {
    let uri: Uri = url.parse().map_err(|why| format!("{url}: {why}"))?;
    let host = uri.host().ok_or_else(|| format!("{url} has no host"))?;
    let host = format!("{host}:{}", uri.port_u16().unwrap_or(80));
    let failed = |why: &dyn std::fmt::Display| format!("{host} does not answer: {why}");
    let request = Request::get(format!("{}{path}", uri.path().trim_end_matches('/')))
        .header(HOST, &host)
        .header(AUTHORIZATION, format!("Bearer {token}"))
        .body(Body::empty())
        .map_err(|why| why.to_string())?;
    let stream = TcpStream::connect(&host).await.map_err(|why| failed(&why))?;
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream))
        .await
        .map_err(|why| failed(&why))?;
    tokio::spawn(connection);
    let answer = sender.send_request(request).await.map_err(|why| failed(&why))?;
    if answer.status().is_client_error() {
        return Ok(None);
    }
    let body: Bytes = to_bytes(Body::new(answer.into_body()), LONGEST)
        .await
        .map_err(|why| failed(&why))?;
    serde_json::from_slice(&body)
        .map(Some)
        .map_err(|why| failed(&why))
}
