//! What files were like when they were seen last, and how that is kept between two runs.
//!
//! A file is compared by its size and its time first. Where these differ, a file that is not too large is compared by what
//! stands in it: one that was only touched, or written again with the same bytes, has not changed. A time says nothing where
//! it is so young that the clock of the file system may not have moved between two writes; such a time is not kept.

use crate::door::{clock, files};
use std::collections::BTreeMap;
use std::ffi::OsString;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};

/// Files up to this size are compared by what stands in them: reading one takes a few milliseconds at most.
pub(crate) const SMALL: u64 = 4 * 1024 * 1024;

/// A file system stamps files by a clock that moves every 1 to 10 milliseconds; this is twice the slowest.
pub(crate) const YOUNG: i64 = 20_000_000;

/// A digest, short enough to keep 50,000 of them in memory.
pub(crate) type Short = [u8; 16];

/// A file as it was seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Seen {
    /// Its size.
    pub(crate) size: u64,
    /// When it was changed last; 0 where that would prove nothing.
    pub(crate) modified: i64,
    /// What stood in it, where that is known.
    pub(crate) digest: Option<Short>,
}

impl Seen {
    /// A file of which nothing is known but what its folder says.
    pub(crate) fn new(stat: &files::Stat) -> Self {
        let is_young = stat.modified.saturating_add(YOUNG) > clock::stamp();
        Seen {
            size: stat.size,
            modified: if is_young { 0 } else { stat.modified },
            digest: None,
        }
    }

    /// The same, with what stands in it.
    pub(crate) fn read(path: &Path, stat: &files::Stat) -> Self {
        Seen {
            digest: content(path, stat),
            ..Seen::new(stat)
        }
    }

    /// Whether size and time prove that it is as it was.
    pub(crate) fn is_like(&self, stat: &files::Stat) -> bool {
        self.modified != 0 && self.modified == stat.modified && self.size == stat.size
    }
}

/// The digest of what stands in a file that is small enough; of a link, where it points.
fn content(path: &Path, stat: &files::Stat) -> Option<Short> {
    let whole = match stat.kind {
        files::Kind::Link => blake3::hash(files::link(path)?.as_os_str().as_bytes()),
        files::Kind::File if stat.size <= SMALL => files::digest(path).ok()?,
        _ => return None,
    };
    whole.as_bytes()[..16].try_into().ok()
}

/// The files of one folder.
pub(crate) type Files = BTreeMap<OsString, Seen>;

/// The files of each folder below one root.
pub(crate) type Folders = BTreeMap<PathBuf, Files>;

/// What was seen under each set of rules, by their digest.
pub(crate) type Kept = BTreeMap<[u8; 32], Folders>;

/// The first bytes of what is kept; the last one is the version.
const MARK: &[u8; 8] = b"towseen\x01";

/// Writes down what was seen. The last bytes are a digest of the others, so that half a file is no file.
pub(crate) fn encode<'a>(roots: impl Iterator<Item = ([u8; 32], Vec<(&'a Path, &'a Files)>)>) -> Vec<u8> {
    let mut bytes = MARK.to_vec();
    for (key, folders) in roots {
        bytes.extend_from_slice(&key);
        number(&mut bytes, folders.len() as u64);
        for (path, files) in folders {
            text(&mut bytes, path.as_os_str().as_bytes());
            number(&mut bytes, files.len() as u64);
            for (name, seen) in files {
                text(&mut bytes, name.as_bytes());
                number(&mut bytes, seen.size);
                bytes.extend_from_slice(&seen.modified.to_le_bytes());
                bytes.push(u8::from(seen.digest.is_some()));
                bytes.extend_from_slice(seen.digest.as_ref().map_or(&[][..], |digest| &digest[..]));
            }
        }
    }
    let digest = blake3::hash(&bytes);
    bytes.extend_from_slice(digest.as_bytes());
    bytes
}

/// Reads what `encode` has written; nothing where it was not written by this version, or not whole.
pub(crate) fn decode(bytes: &[u8]) -> Option<Kept> {
    let (body, digest) = bytes.split_at_checked(bytes.len().checked_sub(32)?)?;
    if blake3::hash(body).as_bytes() != digest {
        return None;
    }
    let mut rest = body.strip_prefix(&MARK[..])?;
    let mut kept = Kept::new();
    while !rest.is_empty() {
        let key = take(&mut rest, 32)?.try_into().ok()?;
        let mut folders = Folders::new();
        for _ in 0..read_number(&mut rest)? {
            let path = PathBuf::from(OsString::from_vec(read_text(&mut rest)?));
            let mut files = Files::new();
            for _ in 0..read_number(&mut rest)? {
                let name = OsString::from_vec(read_text(&mut rest)?);
                files.insert(name, read_seen(&mut rest)?);
            }
            folders.insert(path, files);
        }
        kept.insert(key, folders);
    }
    Some(kept)
}

fn read_seen(rest: &mut &[u8]) -> Option<Seen> {
    let size = read_number(rest)?;
    let modified = i64::from_le_bytes(take(rest, 8)?.try_into().ok()?);
    let digest = match take(rest, 1)? {
        [0] => None,
        _ => Some(take(rest, 16)?.try_into().ok()?),
    };
    Some(Seen {
        size,
        modified,
        digest,
    })
}

/// Seven bits a byte, the lowest first; the highest bit says that more follow.
fn number(bytes: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        bytes.push(value.to_le_bytes()[0] | 0x80);
        value >>= 7;
    }
    bytes.push(value.to_le_bytes()[0]);
}

fn read_number(rest: &mut &[u8]) -> Option<u64> {
    let mut value = 0_u64;
    for shift in (0..64).step_by(7) {
        let byte = take(rest, 1)?[0];
        value |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Some(value);
        }
    }
    None
}

fn text(bytes: &mut Vec<u8>, text: &[u8]) {
    number(bytes, text.len() as u64);
    bytes.extend_from_slice(text);
}

fn read_text(rest: &mut &[u8]) -> Option<Vec<u8>> {
    let length = usize::try_from(read_number(rest)?).ok()?;
    take(rest, length).map(<[u8]>::to_vec)
}

fn take<'a>(rest: &mut &'a [u8], length: usize) -> Option<&'a [u8]> {
    let (taken, left) = rest.split_at_checked(length)?;
    *rest = left;
    Some(taken)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_seen_is_read_as_it_was_written_and_half_of_it_is_nothing() {
        let seen = |size, digest| Seen {
            size,
            modified: -3,
            digest,
        };
        let files: Files = [
            (
                OsString::from_vec(vec![0xff, b'a']),
                seen(u64::MAX, Some([7; 16])),
            ),
            (OsString::from("line\nbreak"), seen(0, None)),
        ]
        .into();
        let folder = Path::new("/p/src");
        let bytes = encode([([9; 32], vec![(folder, &files)]), ([1; 32], vec![])].into_iter());
        let kept = decode(&bytes).unwrap();
        assert_eq!(kept[&[9; 32]][folder], files);
        assert!(kept[&[1; 32]].is_empty());
        assert!((0..bytes.len()).all(|length| decode(&bytes[..length]).is_none()));
        let mut flipped = bytes;
        flipped[20] ^= 1;
        assert!(decode(&flipped).is_none());
    }
}
