//! Gathers a manifest and whatever it includes into one tree.
//!
//! Included manifests are joined, not laid over: a thing that two of them say is an error, because nobody could
//! tell which one holds. Each file is read once, however many include it; a circle is an error that names its way.

use crate::parse::parse;
use crate::source::{MOST_BYTES, Source, Sources, Unread};
use std::sync::Arc;
use towpath_model::code;
use towpath_model::finding::{Finding, Where};
use towpath_model::spec::{Entries, Kind, Node, Span, Tree};

/// The most manifests that one product may be made of.
const MOST_SOURCES: usize = 256;

/// Reads the manifest and its includes. `None` where the manifest itself cannot be read.
pub(crate) fn gather(
    name: &str,
    sources: &dyn Sources,
    texts: &mut Vec<Source>,
    findings: &mut Vec<Finding>,
) -> Option<Tree> {
    let mut gathering = Gathering {
        sources,
        texts,
        findings,
        done: Vec::new(),
        full: false,
    };
    gathering.file(name, None, &mut Vec::new()).map(Arc::new)
}

struct Gathering<'a> {
    sources: &'a dyn Sources,
    texts: &'a mut Vec<Source>,
    findings: &'a mut Vec<Finding>,
    /// The identities of the files that have been read.
    done: Vec<String>,
    /// The limit has been told.
    full: bool,
}

impl Gathering<'_> {
    /// Reads one file and joins what it includes. `from` is the place that asks for it; `way` the identities and
    /// names of the files that led here.
    fn file(&mut self, name: &str, from: Option<Span>, way: &mut Vec<(String, String)>) -> Option<Node> {
        let identity = self.sources.identity(name);
        if way.iter().any(|(known, _)| *known == identity) {
            self.circle(name, from, &identity, way);
            return None;
        }
        if self.done.contains(&identity) || self.is_full(from) {
            return None;
        }
        let text = self.text(name, from)?;
        self.done.push(identity.clone());
        let source = u16::try_from(self.texts.len()).ok()?;
        self.texts.push(Source {
            name: name.to_owned(),
            text,
        });
        let node = parse(source, &self.texts.last()?.text, self.findings);
        way.push((identity, name.to_owned()));
        let joined = self.includes(node, name, way);
        way.pop();
        Some(joined)
    }

    /// Joins what a file includes to what it says.
    fn includes(&mut self, node: Node, name: &str, way: &mut Vec<(String, String)>) -> Node {
        let Some(include) = node.get("include").cloned() else {
            return node;
        };
        let wanted: Vec<Tree> = match &include.kind {
            Kind::List(list) => list.clone(),
            _ => vec![include],
        };
        let mut whole = node;
        for one in wanted {
            let (Kind::Text(path), Some(place)) = (&one.kind, one.at) else {
                continue;
            };
            let path = beside(name, path);
            if let Some(other) = self.file(&path, Some(place.value), way) {
                whole = self.join(whole, &other);
            }
        }
        whole
    }

    /// Joins two tables; what both say is told, and the first holds.
    fn join(&mut self, mut base: Node, other: &Node) -> Node {
        let (Kind::Table(entries), Kind::Table(more)) = (&mut base.kind, &other.kind) else {
            return base;
        };
        self.join_entries(entries, more, 0);
        base
    }

    fn join_entries(&mut self, entries: &mut Entries, more: &Entries, depth: usize) {
        for (name, node) in more {
            if depth == 0 && name == "include" {
                continue;
            }
            let Some(old) = entries.get_mut(name) else {
                entries.insert(name.clone(), Arc::clone(node));
                continue;
            };
            // The first two levels are the tables of the root and the named things in them; a thing that two
            // files both declare is told once, and not for each of its fields.
            match (&old.kind, &node.kind) {
                (Kind::Table(below), Kind::Table(above)) if depth == 0 => {
                    let mut joined = below.clone();
                    self.join_entries(&mut joined, above, depth + 1);
                    *old = Arc::new(old.with(Kind::Table(joined)));
                }
                _ => {
                    let (Some(here), Some(there)) = (node.at, old.at) else {
                        continue;
                    };
                    self.findings.push(
                        Finding::new(
                            &code::INCLUDE_CLASH,
                            Where::Span(here.key),
                            format!("`{name}` is said twice"),
                        )
                        .label("this is left out")
                        .also(Where::Span(there.key), "this holds")
                        .hint("keep one of them"),
                    );
                }
            }
        }
    }

    fn text(&mut self, name: &str, from: Option<Span>) -> Option<String> {
        let at = Where::Span(from.unwrap_or_default());
        let bytes = match self.sources.read(name, MOST_BYTES) {
            Ok(bytes) => bytes,
            Err(unread) => {
                self.findings.push(unreadable(name, from.is_some(), at, &unread));
                return None;
            }
        };
        match String::from_utf8(bytes) {
            Ok(text) => Some(text),
            Err(error) => {
                let valid = error.utf8_error().valid_up_to();
                let line = 1 + error
                    .as_bytes()
                    .iter()
                    .take(valid)
                    .filter(|byte| **byte == b'\n')
                    .count();
                let message = format!("{name} is not UTF-8 text: the first wrong byte is in line {line}");
                self.findings.push(
                    Finding::new(&code::NOT_UTF8, at, message)
                        .hint("save it as UTF-8 in your editor, or convert it: iconv -f latin1 -t utf-8"),
                );
                None
            }
        }
    }

    fn circle(&mut self, name: &str, from: Option<Span>, identity: &str, way: &[(String, String)]) {
        let start = way.iter().position(|(known, _)| known == identity).unwrap_or(0);
        let mut names: Vec<&str> = way.iter().skip(start).map(|(_, name)| name.as_str()).collect();
        names.push(name);
        let message = format!("{} include each other in a circle", names.join(", "));
        self.findings.push(
            Finding::new(
                &code::INCLUDE_LOOP,
                Where::Span(from.unwrap_or_default()),
                message,
            )
            .label("leads back")
            .hint("take out one of the includes; a manifest can use what any other one declares"),
        );
    }

    fn is_full(&mut self, from: Option<Span>) -> bool {
        if self.texts.len() < MOST_SOURCES {
            return false;
        }
        if !self.full {
            self.full = true;
            let message = format!("this product has more than {MOST_SOURCES} manifests");
            self.findings.push(
                Finding::new(
                    &code::TOO_MANY_INCLUDES,
                    Where::Span(from.unwrap_or_default()),
                    message,
                )
                .label("this and all further ones are left out")
                .hint("join some of them"),
            );
        }
        true
    }
}

/// The name of a source that another one names.
fn beside(name: &str, path: &str) -> String {
    match name.rsplit_once('/') {
        Some((folder, _)) if !path.starts_with('/') => format!("{folder}/{path}"),
        _ => path.to_owned(),
    }
}

fn unreadable(name: &str, included: bool, at: Where, unread: &Unread) -> Finding {
    let code = match unread {
        Unread::TooLarge => &code::TOO_LARGE,
        Unread::Outside => &code::INCLUDE_OUTSIDE,
        Unread::LinkLoop if included => &code::INCLUDE_LOOP,
        _ if included => &code::INCLUDE_MISSING,
        _ => &code::NO_MANIFEST,
    };
    let (message, hint) = match unread {
        Unread::Missing if included => (
            format!("there is no file {name}"),
            "paths are relative to the manifest that includes them",
        ),
        Unread::Missing => (
            format!("there is no {name}"),
            "`towpath init` writes one that fits what is here",
        ),
        Unread::Folder => (format!("{name} is a folder"), "name a file in it"),
        Unread::LinkLoop => (
            format!("the links that lead to {name} go in a circle"),
            "replace one of the links by the file",
        ),
        Unread::Outside => (
            format!("{name} lies outside the folder of the product"),
            "copy it, or keep it in the same repository",
        ),
        Unread::TooLarge => (
            format!("{name} is larger than {} MiB", MOST_BYTES / 1024 / 1024),
            "nobody reads that: split it with `include`, or look whether it is the right file",
        ),
        Unread::Refused(why) => (
            format!("{name} cannot be read: {why}"),
            "look at its owner and permissions",
        ),
    };
    Finding::new(code, at, message).hint(hint)
}
