//! Simulation: scripts that chance writes, played in virtual time.
//!
//! A seed makes a product and a schedule of faults and wishes. When the faults have stopped and enough time has passed, all
//! must be as it should be; a new steward must then find nothing to do. A seed that fails is told with its script, from
//! which everything was taken that is not needed to fail.

use crate::chance::Chance;
use crate::script::play;
use crate::world::World;

/// When something may run that sleeps at other times.
const HOURS: &[&str] = &[
    "daily_00:00-00:03",
    "daily_00:02-01:00",
    "daily_00:05-00:20",
    "daily_01:00-02:00",
    "daily_23:00-00:01",
    "thu_00:00-00:10",
];

/// The longest pause between two lines, in milliseconds: some follow at once, some when all has settled.
const PAUSES: &[u64] = &[0, 0, 1, 3, 20, 200, 400, 1_500, 12_000, 90_000];

/// How long is waited when the faults have stopped: the longest pause of a keeper is a minute, and an unwell instance is
/// restarted after its deadline.
const PATIENCE: &str = "advance 10m";

/// Plays the script of a seed. Where it fails: what was wrong, and the shortest script that was found to be wrong, too.
pub fn simulate(seed: u64, length: u64) -> Result<(), String> {
    let script = script(seed, length);
    let Some(wrong) = verdict(&script) else {
        return Ok(());
    };
    let script = shorten(script);
    let still = verdict(&script).unwrap_or_default();
    Err(format!(
        "seed {seed}: {wrong}\n\n{}\n\n{still}\n",
        script.join("\n")
    ))
}

/// How often it is waited until no schedule changes what it wants about now.
const MOST_TURNS: u32 = 8;

/// The script of a seed.
pub fn script(seed: u64, length: u64) -> Vec<String> {
    let mut chance = Chance::new(seed);
    let names = ["db", "api", "web", "bot", "jobs", "fn"];
    let mut lines = vec![format!(
        "apply {}",
        names.map(|name| component(name, &mut chance)).join("; ")
    )];
    for _ in 0..length {
        let pause = *chance.pick(PAUSES);
        if pause > 0 {
            lines.push(format!("advance {pause}ms"));
        }
        lines.push(line(&names, &mut chance));
    }
    lines
}

fn component(name: &str, chance: &mut Chance) -> String {
    let count = 1 + chance.below(3);
    let build = if chance.once_in(6) { " build" } else { "" };
    match name {
        "db" if chance.once_in(3) => format!("db port=5432{build}"),
        "db" => format!("db{build}"),
        "web" => format!("web {count} needs=api,fn?{build}"),
        "bot" => match chance.below(3) {
            0 => format!("bot bot needs=api{build}"),
            // The worlds begin at midnight, and few of them last for an hour.
            1 => format!("bot bot 0 needs=api hours={}=1{build}", chance.pick(HOURS)),
            _ => {
                let (one, other) = (chance.pick(HOURS), chance.pick(HOURS));
                format!("bot bot 0 needs=api hours={one}=1+{other}=0{build}")
            }
        },
        "api" if chance.once_in(4) => {
            let hours = chance.pick(HOURS);
            format!("api 1 needs=db hours={hours}={count}{build}")
        }
        "api" => format!("api {count} needs=db{build}"),
        "jobs" if chance.once_in(2) => format!("jobs worker {count} needs=db{build}"),
        "jobs" => format!("jobs job cron=every_1m retry=2{build}"),
        _ => format!("fn function{build}"),
    }
}

fn line(names: &[&str], chance: &mut Chance) -> String {
    let name = *chance.pick(names);
    let instance = format!("{name}.{}", 1 + chance.below(4));
    match chance.below(30) {
        0..=2 => format!("kill {instance}"),
        3 => format!("lose {instance}"),
        4 => format!("steal {instance}"),
        5 | 6 => format!("change {name}"),
        7 => format!("apply {}", component(name, chance)),
        8 => format!("remove {name}"),
        9 => format!("stop {name}"),
        10 => format!("start {name}"),
        11 => format!("restart {name}"),
        12 => format!("scale {name} {}", 1 + chance.below(4)),
        13 => format!("request {name}"),
        14 => format!("quiet {name}"),
        15 => "up".to_owned(),
        16 => format!(
            "temper {name} {}",
            chance.pick(&["sick", "well", "crashes=50ms", "fails=2"])
        ),
        17 => format!(
            "temper {name} {}",
            chance.pick(&["stops=1m", "stops=3s", "boots=10s", "boots=1m", "code=1"])
        ),
        18 => "mend".to_owned(),
        19 => "disk full".to_owned(),
        20 => "disk free".to_owned(),
        21..=24 => format!("crash steward after {}", 1 + chance.below(40)),
        25 => "crash steward".to_owned(),
        26 => format!("clock {}", chance.pick(&["+1h", "-1h"])),
        27 => format!("temper {name} {}", chance.pick(&["unbuildable", "builds=30s"])),
        28 => format!("make {name}"),
        _ => "start steward".to_owned(),
    }
}

/// What is wrong with a script; nothing, where nothing is.
pub fn verdict(script: &[String]) -> Option<String> {
    let mut world = World::default();
    let mut wrong = Vec::new();
    let mut play_all = |world: &mut World, lines: &[&str]| {
        for line in lines {
            let said = play(world, line);
            wrong.extend(said.into_iter().filter(|said| said.starts_with("BROKEN")));
        }
    };
    let lines: Vec<&str> = script.iter().map(String::as_str).collect();
    play_all(&mut world, &lines);
    play_all(
        &mut world,
        &[
            "mend",
            "disk free",
            "spare steward",
            "start steward",
            "again",
            PATIENCE,
        ],
    );
    for _ in 0..MOST_TURNS {
        if world.is_about_to_turn() {
            play_all(&mut world, &["advance 7m"]);
        }
    }
    let before = world.journal.written().len();
    let unreached = world.unreached();
    // A new steward finds nothing to do.
    play_all(&mut world, &["crash steward", "start steward", "advance 20s"]);
    wrong.extend(unreached);
    let needless = world.journal.written()[before..].iter().filter(|written| {
        let of_job = written.entry.subject.starts_with("jobs.");
        let is_made = matches!(written.entry.what.as_str(), "build" | "pack");
        !of_job && !is_made
    });
    wrong.extend(needless.map(|written| {
        let entry = &written.entry;
        format!(
            "a new steward wants to {} {}: {}",
            entry.what, entry.subject, entry.because
        )
    }));
    (!wrong.is_empty()).then(|| wrong.join("\n"))
}

/// Takes from a script that is wrong every line that it is wrong without.
pub fn shorten(script: Vec<String>) -> Vec<String> {
    shorten_by(script, verdict)
}

/// The same, where something else says what is wrong.
pub(crate) fn shorten_by(
    mut script: Vec<String>,
    verdict: impl Fn(&[String]) -> Option<String>,
) -> Vec<String> {
    loop {
        let before = script.len();
        for at in (0..script.len()).rev() {
            let mut shorter = script.clone();
            shorter.remove(at);
            if verdict(&shorter).is_some() {
                script = shorter;
            }
        }
        if script.len() == before {
            return script;
        }
    }
}

/// What is wrong with some of these seeds, if anything is. Two are played at a time.
pub fn failing(
    seeds: std::ops::Range<u64>,
    simulate: impl Fn(u64) -> Result<(), String> + Sync,
) -> Vec<String> {
    // Each thread takes every second one.
    let play = |nth: usize| -> Vec<String> {
        let own = seeds.clone().skip(nth).step_by(2);
        own.filter_map(|seed| simulate(seed).err()).take(3).collect()
    };
    std::thread::scope(|scope| {
        let other = scope.spawn(|| play(1));
        let mut failing = play(0);
        failing.extend(other.join().expect("a seed that fails is told, and is no panic"));
        failing
    })
}
