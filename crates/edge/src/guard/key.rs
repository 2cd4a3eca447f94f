//! The key of an edge, and what is stamped and sealed with it.
//!
//! It lies in the state folder, for its owner alone, so that whoever has signed in stays so when another edge follows this one
//! or this one is killed. Where it cannot be kept there each edge makes one up, and everybody signs in once more.

use std::path::Path;
use std::sync::OnceLock;

use aws_lc_rs::aead::{AES_256_GCM, Aad, Nonce, RandomizedNonceKey};

use crate::shares::Key;

/// The file in the state folder.
const FILE: &str = "edge.key";

/// How long a nonce is, which stands before what is sealed.
const NONCE: usize = 12;

static KEY: OnceLock<[u8; 32]> = OnceLock::new();

/// Takes the key that lies in a folder, and puts one there where there is none.
pub(crate) fn keep_in(folder: &Path) {
    KEY.get_or_init(|| kept(folder).unwrap_or_else(random));
}

fn kept(folder: &Path) -> Option<[u8; 32]> {
    Some(*Key::of(&folder.join(FILE)).ok()?.bytes())
}

/// The key.
pub(super) fn key() -> &'static [u8; 32] {
    KEY.get_or_init(random)
}

/// Bytes that nobody can guess.
pub(crate) fn random<const COUNT: usize>() -> [u8; COUNT] {
    let mut bytes = [0; COUNT];
    aws_lc_rs::rand::fill(&mut bytes).expect("the system gives random bytes");
    bytes
}

fn lock() -> RandomizedNonceKey {
    let key = blake3::derive_key("towpath edge: what visitors carry sealed", key());
    RandomizedNonceKey::new(&AES_256_GCM, &key).expect("the key is as long as it has to be")
}

/// What a text is sealed for: it is opened for the same only.
fn purpose(of: &[&str]) -> [u8; 32] {
    *super::cookie::stamp(of).as_bytes()
}

/// Seals a text: whoever carries it can neither read nor change it.
pub(super) fn seal(text: &str, of: &[&str]) -> String {
    let mut sealed = text.as_bytes().to_vec();
    let nonce = lock().seal_in_place_append_tag(Aad::from(purpose(of)), &mut sealed);
    let nonce = nonce.expect("what visitors carry is never too long to be sealed");
    let mut whole = nonce.as_ref().to_vec();
    whole.append(&mut sealed);
    base64_simd::URL_SAFE_NO_PAD.encode_to_string(whole)
}

/// The text that was sealed for this.
pub(super) fn unseal(sealed: &str, of: &[&str]) -> Option<String> {
    let mut whole = base64_simd::URL_SAFE_NO_PAD.decode_to_vec(sealed).ok()?;
    let (nonce, text) = whole.split_at_mut_checked(NONCE)?;
    let nonce = Nonce::try_assume_unique_for_key(nonce).ok()?;
    let text = lock().open_in_place(nonce, Aad::from(purpose(of)), text).ok()?;
    String::from_utf8(text.to_vec()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_sealed_is_opened_for_the_same_and_nothing_else() {
        let sealed = seal("ana@example.com", &["session", "a"]);
        assert!(!sealed.contains("ana"));
        assert_ne!(sealed, seal("ana@example.com", &["session", "a"]));
        assert_eq!(
            unseal(&sealed, &["session", "a"]).as_deref(),
            Some("ana@example.com")
        );
        assert_eq!(unseal(&sealed, &["session", "b"]), None);
        assert_eq!(unseal(&sealed, &["sessiona", ""]), None);
        let mut changed = sealed.clone().into_bytes();
        changed[20] ^= 1;
        let changed = String::from_utf8(changed).expect("it is text");
        assert_eq!(unseal(&changed, &["session", "a"]), None);
        for short in ["", "AAAA", &sealed[..16], "%%"] {
            assert_eq!(unseal(short, &["session", "a"]), None);
        }
    }

    #[test]
    fn a_key_is_made_once_for_its_owner_alone_and_kept() {
        let folder = tempfile::tempdir().expect("a folder");
        let first = kept(folder.path()).expect("it is made");
        assert_eq!(kept(folder.path()), Some(first));
        assert_eq!(kept(&folder.path().join("nowhere")), None);
    }
}
