//! The codings in which bodies are sent, and which of them a visitor takes.

use std::io;
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, Waker};

use async_compression::Level;
use async_compression::tokio::write::{BrotliEncoder, GzipEncoder, ZstdEncoder};
use http::HeaderMap;
use http::header::{ACCEPT_ENCODING, HeaderValue};
use tokio::io::AsyncWrite;

/// Brotli's middle: twice as small as its fastest, a tenth of the work of its best.
const BROTLI: Level = Level::Precise(5);
/// Zstandard's own default.
const ZSTD: Level = Level::Precise(3);
/// Most of what gzip can do, for half of the work.
const GZIP: Level = Level::Precise(5);

/// So many answers are coded while they are sent, at once: a coder holds up to four MiB, and whoever reads slowly has one for long. More
/// are sent as they are, which costs their visitors some time and nobody anything else.
const AT_ONCE: usize = 256;

static OPEN: AtomicUsize = AtomicUsize::new(0);

/// Whether there is room for one more that codes while it sends.
pub(crate) fn has_room() -> bool {
    OPEN.load(Ordering::Relaxed) < AT_ONCE
}

/// One that codes while it sends.
pub(crate) struct Coder;

impl Coder {
    pub(crate) fn open() -> Coder {
        OPEN.fetch_add(1, Ordering::Relaxed);
        Coder
    }
}

impl Drop for Coder {
    fn drop(&mut self) {
        OPEN.fetch_sub(1, Ordering::Relaxed);
    }
}

/// A coding.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Coding {
    Brotli,
    Zstd,
    Gzip,
}

impl Coding {
    /// Its name in headers.
    pub(crate) fn token(self) -> &'static str {
        match self {
            Coding::Brotli => "br",
            Coding::Zstd => "zstd",
            Coding::Gzip => "gzip",
        }
    }

    /// What a file that has been packed so ends in.
    pub(crate) fn suffix(self) -> &'static str {
        match self {
            Coding::Brotli => ".br",
            Coding::Zstd => ".zst",
            Coding::Gzip => ".gz",
        }
    }

    pub(crate) fn header(self) -> HeaderValue {
        HeaderValue::from_static(self.token())
    }
}

/// How much a visitor wants a coding, from 0 to 1000.
pub(crate) fn wish(asked: &HeaderMap, coding: Coding) -> u16 {
    let mut any = 0;
    for value in asked.get_all(ACCEPT_ENCODING) {
        for part in value.to_str().unwrap_or_default().split(',') {
            let (name, weight) = part.split_once(';').unwrap_or((part, ""));
            let (name, weight) = (name.trim(), weight_of(weight));
            if name.eq_ignore_ascii_case(coding.token()) {
                return weight;
            }
            if name == "*" {
                any = weight;
            }
        }
    }
    any
}

fn weight_of(text: &str) -> u16 {
    let Some((_, number)) = text.split_once('=') else {
        return 1_000;
    };
    let weight: f32 = number.trim().parse().unwrap_or(0.0);
    (weight.clamp(0.0, 1.0) * 1_000.0) as u16
}

/// The coding that a visitor wants most; of those that it wants as much, the first one of the order.
pub(crate) fn choose(asked: &HeaderMap, order: &[Coding]) -> Option<Coding> {
    let mut best = (0, None);
    for coding in order {
        let wish = wish(asked, *coding);
        if wish > best.0 {
            best = (wish, Some(*coding));
        }
    }
    best.1
}

/// Codes bytes into memory.
pub(crate) enum Encoder {
    Brotli(Box<BrotliEncoder<Vec<u8>>>),
    Zstd(Box<ZstdEncoder<Vec<u8>>>),
    Gzip(Box<GzipEncoder<Vec<u8>>>),
}

impl Encoder {
    pub(crate) fn new(coding: Coding) -> Encoder {
        match coding {
            Coding::Brotli => Encoder::Brotli(Box::new(BrotliEncoder::with_quality(Vec::new(), BROTLI))),
            Coding::Zstd => Encoder::Zstd(Box::new(ZstdEncoder::with_quality(Vec::new(), ZSTD))),
            Coding::Gzip => Encoder::Gzip(Box::new(GzipEncoder::with_quality(Vec::new(), GZIP))),
        }
    }

    fn writer(&mut self) -> Pin<&mut (dyn AsyncWrite + Unpin)> {
        match self {
            Encoder::Brotli(encoder) => Pin::new(&mut **encoder),
            Encoder::Zstd(encoder) => Pin::new(&mut **encoder),
            Encoder::Gzip(encoder) => Pin::new(&mut **encoder),
        }
    }

    /// Takes in bytes.
    pub(crate) fn write(&mut self, mut bytes: &[u8]) -> io::Result<()> {
        while !bytes.is_empty() {
            let written = at_once(|context| self.writer().poll_write(context, bytes))?;
            if written == 0 {
                return Err(io::ErrorKind::WriteZero.into());
            }
            bytes = &bytes[written..];
        }
        Ok(())
    }

    /// Makes everything that was taken in readable.
    pub(crate) fn flush(&mut self) -> io::Result<()> {
        at_once(|context| self.writer().poll_flush(context))
    }

    /// Ends it.
    pub(crate) fn finish(&mut self) -> io::Result<()> {
        at_once(|context| self.writer().poll_shutdown(context))
    }

    /// Hands out what has been coded so far.
    pub(crate) fn take(&mut self) -> Vec<u8> {
        std::mem::take(match self {
            Encoder::Brotli(encoder) => encoder.get_mut(),
            Encoder::Zstd(encoder) => encoder.get_mut(),
            Encoder::Gzip(encoder) => encoder.get_mut(),
        })
    }
}

/// Codes bytes as a whole.
pub(crate) fn whole(coding: Coding, bytes: &[u8]) -> io::Result<Vec<u8>> {
    let mut encoder = Encoder::new(coding);
    encoder.write(bytes)?;
    encoder.finish()?;
    Ok(encoder.take())
}

/// Memory takes everything at once: nothing that is written into it waits.
fn at_once<T>(poll: impl FnOnce(&mut Context<'_>) -> Poll<io::Result<T>>) -> io::Result<T> {
    match poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(done) => done,
        Poll::Pending => Err(io::ErrorKind::WouldBlock.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ORDER: [Coding; 3] = [Coding::Brotli, Coding::Zstd, Coding::Gzip];

    #[test]
    fn a_visitor_gets_the_coding_that_it_wants_most() {
        for (asked, expected) in [
            ("gzip, deflate, br, zstd", Some(Coding::Brotli)),
            ("gzip;q=1.0, br;q=0.5", Some(Coding::Gzip)),
            ("GZIP", Some(Coding::Gzip)),
            ("br;q=0, *", Some(Coding::Zstd)),
            ("*;q=0", None),
            ("identity", None),
            ("gzip;q=nonsense", None),
            ("", None),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(ACCEPT_ENCODING, HeaderValue::from_static(asked));
            assert_eq!(choose(&headers, &ORDER), expected, "{asked}");
        }
        assert_eq!(choose(&HeaderMap::new(), &ORDER), None);
    }

    #[test]
    fn what_is_flushed_can_be_read_before_the_end() {
        for coding in ORDER {
            let mut encoder = Encoder::new(coding);
            encoder.write(b"tick").expect("memory takes it");
            encoder.flush().expect("memory takes it");
            assert!(!encoder.take().is_empty(), "{coding:?}");
        }
    }
}
