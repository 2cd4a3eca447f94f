//! Copying: an object costs a row where its content stays as it is, and is written anew where it does not.

use super::get::{Wish, Wishes, find, refuse_own_key};
use super::nature::{checked_tags_of_header, nature_of};
use super::put::{MOST_AT_ONCE, encryption, pieces};
use crate::bucket::{Bucket, moment};
use crate::content::{Kept, Promised};
use crate::digest::{algorithm, hex, known, tell_sum};
use crate::refusal::Refusal;
use crate::rows::{Body, Conditions, Database, Nature, New, Part, Version, failed};
use s3s::dto::*;
use s3s::{S3ErrorCode, S3Request};

/// What is copied.
struct From {
    key: String,
    id: Option<String>,
    wishes: Wishes,
}

fn from(bucket: &Bucket, source: &CopySource, wishes: Wishes) -> Result<From, Refusal> {
    let CopySource::Bucket {
        bucket: name,
        key,
        version_id,
    } = source
    else {
        return Err(Refusal::said(
            S3ErrorCode::NotImplemented,
            "there are no access points here",
        ));
    };
    bucket.check_name(name)?;
    Ok(From {
        key: key.to_string(),
        id: version_id.as_ref().map(ToString::to_string),
        wishes,
    })
}

impl From {
    async fn find(&self, rows: &mut Database) -> Result<(Version, Body), Refusal> {
        let (version, body) = find(rows, &self.key, self.id.as_deref()).await?;
        match self.wishes.of(&version) {
            Wish::Granted => Ok((version, body)),
            Wish::NotModified => Err(failed("x-amz-copy-source-if-none-match or -if-modified-since")),
            Wish::Failed(_) => Err(failed("x-amz-copy-source-if-match or -if-unmodified-since")),
        }
    }
}

pub(super) async fn copy_object(
    bucket: &Bucket,
    request: S3Request<CopyObjectInput>,
) -> Result<CopyObjectOutput, Refusal> {
    let input = request.input;
    refuse_own_key(input.copy_source_sse_customer_algorithm.is_some())?;
    let asked = input.server_side_encryption.as_ref();
    let sealed = bucket.sealing(asked, input.sse_customer_algorithm.is_some())?;
    let replaces = input
        .metadata_directive
        .as_ref()
        .is_some_and(|word| word.as_str() == MetadataDirective::REPLACE);
    let replaces_tags = input
        .tagging_directive
        .as_ref()
        .is_some_and(|word| word.as_str() == TaggingDirective::REPLACE);
    let wishes = Wishes {
        matches: input.copy_source_if_match.clone(),
        matches_not: input.copy_source_if_none_match.clone(),
        modified_since: input.copy_source_if_modified_since.clone(),
        unmodified_since: input.copy_source_if_unmodified_since.clone(),
    };
    let from = from(bucket, &input.copy_source, wishes)?;
    let algorithm = algorithm(&input.checksum_algorithm);
    if from.key == input.key
        && from.id.is_none()
        && !replaces
        && !replaces_tags
        && asked.is_none()
        && algorithm.is_none()
    {
        let words = "an object is copied onto itself only to change what is said about it";
        return Err(Refusal::said(S3ErrorCode::InvalidRequest, words));
    }
    let stated = nature_of!(input)?;
    let tags = checked_tags_of_header(input.tagging.as_deref())?;
    let shape = move |before: &Nature| {
        let mut nature = if replaces { stated.clone() } else { before.clone() };
        nature.tags = if replaces_tags {
            tags.clone()
        } else {
            before.tags.clone()
        };
        nature
    };
    let (version, new, id) = place(bucket, &from, &input.key, algorithm, sealed, shape).await?;
    let mut result = CopyObjectResult {
        e_tag: Some(ETag::Strong(new.tag.clone())),
        last_modified: Some(moment(bucket.now())),
        checksum_type: new.body.sum.as_ref().map(super::get::kind),
        ..CopyObjectResult::default()
    };
    tell_sum!(result, &new.body.sum);
    Ok(CopyObjectOutput {
        copy_object_result: Some(result),
        copy_source_version_id: bucket.shown(&version.id),
        server_side_encryption: encryption(new.body.is_sealed()),
        version_id: bucket.shown(&id),
        ..CopyObjectOutput::default()
    })
}

/// Makes the copy: of the same content where it can stay as it is, and otherwise of content that is written anew.
async fn place(
    bucket: &Bucket,
    from: &From,
    key: &str,
    algorithm: Option<&'static str>,
    sealed: bool,
    shape: impl Fn(&Nature) -> Nature,
) -> Result<(Version, New, String), Refusal> {
    let mut rows = bucket.rows.lock().await;
    let (version, body) = from.find(&mut rows).await?;
    let same_sum =
        algorithm.is_none_or(|wanted| body.sum.as_ref().is_some_and(|sum| sum.algorithm == wanted));
    let mut new = New {
        key: key.to_owned(),
        size: version.size,
        tag: version.tag.clone(),
        body: Body {
            nature: shape(&body.nature),
            ..body.clone()
        },
    };
    if same_sum && (body.is_sealed() == sealed || version.size == 0) {
        // Found and named again without letting go of the rows: in between, what was found could be removed.
        let put = rows
            .put(&new, &Conditions::default(), bucket.versioning(), bucket.now())
            .await;
        drop(rows);
        let put = put?;
        bucket.remove(put.free).await;
        return Ok((version, new, put.id));
    }
    let lease = bucket.readers.lease(&body.pieces);
    drop(rows);
    let content = bucket.place.give(&body.pieces, 0, version.size, lease);
    let kept = again(
        bucket,
        content,
        sealed,
        algorithm.or(body.sum.as_ref().and_then(|sum| known(&sum.algorithm))),
    )
    .await?;
    new.tag = hex(&kept.tag);
    new.body.pieces = pieces(&kept);
    new.body.parts = Vec::new();
    new.body.sum = Some(kept.sum.clone());
    let id = bucket.put(&new, &Conditions::default(), &kept).await?;
    Ok((version, new, id))
}

async fn again(
    bucket: &Bucket,
    content: StreamingBlob,
    sealed: bool,
    algorithm: Option<&'static str>,
) -> Result<Kept, Refusal> {
    let promised = Promised {
        most: u64::MAX,
        ..Promised::default()
    };
    bucket
        .place
        .take(content, sealed, algorithm, promised, || Ok(None))
        .await
}

pub(super) async fn upload_part_copy(
    bucket: &Bucket,
    request: S3Request<UploadPartCopyInput>,
) -> Result<UploadPartCopyOutput, Refusal> {
    let input = request.input;
    refuse_own_key(
        input.sse_customer_algorithm.is_some() || input.copy_source_sse_customer_algorithm.is_some(),
    )?;
    super::multipart::check_number(input.part_number)?;
    let wishes = Wishes {
        matches: input.copy_source_if_match,
        matches_not: input.copy_source_if_none_match,
        modified_since: input.copy_source_if_modified_since,
        unmodified_since: input.copy_source_if_unmodified_since,
    };
    let from = from(bucket, &input.copy_source, wishes)?;
    let mut rows = bucket.rows.lock().await;
    let upload = rows.upload(&input.upload_id, &input.key).await?;
    let (version, body) = from.find(&mut rows).await?;
    let span = match input.copy_source_range.as_deref() {
        None => 0..version.size,
        Some(text) => range(text, version.size)?,
    };
    if span.end - span.start > MOST_AT_ONCE {
        return Err(Refusal::TooLarge);
    }
    let lease = bucket.readers.lease(&body.pieces);
    drop(rows);
    let content = bucket.place.give(&body.pieces, span.start, span.end, lease);
    let wanted = upload.intent.algorithm.as_deref().and_then(known);
    let kept = again(bucket, content, upload.intent.sealed, wanted).await?;
    let part = Part {
        number: input.part_number,
        size: kept.piece.length,
        tag: hex(&kept.tag),
        modified: bucket.now(),
        piece: kept.piece,
        sum: Some(kept.sum),
    };
    super::multipart::add(bucket, &upload, &part).await?;
    let mut result = CopyPartResult {
        e_tag: Some(ETag::Strong(part.tag)),
        last_modified: Some(moment(part.modified)),
        ..CopyPartResult::default()
    };
    if wanted.is_some() {
        tell_sum!(result, &part.sum);
    }
    Ok(UploadPartCopyOutput {
        copy_part_result: Some(result),
        copy_source_version_id: bucket.shown(&version.id),
        server_side_encryption: encryption(upload.intent.sealed),
        ..UploadPartCopyOutput::default()
    })
}

/// The range of a copied part, which has to lie within what is there.
fn range(text: &str, size: u64) -> Result<std::ops::Range<u64>, Refusal> {
    let refused = || {
        let words = format!("`{text}` is no range of an object of {size} bytes: bytes=FIRST-LAST is");
        Refusal::said(S3ErrorCode::InvalidArgument, words)
    };
    match Range::parse(text) {
        Ok(Range::Int {
            first,
            last: Some(last),
        }) if last < size => Ok(first..last + 1),
        _ => Err(refused()),
    }
}
