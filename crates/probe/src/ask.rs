//! Asking over HTTP: one request on a connection of its own, answered whole or not at all.

use crate::carry::{self, Course};
use crate::door::clock::{self, Moment};
use crate::door::files;
use crate::run::Session;
use crate::stream::{open, timely};
use crate::{failed, unasked};
use bytes::Bytes;
use http_body_util::{BodyExt, Full, LengthLimitError, Limited};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use std::time::Duration;
use towpath_decide::gate::probe::{Broken, Request, Seen};

/// The largest body, sent or answered. What a probe looks at is a page or some JSON.
const LARGEST: usize = 4 * 1024 * 1024;

/// A task that ends with whoever needs it.
struct Beside(tokio::task::JoinHandle<()>);

impl Drop for Beside {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl Session<'_> {
    /// Asks with the body that a request says.
    pub(crate) async fn ask(&self, request: &Request, bound: Duration) -> Result<Seen, Broken> {
        let body = match &request.body {
            Some(value) => self.aim.value(value)?.open().clone().into_bytes(),
            None => Vec::new(),
        };
        self.send(request, body, bound).await.map(|(seen, _)| seen)
    }

    /// Asks with the body that stands in a file, and takes the digest of what is answered.
    pub(crate) async fn ask_with(
        &self,
        request: &Request,
        file: &str,
        bound: Duration,
    ) -> Result<Seen, Broken> {
        let path = self.aim.files.join(file);
        let body = files::read(&path, LARGEST as u64).await;
        let body = body.map_err(|error| unasked(format!("{file} cannot be read: {error}")))?;
        let (seen, answer) = self.send(request, body, bound).await?;
        Ok(Seen {
            digest: Some(carry::sha(&answer)),
            ..seen
        })
    }

    async fn send(&self, request: &Request, body: Vec<u8>, bound: Duration) -> Result<(Seen, Bytes), Broken> {
        let course = Course::of(&request.to, self.base)?;
        let headers = carry::headers(request, &course, &body, self.aim, self.begun)?;
        let mut asked = http::Request::builder()
            .method(request.method.as_str())
            .uri(course.path.as_str())
            .body(Full::new(Bytes::from(body)))
            .map_err(|error| unasked(format!("it cannot be asked: {error}")))?;
        *asked.headers_mut() = headers;
        let begun = clock::now();
        timely(begun, bound, async {
            let stream = open(&course.peer, course.name.as_deref(), self.aim).await?;
            let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.map_err(broken)?;
            let _beside = Beside(tokio::spawn(async move {
                // How it ends is told to whoever waits for the answer.
                let _ = connection.await;
            }));
            let answer = sender.send_request(asked).await.map_err(broken)?;
            whole(answer, begun).await
        })
        .await
    }
}

async fn whole(
    answer: http::Response<hyper::body::Incoming>,
    begun: Moment,
) -> Result<(Seen, Bytes), Broken> {
    let (parts, body) = answer.into_parts();
    let body = Limited::new(body, LARGEST).collect().await;
    let body = body.map_err(|error| match error.is::<LengthLimitError>() {
        true => failed(format!(
            "{} was answered, with a body that is larger than {LARGEST} bytes",
            parts.status.as_u16()
        )),
        false => failed(format!(
            "{} was answered, and it broke off",
            parts.status.as_u16()
        )),
    })?;
    let body = body.to_bytes();
    let headers = parts.headers.iter();
    let headers = headers.map(|(name, value)| {
        let value = String::from_utf8_lossy(value.as_bytes()).into_owned();
        (name.as_str().to_owned(), value)
    });
    let seen = Seen {
        took: begun.elapsed(),
        status: Some(parts.status.as_u16()),
        headers: headers.collect(),
        body: String::from_utf8_lossy(&body).into_owned(),
        ..Seen::default()
    };
    Ok((seen, body))
}

/// Why there is no answer.
fn broken(error: hyper::Error) -> Broken {
    if error.is_parse() {
        return failed(format!("what came is no HTTP: {error}"));
    }
    if error.is_incomplete_message() || error.is_canceled() || error.is_closed() {
        return failed("it hung up without an answer");
    }
    let inner = std::error::Error::source(&error);
    let why = inner.map_or_else(|| error.to_string(), ToString::to_string);
    failed(format!("the connection broke: {why}"))
}
