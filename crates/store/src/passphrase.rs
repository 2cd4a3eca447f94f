//! Texts that a passphrase opens, as the tool `age` writes and reads them: for a password manager, and for keys at rest.
//!
//! The format is the first version of age with its one recipient for passphrases, in letters. A file key is wrapped by what
//! scrypt makes of the passphrase; a header with a check sum over it says how; the text follows in chunks, each with its
//! number and the last one with a mark, so that one that was cut does not pass for a whole one. It is written here over
//! primitives of others because age's own library brings a hundred and fifty packages for recipients that nobody has here.

use aws_lc_rs::aead::{Aad, CHACHA20_POLY1305, LessSafeKey, Nonce, UnboundKey};
use aws_lc_rs::hkdf::{HKDF_SHA256, KeyType, Salt};
use aws_lc_rs::hmac::{self, HMAC_SHA256};
use base64_simd::{STANDARD, STANDARD_NO_PAD};
use towpath_model::sealed::Sealed;
use zeroize::Zeroizing;

use crate::seal::chance;

const BEGIN: &str = "-----BEGIN AGE ENCRYPTED FILE-----";
const END: &str = "-----END AGE ENCRYPTED FILE-----";
const VERSION: &str = "age-encryption.org/v1";
const LABEL: &[u8] = b"age-encryption.org/v1/scrypt";

/// How long a line of letters is.
const LINE: usize = 64;
const CHUNK: usize = 64 * 1024;
const TAG: usize = 16;

/// Two to this is how often scrypt does its work, with a kilobyte each: 128 MiB and a third of a second, for a passphrase
/// that somebody may try to guess who has the text for ever.
const WORK: u8 = 17;

/// More work than a gibibyte is not done for a text that comes from somewhere: it may have been written to stop us.
const MOST_WORK: u8 = 20;

/// Why a text cannot be opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Locked {
    /// The passphrase is another one.
    #[error("the passphrase does not open it")]
    Passphrase,
    /// It is not written as it should be: what is wrong.
    #[error("{0}")]
    Text(&'static str),
}

/// Whether a text is one that a passphrase, or something else, opens.
pub fn is_locked(text: &str) -> bool {
    text.trim_start().starts_with(BEGIN)
}

/// Locks a text with a passphrase.
pub fn lock(text: &str, passphrase: &Sealed<String>) -> String {
    lock_with(text, passphrase, WORK)
}

fn lock_with(text: &str, passphrase: &Sealed<String>, work: u8) -> String {
    let file_key = Zeroizing::new(chance::<16>());
    let salt = chance::<16>();
    let wrapping = wrapping(passphrase, &salt, work);
    let wrapped = sealed(&wrapping[..], [0; 12], &file_key[..]);
    let head = format!(
        "{VERSION}\n-> scrypt {} {work}\n{}\n---",
        STANDARD_NO_PAD.encode_to_string(salt),
        STANDARD_NO_PAD.encode_to_string(wrapped)
    );
    let sum = hmac::sign(&sum_key(&file_key[..]), head.as_bytes());
    let mut whole = format!("{head} {}\n", STANDARD_NO_PAD.encode_to_string(sum)).into_bytes();
    let start = chance::<16>();
    whole.extend_from_slice(&start);
    let key = derived(&file_key[..], &start, b"payload");
    let mut chunks = text.as_bytes().chunks(CHUNK).peekable();
    let mut number = 0;
    loop {
        let chunk = chunks.next().unwrap_or_default();
        let last = chunks.peek().is_none();
        whole.extend(sealed(&key[..], nonce(number, last), chunk));
        number += 1;
        if last {
            return in_letters(&whole);
        }
    }
}

/// Opens a text with its passphrase.
pub fn unlock(text: &str, passphrase: &Sealed<String>) -> Result<Sealed<String>, Locked> {
    let whole = from_letters(text)?;
    let (head, sum, rest) = head(&whole).ok_or(Locked::Text("its head is not whole"))?;
    let (salt, work, wrapped) = stanza(head)?;
    if work > MOST_WORK {
        return Err(Locked::Text(
            "opening it would take more memory than is used for that",
        ));
    }
    let wrapping = wrapping(passphrase, &salt, work);
    let file_key = opened(&wrapping[..], [0; 12], &wrapped).ok_or(Locked::Passphrase)?;
    hmac::verify(&sum_key(&file_key), head.as_bytes(), &sum)
        .map_err(|_| Locked::Text("its head was changed"))?;
    let changed = Locked::Text("it was changed or cut off");
    let (start, mut rest) = rest.split_at_checked(16).ok_or(changed)?;
    let key = derived(&file_key, start, b"payload");
    let mut plain = Zeroizing::new(Vec::new());
    let mut number = 0;
    loop {
        let (chunk, after) = rest.split_at(rest.len().min(CHUNK + TAG));
        let last = after.is_empty();
        let opened = opened(&key[..], nonce(number, last), chunk).ok_or(changed)?;
        // An empty chunk ends only what is empty.
        if opened.is_empty() && number > 0 {
            return Err(changed);
        }
        plain.extend_from_slice(&opened);
        number += 1;
        rest = after;
        if last {
            let text = String::from_utf8(plain.to_vec());
            return text
                .map(Sealed::new)
                .map_err(|_| Locked::Text("what is in it is no text"));
        }
    }
}

/// What scrypt makes of a passphrase.
fn wrapping(passphrase: &Sealed<String>, salt: &[u8], work: u8) -> Zeroizing<[u8; 32]> {
    let parameters = scrypt::Params::new(work, 8, 1).expect("the work is bounded on both sides");
    let mut key = Zeroizing::new([0; 32]);
    let salt = [LABEL, salt].concat();
    scrypt::scrypt(passphrase.open().as_bytes(), &salt, &parameters, &mut key[..])
        .expect("a key of this length can always be derived");
    key
}

/// The length of a key that is derived.
struct Length;

impl KeyType for Length {
    fn len(&self) -> usize {
        32
    }
}

fn derived(file_key: &[u8], salt: &[u8], purpose: &[u8]) -> Zeroizing<[u8; 32]> {
    let mut key = Zeroizing::new([0; 32]);
    Salt::new(HKDF_SHA256, salt)
        .extract(file_key)
        .expand(&[purpose], Length)
        .and_then(|derived| derived.fill(&mut key[..]))
        .expect("a key of this length can always be derived");
    key
}

fn sum_key(file_key: &[u8]) -> hmac::Key {
    hmac::Key::new(HMAC_SHA256, &derived(file_key, &[], b"header")[..])
}

fn cipher(key: &[u8]) -> LessSafeKey {
    LessSafeKey::new(UnboundKey::new(&CHACHA20_POLY1305, key).expect("a key is as long as keys are"))
}

fn sealed(key: &[u8], nonce: [u8; 12], text: &[u8]) -> Vec<u8> {
    let mut inside = text.to_vec();
    let nonce = Nonce::assume_unique_for_key(nonce);
    cipher(key)
        .seal_in_place_append_tag(nonce, Aad::empty(), &mut inside)
        .expect("a text that fits into memory can be sealed");
    inside
}

fn opened(key: &[u8], nonce: [u8; 12], sealed: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    let mut inside = Zeroizing::new(sealed.to_vec());
    let nonce = Nonce::assume_unique_for_key(nonce);
    let length = cipher(key)
        .open_in_place(nonce, Aad::empty(), inside.as_mut_slice())
        .ok()?
        .len();
    inside.truncate(length);
    Some(inside)
}

/// The number of a chunk, and whether it is the last one.
fn nonce(number: u64, last: bool) -> [u8; 12] {
    let mut bytes = [0; 12];
    bytes[3..11].copy_from_slice(&number.to_be_bytes());
    bytes[11] = u8::from(last);
    bytes
}

/// The head up to its check sum, the check sum, and what follows.
fn head(whole: &[u8]) -> Option<(&str, Vec<u8>, &[u8])> {
    let mark = b"\n--- ";
    let at = whole.windows(mark.len()).position(|part| part == mark)?;
    let (head, rest) = whole.split_at_checked(at + mark.len() - 1)?;
    let end = rest.iter().position(|byte| *byte == b'\n')?;
    let sum = STANDARD_NO_PAD.decode_to_vec(rest.get(1..end)?).ok()?;
    Some((std::str::from_utf8(head).ok()?, sum, rest.get(end + 1..)?))
}

/// What a head says about the passphrase: the salt, the work, and the wrapped key.
fn stanza(head: &str) -> Result<([u8; 16], u8, Vec<u8>), Locked> {
    let mut lines = head.lines();
    if lines.next() != Some(VERSION) {
        return Err(Locked::Text("it is of another version of age"));
    }
    let stanza: Vec<&str> = lines.next().unwrap_or_default().split(' ').collect();
    let ["->", "scrypt", salt, work] = stanza.as_slice() else {
        return Err(Locked::Text("it is opened by a key, and not by a passphrase"));
    };
    let wrong = Locked::Text("its head is not written as it should be");
    let salt = STANDARD_NO_PAD.decode_to_vec(salt).map_err(|_| wrong)?;
    let salt = salt.as_slice().try_into().map_err(|_| wrong)?;
    let digits = work.bytes().all(|byte| byte.is_ascii_digit()) && !work.starts_with('0');
    let work = work
        .parse()
        .ok()
        .filter(|work| digits && *work > 0)
        .ok_or(wrong)?;
    let wrapped = lines.next().unwrap_or_default();
    let wrapped = STANDARD_NO_PAD.decode_to_vec(wrapped).map_err(|_| wrong)?;
    if wrapped.len() != 16 + TAG || lines.next() != Some("---") || lines.next().is_some() {
        return Err(wrong);
    }
    Ok((salt, work, wrapped))
}

fn in_letters(whole: &[u8]) -> String {
    let letters = STANDARD.encode_to_string(whole);
    let mut text = format!("{BEGIN}\n");
    let mut rest = letters.as_str();
    while !rest.is_empty() {
        let (line, after) = rest.split_at(rest.len().min(LINE));
        text.push_str(line);
        text.push('\n');
        rest = after;
    }
    text.push_str(END);
    text.push('\n');
    text
}

/// What the letters stand for. Where lines end is nobody's business: password managers change that.
fn from_letters(text: &str) -> Result<Vec<u8>, Locked> {
    let inside = text.trim().strip_prefix(BEGIN);
    let inside = inside.ok_or(Locked::Text("it does not begin as a text of age does"))?;
    let inside = inside.strip_suffix(END);
    let inside = inside.ok_or(Locked::Text("its end is missing"))?;
    let letters: String = inside.split_ascii_whitespace().collect();
    let wrong = Locked::Text("something in it is no letter of base 64");
    STANDARD.decode_to_vec(letters).map_err(|_| wrong)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn passphrase(text: &str) -> Sealed<String> {
        Sealed::new(text.to_owned())
    }

    #[test]
    fn what_was_locked_opens_with_its_passphrase_alone() {
        let right = passphrase("a boat on a canal");
        for text in ["", "A=1\n", &"ä".repeat(CHUNK), &"x".repeat(CHUNK)] {
            let locked = lock_with(text, &right, 4);
            assert!(is_locked(&locked));
            assert!(locked.lines().all(|line| line.len() <= LINE));
            assert_eq!(unlock(&locked, &right).unwrap().open(), text);
            let wrong = unlock(&locked, &passphrase("another")).unwrap_err();
            assert_eq!(wrong, Locked::Passphrase);
        }
    }

    /// Written by age's own library, with little work.
    const BY_AGE: &str = "\
        -----BEGIN AGE ENCRYPTED FILE-----\n\
        YWdlLWVuY3J5cHRpb24ub3JnL3YxCi0+IHNjcnlwdCBjalFvN1VOdTV6YTZLTStP\n\
        ek13cU53IDYKb1JXK1JhOGl5WGV4Z2FkSjhydXppOGxYNnVnK01SSXFlTVhSQTRJ\n\
        ZXVlRQotLS0gUThlSmY1YTg1SWVSYlptK3Ixck55a0xtQmFacnY2YzRVVUFZOEh0\n\
        cmp5MAqkQrM7HxwVyK4mgiRUTtDVB7zyK7PURZvofpwb8yt4xs4TSB75TBTjHJEs\n\
        Sx2CowH1mHE=\n\
        -----END AGE ENCRYPTED FILE-----\n";

    #[test]
    fn what_age_itself_has_locked_opens() {
        let opened = unlock(BY_AGE, &passphrase("a boat on a canal")).unwrap();
        assert_eq!(opened.open(), "A=1\nB=\"two\\nlines\"\n");
    }

    #[test]
    fn a_password_manager_may_break_lines_as_it_likes() {
        let right = passphrase("p");
        let locked = lock_with("A=1\n", &right, 4);
        for text in [
            locked.replace('\n', "\r\n"),
            format!("\n  {}\n\n", locked.trim()),
            locked.replace("-----\n", "-----").replace("\n-----", "-----"),
        ] {
            assert_eq!(unlock(&text, &right).unwrap().open(), "A=1\n");
        }
    }

    #[test]
    fn what_was_changed_or_cut_is_refused() {
        let right = passphrase("p");
        let whole = from_letters(&lock_with(&"x".repeat(CHUNK + 10), &right, 1)).unwrap();
        let mut seen = std::collections::BTreeSet::new();
        // The work that a changed head asks for is bounded as well.
        for at in (0..whole.len()).step_by(1 + whole.len() / 400) {
            let mut changed = whole.clone();
            changed[at] ^= 1;
            let refusal = unlock(&in_letters(&changed), &right);
            seen.insert(refusal.expect_err("it was changed").to_string());
        }
        assert!(seen.contains("it was changed or cut off"), "{seen:?}");
        for cut in [0, 10, 60, 140, 170, whole.len() - 30, whole.len() - 1] {
            assert!(unlock(&in_letters(&whole[..cut]), &right).is_err(), "{cut}");
        }
        for text in [
            "",
            BEGIN,
            "-----BEGIN PGP MESSAGE-----",
            &format!("{BEGIN}\n!\n{END}"),
        ] {
            assert!(matches!(unlock(text, &right), Err(Locked::Text(_))), "{text}");
        }
    }

    #[test]
    fn a_head_that_asks_for_too_much_is_not_obeyed() {
        let right = passphrase("p");
        let whole = from_letters(&lock_with("x", &right, 4)).unwrap();
        let text = String::from_utf8_lossy(&whole).into_owned();
        for (work, why) in [
            ("21", "opening it would take more memory than is used for that"),
            ("99", "opening it would take more memory than is used for that"),
            ("0", "its head is not written as it should be"),
            ("04", "its head is not written as it should be"),
            ("-4", "its head is not written as it should be"),
            ("4 4", "it is opened by a key, and not by a passphrase"),
        ] {
            let first = text.find(" 4\n").expect("the work stands there");
            let mut changed = whole[..first + 1].to_vec();
            changed.extend_from_slice(work.as_bytes());
            changed.extend_from_slice(&whole[first + 2..]);
            let refusal = unlock(&in_letters(&changed), &right).unwrap_err();
            assert_eq!(refusal.to_string(), why, "{work}");
        }
    }
}
