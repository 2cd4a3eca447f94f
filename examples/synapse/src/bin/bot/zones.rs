//! The bot's own copy of the zones. Postgres tells it of every change, so that it never asks while it counts.

use crate::record::Record;
use serde::Deserialize;
use serde_json::json;
use std::collections::BTreeMap;
use std::sync::{PoisonError, RwLock};
use std::time::Duration;
use synapse::log;
use tokio::sync::Notify;

const PAUSE: Duration = Duration::from_millis(500);

/// Where points are given, and how many times as many as usual.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Zone {
    pub(crate) name: String,
    channel: i64,
    pub(crate) multiplier: f64,
    version: i32,
}

/// A change, as it is told: the whole row, or that it has gone.
#[derive(Deserialize)]
#[serde(untagged)]
enum Change {
    Gone { name: String, gone: bool },
    Now(Zone),
}

#[derive(Default)]
pub(crate) struct Zones {
    by_name: RwLock<BTreeMap<String, Zone>>,
    known: Notify,
}

impl Zones {
    /// The zone that a channel is in.
    pub(crate) fn of_channel(&self, channel: i64) -> Option<Zone> {
        let zones = self.by_name.read().unwrap_or_else(PoisonError::into_inner);
        zones.values().find(|zone| zone.channel == channel).cloned()
    }

    /// Waits until they are known for the first time.
    pub(crate) async fn known(&self) {
        self.known.notified().await;
    }

    fn change(&self, change: Change) {
        let mut zones = self.by_name.write().unwrap_or_else(PoisonError::into_inner);
        match change {
            Change::Gone { name, gone } if gone => drop(zones.remove(&name)),
            Change::Gone { .. } => {}
            Change::Now(zone) => drop(zones.insert(zone.name.clone(), zone)),
        }
    }

    fn replace(&self, all: Vec<Zone>) {
        let all = all.into_iter().map(|zone| (zone.name.clone(), zone)).collect();
        *self.by_name.write().unwrap_or_else(PoisonError::into_inner) = all;
        self.known.notify_one();
    }
}

/// Keeps the copy true until the process ends.
pub(crate) async fn follow(zones: &Zones, record: &Record) {
    loop {
        if let Err(why) = listen(zones, record).await {
            log::trouble("zones are not heard", json!({ "why": why.to_string() }));
        }
        tokio::time::sleep(PAUSE).await;
    }
}

/// Listens first and reads then: a change between the two is told, and none is missed.
async fn listen(zones: &Zones, record: &Record) -> Result<(), sqlx::Error> {
    let mut listener = record.listener("zones").await?;
    let all: Vec<Zone> = record.zones().await?;
    log::well("zones are known", json!({ "zones": all.len() }));
    zones.replace(all);
    // Without a word the connection was lost, and what was said meanwhile with it: all is read again.
    while let Some(told) = listener.try_recv().await? {
        let Ok(change) = serde_json::from_str(told.payload()) else {
            log::trouble(
                "a change of zones is not understood",
                json!({ "told": told.payload() }),
            );
            continue;
        };
        let zone = match &change {
            Change::Now(zone) => Some(zone.clone()),
            Change::Gone { .. } => None,
        };
        zones.change(change);
        if let Some(zone) = zone {
            let after = record.saw(&zone.name, zone.version).await?;
            let (name, multiplier) = (&zone.name, zone.multiplier);
            log::well(
                "a zone has changed",
                json!({ "zone": name, "multiplier": multiplier, "after_ms": after }),
            );
        }
    }
    Ok(())
}
