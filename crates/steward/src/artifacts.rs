//! What releases are made of is brought here, a file a question, before a release names it.

use crate::errors::told;
use crate::serve::{Answer, Desk, Refusal, json, problem, read};
use bytes::Bytes;
use http::StatusCode;
use http_body_util::BodyExt;
use hyper::body::Incoming;
use towpath_api::Missing;
use towpath_engine::Engine;
use towpath_store::StoreError;

/// The folder with them, in the state folder.
pub(crate) const ARTIFACTS: &str = "artifacts";

impl<E: Engine> Desk<E> {
    /// Which files are not there.
    pub(crate) async fn missing(&self, body: &Bytes) -> Result<Answer, Refusal> {
        let asked: Missing = read(body)?;
        let files = self.artifacts.missing(&asked.files).await;
        Ok(json(&Missing { files }))
    }

    /// Keeps a file, as it comes: however large it is, little of it is in memory.
    pub(crate) async fn put(&self, digest: &str, mut body: Incoming) -> Result<Answer, Refusal> {
        let refused = |error: StoreError| unkept(&error);
        let mut coming = self.artifacts.begin(digest).await.map_err(refused)?;
        while let Some(frame) = body.frame().await {
            let cut = |_| problem(StatusCode::BAD_REQUEST, "cut", "the file was cut off", None);
            if let Ok(more) = frame.map_err(cut)?.into_data() {
                coming.more(more).await.map_err(refused)?;
            }
        }
        coming.end().await.map_err(refused)?;
        Ok(json(&()))
    }
}

/// Why a file is not kept.
pub(crate) fn unkept(error: &StoreError) -> Refusal {
    let (status, code, hint) = match error {
        StoreError::NoDigest { .. } => (
            StatusCode::BAD_REQUEST,
            "no-digest",
            Some("a digest is written as 64 hexadecimal digits of BLAKE3"),
        ),
        StoreError::Unlike { .. } => (
            StatusCode::UNPROCESSABLE_ENTITY,
            "unlike",
            Some("it was changed while it was read, or on its way: bring it again"),
        ),
        StoreError::TooLarge { .. } => (
            StatusCode::PAYLOAD_TOO_LARGE,
            "too-large",
            Some("keep it in a bucket, and let the component fetch it from there"),
        ),
        StoreError::Full { .. } => (
            StatusCode::INSUFFICIENT_STORAGE,
            "full",
            Some("make room on the disk, and say it again"),
        ),
        _ => (StatusCode::INTERNAL_SERVER_ERROR, "not-kept", None),
    };
    problem(status, code, &told(error), hint)
}
