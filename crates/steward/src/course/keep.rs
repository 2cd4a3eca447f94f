//! What is written down of releases and of their course.

use super::story::Record;
use crate::keep::{CURRENT, Ledger};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::collections::BTreeMap;
use towpath_decide::rollout::Decision;
use towpath_model::run::{Course, Release, ReleaseId, Tree, Work};
use towpath_store::{Batch, Entry, Seq, StoreError};

/// The kinds of records.
pub(crate) const COURSE: &str = "course";
pub(crate) const RELEASE: &str = "release";
pub(crate) const RESTS: &str = "rests";
const TREE: &str = "tree";

/// What the journal says everything about releases is about, so that it can be found again.
pub(crate) const RELEASES: &str = "releases";

/// A release that is kept.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Kept {
    /// The release, as it was handed over.
    pub(crate) release: Release,
    /// When it came here.
    pub(crate) at: Timestamp,
}

/// A course that is another one from now on.
pub(super) struct Changed<'a> {
    /// The course.
    pub(super) course: &'a Course,
    /// A release that has come with it, and its trees.
    pub(super) new: Option<(&'a Kept, &'a BTreeMap<String, Tree>)>,
    /// Nothing of it is to run, as before.
    pub(super) rests: bool,
    /// What follows from it, and why.
    pub(super) entries: Vec<Entry>,
    /// What there is to tell of it for ever.
    pub(super) story: Vec<Record>,
}

impl Ledger {
    /// Writes a course down with all that belongs to it, ahead of what waits.
    pub(super) async fn course(&self, changed: Changed<'_>, now: Timestamp) -> Result<Vec<Seq>, StoreError> {
        let mut records = vec![course_record(changed.course)];
        records.extend(changed.story);
        if !changed.rests {
            records.push((RESTS.to_owned(), CURRENT.to_owned(), None));
        }
        if let Some((kept, trees)) = changed.new {
            // As one text: a value of many components takes much more memory for a moment.
            let text =
                |text: serde_json::Result<String>| Some(serde_json::Value::String(text.unwrap_or_default()));
            let id = kept.release.id.to_string();
            records.push((RELEASE.to_owned(), id, text(serde_json::to_string(kept))));
            let tree = |(name, tree): (&String, &Tree)| {
                (TREE.to_owned(), name.clone(), text(serde_json::to_string(tree)))
            };
            records.extend(trees.iter().map(tree));
        }
        self.write_batch(records, changed.entries, now).await
    }

    /// The trees that releases are made of.
    pub(crate) async fn trees(&self) -> Result<Vec<(String, Tree)>, StoreError> {
        let records = self.records(TREE).await?.into_iter();
        let tree = |(name, body): (String, serde_json::Value)| {
            Some((name, serde_json::from_str(body.as_str()?).ok()?))
        };
        Ok(records.filter_map(tree).collect())
    }

    /// A tree is not kept any more.
    pub(crate) fn forget_tree(&mut self, name: &str) {
        self.remove(TREE, name);
    }

    async fn write_batch(
        &self,
        records: Vec<(String, String, Option<serde_json::Value>)>,
        entries: Vec<Entry>,
        now: Timestamp,
    ) -> Result<Vec<Seq>, StoreError> {
        let batch = Batch {
            records,
            entries,
            ..Batch::default()
        };
        self.write_ahead(batch, now).await
    }

    /// Writes down that all of it is stopped, before any of it is: whoever comes later does not start it again by himself.
    pub(crate) async fn rests(&self, now: Timestamp) -> Result<(), StoreError> {
        let record = (RESTS.to_owned(), CURRENT.to_owned(), Some(json!(true)));
        let entry = about("down", json!({}), "somebody wants it so");
        self.write_batch(vec![record], vec![entry], now).await.map(drop)
    }

    /// A release is not kept any more.
    pub(crate) fn forget_release(&mut self, id: &ReleaseId) {
        self.remove(RELEASE, id.as_str());
    }
}

fn course_record(course: &Course) -> (String, String, Option<serde_json::Value>) {
    (COURSE.to_owned(), CURRENT.to_owned(), Some(json!(course)))
}

/// What is about to be done by a decision, one for each of its acts, and behind them what has become of the rollout.
pub(super) fn entries(before: &Course, decision: &Decision, now: Timestamp) -> Vec<Entry> {
    let because = decision.because.to_string();
    let acts = decision.acts.iter().map(|act| {
        let (what, subject) = word(&act.task.work);
        Entry {
            what: what.to_owned(),
            subject,
            body: json!({ "rollout": act.task.number, "gates": act.gates }),
            because: because.clone(),
            intent: true,
        }
    });
    let mut entries: Vec<Entry> = acts.collect();
    let next = &decision.next;
    if let Some(ended) = next
        .ended
        .as_ref()
        .filter(|ended| before.ended.as_ref() != Some(*ended))
    {
        let what = match ended.promoted {
            true => "promoted",
            false => "not promoted",
        };
        let body = json!({ "release": ended.to, "rollout": ended.number, "took": ended.took });
        entries.push(about(what, body, &ended.because.to_string()));
    }
    if let Some(rehearsed) = next
        .rehearsed
        .as_ref()
        .filter(|one| before.rehearsed.as_ref() != Some(*one))
    {
        let what = if rehearsed.took.is_some() {
            "rehearsed"
        } else {
            "not rehearsed"
        };
        let body =
            json!({ "release": rehearsed.release, "took": rehearsed.took, "within": rehearsed.within });
        entries.push(about(what, body, &rehearsed.to_string()));
    }
    let began = begins(before, next, now);
    let has_begun = began.is_some();
    entries.extend(began);
    if let Some(rollout) = next.rollout.as_ref().filter(|_| !has_begun) {
        let returns =
            rollout.back.is_some() && before.rollout.as_ref().is_none_or(|before| before.back.is_none());
        let what = if returns { "returns" } else { "goes on" };
        let because = rollout.back.as_ref().filter(|_| returns).map(ToString::to_string);
        let body = json!({ "release": rollout.to, "rollout": rollout.number });
        entries.push(about(
            what,
            body,
            &because.unwrap_or(decision.because.to_string()),
        ));
    }
    entries
}

/// What the journal says of a rollout that begins, where one does.
pub(super) fn begins(before: &Course, next: &Course, now: Timestamp) -> Option<Entry> {
    let (number, line) = towpath_decide::rollout::story::begun(before, next, now)?;
    let body = json!({ "release": line.to, "rollout": number, "by": line.by });
    Some(about(&line.what, body, &line.because))
}

/// Something about releases that nobody has to end.
pub(super) fn about(what: &str, body: serde_json::Value, because: &str) -> Entry {
    crate::keep::happened(what, RELEASES, body, because)
}

/// What is asked for, in a word, and of what.
fn word(work: &Work) -> (&'static str, String) {
    match work {
        Work::Try(name) => ("try", name.to_string()),
        Work::Migrate(moved) => ("migrate", format!("{}/{}", moved.resource, moved.migration)),
        Work::Judge { look, .. } => ("judge", look.to_string()),
    }
}
