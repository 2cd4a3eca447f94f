//! The lines of a log: how output becomes records, and how a record is written and read.
//!
//! A record is a line: the time with microseconds, a letter for where the text came from, and the text. What a component
//! writes is kept byte by byte, whatever it is; only the end of a line means something.

use jiff::Timestamp;
use std::fmt;
use std::io::Write;

/// A longer line becomes several records: nobody reads on, and memory is bounded by it.
pub const LONGEST_LINE: usize = 16 * 1024;

/// Where a text came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// Standard output.
    Out,
    /// Standard error.
    Err,
    /// The keeper.
    Keeper,
}

impl Source {
    const fn letter(self) -> u8 {
        match self {
            Source::Out => b'o',
            Source::Err => b'e',
            Source::Keeper => b'k',
        }
    }

    fn of(letter: u8) -> Option<Self> {
        [Source::Out, Source::Err, Source::Keeper]
            .into_iter()
            .find(|source| source.letter() == letter)
    }
}

/// A record, as it is read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record<'a> {
    /// When its text was read.
    pub at: Timestamp,
    /// Where it came from.
    pub source: Source,
    /// What was written, without the end of the line.
    pub text: &'a [u8],
}

impl<'a> Record<'a> {
    /// Reads a line without its end. A line that is no record is none: the log was cut there by a crash.
    pub fn read(line: &'a [u8]) -> Option<Self> {
        let space = line.iter().position(|byte| *byte == b' ')?;
        let (time, rest) = line.split_at(space);
        let at = std::str::from_utf8(time).ok()?.parse().ok()?;
        let (letter, text) = rest.get(1..)?.split_first()?;
        let source = Source::of(*letter)?;
        Some(Record {
            at,
            source,
            text: text.strip_prefix(b" ")?,
        })
    }

    /// Adds it to what is going to be written.
    pub fn write(&self, to: &mut Vec<u8>) {
        write!(to, "{:.6} ", self.at).expect("a text in memory takes what is written to it");
        to.extend([self.source.letter(), b' ']);
        to.extend_from_slice(self.text);
        to.push(b'\n');
    }
}

/// Cuts what arrives into lines.
#[derive(Default)]
pub(crate) struct Cutter {
    /// The beginning of a line whose end has not arrived.
    begun: Vec<u8>,
}

impl Cutter {
    /// Hands out every line that is whole by now, and parts of one that is too long.
    pub(crate) fn feed(&mut self, mut bytes: &[u8], mut line: impl FnMut(&[u8])) {
        while let Some(end) = bytes.iter().position(|byte| *byte == b'\n') {
            self.take(&bytes[..end], &mut line);
            line(&self.begun);
            self.begun.clear();
            bytes = &bytes[end + 1..];
        }
        self.take(bytes, &mut line);
        if self.begun.is_empty() {
            self.begun = Vec::new();
        }
    }

    fn take(&mut self, mut bytes: &[u8], line: &mut impl FnMut(&[u8])) {
        while self.begun.len() + bytes.len() > LONGEST_LINE {
            let (fits, rest) = bytes.split_at(LONGEST_LINE - self.begun.len());
            self.begun.extend_from_slice(fits);
            line(&self.begun);
            self.begun.clear();
            bytes = rest;
        }
        self.begun.extend_from_slice(bytes);
    }

    /// Hands out what has no end yet.
    pub(crate) fn flush(&mut self, mut line: impl FnMut(&[u8])) {
        if !self.begun.is_empty() {
            line(&self.begun);
            self.begun = Vec::new();
        }
    }

    /// Whether something waits for the end of its line.
    pub(crate) fn is_begun(&self) -> bool {
        !self.begun.is_empty()
    }
}

impl fmt::Debug for Cutter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Cutter({} bytes)", self.begun.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cut(pieces: &[&[u8]]) -> Vec<Vec<u8>> {
        let mut cutter = Cutter::default();
        let mut lines = Vec::new();
        for piece in pieces {
            cutter.feed(piece, |line| lines.push(line.to_vec()));
        }
        cutter.flush(|line| lines.push(line.to_vec()));
        lines
    }

    #[test]
    fn lines_are_found_however_they_arrive() {
        assert_eq!(
            cut(&[b"on", b"e\ntwo\n\nthr", b"ee"]),
            [&b"one"[..], b"two", b"", b"three"]
        );
        assert_eq!(cut(&[b"a\x00b\x1b[31m\xff\n"]), [b"a\x00b\x1b[31m\xff"]);
    }

    #[test]
    fn a_line_that_is_too_long_becomes_several() {
        let long = vec![b'x'; LONGEST_LINE * 2 + 5];
        let lengths: Vec<usize> = cut(&[&long, b"\ny\n"]).iter().map(Vec::len).collect();
        assert_eq!(lengths, [LONGEST_LINE, LONGEST_LINE, 5, 1]);
        let exact = vec![b'x'; LONGEST_LINE];
        let lengths: Vec<usize> = cut(&[&exact, b"\n"]).iter().map(Vec::len).collect();
        assert_eq!(lengths, [LONGEST_LINE]);
    }

    #[test]
    fn a_record_is_read_as_it_was_written() {
        let record = Record {
            at: "2026-01-02T03:04:05.000006Z".parse().unwrap(),
            source: Source::Err,
            text: b" two  spaces \xff",
        };
        let mut bytes = Vec::new();
        record.write(&mut bytes);
        assert!(bytes.starts_with(b"2026-01-02T03:04:05.000006Z e  two"));
        assert_eq!(Record::read(&bytes[..bytes.len() - 1]), Some(record));
        for broken in ["", "x", "2026-01-02T03:04:05Z", "2026-01-02T03:04:05Z o", "a b c"] {
            assert_eq!(Record::read(broken.as_bytes()), None, "{broken}");
        }
    }
}
