//! Leaves out what is secret wherever diagnostics are shown, because terminals and CI keep what they print.

use std::collections::BTreeMap;
use std::ops::Range;
use towpath_manifest::{Diagnostic, Source};
use towpath_model::spec::Span;

/// What stands in place of a secret.
pub(crate) const VEIL: &str = "…";

/// The most letters of a value that a message shows.
const MOST_TOLD: usize = 60;

/// The secrets of some sources, by where they stand.
#[derive(Debug)]
pub(crate) struct Veil {
    spans: BTreeMap<u16, Vec<Range<usize>>>,
}

/// A piece of a source without what is secret in it.
pub(crate) struct Veiled {
    /// The text.
    pub(crate) text: String,
    /// The replaced stretches: where they were, in bytes of the piece, where they are, and where what follows begins.
    moved: Vec<(Range<usize>, Range<usize>, usize)>,
}

impl Veil {
    /// Over everything that these findings call secret.
    pub(crate) fn over(found: &[Diagnostic]) -> Self {
        let mut spans: BTreeMap<u16, Vec<Range<usize>>> = BTreeMap::new();
        for one in found.iter().filter(|one| one.sealed) {
            let (start, end) = (one.span.start as usize, one.span.end as usize);
            spans.entry(one.span.source).or_default().push(start..end);
        }
        for list in spans.values_mut() {
            list.sort_by_key(|span| (span.start, span.end));
            list.dedup_by(|next, before| {
                let joined = next.start < before.end;
                if joined {
                    before.end = before.end.max(next.end);
                }
                joined
            });
        }
        Veil { spans }
    }

    /// A piece of a source as it may be shown.
    pub(crate) fn piece(&self, number: u16, text: &str, around: Range<usize>) -> Veiled {
        let mut shown = String::new();
        let mut moved = Vec::new();
        let mut done = around.start;
        let secrets = self.spans.get(&number).map_or(&[][..], Vec::as_slice);
        let first = secrets.partition_point(|secret| secret.end <= around.start);
        for secret in secrets.iter().skip(first) {
            let (start, end) = (secret.start.max(done), secret.end.min(around.end));
            if start >= end || !text.is_char_boundary(start) || !text.is_char_boundary(end) {
                break;
            }
            shown.push_str(&text[done..start]);
            let from = shown.len();
            let hidden = &text[start..end];
            let quote = hidden
                .chars()
                .next()
                .filter(|letter| ['"', '\''].contains(letter));
            shown.extend(quote);
            shown.push_str(VEIL);
            shown.extend(quote);
            let to = shown.len();
            // The lines below keep their numbers.
            shown.extend(hidden.matches('\n'));
            moved.push((start - around.start..end - around.start, from..to, shown.len()));
            done = end;
        }
        shown.push_str(&text[done..around.end]);
        Veiled { text: shown, moved }
    }
}

impl Veiled {
    /// Where a stretch of the piece is now.
    pub(crate) fn range(&self, bytes: Range<usize>) -> Range<usize> {
        let start = self.place(bytes.start, |now| now.start);
        start..self.place(bytes.end, |now| now.end).max(start)
    }

    fn place(&self, offset: usize, inside: fn(&Range<usize>) -> usize) -> usize {
        for (before, now, next) in self.moved.iter().rev() {
            if offset >= before.end && offset > before.start {
                return match offset - before.end {
                    0 => now.end,
                    past => next + past,
                };
            }
            if offset >= before.start {
                return inside(now);
            }
        }
        offset
    }
}

/// Takes secrets out of what other findings say of the same place.
pub(crate) fn hush(found: &mut [Diagnostic], sources: &[Source]) {
    let secrets: BTreeMap<Span, String> = found
        .iter()
        .filter(|one| one.sealed)
        .filter_map(|one| {
            let source = sources.get(usize::from(one.span.source))?;
            let text = source.text.get(one.span.start as usize..one.span.end as usize)?;
            let told: String = text.trim_matches(['"', '\'']).chars().take(MOST_TOLD).collect();
            (!told.is_empty()).then_some((one.span, told))
        })
        .collect();
    for one in found.iter_mut().filter(|one| !one.sealed) {
        if let Some(secret) = secrets.get(&one.span) {
            one.message = one.message.replace(secret, VEIL);
            one.label = one.label.replace(secret, VEIL);
            one.hint = one.hint.as_ref().map(|hint| hint.replace(secret, VEIL));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checked::check_example;
    use crate::render_diagnostics;

    fn told(text: &str) -> String {
        let checked = check_example(text);
        render_diagnostics(&checked.diagnostics, &checked.reading.sources, false)
    }

    #[test]
    fn a_secret_is_not_shown_by_any_finding_about_its_line() {
        let token = format!("ghp_{}", "1aB2cD3eF4gH5iJ6kL7mN8oP9qR0sT1uV2wX");
        let told = told(&format!(
            "product = \"a\"\n[service.a]\nrun = \"a\"\nenv = {{ A = \"{token}\", B = \"{token}\" }}\nbudged = \"$1\"\n[channel.c]\nslack = \"#c\"\nsecret = \"{token}\"\n"
        ));
        assert!(told.contains("TP0701"), "{told}");
        assert!(!told.contains("1aB2cD"), "{told}");
    }

    #[test]
    fn what_is_underlined_moves_with_its_text() {
        let text = "a = \"secret\", b = 1\nc = 2";
        let veil = Veil {
            spans: BTreeMap::from([(0, std::iter::once(4..12).collect())]),
        };
        let shown = veil.piece(0, text, 0..text.len());
        assert_eq!(shown.text, "a = \"…\", b = 1\nc = 2");
        assert_eq!(&shown.text[shown.range(4..12)], "\"…\"");
        assert_eq!(&shown.text[shown.range(14..15)], "b");
        assert_eq!(&shown.text[shown.range(0..1)], "a");
        assert_eq!(&shown.text[shown.range(6..9)], "\"…\"");
    }

    #[test]
    fn a_secret_of_several_lines_keeps_the_lines_below_in_place() {
        let text = "k = '''\nx\ny'''\nc = 2";
        let veil = Veil {
            spans: BTreeMap::from([(0, std::iter::once(4..14).collect())]),
        };
        assert_eq!(veil.piece(0, text, 0..7).text, "k = '…'");
        assert_eq!(veil.piece(0, text, 0..text.len()).text, "k = '…'\n\n\nc = 2");
    }
}
