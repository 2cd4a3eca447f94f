//! The forms that values have in a compose file: long and short, text and list, with variables in them.

use serde_json::Value;
use towpath_model::unit::{Bytes, Unit};

/// A value as text, if it is one word and no table or list.
pub(super) fn scalar(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(flag) => Some(flag.to_string()),
        _ => None,
    }
}

/// The elements of a list as texts, or the one text.
pub(super) fn words(value: &Value) -> Vec<String> {
    match value {
        Value::Array(list) => list.iter().filter_map(scalar).collect(),
        other => scalar(other).into_iter().collect(),
    }
}

/// What a list names: its elements, or the keys of a table.
pub(super) fn list(value: &Value) -> Vec<String> {
    match value {
        Value::Object(table) => table.keys().cloned().collect(),
        Value::Array(list) => list
            .iter()
            .filter_map(|one| scalar(one).or_else(|| one.get("target").and_then(scalar)))
            .collect(),
        other => words(other),
    }
}

/// The names and values of a table, or of a list of `NAME=value`. A name alone has no value.
pub(super) fn pairs(value: &Value) -> Vec<(String, Option<String>)> {
    match value {
        Value::Object(table) => table
            .iter()
            .map(|(name, value)| (name.clone(), scalar(value)))
            .collect(),
        Value::Array(list) => list
            .iter()
            .filter_map(scalar)
            .map(|text| match text.split_once('=') {
                Some((name, value)) => (name.to_owned(), Some(value.to_owned())),
                None => (text, None),
            })
            .collect(),
        _ => Vec::new(),
    }
}

/// A text with its variables replaced by what stands for them when they are not set; `None` where nothing does.
pub(super) fn resolved(text: &str) -> Option<String> {
    resolve(text, 0)
}

fn resolve(text: &str, depth: usize) -> Option<String> {
    // A default may hold variables of its own; nobody nests them deeper by hand.
    const DEEPEST: usize = 4;
    if depth > DEEPEST {
        return None;
    }
    let mut whole = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('$') {
        whole.push_str(before);
        if let Some(after) = after.strip_prefix('$') {
            whole.push('$');
            rest = after;
        } else if let Some(inner) = after.strip_prefix('{') {
            let end = closing(inner)?;
            let (inner, behind) = (&inner[..end], &inner[end + 1..]);
            let name = inner.find(|letter: char| !letter.is_ascii_alphanumeric() && letter != '_')?;
            let stands = inner[name..]
                .strip_prefix(":-")
                .or_else(|| inner[name..].strip_prefix('-'))?;
            whole.push_str(&resolve(stands, depth + 1)?);
            rest = behind;
        } else if after.starts_with(|letter: char| letter.is_ascii_alphabetic() || letter == '_') {
            return None;
        } else {
            whole.push('$');
            rest = after;
        }
    }
    whole.push_str(rest);
    Some(whole)
}

/// Where the brace that is open is closed.
fn closing(text: &str) -> Option<usize> {
    let mut open = 0_usize;
    for (at, letter) in text.char_indices() {
        match letter {
            '{' => open += 1,
            '}' if open == 0 => return Some(at),
            '}' => open -= 1,
            _ => {}
        }
    }
    None
}

/// A command in which compose's own variables are left to the shell, and `$$` is a plain one.
pub(super) fn unescaped(text: &str) -> String {
    resolved(text).unwrap_or_else(|| text.replace("$$", "$"))
}

/// A published port.
pub(super) struct Port {
    /// The port that the component listens on.
    pub(super) inside: Option<u16>,
    /// Whether it can be reached from elsewhere than this machine.
    pub(super) public: bool,
}

pub(super) fn ports(service: &Value) -> Vec<Port> {
    let Some(Value::Array(list)) = service.get("ports") else {
        return Vec::new();
    };
    list.iter().filter_map(port).collect()
}

fn port(value: &Value) -> Option<Port> {
    if let Some(target) = value.get("target") {
        return Some(Port {
            inside: number(&scalar(target)?),
            public: true,
        });
    }
    let text = scalar(value)?;
    let text = resolved(&text).unwrap_or(text);
    let text = text.split('/').next().unwrap_or_default();
    Some(Port {
        inside: number(text.rsplit(':').next().unwrap_or_default()),
        public: !text.starts_with("127.") && !text.starts_with("localhost:"),
    })
}

pub(super) fn exposed(service: &Value) -> Option<u16> {
    let expose = service.get("expose")?;
    words(expose).first().and_then(|text| number(text))
}

fn number(text: &str) -> Option<u16> {
    let text = text.split('-').next().unwrap_or_default();
    text.parse().ok().filter(|port| *port > 0)
}

/// A size as compose writes it: `512m` counts in powers of 1024.
pub(in crate::init) fn memory(text: &str) -> Option<String> {
    let text = text.trim().to_ascii_lowercase();
    let text = text.trim_end_matches('b').trim_end_matches('i');
    let (number, unit) = match text.strip_suffix(['k', 'm', 'g']) {
        Some(number) => (number, &text[number.len()..]),
        None => return None,
    };
    let number: u64 = number.parse().ok()?;
    let unit = match unit {
        "k" => "KiB",
        "m" => "MiB",
        _ => "GiB",
    };
    Bytes::parse(&format!("{number}{unit}"))
        .ok()
        .map(|bytes| bytes.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_variable_has_the_value_that_stands_for_it_when_it_is_not_set() {
        for (text, value) in [
            ("${PORT:-8080}", Some("8080")),
            ("postgres:${TAG-16}", Some("postgres:16")),
            ("${A:-${B:-c}}d", Some("cd")),
            ("100$$", Some("100$")),
            ("$5", Some("$5")),
            ("${PORT}", None),
            ("${PORT:?is missing}", None),
            ("$PORT", None),
            ("${PORT", None),
            ("plain", Some("plain")),
        ] {
            assert_eq!(resolved(text).as_deref(), value, "{text}");
        }
    }

    #[test]
    fn compose_counts_memory_in_powers_of_two() {
        assert_eq!(memory("512m").as_deref(), Some("512MiB"));
        assert_eq!(memory("2G").as_deref(), Some("2GiB"));
        assert_eq!(memory("1gib").as_deref(), Some("1GiB"));
        assert_eq!(memory("much"), None);
    }
}
