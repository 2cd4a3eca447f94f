//! Forward and back again and again under full load, with programs that ignore SIGTERM, start slowly, or crash at their start.
//!
//! Every fifth release crashes: it has to come back by itself. The others are deployed and then rolled back, by turns with the
//! release before kept warm and not, rolling and at once. Nothing may be lost, and nothing may be left.

use crate::outside::{self, processes_of, run, wait_for};
use crate::peer::Towpath;
use crate::place::{Place, write};
use crate::table::{self, Times, millis};
use crate::visitors::Visitors;
use crate::{Miss, Outcome};
use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

/// Who comes: two to one that does as it is told, and one to each of those that do not. They never pause, and there are more
/// of them than cores.
const HOSTS: &[&str] = &[
    "well.bench.localhost",
    "well.bench.localhost",
    "deaf.bench.localhost",
    "slow.bench.localhost",
];

/// Once in so many releases is one that crashes.
const CRASHES: usize = 5;

/// What runs: one of each, and a child of the one that is deaf, which is deaf, too.
const PROCESSES: usize = 4;

/// How often it is looked whether anything was left, while all goes on.
const LOOKS: usize = 50;

/// The most that a whole measurement may take for each cycle.
const BOUND: Duration = Duration::from_millis(600);

pub(super) fn measure(place: &Place) -> Outcome {
    let towpath = Towpath::of(place, "cycles", &manifest(place, 0))?;
    run(&mut command(&towpath, "deploy"))?;
    let port = towpath.status()?.steward.and_then(|steward| steward.http);
    let port = port.ok_or_else(|| Miss::Failed("the edge does not listen".to_owned()))?;
    let visitors = Visitors::come(port, HOSTS, Duration::ZERO);
    let begin = Instant::now();
    let mut deployed = Times::of("deployed");
    let mut rolled = Times::of("rolled back");
    let mut crashed = Times::of("a release that crashes came back");
    for cycle in 1..=place.cycles {
        write(&towpath.folder, "towpath.toml", &manifest(place, cycle))?;
        let start = Instant::now();
        let ran = run(&mut command(&towpath, "deploy"));
        match (ran, crashes(cycle)) {
            (Ok(_), false) => deployed.each.push(start.elapsed()),
            (Err(_), true) => {
                crashed.each.push(start.elapsed());
                continue;
            }
            (Ok(_), true) => return Err(Miss::Failed(format!("release {cycle} crashes, and was deployed"))),
            (Err(why), false) => return Err(Miss::Failed(format!("release {cycle}: {why}"))),
        }
        let start = Instant::now();
        run(&mut command(&towpath, "rollback"))?;
        rolled.each.push(start.elapsed());
        if cycle % LOOKS == 0 {
            settles(&towpath.folder, 2 * PROCESSES)?;
        }
    }
    let took = begin.elapsed();
    // The last one leaves nothing warm behind it.
    write(
        &towpath.folder,
        "towpath.toml",
        &manifest(place, 0).replace("LAST = \"0\"", "LAST = \"1\""),
    )?;
    run(&mut command(&towpath, "deploy"))?;
    let left = settles(&towpath.folder, PROCESSES);
    let (asked, lost) = visitors.go();
    let cycles = place.cycles;
    println!(
        "{cycles} cycles in {:.0} s: {asked} requests ({:.0} a second), {lost} of them lost (bound 0)",
        took.as_secs_f64(),
        asked as f64 / took.as_secs_f64()
    );
    table::print(&[deployed, rolled, crashed]);
    println!();
    table::against(
        "each cycle",
        millis(took) / cycles.max(1) as f64,
        "ms",
        millis(BOUND),
        millis(BOUND),
    );
    left?;
    run(&mut towpath.command("down"))?;
    let is_empty = || processes_of(&towpath.folder).is_empty();
    wait_for("that nothing is left", outside::BOUND, is_empty)?;
    println!("no process was left: {PROCESSES} while it ran, none afterwards (bound 0)");
    match lost {
        0 => Ok(()),
        lost => Err(Miss::Failed(format!("{lost} requests were lost"))),
    }
}

fn command(towpath: &Towpath, word: &str) -> std::process::Command {
    let mut command = towpath.bare();
    command.args([word, "dev", "--manifest"]).arg(&towpath.folder);
    command
}

fn crashes(cycle: usize) -> bool {
    cycle % CRASHES == CRASHES - 1
}

/// The release of a cycle.
fn manifest(place: &Place, cycle: usize) -> String {
    let tiny = place.tiny.display();
    let strategy = ["rolling", "blue-green"][cycle / 2 % 2];
    let warm = ["0s", "1m"][cycle % 2];
    let crash = match crashes(cycle) {
        true => ", CRASHES = \"1\"",
        false => "",
    };
    let service = |name: &str, run: String, more: &str| {
        format!(
            "[service.{name}]\nrun = \"{run}\"\npublic = true\nhealth = {{ path = \"/\", interval = \"50ms\", timeout = \"1s\" \
             }}\nstop = {{ within = \"100ms\", drain = \"50ms\" }}\nenv = {{ WORD = \"{cycle}\", LAST = \"0\"{more} }}\n\n"
        )
    };
    let well = service("well", tiny.to_string(), crash);
    let slow = service("slow", tiny.to_string(), ", STARTS_IN = \"100\"");
    let deaf = service("deaf", format!("trap '' TERM; {tiny} idle & exec {tiny}"), "");
    format!(
        "product = \"bench\"\n\n{well}{slow}{deaf}[rollout]\nstrategy = \"{strategy}\"\nbake = \"0s\"\nwarm = \"{warm}\"\n\n\
         [environment.dev]\nsecrets = \"dotenv\"\n"
    )
}

/// Waits until no more of the programs run than these.
fn settles(folder: &Path, most: usize) -> Result<(), String> {
    let count = || {
        let is_ours = |pid: &i32| {
            let program = fs::read_link(format!("/proc/{pid}/exe")).unwrap_or_default();
            program.file_name().is_some_and(|name| name == "tiny")
        };
        processes_of(folder).into_iter().filter(is_ours).count()
    };
    wait_for("that what was stopped is gone", outside::BOUND, || {
        count() <= most
    })
}
