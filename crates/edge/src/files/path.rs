//! Reads the path of a request as the path of a file below a folder.
//!
//! Whatever would leave the folder, or name something that is meant for nobody, is no path: a part that is `..`, a part with
//! a slash in disguise, a name that begins with a dot. `.well-known` is the one such name that was made to be asked for
//! (RFC 8615).

use std::borrow::Cow;
use std::path::PathBuf;

/// The path of a file.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Path {
    /// Below the folder.
    pub(crate) relative: PathBuf,
    /// It ends with a slash: it names a folder.
    pub(crate) is_folder: bool,
    /// Its last part has a dot in it: it names a file, and no page of an application.
    pub(crate) has_extension: bool,
}

pub(crate) fn parse(written: &str) -> Option<Path> {
    let rest = written.strip_prefix('/')?;
    let (rest, is_folder) = match rest.strip_suffix('/') {
        Some(rest) => (rest, true),
        None => (rest, rest.is_empty()),
    };
    let mut relative = PathBuf::new();
    let mut last = Cow::Borrowed("");
    if !(rest.is_empty() && written == "/") {
        for (at, part) in rest.split('/').enumerate() {
            last = decode(part)?;
            let is_hidden = last.starts_with('.') && !(at == 0 && last == ".well-known");
            if last.is_empty() || is_hidden || last.contains(['/', '\\', '\0']) {
                return None;
            }
            relative.push(&*last);
        }
    }
    Some(Path {
        relative,
        is_folder,
        has_extension: last.contains('.'),
    })
}

fn decode(part: &str) -> Option<Cow<'_, str>> {
    if !part.contains('%') {
        return Some(Cow::Borrowed(part));
    }
    let mut bytes = Vec::with_capacity(part.len());
    let mut rest = part.bytes();
    while let Some(byte) = rest.next() {
        if byte != b'%' {
            bytes.push(byte);
            continue;
        }
        let high = char::from(rest.next()?).to_digit(16)?;
        let low = char::from(rest.next()?).to_digit(16)?;
        bytes.push((high * 16 + low) as u8);
    }
    String::from_utf8(bytes).ok().map(Cow::Owned)
}

/// Whether a file's name has a digest of its content in it, so that another content has another name.
///
/// Bundlers write `app.4f3a2b1c.js`, `app-BxT3k9dZ.js`, `app-Z7WQ5Y3C.css`. A digest that is not recognized costs a question
/// for each page; a word that is taken for one is kept for a year though it changes. So a part counts only if no word looks
/// like it: letters and digits in turns, and of letters either those of hexadecimal numbers or both small and large.
pub fn has_digest(name: &str) -> bool {
    let mut parts = name.split(['.', '-', '_']);
    // The first part is the file's own name.
    parts.next();
    parts.any(is_digest)
}

fn is_digest(part: &str) -> bool {
    if part.len() < 8 || !part.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
        return false;
    }
    let count = |is: fn(&u8) -> bool| part.bytes().filter(is).count();
    let digits = count(u8::is_ascii_digit);
    let (small, large) = (count(u8::is_ascii_lowercase), count(u8::is_ascii_uppercase));
    let is_digit = |byte: &u8| byte.is_ascii_digit();
    let turns = part
        .as_bytes()
        .windows(2)
        .filter(|pair| is_digit(&pair[0]) != is_digit(&pair[1]))
        .count();
    let is_hexadecimal = large == 0 && part.bytes().all(|byte| byte.is_ascii_hexdigit());
    let is_mixed = small > 0 && large > 0;
    let is_large = small == 0 && large > 0;
    digits > 0 && turns >= 2 && (is_hexadecimal || is_mixed || is_large)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_those_of_files_below_the_folder() {
        for (written, relative, is_folder, has_extension) in [
            ("/", "", true, false),
            ("/a.txt", "a.txt", false, true),
            ("/a/b/", "a/b", true, false),
            ("/a%20b/%C3%A4.txt", "a b/ä.txt", false, true),
            (
                "/.well-known/security.txt",
                ".well-known/security.txt",
                false,
                true,
            ),
            ("/v1.2/page", "v1.2/page", false, false),
            ("/a..b", "a..b", false, true),
        ] {
            let expected = Path {
                relative: PathBuf::from(relative),
                is_folder,
                has_extension,
            };
            assert_eq!(parse(written), Some(expected), "{written}");
        }
    }

    #[test]
    fn what_leaves_the_folder_or_is_hidden_is_no_path() {
        for written in [
            "",
            "*",
            "a",
            "//",
            "//example.com",
            "/a//b",
            "/..",
            "/../a",
            "/a/../../b",
            "/%2e%2e/a",
            "/.%2E/a",
            "/a%2f..%2fb",
            "/a%5cb",
            "/a\\b",
            "/.env",
            "/.git/config",
            "/a/.well-known/b",
            "/%00",
            "/a%",
            "/a%2",
            "/%zz",
            "/%ff",
            "/.",
            "/a/./b",
        ] {
            assert_eq!(parse(written), None, "{written}");
        }
    }

    #[test]
    fn a_digest_is_told_from_a_word() {
        for name in [
            "app.4f3a2b1c.js",
            "app-BxT3k9dZ.js",
            "app-Z7WQ5Y3C.css",
            "chunk.d41d8cd98f00b204e9800998ecf8427e.js",
        ] {
            assert!(has_digest(name), "{name}");
        }
        for name in [
            "index.html",
            "report-20260101.html",
            "my-component2.js",
            "photo-4thofjuly.jpg",
            "jquery-3.7.1.min.js",
            "app-SomeComponent.js",
            "4f3a2b1c.js",
            "app-deadbeef.js",
        ] {
            assert!(!has_digest(name), "{name}");
        }
    }
}
