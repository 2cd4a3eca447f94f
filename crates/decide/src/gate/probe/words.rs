//! What people are told of steps, times and texts.

use super::{Act, Place, Request, To, Veil};
use std::time::Duration as Span;

/// The longest text that is told within a sentence, in letters.
const LONGEST: usize = 120;

/// The longest text that is kept as evidence, in letters.
const EVIDENCE: usize = 2_000;

impl Act {
    /// As people call it.
    pub(super) fn words(&self) -> String {
        match self {
            Act::Http(request) | Act::Wait(request) | Act::Fixture { request, .. } => asked(request),
            Act::WebSocket(request) => format!("WebSocket {}", target(&request.to)),
            Act::Tcp(Place { host, port }) => match host {
                Some(host) => format!("port {port} of {host}"),
                None => format!("port {port}"),
            },
            Act::Sql { text, .. } => format!("`{}`", cut(&line(text), LONGEST)),
            Act::Queue { list, .. } => format!("a job on {list}"),
            Act::Command(command) => format!("`{}`", cut(&line(command), LONGEST)),
        }
    }
}

fn asked(request: &Request) -> String {
    format!("{} {}", request.method, target(&request.to))
}

fn target(to: &To) -> &str {
    match to {
        To::Path(target) | To::Url(target) => target,
    }
}

/// `0.4 ms`, `212 ms`, `12.3 s`: as exact as it matters.
pub(super) fn time(span: Span) -> String {
    let micros = span.as_micros();
    match micros {
        0..10_000 => format!("{}.{} ms", micros / 1_000, micros / 100 % 10),
        10_000..10_000_000 => format!("{} ms", micros / 1_000),
        _ => format!("{}.{} s", micros / 1_000_000, micros / 100_000 % 10),
    }
}

/// What came, in a sentence.
pub(super) fn came(text: &str, veil: &Veil) -> String {
    let text = veil.text(text);
    match line(&text).as_str() {
        "" => "nothing".to_owned(),
        line => format!("`{}`", cut(line, LONGEST)),
    }
}

/// What came, as it is kept.
pub(super) fn kept(text: &str, veil: &Veil) -> String {
    cut(&veil.text(text), EVIDENCE)
}

/// `step 2 (GET /x)`, where there are several.
pub(super) fn place(index: usize, of: usize, words: &str) -> String {
    match of {
        0 | 1 => words.to_owned(),
        _ => format!("step {} ({words})", index + 1),
    }
}

fn line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn cut(text: &str, longest: usize) -> String {
    match text.char_indices().nth(longest) {
        Some((at, _)) => format!("{}…", &text[..at]),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_told_as_exactly_as_it_matters() {
        for (micros, told) in [
            (0, "0.0 ms"),
            (420, "0.4 ms"),
            (9_990, "9.9 ms"),
            (212_400, "212 ms"),
            (9_999_999, "9999 ms"),
            (12_345_678, "12.3 s"),
        ] {
            assert_eq!(time(Span::from_micros(micros)), told);
        }
    }

    #[test]
    fn what_came_is_one_line_without_what_nobody_may_see() {
        let veil = Veil::over(["hunter2"]);
        assert_eq!(came(" a\n hunter2  b ", &veil), "`a [sealed] b`");
        assert_eq!(came("\n", &veil), "nothing");
        let long = format!("{}hunter2", "x".repeat(LONGEST - 3));
        let told = came(&long, &veil);
        assert!(!told.contains("hun") && told.ends_with("…`"), "{told}");
    }
}
