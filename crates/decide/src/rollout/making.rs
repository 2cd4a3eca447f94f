//! Releases as things: the name that a content has, what differs between two, and which are not needed any more.

use super::Known;
use jiff::Timestamp;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use towpath_model::run::{Content, Course, ReleaseId};

/// The name of a content. Every field of it is in the name, whatever fields there will be: it is that of its whole text.
pub fn identify(content: &Content) -> ReleaseId {
    let text = serde_json::to_vec(content).expect("a content is plain data with names as keys");
    ReleaseId::new(blake3::hash(&text).to_hex().chars().take(16).collect::<String>())
}

/// What a difference is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Area {
    /// What was built.
    Code,
    /// The configuration of a component, and how it is rolled out.
    Config,
    /// A variable of a component.
    Env,
    /// A secret, by its version.
    Secret,
    /// A flag's default.
    Flag,
    /// A migration, or when it may run.
    Schema,
    /// The manifest itself.
    Manifest,
}

/// Something that is another way in one of two releases.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// What it is about.
    pub area: Area,
    /// Where: names, from the outside in.
    pub at: Vec<String>,
    /// What stands in the first, where anything does.
    pub before: Option<String>,
    /// What stands in the second.
    pub after: Option<String>,
}

/// Everything that differs. Nothing is left out: what stands in one text of a content and not in the other is told,
/// whatever it is. Secrets are numbers here, and never values.
pub fn diff(before: &Content, after: &Content) -> Vec<Difference> {
    let tree = |content| serde_json::to_value(content).unwrap_or_default();
    let (before, after) = (tree(before), tree(after));
    let mut found = Vec::new();
    compare(&mut Vec::new(), Some(&before), Some(&after), &mut found);
    found.sort_by(|one, other| (one.area, &one.at).cmp(&(other.area, &other.at)));
    found
}

fn compare(at: &mut Vec<String>, before: Option<&Value>, after: Option<&Value>, found: &mut Vec<Difference>) {
    if before == after {
        return;
    }
    // A component that is new, or gone, is one difference and not forty.
    let whole = at.len() == 2 && (before.is_none() || after.is_none());
    if let (Some(Value::Object(_)) | None, Some(Value::Object(_)) | None) = (before, after)
        && !whole
    {
        let keys = |value: Option<&Value>| -> BTreeSet<String> {
            let object = value.and_then(Value::as_object);
            object
                .into_iter()
                .flat_map(|object| object.keys().cloned())
                .collect()
        };
        for key in keys(before).union(&keys(after)) {
            at.push(key.clone());
            let of = |value: Option<&'_ Value>| value.and_then(|value| value.get(key)).cloned();
            compare(at, of(before).as_ref(), of(after).as_ref(), found);
            at.pop();
        }
        return;
    }
    let text = |value: Option<&Value>| {
        let value = value.filter(|value| !value.is_null())?;
        Some(match value {
            Value::String(text) => text.clone(),
            Value::Object(_) => "there".to_owned(),
            other => other.to_string(),
        })
    };
    found.push(Difference {
        area: area(at),
        at: at.clone(),
        before: text(before),
        after: text(after),
    });
}

fn area(at: &[String]) -> Area {
    let words: Vec<&str> = at.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["secrets", ..] => Area::Secret,
        ["flags", ..] => Area::Flag,
        ["schema", ..] => Area::Schema,
        ["components", _, "artifact" | "digest", ..] => Area::Code,
        ["components", _, "component", "env", ..] => Area::Env,
        ["components", ..] => Area::Config,
        _ => Area::Manifest,
    }
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let at = self.at.join(".");
        match (&self.before, &self.after) {
            (Some(before), Some(after)) => write!(f, "{at}: {before} -> {after}"),
            (None, Some(after)) => write!(f, "{at}: new, {after}"),
            (Some(before), None) => write!(f, "{at}: gone, was {before}"),
            (None, None) => f.write_str(&at),
        }
    }
}

/// Which releases are not needed any more: all but the newest so many, and whatever the course names.
pub fn prune(
    course: &Course,
    made: &BTreeMap<ReleaseId, Timestamp>,
    known: &Known,
    keep: usize,
) -> Vec<ReleaseId> {
    let rollout = course
        .rollout
        .iter()
        .flat_map(|one| one.from.iter().chain([&one.to]));
    let named = course.current.iter().chain(&course.before).chain(rollout);
    let named = named.chain(course.warm.iter().map(|warm| &warm.release));
    let needed: BTreeSet<&ReleaseId> = named.chain(course.next.iter().map(|next| &next.to)).collect();
    let mut all: Vec<&ReleaseId> = known.keys().collect();
    all.sort_by_key(|id| std::cmp::Reverse((made.get(*id), *id)));
    let old = all.into_iter().skip(keep);
    old.filter(|id| !needed.contains(id)).cloned().collect()
}
