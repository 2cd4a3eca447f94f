//! Who somebody is, made unreadable before it is kept.

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

/// What stands for a person in the database. Without the salt nobody can tell who it is, or try out all ids that there are;
/// with it the same person is found again, so that what is kept about them can be deleted.
pub fn hashed(salt: &str, id: &str) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(salt.as_bytes()).expect("a key may have any length");
    mac.update(id.as_bytes());
    let digest = mac.finalize().into_bytes();
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_person_is_found_again_and_recognized_by_nobody() {
        let one = hashed("salt", "4711");
        assert_eq!(one, hashed("salt", "4711"));
        assert_ne!(one, hashed("other salt", "4711"));
        assert_ne!(one, hashed("salt", "4712"));
        assert_eq!(one.len(), 64);
        assert!(!one.contains("4711"));
    }
}
