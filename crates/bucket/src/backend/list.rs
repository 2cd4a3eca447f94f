//! Listings of objects and of their versions.

use super::page::{Asked, Entry, Latest, Mark, Page, Within, most, page, shown};
use crate::bucket::{Bucket, moment};
use crate::refusal::Refusal;
use crate::rows::Version;
use s3s::dto::*;
use s3s::{S3ErrorCode, S3Request};

/// Whoever owns everything: there is one key, and whoever has it.
fn owner() -> Owner {
    Owner {
        display_name: Some("owner".to_owned()),
        id: Some("owner".to_owned()),
    }
}

fn is_encoded(encoding: Option<&EncodingType>) -> bool {
    encoding.is_some_and(|encoding| encoding.as_str() == EncodingType::URL)
}

fn after(key: Option<&String>) -> Option<Mark> {
    key.filter(|key| !key.is_empty()).map(|key| Mark {
        key: key.clone(),
        within: None,
    })
}

/// What a page of objects shows, and where the next one begins.
struct Shown {
    objects: Vec<Object>,
    common: Vec<CommonPrefix>,
    truncated: bool,
    last: Option<String>,
}

async fn objects(bucket: &Bucket, asked: &Asked, encoded: bool, owned: bool) -> Result<Shown, Refusal> {
    let page: Page<Latest> = page(&mut *bucket.rows.lock().await, asked).await?;
    let last = page.entries.last().map(|entry| match entry {
        Entry::One(Latest(version)) => version.key.clone(),
        Entry::Common(common) => common.clone(),
    });
    let (mut objects, mut common) = (Vec::new(), Vec::new());
    for entry in page.entries {
        match entry {
            Entry::One(Latest(version)) => objects.push(Object {
                e_tag: Some(ETag::Strong(version.tag)),
                key: Some(shown(&version.key, encoded)),
                last_modified: Some(moment(version.modified)),
                owner: owned.then(owner),
                size: i64::try_from(version.size).ok(),
                storage_class: Some(ObjectStorageClass::from_static(ObjectStorageClass::STANDARD)),
                ..Object::default()
            }),
            Entry::Common(prefix) => common.push(CommonPrefix {
                prefix: Some(shown(&prefix, encoded)),
            }),
        }
    }
    Ok(Shown {
        objects,
        common,
        truncated: page.truncated,
        last: last.filter(|_| page.truncated),
    })
}

pub(super) async fn list_objects(
    bucket: &Bucket,
    request: S3Request<ListObjectsInput>,
) -> Result<ListObjectsOutput, Refusal> {
    let input = request.input;
    let encoded = is_encoded(input.encoding_type.as_ref());
    let asked = Asked {
        prefix: input.prefix.clone().unwrap_or_default(),
        delimiter: input.delimiter.clone(),
        after: after(input.marker.as_ref()),
        most: most(input.max_keys)?,
    };
    let page = objects(bucket, &asked, encoded, true).await?;
    let text = |text: Option<String>| text.map(|text| shown(&text, encoded));
    Ok(ListObjectsOutput {
        name: Some(input.bucket),
        prefix: text(Some(asked.prefix)),
        marker: text(Some(input.marker.unwrap_or_default())),
        max_keys: Some(input.max_keys.unwrap_or(super::page::MOST)),
        is_truncated: Some(page.truncated),
        contents: Some(page.objects),
        common_prefixes: Some(page.common),
        // S3 says it only with a delimiter: without, it is the last key.
        next_marker: text(page.last.filter(|_| asked.delimiter.is_some())),
        delimiter: text(asked.delimiter),
        encoding_type: input.encoding_type,
        ..ListObjectsOutput::default()
    })
}

pub(super) async fn list_objects_v2(
    bucket: &Bucket,
    request: S3Request<ListObjectsV2Input>,
) -> Result<ListObjectsV2Output, Refusal> {
    let input = request.input;
    let encoded = is_encoded(input.encoding_type.as_ref());
    let after = match &input.continuation_token {
        Some(token) => after(Some(&from_token(token)?)),
        None => after(input.start_after.as_ref()),
    };
    let asked = Asked {
        prefix: input.prefix.clone().unwrap_or_default(),
        delimiter: input.delimiter.clone(),
        after,
        most: most(input.max_keys)?,
    };
    let page = objects(bucket, &asked, encoded, input.fetch_owner == Some(true)).await?;
    let text = |text: Option<String>| text.map(|text| shown(&text, encoded));
    Ok(ListObjectsV2Output {
        name: Some(input.bucket),
        prefix: text(Some(asked.prefix)),
        max_keys: Some(input.max_keys.unwrap_or(super::page::MOST)),
        key_count: i32::try_from(page.objects.len() + page.common.len()).ok(),
        continuation_token: input.continuation_token,
        is_truncated: Some(page.truncated),
        next_continuation_token: page.last.as_deref().map(to_token),
        contents: Some(page.objects),
        common_prefixes: Some(page.common),
        delimiter: text(asked.delimiter),
        encoding_type: input.encoding_type,
        start_after: text(input.start_after),
        ..ListObjectsV2Output::default()
    })
}

/// A token that no client takes for a key.
fn to_token(last: &str) -> String {
    base64_simd::URL_SAFE_NO_PAD.encode_to_string(last.as_bytes())
}

fn from_token(token: &str) -> Result<String, Refusal> {
    let bytes = base64_simd::URL_SAFE_NO_PAD.decode_to_vec(token).ok();
    bytes
        .and_then(|bytes| String::from_utf8(bytes).ok())
        .ok_or_else(|| {
            Refusal::said(
                S3ErrorCode::InvalidArgument,
                "the continuation token is not one of ours",
            )
        })
}

pub(super) async fn list_object_versions(
    bucket: &Bucket,
    request: S3Request<ListObjectVersionsInput>,
) -> Result<ListObjectVersionsOutput, Refusal> {
    let input = request.input;
    let encoded = is_encoded(input.encoding_type.as_ref());
    let mut rows = bucket.rows.lock().await;
    let mut mark = after(input.key_marker.as_ref());
    if let (Some(mark), Some(id)) = (
        &mut mark,
        input.version_id_marker.as_deref().filter(|id| !id.is_empty()),
    ) {
        let found = rows.find(&mark.key, Some(id)).await?;
        mark.within = found.map(|(version, _)| Within::Seq(version.seq));
    }
    let asked = Asked {
        prefix: input.prefix.clone().unwrap_or_default(),
        delimiter: input.delimiter.clone(),
        after: mark,
        most: most(input.max_keys)?,
    };
    let page: Page<Version> = page(&mut rows, &asked).await?;
    drop(rows);
    let text = |text: Option<String>| text.map(|text| shown(&text, encoded));
    let mut output = ListObjectVersionsOutput {
        delimiter: text(asked.delimiter),
        encoding_type: input.encoding_type,
        is_truncated: Some(page.truncated),
        key_marker: text(input.key_marker),
        max_keys: Some(input.max_keys.unwrap_or(super::page::MOST)),
        name: Some(input.bucket),
        prefix: text(Some(asked.prefix)),
        version_id_marker: input.version_id_marker,
        ..ListObjectVersionsOutput::default()
    };
    if page.truncated {
        let (key, id) = match page.entries.last() {
            Some(Entry::One(version)) => (Some(version.key.clone()), Some(version.id.clone())),
            Some(Entry::Common(common)) => (Some(common.clone()), None),
            None => (None, None),
        };
        output.next_key_marker = text(key);
        output.next_version_id_marker = id;
    }
    show_versions(&mut output, page, encoded);
    Ok(output)
}

fn show_versions(output: &mut ListObjectVersionsOutput, page: Page<Version>, encoded: bool) {
    let (mut versions, mut markers, mut common) = (Vec::new(), Vec::new(), Vec::new());
    for entry in page.entries {
        match entry {
            Entry::One(version) if version.marker => markers.push(DeleteMarkerEntry {
                is_latest: Some(version.latest),
                key: Some(shown(&version.key, encoded)),
                last_modified: Some(moment(version.modified)),
                owner: Some(owner()),
                version_id: Some(version.id),
            }),
            Entry::One(version) => versions.push(ObjectVersion {
                e_tag: Some(ETag::Strong(version.tag)),
                is_latest: Some(version.latest),
                key: Some(shown(&version.key, encoded)),
                last_modified: Some(moment(version.modified)),
                owner: Some(owner()),
                size: i64::try_from(version.size).ok(),
                storage_class: Some(ObjectVersionStorageClass::from_static(
                    ObjectVersionStorageClass::STANDARD,
                )),
                version_id: Some(version.id),
                ..ObjectVersion::default()
            }),
            Entry::Common(prefix) => common.push(CommonPrefix {
                prefix: Some(shown(&prefix, encoded)),
            }),
        }
    }
    output.versions = Some(versions);
    output.delete_markers = Some(markers);
    output.common_prefixes = Some(common);
}
