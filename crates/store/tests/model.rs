//! Whatever is written, in whatever order and however often it is opened again, the store says what a simple model says.
#![allow(clippy::unwrap_used, reason = "a test fails by it")]

use jiff::Timestamp;
use proptest::prelude::*;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use towpath_store::{Batch, Entry, Outcome, Seq, Store, Written};

/// What a store is, without a disk.
#[derive(Default)]
struct Model {
    journal: Vec<Written>,
    records: BTreeMap<(String, String), Value>,
}

impl Model {
    fn write(&mut self, batch: &Batch, now: Timestamp) -> Vec<Seq> {
        let mut seqs = Vec::new();
        for entry in &batch.entries {
            let seq = self.journal.last().map_or(1, |last| last.seq + 1);
            seqs.push(seq);
            self.journal.push(Written {
                seq,
                at: now,
                entry: entry.clone(),
                outcome: None,
            });
        }
        for outcome in &batch.outcomes {
            let intent = self
                .journal
                .iter_mut()
                .find(|written| written.seq == outcome.of && written.entry.intent);
            if let Some(intent) = intent {
                intent.outcome.get_or_insert_with(|| outcome.clone());
            }
        }
        for (kind, name, body) in &batch.records {
            let key = (kind.clone(), name.clone());
            match body {
                Some(body) => drop(self.records.insert(key, body.clone())),
                None => drop(self.records.remove(&key)),
            }
        }
        seqs
    }

    fn open(&self) -> Vec<Written> {
        let open = |written: &&Written| written.entry.intent && written.outcome.is_none();
        self.journal.iter().filter(open).cloned().collect()
    }

    fn newest(&self, subject: Option<&str>, most: usize) -> Vec<Written> {
        let of_subject = |written: &&Written| subject.is_none_or(|subject| written.entry.subject == subject);
        let mut newest: Vec<_> = self
            .journal
            .iter()
            .rev()
            .filter(of_subject)
            .take(most)
            .cloned()
            .collect();
        newest.reverse();
        newest
    }

    fn records(&self, kind: &str) -> Vec<(String, Value)> {
        let of_kind = self.records.iter().filter(|((of, _), _)| of == kind);
        of_kind
            .map(|((_, name), body)| (name.clone(), body.clone()))
            .collect()
    }
}

#[derive(Debug, Clone)]
enum Doing {
    Write(Batch),
    Close,
    Drop,
}

const SUBJECTS: [&str; 3] = ["web", "web.1", "w'eb \"\u{1f6b6}\0\n"];

fn body() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(Value::Null),
        any::<i64>().prop_map(|number| json!(number)),
        ".*".prop_map(|text| json!({ "z": text, "a": [text, true] })),
    ]
}

fn subject() -> impl Strategy<Value = String> {
    (0..SUBJECTS.len()).prop_map(|at| SUBJECTS[at].to_owned())
}

fn entry() -> impl Strategy<Value = Entry> {
    ("[a-z]{1,5}", subject(), body(), ".*", any::<bool>()).prop_map(
        |(what, subject, body, because, intent)| Entry {
            what,
            subject,
            body,
            because,
            intent,
        },
    )
}

fn batch() -> impl Strategy<Value = Batch> {
    let outcome = (-1_i64..40, any::<bool>(), body());
    let outcome = outcome.prop_map(|(of, done, body)| Outcome { of, done, body });
    let record = ("[ab]", subject(), proptest::option::of(body()));
    (
        proptest::collection::vec(entry(), 0..5),
        proptest::collection::vec(outcome, 0..4),
        proptest::collection::vec(record, 0..4),
    )
        .prop_map(|(entries, outcomes, records)| Batch {
            entries,
            outcomes,
            records,
        })
}

fn doing() -> impl Strategy<Value = Doing> {
    prop_oneof![
        8 => batch().prop_map(Doing::Write),
        1 => Just(Doing::Close),
        1 => Just(Doing::Drop),
    ]
}

async fn agree(store: &Store, model: &Model) {
    assert_eq!(store.open_intents().await.unwrap(), model.open());
    for subject in SUBJECTS.map(Some).into_iter().chain([None]) {
        for most in [0, 3, 1000] {
            let newest = store.newest(subject, most).await.unwrap();
            assert_eq!(newest, model.newest(subject, most as usize));
        }
    }
    for kind in ["a", "b", "c"] {
        assert_eq!(store.records(kind).await.unwrap(), model.records(kind));
    }
}

async fn run(story: Vec<Doing>) {
    let folder = tempfile::tempdir().unwrap();
    let mut model = Model::default();
    let mut now = Timestamp::from_millisecond(1_700_000_000_123).unwrap();
    let mut store = Store::open(folder.path(), now).await.unwrap();
    for doing in story {
        match doing {
            Doing::Write(batch) => {
                let expected = model.write(&batch, now);
                assert_eq!(store.write(batch, now).await.unwrap(), expected);
            }
            Doing::Close => {
                store.close().await.unwrap();
                store = Store::open(folder.path(), now).await.unwrap();
            }
            Doing::Drop => {
                drop(store);
                store = Store::open(folder.path(), now).await.unwrap();
            }
        }
        agree(&store, &model).await;
        // A clock that is set back changes nothing in the order.
        now -= std::time::Duration::from_millis(1500);
    }
    store.close().await.unwrap();
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_store_says_what_its_model_says(story in proptest::collection::vec(doing(), 1..15)) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(run(story));
    }
}
