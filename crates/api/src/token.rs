//! Tokens: what a client shows to a machine elsewhere, and by what it knows that machine.
//!
//! A token is `towpath1.ID.SECRET.PIN`. The machine keeps its id and a digest of its secret. The pin is the SHA-256 of the public
//! key that the machine shows over TLS: whoever has a token needs no authority to know that it speaks to the right one.

use aws_lc_rs::digest::{SHA256, digest};
use base64_simd::URL_SAFE_NO_PAD;
use std::fmt;
use towpath_model::sealed::Sealed;

/// What every token of this kind begins with: it is found by it where somebody has lost it.
pub const TOKEN: &str = "towpath1";

/// The longest text that is looked at.
const LONGEST: usize = 512;

/// The SHA-256 of a public key, as a certificate holds it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pin([u8; 32]);

/// What a client shows.
#[derive(Debug, Clone)]
pub struct Token {
    /// Which one: it is no secret.
    pub id: String,
    /// What shows that it is ours.
    pub secret: Sealed<String>,
    /// The key of the machine that it is for.
    pub pin: Pin,
}

impl Pin {
    /// The pin of a key (`SubjectPublicKeyInfo`, in DER).
    pub fn of(key: &[u8]) -> Self {
        Pin(sha256(key))
    }

    /// Reads one as it is written; nothing where it is none.
    pub fn parse(text: &str) -> Option<Self> {
        let bytes = URL_SAFE_NO_PAD.decode_to_vec(text).ok()?;
        bytes.try_into().ok().map(Pin)
    }
}

impl fmt::Display for Pin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&URL_SAFE_NO_PAD.encode_to_string(self.0))
    }
}

impl Token {
    /// A new one of 32 bytes that nobody can guess.
    pub fn new(id: String, chance: [u8; 32], pin: Pin) -> Self {
        let secret = Sealed::new(URL_SAFE_NO_PAD.encode_to_string(chance));
        Token { id, secret, pin }
    }

    /// Reads one; why it is none otherwise, without a word of it.
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        let text = text.trim();
        if text.is_empty() {
            return Err("it is empty");
        }
        if text.len() > LONGEST {
            return Err("it is too long");
        }
        let parts: Vec<&str> = text.split('.').collect();
        let [kind, id, secret, pin] = parts.as_slice() else {
            return Err("it does not have four parts with dots between them");
        };
        if *kind != TOKEN {
            return Err("it does not begin with `towpath1.`");
        }
        if id.is_empty() || secret.is_empty() {
            return Err("a part of it is empty");
        }
        if !text.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err("it holds letters that no token has");
        }
        Ok(Token {
            id: (*id).to_owned(),
            secret: Sealed::new((*secret).to_owned()),
            pin: Pin::parse(pin).ok_or("its last part is no key of a machine")?,
        })
    }

    /// All of it, as it is handed to whoever uses it.
    pub fn text(&self) -> Sealed<String> {
        Sealed::new(format!("{TOKEN}.{}.{}.{}", self.id, self.secret.open(), self.pin))
    }
}

/// The SHA-256 of some bytes.
pub fn sha256(bytes: &[u8]) -> [u8; 32] {
    let mut own = [0; 32];
    own.copy_from_slice(digest(&SHA256, bytes).as_ref());
    own
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_read_as_it_was_written_and_its_secret_is_in_no_debug_text() {
        let token = Token::new("5b1c".to_owned(), [7; 32], Pin::of(b"a key"));
        let text = token.text();
        let again = Token::parse(&format!(" {}\n", text.open())).expect("it is one");
        assert_eq!((again.id.as_str(), again.pin), ("5b1c", token.pin));
        assert_eq!(again.secret.open(), token.secret.open());
        assert!(!format!("{again:?}").contains(again.secret.open().as_str()));
    }

    #[test]
    fn what_is_no_token_is_refused_without_a_word_of_it() {
        for (text, why) in [
            ("", "it is empty"),
            ("hunter2", "it does not have four parts with dots between them"),
            ("towpath2.a.b.c", "it does not begin with `towpath1.`"),
            ("towpath1.a..c", "a part of it is empty"),
            ("towpath1.a.b.c", "its last part is no key of a machine"),
            ("towpath1.a.b c.d", "it holds letters that no token has"),
        ] {
            assert_eq!(Token::parse(text).err(), Some(why), "{text}");
        }
        assert_eq!(Token::parse(&"a".repeat(513)).err(), Some("it is too long"));
    }
}
