//! The log of everything that somebody has changed: who, what, where, and how it ended. Never what was brought with it.

use crate::door::{clock, disk};
use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;
use std::collections::BTreeMap;
use std::io;
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

/// A line has 300 bytes: this is fifty thousand of them, and as many again in the one before.
const LONGEST: u64 = 16 * 1024 * 1024;

/// The log.
#[derive(Debug)]
pub(crate) struct Audit {
    path: PathBuf,
    open: Mutex<Option<disk::Log>>,
}

/// A line of it.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Line {
    /// When it was asked for.
    pub(crate) at: Timestamp,
    /// Who: `token 5b1c (ci)`, or `user 0` of this machine.
    pub(crate) who: String,
    /// From where; nothing where it is this machine's own socket.
    pub(crate) from: Option<String>,
    /// What: `POST /components/web/restart`.
    pub(crate) what: String,
    /// The product, where it is about one.
    pub(crate) product: Option<String>,
    /// The environment, where it is about one.
    pub(crate) environment: Option<String>,
    /// The status that was answered.
    pub(crate) status: u16,
    /// How it ended: `answered`, `refused`, or `left` where whoever asked went before all of the answer was there. What they
    /// have asked for is done all the same; many go as soon as they are told that it is.
    pub(crate) ended: &'static str,
    /// How long it took.
    pub(crate) took_ms: u128,
    /// The identity that was shown, where it was one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) identity: Option<Box<Shown>>,
}

/// An identity that its issuer has signed, and what came of it.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Shown {
    /// Its claims that say who it is, and those that are looked at.
    pub(crate) claims: BTreeMap<String, Value>,
    /// Who trusts it.
    pub(crate) trust: Option<String>,
    /// The token that was given.
    pub(crate) token: Option<String>,
    /// Why none was.
    pub(crate) why: Option<String>,
}

impl Audit {
    pub(crate) fn new(path: PathBuf) -> Self {
        Audit {
            path,
            open: Mutex::default(),
        }
    }

    /// Writes a line.
    pub(crate) fn write(&self, line: &Line) -> io::Result<()> {
        let mut text = serde_json::to_vec(line).map_err(io::Error::other)?;
        text.push(b'\n');
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        let mut log = match open.take() {
            Some(log) => log,
            None => disk::Log::open(&self.path)?,
        };
        if log.length >= LONGEST {
            disk::rename(&self.path, &self.path.with_extension("log.1"))?;
            log = disk::Log::open(&self.path)?;
        }
        // Where that fails it is opened anew for the next line.
        log.write(&text)?;
        *open = Some(log);
        Ok(())
    }
}

/// What is being answered to whoever changes something. The line is written when it has ended, however it does.
pub(crate) struct Witness {
    pub(crate) line: Line,
    pub(crate) began: Duration,
    pub(crate) audit: Arc<Audit>,
    /// Where it is told that a line cannot be written.
    pub(crate) fault: Arc<dyn Fn(&str) + Send + Sync>,
}

impl Witness {
    /// It has begun to be answered.
    pub(crate) fn answers(&mut self, status: u16) {
        self.line.status = status;
        // Until all of it is there.
        self.line.ended = if status < 400 { "left" } else { "refused" };
    }

    /// All of it is there.
    fn ends(&mut self) {
        if self.line.ended == "left" {
            self.line.ended = "answered";
        }
    }
}

impl Drop for Witness {
    fn drop(&mut self) {
        self.line.took_ms = clock::now().saturating_sub(self.began).as_millis();
        // It was done all the same: where the disk is full, somebody has to be able to do something about it.
        if let Err(error) = self.audit.write(&self.line) {
            (self.fault)(&format!("the log of changes cannot be written: {error}"));
        }
    }
}

/// A body, with whoever writes down how it ended.
pub(crate) struct Witnessed<B> {
    body: B,
    witness: Option<Witness>,
}

impl<B: Body> Witnessed<B> {
    pub(crate) fn new(body: B, mut witness: Option<Witness>) -> Self {
        // Nobody asks for what is not there.
        if body.is_end_stream()
            && let Some(witness) = &mut witness
        {
            witness.ends();
        }
        Witnessed { body, witness }
    }
}

impl<B: Body<Data = Bytes> + Unpin> Body for Witnessed<B> {
    type Data = Bytes;
    type Error = B::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, B::Error>>> {
        let polled = Pin::new(&mut self.body).poll_frame(context);
        let is_over = matches!(polled, Poll::Ready(None)) || self.body.is_end_stream();
        if is_over && let Some(witness) = &mut self.witness {
            witness.ends();
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        // Whoever sees that it is over does not ask any more, and it has to be seen that it is.
        self.witness.is_none() && self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

#[cfg(test)]
#[allow(clippy::disallowed_methods, reason = "the log lies in a real file")]
mod tests {
    use super::*;
    use http_body_util::{BodyExt, Full};

    fn witness(audit: &Arc<Audit>, status: u16) -> Witness {
        let mut witness = Witness {
            line: Line {
                at: Timestamp::UNIX_EPOCH,
                who: "token 5b1c (ci)".to_owned(),
                from: Some("192.0.2.1".to_owned()),
                what: "POST /down".to_owned(),
                product: Some("shop".to_owned()),
                environment: Some("prod".to_owned()),
                status: 0,
                ended: "left",
                took_ms: 0,
                identity: None,
            },
            began: Duration::ZERO,
            audit: Arc::clone(audit),
            fault: Arc::new(|why| panic!("{why}")),
        };
        witness.answers(status);
        witness
    }

    #[tokio::test]
    async fn how_it_ended_is_written_down_whoever_goes_when() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("serve.log");
        let audit = Arc::new(Audit::new(path.clone()));
        for (status, read) in [(200, true), (200, false), (403, true)] {
            let body = Witnessed::new(Full::new(Bytes::from("answer")), Some(witness(&audit, status)));
            if read {
                body.collect().await.expect("it cannot fail");
            }
        }
        let text = std::fs::read_to_string(&path).expect("it is there");
        let ends: Vec<serde_json::Value> = text
            .lines()
            .map(|line| serde_json::from_str(line).expect("it is an object"))
            .collect();
        let told: Vec<_> = ends
            .iter()
            .map(|one| (one["status"].as_u64(), one["ended"].as_str()))
            .collect();
        assert_eq!(
            told,
            [
                (Some(200), Some("answered")),
                (Some(200), Some("left")),
                (Some(403), Some("refused"))
            ]
        );
        assert_eq!(ends[0]["who"], "token 5b1c (ci)");
    }

    #[test]
    fn a_long_log_is_put_aside() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("serve.log");
        std::fs::write(&path, vec![b'\n'; usize::try_from(LONGEST).expect("it fits")])
            .expect("it is written");
        let audit = Arc::new(Audit::new(path.clone()));
        drop(witness(&audit, 200));
        assert!(std::fs::metadata(&path).expect("it is there").len() < 1_000);
        assert_eq!(
            std::fs::metadata(folder.path().join("serve.log.1"))
                .expect("it is there")
                .len(),
            LONGEST
        );
    }
}
