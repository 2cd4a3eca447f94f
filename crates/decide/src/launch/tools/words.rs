//! Reading tools and versions out of short texts.

use super::find;

/// `python 3.12`: a tool and its version, where one is written.
pub(super) fn need(text: &str) -> (String, Option<String>) {
    let text = text.trim();
    let (tool, version) = text
        .split_once(char::is_whitespace)
        .or_else(|| text.split_once('@'))
        .unwrap_or((text, ""));
    let version = version.trim().trim_start_matches(['v', '=', '^', '~']).trim();
    (
        tool.to_ascii_lowercase(),
        (!version.is_empty()).then(|| version.to_owned()),
    )
}

/// The tools that a command starts, as far as they are known ones: the first word of each of its parts.
pub(super) fn started(command: &str) -> impl Iterator<Item = &str> {
    parts(command).into_iter().filter_map(|part| {
        let mut words = part.split_whitespace();
        let word =
            words.find(|word| !(is_setting(word) || matches!(*word, "exec" | "env" | "time" | "nice")))?;
        find(word.trim_matches(['"', '\''])).map(|_| word.trim_matches(['"', '\'']))
    })
}

/// The parts of a command line that are commands by themselves. What stands in marks is one word.
fn parts(command: &str) -> Vec<&str> {
    let mut parts = Vec::new();
    let mut start = 0;
    let mut open: Option<char> = None;
    let mut escaped = false;
    for (at, letter) in command.char_indices() {
        match (open, letter) {
            _ if escaped => escaped = false,
            (None | Some('"'), '\\') => escaped = true,
            (None, '"' | '\'') => open = Some(letter),
            (Some(mark), letter) if mark == letter => open = None,
            (None, '&' | '|' | ';' | '\n') => {
                parts.push(&command[start..at]);
                start = at + 1;
            }
            _ => {}
        }
    }
    parts.push(&command[start..]);
    parts
}

/// `NAME=value` before a command.
fn is_setting(word: &str) -> bool {
    word.split_once('=').is_some_and(|(name, _)| {
        !name.is_empty()
            && !name.starts_with(|first: char| first.is_ascii_digit())
            && name
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
    })
}

/// The first version in what a tool says of itself: `3.11.2` of `Python 3.11.2`, `22.1.0` of `v22.1.0`, `1.22.1` of
/// `go version go1.22.1 linux/amd64`.
pub(super) fn version(said: &str) -> Option<String> {
    let mut rest = said;
    while let Some(at) = rest.find(|letter: char| letter.is_ascii_digit()) {
        let text = &rest[at..];
        let end = text
            .find(|letter: char| !(letter.is_ascii_digit() || letter == '.'))
            .unwrap_or(text.len());
        let found = text[..end].trim_end_matches('.');
        if found.contains('.') {
            return Some(found.to_owned());
        }
        rest = &text[end..];
    }
    // Some have one number only.
    let first = said.find(|letter: char| letter.is_ascii_digit())?;
    let digits = said[first..].chars().take_while(char::is_ascii_digit);
    Some(digits.collect())
}

/// Whether a version begins with the numbers that are wanted: 3.12 with 3.12.4, and not with 3.1.
pub(super) fn fits(wanted: &str, found: &str) -> bool {
    let mut found = found.split('.');
    wanted
        .trim_end_matches(".x")
        .split('.')
        .all(|number| found.next() == Some(number))
}
