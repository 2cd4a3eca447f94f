//! Gates: what is asked of a release on its way, who is asked for it, and what was answered.
//!
//! **Who asks.** `decide::rollout` says when: it asks for a task, and gets one verdict. Here each gate of that task is asked
//! in the way that its question has: of people by what they have said, of the clock, of the edge by what it has counted, of
//! the new release by a probe, or by a command in the product's folder, where that is here. What has to be asked where the
//! release was made, or in the environment that it comes from, was asked before it came, and has been brought with it.
//!
//! **What stays.** Each answer is written down with all that it rests on, and stays for ever: `explain` tells it after a
//! year. What is waived and who has said yes are records, so that whoever comes after us knows them. What the edge has
//! counted of both releases is written down with each verdict; what a steward that is killed had seen since is seen again,
//! for the edge goes on.
//!
//! **What nobody waits for.** A canary that fails for everybody is seen within a moment: while two releases have visitors,
//! the edge is asked several times a second, and what is certain already is told as an alarm.

mod answer;
mod ask;
mod count;
mod sample;
mod scales;

pub(crate) use answer::{Asked, Question};
pub(crate) use ask::Judged;
pub(crate) use sample::{Sampled, Samples};

use crate::keep::{CURRENT, Ledger, happened};
use jiff::Timestamp;
use scales::Scales;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use towpath_model::run::{Answer, Approved, ReleaseId, Waiver};
use towpath_store::{Batch, StoreError};

/// The kinds of records.
pub(crate) const BROUGHT: &str = "brought";
pub(crate) const WAIVER: &str = "waiver";
pub(crate) const APPROVED: &str = "approved";
pub(crate) const SCALES: &str = "scales";

/// What the journal says everything about gates is about.
pub(crate) const GATES: &str = "gates";

/// The word of the journal for an answer.
pub(crate) const ANSWER: &str = "answer";

/// What a steward knows about gates, beside the questions, which stand in the releases.
#[derive(Debug, Default)]
pub(crate) struct Gates {
    /// What has been answered elsewhere, by the release that it was asked of.
    pub(crate) brought: BTreeMap<ReleaseId, Vec<Answer>>,
    /// What is passed over.
    pub(crate) waivers: BTreeMap<String, Waiver>,
    /// Who has said yes.
    pub(crate) approved: Vec<Approved>,
    /// What the edge has counted of two releases.
    pub(crate) scales: Scales,
    /// Gates that wait for somebody who has the product's folder.
    pub(crate) awaits: BTreeSet<String>,
    /// What is so bad that nobody waits.
    pub(crate) alarm: Option<String>,
    /// The edge is being asked.
    counts: bool,
}

impl Gates {
    /// What an earlier steward has left. What cannot be read is not there: a gate is asked once more, and a waiver given
    /// once more, rather than believed.
    pub(crate) fn left(records: [Vec<(String, Value)>; 4]) -> Gates {
        let [brought, waivers, approved, scales] = records;
        let brought = brought.into_iter().filter_map(|(release, body)| {
            Some((ReleaseId::new(release), serde_json::from_value(body).ok()?))
        });
        let waivers = waivers.into_iter();
        let approved = approved.into_iter();
        let mut scales = scales.into_iter();
        Gates {
            brought: brought.collect(),
            waivers: waivers
                .filter_map(|(gate, body)| Some((gate, serde_json::from_value(body).ok()?)))
                .collect(),
            approved: approved
                .filter_map(|(_, body)| serde_json::from_value(body).ok())
                .collect(),
            scales: scales
                .next()
                .and_then(|(_, body)| serde_json::from_value(body).ok())
                .unwrap_or_default(),
            ..Gates::default()
        }
    }
}

/// What becomes of a record.
type Record = (String, String, Option<Value>);

impl Ledger {
    /// What has been left about gates.
    pub(crate) async fn gates(&self) -> Result<Gates, StoreError> {
        Ok(Gates::left([
            self.records(BROUGHT).await?,
            self.records(WAIVER).await?,
            self.records(APPROVED).await?,
            self.records(SCALES).await?,
        ]))
    }

    /// Writes something about a gate down, before anybody is told that it is so.
    pub(crate) async fn about_gate(
        &self,
        record: Record,
        (what, because): (&str, &str),
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let body = json!({ "record": record.1 });
        let batch = Batch {
            records: vec![record],
            entries: vec![happened(what, GATES, body, because)],
            ..Batch::default()
        };
        self.write_ahead(batch, now).await.map(drop)
    }

    /// What a gate has answered in a rollout, for ever.
    pub(crate) fn answered(&mut self, answer: &Answer, rollout: Option<u64>, words: &str) {
        let body = json!({ "gate": answer.gate, "rollout": rollout, "answer": answer });
        self.happened(ANSWER, GATES, body, words);
    }

    /// What the edge has counted of both releases so far.
    pub(crate) fn weighed(&mut self, scales: &Scales) {
        self.put(SCALES, CURRENT, json!(scales));
    }
}

/// The record of what was brought with a release, or came for it later.
pub(crate) fn brought(release: &ReleaseId, answers: &[Answer]) -> Record {
    (BROUGHT.to_owned(), release.to_string(), Some(json!(answers)))
}
