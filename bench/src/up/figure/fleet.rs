//! What a rollout costs among others: in one process, decided and written down as a steward does it, and by real stewards.
//!
//! An environment has a steward of its own, and a thousand of those need more memory than a machine like this has. So the
//! thousand are environments of the simulation, each with the real decisions about its components and its releases, and a real
//! journal on the disk; in turn each gets a tenth of a second of its own time. The stewards are as many as there is memory for.

use crate::outside::{BOUND, Running, free_memory, memory, run, used, wait_for};
use crate::peer::Towpath;
use crate::place::{Place, write};
use crate::table::against;
use crate::{Miss, Outcome};
use jiff::Timestamp;
use serde_json::json;
use std::path::Path;
use std::process::Command;
use std::time::Duration;
use towpath_model::run::Course;
use towpath_store::{Batch, Outcome as Ended, Store, StoreError};
use towpath_world::World;
use towpath_world::script::play;

const SIZES: &[usize] = &[1, 10, 100, 1_000];

/// Of few so many are measured, one after the other, that the clock is fine enough.
const ENOUGH: usize = 200;

/// What is there before: a release that is current, and one that comes.
const BEFORE: &[&str] = &[
    "way canary steps=10:1s,50:1s bake=1s warm=1s",
    "release v1 web 2; jobs worker; bot bot",
    "deploy v1",
    "advance 10s",
    "release v2 web 2 @b; jobs worker @b; bot bot",
];

/// How long a rollout is followed, in tenths of a second of its own time.
const TENTHS: usize = 100;

/// The most stewards, and what one takes with its edge and its instance, in MiB.
const STEWARDS: usize = 200;
const EACH: u64 = 50;

/// What one among many may cost, to one alone.
const FLAT: f64 = 1.5;

pub(super) fn measure(place: &Place) -> Outcome {
    println!("| rollouts at once, in one process | processor time of each | memory of each |");
    println!("| ---: | ---: | ---: |");
    let mut costs = Vec::new();
    for size in SIZES {
        let (cost, kept) = simulated(&place.product(&format!("fleet-{size}"))?, *size)?;
        println!("| {size} | {:.2} ms | {kept} KiB |", millis(cost));
        costs.push(cost);
    }
    let ratio = |costs: &[Duration]| match costs {
        [first, .., last] => last.as_secs_f64() / first.as_secs_f64().max(1e-9),
        _ => 1.0,
    };
    println!();
    against(
        "each of a thousand, to one alone",
        ratio(&costs),
        "times",
        FLAT,
        1.1,
    );
    if place.towpath.is_none() {
        return Ok(());
    }
    let most = usize::try_from(free_memory() / 2 / EACH).unwrap_or(STEWARDS);
    let many = STEWARDS.min(most);
    println!("\n| stewards, a rollout each at once | processor time of each | memory of each |");
    println!("| ---: | ---: | ---: |");
    let mut costs = Vec::new();
    for size in [1, 10, many] {
        // Of few the one in the middle counts.
        let rounds = if size == 1 { 5 } else { 1 };
        let mut each: Vec<(Duration, u64)> = (0..rounds)
            .map(|round| real(place, size, round))
            .collect::<Result<_, _>>()?;
        each.sort();
        let (cost, kept) = each[each.len() / 2];
        println!("| {size} | {:.2} ms | {kept} KiB |", millis(cost));
        costs.push(cost);
    }
    println!(
        "\n{many} stewards, because {} MiB are free and one may need {EACH}",
        free_memory()
    );
    against(
        &format!("each of {many} stewards, to one alone"),
        ratio(&costs),
        "times",
        FLAT,
        1.1,
    );
    Ok(())
}

fn millis(time: Duration) -> f64 {
    time.as_secs_f64() * 1_000.0
}

/// An environment in its own time, and its journal.
struct Environment {
    world: World,
    store: Store,
    /// The numbers of what was written, in the order of the simulated journal; nothing behind them once it has ended.
    seqs: Vec<Option<i64>>,
    course: Option<Course>,
}

impl Environment {
    async fn new(folder: &Path) -> Result<Self, StoreError> {
        let mut world = World::default();
        for line in BEFORE {
            play(&mut world, line);
        }
        let store = Store::open(folder, Timestamp::UNIX_EPOCH).await?;
        let mut made = Environment {
            world,
            store,
            seqs: Vec::new(),
            course: None,
        };
        made.write().await?;
        Ok(made)
    }

    /// Lets happen what a line says, and writes down what was written down.
    async fn play(&mut self, line: &str) -> Result<(), StoreError> {
        play(&mut self.world, line);
        self.write().await
    }

    async fn write(&mut self) -> Result<(), StoreError> {
        let mut batch = Batch::default();
        let written = self.world.journal.written();
        for (written, seq) in written.iter().zip(&mut self.seqs) {
            if let Some((outcome, of)) = written.outcome.as_ref().zip(*seq) {
                let outcome = outcome.clone();
                batch.outcomes.push(Ended { of, ..outcome });
                *seq = None;
            }
        }
        let new = &written[self.seqs.len()..];
        batch.entries = new.iter().map(|one| one.entry.clone()).collect();
        let course = self.world.journal.course();
        if course != self.course.as_ref() {
            let record = ("course".to_owned(), "current".to_owned(), Some(json!(course)));
            batch.records.push(record);
            self.course = course.cloned();
        }
        if batch != Batch::default() {
            let seqs = self.store.write(batch, Timestamp::UNIX_EPOCH).await?;
            self.seqs.extend(seqs.into_iter().map(Some));
        }
        Ok(())
    }

    fn is_over(&self) -> bool {
        let current = self.course.as_ref().filter(|course| course.rollout.is_none());
        let current = current.and_then(|course| course.current.as_ref());
        current.is_some_and(|id| id.as_str() == "v2")
    }
}

/// The processor time that one rollout takes of so many at once, and what each environment keeps in memory, in KiB.
fn simulated(folder: &Path, size: usize) -> Result<(Duration, u64), Miss> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|why| why.to_string())?;
    let told = |why: StoreError| format!("{why}: {why:?}");
    let rounds = (ENOUGH / size).max(1);
    let own = std::process::id();
    let (mut took, mut kept) = (Duration::ZERO, 0);
    for round in 0..rounds {
        let before = memory(own).unwrap_or_default().private;
        let mut all = Vec::new();
        for number in 0..size {
            let folder = folder.join(format!("{round}-{number}"));
            all.push(runtime.block_on(Environment::new(&folder)).map_err(told)?);
        }
        kept = memory(own).unwrap_or_default().private.saturating_sub(before) / size as u64;
        let begin = used(own);
        for one in &mut all {
            runtime.block_on(one.play("deploy v2")).map_err(told)?;
        }
        for _ in 0..TENTHS {
            for one in &mut all {
                runtime.block_on(one.play("advance 100ms")).map_err(told)?;
            }
        }
        took += used(own).saturating_sub(begin);
        let over = all.iter().filter(|one| one.is_over()).count();
        if over < size {
            return Err(Miss::Failed(format!("{over} of {size} rollouts have ended")));
        }
        for one in all {
            runtime.block_on(one.store.close()).map_err(told)?;
        }
    }
    Ok((took / u32::try_from(rounds * size).unwrap_or(1), kept))
}

/// The same with real stewards.
fn real(place: &Place, size: usize, round: usize) -> Result<(Duration, u64), Miss> {
    let mut all = Vec::new();
    for number in 0..size {
        let towpath = Towpath::of(
            place,
            &format!("stewards-{size}-{round}-{number}"),
            &manifest(place, 1),
        )?;
        run(&mut deploy(&towpath))?;
        let steward = towpath.steward()?;
        write(&towpath.folder, "towpath.toml", &manifest(place, 2))?;
        all.push((towpath, steward));
    }
    let cost = || -> Duration { all.iter().map(|(_, steward)| used(*steward)).sum() };
    let before = cost();
    let begun = all
        .iter()
        .map(|(towpath, _)| Running::start(deploy(towpath).arg("--no-wait")));
    let begun: Vec<Running> = begun.collect::<Result<_, _>>()?;
    for mut one in begun {
        if !one.wait()? {
            return Err(Miss::Failed("a rollout could not be begun".to_owned()));
        }
    }
    for (towpath, _) in &all {
        wait_for("that a rollout has ended", BOUND, || is_over(towpath))?;
    }
    let took = cost().saturating_sub(before) / u32::try_from(size).unwrap_or(1);
    let kept: u64 = all
        .iter()
        .filter_map(|(_, steward)| memory(*steward))
        .map(|memory| memory.private)
        .sum();
    Ok((took, kept / size as u64))
}

fn is_over(towpath: &Towpath) -> bool {
    let mut command = towpath.bare();
    command
        .args(["releases", "dev", "--json", "--manifest"])
        .arg(&towpath.folder);
    let told = run(&mut command)
        .ok()
        .and_then(|text| serde_json::from_str::<towpath_api::Releases>(&text).ok());
    let course = told.map(|told| told.told.course);
    course.is_some_and(|course| course.number == 2 && course.rollout.is_none() && course.next.is_none())
}

fn deploy(towpath: &Towpath) -> Command {
    let mut command = towpath.bare();
    command.args(["deploy", "dev", "--manifest"]).arg(&towpath.folder);
    command
}

fn manifest(place: &Place, word: usize) -> String {
    format!(
        "product = \"bench\"\n[service.part]\nrun = \"{}\"\npublic = true\nhealth = {{ path = \"/\", interval = \"50ms\", timeout = \
         \"1s\" }}\nenv = {{ WORD = \"{word}\" }}\n[rollout]\nbake = \"0s\"\nwarm = \"0s\"\n[environment.dev]\nsecrets = \
         \"dotenv\"\n",
        place.tiny.display()
    )
}
