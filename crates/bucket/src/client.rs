//! Asking a bucket: a signed request of our own.

use crate::door::Clock;
use crate::{BucketError, FACTS, Facts, digest::hex};
use aws_lc_rs::{digest, hmac};
use bytes::Bytes;
use http::{Request, StatusCode};
use http_body_util::{BodyExt, Empty, Limited};
use hyper_util::rt::TokioIo;
use std::net::SocketAddr;
use std::time::Duration;
use tokio::net::TcpStream;
use towpath_model::sealed::Sealed;

/// How long an answer may take: it is a count of rows on this machine.
const PATIENCE: Duration = Duration::from_secs(5);

/// Facts are three numbers.
const MOST: usize = 64 * 1024;

/// What is needed to be let in.
#[derive(Debug, Clone)]
pub struct Access {
    /// The access key.
    pub key: String,
    /// The secret key.
    pub secret: Sealed<String>,
    /// The region.
    pub region: String,
}

/// Asks the bucket at an address how much there is in it.
pub async fn look(address: SocketAddr, access: &Access) -> Result<Facts, BucketError> {
    let silent = |why: String| BucketError::Silent {
        address: address.to_string(),
        why,
    };
    let asked = tokio::time::timeout(PATIENCE, ask(address, access)).await;
    let (status, body) = asked
        .map_err(|_| silent(format!("nothing came in {} s", PATIENCE.as_secs())))?
        .map_err(|why| silent(why.to_string()))?;
    if status != StatusCode::OK {
        return Err(silent(format!("it said {status}")));
    }
    serde_json::from_slice(&body).map_err(|why| silent(why.to_string()))
}

type Broken = Box<dyn std::error::Error + Send + Sync>;

async fn ask(address: SocketAddr, access: &Access) -> Result<(StatusCode, Bytes), Broken> {
    let stream = TcpStream::connect(address).await?;
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
    let connection = tokio::spawn(connection);
    let host = address.to_string();
    let mut request = Request::get(FACTS).header("host", &host);
    for (name, value) in authorization(access, "GET", FACTS, "", &host) {
        request = request.header(name, value);
    }
    let request = request.body(Empty::<Bytes>::new())?;
    let response = sender.send_request(request).await?;
    let status = response.status();
    let body = Limited::new(response.into_body(), MOST)
        .collect()
        .await?
        .to_bytes();
    connection.abort();
    Ok((status, body))
}

/// The headers that sign a request: version 4, with a body that is not signed. The query stands in the order of its names,
/// and both it and the path are encoded already.
pub fn authorization(
    access: &Access,
    method: &str,
    path: &str,
    query: &str,
    host: &str,
) -> [(&'static str, String); 3] {
    let date = Clock::default().now().strftime("%Y%m%dT%H%M%SZ").to_string();
    let day = &date[..8];
    let scope = format!("{day}/{}/s3/aws4_request", access.region);
    let signed = "host;x-amz-content-sha256;x-amz-date";
    let body = "UNSIGNED-PAYLOAD";
    let canonical = format!(
        "{method}\n{path}\n{query}\nhost:{host}\nx-amz-content-sha256:{body}\nx-amz-date:{date}\n\n{signed}\n{body}"
    );
    let digested = hex(digest::digest(&digest::SHA256, canonical.as_bytes()).as_ref());
    let text = format!("AWS4-HMAC-SHA256\n{date}\n{scope}\n{digested}");
    let first = format!("AWS4{}", access.secret.open()).into_bytes();
    let key = [day, &access.region, "s3", "aws4_request"]
        .into_iter()
        .fold(first, |key, part| sign(&key, part));
    let signature = hex(&sign(&key, &text));
    let name = &access.key;
    let authorization =
        format!("AWS4-HMAC-SHA256 Credential={name}/{scope}, SignedHeaders={signed}, Signature={signature}");
    [
        ("authorization", authorization),
        ("x-amz-content-sha256", body.to_owned()),
        ("x-amz-date", date),
    ]
}

fn sign(key: &[u8], text: &str) -> Vec<u8> {
    let key = hmac::Key::new(hmac::HMAC_SHA256, key);
    hmac::sign(&key, text.as_bytes()).as_ref().to_vec()
}
