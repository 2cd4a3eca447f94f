//! Reading an object: all of it, a range of it, one of its parts, or only what it is.

use super::nature::tell_nature;
use super::put::encryption;
use crate::bucket::{Bucket, moment};
use crate::content::{Lease, Piece};
use crate::digest::{Sum, tell_sum};
use crate::refusal::{Refusal, with_headers};
use crate::rows::{Body, Version, failed, is};
use http::header::{self, HeaderMap, HeaderValue};
use s3s::dto::*;
use s3s::{S3Error, S3ErrorCode, S3Request};
use std::ops::Range as Span;

/// What a reader asks to be true.
#[derive(Debug, Default)]
pub(super) struct Wishes {
    pub(super) matches: Option<ETagCondition>,
    pub(super) matches_not: Option<ETagCondition>,
    pub(super) modified_since: Option<Timestamp>,
    pub(super) unmodified_since: Option<Timestamp>,
}

/// What came of asking.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Wish {
    Granted,
    /// What the reader has is what there is.
    NotModified,
    Failed(&'static str),
}

impl Wishes {
    /// Decides in the order of RFC 9110: an entity tag is asked before a time, and instead of it.
    pub(super) fn of(&self, version: &Version) -> Wish {
        // What stands in a header knows no milliseconds.
        let modified = moment(version.modified / 1000 * 1000);
        match (&self.matches, &self.unmodified_since) {
            (Some(wanted), _) if !is(wanted, &version.tag) => return Wish::Failed("If-Match"),
            (None, Some(since)) if modified > *since => return Wish::Failed("If-Unmodified-Since"),
            _ => {}
        }
        match (&self.matches_not, &self.modified_since) {
            (Some(unwanted), _) if is(unwanted, &version.tag) => Wish::NotModified,
            (None, Some(since)) if modified <= *since => Wish::NotModified,
            _ => Wish::Granted,
        }
    }
}

/// What is read, and in which stretch of it.
struct Asked<'a> {
    key: &'a str,
    version: Option<&'a str>,
    range: Option<Range>,
    part: Option<i32>,
    wishes: Wishes,
}

/// What was found.
struct Found {
    version: Version,
    body: Body,
    span: Span<u64>,
    /// Only a stretch was asked for.
    partial: bool,
    lease: Lease,
}

impl Found {
    /// The check sum of what is given: of all, or of the part that was asked for.
    fn sum(&self, mode: Option<&ChecksumMode>, part: Option<i32>) -> Option<&Sum> {
        mode.filter(|mode| mode.as_str() == ChecksumMode::ENABLED)?;
        match part {
            Some(number) if !self.body.parts.is_empty() => {
                let at = usize::try_from(number).ok()?.checked_sub(1)?;
                self.body.parts.get(at)?.1.as_ref()
            }
            _ if self.partial && part.is_none() => None,
            _ => self.body.sum.as_ref(),
        }
    }
}

/// Finds an object, or says how it is missing.
pub(super) async fn find(
    rows: &mut crate::rows::Database,
    key: &str,
    id: Option<&str>,
) -> Result<(Version, Body), Refusal> {
    match rows.find(key, id).await? {
        Some((version, _)) if version.marker => {
            let mut headers = HeaderMap::new();
            headers.insert("x-amz-delete-marker", HeaderValue::from_static("true"));
            if let Ok(id) = HeaderValue::try_from(version.id) {
                headers.insert("x-amz-version-id", id);
            }
            let code = if id.is_some() {
                S3ErrorCode::MethodNotAllowed
            } else {
                S3ErrorCode::NoSuchKey
            };
            Err(with_headers(code, headers))
        }
        Some(found) => Ok(found),
        None if id.is_some() => Err(Refusal::said(
            S3ErrorCode::NoSuchVersion,
            "there is no such version",
        )),
        None => Err(Refusal::said(S3ErrorCode::NoSuchKey, "there is no such key")),
    }
}

async fn look_up(bucket: &Bucket, asked: Asked<'_>) -> Result<Found, Refusal> {
    let mut rows = bucket.rows.lock().await;
    let (version, body) = find(&mut rows, asked.key, asked.version).await?;
    match asked.wishes.of(&version) {
        Wish::Granted => {}
        Wish::Failed(which) => return Err(failed(which)),
        Wish::NotModified => return Err(not_modified(&version)),
    }
    let (span, partial) = span(&asked, &version, &body)?;
    // Before the rows are let go: nobody removes what has just been found.
    let lease = bucket.readers.lease(&touched(&body.pieces, &span));
    Ok(Found {
        version,
        body,
        span,
        partial,
        lease,
    })
}

fn touched(pieces: &[Piece], span: &Span<u64>) -> Vec<Piece> {
    let mut begin = 0;
    let inside = pieces.iter().filter(|piece| {
        let end = begin + piece.length;
        let inside = begin < span.end && span.start < end;
        begin = end;
        inside
    });
    inside.cloned().collect()
}

fn not_modified(version: &Version) -> Refusal {
    let mut headers = HeaderMap::new();
    if let Ok(tag) = ETag::Strong(version.tag.clone()).to_http_header() {
        headers.insert(header::ETAG, tag);
    }
    let date = super::nature::http_date(Some(&moment(version.modified)));
    if let Some(date) = date.and_then(|date| HeaderValue::try_from(date).ok()) {
        headers.insert(header::LAST_MODIFIED, date);
    }
    with_headers(S3ErrorCode::NotModified, headers)
}

/// The stretch that is asked for, and whether one was.
fn span(asked: &Asked<'_>, version: &Version, body: &Body) -> Result<(Span<u64>, bool), Refusal> {
    let out_of_range = || {
        let mut headers = HeaderMap::new();
        if let Ok(value) = HeaderValue::try_from(format!("bytes */{}", version.size)) {
            headers.insert(header::CONTENT_RANGE, value);
        }
        with_headers(S3ErrorCode::InvalidRange, headers)
    };
    match (asked.range, asked.part) {
        (Some(_), Some(_)) => {
            let words = "a range and a part cannot be asked for at once";
            Err(Refusal::said(S3ErrorCode::InvalidRequest, words))
        }
        (Some(range), None) => Ok((range.check(version.size).map_err(|_| out_of_range())?, true)),
        (None, Some(number)) => {
            let at = usize::try_from(number)
                .ok()
                .and_then(|number| number.checked_sub(1));
            if body.parts.is_empty() && at == Some(0) {
                return Ok((0..version.size, version.size > 0));
            }
            let at = at.filter(|at| *at < body.parts.len());
            let at = at.ok_or_else(no_part)?;
            let begin: u64 = body.parts[..at].iter().map(|(length, _)| length).sum();
            Ok((begin..begin + body.parts[at].0, true))
        }
        (None, None) => Ok((0..version.size, false)),
    }
}

fn no_part() -> Refusal {
    let code = S3ErrorCode::Custom("InvalidPartNumber".into());
    let mut said = S3Error::with_message(code, "there is no such part");
    said.set_status_code(http::StatusCode::RANGE_NOT_SATISFIABLE);
    Refusal::Said(said)
}

/// Fills in what a reader hears about an object, with its content or without.
macro_rules! tell_object {
    ($output:expr, $bucket:expr, $found:expr, $mode:expr, $part:expr) => {
        tell_nature!($output, $found.body.nature);
        tell_sum!($output, $found.sum($mode, $part));
        let sum = $found.sum($mode, $part);
        $output.checksum_type = sum.map(|sum| kind(sum));
        $output.accept_ranges = Some("bytes".to_owned());
        $output.content_length = i64::try_from($found.span.end - $found.span.start).ok();
        $output.content_range = $found.partial.then(|| {
            let (first, last) = ($found.span.start, $found.span.end.saturating_sub(1));
            format!("bytes {first}-{last}/{}", $found.version.size)
        });
        $output.e_tag = Some(ETag::Strong($found.version.tag.clone()));
        $output.last_modified = Some(moment($found.version.modified));
        $output.parts_count = $part
            .and_then(|_| i32::try_from($found.body.parts.len()).ok())
            .filter(|count| *count > 0);
        $output.server_side_encryption = encryption($found.body.is_sealed());
        $output.version_id = $bucket.shown(&$found.version.id);
    };
}

/// Over what a check sum is.
pub(super) fn kind(sum: &Sum) -> ChecksumType {
    let kind = if sum.whole {
        ChecksumType::FULL_OBJECT
    } else {
        ChecksumType::COMPOSITE
    };
    ChecksumType::from_static(kind)
}

pub(super) async fn get_object(
    bucket: &Bucket,
    request: S3Request<GetObjectInput>,
) -> Result<GetObjectOutput, Refusal> {
    let signed = request.credentials.is_some();
    let input = request.input;
    refuse_own_key(input.sse_customer_algorithm.is_some())?;
    if !signed && changes_headers(&input) {
        let words = "only a signed request may change the headers of the answer";
        return Err(Refusal::said(S3ErrorCode::InvalidRequest, words));
    }
    let found = look_up(
        bucket,
        Asked {
            key: &input.key,
            version: input.version_id.as_deref(),
            range: input.range,
            part: input.part_number,
            wishes: Wishes {
                matches: input.if_match,
                matches_not: input.if_none_match,
                modified_since: input.if_modified_since,
                unmodified_since: input.if_unmodified_since,
            },
        },
    )
    .await?;
    let mut output = GetObjectOutput::default();
    tell_object!(
        output,
        bucket,
        found,
        input.checksum_mode.as_ref(),
        input.part_number
    );
    let tags = found.body.nature.tags.len();
    output.tag_count = i32::try_from(tags).ok().filter(|count| *count > 0);
    let Span { start, end } = found.span;
    output.body = Some(bucket.place.give(&found.body.pieces, start, end, found.lease));
    Ok(output)
}

fn changes_headers(input: &GetObjectInput) -> bool {
    input.response_cache_control.is_some()
        || input.response_content_disposition.is_some()
        || input.response_content_encoding.is_some()
        || input.response_content_language.is_some()
        || input.response_content_type.is_some()
        || input.response_expires.is_some()
}

pub(super) fn refuse_own_key(asked: bool) -> Result<(), Refusal> {
    if asked {
        let words = "keys that clients bring (SSE-C) are not kept here";
        return Err(Refusal::said(S3ErrorCode::NotImplemented, words));
    }
    Ok(())
}

pub(super) async fn head_object(
    bucket: &Bucket,
    request: S3Request<HeadObjectInput>,
) -> Result<HeadObjectOutput, Refusal> {
    let input = request.input;
    refuse_own_key(input.sse_customer_algorithm.is_some())?;
    let found = look_up(
        bucket,
        Asked {
            key: &input.key,
            version: input.version_id.as_deref(),
            range: input.range,
            part: input.part_number,
            wishes: Wishes {
                matches: input.if_match,
                matches_not: input.if_none_match,
                modified_since: input.if_modified_since,
                unmodified_since: input.if_unmodified_since,
            },
        },
    )
    .await?;
    let mut output = HeadObjectOutput::default();
    tell_object!(
        output,
        bucket,
        found,
        input.checksum_mode.as_ref(),
        input.part_number
    );
    Ok(output)
}

pub(super) async fn get_object_attributes(
    bucket: &Bucket,
    request: S3Request<GetObjectAttributesInput>,
) -> Result<GetObjectAttributesOutput, Refusal> {
    let input = request.input;
    refuse_own_key(input.sse_customer_algorithm.is_some())?;
    let found = find(
        &mut *bucket.rows.lock().await,
        &input.key,
        input.version_id.as_deref(),
    )
    .await;
    let (version, body) = found?;
    // Some clients name them in one header, others in several.
    let named = input
        .object_attributes
        .iter()
        .flat_map(|named| named.as_str().split(','));
    let named: Vec<&str> = named.map(str::trim).collect();
    let asked = |which: &str| named.contains(&which);
    let mut output = GetObjectAttributesOutput {
        last_modified: Some(moment(version.modified)),
        version_id: bucket.shown(&version.id),
        ..GetObjectAttributesOutput::default()
    };
    if asked(ObjectAttributes::ETAG) {
        output.e_tag = Some(ETag::Strong(version.tag.clone()));
    }
    if asked(ObjectAttributes::OBJECT_SIZE) {
        output.object_size = i64::try_from(version.size).ok();
    }
    if asked(ObjectAttributes::STORAGE_CLASS) {
        output.storage_class = Some(StorageClass::from_static(StorageClass::STANDARD));
    }
    if asked(ObjectAttributes::CHECKSUM)
        && let Some(sum) = &body.sum
    {
        let mut checksum = Checksum::default();
        tell_sum!(checksum, Some(sum));
        checksum.checksum_type = Some(kind(sum));
        output.checksum = Some(checksum);
    }
    if asked(ObjectAttributes::OBJECT_PARTS) && !body.parts.is_empty() {
        output.object_parts = Some(parts_of(&body, input.part_number_marker, input.max_parts));
    }
    Ok(output)
}

fn parts_of(body: &Body, marker: Option<i32>, most: Option<i32>) -> GetObjectAttributesParts {
    let most = most.unwrap_or(1000).clamp(0, 1000);
    let after = marker.unwrap_or(0).max(0);
    let all = (1..).zip(&body.parts).filter(|(number, _)| *number > after);
    let shown = all.clone().take(usize::try_from(most).unwrap_or(0));
    let parts: Vec<ObjectPart> = shown
        .map(|(number, (length, sum))| {
            let mut part = ObjectPart {
                part_number: Some(number),
                size: i64::try_from(*length).ok(),
                ..ObjectPart::default()
            };
            tell_sum!(part, sum);
            part
        })
        .collect();
    GetObjectAttributesParts {
        is_truncated: Some(all.count() > parts.len()),
        max_parts: Some(most),
        next_part_number_marker: parts.last().and_then(|part| part.part_number),
        part_number_marker: Some(after),
        total_parts_count: i32::try_from(body.parts.len()).ok(),
        parts: Some(parts),
    }
}
