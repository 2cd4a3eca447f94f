//! Diagnostics as text for people, and as JSON for programs.

use crate::veil::Veil;
use annotate_snippets::renderer::DecorStyle;
use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::ops::Range;
use towpath_manifest::{Diagnostic, Source};
use towpath_model::code::Gravity;
use towpath_model::finding::is_unseen;
use towpath_model::spec::Span;

/// The most diagnostics that are shown to a person; nobody reads further before mending these.
const MOST_SHOWN: usize = 100;

/// Diagnostics as text.
pub fn diagnostics(found: &[Diagnostic], sources: &[Source], color: bool) -> String {
    let renderer = if color {
        Renderer::styled()
    } else {
        Renderer::plain()
    };
    let renderer = renderer.decor_style(DecorStyle::Ascii);
    let veil = Veil::over(found);
    let mut text = String::new();
    for diagnostic in found.iter().take(MOST_SHOWN) {
        let report = [one(diagnostic, sources, &veil)];
        text.push_str(&renderer.render(&report));
        text.push_str("\n\n");
    }
    if found.len() > MOST_SHOWN {
        text.push_str(&format!(
            "and {} more; `towpath check --json` lists all of them\n\n",
            found.len() - MOST_SHOWN
        ));
    }
    text
}

/// One diagnostic, to be rendered.
fn one<'a>(diagnostic: &'a Diagnostic, sources: &'a [Source], veil: &Veil) -> Group<'a> {
    let level = match diagnostic.code.gravity {
        Gravity::Error => Level::ERROR,
        Gravity::Warning => Level::WARNING,
    };
    let mut group = Group::with_title(
        level
            .primary_title(told(&diagnostic.message))
            .id(diagnostic.code.id),
    );
    let mut marks: BTreeMap<u16, Vec<(Span, &str, bool)>> = BTreeMap::new();
    marks
        .entry(diagnostic.span.source)
        .or_default()
        .push((diagnostic.span, &diagnostic.label, true));
    for (span, why) in &diagnostic.also {
        marks.entry(span.source).or_default().push((*span, why, false));
    }
    let main = diagnostic.span.source;
    let order = std::iter::once(main).chain(marks.keys().copied().filter(|source| *source != main));
    for number in order {
        let (Some(source), Some(marks)) = (sources.get(usize::from(number)), marks.get(&number)) else {
            continue;
        };
        if source.text.is_empty() {
            continue;
        }
        let around = around(
            &source.text,
            marks.iter().map(|(span, _, _)| range(*span, &source.text)),
        );
        let veiled = veil.piece(number, &source.text, around.clone());
        let mut snippet = Snippet::source(seen(&veiled.text))
            .line_start(line_of(&source.text, around.start))
            .path(told(&source.name));
        for (span, label, main) in marks {
            let kind = if *main {
                AnnotationKind::Primary
            } else {
                AnnotationKind::Context
            };
            let bytes = range(*span, &source.text);
            let bytes = veiled.range(bytes.start - around.start..bytes.end - around.start);
            let mut mark = kind.span(bytes);
            if !label.is_empty() {
                mark = mark.label(told(label));
            }
            snippet = snippet.annotation(mark);
        }
        group = group.element(snippet);
    }
    if !diagnostic.environments.is_empty() {
        let names: Vec<&str> = diagnostic.environments.iter().map(|name| name.as_str()).collect();
        group = group.element(Level::NOTE.message(format!("in {}", names.join(", "))));
    }
    if let Some(hint) = &diagnostic.hint {
        group = group.element(Level::HELP.message(told(hint)));
    }
    group
}

/// A text of ours without anything in it that a terminal obeys: what somebody wrote may stand in it.
pub(crate) fn told(text: &str) -> String {
    let one = |letter: char| match letter {
        '\n' => "\n".to_owned(),
        letter if letter.is_control() || is_unseen(letter) => letter.escape_default().to_string(),
        letter => letter.to_string(),
    };
    text.chars().map(one).collect()
}

/// A source as it is shown: what a terminal obeys is replaced by what it shows, as long in bytes, so that what is
/// underlined stays where it is.
fn seen(text: &str) -> String {
    let one = |letter: char| match letter {
        '\n' | '\t' => letter,
        // The end of a line as Windows writes it.
        '\r' => ' ',
        letter if letter.is_control() || is_unseen(letter) => match letter.len_utf8() {
            1 => '?',
            2 => '\u{b7}',
            _ => '\u{fffd}',
        },
        letter => letter,
    };
    text.chars().map(one).collect()
}

/// The bytes of a span, cut to whole letters of the text, and to its first line: what stands on many lines is marked
/// where it begins.
fn range(span: Span, text: &str) -> Range<usize> {
    let floor = |offset: u32| {
        let mut offset = usize::try_from(offset).unwrap_or(usize::MAX).min(text.len());
        while !text.is_char_boundary(offset) {
            offset -= 1;
        }
        offset
    };
    let start = floor(span.start);
    let end = floor(span.end).max(start);
    let line_end = text[start..end].find('\n').map_or(end, |length| start + length);
    start..line_end
}

/// The lines that all marks stand on, or at least the line of the first, so that one finding in a large file does
/// not cost reading all of it.
fn around(text: &str, marks: impl Iterator<Item = Range<usize>>) -> Range<usize> {
    let (start, end) = marks.fold((text.len(), 0), |(start, end), mark| {
        (start.min(mark.start), end.max(mark.end))
    });
    let start = text[..start].rfind('\n').map_or(0, |line| line + 1);
    let end = text[end.max(start)..]
        .find('\n')
        .map_or(text.len(), |length| end.max(start) + length);
    start..end
}

/// The number of the line that a byte stands on, from 1.
fn line_of(text: &str, offset: usize) -> usize {
    1 + text.as_bytes()[..offset.min(text.len())]
        .iter()
        .filter(|byte| **byte == b'\n')
        .count()
}

/// The lines and columns of bytes, both from 1, columns counted in letters: all of a source in one reading of it.
fn positions(text: &str, mut offsets: Vec<usize>) -> BTreeMap<usize, (usize, usize)> {
    offsets.sort_unstable();
    offsets.dedup();
    let mut wanted = offsets.into_iter().peekable();
    let mut places = BTreeMap::new();
    let (mut line, mut column) = (1, 1);
    for (at, letter) in text.char_indices() {
        while let Some(offset) = wanted.next_if(|offset| *offset <= at) {
            places.insert(offset, (line, column));
        }
        if wanted.peek().is_none() {
            return places;
        }
        match letter {
            '\n' => (line, column) = (line + 1, 1),
            _ => column += 1,
        }
    }
    places.extend(wanted.map(|offset| (offset, (line, column))));
    places
}

/// Diagnostics as JSON: an array, in the order in which they are shown.
pub fn as_json(found: &[Diagnostic], sources: &[Source]) -> Value {
    let mut offsets: BTreeMap<u16, Vec<usize>> = BTreeMap::new();
    for span in found.iter().map(|diagnostic| diagnostic.span) {
        if let Some(source) = sources.get(usize::from(span.source)) {
            let bytes = range(span, &source.text);
            offsets
                .entry(span.source)
                .or_default()
                .extend([bytes.start, bytes.end]);
        }
    }
    let places: BTreeMap<u16, BTreeMap<usize, (usize, usize)>> = offsets
        .into_iter()
        .filter_map(|(number, offsets)| {
            let source = sources.get(usize::from(number))?;
            Some((number, positions(&source.text, offsets)))
        })
        .collect();
    let place = |number: u16, offset: usize| {
        let known = places.get(&number).and_then(|places| places.get(&offset));
        known.copied().unwrap_or((1, 1))
    };
    let one = |diagnostic: &Diagnostic| {
        let number = diagnostic.span.source;
        let (file, start, end) = match sources.get(usize::from(number)) {
            Some(source) => {
                let bytes = range(diagnostic.span, &source.text);
                (
                    json!(source.name),
                    place(number, bytes.start),
                    place(number, bytes.end),
                )
            }
            None => (Value::Null, (1, 1), (1, 1)),
        };
        json!({
            "code": diagnostic.code.id,
            "severity": diagnostic.code.gravity.word(),
            "message": diagnostic.message,
            "hint": diagnostic.hint,
            "file": file,
            "line": start.0,
            "column": start.1,
            "end_line": end.0,
            "end_column": end.1,
        })
    };
    found.iter().map(one).collect()
}
