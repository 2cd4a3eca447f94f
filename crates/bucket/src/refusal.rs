//! Why a request is refused, and how S3 says that.

use http::StatusCode;
use http::header::HeaderMap;
use s3s::{S3Error, S3ErrorCode, StdError};
use std::io;

/// SQLite's code for a disk without room.
const FULL: i32 = 13;

/// Why something was not done. Nothing of it was, in every case.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Refusal {
    /// What S3 has a word for.
    #[error("refused")]
    Said(#[from] S3Error),
    /// The database refused.
    #[error("the database refused")]
    Database(#[from] sqlx::Error),
    /// The file system refused.
    #[error("the file system refused")]
    Files(#[from] io::Error),
    /// The body could not be read to its end.
    #[error("the body broke off")]
    Body(StdError),
    /// A row is not what we write.
    #[error("a row cannot be read")]
    Row(#[from] serde_json::Error),
    /// Less came than was announced.
    #[error("the body is shorter than it was said to be")]
    Incomplete,
    /// More came than an object may have.
    #[error("the body is too large")]
    TooLarge,
    /// The content is not what was promised.
    #[error("{0}")]
    BadDigest(&'static str),
    /// There is no room left of what the bucket may hold.
    #[error("the bucket is full: it may hold {most} bytes")]
    Most {
        /// What it may hold.
        most: u64,
    },
    /// A task of ours has ended before its time.
    #[error("a task broke off")]
    Broken,
}

impl Refusal {
    /// A refusal in the words of S3.
    pub(crate) fn said(code: S3ErrorCode, message: impl Into<String>) -> Refusal {
        Refusal::Said(S3Error::with_message(code, message.into()))
    }

    /// The same call works when there is room.
    pub(crate) fn is_full(&self) -> bool {
        match self {
            Refusal::Files(refusal) => is_out_of_room(refusal),
            Refusal::Database(sqlx::Error::Io(refusal)) => is_out_of_room(refusal),
            Refusal::Database(sqlx::Error::Database(refusal)) => {
                // The lower byte is the kind, what is above it the special case.
                let code = refusal.code().and_then(|code| code.parse::<i32>().ok());
                code.is_some_and(|code| code & 0xff == FULL)
            }
            _ => false,
        }
    }
}

pub(crate) fn is_out_of_room(refusal: &io::Error) -> bool {
    matches!(
        refusal.kind(),
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded
    )
}

impl From<Refusal> for S3Error {
    fn from(refusal: Refusal) -> S3Error {
        if refusal.is_full() {
            // S3 has no word for it. No SDK tries a 507 again, so the caller hears of it at once.
            let words = "the disk is full: nothing of this was kept, and what was there is untouched";
            return custom(
                "InsufficientStorage",
                words.to_owned(),
                StatusCode::INSUFFICIENT_STORAGE,
            );
        }
        match refusal {
            Refusal::Said(said) => said,
            Refusal::Body(source) => body(&source),
            Refusal::Incomplete => S3ErrorCode::IncompleteBody.into(),
            Refusal::TooLarge => S3ErrorCode::EntityTooLarge.into(),
            Refusal::BadDigest(why) => S3Error::with_message(S3ErrorCode::BadDigest, why),
            Refusal::Most { .. } => custom(
                "QuotaExceeded",
                refusal.to_string(),
                StatusCode::INSUFFICIENT_STORAGE,
            ),
            other => S3Error::internal_error(other),
        }
    }
}

fn custom(code: &'static str, words: String, status: StatusCode) -> S3Error {
    let mut said = S3Error::with_message(S3ErrorCode::Custom(code.into()), words);
    said.set_status_code(status);
    said
}

/// What a body that broke off is called. The streams that check it do not show their errors' types, only their names.
fn body(source: &StdError) -> S3Error {
    let words = source.to_string();
    let code = match words.as_str() {
        words if words.contains("Sha256Mismatch") => S3ErrorCode::Custom("XAmzContentSHA256Mismatch".into()),
        words if words.contains("SignatureMismatch") => S3ErrorCode::SignatureDoesNotMatch,
        words if words.contains("FormatError") || words.contains("TooLarge") => S3ErrorCode::InvalidRequest,
        _ => S3ErrorCode::IncompleteBody,
    };
    let mut said = S3Error::with_message(code, words);
    if said.status_code().is_none() {
        said.set_status_code(StatusCode::BAD_REQUEST);
    }
    said
}

/// A refusal with these headers.
pub(crate) fn with_headers(code: S3ErrorCode, headers: HeaderMap) -> Refusal {
    let mut said = S3Error::new(code);
    said.set_headers(headers);
    Refusal::Said(said)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_disk_says_so_wherever_it_was_met() {
        let full = || io::Error::from(io::ErrorKind::StorageFull);
        for refusal in [Refusal::Files(full()), Refusal::Database(sqlx::Error::Io(full()))] {
            let said = S3Error::from(refusal);
            assert_eq!(said.code().as_str(), "InsufficientStorage");
            assert_eq!(said.status_code(), Some(StatusCode::INSUFFICIENT_STORAGE));
        }
    }

    #[test]
    fn a_body_that_is_not_what_was_signed_is_told_from_one_that_broke_off() {
        let code = |words: &str| body(&StdError::from(words.to_owned())).code().as_str().to_owned();
        assert_eq!(
            code("UploadStreamError: Sha256Mismatch"),
            "XAmzContentSHA256Mismatch"
        );
        assert_eq!(
            code("AwsChunkedStreamError: SignatureMismatch"),
            "SignatureDoesNotMatch"
        );
        assert_eq!(code("AwsChunkedStreamError: Incomplete"), "IncompleteBody");
        assert_eq!(code("connection reset"), "IncompleteBody");
    }
}
