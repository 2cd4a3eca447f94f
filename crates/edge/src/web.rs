//! Speaking to what is outside: authorities, providers, collectors. One HTTP/1.1 connection, over TLS where it is asked for.
//!
//! What the system trusts is trusted (and so what `SSL_CERT_FILE` and `SSL_CERT_DIR` name), and where it knows nobody, whom
//! browsers trust. Nobody follows a redirect here. How long an answer may take its reader says; how large it may be, too.

use std::io;
use std::sync::Arc;

use bytes::Bytes;
use http::header::{HOST, HeaderValue};
use http::{HeaderMap, Response, Uri};
use http_body_util::{BodyExt, Limited};
use hyper::body::Incoming;
use hyper::client::conn::http1::{self, SendRequest};
use hyper_util::rt::TokioIo;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use crate::body::Broken;

/// Opens connections to what is outside.
#[derive(Clone)]
pub(crate) struct Web(TlsConnector);

impl Web {
    /// Trusts those whom the system trusts, and these. Says how many of these can be.
    pub(crate) fn trusting(own: impl IntoIterator<Item = CertificateDer<'static>>) -> (Web, usize) {
        let mut roots = RootCertStore::empty();
        roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        if roots.is_empty() {
            roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
        }
        let (taken, _) = roots.add_parsable_certificates(own);
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .expect("the provider has suites for both versions")
            .with_root_certificates(roots)
            .with_no_client_auth();
        (Web(TlsConnector::from(Arc::new(config))), taken)
    }

    /// A connection to where an address leads. It ends with what sends on it.
    pub(crate) async fn open<B>(&self, to: &Uri) -> io::Result<SendRequest<B>>
    where
        B: http_body::Body + Send + 'static,
        B::Data: Send,
        B::Error: Into<Broken>,
    {
        let place = Place::of(to)?;
        let stream = reach(&place).await?;
        if !place.is_secure {
            return shake(stream).await;
        }
        let name = ServerName::try_from(place.host).map_err(io::Error::other)?;
        shake(self.0.connect(name, stream).await?).await
    }
}

/// The same where nothing is encrypted: for what is signed, and so needs nobody who is trusted on its way.
pub(crate) async fn open_plain<B>(to: &Uri) -> io::Result<SendRequest<B>>
where
    B: http_body::Body + Send + 'static,
    B::Data: Send,
    B::Error: Into<Broken>,
{
    let place = Place::of(to)?;
    if place.is_secure {
        return Err(io::Error::other("its address is none of plain HTTP"));
    }
    shake(reach(&place).await?).await
}

async fn reach(place: &Place) -> io::Result<TcpStream> {
    let stream = match is_name_of_here(&place.host) {
        true => TcpStream::connect(("127.0.0.1", place.port)).await?,
        false => TcpStream::connect((place.host.as_str(), place.port)).await?,
    };
    // What is asked is written in one go.
    let _ = stream.set_nodelay(true);
    Ok(stream)
}

async fn shake<S, B>(stream: S) -> io::Result<SendRequest<B>>
where
    S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
    B: http_body::Body + Send + 'static,
    B::Data: Send,
    B::Error: Into<Broken>,
{
    let (sender, connection) = http1::handshake(TokioIo::new(stream))
        .await
        .map_err(io::Error::other)?;
    tokio::spawn(connection);
    Ok(sender)
}

/// An answer with all of its body, which may have so many bytes.
pub(crate) async fn whole(answer: Response<Incoming>, largest: usize) -> io::Result<Response<Bytes>> {
    let (parts, body) = answer.into_parts();
    let body =
        Limited::new(body, largest)
            .collect()
            .await
            .map_err(|error| match error.is::<http_body_util::LengthLimitError>() {
                true => io::Error::other(format!("its answer is larger than {largest} bytes")),
                false => io::Error::other(error),
            })?;
    Ok(Response::from_parts(parts, body.to_bytes()))
}

/// Where an address leads.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) host: String,
    pub(crate) port: u16,
    pub(crate) is_secure: bool,
}

impl Place {
    pub(crate) fn of(uri: &Uri) -> io::Result<Place> {
        let is_secure = match uri.scheme_str() {
            Some("https") => true,
            Some("http") => false,
            _ => return Err(io::Error::other("its address is neither https:// nor http://")),
        };
        let host = uri.host().filter(|host| !host.is_empty());
        let host = host.ok_or_else(|| io::Error::other("its address has no host"))?;
        Ok(Place {
            host: host.trim_matches(['[', ']']).to_owned(),
            port: uri.port_u16().unwrap_or(if is_secure { 443 } else { 80 }),
            is_secure,
        })
    }

    /// Whether it is this machine, where nobody stands in between.
    pub(crate) fn is_here(&self) -> bool {
        is_here(&self.host)
    }
}

/// Whether a host is this machine.
pub(crate) fn is_here(host: &str) -> bool {
    let host = host.trim_matches(['[', ']']);
    let address = host.parse::<std::net::IpAddr>();
    is_name_of_here(host) || address.is_ok_and(|address| address.is_loopback())
}

/// Not every resolver knows that such names are this machine (RFC 6761, 6.3).
fn is_name_of_here(host: &str) -> bool {
    host == "localhost" || host.ends_with(".localhost")
}

/// Says to whom a request goes; who asks is nobody's business.
pub(crate) fn name_host(headers: &mut HeaderMap, to: &Uri) {
    let host = to.authority().map(|authority| authority.as_str());
    let host = host.map(|host| host.rsplit('@').next().unwrap_or(host));
    if let Some(host) = host.and_then(|host| HeaderValue::try_from(host).ok()) {
        headers.insert(HOST, host);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(text: &str) -> Option<(String, u16, bool, bool)> {
        let place = Place::of(&text.parse().expect("an address")).ok()?;
        let is_here = place.is_here();
        Some((place.host, place.port, place.is_secure, is_here))
    }

    #[test]
    fn an_address_leads_to_a_host_and_a_port() {
        for (text, host, port, is_secure, is_here) in [
            ("https://a.example/dir", "a.example", 443, true, false),
            ("https://a.example:14000/dir", "a.example", 14_000, true, false),
            ("http://127.0.0.1:4318/v1/traces", "127.0.0.1", 4_318, false, true),
            ("http://[::1]/", "::1", 80, false, true),
            (
                "https://id.shop.localhost:8443/",
                "id.shop.localhost",
                8_443,
                true,
                true,
            ),
            (
                "https://localhost.example/",
                "localhost.example",
                443,
                true,
                false,
            ),
        ] {
            let expected = (host.to_owned(), port, is_secure, is_here);
            assert_eq!(place(text), Some(expected), "{text}");
        }
        assert_eq!(place("ftp://a.example/"), None);
        assert_eq!(place("/path"), None);
    }

    #[test]
    fn who_asks_is_not_among_what_a_host_is_told() {
        let mut headers = HeaderMap::new();
        name_host(
            &mut headers,
            &"http://me:HUSH@a.example:80/".parse().expect("an address"),
        );
        assert_eq!(headers[HOST], "a.example:80");
    }

    #[tokio::test]
    async fn an_answer_that_is_too_large_is_not_read_to_its_end() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0")
            .await
            .expect("a port");
        let at = listener.local_addr().expect("an address");
        tokio::spawn(async move {
            use tokio::io::AsyncWriteExt;
            while let Ok((mut stream, _)) = listener.accept().await {
                let _ = stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await;
                // It never ends by itself.
                while stream.write_all(&[b'x'; 1024]).await.is_ok() {}
            }
        });
        let (web, _) = Web::trusting([]);
        let to: Uri = format!("http://{at}/").parse().expect("an address");
        let mut sender = web.open::<crate::body::Body>(&to).await.expect("it listens");
        let asked = http::Request::new(crate::body::Body::empty());
        let answer = sender.send_request(asked).await.expect("it answers");
        let read = whole(answer, 10_000).await.expect_err("it is too large");
        assert_eq!(read.to_string(), "its answer is larger than 10000 bytes");
    }
}
