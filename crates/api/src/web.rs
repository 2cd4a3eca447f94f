//! Reading a little over the web: one request a connection, bounded in time and in size, and no redirect is followed.
//!
//! It is HTTPS, and plain HTTP only on this machine, where nobody stands in between. What the system trusts is trusted (and so
//! what `SSL_CERT_FILE` and `SSL_CERT_DIR` name), and where it knows nobody, whom browsers trust.

use bytes::Bytes;
use http::header::{ACCEPT, AUTHORIZATION, HOST, HeaderValue, USER_AGENT};
use http::{Request, StatusCode, Uri};
use http_body_util::{BodyExt, Empty, LengthLimitError, Limited};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, RootCertStore};
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use towpath_model::sealed::Sealed;

/// Somebody waits for it: who takes longer is as good as not there.
const PATIENCE: Duration = Duration::from_secs(5);

/// The keys of the largest issuers take some ten thousand bytes.
const LARGEST: usize = 256 * 1024;

/// Reads over the web.
#[derive(Clone)]
pub struct Web(TlsConnector);

/// Why something was not read. Nothing that was sent stands in it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Unread(pub String);

impl Web {
    /// Reads whom the system trusts. It takes a moment, and looks at files.
    pub fn open() -> Result<Self, Unread> {
        let mut roots = RootCertStore::empty();
        roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        if roots.is_empty() {
            roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
        }
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|error| Unread(error.to_string()))?
            .with_root_certificates(roots)
            .with_no_client_auth();
        Ok(Web(TlsConnector::from(Arc::new(config))))
    }

    /// The whole of what is at an address, for whoever shows this.
    pub async fn read(&self, address: &str, bearer: Option<&Sealed<String>>) -> Result<Vec<u8>, Unread> {
        let shown = host(address).unwrap_or_else(|| "the address".to_owned());
        match tokio::time::timeout(PATIENCE, self.asked(address, bearer)).await {
            Ok(Ok((StatusCode::OK, text))) => Ok(text),
            Ok(Ok((status, _))) => Err(Unread(format!("{shown} has answered {status}"))),
            Ok(Err(why)) => Err(Unread(format!("{shown} cannot be asked: {why}"))),
            Err(_) => {
                let seconds = PATIENCE.as_secs();
                Err(Unread(format!(
                    "{shown} has not answered within {seconds} seconds"
                )))
            }
        }
    }

    async fn asked(
        &self,
        address: &str,
        bearer: Option<&Sealed<String>>,
    ) -> Result<(StatusCode, Vec<u8>), String> {
        if !is_safe(address) {
            return Err("only https:// is safe for it".to_owned());
        }
        let uri: Uri = address.parse().map_err(|_| "its address is none".to_owned())?;
        let host = uri.host().unwrap_or_default().trim_matches(['[', ']']).to_owned();
        let is_secure = uri.scheme_str() == Some("https");
        let port = uri.port_u16().unwrap_or(if is_secure { 443 } else { 80 });
        let request = request(&uri, bearer).ok_or("its address is none")?;
        let stream = TcpStream::connect((host.as_str(), port));
        let stream = stream.await.map_err(|error| error.to_string())?;
        if !is_secure {
            return whole(stream, request).await;
        }
        let name = ServerName::try_from(host).map_err(|_| "its address is none".to_owned())?;
        let stream = self.0.connect(name, stream).await;
        whole(stream.map_err(|error| error.to_string())?, request).await
    }
}

/// Whether nobody can change what comes from there: it is HTTPS, or on this machine.
pub fn is_safe(address: &str) -> bool {
    let Ok(uri) = address.parse::<Uri>() else {
        return false;
    };
    let host = uri.host().unwrap_or_default().trim_matches(['[', ']']);
    match uri.scheme_str() {
        Some("https") => !host.is_empty(),
        Some("http") => {
            host == "localhost" || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
        }
        _ => false,
    }
}

fn host(address: &str) -> Option<String> {
    let uri: Uri = address.parse().ok()?;
    uri.host().map(str::to_owned)
}

fn request(uri: &Uri, bearer: Option<&Sealed<String>>) -> Option<Request<Empty<Bytes>>> {
    let path = uri.path_and_query().map_or("/", |path| path.as_str());
    let authority = uri.authority()?.as_str();
    let mut request = Request::get(path)
        .header(HOST, authority.rsplit('@').next().unwrap_or(authority))
        .header(USER_AGENT, "towpath")
        .header(ACCEPT, "application/json");
    if let Some(bearer) = bearer {
        let mut value = HeaderValue::try_from(format!("Bearer {}", bearer.open())).ok()?;
        value.set_sensitive(true);
        request = request.header(AUTHORIZATION, value);
    }
    request.body(Empty::new()).ok()
}

async fn whole<S>(stream: S, request: Request<Empty<Bytes>>) -> Result<(StatusCode, Vec<u8>), String>
where
    S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
{
    let told = |error: hyper::Error| error.to_string();
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.map_err(told)?;
    tokio::spawn(connection);
    let answer = sender.send_request(request).await.map_err(told)?;
    let status = answer.status();
    let body = Limited::new(answer.into_body(), LARGEST).collect().await;
    let body = body.map_err(|error| match error.is::<LengthLimitError>() {
        true => format!("its answer is larger than {LARGEST} bytes"),
        false => error.to_string(),
    })?;
    Ok((status, body.to_bytes().to_vec()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpListener;

    #[test]
    fn only_what_nobody_can_change_on_its_way_is_read() {
        for (address, fine) in [
            ("https://id.example.com/x", true),
            ("http://127.0.0.1:80/x", true),
            ("http://[::1]/x", true),
            ("http://localhost:3000", true),
            ("http://id.example.com", false),
            ("http://127.0.0.1.example.com", false),
            ("http://localhost.example.com", false),
            ("http://10.0.0.1/", false),
            ("file:///etc/passwd", false),
            ("/etc/passwd", false),
            ("https://", false),
            ("", false),
        ] {
            assert_eq!(is_safe(address), fine, "{address}");
        }
    }

    /// Answers so, and says what it was asked.
    async fn answered(answer: Vec<u8>) -> (Result<Vec<u8>, Unread>, String) {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let at = listener.local_addr().expect("an address");
        let serving = tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.expect("somebody connects");
            let mut asked = vec![0; 4096];
            let read = stream.read(&mut asked).await.expect("it asks");
            // Who has read enough goes before the end.
            let _ = stream.write_all(&answer).await;
            String::from_utf8_lossy(&asked[..read]).into_owned()
        });
        let web = Web::open().expect("it can be made");
        let secret = Sealed::new("hush".to_owned());
        let read = web.read(&format!("http://{at}/a?b=c"), Some(&secret)).await;
        (read, serving.await.expect("it ends"))
    }

    #[tokio::test]
    async fn what_is_read_is_whole_or_it_is_said_why_not() {
        let (read, asked) = answered(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}".to_vec()).await;
        assert_eq!(read.as_deref(), Ok(&b"{}"[..]));
        assert!(asked.starts_with("GET /a?b=c HTTP/1.1\r\n"), "{asked}");
        assert!(asked.contains("authorization: Bearer hush\r\n"), "{asked}");
        let why = |read: Result<Vec<u8>, Unread>| read.expect_err("it is refused").0;
        let (read, _) = answered(b"HTTP/1.1 302 Found\r\nlocation: http://a/\r\n\r\n".to_vec()).await;
        assert_eq!(why(read), "127.0.0.1 has answered 302 Found");
        let mut large = b"HTTP/1.1 200 OK\r\n\r\n".to_vec();
        large.resize(LARGEST + 100, b'x');
        let (read, _) = answered(large).await;
        assert_eq!(
            why(read),
            "127.0.0.1 cannot be asked: its answer is larger than 262144 bytes"
        );
        let (read, _) = answered(b"what?\r\n\r\n".to_vec()).await;
        assert!(why(read).starts_with("127.0.0.1 cannot be asked: "));
    }
}
