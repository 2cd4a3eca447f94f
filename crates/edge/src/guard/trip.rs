//! Where somebody wants to go who signs in at a provider, and how the two ends of their way are known to belong together.

use serde::{Deserialize, Serialize};

use super::{cookie, key};

/// How long somebody may take to sign in, with a second factor that lies in another room.
pub(super) const LASTS: u64 = 15 * 60;

/// The longest path that somebody comes back to: providers take addresses of some thousand bytes.
const LONGEST: usize = 1_500;

/// Where somebody wants to go, sealed for their browser.
#[derive(Serialize, Deserialize)]
pub(super) struct Trip {
    pub(super) id: String,
    pub(super) to: String,
    pub(super) until: u64,
    /// The door that they stand before.
    pub(super) mark: String,
}

impl Trip {
    /// What shows that the one who brings the code is the one who has asked for it.
    pub(super) fn verifier(&self, browser: &str) -> String {
        let stamp = cookie::stamp(&["verifier", &self.id, browser]);
        base64_simd::URL_SAFE_NO_PAD.encode_to_string(stamp.as_bytes())
    }

    pub(super) fn nonce(&self, browser: &str) -> String {
        cookie::stamp(&["nonce", &self.id, browser]).to_hex().to_string()
    }
}

/// A path of this host: whatever else a browser would take it for begins otherwise (two slashes, or a backslash), or has
/// something in it that it leaves out.
pub(super) fn local(path: &str) -> &str {
    let mut letters = path.chars();
    let begins = letters.next() == Some('/') && !matches!(letters.next(), Some('/' | '\\'));
    let is_plain = path.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\');
    let is_own = begins && is_plain && path.len() <= LONGEST && !super::journey::is_ours(path);
    if is_own { path } else { "/" }
}

/// A name that nobody can guess.
pub(super) fn name() -> String {
    base64_simd::URL_SAFE_NO_PAD.encode_to_string(key::random::<16>())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_is_sent_to_another_host() {
        for path in ["/", "/a", "/a?b=c&d=%2F%2Fe", "/a//b"] {
            assert_eq!(local(path), path);
        }
        let long = format!("/{}", "a".repeat(LONGEST));
        for path in [
            "",
            "//evil.example",
            "/\\evil.example",
            "/a\\b",
            "https://evil.example/",
            "evil.example",
            "/\t/evil.example",
            "/a\r\nSet-Cookie: b=c",
            "/ä",
            "/.well-known/towpath/sign-in/out",
            &long,
        ] {
            assert_eq!(local(path), "/", "{path}");
        }
    }
}
