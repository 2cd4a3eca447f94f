//! What is written in DER, piece by piece: a tag, a length, and so many bytes. What is cut short or longer than it says is
//! nothing.

use jiff::Timestamp;
use jiff::civil::{Date, Time};
use jiff::tz::TimeZone;

pub(super) const INTEGER: u8 = 0x02;
pub(super) const BITS: u8 = 0x03;
pub(super) const OCTETS: u8 = 0x04;
pub(super) const NULL: u8 = 0x05;
pub(super) const NAME: u8 = 0x06;
pub(super) const ENUMERATED: u8 = 0x0A;
pub(super) const TIME: u8 = 0x18;
pub(super) const SEQUENCE: u8 = 0x30;

/// The tag of the part that is optional by this number, and is made of others.
pub(super) const fn part(number: u8) -> u8 {
    0xA0 | number
}

/// Pieces one after the other.
#[derive(Debug, Clone, Copy)]
pub(super) struct Pieces<'a> {
    rest: &'a [u8],
}

/// A piece: its tag, what is in it, and all of it as it stands there.
#[derive(Debug, Clone, Copy)]
pub(super) struct Piece<'a> {
    pub(super) tag: u8,
    pub(super) inside: &'a [u8],
    pub(super) whole: &'a [u8],
}

impl<'a> Pieces<'a> {
    pub(super) fn of(bytes: &'a [u8]) -> Pieces<'a> {
        Pieces { rest: bytes }
    }

    /// The next one.
    pub(super) fn next(&mut self) -> Option<Piece<'a>> {
        let (&tag, after) = self.rest.split_first()?;
        let (&first, after) = after.split_first()?;
        // Tags of several bytes, and lengths that are not known, stand nowhere in what is read here.
        let (length, head) = match first {
            0..=0x7F => (usize::from(first), 2),
            0x81..=0x84 => {
                let bytes = after.get(..usize::from(first & 0x7F))?;
                let length = bytes
                    .iter()
                    .fold(0, |length, byte| (length << 8) | usize::from(*byte));
                (length, 2 + bytes.len())
            }
            _ => return None,
        };
        let end = head.checked_add(length)?;
        let whole = self.rest.get(..end)?;
        self.rest = &self.rest[end..];
        Some(Piece {
            tag,
            inside: &whole[head..],
            whole,
        })
    }

    /// What is in the next one, which has this tag.
    pub(super) fn take(&mut self, tag: u8) -> Option<&'a [u8]> {
        self.next()
            .filter(|piece| piece.tag == tag)
            .map(|piece| piece.inside)
    }

    /// The pieces in the next one, which has this tag.
    pub(super) fn open(&mut self, tag: u8) -> Option<Pieces<'a>> {
        self.take(tag).map(Pieces::of)
    }

    /// The pieces in the next one, if that has this tag.
    pub(super) fn open_if(&mut self, tag: u8) -> Option<Pieces<'a>> {
        (self.rest.first() == Some(&tag))
            .then(|| self.open(tag))
            .flatten()
    }

    /// A moment: `20260102150405Z`.
    pub(super) fn time(&mut self) -> Option<Timestamp> {
        let text = std::str::from_utf8(self.take(TIME)?).ok()?.strip_suffix('Z')?;
        if text.len() != 14 || !text.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        let number = |from: usize, to: usize| text.get(from..to)?.parse::<i8>().ok();
        let date = Date::new(text.get(..4)?.parse().ok()?, number(4, 6)?, number(6, 8)?).ok()?;
        let time = Time::new(number(8, 10)?, number(10, 12)?, number(12, 14)?, 0).ok()?;
        Some(date.to_datetime(time).to_zoned(TimeZone::UTC).ok()?.timestamp())
    }
}

/// A piece with this in it.
pub(super) fn piece(tag: u8, inside: &[&[u8]]) -> Vec<u8> {
    let length: usize = inside.iter().map(|part| part.len()).sum();
    let mut whole = vec![tag];
    match u8::try_from(length) {
        Ok(short @ 0..=0x7F) => whole.push(short),
        _ => {
            let bytes = length.to_be_bytes();
            let used = &bytes[bytes.iter().take_while(|byte| **byte == 0).count()..];
            whole.push(0x80 | used.len() as u8);
            whole.extend_from_slice(used);
        }
    }
    inside.iter().for_each(|part| whole.extend_from_slice(part));
    whole
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_back_and_what_is_cut_short_is_nothing() {
        for length in [0, 1, 127, 128, 255, 256, 70_000] {
            let inside = vec![7; length];
            let whole = piece(SEQUENCE, &[&inside]);
            let mut pieces = Pieces::of(&whole);
            assert_eq!(pieces.take(SEQUENCE), Some(inside.as_slice()), "{length}");
            assert!(pieces.next().is_none());
            assert!(Pieces::of(&whole[..whole.len() - 1]).next().is_none(), "{length}");
        }
        for endless in [&[0x30, 0x80, 0, 0][..], &[0x30, 0x88, 0xFF], &[0x30], &[]] {
            assert!(Pieces::of(endless).next().is_none());
        }
    }

    #[test]
    fn a_moment_is_read() {
        let read = |text: &str| Pieces::of(&piece(TIME, &[text.as_bytes()])).time();
        let wanted = "2026-01-02T15:04:05Z".parse::<Timestamp>().expect("a time");
        assert_eq!(read("20260102150405Z"), Some(wanted));
        for wrong in [
            "20261302150405Z",
            "20260102150405",
            "2026010215040Z",
            "+0260102150405Z",
            "20260102150405.5Z",
        ] {
            assert_eq!(read(wrong), None, "{wrong}");
        }
    }
}
