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
    let date = Clock::default().now().strftime("%Y%m%dT%H%M%SZ").to_string();
    let request = Request::get(FACTS)
        .header("host", &host)
        .header("x-amz-date", &date)
        .header("x-amz-content-sha256", hash(b""))
        .header("authorization", authorization(access, FACTS, &host, &date))
        .body(Empty::<Bytes>::new())?;
    let response = sender.send_request(request).await?;
    let status = response.status();
    let body = Limited::new(response.into_body(), MOST)
        .collect()
        .await?
        .to_bytes();
    connection.abort();
    Ok((status, body))
}

fn hash(bytes: &[u8]) -> String {
    hex(digest::digest(&digest::SHA256, bytes).as_ref())
}

/// The signature, version 4, of a GET without a query and without a body.
fn authorization(access: &Access, path: &str, host: &str, date: &str) -> String {
    let day = &date[..8];
    let scope = format!("{day}/{}/s3/aws4_request", access.region);
    let signed = "host;x-amz-content-sha256;x-amz-date";
    let empty = hash(b"");
    let canonical = format!(
        "GET\n{path}\n\nhost:{host}\nx-amz-content-sha256:{empty}\nx-amz-date:{date}\n\n{signed}\n{empty}"
    );
    let text = format!(
        "AWS4-HMAC-SHA256\n{date}\n{scope}\n{}",
        hash(canonical.as_bytes())
    );
    let first = format!("AWS4{}", access.secret.open()).into_bytes();
    let key = [day, &access.region, "s3", "aws4_request"]
        .into_iter()
        .fold(first, |key, part| sign(&key, part));
    let signature = hex(&sign(&key, &text));
    format!(
        "AWS4-HMAC-SHA256 Credential={}/{scope}, SignedHeaders={signed}, Signature={signature}",
        access.key
    )
}

fn sign(key: &[u8], text: &str) -> Vec<u8> {
    let key = hmac::Key::new(hmac::HMAC_SHA256, key);
    hmac::sign(&key, text.as_bytes()).as_ref().to_vec()
}
