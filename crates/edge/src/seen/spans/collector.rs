//! Who takes spans: asked by HTTP, over one connection as long as that holds, and again where it may help.

use std::sync::Arc;
use std::time::Duration;

use http::header::{CONTENT_TYPE, HOST, HeaderMap, HeaderValue, RETRY_AFTER};
use http::{Request, StatusCode, Uri};
use hyper::client::conn::http1::{self, SendRequest};
use hyper_util::rt::TokioIo;
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, RootCertStore};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;

use crate::body::Body;

/// What the standard gives an answer.
const ANSWERS: Duration = Duration::from_secs(10);

/// A collector asks for no longer a wait than this, or it is not listened to.
const LONGEST_WAIT: Duration = Duration::from_secs(30);

/// Who takes spans.
pub(super) struct Collector {
    to: Uri,
    headers: HeaderMap,
    open: Option<SendRequest<Body>>,
    tls: Option<TlsConnector>,
}

/// Why spans were not taken.
#[derive(Debug)]
pub(super) struct Refused {
    pub(super) why: String,
    /// It may help to ask again, and not before so long; nothing where it does not help.
    pub(super) again: Option<Duration>,
}

fn later(why: impl ToString) -> Refused {
    Refused {
        why: why.to_string(),
        again: Some(Duration::ZERO),
    }
}

impl Collector {
    pub(super) fn new(to: Uri, headers: HeaderMap) -> Collector {
        Collector {
            to,
            headers,
            open: None,
            tls: None,
        }
    }

    /// Hands over a message.
    pub(super) async fn take(&mut self, message: Vec<u8>) -> Result<(), Refused> {
        let asked = timeout(ANSWERS, self.ask(message)).await;
        let taken = asked.unwrap_or_else(|_| Err(later("the collector does not answer")));
        if taken.is_err() {
            self.open = None;
        }
        taken
    }

    async fn ask(&mut self, message: Vec<u8>) -> Result<(), Refused> {
        let mut open = self.open.take();
        if let Some(sender) = &mut open
            && sender.ready().await.is_err()
        {
            open = None;
        }
        let mut sender = match open {
            Some(open) => open,
            None => self.connect().await?,
        };
        let path = self.to.path_and_query().map_or("/", |path| path.as_str());
        let mut request = Request::post(path)
            .body(Body::whole(message))
            .map_err(|error| Refused {
                why: error.to_string(),
                again: None,
            })?;
        let headers = request.headers_mut();
        headers.extend(self.headers.clone());
        let host = self.to.authority().map(|authority| authority.as_str());
        let host = host.and_then(|host| HeaderValue::try_from(host.rsplit('@').next().unwrap_or(host)).ok());
        headers.extend(host.map(|host| (HOST, host)));
        let kind = HeaderValue::from_static("application/x-protobuf");
        headers.insert(CONTENT_TYPE, kind);
        let response = sender.send_request(request).await.map_err(later)?;
        let status = response.status();
        let wait = response.headers().get(RETRY_AFTER);
        let wait = wait.and_then(|wait| wait.to_str().ok()?.parse().ok());
        // What it says is short, and of no use to us; unread it would be in the way of the next answer.
        let is_read = crate::aside::read(response.into_body()).await.is_ok();
        if is_read {
            self.open = Some(sender);
        }
        match status {
            status if status.is_success() => Ok(()),
            // These and no others, as the standard has it.
            StatusCode::TOO_MANY_REQUESTS
            | StatusCode::BAD_GATEWAY
            | StatusCode::SERVICE_UNAVAILABLE
            | StatusCode::GATEWAY_TIMEOUT => Err(Refused {
                why: format!("the collector answers {status}"),
                again: Some(Duration::from_secs(wait.unwrap_or(0)).min(LONGEST_WAIT)),
            }),
            status => Err(Refused {
                why: format!("the collector answers {status}"),
                again: None,
            }),
        }
    }

    async fn connect(&mut self) -> Result<SendRequest<Body>, Refused> {
        let is_secure = self.to.scheme_str() == Some("https");
        let host = self
            .to
            .host()
            .unwrap_or_default()
            .trim_matches(['[', ']'])
            .to_owned();
        let port = self.to.port_u16().unwrap_or(if is_secure { 443 } else { 80 });
        let stream = TcpStream::connect((host.as_str(), port)).await.map_err(later)?;
        // A batch is written in one go.
        let _ = stream.set_nodelay(true);
        if !is_secure {
            return shake(stream).await;
        }
        let name = ServerName::try_from(host).map_err(later)?;
        let tls = self.tls.get_or_insert_with(connector);
        shake(tls.connect(name, stream).await.map_err(later)?).await
    }
}

async fn shake<S>(stream: S) -> Result<SendRequest<Body>, Refused>
where
    S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
{
    let (sender, connection) = http1::handshake(TokioIo::new(stream)).await.map_err(later)?;
    // It ends with its sender.
    tokio::spawn(connection);
    Ok(sender)
}

fn connector() -> TlsConnector {
    let roots = RootCertStore::from_iter(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("the provider has the versions that are the default")
        .with_root_certificates(roots)
        .with_no_client_auth();
    TlsConnector::from(Arc::new(config))
}
