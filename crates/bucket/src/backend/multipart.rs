//! Uploads in parts. The object is made of the files of its parts, as they came: completing writes rows and no content.

use super::nature::nature_of;
use super::page::{Asked, Entry, Mark, Page, Within, most, page, shown};
use super::put::{Coming, encryption};
use crate::bucket::{Bucket, moment};
use crate::content::{Piece, new_name};
use crate::digest::{Sum, algorithm, given_sum, hex, known, sum_of_parts, tag_of_parts, tell_sum};
use crate::refusal::Refusal;
use crate::rows::{Conditions, Intent, New, Part, Upload, body_of};
use s3s::dto::*;
use s3s::{S3ErrorCode, S3Request};
use std::collections::HashMap;

/// The limits of S3: how many parts, how small all but the last may be, and how large all of them together.
const MOST_PARTS: i32 = 10_000;
const LEAST_PART: u64 = 5 << 20;
const MOST_OBJECT: u64 = 5 << 40;

pub(super) async fn create_multipart_upload(
    bucket: &Bucket,
    request: S3Request<CreateMultipartUploadInput>,
) -> Result<CreateMultipartUploadOutput, Refusal> {
    let input = request.input;
    let nature = nature_of!(input)?;
    let sealed = bucket.sealing(
        input.server_side_encryption.as_ref(),
        input.sse_customer_algorithm.is_some(),
    )?;
    let algorithm = algorithm(&input.checksum_algorithm);
    let is = |kind: &str| {
        input
            .checksum_type
            .as_ref()
            .is_some_and(|asked| asked.as_str() == kind)
    };
    let whole =
        is(ChecksumType::FULL_OBJECT) || (algorithm == Some("CRC64NVME") && input.checksum_type.is_none());
    if whole && matches!(algorithm, Some("SHA1" | "SHA256"))
        || is(ChecksumType::COMPOSITE) && algorithm == Some("CRC64NVME")
    {
        let words = "this check sum cannot be of that type";
        return Err(Refusal::said(S3ErrorCode::InvalidRequest, words));
    }
    let upload = Upload {
        id: new_name(),
        key: input.key,
        started: bucket.now(),
        intent: Intent {
            nature,
            algorithm: algorithm.map(str::to_owned),
            whole,
            sealed,
        },
    };
    bucket.rows.lock().await.begin_upload(&upload).await?;
    Ok(CreateMultipartUploadOutput {
        bucket: Some(input.bucket),
        checksum_algorithm: input.checksum_algorithm,
        checksum_type: algorithm.map(|_| type_of(whole)),
        key: Some(upload.key),
        server_side_encryption: encryption(sealed),
        upload_id: Some(upload.id),
        ..CreateMultipartUploadOutput::default()
    })
}

fn type_of(whole: bool) -> ChecksumType {
    let kind = if whole {
        ChecksumType::FULL_OBJECT
    } else {
        ChecksumType::COMPOSITE
    };
    ChecksumType::from_static(kind)
}

pub(super) fn check_number(number: i32) -> Result<(), Refusal> {
    if (1..=MOST_PARTS).contains(&number) {
        return Ok(());
    }
    let words = format!("the number of a part is 1 to {MOST_PARTS}, and not {number}");
    Err(Refusal::said(S3ErrorCode::InvalidArgument, words))
}

pub(super) async fn upload_part(
    bucket: &Bucket,
    request: S3Request<UploadPartInput>,
) -> Result<UploadPartOutput, Refusal> {
    let mut input = request.input;
    check_number(input.part_number)?;
    super::get::refuse_own_key(input.sse_customer_algorithm.is_some())?;
    let upload = bucket
        .rows
        .lock()
        .await
        .upload(&input.upload_id, &input.key)
        .await?;
    let wanted = upload.intent.algorithm.as_deref().and_then(known);
    let coming = Coming {
        body: input.body.take(),
        length: input.content_length,
        md5: input.content_md5.take(),
        given: given_sum!(input),
        algorithm: wanted,
        only: wanted,
        trailing: request.trailing_headers,
        sealed: upload.intent.sealed,
    };
    let kept = coming.take(bucket, &request.headers).await?;
    let part = Part {
        number: input.part_number,
        size: kept.piece.length,
        tag: hex(&kept.tag),
        modified: bucket.now(),
        piece: kept.piece,
        sum: Some(kept.sum),
    };
    add(bucket, &upload, &part).await?;
    let mut output = UploadPartOutput {
        e_tag: Some(ETag::Strong(part.tag)),
        server_side_encryption: encryption(upload.intent.sealed),
        ..UploadPartOutput::default()
    };
    tell_sum!(output, &part.sum);
    Ok(output)
}

/// Adds a part whose content is here, and removes the content again where that is refused.
pub(super) async fn add(bucket: &Bucket, upload: &Upload, part: &Part) -> Result<(), Refusal> {
    let added = bucket
        .rows
        .lock()
        .await
        .add_part(&upload.id, &upload.key, part)
        .await;
    match added {
        Ok(free) => {
            bucket.remove(free).await;
            Ok(())
        }
        Err(refusal) => {
            bucket.remove(vec![part.piece.clone()]).await;
            Err(refusal)
        }
    }
}

pub(super) async fn complete_multipart_upload(
    bucket: &Bucket,
    request: S3Request<CompleteMultipartUploadInput>,
) -> Result<CompleteMultipartUploadOutput, Refusal> {
    let input = request.input;
    let named = input
        .multipart_upload
        .as_ref()
        .and_then(|upload| upload.parts.clone())
        .unwrap_or_default();
    let conditions = Conditions {
        matches: input.if_match.clone(),
        matches_not: input.if_none_match.clone(),
        seq: None,
    };
    let mut rows = bucket.rows.lock().await;
    let upload = rows.upload(&input.upload_id, &input.key).await?;
    let there = rows.parts(&upload.id, 0, i64::from(MOST_PARTS)).await?;
    let (parts, unused) = choose(there, &named)?;
    let size: u64 = parts.iter().map(|part| part.size).sum();
    if size > MOST_OBJECT {
        return Err(Refusal::TooLarge);
    }
    if input
        .mpu_object_size
        .is_some_and(|said| u64::try_from(said) != Ok(size))
    {
        let words = format!("the parts have {size} bytes together, which is not what was said");
        return Err(Refusal::said(S3ErrorCode::InvalidRequest, words));
    }
    let tags: Vec<String> = parts.iter().map(|part| part.tag.clone()).collect();
    let sum = sum_of(&upload.intent, &parts);
    check_sum(given_sum!(input), sum.as_ref())?;
    let new = New {
        key: upload.key.clone(),
        size,
        tag: tag_of_parts(&tags),
        body: body_of(&upload.intent, &parts, sum.clone()),
    };
    let done = rows
        .complete(
            &upload.id,
            &new,
            &unused,
            &conditions,
            bucket.versioning(),
            bucket.now(),
        )
        .await;
    drop(rows);
    let done = done?;
    bucket.remove(done.free).await;
    let mut output = CompleteMultipartUploadOutput {
        checksum_type: sum.as_ref().map(super::get::kind),
        e_tag: Some(ETag::Strong(new.tag)),
        location: Some(format!("/{}/{}", input.bucket, shown(&new.key, true))),
        bucket: Some(input.bucket),
        key: Some(new.key),
        server_side_encryption: encryption(upload.intent.sealed),
        version_id: bucket.shown(&done.id),
        ..CompleteMultipartUploadOutput::default()
    };
    tell_sum!(output, &sum);
    Ok(output)
}

fn sum_of(intent: &Intent, parts: &[Part]) -> Option<Sum> {
    let sums: Vec<(Option<Sum>, u64)> = parts.iter().map(|part| (part.sum.clone(), part.size)).collect();
    match intent.algorithm.as_deref() {
        Some(algorithm) => sum_of_parts(algorithm, intent.whole, &sums),
        // Nobody asked for one: the whole has the one that every part was given, where all have the same.
        None => sum_of_parts("CRC64NVME", true, &sums),
    }
}

fn check_sum(given: Option<(String, String)>, sum: Option<&Sum>) -> Result<(), Refusal> {
    match (given, sum) {
        (Some((algorithm, value)), Some(sum)) if sum.algorithm == algorithm => {
            // Some clients leave out how many parts a sum of sums is of.
            let bare = sum
                .value
                .split_once('-')
                .map_or(sum.value.as_str(), |(bare, _)| bare);
            if value == sum.value || value == bare {
                return Ok(());
            }
            Err(Refusal::BadDigest("the check sum is that of other content"))
        }
        _ => Ok(()),
    }
}

/// The parts that are named, in their order, and the content of those that are not.
fn choose(there: Vec<Part>, named: &[CompletedPart]) -> Result<(Vec<Part>, Vec<Piece>), Refusal> {
    if named.is_empty() {
        return Err(Refusal::said(S3ErrorCode::MalformedXML, "no part is named"));
    }
    let mut there: HashMap<i32, Part> = there.into_iter().map(|part| (part.number, part)).collect();
    let mut parts: Vec<Part> = Vec::new();
    for name in named {
        let number = name.part_number.unwrap_or(0);
        if parts.last().is_some_and(|last| last.number >= number) {
            return Err(Refusal::said(
                S3ErrorCode::InvalidPartOrder,
                "parts are named in their order",
            ));
        }
        let matching = there.remove(&number).filter(|part| {
            let tag = name.e_tag.as_ref().is_none_or(|tag| tag.value() == part.tag);
            let sum = given_sum!(name).is_none_or(|(algorithm, value)| {
                part.sum
                    .as_ref()
                    .is_some_and(|sum| sum.algorithm == algorithm && sum.value == value)
            });
            tag && sum
        });
        let part = matching.ok_or_else(|| {
            let words = format!("part {number} was not uploaded, or it is another one than is named");
            Refusal::said(S3ErrorCode::InvalidPart, words)
        })?;
        parts.push(part);
    }
    let before_last = &parts[..parts.len() - 1];
    if let Some(small) = before_last.iter().find(|part| part.size < LEAST_PART) {
        let words = format!(
            "part {} has {} bytes: all but the last have {LEAST_PART}",
            small.number, small.size
        );
        return Err(Refusal::said(S3ErrorCode::EntityTooSmall, words));
    }
    Ok((parts, there.into_values().map(|part| part.piece).collect()))
}

pub(super) async fn abort_multipart_upload(
    bucket: &Bucket,
    request: S3Request<AbortMultipartUploadInput>,
) -> Result<AbortMultipartUploadOutput, Refusal> {
    let input = request.input;
    let free = bucket.rows.lock().await.abort(&input.upload_id, &input.key).await;
    bucket.remove(free?).await;
    Ok(AbortMultipartUploadOutput::default())
}

fn owner() -> Owner {
    Owner {
        display_name: Some("owner".to_owned()),
        id: Some("owner".to_owned()),
    }
}

fn initiator() -> Initiator {
    Initiator {
        display_name: Some("owner".to_owned()),
        id: Some("owner".to_owned()),
    }
}

pub(super) async fn list_parts(
    bucket: &Bucket,
    request: S3Request<ListPartsInput>,
) -> Result<ListPartsOutput, Refusal> {
    let input = request.input;
    let count = most(input.max_parts)?;
    let mut rows = bucket.rows.lock().await;
    let upload = rows.upload(&input.upload_id, &input.key).await?;
    let after = input.part_number_marker.unwrap_or(0);
    let mut parts = rows
        .parts(&upload.id, after, i64::try_from(count + 1).unwrap_or(1001))
        .await?;
    drop(rows);
    let truncated = parts.len() > count;
    parts.truncate(count);
    let known = upload.intent.algorithm.clone();
    let shown = parts.iter().map(|part| {
        let mut shown = s3s::dto::Part {
            e_tag: Some(ETag::Strong(part.tag.clone())),
            last_modified: Some(moment(part.modified)),
            part_number: Some(part.number),
            size: i64::try_from(part.size).ok(),
            ..s3s::dto::Part::default()
        };
        if known.is_some() {
            tell_sum!(shown, &part.sum);
        }
        shown
    });
    Ok(ListPartsOutput {
        bucket: Some(input.bucket),
        checksum_algorithm: known.clone().map(ChecksumAlgorithm::from),
        checksum_type: known.as_ref().map(|_| type_of(upload.intent.whole)),
        initiator: Some(initiator()),
        is_truncated: Some(truncated),
        key: Some(input.key),
        max_parts: i32::try_from(count).ok(),
        next_part_number_marker: parts.last().map(|part| part.number).filter(|_| truncated),
        owner: Some(owner()),
        part_number_marker: Some(after),
        parts: Some(shown.collect()),
        storage_class: Some(StorageClass::from_static(StorageClass::STANDARD)),
        upload_id: Some(input.upload_id),
        ..ListPartsOutput::default()
    })
}

pub(super) async fn list_multipart_uploads(
    bucket: &Bucket,
    request: S3Request<ListMultipartUploadsInput>,
) -> Result<ListMultipartUploadsOutput, Refusal> {
    let input = request.input;
    let encoded = input
        .encoding_type
        .as_ref()
        .is_some_and(|encoding| encoding.as_str() == EncodingType::URL);
    let mark = input
        .key_marker
        .clone()
        .filter(|key| !key.is_empty())
        .map(|key| Mark {
            key,
            within: input
                .upload_id_marker
                .clone()
                .filter(|id| !id.is_empty())
                .map(Within::Name),
        });
    let asked = Asked {
        prefix: input.prefix.clone().unwrap_or_default(),
        delimiter: input.delimiter.clone(),
        after: mark,
        most: most(input.max_uploads)?,
    };
    let page: Page<Upload> = page(&mut *bucket.rows.lock().await, &asked).await?;
    let (next_key, next_id) = match page.entries.last().filter(|_| page.truncated) {
        Some(Entry::One(upload)) => (Some(upload.key.clone()), Some(upload.id.clone())),
        Some(Entry::Common(common)) => (Some(common.clone()), None),
        None => (None, None),
    };
    let text = |text: Option<String>| text.map(|text| shown(&text, encoded));
    let (mut uploads, mut common) = (Vec::new(), Vec::new());
    for entry in page.entries {
        match entry {
            Entry::One(upload) => uploads.push(show(upload, encoded)),
            Entry::Common(prefix) => common.push(CommonPrefix {
                prefix: Some(shown(&prefix, encoded)),
            }),
        }
    }
    Ok(ListMultipartUploadsOutput {
        bucket: Some(input.bucket),
        common_prefixes: Some(common),
        delimiter: text(asked.delimiter),
        encoding_type: input.encoding_type,
        is_truncated: Some(page.truncated),
        key_marker: text(input.key_marker),
        max_uploads: i32::try_from(asked.most).ok(),
        next_key_marker: text(next_key),
        next_upload_id_marker: next_id,
        prefix: text(Some(asked.prefix)),
        upload_id_marker: input.upload_id_marker,
        uploads: Some(uploads),
        ..ListMultipartUploadsOutput::default()
    })
}

fn show(upload: Upload, encoded: bool) -> MultipartUpload {
    MultipartUpload {
        checksum_type: upload
            .intent
            .algorithm
            .as_ref()
            .map(|_| type_of(upload.intent.whole)),
        checksum_algorithm: upload.intent.algorithm.map(ChecksumAlgorithm::from),
        initiated: Some(moment(upload.started)),
        initiator: Some(initiator()),
        key: Some(shown(&upload.key, encoded)),
        owner: Some(owner()),
        storage_class: Some(StorageClass::from_static(StorageClass::STANDARD)),
        upload_id: Some(upload.id),
    }
}
