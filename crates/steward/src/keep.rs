//! What is written down: every intent before it is acted on, its outcome after, and what has to be remembered.

use crate::act::Prepared;
use crate::course::{COURSE, Kept, RELEASE, RESTS};
use crate::dress::Making;
use crate::gates::Gates;
use crate::sign_out::Moments;
use jiff::Timestamp;
use serde_json::json;
use std::collections::BTreeMap;
use std::sync::Arc;
use towpath_decide::maintenance::Closed;
use towpath_decide::tend::{Applied, Fact, Remembered};
use towpath_model::run::{Course, Product, ReleaseId};
use towpath_model::unit::{Name, Unit};
use towpath_store::{Batch, Entry, Outcome, Seq, Store, StoreError};

/// The kinds of records.
const PRODUCT: &str = "product";
const REMEMBERED: &str = "remembered";
const INSIDE: &str = "inside";
const EDGE: &str = "edge";
const MAKING: &str = "making";
const CLOSED: &str = "closed";
const SIGNED_OUT: &str = "signed-out";
/// The name of a record of which there is only one.
pub(crate) const CURRENT: &str = "current";

/// What is written with the next batch.
#[derive(Debug)]
pub(crate) struct Ledger {
    store: Arc<Store>,
    batch: Batch,
}

/// What an earlier steward has left.
#[derive(Debug, Default)]
pub(crate) struct Left {
    /// What was wanted.
    pub(crate) product: Option<Product>,
    /// What was remembered.
    pub(crate) remembered: Vec<(Name, Remembered)>,
    /// Where components were reached from inside.
    pub(crate) inside: Vec<(Name, u16)>,
    /// Where the edge listened: HTTPS and HTTP.
    pub(crate) edge: Option<(u16, u16)>,
    /// The making of the environment that held.
    pub(crate) making: Making,
    /// What was closed for visitors.
    pub(crate) closed: Closed,
    /// When everybody was signed out last.
    pub(crate) signed_out: Moments,
    /// Where it stood between its releases, where it had any.
    pub(crate) course: Option<Course>,
    /// Those.
    pub(crate) releases: BTreeMap<ReleaseId, Kept>,
    /// Why something of them cannot be read. Whoever went on without it would stop what it says.
    pub(crate) unread: Option<String>,
    /// Somebody has stopped all of it, and nobody has wanted it since.
    pub(crate) rests: bool,
    /// What is known about gates.
    pub(crate) gates: Gates,
}

impl Ledger {
    pub(crate) fn new(store: Arc<Store>) -> Self {
        Ledger {
            store,
            batch: Batch::default(),
        }
    }

    /// What an earlier steward has left. What cannot be read was written by another version, and is left out: whoever
    /// asks for something says again what is wanted. Releases and where they stand are not left out: nobody says them again.
    pub(crate) async fn left(&self) -> Result<Left, StoreError> {
        let mut left = Left::default();
        for (_, body) in self.store.records(PRODUCT).await? {
            left.product = body.as_str().and_then(|text| serde_json::from_str(text).ok());
        }
        for (name, body) in self.store.records(REMEMBERED).await? {
            if let (Ok(name), Ok(what)) = (Name::parse(&name), serde_json::from_value(body)) {
                left.remembered.push((name, what));
            }
        }
        for (name, body) in self.store.records(INSIDE).await? {
            if let (Ok(name), Ok(port)) = (Name::parse(&name), serde_json::from_value(body)) {
                left.inside.push((name, port));
            }
        }
        for (_, body) in self.store.records(EDGE).await? {
            left.edge = serde_json::from_value(body).ok();
        }
        for (_, body) in self.store.records(MAKING).await? {
            left.making = serde_json::from_value(body).unwrap_or_default();
        }
        for (_, body) in self.store.records(CLOSED).await? {
            left.closed = serde_json::from_value(body).unwrap_or_default();
        }
        for (_, body) in self.store.records(SIGNED_OUT).await? {
            left.signed_out = serde_json::from_value(body).unwrap_or_default();
        }
        for (_, body) in self.store.records(COURSE).await? {
            match serde_json::from_value(body) {
                Ok(course) => left.course = Some(course),
                Err(why) => left.unread = Some(format!("where it stands between its releases: {why}")),
            }
        }
        left.gates = self.gates().await?;
        left.rests = !self.store.records(RESTS).await?.is_empty();
        for (id, body) in self.store.records(RELEASE).await? {
            match serde_json::from_str::<Kept>(body.as_str().unwrap_or_default()) {
                Ok(kept) => drop(left.releases.insert(kept.release.id.clone(), kept)),
                Err(why) => left.unread = Some(format!("release {id}: {why}")),
            }
        }
        if left.unread.is_some() {
            left.course = None;
        }
        Ok(left)
    }

    /// Whether something waits to be written.
    pub(crate) fn waits(&self) -> bool {
        !self.batch.outcomes.is_empty() || !self.batch.records.is_empty() || !self.batch.entries.is_empty()
    }

    /// Something ended.
    pub(crate) fn outcome(&mut self, of: Seq, result: Result<(), &str>) {
        self.batch.outcomes.push(Outcome {
            of,
            done: result.is_ok(),
            body: result.map_or_else(|why| json!({ "why": why }), |()| json!({})),
        });
    }

    /// Something happened that nobody has to end.
    pub(crate) fn happened(&mut self, what: &str, subject: &str, body: serde_json::Value, because: &str) {
        self.batch.entries.push(happened(what, subject, body, because));
    }

    pub(crate) fn remember(&mut self, name: &Name, what: Remembered) {
        self.put(REMEMBERED, name.as_str(), json!(what));
    }

    pub(crate) fn inside(&mut self, name: &Name, port: u16) {
        self.put(INSIDE, name.as_str(), json!(port));
    }

    pub(crate) fn edge(&mut self, https: u16, http: u16) {
        self.put(EDGE, CURRENT, json!([https, http]));
    }

    pub(crate) fn making(&mut self, making: &Making) {
        self.put(MAKING, CURRENT, json!(making));
    }

    /// Writes down what is closed, before anybody is told that it is.
    pub(crate) async fn closed(
        &self,
        closed: &Closed,
        happened: Entry,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        self.write_now(CLOSED, json!(closed), happened, now).await
    }

    /// Writes down when everybody was signed out, before anybody is told that it is so.
    pub(crate) async fn signed_out(
        &self,
        moments: &Moments,
        happened: Entry,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        self.write_now(SIGNED_OUT, json!(moments), happened, now).await
    }

    /// Writes something down that nobody else writes, ahead of what waits. When it cannot be, it was never wanted.
    async fn write_now(
        &self,
        kind: &str,
        body: serde_json::Value,
        happened: Entry,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let batch = Batch {
            records: vec![(kind.to_owned(), CURRENT.to_owned(), Some(body))],
            entries: vec![happened],
            ..Batch::default()
        };
        self.write_ahead(batch, now).await.map(drop)
    }

    /// Writes a batch ahead of what waits.
    pub(crate) async fn write_ahead(&self, batch: Batch, now: Timestamp) -> Result<Vec<Seq>, StoreError> {
        self.store.write(batch, now).await
    }

    /// The product that somebody has brought up is not wanted any more: releases say what runs.
    pub(crate) fn forget_product(&mut self) {
        self.remove(PRODUCT, CURRENT);
    }

    /// The records of a kind.
    pub(crate) async fn records(&self, kind: &str) -> Result<Vec<(String, serde_json::Value)>, StoreError> {
        self.store.records(kind).await
    }

    /// A record is not needed any more.
    pub(crate) fn remove(&mut self, kind: &str, name: &str) {
        self.batch.records.push((kind.to_owned(), name.to_owned(), None));
    }

    pub(crate) fn product(&mut self, product: &Product) {
        // As one text: a value of ten thousand components takes twenty times as much memory, for a moment that a steward
        // never gives back.
        let text = serde_json::to_string(product).unwrap_or_default();
        self.put(PRODUCT, CURRENT, serde_json::Value::String(text));
        let body = json!({ "components": product.components.len() });
        self.happened("apply", product.product.as_str(), body, "somebody wants it so");
    }

    /// These records are written with what is written next.
    pub(crate) fn add(&mut self, records: Vec<(String, String, Option<serde_json::Value>)>) {
        self.batch.records.extend(records);
    }

    pub(crate) fn put(&mut self, kind: &str, name: &str, body: serde_json::Value) {
        self.batch
            .records
            .push((kind.to_owned(), name.to_owned(), Some(body)));
    }

    /// Writes what waits, with the intents that are about to be acted on. Their numbers, in their order. When it cannot
    /// be written nothing is lost: the same call is made again later.
    pub(crate) async fn write(
        &mut self,
        intents: &[Prepared],
        now: Timestamp,
    ) -> Result<Vec<Seq>, StoreError> {
        let mut batch = self.batch.clone();
        let before = batch.entries.len();
        batch.entries.extend(intents.iter().filter_map(Prepared::entry));
        if batch == Batch::default() {
            return Ok(Vec::new());
        }
        let written = self.store.write(batch, now).await?;
        self.batch = Batch::default();
        Ok(written.into_iter().skip(before).collect())
    }

    /// The newest entries about a subject.
    pub(crate) async fn newest(
        &self,
        subject: Option<&str>,
        most: u32,
    ) -> Result<Vec<towpath_store::Written>, StoreError> {
        self.store.newest(subject, most).await
    }

    /// Tells the open intents of an earlier steward as what they are: interrupted. What came of them is seen, not
    /// believed.
    pub(crate) async fn close_open(&mut self) -> Result<(), StoreError> {
        for open in self.store.open_intents().await? {
            self.outcome(open.seq, Err("interrupted: the steward ended"));
        }
        Ok(())
    }

    pub(crate) async fn close(self) {
        // Whoever asks for something in this moment has it, too; then it ends with them, and nothing is lost by that.
        if let Some(store) = Arc::into_inner(self.store) {
            // What could not be put in order is put in order by whoever opens it next.
            let _ = store.close().await;
        }
    }
}

/// Something that happened, and that nobody has to end.
pub(crate) fn happened(what: &str, subject: &str, body: serde_json::Value, because: &str) -> Entry {
    Entry {
        what: what.to_owned(),
        subject: subject.to_owned(),
        body,
        because: because.to_owned(),
        intent: false,
    }
}

/// What is learned of what was left, before anything new is wanted.
pub(crate) fn facts(left: &Left, digests: &BTreeMap<Name, String>) -> Vec<Fact> {
    let mut facts = Vec::new();
    if let Some(product) = &left.product {
        facts.push(Fact::Applied(applied(product, digests, false, None)));
    }
    let remembered = left.remembered.iter();
    facts.extend(remembered.map(|(name, what)| Fact::Remembered {
        name: name.clone(),
        what: *what,
    }));
    facts
}

/// A product as something that is wanted.
pub(crate) fn applied(
    product: &Product,
    digests: &BTreeMap<Name, String>,
    build: bool,
    wake: Option<std::collections::BTreeSet<Name>>,
) -> Applied {
    let components = product.components.iter().map(|(name, component)| {
        let digest = digests.get(name).cloned().unwrap_or_default();
        (name.clone(), (Arc::clone(component), digest))
    });
    Applied {
        components: components.collect(),
        builds: product.builds.clone(),
        build,
        wake,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::door::clock;

    async fn left(records: Vec<(&str, &str, serde_json::Value)>) -> Left {
        let store = Store::in_memory().await.expect("it opens");
        let records = records.into_iter();
        let batch = Batch {
            records: records
                .map(|(kind, name, body)| (kind.to_owned(), name.to_owned(), Some(body)))
                .collect(),
            ..Batch::default()
        };
        store
            .write(batch, clock::today())
            .await
            .expect("it can be written");
        Ledger::new(Arc::new(store)).left().await.expect("it can be read")
    }

    #[tokio::test]
    async fn a_course_of_another_version_is_said_and_never_taken_for_none() {
        let course = json!({ "number": 7, "rollout": "a word that is not known" });
        let left = left(vec![(COURSE, CURRENT, course)]).await;
        let why = left.unread.expect("it is said");
        assert!(why.starts_with("where it stands between its releases: "), "{why}");
        assert_eq!(left.course, None);
    }

    #[tokio::test]
    async fn a_release_of_another_version_holds_the_course_that_may_need_it() {
        let course = json!(Course::default());
        let left = left(vec![(COURSE, CURRENT, course), (RELEASE, "4f1c", json!("{}"))]).await;
        let why = left.unread.expect("it is said");
        assert!(why.starts_with("release 4f1c: "), "{why}");
        assert_eq!(left.course, None);
    }

    #[tokio::test]
    async fn what_can_be_read_is_left_as_it_is() {
        let course = Course {
            number: 3,
            ..Course::default()
        };
        let left = left(vec![(COURSE, CURRENT, json!(course))]).await;
        assert_eq!((left.unread, left.course), (None, Some(course)));
    }
}
