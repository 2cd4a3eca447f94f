//! The key of an edge: by it a cookie is sealed that holds a bucket, and a header is signed that asks for a release.
//!
//! It lies in a file beside the state, so that visitors keep their buckets when the edge is killed, upgraded or started anew,
//! and a steward can sign what its probes ask.

use std::io::{self, ErrorKind};
use std::path::Path;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};

use towpath_model::sealed::Sealed;

use super::Bucket;
use crate::door::{clock, disk};
use crate::guard::random;

/// The header by which a probe asks for a release.
pub const FORCED: &str = "towpath-release";

/// What a sealed bucket has: a number that is used once, the bucket under it, and the stamp.
const SEALED: usize = 8 + 2 + 14;

/// The key of an edge.
#[derive(Debug, Clone)]
pub struct Key(Sealed<[u8; 32]>);

impl Key {
    /// The key in a file, which is made where there is none.
    pub fn of(file: &Path) -> io::Result<Key> {
        let made = blake3::Hash::from(random::<32>()).to_hex();
        let read = |text: &str| blake3::Hash::from_hex(text.trim()).ok();
        let found = match disk::read_text(file) {
            Ok(text) => match read(&text) {
                Some(key) => Some(key),
                None => {
                    // The power went before it was on the disk, or somebody has written into it: visitors get new buckets.
                    disk::remove(file)?;
                    None
                }
            },
            Err(error) if error.kind() == ErrorKind::NotFound => None,
            Err(error) => return Err(error),
        };
        let key = match found {
            Some(key) => key,
            None => read(&write_or_read(file, &made)?).ok_or(ErrorKind::InvalidData)?,
        };
        Ok(Key(Sealed::new(*key.as_bytes())))
    }

    /// What everything else is derived from that is sealed here.
    pub(crate) fn bytes(&self) -> &[u8; 32] {
        self.0.open()
    }

    /// A key that lasts as long as this process.
    pub(crate) fn made_up() -> Key {
        Key(Sealed::new(random()))
    }

    /// What a probe says to get an answer of this release, in the header `FORCED`. It holds until that second since 1970.
    pub fn force(&self, release: &str, until: u64) -> String {
        let stamp = self.stamp(b"release", &[release.as_bytes(), &until.to_le_bytes()]);
        format!("{release};{until};{}", stamp.to_hex())
    }

    /// The release that somebody asks for who may.
    pub(crate) fn forced<'t>(&self, text: &'t str) -> Option<&'t str> {
        let (rest, stamp) = text.rsplit_once(';')?;
        let (release, until) = rest.rsplit_once(';')?;
        let (stamp, until) = (blake3::Hash::from_hex(stamp).ok()?, until.parse::<u64>().ok()?);
        // Stamps are compared in the same time wherever they differ.
        let is_ours = self.stamp(b"release", &[release.as_bytes(), &until.to_le_bytes()]) == stamp;
        (is_ours && clock::since_epoch().as_secs() <= until).then_some(release)
    }

    /// A bucket as a text that says nothing to anybody else, and is another one each time.
    pub(crate) fn seal(&self, bucket: Bucket) -> String {
        let once = &once();
        let number = bucket.number().to_le_bytes();
        let mut sealed = Vec::with_capacity(SEALED);
        sealed.extend_from_slice(once);
        sealed.extend(
            number
                .iter()
                .zip(self.cover(once))
                .map(|(byte, cover)| byte ^ cover),
        );
        sealed.extend_from_slice(&self.of_bucket(*once, number).as_bytes()[..14]);
        base64_simd::URL_SAFE_NO_PAD.encode_to_string(sealed)
    }

    /// The bucket in a text that was sealed with this key.
    pub(crate) fn unseal(&self, text: &str) -> Option<Bucket> {
        let mut bytes = [0; SEALED];
        // What has another length is not looked at any closer.
        if text.len() != SEALED / 3 * 4 {
            return None;
        }
        let out = base64_simd::Out::from_slice(&mut bytes[..]);
        base64_simd::URL_SAFE_NO_PAD.decode(text.as_bytes(), out).ok()?;
        let (once, rest) = bytes.split_first_chunk()?;
        let (number, stamp) = rest.split_at(2);
        let cover = self.cover(once);
        let number = [number[0] ^ cover[0], number[1] ^ cover[1]];
        let ours = self.of_bucket(*once, number);
        let differs = stamp
            .iter()
            .zip(ours.as_bytes())
            .fold(0, |all, (one, other)| all | (one ^ other));
        (differs == 0).then(|| Bucket::of(u64::from(u16::from_le_bytes(number))))
    }

    /// What a bucket is covered with. It is looked at for each request, so it is a hash of one block; what it begins with keeps it
    /// apart from the other two.
    fn cover(&self, once: &[u8; 8]) -> [u8; 2] {
        let mut text = [b'c'; 9];
        text[1..].copy_from_slice(once);
        let all = blake3::keyed_hash(self.0.open(), &text);
        [all.as_bytes()[0], all.as_bytes()[1]]
    }

    /// The stamp of a bucket.
    fn of_bucket(&self, once: [u8; 8], number: [u8; 2]) -> blake3::Hash {
        let mut text = [b'b'; 11];
        text[1..9].copy_from_slice(&once);
        text[9..].copy_from_slice(&number);
        blake3::keyed_hash(self.0.open(), &text)
    }

    fn stamp(&self, purpose: &[u8], of: &[&[u8]]) -> blake3::Hash {
        let mut hasher = blake3::Hasher::new_keyed(self.0.open());
        for text in [purpose].iter().chain(of) {
            hasher.update(&(text.len() as u64).to_le_bytes());
            hasher.update(text);
        }
        hasher.finalize()
    }
}

/// Eight bytes that are used once: numbers in turn under a key of this process. Asking for random ones each time would cost more
/// than everything else about a newcomer.
fn once() -> [u8; 8] {
    static KEY: OnceLock<[u8; 32]> = OnceLock::new();
    static TURN: AtomicU64 = AtomicU64::new(0);
    let turn = TURN.fetch_add(1, Ordering::Relaxed);
    let made = blake3::keyed_hash(KEY.get_or_init(random), &turn.to_le_bytes());
    *made.as_bytes().first_chunk().expect("a hash has 32 bytes")
}

fn write_or_read(file: &Path, made: &str) -> io::Result<String> {
    match disk::write_private_once(file, made) {
        Ok(()) => Ok(made.to_owned()),
        // Another process was faster: its key is the one.
        Err(error) if error.kind() == ErrorKind::AlreadyExists => disk::read_text(file),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_who_has_the_key_reads_a_bucket_or_makes_one() {
        let (key, other) = (Key::made_up(), Key::made_up());
        for number in [0, 1, 2_500, 9_999] {
            let bucket = Bucket::of(number);
            let sealed = key.seal(bucket);
            assert_eq!(key.unseal(&sealed), Some(bucket));
            assert_eq!(other.unseal(&sealed), None);
            assert_ne!(sealed, key.seal(bucket), "equal buckets do not look alike");
            for at in 0..sealed.len() {
                let mut changed = sealed.clone().into_bytes();
                changed[at] = if changed[at] == b'A' { b'B' } else { b'A' };
                let changed = String::from_utf8(changed).expect("it is text");
                assert_eq!(key.unseal(&changed), None);
            }
        }
        for wrong in ["", "1234", &"!".repeat(32), &"A".repeat(33)] {
            assert_eq!(key.unseal(wrong), None);
        }
        assert_eq!(format!("{key:?}"), "Key([sealed])");
    }

    #[test]
    fn a_release_is_asked_for_by_who_has_the_key_and_not_for_ever() {
        let (key, other) = (Key::made_up(), Key::made_up());
        let now = clock::since_epoch().as_secs();
        let asked = key.force("r;2", now + 60);
        assert_eq!(key.forced(&asked), Some("r;2"));
        assert_eq!(other.forced(&asked), None);
        assert_eq!(key.forced(&asked.replace("r;2", "r;3")), None);
        assert_eq!(
            key.forced(&asked.replace(&format!("{}", now + 60), &format!("{}", now + 61))),
            None
        );
        assert_eq!(key.forced(&key.force("two", now - 1)), None, "its time is over");
        assert_eq!(key.forced("two"), None);
    }

    #[test]
    fn a_key_is_made_once_and_found_again() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("edge.key");
        let first = Key::of(&file).expect("it is made");
        let again = Key::of(&file).expect("it is read");
        let sealed = first.seal(Bucket::of(7));
        assert_eq!(again.unseal(&sealed), Some(Bucket::of(7)));
        disk::replace(&file, "nonsense").expect("it is written");
        let anew = Key::of(&file).expect("it is made anew");
        assert_eq!(anew.unseal(&sealed), None);
        let sealed = anew.seal(Bucket::of(7));
        let again = Key::of(&file).expect("it is read");
        assert_eq!(again.unseal(&sealed), Some(Bucket::of(7)));
    }
}
