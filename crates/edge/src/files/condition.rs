//! Whether a visitor has a file already, and which part of it is asked for (RFC 9110, 13 and 14).

use std::time::Duration;

use http::header::{HeaderMap, IF_MODIFIED_SINCE, IF_NONE_MATCH, IF_RANGE, RANGE};

/// What a file is known by.
pub(crate) struct Known<'k> {
    pub(crate) tag: &'k str,
    /// Since 1970.
    pub(crate) modified: Duration,
    pub(crate) length: u64,
}

/// Which part of a file is sent.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Part {
    Whole,
    /// From a byte on, so many.
    Range(u64, u64),
    /// There is no such part.
    Outside,
}

/// Whether the visitor has the file as it is.
pub(crate) fn is_unchanged(asked: &HeaderMap, known: &Known<'_>) -> bool {
    let mut tags = asked.get_all(IF_NONE_MATCH).iter().peekable();
    if tags.peek().is_some() {
        let opaque = |tag: &str| tag.trim().trim_start_matches("W/").to_owned();
        return tags
            .filter_map(|value| value.to_str().ok())
            .flat_map(|value| value.split(','))
            .any(|tag| tag.trim() == "*" || opaque(tag) == opaque(known.tag));
    }
    let since = asked
        .get(IF_MODIFIED_SINCE)
        .and_then(|value| date(value.to_str().ok()?));
    since.is_some_and(|since| known.modified.as_secs() <= since)
}

/// Which part the visitor asks for. Several parts at once may be answered with the whole, and are.
pub(crate) fn part(asked: &HeaderMap, known: &Known<'_>) -> Part {
    let Some(range) = asked.get(RANGE).and_then(|value| value.to_str().ok()) else {
        return Part::Whole;
    };
    // A part belongs to the version that the visitor has the rest of.
    if let Some(version) = asked.get(IF_RANGE) {
        let version = version.to_str().unwrap_or_default();
        let is_same = if version.starts_with('"') {
            version == known.tag
        } else {
            date(version) == Some(known.modified.as_secs())
        };
        if !is_same {
            return Part::Whole;
        }
    }
    read(range, known.length)
}

fn read(range: &str, length: u64) -> Part {
    let Some((first, last)) = range
        .strip_prefix("bytes=")
        .and_then(|range| range.split_once('-'))
    else {
        return Part::Whole;
    };
    let number = |text: &str| {
        let is_number = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        is_number.then(|| text.parse::<u64>().unwrap_or(u64::MAX))
    };
    let (first, last) = (first.trim(), last.trim());
    match (number(first), number(last)) {
        (Some(first), Some(last)) if last < first => Part::Whole,
        (Some(first), _) if first >= length => Part::Outside,
        (Some(first), Some(last)) => Part::Range(first, last.min(length - 1) - first + 1),
        (Some(first), None) if last.is_empty() => Part::Range(first, length - first),
        (None, Some(0)) if first.is_empty() => Part::Outside,
        (None, Some(_)) if first.is_empty() && length == 0 => Part::Outside,
        (None, Some(count)) if first.is_empty() => {
            let count = count.min(length);
            Part::Range(length - count, count)
        }
        _ => Part::Whole,
    }
}

/// Seconds since 1970 of a date of HTTP.
fn date(text: &str) -> Option<u64> {
    let date = httpdate::parse_http_date(text).ok()?;
    let since = date.duration_since(std::time::UNIX_EPOCH).ok()?;
    Some(since.as_secs())
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::header::HeaderValue;

    const KNOWN: Known<'_> = Known {
        tag: "\"a-br\"",
        modified: Duration::from_millis(784_111_777_500),
        length: 100,
    };
    const DATE: &str = "Sun, 06 Nov 1994 08:49:37 GMT";

    #[test]
    fn a_part_is_what_the_range_says() {
        for (range, expected) in [
            ("bytes=0-9", Part::Range(0, 10)),
            ("bytes=90-", Part::Range(90, 10)),
            ("bytes=-10", Part::Range(90, 10)),
            ("bytes=-1000", Part::Range(0, 100)),
            ("bytes=99-99", Part::Range(99, 1)),
            ("bytes=50-99999999999999999999999", Part::Range(50, 50)),
            ("bytes=100-", Part::Outside),
            ("bytes=-0", Part::Outside),
            ("bytes=9-0", Part::Whole),
            ("bytes=0-1,5-6", Part::Whole),
            ("bytes=-", Part::Whole),
            ("bytes=a-b", Part::Whole),
            ("lines=0-9", Part::Whole),
            ("", Part::Whole),
        ] {
            assert_eq!(read(range, 100), expected, "{range}");
        }
        assert_eq!(read("bytes=-5", 0), Part::Outside);
        assert_eq!(read("bytes=0-", 0), Part::Outside);
    }

    #[test]
    fn a_visitor_that_has_it_is_told_so() {
        for (name, value, expected) in [
            (IF_NONE_MATCH, "\"a-br\"", true),
            (IF_NONE_MATCH, "W/\"a-br\", \"b\"", true),
            (IF_NONE_MATCH, "*", true),
            (IF_NONE_MATCH, "\"a\"", false),
            (IF_MODIFIED_SINCE, DATE, true),
            (IF_MODIFIED_SINCE, "Sun, 06 Nov 1994 08:49:36 GMT", false),
            (IF_MODIFIED_SINCE, "yesterday", false),
        ] {
            let mut asked = HeaderMap::new();
            asked.insert(name, HeaderValue::from_static(value));
            assert_eq!(is_unchanged(&asked, &KNOWN), expected, "{value}");
        }
        let mut both = HeaderMap::new();
        both.insert(IF_NONE_MATCH, HeaderValue::from_static("\"other\""));
        both.insert(IF_MODIFIED_SINCE, HeaderValue::from_static(DATE));
        assert!(!is_unchanged(&both, &KNOWN), "the tag counts more than the date");
    }

    #[test]
    fn a_part_of_another_version_is_the_whole() {
        for (version, expected) in [
            ("\"a-br\"", Part::Range(0, 10)),
            ("\"b\"", Part::Whole),
            ("W/\"a-br\"", Part::Whole),
            (DATE, Part::Range(0, 10)),
        ] {
            let mut asked = HeaderMap::new();
            asked.insert(RANGE, HeaderValue::from_static("bytes=0-9"));
            asked.insert(IF_RANGE, HeaderValue::from_static(version));
            assert_eq!(part(&asked, &KNOWN), expected, "{version}");
        }
    }
}
