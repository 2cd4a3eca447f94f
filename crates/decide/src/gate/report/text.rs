//! From bytes to text, and from text to JSON, with the place where that fails.

use super::outcome::Fault;
use serde_json::Value;
use serde_json::error::Category;

/// What to do about a report that breaks off.
pub(super) const WHOLE: &str = "let whatever writes it come to its end before the gate is asked";

/// The text of a report: UTF-8, with or without its mark.
pub(super) fn text(bytes: &[u8]) -> Result<&str, Fault> {
    if bytes.iter().all(u8::is_ascii_whitespace) {
        return Err(Fault::new("is empty", WHOLE));
    }
    if bytes.starts_with(&[0xff, 0xfe]) || bytes.starts_with(&[0xfe, 0xff]) {
        return Err(Fault::new("is UTF-16", "have it written as UTF-8"));
    }
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let text = std::str::from_utf8(bytes).map_err(|error| {
        let at = error.valid_up_to();
        match error.error_len() {
            Some(_) => Fault::new("is no UTF-8", "have it written as UTF-8").at(place(bytes, at)),
            None => Fault::new("breaks off in the middle of a letter", WHOLE).at(place(bytes, at)),
        }
    })?;
    match text.find('\0') {
        Some(at) => Err(Fault::new("has a NUL byte in it", "have it written as text").at(place(bytes, at))),
        None => Ok(text),
    }
}

/// A place in bytes, as an editor counts it.
pub(super) fn place(bytes: &[u8], at: usize) -> String {
    let before = bytes.get(..at).unwrap_or(bytes);
    let line = 1 + before.iter().filter(|byte| **byte == b'\n').count();
    let begin = before
        .iter()
        .rposition(|byte| *byte == b'\n')
        .map_or(0, |newline| newline + 1);
    let column = 1 + String::from_utf8_lossy(&before[begin..]).chars().count();
    format!("line {line}, column {column}")
}

/// A report that is JSON.
pub(super) fn json(bytes: &[u8]) -> Result<Value, Fault> {
    let text = text(bytes)?;
    serde_json::from_str(text).map_err(|error| {
        let at = format!("line {}, column {}", error.line(), error.column());
        let said = error.to_string();
        let said = said.split(" at line ").next().unwrap_or_default();
        let fault = match error.classify() {
            Category::Eof => Fault::new("breaks off", WHOLE),
            _ if said.starts_with("recursion limit") => Fault::new(
                "is nested more deeply than any report is",
                "look what has written it",
            ),
            _ if text.trim_start().starts_with('<') => {
                Fault::new("is XML or HTML and no JSON", "name the report that is JSON")
            }
            _ => Fault::new(format!("is no JSON: {said}"), "look what has written it"),
        };
        fault.at(at)
    })
}
