//! Makes the answer with a file that was found.

use std::borrow::Cow;
use std::io;
use std::path::Path;

use bytes::Bytes;
use http::header::{
    ACCEPT_ENCODING, ACCEPT_RANGES, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_RANGE,
    CONTENT_TYPE, ETAG, HeaderMap, HeaderName, HeaderValue, LAST_MODIFIED, RANGE, VARY,
    X_CONTENT_TYPE_OPTIONS,
};
use http::{Response, StatusCode};

use super::condition::{Known, Part, is_unchanged, part};
use super::flow::Flow;
use super::packed::Packed;
use super::shelf::{Eyes, Filed, There};
use super::words::{Words, value};
use super::{Asked, Site, condition};
use crate::body::Body;
use crate::compress::{Compressed, SMALLEST};
use crate::door::disk::Opened;
use crate::encode::{self, Coding, choose, whole};

/// Files up to this size are read in one go; larger ones while they are sent.
const SMALL: u64 = 128 * 1024;

/// Files up to this size are coded as a whole, well, and once; larger ones each time, quickly.
const PACKED: u64 = 1024 * 1024;

/// The headers of an answer with a file, about.
const HEADERS: usize = 16;

/// As a whole: the smallest first.
const WELL: [Coding; 3] = [Coding::Brotli, Coding::Zstd, Coding::Gzip];
/// While it is sent: the quickest first.
const QUICKLY: [Coding; 3] = [Coding::Zstd, Coding::Gzip, Coding::Brotli];

/// A body, and its length where that is known.
type Content = (Body, Option<u64>);

/// The answer with a file.
pub(super) fn ready(
    asked: &Asked<'_>,
    (packed, eyes): (&Packed, &Eyes<'_>),
    Filed { file, words }: Filed,
    status: StatusCode,
) -> io::Result<Response<Body>> {
    let can_be_coded = asked.compress && words.is_text && file.length >= SMALLEST;
    // A part is a part of the file as it is.
    let is_coded = can_be_coded && !asked.headers.contains_key(RANGE);
    let mut headers = headers(asked, &words, status);
    if can_be_coded {
        headers.insert(VARY, HeaderValue::from(ACCEPT_ENCODING));
    }
    let coding = is_coded.then(|| coding(asked, eyes, &file)).flatten();
    let coded_tag = match &coding {
        Some((coding, _)) => {
            let plain = words.tag.trim_end_matches('"');
            Cow::Owned(format!("{plain}-{}\"", coding.token()))
        }
        None => Cow::Borrowed(words.tag.as_str()),
    };
    let known = Known {
        tag: &coded_tag,
        modified: file.modified,
        length: file.length,
    };
    if status == StatusCode::OK && is_unchanged(asked.headers, &known) {
        headers.remove(CONTENT_TYPE);
        set(&mut headers, ETAG, coded_tag.into_owned());
        return Ok(answer(StatusCode::NOT_MODIFIED, headers, Body::empty()));
    }
    let mut place = None;
    let coding = coding.filter(|(coding, sibling)| {
        let is_there =
            sibling.is_some() || file.length > PACKED || packed.has(place_of(&file), &coded_tag, *coding);
        place = match is_there {
            false if eyes.may_wait() => packed.place(),
            _ => None,
        };
        is_there || place.is_some()
    });
    let Some((coding, sibling)) = coding else {
        let known = Known {
            tag: &words.tag,
            ..known
        };
        set(&mut headers, ETAG, words.tag.clone());
        return as_it_is(asked, file, status, (headers, &known));
    };
    headers.insert(CONTENT_ENCODING, coding.header());
    headers.remove(ACCEPT_RANGES);
    let (body, length) = coded(asked, packed, file, sibling, coding, &coded_tag)?;
    set(&mut headers, ETAG, coded_tag.into_owned());
    if let Some(length) = length {
        headers.insert(CONTENT_LENGTH, HeaderValue::from(length));
    }
    Ok(answer(status, headers, body))
}

/// The answer with a file as it is, or with a part of it.
fn as_it_is(
    asked: &Asked<'_>,
    mut file: Opened,
    status: StatusCode,
    (mut headers, known): (HeaderMap, &Known<'_>),
) -> io::Result<Response<Body>> {
    let wanted = match status {
        StatusCode::OK => part(asked.headers, known),
        _ => Part::Whole,
    };
    let (status, from, length) = match wanted {
        condition::Part::Whole => (status, 0, file.length),
        condition::Part::Range(from, length) => {
            let last = from + length - 1;
            set(
                &mut headers,
                CONTENT_RANGE,
                format!("bytes {from}-{last}/{}", file.length),
            );
            (StatusCode::PARTIAL_CONTENT, from, length)
        }
        condition::Part::Outside => {
            set(&mut headers, CONTENT_RANGE, format!("bytes */{}", file.length));
            let status = StatusCode::RANGE_NOT_SATISFIABLE;
            return Ok(answer(status, headers, Body::empty()));
        }
    };
    headers.insert(CONTENT_LENGTH, HeaderValue::from(length));
    let body = match (asked.is_head, length) {
        (true, _) => Body::empty(),
        (_, ..=SMALL) => Body::whole(file.read(from, length)?),
        _ if file.is_in_memory() => Body::whole(file.read(from, length)?),
        _ => Body::flow(Flow::new(file.reader(from)?, length)),
    };
    Ok(answer(status, headers, body))
}

/// What is said of a file, in whatever coding it goes out.
fn headers(asked: &Asked<'_>, words: &Words, status: StatusCode) -> HeaderMap {
    // With room for what the guard and the edge say.
    let mut headers = HeaderMap::with_capacity(HEADERS);
    headers.insert(CONTENT_TYPE, words.kind.clone());
    headers.insert(CACHE_CONTROL, keeping(&asked.site, words, status));
    headers.insert(LAST_MODIFIED, words.modified.clone());
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(ACCEPT_RANGES, HeaderValue::from_static("bytes"));
    headers
}

/// The coding for a file, and the file that lies beside it in that coding already.
fn coding(asked: &Asked<'_>, eyes: &Eyes<'_>, file: &Opened) -> Option<(Coding, Option<Opened>)> {
    for coding in WELL {
        if choose(asked.headers, &[coding]).is_none() {
            continue;
        }
        let mut beside = file.path.as_os_str().to_owned();
        beside.push(coding.suffix());
        if let There::File(beside) = eyes.look(beside.as_ref())
            && beside.file.modified >= file.modified
        {
            return Some((coding, Some(beside.file)));
        }
    }
    let order = if file.length <= PACKED { &WELL } else { &QUICKLY };
    let is_coded_while_sent = file.length > PACKED && !asked.is_head;
    let chosen = choose(asked.headers, order).filter(|_| !is_coded_while_sent || encode::has_room());
    chosen.map(|coding| (coding, None))
}

fn coded(
    asked: &Asked<'_>,
    packed: &Packed,
    mut file: Opened,
    sibling: Option<Opened>,
    coding: Coding,
    tag: &str,
) -> io::Result<Content> {
    if let Some(mut sibling) = sibling {
        let length = sibling.length;
        let body = match asked.is_head {
            true => Body::empty(),
            false if sibling.is_in_memory() => Body::whole(sibling.read(0, length)?),
            false => Body::flow(Flow::new(sibling.reader(0)?, length)),
        };
        return Ok((body, Some(length)));
    }
    if file.length > PACKED {
        let length = file.length;
        let body = if asked.is_head {
            Body::empty()
        } else {
            Body::flow(Compressed::new(Flow::new(file.reader(0)?, length), coding))
        };
        return Ok((body, None));
    }
    let path = place_of(&file).to_owned();
    let bytes: Bytes = packed.get(&path, tag, coding, || whole(coding, &file.read(0, file.length)?))?;
    let length = bytes.len() as u64;
    let body = if asked.is_head {
        Body::empty()
    } else {
        Body::whole(bytes)
    };
    Ok((body, Some(length)))
}

/// Where a file lies that is kept in a coding; of one that is known by its content that is all the same.
fn place_of(file: &Opened) -> &Path {
    match file.digest {
        Some(_) => Path::new(""),
        None => &file.path,
    }
}

/// How long the file may be kept.
fn keeping(site: &Site<'_>, words: &Words, status: StatusCode) -> HeaderValue {
    match site.pages {
        _ if status != StatusCode::OK => HeaderValue::from_static("no-cache"),
        _ if words.has_digest => value(format!("public, max-age={}, immutable", site.assets.as_secs())),
        Some(pages) => value(format!("public, max-age={}", pages.as_secs())),
        None => HeaderValue::from_static("no-cache"),
    }
}

fn set(headers: &mut HeaderMap, name: HeaderName, text: String) {
    headers.insert(name, value(text));
}

fn answer(status: StatusCode, headers: HeaderMap, body: Body) -> Response<Body> {
    let mut response = Response::new(body);
    *response.status_mut() = status;
    *response.headers_mut() = headers;
    response
}
