//! Who takes spans: asked by HTTP, over one connection as long as that holds, and again where it may help.

use std::time::Duration;

use http::header::{CONTENT_TYPE, HeaderMap, HeaderValue, RETRY_AFTER};
use http::{Request, StatusCode, Uri};
use hyper::client::conn::http1::SendRequest;
use tokio::time::timeout;

use crate::body::Body;
use crate::web::{self, Web};

/// What the standard gives an answer.
const ANSWERS: Duration = Duration::from_secs(10);

/// A collector asks for no longer a wait than this, or it is not listened to.
const LONGEST_WAIT: Duration = Duration::from_secs(30);

/// Who takes spans.
pub(super) struct Collector {
    to: Uri,
    headers: HeaderMap,
    open: Option<SendRequest<Body>>,
    web: Option<Web>,
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
            web: None,
        }
    }

    /// Whom the system trusts is read when somebody is to be asked.
    fn web(&mut self) -> Web {
        self.web.get_or_insert_with(|| Web::trusting([]).0).clone()
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
            None => self.web().open(&self.to).await.map_err(later)?,
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
        web::name_host(headers, &self.to);
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
}
