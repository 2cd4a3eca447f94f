//! What is said of a file, whoever asks for it: found out once, and kept with it.

use std::time::{Duration, UNIX_EPOCH};

use http::header::HeaderValue;

use super::path;
use crate::compress::is_text;
use crate::door::disk::Opened;

/// What is said of a file.
#[derive(Debug)]
pub(super) struct Words {
    /// What kind of thing it is.
    pub(super) kind: HeaderValue,
    /// It is written, and smaller in a coding.
    pub(super) is_text: bool,
    /// When it was changed last.
    pub(super) modified: HeaderValue,
    /// What its content is known by, in quotation marks, as it is in no coding.
    pub(super) tag: String,
    /// Its name has a digest of its content in it.
    pub(super) has_digest: bool,
}

impl Words {
    pub(super) fn of(file: &Opened) -> Words {
        let kind = kind(file);
        let changed = UNIX_EPOCH + Duration::from_secs(file.modified.as_secs());
        // What is too large to be read first is known by what the system says of it.
        let tag = match file.digest {
            Some(digest) => format!("\"{digest:032x}\""),
            None => format!("\"{:x}-{:x}\"", file.length, file.modified.as_nanos()),
        };
        let name = file.path.file_name().and_then(|name| name.to_str());
        Words {
            is_text: is_text(&kind),
            kind: value(kind),
            modified: value(httpdate::fmt_http_date(changed)),
            tag,
            has_digest: name.is_some_and(path::has_digest),
        }
    }
}

/// What kind of thing a file is. Text of the web is in UTF-8.
fn kind(file: &Opened) -> String {
    let kind = mime_guess::from_path(&file.path)
        .first_raw()
        .unwrap_or("application/octet-stream");
    let is_written = kind.starts_with("text/")
        || matches!(
            kind,
            "application/json" | "application/javascript" | "application/xml"
        );
    if is_written {
        format!("{kind}; charset=utf-8")
    } else {
        kind.to_owned()
    }
}

/// A header of words of our own.
pub(super) fn value(text: String) -> HeaderValue {
    HeaderValue::try_from(text).expect("it is letters, digits and signs")
}
