//! The journal as a model: what is written is kept over every crash, and a full disk takes nothing.

use crate::secrets::sings;
use jiff::Timestamp;
use serde_json::Value;
use std::collections::BTreeMap;
use std::sync::Arc;
use towpath_model::run::{Course, Release};
use towpath_store::{Batch, Entry, Seq, StoreError, Written};

/// The journal.
#[derive(Debug, Default)]
pub struct Journal {
    written: Vec<Written>,
    records: BTreeMap<(String, String), Value>,
    /// The newest course. It is kept as it is here: that its text says the same is another test's matter.
    course: Option<Course>,
    /// How often a course was written.
    pub(crate) courses: u64,
    leaks: Vec<String>,
    /// The disk is full.
    pub full: bool,
}

impl Journal {
    /// Why nothing can be written now.
    pub(crate) fn refusal(&self) -> Option<StoreError> {
        let folder = "the world".to_owned();
        self.full.then_some(StoreError::Full { folder })
    }

    /// Writes a batch.
    pub(crate) fn write(&mut self, batch: Batch, now: Timestamp) -> Vec<Seq> {
        let mut seqs = Vec::new();
        self.listen_to(&batch);
        for entry in batch.entries {
            let seq = self.written.last().map_or(1, |last| last.seq + 1);
            seqs.push(seq);
            self.written.push(Written {
                seq,
                at: now,
                entry,
                outcome: None,
            });
        }
        for outcome in batch.outcomes {
            let of = usize::try_from(outcome.of - 1).ok();
            if let Some(written) = of.and_then(|of| self.written.get_mut(of)) {
                written.outcome.get_or_insert(outcome);
            }
        }
        for (kind, name, body) in batch.records {
            match body {
                Some(body) => self.records.insert((kind, name), body),
                None => self.records.remove(&(kind, name)),
            };
        }
        seqs
    }

    /// Writes a course, with the intents that follow from it.
    pub(crate) fn keep(&mut self, course: &Course, entries: Vec<Entry>, now: Timestamp) {
        self.course = Some(course.clone());
        self.courses += 1;
        self.listen_to_all("the course", serde_json::to_string(course));
        let batch = Batch {
            entries,
            ..Batch::default()
        };
        self.write(batch, now);
    }

    /// Writes a release down.
    pub(crate) fn keep_release(&mut self, release: Option<&Arc<Release>>) {
        if let Some(release) = release {
            self.listen_to_all("a release", serde_json::to_string(&**release));
        }
    }

    /// Where a value of a secret was written since this was last asked.
    pub(crate) fn leaks(&mut self) -> Vec<String> {
        std::mem::take(&mut self.leaks)
    }

    fn listen_to(&mut self, batch: &Batch) {
        for entry in &batch.entries {
            let what = format!("the intent to {} {}", entry.what, entry.subject);
            for text in [
                &entry.what,
                &entry.subject,
                &entry.because,
                &entry.body.to_string(),
            ] {
                self.listen(&what, text);
            }
        }
        for outcome in &batch.outcomes {
            self.listen("an outcome", &outcome.body.to_string());
        }
        for (kind, name, body) in &batch.records {
            for text in [
                kind,
                name,
                &body.as_ref().map(Value::to_string).unwrap_or_default(),
            ] {
                self.listen("a record", text);
            }
        }
    }

    fn listen_to_all(&mut self, what: &str, written: serde_json::Result<String>) {
        self.listen(what, &written.expect("it is plain data with names as keys"));
    }

    fn listen(&mut self, what: &str, text: &str) {
        if sings(text) {
            self.leaks
                .push(format!("a secret stands in the journal, in {what}"));
        }
    }

    /// The newest course.
    pub fn course(&self) -> Option<&Course> {
        self.course.as_ref()
    }

    /// Everything that was written, oldest first.
    pub fn written(&self) -> &[Written] {
        &self.written
    }

    /// What has no outcome yet.
    pub(crate) fn open(&self) -> impl Iterator<Item = &Written> {
        let open = |written: &&Written| written.entry.intent && written.outcome.is_none();
        self.written.iter().filter(open)
    }

    /// The records of a kind.
    pub(crate) fn records(&self, kind: &str) -> impl Iterator<Item = (&str, &Value)> {
        let of_kind = move |((of, _), _): &(&(String, String), &Value)| of == kind;
        let records = self.records.iter().filter(of_kind);
        records.map(|((_, name), body)| (name.as_str(), body))
    }
}
