//! Asking a bucket: a signed request of our own.

use crate::door::Clock;
use crate::{BucketError, FACTS, Facts, digest::hex};
use aws_lc_rs::{digest, hmac};
use bytes::Bytes;
use http::{Request, StatusCode};
use http_body_util::{BodyExt, Empty, Limited};
use hyper_util::rt::TokioIo;
use jiff::Timestamp;
use serde::Serialize;
use std::net::SocketAddr;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use towpath_model::sealed::Sealed;

/// How long an answer may take: it is a count of rows on this machine.
const PATIENCE: Duration = Duration::from_secs(5);

/// Facts are three numbers, and a page of a listing is a thousand keys.
const MOST: usize = 16 * 1024 * 1024;

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

/// An object, as a listing shows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Object {
    /// Its name.
    pub key: String,
    /// How many bytes it has.
    pub bytes: u64,
    /// When it was written.
    pub modified: Timestamp,
}

/// A part of a listing, in the order of the keys.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Listing {
    /// The objects.
    pub objects: Vec<Object>,
    /// What is asked for the part behind it; nothing at the end.
    pub next: Option<String>,
}

/// Asks the bucket at an address how much there is in it.
pub async fn look(address: SocketAddr, access: &Access) -> Result<Facts, BucketError> {
    let body = answered(address, access, FACTS, "").await?;
    serde_json::from_slice(&body).map_err(|why| silent(address, why.to_string()))
}

/// Asks the bucket of this name at an address for a part of what is in it: the first one, or the one behind another.
pub async fn list(
    address: SocketAddr,
    access: &Access,
    bucket: &str,
    behind: Option<&str>,
) -> Result<Listing, BucketError> {
    let token = behind.map(|token| format!("continuation-token={token}&"));
    let query = format!("{}encoding-type=url&list-type=2", token.unwrap_or_default());
    let body = answered(address, access, &format!("/{bucket}"), &query).await?;
    listing(&String::from_utf8_lossy(&body))
        .ok_or_else(|| silent(address, "its listing cannot be read".to_owned()))
}

/// Puts an object of a type into the bucket of this name: so many bytes of what is read.
pub async fn put(
    address: SocketAddr,
    access: &Access,
    (bucket, key): (&str, &str),
    kind: &str,
    (body, length): (impl AsyncRead + Unpin, u64),
) -> Result<(), BucketError> {
    let path = format!("/{bucket}/{}", encoded(key));
    let host = address.to_string();
    let mut head = format!(
        "PUT {path} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\ncontent-type: {kind}\r\n\
         content-length: {length}\r\n"
    );
    for (name, value) in authorization(access, "PUT", &path, "", &host) {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    head.push_str("\r\n");
    let sent = async {
        let mut stream = TcpStream::connect(address).await?;
        stream.write_all(head.as_bytes()).await?;
        // Whoever refuses it hangs up, and what was said is read all the same.
        let copied = tokio::io::copy(&mut body.take(length), &mut stream).await;
        let mut said = Vec::new();
        let read = stream.take(MOST as u64).read_to_end(&mut said).await;
        match said.is_empty() {
            true => copied.and(read).map(|_| said),
            false => Ok(said),
        }
    };
    let said = sent
        .await
        .map_err(|why: std::io::Error| silent(address, why.to_string()))?;
    let said = String::from_utf8_lossy(&said);
    let status = said.split(' ').nth(1).unwrap_or("nothing");
    match status {
        "200" => Ok(()),
        status => Err(silent(address, format!("it said {status} to {key}"))),
    }
}

/// A key as it stands in an address.
fn encoded(key: &str) -> String {
    let mut encoded = String::new();
    for byte in key.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~/".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            encoded.push_str(&format!("%{byte:02X}"));
        }
    }
    encoded
}

/// Reads a listing. In what is asked for here, nothing stands that XML would have to write in another way.
fn listing(text: &str) -> Option<Listing> {
    let within = |text: &str, name: &str| -> Option<String> {
        let (_, rest) = text.split_once(&format!("<{name}>"))?;
        Some(rest.split_once(&format!("</{name}>"))?.0.to_owned())
    };
    let one = |text: &str| {
        Some(Object {
            key: decoded(&within(text, "Key")?)?,
            bytes: within(text, "Size")?.parse().ok()?,
            modified: within(text, "LastModified")?.parse().ok()?,
        })
    };
    text.contains("<ListBucketResult").then_some(())?;
    let objects = text.split("<Contents>").skip(1).map(one);
    Some(Listing {
        objects: objects.collect::<Option<_>>()?,
        next: within(text, "NextContinuationToken"),
    })
}

/// A key that is written as in an address.
fn decoded(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'%' => {
                let digits = [rest.next()?, rest.next()?];
                u8::from_str_radix(std::str::from_utf8(&digits).ok()?, 16).ok()?
            }
            b'+' => b' ',
            byte => byte,
        });
    }
    String::from_utf8(bytes).ok()
}

fn silent(address: SocketAddr, why: String) -> BucketError {
    BucketError::Silent {
        address: address.to_string(),
        why,
    }
}

/// What is answered to a question that has to be answered well.
async fn answered(
    address: SocketAddr,
    access: &Access,
    path: &str,
    query: &str,
) -> Result<Bytes, BucketError> {
    let asked = tokio::time::timeout(PATIENCE, ask(address, access, path, query)).await;
    let (status, body) = asked
        .map_err(|_| silent(address, format!("nothing came in {} s", PATIENCE.as_secs())))?
        .map_err(|why| silent(address, why.to_string()))?;
    if status != StatusCode::OK {
        return Err(silent(address, format!("it said {status}")));
    }
    Ok(body)
}

type Broken = Box<dyn std::error::Error + Send + Sync>;

async fn ask(
    address: SocketAddr,
    access: &Access,
    path: &str,
    query: &str,
) -> Result<(StatusCode, Bytes), Broken> {
    let stream = TcpStream::connect(address).await?;
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
    let connection = tokio::spawn(connection);
    let host = address.to_string();
    let whole = match query {
        "" => path.to_owned(),
        query => format!("{path}?{query}"),
    };
    let mut request = Request::get(whole).header("host", &host);
    for (name, value) in authorization(access, "GET", path, query, &host) {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_that_is_written_as_in_an_address_is_read_back() {
        for key in ["boats/ewer.txt", "a b+c%d", "höhe/1=2&3"] {
            assert_eq!(decoded(&encoded(key)).as_deref(), Some(key));
        }
        assert_eq!(encoded("a b/c"), "a%20b/c");
    }

    #[test]
    fn a_listing_is_read_with_every_letter_of_its_keys() {
        let text = "<?xml version=\"1.0\"?><ListBucketResult xmlns=\"x\"><Name>files</Name><Contents><ETag>e</ETag>\
                    <Key>boats/a%20%26%20%3Cb%3E.txt</Key><LastModified>2026-11-21T09:30:00.000Z</LastModified>\
                    <Size>12</Size></Contents><NextContinuationToken>Ym9hdHM</NextContinuationToken></ListBucketResult>";
        let read = listing(text).expect("it can be read");
        assert_eq!(read.next.as_deref(), Some("Ym9hdHM"));
        assert_eq!(
            (read.objects[0].key.as_str(), read.objects[0].bytes),
            ("boats/a & <b>.txt", 12)
        );
        assert_eq!(
            listing("<ListBucketResult></ListBucketResult>"),
            Some(Listing::default())
        );
        for wrong in [
            "",
            "<html></html>",
            "<ListBucketResult><Contents><Key>%f</Key></Contents>",
        ] {
            assert_eq!(listing(wrong), None, "{wrong}");
        }
    }
}
