//! A client of a few lines, which reads addresses that are signed for everything: what the tests in Rust need.
#![allow(dead_code, reason = "each file of tests uses its part")]
#![allow(
    clippy::disallowed_methods,
    reason = "what is on the disk is looked at from outside"
)]

use bytes::Bytes;
use http::Request;
use http_body_util::{BodyExt, Full};
use hyper_util::rt::TokioIo;
use std::path::Path;
use std::time::Duration;
use tokio::net::TcpStream;
use towpath_bucket::{Access, Settings, authorization};
use towpath_model::sealed::Sealed;

pub(crate) const NAME: &str = "boats";

pub(crate) fn access() -> Access {
    Access {
        key: "towpath".to_owned(),
        secret: Sealed::new("a secret of its own".to_owned()),
        region: "us-east-1".to_owned(),
    }
}

pub(crate) fn settings(folder: &Path) -> Settings {
    Settings {
        folder: folder.to_owned(),
        name: NAME.to_owned(),
        key: access().key,
        secret: access().secret,
        region: access().region,
        versioning: false,
        public: false,
        lifecycle: Vec::new(),
        encrypted: false,
        encryption_key: None,
        most: None,
    }
}

/// Content that says where it is from, so that a part of it, or that of another object, is found out.
pub(crate) fn pattern(seed: u64, length: usize) -> Vec<u8> {
    let mut state = seed.wrapping_mul(2).wrapping_add(1);
    let next = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        state.to_be_bytes()[0]
    };
    std::iter::repeat_with(next).take(length).collect()
}

/// How many files there are below a folder, and how long they are together.
pub(crate) fn files(folder: &Path) -> (usize, usize) {
    let entries = std::fs::read_dir(folder).unwrap().map(Result::unwrap);
    entries.fold((0, 0), |(count, length), entry| {
        let inside = match entry.file_type().unwrap().is_dir() {
            true => files(&entry.path()),
            false => (1, usize::try_from(entry.metadata().unwrap().len()).unwrap()),
        };
        (count + inside.0, length + inside.1)
    })
}

/// Waits until the server answers.
pub(crate) async fn until_well(port: u16) {
    let client = Client::new(port);
    for _ in 0..2000 {
        if client.send("GET", "/-/health", "", Vec::new()).await.is_some() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("it is never well");
}

pub(crate) struct Client {
    port: u16,
}

impl Client {
    pub(crate) fn new(port: u16) -> Self {
        Client { port }
    }

    /// Sends a signed request, and answers with the status and the body, where an answer came whole.
    pub(crate) async fn send(
        &self,
        method: &str,
        path: &str,
        query: &str,
        body: Vec<u8>,
    ) -> Option<(u16, Bytes)> {
        let stream = TcpStream::connect(("127.0.0.1", self.port)).await.ok()?;
        let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream))
            .await
            .ok()?;
        let connection = tokio::spawn(connection);
        let host = format!("127.0.0.1:{}", self.port);
        let signed = authorization(&access(), method, path, query, &host);
        let address = if query.is_empty() {
            path.to_owned()
        } else {
            format!("{path}?{query}")
        };
        let mut request = Request::builder()
            .method(method)
            .uri(address)
            .header("host", host);
        for (name, value) in signed {
            request = request.header(name, value);
        }
        let response = sender
            .send_request(request.body(Full::new(Bytes::from(body))).unwrap())
            .await
            .ok()?;
        let status = response.status().as_u16();
        let body = response.into_body().collect().await.ok()?.to_bytes();
        connection.abort();
        Some((status, body))
    }

    pub(crate) async fn put(&self, key: &str, body: Vec<u8>) -> Option<u16> {
        let answer = self.send("PUT", &format!("/{NAME}/{key}"), "", body).await;
        answer.map(|(status, _)| status)
    }

    pub(crate) async fn get(&self, key: &str) -> Option<Vec<u8>> {
        let (status, body) = self
            .send("GET", &format!("/{NAME}/{key}"), "", Vec::new())
            .await?;
        (status == 200).then(|| body.to_vec())
    }

    pub(crate) async fn delete(&self, key: &str) -> Option<u16> {
        let answer = self
            .send("DELETE", &format!("/{NAME}/{key}"), "", Vec::new())
            .await;
        answer.map(|(status, _)| status)
    }

    /// All keys, which have no letter that XML or an address would change.
    pub(crate) async fn keys(&self) -> Vec<String> {
        let mut keys: Vec<String> = Vec::new();
        loop {
            let after = keys.last().map(|key| key.replace('/', "%2F")).unwrap_or_default();
            let query = format!("list-type=2&start-after={after}");
            let (status, body) = self
                .send("GET", &format!("/{NAME}"), &query, Vec::new())
                .await
                .unwrap();
            assert_eq!(status, 200);
            let text = String::from_utf8(body.to_vec()).unwrap();
            let found = text
                .split("<Key>")
                .skip(1)
                .map(|rest| rest.split('<').next().unwrap().to_owned());
            keys.extend(found);
            if !text.contains("<IsTruncated>true") {
                return keys;
            }
        }
    }
}
