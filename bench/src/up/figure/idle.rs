//! What the steward, with its edge, and the keepers use while nothing happens.

use crate::outside::{self, Memory, memory, parent_of, run, used};
use crate::peer::{Honcho, Peer, Towpath};
use crate::place::Place;
use crate::table::against;
use crate::{Miss, Outcome};
use std::fmt::Write as _;
use std::time::{Duration, Instant};

/// How long it is looked on.
const LOOK: Duration = Duration::from_secs(20);

/// How long everything may take to come to rest before.
const REST: u64 = 3_000;

pub(super) fn measure(place: &Place) -> Outcome {
    if place.towpath.is_some() {
        let few = Towpath::new(place, 10)?;
        run(&mut few.up())?;
        steward("10 components", &few, [24.0, 16.0], [0.1, 0.02])?;
        keepers(&few)?;
        drop(few);
        let many = asleep(place, 10_000)?;
        run(&mut many.up())?;
        steward("10,000 components", &many, [96.0, 64.0], [f64::MAX, f64::MAX])?;
        println!();
    }
    match Honcho::new(place, 10) {
        Ok(mut honcho) => {
            honcho.start()?;
            outside::wait_for_answers(honcho.ports())?;
            let pid = honcho.pid().unwrap_or_default();
            let (memory, busy) = looked_at(pid)?;
            let share = memory.resident as f64 / 1024.0;
            println!("honcho, 10 processes: {share:.1} MiB, {busy:.3} % of a core");
            honcho.stop()?;
        }
        Err(miss) => println!("honcho: {miss}"),
    }
    Ok(())
}

fn steward(what: &str, towpath: &Towpath, sizes: [f64; 2], shares: [f64; 2]) -> Result<(), Miss> {
    let pid = towpath.steward()?;
    let edge = edge_of(pid).ok_or_else(|| "the steward has no edge".to_owned())?;
    let (of_steward, busy_steward) = looked_at(pid)?;
    let (of_edge, busy_edge) = looked_at(edge)?;
    // What both have in common, the program above all, is there once.
    let size = (of_steward.resident + of_edge.private) as f64 / 1024.0;
    let busy = busy_steward + busy_edge;
    against(
        &format!("steward and edge, {what}, resident"),
        size,
        "MiB",
        sizes[0],
        sizes[1],
    );
    if shares[0] < f64::MAX {
        against(
            &format!("steward and edge, {what}, processor"),
            busy,
            "% of a core",
            shares[0],
            shares[1],
        );
    } else {
        println!("steward and edge, {what}, processor: {busy:.3} % of a core");
    }
    Ok(())
}

/// The edge that a steward has started.
fn edge_of(steward: u32) -> Option<u32> {
    let all = std::fs::read_dir("/proc").ok()?.flatten();
    let mut pids = all.filter_map(|one| one.file_name().to_str()?.parse::<u32>().ok());
    pids.find(|pid| {
        let words = std::fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
        parent_of(*pid) == Some(steward) && words.split(|byte| *byte == 0).nth(1) == Some(b"edge")
    })
}

/// The memory of a process, and the share of a core that it uses while nobody asks anything.
fn looked_at(pid: u32) -> Result<(Memory, f64), Miss> {
    outside::pause(REST);
    let before = used(pid);
    let begin = Instant::now();
    outside::pause(u64::try_from(LOOK.as_millis()).unwrap_or_default());
    let busy = (used(pid).saturating_sub(before)).as_secs_f64() / begin.elapsed().as_secs_f64() * 100.0;
    let size = memory(pid).ok_or_else(|| format!("process {pid} has gone"))?;
    println!(
        "process {pid}: {} KiB resident, {} KiB as its share, {} KiB of its own",
        size.resident, size.share, size.private
    );
    Ok((size, busy))
}

fn keepers(towpath: &Towpath) -> Result<(), Miss> {
    let status = towpath.status()?;
    let pids = status.components.iter().flat_map(|one| &one.instances);
    let sizes: Vec<u64> = pids
        .filter_map(|instance| memory(parent_of(instance.pid?)?))
        .map(|memory| memory.private)
        .collect();
    let Some(most) = sizes.iter().max() else {
        return Err(Miss::Failed("no keeper was found".to_owned()));
    };
    against(
        "the largest keeper, private",
        *most as f64 / 1024.0,
        "MiB",
        1.0,
        1.0,
    );
    Ok(())
}

/// A product of so many components that sleep until somebody asks, besides ten that run.
pub(super) fn asleep(place: &Place, count: usize) -> Result<Towpath, Miss> {
    let mut text = String::from("product = \"bench\"\n\n[environment.dev]\n");
    for number in 0..count {
        let kind = if number < 10 { "service" } else { "function" };
        let _ = write!(
            text,
            "\n[{kind}.part-{number}]\nrun = \"{} $PORT\"\nhealth = \"/\"\n",
            place.tiny.display()
        );
    }
    Towpath::of(place, &format!("asleep-{count}"), &text)
}
