//! The client: one connection a question.

use crate::message::Problem;
use bytes::Bytes;
use http::{Method, Request};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::path::PathBuf;
use tokio::net::UnixStream;

/// Asks the steward whose socket this is.
#[derive(Debug, Clone)]
pub struct Client {
    socket: PathBuf,
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// Nobody listens.
    #[error("no steward is running")]
    Nobody,
    /// It said no.
    #[error("{}", .0.message)]
    Refused(Problem),
    /// It went away before it had said everything.
    #[error("the steward went away while it answered")]
    Cut,
    /// It said something that cannot be understood: it is of another version.
    #[error("the steward is of another version: it said something that cannot be understood")]
    Garbled(#[source] serde_json::Error),
}

/// An answer that comes line by line.
#[derive(Debug)]
pub struct Answer {
    body: Incoming,
    rest: Vec<u8>,
}

impl Answer {
    /// The next object; nothing when it has ended.
    pub async fn next<T: DeserializeOwned>(&mut self) -> Result<Option<T>, ClientError> {
        loop {
            if let Some(end) = self.rest.iter().position(|byte| *byte == b'\n') {
                let line: Vec<u8> = self.rest.drain(..=end).collect();
                return serde_json::from_slice(&line)
                    .map(Some)
                    .map_err(ClientError::Garbled);
            }
            match self.body.frame().await {
                Some(Ok(frame)) => {
                    if let Ok(more) = frame.into_data() {
                        self.rest.extend_from_slice(&more);
                    }
                }
                Some(Err(_)) => return Err(ClientError::Cut),
                None => return Ok(None),
            }
        }
    }
}

impl Client {
    /// A client of the steward with this socket.
    pub fn new(socket: impl Into<PathBuf>) -> Self {
        Client {
            socket: socket.into(),
        }
    }

    /// Asks, and reads the whole answer.
    pub async fn ask<Q: Serialize, A: DeserializeOwned>(
        &self,
        method: Method,
        path: &str,
        question: &Q,
    ) -> Result<A, ClientError> {
        let body = self.send(method, path, question).await?;
        let whole = body.collect().await.map_err(|_| ClientError::Cut)?.to_bytes();
        serde_json::from_slice(&whole).map_err(ClientError::Garbled)
    }

    /// Asks for something that is answered line by line.
    pub async fn follow<Q: Serialize>(
        &self,
        method: Method,
        path: &str,
        question: &Q,
    ) -> Result<Answer, ClientError> {
        let body = self.send(method, path, question).await?;
        Ok(Answer {
            body,
            rest: Vec::new(),
        })
    }

    async fn send<Q: Serialize>(
        &self,
        method: Method,
        path: &str,
        question: &Q,
    ) -> Result<Incoming, ClientError> {
        let stream = UnixStream::connect(&self.socket)
            .await
            .map_err(|_| ClientError::Nobody)?;
        let (mut sender, connection) = http1::handshake(TokioIo::new(stream))
            .await
            .map_err(|_| ClientError::Cut)?;
        tokio::spawn(connection);
        let text = serde_json::to_vec(question).map_err(ClientError::Garbled)?;
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header(http::header::HOST, "towpath")
            .body(Full::new(Bytes::from(text)))
            .map_err(|_| ClientError::Cut)?;
        let answer = sender.send_request(request).await.map_err(|_| ClientError::Cut)?;
        if answer.status().is_success() {
            return Ok(answer.into_body());
        }
        let whole = answer
            .into_body()
            .collect()
            .await
            .map_err(|_| ClientError::Cut)?
            .to_bytes();
        Err(match serde_json::from_slice(&whole) {
            Ok(problem) => ClientError::Refused(problem),
            Err(error) => ClientError::Garbled(error),
        })
    }
}
