//! A journal of a million events: how long it takes to open, and what a command takes that finds it.
//!
//! A journal keeps its newest fifty thousand entries, so none ever becomes so long by itself; only what has no outcome is never
//! taken out. So a million intents are written, and only then they end, as it is after an age in which nothing was heard of.

use crate::outside::{BOUND, pause, processes_of, run, wait_for};
use crate::peer::Towpath;
use crate::place::Place;
use crate::table::{self, Times, against, millis};
use crate::{Miss, Outcome};
use jiff::Timestamp;
use serde_json::json;
use std::path::Path;
use std::time::Instant;
use towpath_store::{Batch, Entry, Outcome as Ended, Seq, Store};

const EVENTS: Seq = 1_000_000;

/// So many are written, or end, at a time.
const AT_ONCE: Seq = 10_000;

/// So many have not ended when it is opened.
const OPEN: Seq = 10;

const ROUNDS: usize = 7;

/// What whoever opens it reads first, beside what is open.
const RECORDS: &[&str] = &["product", "remembered", "course", "release", "inside", "edge"];

pub(super) fn measure(place: &Place) -> Outcome {
    let manifest = format!(
        "product = \"bench\"\n[worker.part]\nrun = \"{} idle\"\n[environment.dev]\nsecrets = \"dotenv\"\n",
        place.tiny.display()
    );
    let towpath = Towpath::of(place, "journal", &manifest)?;
    let small = begins(&towpath, "`towpath up --detach`, a new journal")?;
    let state = towpath.folder.join(".towpath/dev");
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|why| why.to_string())?;
    runtime.block_on(fill(&state)).map_err(failed)?;
    let mut opened = Times::of("opened, and read what a steward reads first");
    for _ in 0..ROUNDS {
        let begin = Instant::now();
        let store = runtime.block_on(open(&state)).map_err(failed)?;
        opened.each.push(begin.elapsed());
        // As one that was killed leaves it.
        drop(store);
        pause(200);
    }
    let large = begins(&towpath, "`towpath up --detach`, a million events")?;
    let (first, above) = (opened.median(), millis(large.median()) - millis(small.median()));
    table::print(&[small, large, opened]);
    println!();
    against("a million events, opened", millis(first), "ms", 1_000.0, 100.0);
    against("`towpath up` above a new journal", above, "ms", 1_000.0, 100.0);
    Ok(())
}

fn failed(why: towpath_store::StoreError) -> Miss {
    Miss::Failed(format!("{why}: {why:?}"))
}

/// Brings it up and takes it down again and again.
fn begins(towpath: &Towpath, what: &str) -> Result<Times, Miss> {
    let mut times = Times::of(what);
    for round in 0..=ROUNDS {
        let begin = Instant::now();
        run(&mut towpath.up())?;
        if round > 0 {
            times.each.push(begin.elapsed());
        }
        run(&mut towpath.command("down"))?;
        let is_over = || processes_of(&towpath.folder).is_empty();
        wait_for("that nothing is left", BOUND, is_over)?;
    }
    Ok(times)
}

async fn fill(state: &Path) -> Result<(), towpath_store::StoreError> {
    let store = Store::open(state, Timestamp::UNIX_EPOCH).await?;
    let mut first = None;
    for begin in (0..EVENTS).step_by(usize::try_from(AT_ONCE).unwrap_or(1)) {
        let entries = (begin..begin + AT_ONCE).map(|number| Entry {
            what: "start".to_owned(),
            subject: format!("part.{}", number % 100),
            body: json!({ "digest": "3f786850e387550f", "port": 10_000 + number % 1_000 }),
            because: "one instance is wanted".to_owned(),
            intent: true,
        });
        let batch = Batch {
            entries: entries.collect(),
            ..Batch::default()
        };
        let seqs = store.write(batch, Timestamp::UNIX_EPOCH).await?;
        first = first.or(seqs.first().copied());
    }
    let first = first.unwrap_or_default();
    for begin in (OPEN..EVENTS).step_by(usize::try_from(AT_ONCE).unwrap_or(1)) {
        let ended = (begin..(begin + AT_ONCE).min(EVENTS)).map(|number| Ended {
            of: first + number,
            done: true,
            body: json!({}),
        });
        let batch = Batch {
            outcomes: ended.collect(),
            ..Batch::default()
        };
        store.write(batch, Timestamp::UNIX_EPOCH).await?;
    }
    store.close().await
}

async fn open(state: &Path) -> Result<Store, towpath_store::StoreError> {
    let store = Store::open(state, Timestamp::UNIX_EPOCH).await?;
    for kind in RECORDS {
        store.records(kind).await?;
    }
    store.open_intents().await?;
    store.newest(None, 500).await?;
    store.newest(Some("part.7"), 500).await?;
    // The first that is written has to find its number.
    let entry = Entry {
        what: "apply".to_owned(),
        subject: "bench".to_owned(),
        body: json!({}),
        because: "somebody wants it so".to_owned(),
        intent: false,
    };
    let batch = Batch {
        entries: vec![entry],
        ..Batch::default()
    };
    store.write(batch, Timestamp::UNIX_EPOCH).await?;
    Ok(store)
}
