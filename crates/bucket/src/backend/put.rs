//! Writing an object at once.

use super::nature::nature_of;
use crate::bucket::Bucket;
use crate::content::{Kept, Promised};
use crate::digest::{algorithm, given_sum, hex, known, tell_sum};
use crate::refusal::Refusal;
use crate::rows::{Body, Conditions, New};
use http::HeaderMap;
use s3s::dto::{ETag, PutObjectInput, PutObjectOutput, ServerSideEncryption, StreamingBlob};
use s3s::{S3ErrorCode, S3Request, TrailingHeaders};

/// What S3 takes at once, in one object or one part.
pub(super) const MOST_AT_ONCE: u64 = 5 << 30;

pub(super) async fn put_object(
    bucket: &Bucket,
    request: S3Request<PutObjectInput>,
) -> Result<PutObjectOutput, Refusal> {
    let mut input = request.input;
    let nature = nature_of!(input)?;
    let sealed = bucket.sealing(
        input.server_side_encryption.as_ref(),
        input.sse_customer_algorithm.is_some(),
    )?;
    if input.write_offset_bytes.is_some() {
        return Err(Refusal::said(
            S3ErrorCode::NotImplemented,
            "objects cannot be appended to here",
        ));
    }
    let conditions = Conditions {
        matches: input.if_match.take(),
        matches_not: input.if_none_match.take(),
        seq: None,
    };
    // Asked before the content is read, so that nobody sends much for nothing; what counts is asked again at the end.
    if conditions.matches.is_some() || conditions.matches_not.is_some() {
        let current = bucket.rows.lock().await.find(&input.key, None).await?;
        conditions.hold(current.as_ref().map(|(version, _)| version))?;
    }
    let coming = Coming {
        body: input.body.take(),
        length: input.content_length,
        md5: input.content_md5.take(),
        given: given_sum!(input),
        algorithm: algorithm(&input.checksum_algorithm),
        only: None,
        trailing: request.trailing_headers,
        sealed,
    };
    let kept = coming.take(bucket, &request.headers).await?;
    let tag = hex(&kept.tag);
    let new = New {
        key: input.key,
        size: kept.piece.length,
        tag: tag.clone(),
        body: Body {
            nature,
            sum: Some(kept.sum.clone()),
            pieces: pieces(&kept),
            parts: Vec::new(),
        },
    };
    let id = bucket.put(&new, &conditions, &kept).await?;
    let mut output = PutObjectOutput {
        e_tag: Some(ETag::Strong(tag)),
        version_id: bucket.shown(&id),
        server_side_encryption: encryption(sealed),
        checksum_type: Some("FULL_OBJECT".to_owned().into()),
        ..PutObjectOutput::default()
    };
    tell_sum!(output, Some(&kept.sum));
    Ok(output)
}

pub(super) fn pieces(kept: &Kept) -> Vec<crate::content::Piece> {
    vec![kept.piece.clone()]
}

pub(super) fn encryption(sealed: bool) -> Option<ServerSideEncryption> {
    sealed.then(|| ServerSideEncryption::from_static(ServerSideEncryption::AES256))
}

/// Content that is on its way to us, and what was said about it.
pub(super) struct Coming {
    pub(super) body: Option<StreamingBlob>,
    pub(super) length: Option<i64>,
    pub(super) md5: Option<String>,
    pub(super) given: Option<(String, String)>,
    pub(super) algorithm: Option<&'static str>,
    /// Only a check sum of this algorithm is taken.
    pub(super) only: Option<&'static str>,
    pub(super) trailing: Option<TrailingHeaders>,
    pub(super) sealed: bool,
}

impl Coming {
    /// Takes it in, and compares it with what was said.
    pub(super) async fn take(self, bucket: &Bucket, headers: &HeaderMap) -> Result<Kept, Refusal> {
        let trailer = trailer(headers);
        let algorithm = match (&self.given, trailer) {
            (Some((algorithm, _)), _) => known(algorithm),
            (None, Some((_, algorithm))) => Some(algorithm),
            (None, None) => self.algorithm,
        };
        if let Some(only) = self.only
            && algorithm != Some(only)
        {
            let words = format!("the upload was begun with {only}, and its parts have no other check sum");
            return Err(Refusal::said(S3ErrorCode::InvalidRequest, words));
        }
        let length = self.length.and_then(|length| u64::try_from(length).ok());
        if length.is_some_and(|length| length > MOST_AT_ONCE) {
            return Err(Refusal::TooLarge);
        }
        let promised = Promised {
            md5: self.md5.as_deref().map(decode_md5).transpose()?,
            length,
            most: MOST_AT_ONCE,
        };
        let body = self
            .body
            .unwrap_or_else(|| StreamingBlob::from(s3s::Body::empty()));
        let (given, trailing) = (self.given, self.trailing);
        let sum = move || match (given, trailer) {
            (Some((_, value)), _) => Ok(Some(value)),
            (None, Some((name, _))) => behind(trailing.as_ref(), name).map(Some),
            (None, None) => Ok(None),
        };
        bucket
            .place
            .take(body, self.sealed, algorithm, promised, sum)
            .await
    }
}

/// The check sum that is announced to come behind the content: the name of its header, and its algorithm.
fn trailer(headers: &HeaderMap) -> Option<(&'static str, &'static str)> {
    let named = headers.get("x-amz-trailer")?.to_str().ok()?;
    [
        ("x-amz-checksum-crc32", "CRC32"),
        ("x-amz-checksum-crc32c", "CRC32C"),
        ("x-amz-checksum-crc64nvme", "CRC64NVME"),
        ("x-amz-checksum-sha1", "SHA1"),
        ("x-amz-checksum-sha256", "SHA256"),
    ]
    .into_iter()
    .find(|(name, _)| {
        named
            .split(',')
            .any(|part| part.trim().eq_ignore_ascii_case(name))
    })
}

fn behind(trailing: Option<&TrailingHeaders>, name: &str) -> Result<String, Refusal> {
    let value = trailing.and_then(|trailing| {
        trailing.read(|headers| {
            headers
                .get(name)
                .and_then(|value| value.to_str().ok())
                .map(str::to_owned)
        })
    });
    value.flatten().ok_or_else(|| {
        let words = format!("`{name}` was announced behind the content, and did not come");
        Refusal::said(S3ErrorCode::InvalidRequest, words)
    })
}

fn decode_md5(text: &str) -> Result<[u8; 16], Refusal> {
    let decoded = base64_simd::STANDARD.decode_to_vec(text).ok();
    decoded.and_then(|bytes| bytes.try_into().ok()).ok_or_else(|| {
        Refusal::said(
            S3ErrorCode::InvalidDigest,
            "Content-MD5 is not 16 bytes in base64",
        )
    })
}
