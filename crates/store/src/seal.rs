//! Sealing: AES-256-GCM with a key in memory. What is sealed opens only with its key, and only in the place it was sealed for.

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use std::fmt;
use zeroize::Zeroizing;

/// A key. It is gone from memory when it is dropped.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Key(Zeroizing<[u8; 32]>);

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[sealed]")
    }
}

/// Bytes that nobody can guess.
pub fn chance<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    aws_lc_rs::rand::fill(&mut bytes).expect("a system that has no chance cannot keep a secret");
    bytes
}

impl Key {
    /// A new one.
    pub(crate) fn new() -> Self {
        Key(Zeroizing::new(chance()))
    }

    /// The one that these bytes are.
    pub(crate) fn read(bytes: &[u8]) -> Option<Self> {
        Some(Key(Zeroizing::new(bytes.try_into().ok()?)))
    }

    /// Its bytes, for the one place that seals or keeps them.
    pub(crate) fn bytes(&self) -> &[u8] {
        &self.0[..]
    }

    /// What it is told from others by: the beginning of its digest says nothing about it.
    pub(crate) fn mark(&self) -> String {
        let digest = blake3::derive_key("towpath 2026 the mark of a key", self.bytes());
        digest.iter().take(8).map(|byte| format!("{byte:02x}")).collect()
    }

    /// Seals a text for a place. Each nonce is made up by chance: a key would have to seal thousands of millions of values
    /// before one could come twice.
    pub(crate) fn seal(&self, text: &[u8], place: &str) -> Vec<u8> {
        let nonce: [u8; NONCE_LEN] = chance();
        let mut inside = Zeroizing::new(text.to_vec());
        let tag = self
            .cipher()
            .seal_in_place_separate_tag(
                Nonce::assume_unique_for_key(nonce),
                Aad::from(place),
                inside.as_mut_slice(),
            )
            .expect("a text that fits into memory can be sealed");
        [&nonce[..], inside.as_slice(), tag.as_ref()].concat()
    }

    /// What was sealed for a place; nothing where it was not with this key, not for this place, or was changed.
    pub(crate) fn open(&self, sealed: &[u8], place: &str) -> Option<Zeroizing<Vec<u8>>> {
        let (nonce, inside) = sealed.split_at_checked(NONCE_LEN)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).ok()?;
        let mut inside = Zeroizing::new(inside.to_vec());
        let opened = self
            .cipher()
            .open_in_place(nonce, Aad::from(place), inside.as_mut_slice());
        let length = opened.ok()?.len();
        inside.truncate(length);
        Some(inside)
    }

    fn cipher(&self) -> LessSafeKey {
        let key = UnboundKey::new(&AES_256_GCM, self.bytes()).expect("a key is as long as keys are");
        LessSafeKey::new(key)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_sealed_opens_in_its_place_and_looks_like_nothing_meanwhile() {
        let key = Key::new();
        for text in [&b""[..], b"a boat on a canal", &[0; 100_000]] {
            let sealed = key.seal(text, "here");
            assert!(text.len() < 4 || !sealed.windows(4).any(|part| part == &text[..4]));
            assert_eq!(key.open(&sealed, "here").unwrap().as_slice(), text);
        }
        assert_ne!(key.seal(b"same", "here"), key.seal(b"same", "here"));
        assert_eq!(format!("{key:?}"), "[sealed]");
    }

    #[test]
    fn another_place_another_key_and_a_changed_bit_open_nothing() {
        let key = Key::new();
        let sealed = key.seal(b"a boat on a canal", "here");
        assert!(key.open(&sealed, "there").is_none());
        assert!(Key::new().open(&sealed, "here").is_none());
        for at in 0..sealed.len() {
            let mut changed = sealed.clone();
            changed[at] ^= 1;
            assert!(key.open(&changed, "here").is_none(), "{at}");
            assert!(key.open(&sealed[..at], "here").is_none(), "{at}");
        }
        assert_ne!(key.mark(), Key::new().mark());
        assert_eq!(Key::read(key.bytes()), Some(key));
        assert_eq!(Key::read(b"short"), None);
    }
}
