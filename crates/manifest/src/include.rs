//! Gathers a manifest and whatever it includes into one tree.
//!
//! Included manifests are joined, not laid over: a thing that two of them say is an error, because nobody could
//! tell which one holds. Each file is read once, however many include it; a circle is an error that names its way.

use crate::parse::parse;
use crate::source::{MOST_BYTES, Source, Sources, Unread};
use std::sync::Arc;
use towpath_model::code;
use towpath_model::finding::{Finding, Shown, Where, listed};
use towpath_model::spec::{Entries, Kind, Node, Span, Tree};

/// The most manifests that one product may be made of.
const MOST_SOURCES: usize = 256;

/// The most bytes that all manifests of a product may have together.
const MOST_TOGETHER: usize = 4 * MOST_BYTES;

/// The manifests of a circle that are named one by one.
const MOST_NAMED: usize = 8;

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
    let gathered = gathering.file(name, None, &mut Vec::new()).map(Arc::new);
    if texts.is_empty() {
        // What is told of a manifest that cannot be read still names it.
        texts.push(Source {
            name: name.to_owned(),
            text: String::new(),
        });
    }
    gathered
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
        self.done.push(identity.clone());
        let text = self.text(name, from)?;
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
            let (Some(path), Some(place)) = (one.scalar(), one.at) else {
                continue;
            };
            let path = beside(name, &path);
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
        self.join_entries(entries, more, "");
        base
    }

    fn join_entries(&mut self, entries: &mut Entries, more: &Entries, table: &str) {
        for (name, node) in more {
            if table.is_empty() && name == "include" {
                continue;
            }
            let Some(old) = entries.get_mut(name) else {
                entries.insert(name.clone(), Arc::clone(node));
                continue;
            };
            // The first two levels are the tables of the root and the named things in them; a thing that two
            // files both declare is told once, and not for each of its fields.
            match (&old.kind, &node.kind) {
                (Kind::Table(below), Kind::Table(above)) if table.is_empty() => {
                    let mut joined = below.clone();
                    self.join_entries(&mut joined, above, name);
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
                            format!("`{}` stands in two manifests", Shown(&whole_name(table, name))),
                        )
                        .label("this is left out")
                        .also(Where::Span(there.key), "this holds")
                        .hint("keep one of them; what belongs together stands in one place"),
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
        let together: usize = self.texts.iter().map(|source| source.text.len()).sum();
        if together + bytes.len() > MOST_TOGETHER {
            let most = MOST_TOGETHER / 1024 / 1024;
            let message = format!("the manifests of this product are together larger than {most} MiB");
            let finding = Finding::new(&code::TOO_LARGE, at, message).label("left out");
            self.findings
                .push(finding.hint("nobody reads that: look whether these are the right files"));
            return None;
        }
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
                let message = format!(
                    "`{}` is not UTF-8 text: the first wrong byte is in line {line}",
                    Shown(name)
                );
                self.findings.push(
                    Finding::new(&code::NOT_UTF8, at, message)
                        .label("not read")
                        .hint("save it as UTF-8 in your editor, or convert it: iconv -f latin1 -t utf-8"),
                );
                None
            }
        }
    }

    fn circle(&mut self, name: &str, from: Option<Span>, identity: &str, way: &[(String, String)]) {
        let start = way.iter().position(|(known, _)| known == identity).unwrap_or(0);
        let names: Vec<&str> = way.iter().skip(start).map(|(_, name)| name.as_str()).collect();
        let message = match names.as_slice() {
            [_] => format!("`{}` includes itself", Shown(name)),
            [first, .., last] if names.len() > MOST_NAMED => format!(
                "`{}` to `{}`, {} manifests, include each other in a circle",
                Shown(first),
                Shown(last),
                names.len()
            ),
            names => format!(
                "{} include each other in a circle",
                listed(names.iter().copied(), "and")
            ),
        };
        self.findings.push(
            Finding::new(
                &code::INCLUDE_LOOP,
                Where::Span(from.unwrap_or_default()),
                message,
            )
            .label("leads back")
            .hint("take this include out: a manifest can use what any other one of the product declares"),
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

/// The name of a source that another one names, relative to the folder of the manifest.
fn beside(name: &str, path: &str) -> String {
    if path.starts_with('/') {
        return path.to_owned();
    }
    let mut steps: Vec<&str> = Vec::new();
    let folder = name.rsplit_once('/').map_or("", |(folder, _)| folder);
    for step in folder.split('/').chain(path.split('/')) {
        match step {
            "" | "." => {}
            ".." if steps.last().is_some_and(|last| *last != "..") => {
                steps.pop();
            }
            step => steps.push(step),
        }
    }
    steps.join("/")
}

/// `service.web`, or `product`.
fn whole_name(table: &str, name: &str) -> String {
    match table {
        "" => name.to_owned(),
        table => format!("{table}.{name}"),
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
    let name = Shown(name);
    let (message, label, hint) = match unread {
        Unread::Missing if included => (
            format!("there is no file `{name}`"),
            "not there",
            "paths are relative to the manifest that includes them",
        ),
        Unread::Missing => (
            format!("there is no `{name}`"),
            "",
            "`towpath init` writes one that fits what is here",
        ),
        Unread::Folder if included => (
            format!("`{name}` is a folder"),
            "a folder",
            "name the files in it, one by one",
        ),
        Unread::Folder => (
            format!("`{name}` is a folder"),
            "",
            "move it away: the manifest is a file of that name",
        ),
        Unread::LinkLoop => (
            format!("the links that lead to `{name}` go in a circle"),
            "leads nowhere",
            "replace one of the links by the file",
        ),
        Unread::Outside => (
            format!("`{name}` lies outside the folder of the product"),
            "outside",
            "copy it here: whoever has the product has to have all of its manifests",
        ),
        Unread::TooLarge => (
            format!("`{name}` is larger than {} MiB", MOST_BYTES / 1024 / 1024),
            "too large",
            "nobody reads that: split it with `include`, or look whether it is the right file",
        ),
        Unread::Refused(why) => (
            format!("`{name}` cannot be read: {}", Shown(why)),
            "not readable",
            "look at what it is, and at its owner and permissions",
        ),
    };
    Finding::new(code, at, message).label(label).hint(hint)
}
