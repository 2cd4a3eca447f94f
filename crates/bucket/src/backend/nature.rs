//! What an object is besides its content: read from a request, given back in an answer, and measured.

use crate::refusal::Refusal;
use crate::rows::Nature;
use s3s::S3ErrorCode;
use s3s::dto::{Tag, Timestamp, TimestampFormat};
use std::collections::BTreeMap;

/// What S3 takes what a client writes on an object for: names and values together.
const MOST_USER: usize = 2048;

/// The limits of S3 for tags: how many, how long a key, how long a value.
const MOST_TAGS: usize = 10;
const MOST_TAG_KEY: usize = 128;
const MOST_TAG_VALUE: usize = 256;

/// The nature that a request describes.
macro_rules! nature_of {
    ($input:expr) => {{
        let headers = [
            ("cache-control", $input.cache_control.clone()),
            ("content-disposition", $input.content_disposition.clone()),
            (
                "content-encoding",
                crate::backend::nature::encoding($input.content_encoding.as_deref()),
            ),
            ("content-language", $input.content_language.clone()),
            ("content-type", $input.content_type.clone()),
            (
                "expires",
                crate::backend::nature::http_date($input.expires.as_ref()),
            ),
            ("location", $input.website_redirect_location.clone()),
        ];
        crate::backend::nature::nature(headers, $input.metadata.clone(), $input.tagging.as_deref())
    }};
}
pub(super) use nature_of;

/// Says in an answer what an object is.
macro_rules! tell_nature {
    ($output:expr, $nature:expr) => {
        let header = |name: &str| $nature.headers.get(name).cloned();
        $output.cache_control = header("cache-control");
        $output.content_disposition = header("content-disposition");
        $output.content_encoding = header("content-encoding");
        $output.content_language = header("content-language");
        $output.content_type = header("content-type").or(Some("binary/octet-stream".to_owned()));
        $output.expires = header("expires")
            .and_then(|date| s3s::dto::Timestamp::parse(s3s::dto::TimestampFormat::HttpDate, &date).ok());
        $output.website_redirect_location = header("location");
        $output.metadata = Some($nature.user.clone().into_iter().collect());
    };
}
pub(super) use tell_nature;

pub(super) fn nature<const N: usize>(
    headers: [(&str, Option<String>); N],
    user: Option<std::collections::HashMap<String, String>>,
    tags: Option<&str>,
) -> Result<Nature, Refusal> {
    let headers = headers
        .into_iter()
        .filter_map(|(name, value)| Some((name.to_owned(), value?)));
    let user: BTreeMap<String, String> = user.unwrap_or_default().into_iter().collect();
    let size: usize = user.iter().map(|(name, value)| name.len() + value.len()).sum();
    if size > MOST_USER {
        let words = format!("the metadata has {size} bytes, and may have {MOST_USER}");
        return Err(Refusal::said(S3ErrorCode::MetadataTooLarge, words));
    }
    Ok(Nature {
        headers: headers.collect(),
        user,
        tags: checked_tags_of_header(tags)?,
    })
}

/// The encodings of the content, without the one that is of the way it came.
pub(super) fn encoding(named: Option<&str>) -> Option<String> {
    let named: Vec<&str> = named?.split(',').map(str::trim).collect();
    let kept: Vec<&str> = named
        .into_iter()
        .filter(|name| *name != "aws-chunked" && !name.is_empty())
        .collect();
    (!kept.is_empty()).then(|| kept.join(","))
}

pub(super) fn http_date(date: Option<&Timestamp>) -> Option<String> {
    let mut text = Vec::new();
    date?.format(TimestampFormat::HttpDate, &mut text).ok()?;
    String::from_utf8(text).ok()
}

/// Reads tags as they stand in a header: `a=1&b=2`.
fn parse_tags(text: &str) -> Result<Vec<(String, String)>, Refusal> {
    let pairs = text.split('&').filter(|pair| !pair.is_empty());
    pairs
        .map(|pair| {
            let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
            Some((decode(key)?, decode(value)?))
        })
        .collect::<Option<_>>()
        .ok_or_else(|| {
            Refusal::said(
                S3ErrorCode::InvalidArgument,
                "the tags in the header cannot be read",
            )
        })
}

/// The tags that stand in a header, where there is one.
pub(super) fn checked_tags_of_header(text: Option<&str>) -> Result<Vec<(String, String)>, Refusal> {
    checked_tags(text.map(parse_tags).transpose()?.unwrap_or_default())
}

/// Undoes percent-encoding, with a plus for a space.
fn decode(text: &str) -> Option<String> {
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        match bytes[at] {
            b'%' => {
                out.push(u8::from_str_radix(text.get(at + 1..at + 3)?, 16).ok()?);
                at += 2;
            }
            b'+' => out.push(b' '),
            byte => out.push(byte),
        }
        at += 1;
    }
    String::from_utf8(out).ok()
}

/// The tags of a request.
pub(super) fn tags_of(set: &[Tag]) -> Result<Vec<(String, String)>, Refusal> {
    let tag = |tag: &Tag| {
        (
            tag.key.clone().unwrap_or_default(),
            tag.value.clone().unwrap_or_default(),
        )
    };
    checked_tags(set.iter().map(tag).collect())
}

fn checked_tags(tags: Vec<(String, String)>) -> Result<Vec<(String, String)>, Refusal> {
    let refused = |words: String| Err(Refusal::said(S3ErrorCode::InvalidTag, words));
    if tags.len() > MOST_TAGS {
        let words = format!("an object may have {MOST_TAGS} tags, and not {}", tags.len());
        return Err(Refusal::said(S3ErrorCode::InvalidTag, words));
    }
    for (at, (key, value)) in tags.iter().enumerate() {
        if key.is_empty() || key.chars().count() > MOST_TAG_KEY {
            return refused(format!("the key of a tag has 1 to {MOST_TAG_KEY} letters"));
        }
        if value.chars().count() > MOST_TAG_VALUE {
            return refused(format!("the value of a tag has at most {MOST_TAG_VALUE} letters"));
        }
        if tags[..at].iter().any(|(other, _)| other == key) {
            return refused(format!("there are two tags `{key}`"));
        }
    }
    Ok(tags)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_are_read_as_they_stand_in_a_header() {
        let tags = parse_tags("a=1&b+c=%C3%A4%2F&d").unwrap();
        let expected = [("a", "1"), ("b c", "\u{e4}/"), ("d", "")];
        assert_eq!(
            tags,
            expected.map(|(key, value)| (key.to_owned(), value.to_owned()))
        );
        assert!(parse_tags("a=%").is_err());
        assert!(parse_tags("a=%\u{e4}1").is_err());
    }

    #[test]
    fn a_way_of_coming_is_no_encoding_of_the_content() {
        assert_eq!(encoding(Some("aws-chunked")), None);
        assert_eq!(encoding(Some("gzip, aws-chunked")).as_deref(), Some("gzip"));
        assert_eq!(encoding(Some("gzip")).as_deref(), Some("gzip"));
    }
}
