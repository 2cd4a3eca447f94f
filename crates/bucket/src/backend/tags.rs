//! The tags of an object.

use super::get::find;
use super::nature::tags_of;
use crate::bucket::Bucket;
use crate::refusal::Refusal;
use s3s::S3Request;
use s3s::dto::*;

pub(super) async fn get_object_tagging(
    bucket: &Bucket,
    request: S3Request<GetObjectTaggingInput>,
) -> Result<GetObjectTaggingOutput, Refusal> {
    let input = request.input;
    let found = find(
        &mut *bucket.rows.lock().await,
        &input.key,
        input.version_id.as_deref(),
    )
    .await;
    let (version, body) = found?;
    let tag = |(key, value)| Tag {
        key: Some(key),
        value: Some(value),
    };
    Ok(GetObjectTaggingOutput {
        tag_set: body.nature.tags.into_iter().map(tag).collect(),
        version_id: bucket.shown(&version.id),
    })
}

async fn set(
    bucket: &Bucket,
    key: &str,
    id: Option<&str>,
    tags: Vec<(String, String)>,
) -> Result<Option<String>, Refusal> {
    let mut rows = bucket.rows.lock().await;
    let (version, mut body) = find(&mut rows, key, id).await?;
    body.nature.tags = tags;
    rows.rewrite(version.seq, &body).await?;
    Ok(bucket.shown(&version.id))
}

pub(super) async fn put_object_tagging(
    bucket: &Bucket,
    request: S3Request<PutObjectTaggingInput>,
) -> Result<PutObjectTaggingOutput, Refusal> {
    let input = request.input;
    let tags = tags_of(&input.tagging.tag_set)?;
    let version_id = set(bucket, &input.key, input.version_id.as_deref(), tags).await?;
    Ok(PutObjectTaggingOutput { version_id })
}

pub(super) async fn delete_object_tagging(
    bucket: &Bucket,
    request: S3Request<DeleteObjectTaggingInput>,
) -> Result<DeleteObjectTaggingOutput, Refusal> {
    let input = request.input;
    let version_id = set(bucket, &input.key, input.version_id.as_deref(), Vec::new()).await?;
    Ok(DeleteObjectTaggingOutput { version_id })
}
