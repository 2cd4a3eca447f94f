//! Simulation of rollouts: releases that chance makes and deploys, with everything that can go wrong meanwhile.
//!
//! When the faults have stopped and enough time has passed, whatever was under way has ended or holds and says why; what stands
//! is what the course says, and so does the edge. A seed that fails is told with the shortest script that fails.

use crate::chance::Chance;
use crate::script::play;
use crate::simulation::shorten_by;
use crate::world::World;
use std::collections::BTreeSet;
use towpath_decide::converge::Will;
use towpath_model::run::{Life, Need, Reason};

const PAUSES: &[u64] = &[0, 0, 1, 2, 5, 30, 200, 400, 1_200, 4_000, 15_000];

const RELEASES: &[&str] = &["v1", "v2", "v3", "v4"];

const WAYS: &[&str] = &[
    "rolling",
    "rolling warm=0s",
    "rolling warm=0s surge=0% missing=50%",
    "rolling gates=login",
    "blue-green gates=login after=smoke",
    "canary steps=10:10s,50 gates=login",
    "canary steps=25:5s,50:person,100 inconclusive=rollback gates=login",
    "canary steps=1tenants:5s,50:5s tenants=a,b,c",
    "recreate",
    "rolling by-hand",
    "canary steps=50:20s gates=login inconclusive=promote extend=5s",
];

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

/// The script of a seed.
pub fn script(seed: u64, length: u64) -> Vec<String> {
    let mut chance = Chance::new(seed);
    let mut lines = Vec::new();
    // One of each kind is dear; any of them may stand beside any other.
    let kinds = [
        "edge 3",
        "jobs worker 3",
        "bot bot",
        "fn function",
        "pages site",
        "night job",
        "fixed port=7000",
    ];
    let kinds: Vec<&str> = kinds.into_iter().filter(|_| chance.once_in(2)).collect();
    for (nth, release) in RELEASES.iter().enumerate() {
        lines.push(format!("way bake=10s progress=1m warm=15s {}", chance.pick(WAYS)));
        if chance.once_in(4) {
            lines.push("way of edge blue-green bake=5s".to_owned());
        }
        lines.push("way of fixed recreate bake=5s progress=1m warm=15s".to_owned());
        let migrations = ["1", "2:backfill", "3:contract", "4"];
        lines.push(format!(
            "schema db {}",
            migrations[..nth + usize::from(chance.once_in(2)).min(3)].join(" ")
        ));
        let build = |words: &str, chance: &mut Chance| match chance.below(3) {
            0 => words.to_owned(),
            _ => format!("{words} @{release}"),
        };
        let mut all = Vec::new();
        // Who needs what is there in some releases only, and what has a port of its own.
        let has_old = chance.once_in(3);
        let fixed = kinds.iter().find_map(|kind| kind.strip_suffix(" port=7000"));
        let needs: Vec<&str> = has_old.then_some("old").into_iter().chain(fixed).collect();
        let web = match needs.as_slice() {
            [] => "web 2".to_owned(),
            needs => format!("web 2 needs={}", needs.join(",")),
        };
        for words in [web.as_str()].iter().chain(&kinds) {
            all.push(build(words, &mut chance));
        }
        if has_old {
            all.push(build("old 1", &mut chance));
        }
        lines.push(format!("release {release} {}", all.join("; ")));
    }
    lines.push("deploy v1".to_owned());
    lines.push("advance 4s".to_owned());
    for _ in 0..length {
        let pause = *chance.pick(PAUSES);
        if pause > 0 {
            lines.push(format!("advance {pause}ms"));
        }
        lines.push(line(&mut chance));
    }
    lines
}

fn line(chance: &mut Chance) -> String {
    let name = *chance.pick(&["web", "edge", "jobs", "bot", "fn", "old", "fixed"]);
    let instance = format!("{name}.{}", 1 + chance.below(8));
    let release = *chance.pick(RELEASES);
    match chance.below(34) {
        0..=6 => format!("deploy {release}"),
        7 => "rollback".to_owned(),
        8 => format!("rollback {release}"),
        9 => "abort".to_owned(),
        10 => chance
            .pick(&["pause", "resume", "approve", "skip the gate is known to be wrong"])
            .to_string(),
        11 => chance.pick(&["freeze 20s a holiday", "thaw"]).to_string(),
        12..=14 => format!(
            "temper {name}@{release} {}",
            chance.pick(&["sick", "crashes=50ms", "crashes=6s", "fails=1", "boots=1m"])
        ),
        15 => format!(
            "habit login {}",
            chance.pick(&["fail", "pass", "inconclusive", "waived"])
        ),
        16 => format!(
            "habit {} {}",
            chance.pick(&["1", "2", "3", "night", "smoke"]),
            chance.pick(&["fails", "takes=20s", "well"])
        ),
        17 | 18 => format!("kill {instance}"),
        19 => format!("lose {instance}"),
        20 => "crash edge".to_owned(),
        21 => chance.pick(&["edge late 3s", "edge quick"]).to_string(),
        22..=26 => format!("crash steward after {}", 1 + chance.below(30)),
        27 => "crash steward".to_owned(),
        28 => chance.pick(&["disk full", "disk free"]).to_string(),
        29 => chance.pick(&["clock +1h", "clock -1h"]).to_string(),
        30 => "mend".to_owned(),
        31 => format!("temper {name} stops=3s"),
        32 => format!("{} {name}", chance.pick(&["stop", "start", "quiet", "request"])),
        _ => "start steward".to_owned(),
    }
}

/// What is wrong with a script; nothing, where nothing is.
pub fn verdict(script: &[String]) -> Option<String> {
    let mut world = World::default();
    let play_all = |world: &mut World, lines: &[&str]| -> Vec<String> {
        let said = lines.iter().flat_map(|line| play(world, line));
        said.filter(|said| said.starts_with("BROKEN")).collect()
    };
    let lines: Vec<&str> = script.iter().map(String::as_str).collect();
    let mut wrong = play_all(&mut world, &lines);
    let calm = [
        "mend",
        "disk free",
        "spare steward",
        "start steward",
        "advance 150s",
    ];
    wrong.extend(play_all(&mut world, &calm));
    // What holds for a person is judged all along, and may be asking just now.
    if !unreached(&world).is_empty() {
        wrong.extend(play_all(&mut world, &["advance 300ms"]));
    }
    wrong.extend(unreached(&world));
    let known = world.steward().and_then(|steward| steward.course());
    let holds = known.is_some_and(|(course, ..)| course.rollout.is_some() || course.may_contract);
    let before = world.journal.courses;
    wrong.extend(play_all(
        &mut world,
        &["crash steward", "start steward", "advance 8s"],
    ));
    // What holds may go on with a new steward, which tries again what has failed; what rests has nothing to say.
    if !holds {
        wrong.extend(unreached(&world));
        if world.journal.courses > before {
            wrong.push("a new steward writes another course".to_owned());
        }
    }
    (!wrong.is_empty()).then(|| wrong.join("\n"))
}

/// What is not as the course says, once nothing goes wrong any more.
fn unreached(world: &World) -> Vec<String> {
    let Some(steward) = world.steward() else {
        return vec!["there is no steward".to_owned()];
    };
    let Some((course, because, rows)) = steward.course() else {
        return Vec::new();
    };
    let mut wrong = Vec::new();
    if course.rollout.is_some() && !because.is_some_and(Reason::holds) {
        let why = because.map(ToString::to_string).unwrap_or_default();
        wrong.push(format!("a rollout neither ends nor holds: {why}"));
    }
    let digests: BTreeSet<&str> = rows
        .into_iter()
        .flatten()
        .flat_map(|(_, row)| &row.sides)
        .map(|side| side.digest.as_str())
        .collect();
    for seen in world.machine.observe() {
        if !seen.life.is_over() && !digests.contains(seen.digest.as_str()) {
            wrong.push(format!(
                "{} runs {}, which no release wants",
                seen.id, seen.digest
            ));
        }
    }
    for (name, row) in rows.into_iter().flatten() {
        let Some(part) = steward.tended().parts().get(name) else {
            wrong.push(format!("{name} is unknown to the steward"));
            continue;
        };
        for side in row.sides.iter().filter(|_| {
            part.component
                .as_ref()
                .is_some_and(|one| one.command.is_some() && one.timeout.is_none())
        }) {
            if matches!(side.component.kind, towpath_model::run::Kind::Job) {
                continue;
            }
            // What a person has stopped keeps back those who need it, and cannot start without it.
            let is_stopped = |need: &Need| {
                let part = steward.tended().parts().get(&need.name);
                !need.optional && part.is_some_and(|part| part.will == Will::Stopped)
            };
            if side.component.needs.iter().any(is_stopped) {
                continue;
            }
            let wanted = match part.wanted().0 {
                0 => 0,
                wanted => side.instances.unwrap_or(wanted),
            };
            let running = world
                .machine
                .living(name)
                .filter(|seen| seen.digest == side.digest);
            let running = running
                .filter(|seen| matches!(seen.life, Life::Running { .. }))
                .count();
            if running != wanted as usize {
                wrong.push(format!("{running} of {} run, where {wanted} should", side.digest));
            }
            let target = world.shore.table.targets.get(name);
            let listed = target.and_then(|target| target.iter().find(|(digest, ..)| *digest == side.digest));
            if part.faces()
                && listed.is_none_or(|(_, parts, ids)| *parts != side.parts || ids.len() != wanted as usize)
            {
                wrong.push(format!(
                    "the edge does not do what is said about {}: {listed:?}",
                    side.digest
                ));
            }
        }
    }
    wrong
}

/// Takes from a script that is wrong every line that it is wrong without.
pub fn shorten(script: Vec<String>) -> Vec<String> {
    shorten_by(script, verdict)
}
