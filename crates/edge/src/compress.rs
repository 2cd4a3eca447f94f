//! Answers of instances, made smaller on their way.
//!
//! An answer is left as it is when it is small, when its kind has been made small already, when it has a coding, when
//! somebody asked that nobody touch it, when it is a part of something larger, and when it is a stream of events.

use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::header::{
    ACCEPT_ENCODING, ACCEPT_RANGES, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_RANGE,
    CONTENT_TYPE, ETAG, HeaderMap, HeaderName, HeaderValue, VARY,
};
use http::{Response, StatusCode};
use http_body::{Body, Frame};

use crate::body::Broken;
use crate::encode::{self, Coder, Coding, Encoder, choose};

/// Below this a packet is a packet.
pub(crate) const SMALLEST: u64 = 1_024;

/// While it is sent: the quickest first.
const ORDER: [Coding; 3] = [Coding::Zstd, Coding::Gzip, Coding::Brotli];

/// The coding for an answer, if it is to have one.
pub(crate) fn coding_for<B: Body>(asked: &HeaderMap, response: &Response<B>) -> Option<Coding> {
    let is_empty = response.body().is_end_stream()
        || response
            .body()
            .size_hint()
            .exact()
            .is_some_and(|size| size < SMALLEST)
        || matches!(
            response.status(),
            StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED | StatusCode::PARTIAL_CONTENT
        );
    // Whoever accepts nothing gets nothing, however often it is asked what would be the best.
    let accepts = asked.contains_key(ACCEPT_ENCODING);
    (accepts && !is_empty && is_compressible(response.headers()) && encode::has_room())
        .then(|| choose(asked, &ORDER))
        .flatten()
}

/// Whether an answer with these headers may have a coding.
pub(crate) fn is_compressible(headers: &HeaderMap) -> bool {
    let kind = headers.get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
    if !kind.is_some_and(is_text) {
        return false;
    }
    let is_left_alone = headers
        .get_all(CACHE_CONTROL)
        .iter()
        .any(|value| value.to_str().is_ok_and(|value| has_word(value, "no-transform")));
    !is_left_alone && !headers.contains_key(CONTENT_ENCODING) && !headers.contains_key(CONTENT_RANGE)
}

/// Whether a word stands in a text, in whatever letters.
fn has_word(text: &str, word: &str) -> bool {
    let mut windows = text.as_bytes().windows(word.len());
    windows.any(|window| window.eq_ignore_ascii_case(word.as_bytes()))
}

/// Whether things of this kind become smaller.
pub(crate) fn is_text(kind: &str) -> bool {
    let kind = kind.split(';').next().unwrap_or_default().trim();
    if kind.bytes().any(|letter| letter.is_ascii_uppercase()) {
        return is_text(&kind.to_ascii_lowercase());
    }
    if kind == "text/event-stream" {
        return false;
    }
    let (family, name) = kind.split_once('/').unwrap_or((kind, ""));
    match family {
        "text" => true,
        "application" => {
            name.ends_with("+json")
                || name.ends_with("+xml")
                || matches!(
                    name,
                    "json"
                        | "javascript"
                        | "xml"
                        | "wasm"
                        | "x-javascript"
                        | "x-ndjson"
                        | "graphql"
                        | "manifest"
                )
        }
        "image" => matches!(name, "svg+xml" | "bmp" | "x-icon" | "vnd.microsoft.icon"),
        "font" => matches!(name, "ttf" | "otf" | "collection"),
        _ => false,
    }
}

/// Makes the headers those of the coded answer.
pub(crate) fn mark(headers: &mut HeaderMap, coding: Coding) {
    headers.remove(CONTENT_LENGTH);
    headers.remove(ACCEPT_RANGES);
    headers.insert(CONTENT_ENCODING, coding.header());
    vary(headers, &http::header::ACCEPT_ENCODING);
    // The bytes are others than those that the tag stands for; what they mean is the same.
    let weak = headers
        .get(ETAG)
        .and_then(|tag| tag.to_str().ok())
        .filter(|tag| !tag.starts_with("W/"))
        .and_then(|tag| HeaderValue::try_from(format!("W/{tag}")).ok());
    if let Some(weak) = weak {
        headers.insert(ETAG, weak);
    }
}

/// Says that an answer depends on a header of the request.
pub(crate) fn vary(headers: &mut HeaderMap, on: &HeaderName) {
    let is_said = headers
        .get_all(VARY)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .any(|name| name.trim() == "*" || name.trim().eq_ignore_ascii_case(on.as_str()));
    if !is_said {
        headers.append(VARY, HeaderValue::from(on.clone()));
    }
}

/// A body that is coded while it is sent. What has come is sent at once when nothing else is there yet.
pub(crate) struct Compressed<B> {
    body: B,
    encoder: Encoder,
    stage: Stage,
    _counted: Coder,
}

enum Stage {
    Open,
    /// Something was taken in that has not been handed out.
    Held,
    Ending(Option<HeaderMap>),
    Ended,
}

impl<B> Compressed<B> {
    pub(crate) fn new(body: B, coding: Coding) -> Compressed<B> {
        Compressed {
            body,
            encoder: Encoder::new(coding),
            stage: Stage::Open,
            _counted: Coder::open(),
        }
    }

    fn coded(&mut self) -> Option<Result<Frame<Bytes>, Broken>> {
        let coded = self.encoder.take();
        (!coded.is_empty()).then(|| Ok(Frame::data(Bytes::from(coded))))
    }
}

impl<B> Body for Compressed<B>
where
    B: Body<Data = Bytes, Error = Broken> + Unpin,
{
    type Data = Bytes;
    type Error = Broken;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Broken>>> {
        let this = &mut *self;
        loop {
            match &mut this.stage {
                Stage::Ended => return Poll::Ready(None),
                Stage::Ending(trailers) => {
                    let trailers = trailers.take();
                    this.stage = Stage::Ended;
                    return Poll::Ready(trailers.map(|trailers| Ok(Frame::trailers(trailers))));
                }
                Stage::Open | Stage::Held => {}
            }
            let frame = match Pin::new(&mut this.body).poll_frame(context) {
                Poll::Pending if matches!(this.stage, Stage::Held) => {
                    this.encoder.flush()?;
                    this.stage = Stage::Open;
                    match this.coded() {
                        Some(coded) => return Poll::Ready(Some(coded)),
                        None => return Poll::Pending,
                    }
                }
                Poll::Pending => return Poll::Pending,
                Poll::Ready(frame) => frame.transpose()?,
            };
            match frame.map(Frame::into_data) {
                Some(Ok(part)) => {
                    this.encoder.write(&part)?;
                    this.stage = Stage::Held;
                }
                last => {
                    this.encoder.finish()?;
                    let trailers = last
                        .and_then(|last| last.err())
                        .and_then(|last| last.into_trailers().ok());
                    this.stage = Stage::Ending(trailers);
                }
            }
            if let Some(coded) = this.coded() {
                return Poll::Ready(Some(coded));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_becomes_smaller_is_touched() {
        for (kind, expected) in [
            ("text/html; charset=utf-8", true),
            ("application/json", true),
            ("application/ld+json", true),
            ("image/svg+xml", true),
            ("application/wasm", true),
            ("text/event-stream", false),
            ("image/png", false),
            ("application/grpc", false),
            ("application/octet-stream", false),
            ("", false),
        ] {
            assert_eq!(is_text(kind), expected, "{kind}");
        }
    }

    #[test]
    fn a_strong_tag_becomes_a_weak_one_and_vary_is_said_once() {
        let mut headers = HeaderMap::new();
        headers.insert(ETAG, HeaderValue::from_static("\"a\""));
        headers.insert(VARY, HeaderValue::from_static("Origin, accept-encoding"));
        headers.insert(CONTENT_LENGTH, HeaderValue::from_static("9000"));
        mark(&mut headers, Coding::Gzip);
        assert_eq!(headers.get(ETAG).map(|tag| tag.as_bytes()), Some(&b"W/\"a\""[..]));
        assert_eq!(headers.get_all(VARY).iter().count(), 1);
        assert!(!headers.contains_key(CONTENT_LENGTH));
    }
}
