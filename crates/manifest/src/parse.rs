//! TOML to a tree in which every node knows its place.

use std::collections::BTreeSet;
use std::ops::Range;
use std::sync::Arc;
use toml::Spanned;
use toml::de::{DeArray, DeTable, DeValue};
use towpath_model::code;
use towpath_model::finding::{Finding, Shown, Where};
use towpath_model::spec::{Entries, Kind, Node, Place, Span};

/// How deep tables and lists may nest. No word of the language needs more than ten.
const DEEPEST: usize = 32;

/// The findings about one text that are told before the rest is left out: behind that many nothing is readable.
const MOST_ERRORS: usize = 50;

/// Parses one source. What is not TOML is told and left out; the rest is there.
pub(crate) fn parse(source: u16, text: &str, findings: &mut Vec<Finding>) -> Node {
    let (table, errors) = DeTable::parse_recoverable(text);
    let mut line_end = 0;
    for error in errors.iter().take(MOST_ERRORS) {
        // Behind the first slip of a line the parser is guessing.
        let start = error.span().map_or(0, |span| span.start.min(text.len()));
        if line_end > 0 && start < line_end {
            continue;
        }
        line_end = text.as_bytes()[start..]
            .iter()
            .position(|byte| *byte == b'\n')
            .map_or(text.len(), |length| start + length + 1);
        findings.push(syntax(source, text, error));
    }
    let wrong = errors.iter().filter_map(|error| Some(error.span()?.start));
    let walk = Walk {
        source,
        wrong: wrong.collect(),
    };
    let span = walk.span(&table.span());
    let mut too_deep = Vec::new();
    let entries = walk.table(table.into_inner(), 0, &mut too_deep);
    for span in too_deep {
        let message = format!("this nests more than {DEEPEST} deep");
        findings.push(
            Finding::new(&code::TOO_DEEP, Where::Span(span), message)
                .label("left out")
                .hint("no word of the language needs more than ten levels: look for a bracket that does not close"),
        );
    }
    Node::written(
        Kind::Table(entries),
        Place {
            key: span,
            value: span,
        },
    )
}

/// What the parser complains of, in our words where those are clearer.
fn syntax(source: u16, text: &str, error: &toml::de::Error) -> Finding {
    let span = error.span().unwrap_or(0..0);
    let at = Where::Span(Span {
        source,
        start: offset(span.start),
        end: offset(span.end.max(span.start)),
    });
    let message = error
        .message()
        .lines()
        .next()
        .unwrap_or_default()
        .trim()
        .to_owned();
    if message.contains("duplicate key") {
        let key = text.get(span.clone()).unwrap_or_default();
        let finding = Finding::new(
            &code::DUPLICATE_KEY,
            at,
            format!("`{}` stands here a second time", Shown(key)),
        )
        .label("again")
        .hint("keep one of them; tables with the same name can be joined into one");
        return match first_of(text, span.start) {
            Some(first) => finding.also(
                Where::Span(Span {
                    source,
                    start: offset(first.start),
                    end: offset(first.end),
                }),
                "first here",
            ),
            None => finding,
        };
    }
    if message.contains("recursion limit") {
        return Finding::new(&code::TOO_DEEP, at, "this nests too deep to be read".to_owned());
    }
    Finding::new(&code::NOT_TOML, at, format!("not TOML: {}", Shown(&message))).maybe_hint(advice(
        text,
        error.span(),
        &message,
    ))
}

/// The line that says first what the line of a byte says again: the same header, or the same key under one header.
fn first_of(text: &str, start: usize) -> Option<Range<usize>> {
    let before = text.get(..start)?;
    let begin = before.rfind('\n').map_or(0, |end| end + 1);
    let line = text.get(begin..)?.lines().next()?;
    let header = line.trim_start().starts_with('[');
    let wanted = said(line);
    let mut end = begin;
    let mut found = None;
    for earlier in text.get(..begin)?.split_inclusive('\n').rev() {
        end -= earlier.len();
        let is_header = earlier.trim_start().starts_with('[');
        if header == is_header && said(earlier) == wanted {
            let indent = earlier.len() - earlier.trim_start().len();
            found = Some(end + indent..end + indent + wanted.len());
        }
        if is_header && !header {
            break;
        }
    }
    found
}

/// The header or the key of a line.
fn said(line: &str) -> &str {
    let line = line.trim();
    match line.starts_with('[') {
        true => line.find(']').map_or(line, |end| &line[..=end]),
        false => line.split('=').next().unwrap_or_default().trim_end(),
    }
}

/// A proposal for the slips that people make most.
fn advice(text: &str, span: Option<Range<usize>>, message: &str) -> Option<String> {
    let start = span?.start.min(text.len());
    let begin = text.get(..start)?.rfind('\n').map_or(0, |end| end + 1);
    let line = text.get(begin..)?.lines().next().unwrap_or_default().trim();
    if ["<<<<<<<", "=======", ">>>>>>>"]
        .iter()
        .any(|mark| line.starts_with(mark))
    {
        return Some(
            "two versions were merged and left open: decide between them, and take the marks out".to_owned(),
        );
    }
    if !line.contains('=') && (line.contains(": ") || line.ends_with(':')) {
        return Some("in TOML a key and its value are joined by `=`, not by `:`".to_owned());
    }
    if line.starts_with("- ") {
        return Some("in TOML a list stands in brackets: key = [\"one\", \"two\"]".to_owned());
    }
    if line.ends_with(',') && !line.starts_with('[') && message.contains("newline") {
        return Some("a line of a table does not end with a comma".to_owned());
    }
    if line.contains('“') || line.contains('”') || line.contains('’') {
        return Some("use plain quotation marks: \"…\"".to_owned());
    }
    if message.contains("string values must be quoted") {
        return Some("text stands between quotation marks: \"…\"".to_owned());
    }
    if message.contains("missing comma") {
        return Some("between the fields of { .. } and the elements of [ .. ] stand commas".to_owned());
    }
    if message.contains("invalid basic string") || message.contains("invalid literal string") {
        return Some("this text does not end on its line: close its quotation mark".to_owned());
    }
    if message.contains("expected newline")
        || message.contains("unclosed")
        || message.contains("unterminated")
    {
        return Some("look for a quotation mark or bracket that is not closed".to_owned());
    }
    Some("a line is a key and its value, key = \"value\", or the name of a table, [table.name]".to_owned())
}

/// An offset as it is kept. Sources are far smaller than the largest one.
fn offset(bytes: usize) -> u32 {
    u32::try_from(bytes).unwrap_or(u32::MAX)
}

struct Walk {
    source: u16,
    /// Where something is no TOML.
    wrong: BTreeSet<usize>,
}

impl Walk {
    fn span(&self, range: &Range<usize>) -> Span {
        Span {
            source: self.source,
            start: offset(range.start),
            end: offset(range.end),
        }
    }

    fn table(&self, table: DeTable<'_>, depth: usize, too_deep: &mut Vec<Span>) -> Entries {
        let mut entries = Entries::with_capacity(table.len());
        for (key, value) in table {
            let key_span = self.span(&key.span());
            let node = self.value(value, Some(key_span), depth + 1, too_deep);
            entries.insert(key.into_inner().into_owned(), Arc::new(node));
        }
        entries
    }

    fn list(&self, list: DeArray<'_>, depth: usize, too_deep: &mut Vec<Span>) -> Vec<Arc<Node>> {
        list.into_iter()
            .map(|value| Arc::new(self.value(value, None, depth + 1, too_deep)))
            .collect()
    }

    fn value(
        &self,
        value: Spanned<DeValue<'_>>,
        key: Option<Span>,
        depth: usize,
        too_deep: &mut Vec<Span>,
    ) -> Node {
        let span = self.span(&value.span());
        let place = Place {
            key: key.unwrap_or(span),
            value: span,
        };
        if depth > DEEPEST {
            too_deep.push(span);
            return Node::written(Kind::Bad, place);
        }
        let single = !matches!(value.get_ref(), DeValue::Array(_) | DeValue::Table(_));
        if single && self.wrong.range(value.span()).next().is_some() {
            return Node::written(Kind::Bad, place);
        }
        let kind = match value.into_inner() {
            DeValue::String(text) => Kind::Text(text.into_owned()),
            DeValue::Integer(number) => {
                let digits = number.as_str();
                match i64::from_str_radix(digits, number.radix()) {
                    Ok(number) => Kind::Integer(number),
                    Err(_) => Kind::Decimal(digits.to_owned()),
                }
            }
            DeValue::Float(number) => Kind::Decimal(number.as_str().to_owned()),
            DeValue::Boolean(flag) => Kind::Bool(flag),
            DeValue::Datetime(time) => Kind::Text(time.to_string()),
            DeValue::Array(list) => {
                let before = too_deep.len();
                let elements = self.list(list, depth, too_deep);
                // What is too deep is told; that the lists around it are not right, either, helps nobody.
                if too_deep.len() > before {
                    Kind::Bad
                } else {
                    Kind::List(elements)
                }
            }
            DeValue::Table(table) => Kind::Table(self.table(table, depth, too_deep)),
        };
        Node::written(kind, place)
    }
}
