//! Secrets that were written down: in the manifest, or in a `.env` file that git tracks.
//!
//! A finding points at the value itself and is sealed: the line is shown without it, because what CI prints is kept.

use super::super::Whole;
use super::looks::{is_made_up, is_secret_name, is_secret_value, known};
use std::collections::BTreeSet;
use towpath_model::code;
use towpath_model::finding::{Finding, Where};
use towpath_model::spec::{Kind, Node, Path, Span};

/// Secrets in the manifest.
pub(in super::super) fn written(whole: &Whole<'_>, found: &mut Vec<Finding>) {
    let mut walk = Walk {
        known: BTreeSet::new(),
        found,
    };
    walk.node(whole.tree, &mut Vec::new());
}

struct Walk<'a> {
    /// A shorthand stands for several nodes at one place.
    known: BTreeSet<Span>,
    found: &'a mut Vec<Finding>,
}

impl Walk<'_> {
    fn node<'n>(&mut self, node: &'n Node, way: &mut Vec<&'n str>) {
        match &node.kind {
            Kind::Table(entries) => {
                for (name, entry) in entries {
                    way.push(name);
                    self.node(entry, way);
                    way.pop();
                }
            }
            Kind::List(list) => list.iter().for_each(|entry| self.node(entry, way)),
            Kind::Text(text) => self.text(node, text, way),
            _ => {}
        }
    }

    fn text(&mut self, node: &Node, text: &str, way: &[&str]) {
        let Some(place) = node.at else { return };
        let name = match way {
            [.., name, "value"] | [.., name] => *name,
            [] => return,
        };
        let valued = way
            .iter()
            .any(|step| matches!(*step, "env" | "args" | "with" | "headers"))
            && !way
                .iter()
                .any(|step| matches!(*step, "about" | "example" | "body"));
        let what = known(text).or_else(|| {
            (valued && is_secret_name(name) && is_secret_value(name, text))
                .then_some("what looks like a secret")
        });
        let Some(what) = what else { return };
        if !self.known.insert(place.value) {
            return;
        }
        let shown = way.strip_suffix(&["value"]).unwrap_or(way);
        let at = Path::of(shown.iter().copied());
        let message = format!("`{at}` holds {what}, for everybody who can read the repository");
        let secret = proposed(name, way);
        self.found.push(
            Finding::new(&code::SECRET_IN_CLEAR, Where::Span(place.value), message)
                .label("known from here on")
                .hint(hint(way, &secret))
                .sealed(),
        );
    }
}

/// A name for the secret.
fn proposed(name: &str, way: &[&str]) -> String {
    let upper = name.to_ascii_uppercase().replace('-', "_");
    if name.chars().any(|letter| letter.is_ascii_lowercase()) {
        let named = |step: &&&str| !matches!(**step, "with" | "headers" | "env");
        let owner = way.iter().rev().skip(1).find(named).unwrap_or(&"");
        let owner = owner.to_ascii_uppercase().replace('-', "_");
        format!("{owner}_{upper}").trim_matches('_').to_owned()
    } else {
        upper
    }
}

fn hint(way: &[&str], secret: &str) -> String {
    let takes = way
        .iter()
        .any(|step| matches!(*step, "env" | "with" | "cookie" | "token"));
    if takes {
        format!(
            "write \"secret:{secret}\" here, declare [secret.{secret}], and replace the value where it came from: it is known now"
        )
    } else {
        format!("keep it in [secret.{secret}], and replace the value where it came from: it is known now")
    }
}

/// Secrets in a `.env` file that git tracks.
pub(in super::super) fn tracked_file(source: u16, text: &str) -> Vec<Finding> {
    let mut found = Vec::new();
    let mut start = 0;
    for line in text.split_inclusive('\n') {
        if let Some((name, value, from)) = assignment(line) {
            let bare = value.trim_matches(['"', '\'']);
            let secret = known(bare).is_some()
                || (is_secret_name(name)
                    && bare.len() >= 8
                    && !is_made_up(bare)
                    && !bare.starts_with(['$', '<', '/'])
                    && !bare.contains(char::is_whitespace));
            let span = span(source, start + from, value.len());
            if let (true, Some(span)) = (secret, span) {
                found.push(tracked(name, span));
            }
        }
        start += line.len();
    }
    found
}

fn span(source: u16, start: usize, length: usize) -> Option<Span> {
    let end = u32::try_from(start + length).ok()?;
    let start = u32::try_from(start).ok()?;
    Some(Span { source, start, end })
}

fn tracked(name: &str, span: Span) -> Finding {
    let message = format!("git tracks this file, and `{name}` in it is a secret");
    Finding::new(&code::SECRET_TRACKED, Where::Span(span), message)
        .label("in every clone")
        .hint("take the file out of git (`git rm --cached`), name it in .gitignore, and replace the value: it stays in the history")
        .sealed()
}

/// `export NAME=value # remark`: the name, the value, and where it begins in the line.
fn assignment(line: &str) -> Option<(&str, &str, usize)> {
    let (left, right) = line.split_once('=')?;
    let name = left.trim();
    let name = name.strip_prefix("export ").unwrap_or(name).trim();
    if name.is_empty()
        || !name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
    {
        return None;
    }
    let value = right.trim_start();
    let from = line.len() - value.len();
    let value = value.trim_end();
    let end = match value.chars().next() {
        Some(quote @ ('"' | '\'')) => value[1..].find(quote).map_or(value.len(), |at| at + 2),
        _ => value.find(" #").unwrap_or(value.len()),
    };
    let value = value[..end].trim_end();
    (!value.is_empty()).then_some((name, value, from))
}
