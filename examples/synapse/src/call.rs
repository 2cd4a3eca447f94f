//! Asking another program over HTTP, on a connection of its own for each request.

use axum::body::{Body, Bytes, to_bytes};
use axum::http::header::{AUTHORIZATION, CONTENT_TYPE, HOST};
use axum::http::{Request, Response, Uri};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::net::TcpStream;

/// No answer that we read as a whole is longer.
const LONGEST: usize = 1 << 20;

/// The host and port of an address, and the path that it ends with.
fn place(url: &str) -> Result<(String, String), String> {
    let uri: Uri = url.parse().map_err(|why| format!("{url}: {why}"))?;
    let host = uri.host().ok_or_else(|| format!("{url} has no host"))?;
    let port = uri.port_u16().unwrap_or(80);
    let path = uri.path().trim_end_matches('/').to_owned();
    Ok((format!("{host}:{port}"), path))
}

/// Hands a request on to the program at an address. The answer's body arrives as it is sent, be it without an end.
pub async fn forward(url: &str, mut request: Request<Body>) -> Result<Response<Body>, String> {
    let (host, under) = place(url)?;
    let asked = request.uri().path_and_query().map_or("/", |asked| asked.as_str());
    *request.uri_mut() = format!("{under}{asked}")
        .parse()
        .map_err(|why| format!("{asked}: {why}"))?;
    let failed = |why: &dyn std::fmt::Display| format!("{host} does not answer: {why}");
    let value = host.parse().map_err(|why| failed(&why))?;
    request.headers_mut().insert(HOST, value);
    let stream = TcpStream::connect(&host).await.map_err(|why| failed(&why))?;
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream))
        .await
        .map_err(|why| failed(&why))?;
    tokio::spawn(connection);
    let answer = sender.send_request(request).await.map_err(|why| failed(&why))?;
    Ok(answer.map(Body::new))
}

/// Asks for JSON.
pub async fn get(url: &str, path: &str, authorization: &str) -> Result<Value, String> {
    let request = Request::get(path).header(AUTHORIZATION, authorization);
    json(url, request.body(Body::empty())).await
}

/// Sends a form, and reads JSON.
pub async fn post_form(url: &str, path: &str, fields: &[(&str, &str)]) -> Result<Value, String> {
    let form = form_urlencoded::Serializer::new(String::new())
        .extend_pairs(fields)
        .finish();
    let request = Request::post(path).header(CONTENT_TYPE, "application/x-www-form-urlencoded");
    json(url, request.body(Body::from(form))).await
}

async fn json(url: &str, request: axum::http::Result<Request<Body>>) -> Result<Value, String> {
    let answer = forward(url, request.map_err(|why| why.to_string())?).await?;
    let status = answer.status();
    let body: Bytes = to_bytes(answer.into_body(), LONGEST)
        .await
        .map_err(|why| why.to_string())?;
    if !status.is_success() {
        return Err(format!("{status}: {}", String::from_utf8_lossy(&body).trim()));
    }
    serde_json::from_slice(&body).map_err(|why| format!("no JSON: {why}"))
}
