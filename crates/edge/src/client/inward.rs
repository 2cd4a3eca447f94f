//! An answer on its way from a connection: its head, then its body, piece by piece.
//!
//! What can be read in two ways is no answer: lengths that differ, a coding of the connection that is not undone here.

use std::mem::MaybeUninit;

use bytes::{Buf, Bytes};
use http::header::{CONNECTION, CONTENT_LENGTH, HeaderMap, HeaderName, HeaderValue, TRANSFER_ENCODING};
use http::{Response, StatusCode, Version};
use http_body::Frame;

/// Headers of one answer.
const HEADERS: usize = 100;

/// Headers that come to them on their way: as many as are usual, so that the map need not grow.
const ADDED: usize = 8;

/// What the line before a chunk may have: its size, and something that nobody reads.
const LONGEST_LINE: usize = 4 * 1024;

/// What the trailers may have.
const LARGEST_TRAILERS: usize = 16 * 1024;

/// What came is no answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Garbage;

/// How much of a body is still to come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Left {
    Nothing,
    Length(u64),
    /// As long as the connection lasts.
    All,
    Chunks(Chunk),
}

/// What comes next of a body in chunks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Chunk {
    Size,
    Bytes(u64),
    /// The end of the line behind it.
    Break,
    Trailers,
}

/// The head of an answer.
#[derive(Debug)]
pub(crate) struct Head {
    pub(crate) response: Response<()>,
    pub(crate) left: Left,
    /// The connection can be used again.
    pub(crate) keeps: bool,
}

/// Reads a head, if it is there as a whole, and takes it away from what has come. Hints before the answer are left out.
pub(crate) fn head(came: &mut Bytes, is_head: bool) -> Result<Option<Head>, Garbage> {
    loop {
        let mut slots = [const { MaybeUninit::uninit() }; HEADERS];
        let mut read = httparse::Response::new(&mut []);
        let parsed = httparse::ParserConfig::default()
            .parse_response_with_uninit_headers(&mut read, came, &mut slots)
            .map_err(|_| Garbage)?;
        let httparse::Status::Complete(length) = parsed else {
            return Ok(None);
        };
        let status = StatusCode::from_u16(read.code.ok_or(Garbage)?).map_err(|_| Garbage)?;
        if status.is_informational() && status != StatusCode::SWITCHING_PROTOCOLS {
            came.advance(length);
            continue;
        }
        let mut response = Response::new(());
        *response.status_mut() = status;
        *response.version_mut() = match read.version {
            Some(1) => Version::HTTP_11,
            _ => Version::HTTP_10,
        };
        let headers = response.headers_mut();
        headers.reserve(read.headers.len() + ADDED);
        for header in read.headers.iter() {
            let name = HeaderName::from_bytes(header.name.as_bytes()).map_err(|_| Garbage)?;
            let value = came.slice_ref(header.value);
            let value = HeaderValue::from_maybe_shared(value).map_err(|_| Garbage)?;
            headers.append(name, value);
        }
        came.advance(length);
        let left = left(&mut response, is_head)?;
        let keeps = left != Left::All && keeps(&response);
        return Ok(Some(Head {
            response,
            left,
            keeps,
        }));
    }
}

/// How much of a body follows a head (RFC 9112, 6.3).
fn left(response: &mut Response<()>, is_head: bool) -> Result<Left, Garbage> {
    let status = response.status();
    let version = response.version();
    let headers = response.headers_mut();
    let is_chunked = match headers.get(TRANSFER_ENCODING) {
        None => false,
        Some(coding) => {
            let is_only = headers.get_all(TRANSFER_ENCODING).iter().count() == 1;
            let is_chunked = coding.as_bytes().trim_ascii().eq_ignore_ascii_case(b"chunked");
            if !is_only || !is_chunked || version == Version::HTTP_10 {
                return Err(Garbage);
            }
            true
        }
    };
    let length = if is_chunked { None } else { length(headers)? };
    let has_none = is_head
        || status.is_informational()
        || matches!(status, StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED);
    Ok(match length {
        _ if has_none => Left::Nothing,
        _ if is_chunked => Left::Chunks(Chunk::Size),
        Some(0) => Left::Nothing,
        Some(length) => Left::Length(length),
        None => Left::All,
    })
}

/// The length that the headers say, however often they do.
fn length(headers: &mut HeaderMap) -> Result<Option<u64>, Garbage> {
    let mut said = None;
    let mut times = 0;
    for value in headers.get_all(CONTENT_LENGTH) {
        for one in value.to_str().map_err(|_| Garbage)?.split(',') {
            let one = one.trim();
            let is_number = !one.is_empty() && one.bytes().all(|digit| digit.is_ascii_digit());
            let one: u64 = one.parse().ok().filter(|_| is_number).ok_or(Garbage)?;
            if said.is_some_and(|said| said != one) {
                return Err(Garbage);
            }
            said = Some(one);
            times += 1;
        }
    }
    if let Some(said) = said.filter(|_| times > 1) {
        headers.insert(CONTENT_LENGTH, HeaderValue::from(said));
    }
    Ok(said)
}

/// Whether the connection goes on behind the answer.
fn keeps(response: &Response<()>) -> bool {
    let said = |word: &str| {
        let values = response.headers().get_all(CONNECTION).iter();
        let mut tokens = values.flat_map(|value| value.to_str().unwrap_or_default().split(','));
        tokens.any(|token| token.trim().eq_ignore_ascii_case(word))
    };
    match response.version() {
        Version::HTTP_11 => !said("close"),
        _ => said("keep-alive"),
    }
}

impl Left {
    /// The next piece of the body in what has come, which is taken away from there; none if more has to come first.
    pub(crate) fn next(&mut self, came: &mut Bytes) -> Result<Option<Frame<Bytes>>, Garbage> {
        loop {
            match self {
                Left::Nothing => return Ok(None),
                Left::All => return Ok((!came.is_empty()).then(|| Frame::data(std::mem::take(came)))),
                Left::Length(left) => {
                    let data = take(came, left);
                    if *left == 0 {
                        *self = Left::Nothing;
                    }
                    return Ok(data);
                }
                Left::Chunks(chunk) => match chunk {
                    Chunk::Bytes(left) => {
                        let data = take(came, left);
                        if *left == 0 {
                            *chunk = Chunk::Break;
                        }
                        return Ok(data);
                    }
                    Chunk::Break => {
                        if came.len() < 2 {
                            return Ok(None);
                        }
                        if !came.starts_with(b"\r\n") {
                            return Err(Garbage);
                        }
                        came.advance(2);
                        *chunk = Chunk::Size;
                    }
                    Chunk::Size => match httparse::parse_chunk_size(came).map_err(|_| Garbage)? {
                        httparse::Status::Partial if came.len() > LONGEST_LINE => return Err(Garbage),
                        httparse::Status::Partial => return Ok(None),
                        httparse::Status::Complete((length, size)) => {
                            came.advance(length);
                            *chunk = if size == 0 {
                                Chunk::Trailers
                            } else {
                                Chunk::Bytes(size)
                            };
                        }
                    },
                    Chunk::Trailers => {
                        let Some(trailers) = trailers(came)? else {
                            return Ok(None);
                        };
                        *self = Left::Nothing;
                        return Ok((!trailers.is_empty()).then(|| Frame::trailers(trailers)));
                    }
                },
            }
        }
    }
}

fn take(came: &mut Bytes, left: &mut u64) -> Option<Frame<Bytes>> {
    let count = usize::try_from(*left).unwrap_or(usize::MAX).min(came.len());
    *left -= count as u64;
    (count > 0).then(|| Frame::data(came.split_to(count)))
}

fn trailers(came: &mut Bytes) -> Result<Option<HeaderMap>, Garbage> {
    let mut slots = [httparse::EMPTY_HEADER; 32];
    match httparse::parse_headers(came, &mut slots).map_err(|_| Garbage)? {
        httparse::Status::Partial if came.len() > LARGEST_TRAILERS => Err(Garbage),
        httparse::Status::Partial => Ok(None),
        httparse::Status::Complete((length, rows)) => {
            let mut trailers = HeaderMap::new();
            for row in rows {
                let name = HeaderName::from_bytes(row.name.as_bytes()).map_err(|_| Garbage)?;
                let value = HeaderValue::from_bytes(row.value).map_err(|_| Garbage)?;
                trailers.append(name, value);
            }
            came.advance(length);
            Ok(Some(trailers))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Reads an answer that comes in pieces of so many bytes: its code, its body, its trailers, and what is left over.
    fn read(bytes: &[u8], piece: usize) -> Option<(u16, String, usize, usize)> {
        let mut pieces = bytes.chunks(piece);
        let mut came = Bytes::new();
        let mut more = |came: &mut Bytes| {
            let piece = pieces.next()?;
            *came = [&came[..], piece].concat().into();
            Some(())
        };
        let mut head = loop {
            match super::head(&mut came, false).ok()? {
                Some(head) => break head,
                None => more(&mut came)?,
            }
        };
        let (mut body, mut trailers) = (Vec::new(), 0);
        while head.left != Left::Nothing {
            match head.left.next(&mut came).ok()? {
                Some(frame) => match frame.into_data() {
                    Ok(data) => body.extend_from_slice(&data),
                    Err(frame) => trailers += frame.into_trailers().map_or(0, |map| map.len()),
                },
                None if head.left == Left::Nothing => {}
                None if head.left == Left::All => match more(&mut came) {
                    Some(()) => {}
                    None => break,
                },
                None => more(&mut came)?,
            }
        }
        while more(&mut came).is_some() {}
        let body = String::from_utf8(body).ok()?;
        Some((head.response.status().as_u16(), body, trailers, came.len()))
    }

    #[test]
    fn an_answer_is_the_same_in_whatever_pieces_it_comes() {
        let chunked = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n";
        let whole = [
            (
                "HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhelloHT".to_owned(),
                (200, "hello", 0, 2),
            ),
            (
                "HTTP/1.1 103 Early\r\n\r\nHTTP/1.1 201\r\n\r\nall".to_owned(),
                (201, "all", 0, 0),
            ),
            (
                "HTTP/1.1 304 No\r\ncontent-length: 5\r\n\r\n".to_owned(),
                (304, "", 0, 0),
            ),
            (
                format!("{chunked}5\r\nhello\r\n1;a=b\r\n!\r\n0\r\n\r\n"),
                (200, "hello!", 0, 0),
            ),
            (
                format!("{chunked}A\r\n0123456789\r\n0\r\nx-a: 1\r\nx-b: 2\r\n\r\nx"),
                (200, "0123456789", 2, 1),
            ),
        ];
        for (bytes, (code, body, trailers, over)) in whole {
            for piece in [1, 2, 3, 7, bytes.len()] {
                let expected = Some((code, body.to_owned(), trailers, over));
                assert_eq!(read(bytes.as_bytes(), piece), expected, "{bytes} by {piece}");
            }
        }
    }

    #[test]
    fn what_can_be_read_in_two_ways_is_no_answer() {
        for bytes in [
            "HTTP/1.1 200 OK\r\ntransfer-encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
            "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
            "HTTP/1.0 200 OK\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
            "HTTP/1.1 200 OK\r\ncontent-length: +5\r\n\r\nhello",
            "HTTP/1.1 200 OK\r\ncontent-length: 5, 6\r\n\r\nhello",
            "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello!\r\n0\r\n\r\n",
            "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nfffffffffffffffff\r\n",
            "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n-1\r\n",
        ] {
            for piece in [1, bytes.len()] {
                assert_eq!(read(bytes.as_bytes(), piece), None, "{bytes}");
            }
        }
    }
}
