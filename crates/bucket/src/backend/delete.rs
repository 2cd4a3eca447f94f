//! Deleting: one object or one version of it, or a thousand at once.

use crate::bucket::Bucket;
use crate::refusal::Refusal;
use crate::rows::{Conditions, Deleted};
use s3s::dto::*;
use s3s::{S3Error, S3ErrorCode, S3Request};

/// What S3 deletes in one request.
const MOST: usize = 1000;

async fn delete(
    bucket: &Bucket,
    key: &str,
    id: Option<&str>,
    matches: Option<ETagCondition>,
) -> Result<Deleted, Refusal> {
    let conditions = Conditions {
        matches,
        ..Conditions::default()
    };
    let mut rows = bucket.rows.lock().await;
    let deleted = rows
        .delete(key, id, &conditions, bucket.versioning(), bucket.now())
        .await;
    drop(rows);
    let mut deleted = deleted?;
    bucket.remove(std::mem::take(&mut deleted.free)).await;
    Ok(deleted)
}

pub(super) async fn delete_object(
    bucket: &Bucket,
    request: S3Request<DeleteObjectInput>,
) -> Result<DeleteObjectOutput, Refusal> {
    let input = request.input;
    if input.if_match_size.is_some() || input.if_match_last_modified_time.is_some() {
        let words = "an object is deleted by its entity tag (If-Match), not by its size or time";
        return Err(Refusal::said(S3ErrorCode::NotImplemented, words));
    }
    let deleted = delete(bucket, &input.key, input.version_id.as_deref(), input.if_match).await?;
    Ok(DeleteObjectOutput {
        delete_marker: deleted.marker.then_some(true),
        version_id: deleted.id,
        ..DeleteObjectOutput::default()
    })
}

pub(super) async fn delete_objects(
    bucket: &Bucket,
    request: S3Request<DeleteObjectsInput>,
) -> Result<DeleteObjectsOutput, Refusal> {
    let Delete { objects, quiet } = request.input.delete;
    if objects.is_empty() || objects.len() > MOST {
        let words = format!(
            "1 to {MOST} objects are deleted at once, and not {}",
            objects.len()
        );
        return Err(Refusal::said(S3ErrorCode::MalformedXML, words));
    }
    let (mut deleted, mut errors) = (Vec::new(), Vec::new());
    for object in objects {
        let matches = object.e_tag.map(ETagCondition::ETag);
        match delete(bucket, &object.key, object.version_id.as_deref(), matches).await {
            Ok(done) => {
                let named = object.version_id;
                deleted.push(DeletedObject {
                    delete_marker: done.marker.then_some(true),
                    delete_marker_version_id: done.id.filter(|_| done.marker),
                    key: Some(object.key),
                    version_id: named,
                });
            }
            Err(refusal) => {
                let said = S3Error::from(refusal);
                errors.push(Error {
                    code: Some(said.code().as_str().to_owned()),
                    message: said.message().map(str::to_owned),
                    key: Some(object.key),
                    version_id: object.version_id,
                });
            }
        }
    }
    if quiet == Some(true) {
        deleted.clear();
    }
    Ok(DeleteObjectsOutput {
        deleted: Some(deleted),
        errors: Some(errors),
        ..DeleteObjectsOutput::default()
    })
}
