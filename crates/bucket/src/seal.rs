//! Encryption at rest: AES-256-GCM over chunks, so that a range opens only the chunks that it touches.
//!
//! Every file of content has a key of its own, derived from the key of the bucket and the name of the file. A name is random
//! and written to once, so a chunk's number is nonce enough. How many chunks there are follows from the length that the
//! database knows, so a file that was cut does not pass for a shorter one.

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use aws_lc_rs::hkdf::{HKDF_SHA256, Salt};
use std::fmt;
use std::io;
use towpath_model::sealed::Sealed;

/// How much of the content is in a chunk: enough that 16 bytes more are nothing, little enough that a range of a few bytes
/// is read at once.
pub(crate) const CHUNK: u64 = 64 * 1024;

/// What a chunk grows by.
pub(crate) const TAG: u64 = 16;

/// What a key is derived for: another purpose would have another text.
const PURPOSE: &[u8] = b"towpath bucket content 1";

/// The key of a bucket.
#[derive(Debug, Clone)]
pub(crate) struct Seal {
    key: Sealed<[u8; 32]>,
}

/// The key of one file.
pub(crate) struct FileSeal(LessSafeKey);

impl fmt::Debug for FileSeal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[sealed]")
    }
}

impl Seal {
    pub(crate) fn new(key: Sealed<[u8; 32]>) -> Self {
        Seal { key }
    }

    /// The key of the file of this name.
    pub(crate) fn of(&self, name: &str) -> FileSeal {
        let extracted = Salt::new(HKDF_SHA256, name.as_bytes()).extract(self.key.open());
        let derived = extracted
            .expand(&[PURPOSE], &AES_256_GCM)
            .expect("a key of this length can always be derived");
        FileSeal(LessSafeKey::new(UnboundKey::from(derived)))
    }
}

impl FileSeal {
    /// Seals a chunk, and adds its tag.
    pub(crate) fn close(&self, number: u64, chunk: &mut Vec<u8>) -> io::Result<()> {
        let sealed = self
            .0
            .seal_in_place_append_tag(nonce(number), Aad::empty(), chunk);
        sealed.map_err(|_| io::Error::other("the content could not be encrypted"))
    }

    /// Opens a chunk, and takes its tag off. It is refused where it is not what was written.
    pub(crate) fn open(&self, number: u64, chunk: &mut Vec<u8>) -> io::Result<()> {
        let opened = self.0.open_in_place(nonce(number), Aad::empty(), chunk);
        let length = opened
            .map_err(|_| {
                io::Error::new(
                    io::ErrorKind::InvalidData,
                    "the content is damaged, or the key another one",
                )
            })?
            .len();
        chunk.truncate(length);
        Ok(())
    }
}

fn nonce(number: u64) -> Nonce {
    let mut bytes = [0; 12];
    bytes[4..].copy_from_slice(&number.to_be_bytes());
    Nonce::assume_unique_for_key(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seal() -> Seal {
        Seal::new(Sealed::new([7; 32]))
    }

    #[test]
    fn what_was_sealed_opens_again_and_looks_like_nothing_meanwhile() {
        let file = seal().of("a1");
        let mut chunk = b"a boat on a canal".to_vec();
        file.close(3, &mut chunk).unwrap();
        assert_eq!(chunk.len(), 17 + usize::try_from(TAG).unwrap());
        assert!(!chunk.windows(4).any(|window| window == b"boat"));
        file.open(3, &mut chunk).unwrap();
        assert_eq!(chunk, b"a boat on a canal");
    }

    #[test]
    fn another_place_another_file_another_key_and_a_changed_bit_are_refused() {
        let mut sealed = b"a boat on a canal".to_vec();
        seal().of("a1").close(0, &mut sealed).unwrap();
        let refused = |seal: Seal, name: &str, number: u64, chunk: &[u8]| {
            let mut chunk = chunk.to_vec();
            assert!(seal.of(name).open(number, &mut chunk).is_err());
        };
        refused(seal(), "a1", 1, &sealed);
        refused(seal(), "a2", 0, &sealed);
        refused(Seal::new(Sealed::new([8; 32])), "a1", 0, &sealed);
        refused(seal(), "a1", 0, &sealed[..sealed.len() - 1]);
        sealed[0] ^= 1;
        refused(seal(), "a1", 0, &sealed);
    }

    #[test]
    fn the_key_is_never_shown() {
        assert!(!format!("{:?} {:?}", seal(), seal().of("a1")).contains('7'));
    }
}
