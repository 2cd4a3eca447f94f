//! A visitor of ours, for what the programs for load do not do: TLS without sessions, and connections that stay.

use crate::place::Place;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use std::sync::Arc;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

/// Something that bytes go to and come from.
pub(crate) trait Stream: AsyncRead + AsyncWrite + Unpin + Send {}

impl<S: AsyncRead + AsyncWrite + Unpin + Send> Stream for S {}

pub(crate) fn runtime() -> Result<tokio::runtime::Runtime, String> {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|why| format!("no runtime: {why}"))
}

/// A client that trusts both authorities, ours and the one of the others, and never resumes a session.
pub(crate) fn connector(place: &Place) -> Result<TlsConnector, String> {
    let mut roots = rustls::RootCertStore::empty();
    for file in [place.root.clone(), place.folder.join("authority/authority.pem")] {
        if file.exists() {
            let root =
                CertificateDer::from_pem_file(&file).map_err(|why| format!("{}: {why}", file.display()))?;
            roots.add(root).map_err(|why| why.to_string())?;
        }
    }
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let mut config = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|why| why.to_string())?
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.resumption = rustls::client::Resumption::disabled();
    Ok(TlsConnector::from(Arc::new(config)))
}

/// A connection. What cannot be reached is an error like any other of a connection.
pub(crate) async fn plain(port: u16) -> std::io::Result<TcpStream> {
    let stream = TcpStream::connect(("127.0.0.1", port)).await?;
    stream.set_nodelay(true)?;
    Ok(stream)
}

pub(crate) async fn secure(port: u16, connector: &TlsConnector) -> std::io::Result<TlsStream<TcpStream>> {
    let stream = TcpStream::connect(("127.0.0.1", port)).await?;
    stream.set_nodelay(true)?;
    let name = ServerName::try_from("localhost").map_err(std::io::Error::other)?;
    connector.connect(name, stream).await
}

/// A request for a host.
pub(crate) fn request(host: &str, path: &str) -> Vec<u8> {
    format!("GET {path} HTTP/1.1\r\nHost: {host}\r\n\r\n").into_bytes()
}

/// Sends a request and reads its answer, and says with what status it came.
pub(crate) async fn ask(stream: &mut dyn Stream, request: &[u8]) -> std::io::Result<u16> {
    stream.write_all(request).await?;
    answer(stream).await
}

/// Reads an answer, which has to have a length.
pub(crate) async fn answer(stream: &mut dyn Stream) -> std::io::Result<u16> {
    let mut read = vec![0; 16 * 1024];
    let mut has = 0;
    loop {
        let count = stream.read(&mut read[has..]).await?;
        if count == 0 {
            return Err(std::io::ErrorKind::UnexpectedEof.into());
        }
        has += count;
        if let Some(status) = whole(&read[..has]) {
            return Ok(status);
        }
    }
}

/// The status of an answer that has come to its end.
pub(crate) fn whole(read: &[u8]) -> Option<u16> {
    let end = read.windows(4).position(|part| part == b"\r\n\r\n")?;
    let head = std::str::from_utf8(&read[..end]).ok()?;
    let length: usize = head.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("content-length")
            .then(|| value.trim().parse().ok())?
    })?;
    let status = head.get(9..12)?.parse().ok()?;
    (read.len() >= end + 4 + length).then_some(status)
}

#[cfg(test)]
mod tests {
    use super::whole;

    #[test]
    fn an_answer_is_whole_when_its_last_byte_has_come() {
        let answer = b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 3\r\n\r\nabc";
        assert_eq!(whole(answer), Some(503));
        assert_eq!(whole(&answer[..answer.len() - 1]), None);
        assert_eq!(whole(b"HTTP/1.1 200 OK\r\ncontent-le"), None);
        assert_eq!(whole(b""), None);
    }
}
