//! Scripts: one command a line, read by people, and what each of them brings about.
//!
//! | command | |
//! | --- | --- |
//! | `apply web 2 needs=db; db` | puts components into the product, and wants it so |
//! | `apply bot bot 0 hours=daily_07:00-23:00=1+sat_23:00-02:00_Europe/Berlin=1` | one that sleeps by a schedule |
//! | `change web`, `remove web` | the same, with another digest, or without it |
//! | `again` | wants again what was wanted last, as one does whose steward has died |
//! | `up`, `down`, `down at once` | all of it runs, even what was stopped; all of it stops |
//! | `start web`, `stop web`, `restart web`, `scale web 3`, `make web` | what a person can want |
//! | `request web`, `quiet web` | somebody asks for it, or has not for long |
//! | `advance 30s` | time passes |
//! | `kill web.1`, `lose web.1`, `steal web.1` | a process, a keeper, a port |
//! | `temper web boots=3s stops=1m takes=3s code=1 crashes=50ms sick fails=2 builds=3s unbuildable` | how its programs behave |
//! | `mend` | all behave well again |
//! | `disk full`, `disk free` | nothing can be written, or can again |
//! | `clock +1h`, `clock -1h` | the time of day jumps |
//! | `crash steward`, `crash steward after 3`, `spare steward`, `start steward` | now, or after so many of its instructions |
//! | `show`, `reached` | how everything is; what is not as it should be |
//! | `way canary steps=10:30s,50:person,100 gates=login`, `way of web recreate` | how the next releases go |
//! | `schema db 1 2:backfill 3:contract` | which migrations they know |
//! | `release v2 web 2 @b; bot bot` | a release: what is said of a component as before is the same |
//! | `deploy v2`, `rollback`, `rollback v1`, `pause`, `resume`, `abort`, `approve`, `skip why` | what people ask for |
//! | `freeze 1h why`, `thaw` | nothing goes forward |
//! | `temper web@v2 sick` | how the programs of one release behave |
//! | `habit login fail`, `habit 2 fails`, `habit nightly takes=1m` | gates, migrations and jobs that are tried |
//! | `crash edge`, `edge late 3s`, `edge quick` | the edge |
//! | `course` | where the environment stands |
//! | `sabotage edge`, `sabotage ready`, `sabotage journal`, `sabotage words` | a rule is broken on purpose |
//!
//! Whoever asks a steward that has died starts a new one first.

mod command;
mod releases;

pub use command::Command;

use crate::world::World;
use towpath_model::run::Life;
use towpath_model::unit::Duration;

/// Runs a script from a new world on, and says what came of it: each line, and below it what happened.
pub fn run(text: &str) -> String {
    let mut world = World::default();
    let mut said = String::new();
    for line in text.lines() {
        said.push_str(line);
        said.push('\n');
        for told in play(&mut world, line) {
            said.push_str("    ");
            said.push_str(&told);
            said.push('\n');
        }
    }
    said
}

/// Plays one line in a world, and says what came of it.
pub fn play(world: &mut World, line: &str) -> Vec<String> {
    let line = line.split('#').next().unwrap_or_default().trim();
    if line.is_empty() {
        return Vec::new();
    }
    let said = match Command::read(line) {
        Ok(command) => command.play(world),
        Err(why) => Err(why),
    };
    world.pass(Duration::ZERO);
    let mut told = world.trace.take();
    match said {
        Ok(said) => told.extend(said),
        Err(why) => told.push(format!("misread: {why}")),
    }
    let leaks = told.iter().filter(|told| crate::secrets::sings(told)).count();
    if leaks > 0 {
        told.push(format!("BROKEN: a secret was told {leaks} times"));
    }
    told.extend(
        world
            .laws
            .broken()
            .into_iter()
            .map(|what| format!("BROKEN: {what}")),
    );
    told
}

/// How everything is.
fn show(world: &World) -> Vec<String> {
    let Some(steward) = world.steward() else {
        return vec!["there is no steward".to_owned()];
    };
    let mut shown = Vec::new();
    for (name, part) in steward.tended().parts() {
        shown.push(format!("{name} is {}: {}", part.state, part.because));
        for one in &part.standing {
            let serves = if one.serves() { ", and serves" } else { "" };
            let life = match one.seen.life {
                Life::Running { .. } => format!("runs {}", one.seen.digest),
                _ => crate::world::told(&one.seen),
            };
            shown.push(
                format!("  {} {life}{serves}", one.seen.id)
                    .replace(&format!("{0} {0}", one.seen.id), &one.seen.id.to_string()),
            );
        }
    }
    shown
}
