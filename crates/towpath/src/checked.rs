//! A manifest that has been read and thought about: everything that a command needs of it.

use crate::door::files::{self, Folder, Place};
use crate::door::git;
use crate::door::terminal::Terminal;
use crate::error_page::{self, error_pages};
use crate::failure::{Failure, Kind};
use crate::provided::provided;
use crate::render;
use crate::veil::{VEIL, hush};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;
use towpath_decide::review::{Whole, review};
use towpath_manifest::{Diagnostic, Reading, Source, Sources, Unread, locate, nearest, read};
use towpath_model::Desired;
use towpath_model::code::{self, Code, Gravity};
use towpath_model::finding::{Finding, Where};
use towpath_model::spec::{Kind as NodeKind, Node, Path as Way, Span, Tree};
use towpath_model::unit::Name;

/// The most bytes of a `.env` file that are looked at.
const MOST_ENV: usize = 256 * 1024;

/// A manifest with all that is to be said about it.
#[derive(Debug)]
pub struct Checked {
    /// The name of the manifest, as the person named it.
    pub name: String,
    /// What was read.
    pub reading: Reading,
    /// What is wrong or doubtful, in the order of the sources.
    pub diagnostics: Vec<Diagnostic>,
    /// The `.env` files that git tracks, as they are shown.
    pub tracked: Vec<String>,
}

/// Reads and checks the manifest that a command is about.
pub fn check(path: Option<&Path>) -> Result<Checked, Failure> {
    Ok(check_at(&files::find_manifest(path)?))
}

/// Reads and checks the manifest at a place.
pub(crate) fn check_at(place: &Place) -> Checked {
    check_read(place, read(&place.name, &Folder::of(place)))
}

/// Checks the manifest at a place, which has been read already.
pub(crate) fn check_read(place: &Place, reading: Reading) -> Checked {
    let read = |name: &str| files::beside(place, name, error_page::MOST);
    check_reading(&place.name, reading, &env_files(place), Some(place), &read)
}

/// Checks a manifest from any sources, with the `.env` files that git tracks.
pub fn check_sources(name: &str, sources: &dyn Sources, tracked: &[Source]) -> Checked {
    let read_page = |name: &str| sources.read(name, error_page::MOST);
    check_reading(name, read(name, sources), tracked, None, &read_page)
}

fn check_reading(
    name: &str,
    mut reading: Reading,
    tracked: &[Source],
    place: Option<&Place>,
    read_page: &dyn Fn(&str) -> Result<Vec<u8>, Unread>,
) -> Checked {
    let mut findings = std::mem::take(&mut reading.findings);
    // Where a text could not be read, what seems to be missing may stand there all the same.
    let torn = findings.iter().any(|finding| finding.code == &code::NOT_TOML);
    if let (Some(root), false) = (&reading.desired, torn) {
        let environments: Vec<(&Name, &Desired)> = reading
            .environments
            .iter()
            .map(|(name, layer)| (name, &layer.desired))
            .collect();
        let whole = Whole {
            tree: &reading.root,
            root,
            environments: &environments,
        };
        let meant = review(&whole);
        findings.extend(meant.into_iter().filter(|finding| !follows(&reading, finding)));
    }
    if let Some(place) = place {
        provided(place, &reading, &mut findings);
    }
    error_pages(&reading, read_page, &mut findings);
    for file in tracked {
        let source = u16::try_from(reading.sources.len()).unwrap_or(u16::MAX);
        findings.extend(towpath_decide::review::tracked_file(source, &file.text));
        reading.sources.push(file.clone());
    }
    let mut diagnostics: Vec<Diagnostic> = findings.iter().map(|finding| locate(&reading, finding)).collect();
    diagnostics.sort_by(|one, other| {
        (one.span, one.code.id, &one.message).cmp(&(other.span, other.code.id, &other.message))
    });
    join(&mut diagnostics);
    hush(&mut diagnostics, &reading.sources);
    Checked {
        name: name.to_owned(),
        reading,
        diagnostics,
        tracked: tracked.iter().map(|file| file.name.clone()).collect(),
    }
}

/// What environments there are.
fn there_are(names: &[&str]) -> String {
    let names: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
    match names.split_last() {
        Some((last, [])) => format!("there is only {last}"),
        Some((last, rest)) => format!("there are {} and {last}", rest.join(", ")),
        None => String::new(),
    }
}

/// Tells once what is told of several environments at one place: an environment that is like another one has its words.
fn join(diagnostics: &mut Vec<Diagnostic>) {
    diagnostics.dedup_by(|next, kept| {
        let same = (next.span, next.code, &next.message) == (kept.span, kept.code, &kept.message);
        if !same {
            return false;
        }
        // Without environments it holds in all of them.
        if next.environments.is_empty() {
            kept.environments.clear();
        } else if !kept.environments.is_empty() {
            for name in &next.environments {
                if !kept.environments.contains(name) {
                    kept.environments.push(name.clone());
                }
            }
        }
        true
    });
}

/// Checks the manifest of an example. A line `# file: NAME` begins a further file, and git tracks its `.env` files.
pub fn check_example(text: &str) -> Checked {
    let mut files: BTreeMap<String, Vec<u8>> = BTreeMap::new();
    let mut name = files::MANIFEST.to_owned();
    for line in text.split_inclusive('\n') {
        match line.trim_end().strip_prefix("# file: ") {
            Some(next) => next.clone_into(&mut name),
            None => files.entry(name.clone()).or_default().extend(line.bytes()),
        }
    }
    let tracked: Vec<Source> = files
        .iter()
        .filter(|(name, _)| name.starts_with(".env"))
        .map(|(name, text)| Source {
            name: name.clone(),
            text: String::from_utf8_lossy(text).into_owned(),
        })
        .collect();
    check_sources(files::MANIFEST, &files, &tracked)
}

/// Whether a finding only follows from something that was written wrongly and has been told.
fn follows(reading: &Reading, finding: &Finding) -> bool {
    let (Where::Key(path) | Where::Value(path)) = &finding.at else {
        return false;
    };
    let mut way = Way::root();
    let mut node: &Node = &reading.root;
    for step in path.steps() {
        let next = match step {
            towpath_model::spec::Step::Key(name) => {
                way = way.key(name);
                node.get(name)
            }
            towpath_model::spec::Step::Nth(index) => {
                way = way.nth(*index);
                node.list().and_then(|list| list.get(*index))
            }
        };
        match next {
            Some(next) if next.kind == NodeKind::Bad => return true,
            Some(next) => node = next,
            None => return false,
        }
    }
    // A table with something unreadable in it is not judged by what is left of it.
    path.steps().len() > 1 && spoiled(node)
}

fn spoiled(node: &Node) -> bool {
    match &node.kind {
        NodeKind::Bad => true,
        NodeKind::Table(entries) => entries.values().any(|entry| spoiled(entry)),
        NodeKind::List(list) => list.iter().any(|entry| spoiled(entry)),
        _ => false,
    }
}

/// A tree with a mark in place of every value that stands at one of these places.
fn veiled(tree: &Tree, sealed: &BTreeSet<Span>) -> Tree {
    let kind = match &tree.kind {
        _ if sealed.is_empty() => return Arc::clone(tree),
        NodeKind::Table(entries) => NodeKind::Table(
            entries
                .iter()
                .map(|(name, entry)| (name.clone(), veiled(entry, sealed)))
                .collect(),
        ),
        NodeKind::List(list) => NodeKind::List(list.iter().map(|one| veiled(one, sealed)).collect()),
        _ if tree.at.is_some_and(|at| sealed.contains(&at.value)) => NodeKind::Text(VEIL.to_owned()),
        _ => return Arc::clone(tree),
    };
    Arc::new(tree.with(kind))
}

/// The `.env` files beside a manifest that git tracks.
fn env_files(place: &Place) -> Vec<Source> {
    let named = |name: &String| {
        let harmless = ["example", "sample", "template", "dist"]
            .iter()
            .any(|word| name.ends_with(word));
        (name == ".env" || name.starts_with(".env.")) && !harmless
    };
    let names: Vec<String> = files::names(&place.folder).into_iter().filter(named).collect();
    git::tracked(&place.folder, &names)
        .into_iter()
        .filter_map(|name| {
            let text = files::text(&place.folder.join(&name), MOST_ENV).ok()??;
            let name = place.beside(&name);
            Some(Source { name, text })
        })
        .collect()
}

impl Checked {
    /// The infrastructure document.
    pub fn document(&self) -> Result<String, Failure> {
        if self
            .diagnostics
            .iter()
            .any(|one| one.code == &code::SECRET_IN_CLEAR)
        {
            let message = format!(
                "nothing is written from {}: what is secret in it would be told",
                self.name
            );
            return Err(
                Failure::new(Kind::Config, message).hint("`towpath check` tells where; mend it first")
            );
        }
        let (root, _) = self.product(None)?;
        let environments = self.environments();
        let whole = Whole {
            tree: &self.reading.root,
            root,
            environments: &environments,
        };
        Ok(towpath_document::document(&whole))
    }

    /// A tree without what is secret in it.
    pub(crate) fn veiled(&self, tree: &Tree) -> Tree {
        let sealed = self.diagnostics.iter().filter(|one| one.sealed);
        veiled(tree, &sealed.map(|one| one.span).collect())
    }

    /// Only what holds in one environment.
    pub fn only(mut self, environment: &str) -> Self {
        self.diagnostics.retain(|diagnostic| {
            diagnostic.environments.is_empty()
                || diagnostic
                    .environments
                    .iter()
                    .any(|name| name.as_str() == environment)
        });
        self
    }

    /// Everything that is told, as text without colors.
    pub fn told(&self) -> String {
        let text = render::diagnostics(&self.diagnostics, &self.reading.sources, false);
        text.lines()
            .map(str::trim_end)
            .collect::<Vec<_>>()
            .join("\n")
            .trim_end()
            .to_owned()
            + "\n"
    }

    /// How many errors and how many warnings there are.
    pub fn count(&self) -> (usize, usize) {
        let errors = self
            .diagnostics
            .iter()
            .filter(|one| one.code.gravity == Gravity::Error)
            .count();
        (errors, self.diagnostics.len() - errors)
    }

    /// The product, and the environment of that name where one is asked for.
    pub fn product(&self, environment: Option<&str>) -> Result<(&Desired, Option<&Name>), Failure> {
        let unreadable =
            || Failure::new(Kind::Config, "the manifest cannot be read").hint("`towpath check` tells why");
        let root = self.reading.desired.as_ref().ok_or_else(unreadable)?;
        let Some(wanted) = environment else {
            return Ok((root, None));
        };
        match self.reading.environments.get_key_value(wanted) {
            Some((name, layer)) => Ok((&layer.desired, Some(name))),
            None => Err(self.unknown_environment(wanted)),
        }
    }

    /// There is no environment of that name.
    pub fn unknown_environment(&self, wanted: &str) -> Failure {
        let names: Vec<&str> = self.reading.environments.keys().map(Name::as_str).collect();
        let hint = match nearest(wanted, names.iter().copied()) {
            Some(near) => format!("did you mean `{near}`?"),
            None if names.is_empty() => {
                "this product has none: declare one with [environment.NAME]".to_owned()
            }
            None => match names
                .iter()
                .find(|name| name.starts_with(wanted) || wanted.starts_with(**name))
                .filter(|_| !wanted.is_empty())
            {
                Some(like) => format!("did you mean `{like}`?"),
                None => there_are(&names),
            },
        };
        Failure::new(Kind::User, format!("there is no environment named `{wanted}`")).hint(hint)
    }

    /// Tells a person that the manifest is wrong, before showing what comes of it all the same.
    pub(crate) fn tell_doubts(&self, terminal: &Terminal) {
        let (errors, _) = self.count();
        if errors > 0 {
            let counted = if errors == 1 {
                "an error".to_owned()
            } else {
                format!("{errors} errors")
            };
            terminal.tell(&format!(
                "note: {} has {counted}; `towpath check` tells them\n",
                self.name
            ));
        }
    }

    /// Refuses to do something with a manifest that is wrong, after telling what is. What somebody else judges, who knows
    /// more, counts for nothing here.
    pub(crate) fn refuse_errors(
        &self,
        done: &str,
        elsewhere: &[&Code],
        color: bool,
        tell: &mut dyn FnMut(&str),
    ) -> Result<(), Failure> {
        let counts = |one: &&Diagnostic| !elsewhere.contains(&one.code);
        let mut counting = self.diagnostics.iter().filter(counts);
        if counting.all(|one| one.code.gravity != Gravity::Error) {
            return Ok(());
        }
        let told: Vec<Diagnostic> = self.diagnostics.iter().filter(counts).cloned().collect();
        tell(&render::diagnostics(&told, &self.reading.sources, color));
        let message = format!("nothing is {done} from {}, which is wrong", self.name);
        Err(Failure::new(Kind::Config, message).hint("mend it first; `towpath check` tells the same"))
    }

    /// All environments with the product in them.
    pub fn environments(&self) -> Vec<(&Name, &Desired)> {
        self.reading
            .environments
            .iter()
            .map(|(name, layer)| (name, &layer.desired))
            .collect()
    }
}
