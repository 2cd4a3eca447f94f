//! Findings: what is wrong or doubtful, and where.

use crate::code::Code;
use crate::spec::{Path, Span};
use crate::unit::Name;

/// Where a finding points.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Where {
    /// At a stretch of a source.
    Span(Span),
    /// At the key of a node; at the nearest one above it where it was not written.
    Key(Path),
    /// At the value of a node; at the nearest one above it where it was not written.
    Value(Path),
}

/// Something that is wrong or doubtful, found by reading or by thinking about what was read.
#[derive(Debug, Clone, PartialEq)]
pub struct Finding {
    /// The rule.
    pub code: &'static Code,
    /// Where.
    pub at: Where,
    /// What is wrong, with the names and values that it is about.
    pub message: String,
    /// What stands under the underlined place.
    pub label: String,
    /// What to do next.
    pub hint: Option<String>,
    /// Further places that matter, and why.
    pub also: Vec<(Where, String)>,
    /// The environments in which it is so; empty where it is so in all of them.
    pub environments: Vec<Name>,
    /// What stands at the place is secret: wherever its line is shown, it is left out.
    pub sealed: bool,
}

impl Finding {
    /// A finding at a place.
    pub fn new(code: &'static Code, at: Where, message: impl Into<String>) -> Self {
        Finding {
            code,
            at,
            message: message.into(),
            label: String::new(),
            hint: None,
            also: Vec::new(),
            environments: Vec::new(),
            sealed: false,
        }
    }

    /// A finding at the key of a node.
    pub fn key(code: &'static Code, path: Path, message: impl Into<String>) -> Self {
        Finding::new(code, Where::Key(path), message)
    }

    /// A finding at the value of a node.
    pub fn value(code: &'static Code, path: Path, message: impl Into<String>) -> Self {
        Finding::new(code, Where::Value(path), message)
    }

    /// With a text under the underlined place.
    #[must_use]
    pub fn label(mut self, label: impl Into<String>) -> Self {
        self.label = label.into();
        self
    }

    /// With what to do next.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// With what to do next, where there is something to say.
    #[must_use]
    pub fn maybe_hint(mut self, hint: Option<String>) -> Self {
        self.hint = hint.or(self.hint);
        self
    }

    /// With something secret at its place, which must not be shown.
    #[must_use]
    pub fn sealed(mut self) -> Self {
        self.sealed = true;
        self
    }

    /// With a further place that matters.
    #[must_use]
    pub fn also(mut self, at: Where, why: impl Into<String>) -> Self {
        self.also.push((at, why.into()));
        self
    }
}

/// What somebody wrote, as a message shows it: on one line, without control characters, and not too long.
#[derive(Debug, Clone, Copy)]
pub struct Shown<'a>(pub &'a str);

impl std::fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        const MOST: usize = 60;
        for (position, letter) in self.0.chars().enumerate() {
            if position == MOST {
                return f.write_str("…");
            }
            if letter.is_control() || is_unseen(letter) {
                write!(f, "{}", letter.escape_default())?
            } else {
                write!(f, "{letter}")?
            }
        }
        Ok(())
    }
}

/// Letters that nobody sees, or that change how those around them are seen: zero-width ones and turns of direction.
pub fn is_unseen(letter: char) -> bool {
    matches!(letter, '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
}

/// Names in a sentence: `a`, `b` and `c`, with the word that joins the last one, or commas alone for `,`.
pub fn listed<T: std::fmt::Display>(names: impl IntoIterator<Item = T>, joint: &str) -> String {
    let names: Vec<String> = names.into_iter().map(|name| format!("`{name}`")).collect();
    match names.split_last() {
        Some((last, rest)) if !rest.is_empty() && joint != "," => {
            format!("{} {joint} {last}", rest.join(", "))
        }
        _ => names.join(", "),
    }
}
