//! The commands of scripts.

use super::show;
use crate::machine::Temper;
use crate::product::{name_of, value_of};
use crate::steward::Wanted;
use crate::world::World;
use jiff::SignedDuration;
use std::fmt;
use towpath_decide::converge::Because;
use towpath_decide::tend::Wish;
use towpath_model::run::InstanceId;
use towpath_model::unit::{Duration, Name};

/// A command of a script.
#[derive(Debug, Clone, PartialEq)]
pub enum Command {
    /// Puts components into the product, each in its words, and wants it so.
    Apply(Vec<String>),
    /// Changes what a component is started from.
    Change(Name),
    /// Takes a component out of the product.
    Remove(Name),
    /// Wants again what was wanted last.
    Again,
    /// Wants all of it to run.
    Up,
    /// Wants all of it to stop.
    Down {
        /// Without asking first.
        at_once: bool,
    },
    /// Wants something of a component.
    Wish(Name, Wish),
    /// A request has come for it.
    Request(Name),
    /// Nobody has asked for it for long.
    Quiet(Name),
    /// Time passes.
    Advance(Duration),
    /// A process is killed.
    Kill(InstanceId),
    /// A keeper is killed.
    Lose(InstanceId),
    /// A port is taken.
    Steal(InstanceId),
    /// How the programs of a component behave.
    Temper(Name, Vec<String>),
    /// All behave well again.
    Mend,
    /// The disk is full, or not any more.
    Disk {
        /// It is.
        full: bool,
    },
    /// The time of day jumps.
    Clock {
        /// Forwards.
        forwards: bool,
        /// By so much.
        by: Duration,
    },
    /// The steward is killed after so many more instructions.
    Crash(u64),
    /// The steward is not killed after all.
    Spare,
    /// A new steward.
    Steward,
    /// Something about releases: see `releases`.
    Release(super::releases::Command),
    /// How everything is.
    Show,
    /// What is not as it should be.
    Reached,
}

impl Command {
    /// Reads a command.
    pub fn read(line: &str) -> Result<Command, String> {
        let (word, rest) = line.split_once(' ').unwrap_or((line, ""));
        let rest = rest.trim();
        let wish = |wish| Ok(Command::Wish(name_of(rest)?, wish));
        if let Some(command) = super::releases::Command::read(line) {
            return Ok(Command::Release(command?));
        }
        match (word, rest) {
            ("apply", _) => Ok(Command::Apply(
                rest.split(';').map(|one| one.trim().to_owned()).collect(),
            )),
            ("change", _) => Ok(Command::Change(name_of(rest)?)),
            ("remove", _) => Ok(Command::Remove(name_of(rest)?)),
            ("again", "") => Ok(Command::Again),
            ("up", "") => Ok(Command::Up),
            ("down", "") => Ok(Command::Down { at_once: false }),
            ("down", "at once") => Ok(Command::Down { at_once: true }),
            ("start", "steward") => Ok(Command::Steward),
            ("start", _) => wish(Wish::Up),
            ("stop", _) => wish(Wish::Stopped),
            ("restart", _) => wish(Wish::Restart(Because::RestartedByPerson)),
            ("make", _) => wish(Wish::Make),
            ("scale", _) => scale(rest),
            ("request", _) => Ok(Command::Request(name_of(rest)?)),
            ("quiet", _) => Ok(Command::Quiet(name_of(rest)?)),
            ("advance", _) => Ok(Command::Advance(value_of(rest)?)),
            ("kill", _) => Ok(Command::Kill(instance_of(rest)?)),
            ("lose", _) => Ok(Command::Lose(instance_of(rest)?)),
            ("steal", _) => Ok(Command::Steal(instance_of(rest)?)),
            ("temper", _) => {
                let mut words = rest.split_whitespace();
                let name = name_of(words.next().unwrap_or_default())?;
                Ok(Command::Temper(name, words.map(str::to_owned).collect()))
            }
            ("mend", "") => Ok(Command::Mend),
            ("disk", "full") => Ok(Command::Disk { full: true }),
            ("disk", "free") => Ok(Command::Disk { full: false }),
            ("clock", _) => clock(rest),
            ("crash", _) => crash(rest),
            ("spare", "steward") => Ok(Command::Spare),
            ("show", "") => Ok(Command::Show),
            ("reached", "") => Ok(Command::Reached),
            _ => Err(format!("`{line}` is no command")),
        }
    }

    /// Plays it in a world, and says what it shows.
    pub(super) fn play(self, world: &mut World) -> Result<Vec<String>, String> {
        match self {
            Command::Apply(components) => {
                for component in components {
                    world.product.put(&component)?;
                }
                world.apply(false);
            }
            Command::Change(name) => {
                let found = world.product.change(&name);
                found.then(|| world.apply(false)).ok_or_else(|| unknown(&name))?;
            }
            Command::Remove(name) => {
                let found = world.product.remove(&name);
                found.then(|| world.apply(false)).ok_or_else(|| unknown(&name))?;
            }
            Command::Again => world.apply(false),
            Command::Up => world.apply(true),
            Command::Down { at_once } => world.want(Wanted::Down { at_once }),
            Command::Wish(name, wish) => world.want(Wanted::Wish(name, wish)),
            Command::Request(name) => world.want(Wanted::Request(name)),
            Command::Quiet(name) => world.want(Wanted::Quiet(name)),
            Command::Advance(time) => world.pass(time),
            Command::Crash(after) => world.crash_steward(after),
            Command::Spare => world.spare_steward(),
            Command::Steward => world.start_steward(),
            Command::Release(command) => return command.play(world),
            Command::Show => return Ok(show(world)),
            Command::Reached => return Ok(reached(world)),
            fault => return fault.befall(world).map(|()| Vec::new()),
        }
        Ok(Vec::new())
    }

    /// What befalls the machine.
    fn befall(self, world: &mut World) -> Result<(), String> {
        let now = world.clock.steady;
        let gone = |id: &InstanceId| format!("nothing of {id} is there");
        match self {
            Command::Kill(id) => world
                .machine
                .kill(&id, now)
                .then_some(())
                .ok_or_else(|| gone(&id))?,
            Command::Lose(id) => world
                .machine
                .lose(&id, now)
                .then_some(())
                .ok_or_else(|| gone(&id))?,
            Command::Steal(id) => world
                .machine
                .steal(&id, now)
                .then_some(())
                .ok_or_else(|| gone(&id))?,
            Command::Temper(name, words) => {
                for word in words {
                    temper(world.machine.temper(&name), &word)?;
                }
            }
            Command::Mend => {
                world.machine.mend();
                world.shore.mend();
            }
            Command::Disk { full } => world.journal.full = full,
            Command::Clock { forwards, by } => {
                let by = by.to_jiff();
                world.jump(if forwards { by } else { SignedDuration::ZERO - by });
            }
            other => return Err(format!("`{other}` befalls nobody")),
        }
        world.look();
        Ok(())
    }
}

fn unknown(name: &Name) -> String {
    format!("there is no {name}")
}

fn reached(world: &World) -> Vec<String> {
    let unreached = world.unreached();
    if unreached.is_empty() {
        vec!["all is as it should be".to_owned()]
    } else {
        unreached
    }
}

fn instance_of(text: &str) -> Result<InstanceId, String> {
    InstanceId::parse(text).map_err(|misread| format!("`{text}` is no instance: it {}", misread.because))
}

fn scale(rest: &str) -> Result<Command, String> {
    let (name, count) = rest.split_once(' ').ok_or("how many?")?;
    let count = count.parse().map_err(|_| format!("`{count}` is no number"))?;
    Ok(Command::Wish(name_of(name)?, Wish::Scale(count)))
}

fn clock(rest: &str) -> Result<Command, String> {
    let (forwards, by) = match (rest.strip_prefix('+'), rest.strip_prefix('-')) {
        (Some(by), _) => (true, by),
        (_, Some(by)) => (false, by),
        _ => return Err("a clock jumps by `+1h` or `-1h`".to_owned()),
    };
    Ok(Command::Clock {
        forwards,
        by: value_of(by)?,
    })
}

fn crash(rest: &str) -> Result<Command, String> {
    if rest == "steward" {
        return Ok(Command::Crash(0));
    }
    let after = rest
        .strip_prefix("steward after ")
        .and_then(|after| after.parse().ok());
    after
        .map(Command::Crash)
        .ok_or_else(|| "only a steward crashes, now or `after 3`".to_owned())
}

pub(super) fn temper(temper: &mut Temper, word: &str) -> Result<(), String> {
    let unknown = || format!("`{word}` is no temper");
    let (key, value) = word.split_once('=').unwrap_or((word, ""));
    match key {
        "boots" => temper.boots = value_of(value)?,
        "stops" => temper.stops = value_of(value)?,
        "takes" => temper.takes = value_of(value)?,
        "code" => temper.code = value.parse().map_err(|_| unknown())?,
        "crashes" => temper.crashes = Some(value_of(value)?),
        "sick" => temper.sick = true,
        "well" => temper.sick = false,
        "fails" => temper.failing_starts = value.parse().map_err(|_| unknown())?,
        "builds" => temper.builds = value_of(value)?,
        "unbuildable" => temper.failing_build = true,
        _ => return Err(unknown()),
    }
    Ok(())
}

impl fmt::Display for Command {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Command::Release(command) => command.fmt(f),
            Command::Apply(components) => write!(f, "apply {}", components.join("; ")),
            Command::Change(name) => write!(f, "change {name}"),
            Command::Remove(name) => write!(f, "remove {name}"),
            Command::Again => f.write_str("again"),
            Command::Up => f.write_str("up"),
            Command::Down { at_once: false } => f.write_str("down"),
            Command::Down { at_once: true } => f.write_str("down at once"),
            Command::Wish(name, Wish::Up) => write!(f, "start {name}"),
            Command::Wish(name, Wish::Stopped) => write!(f, "stop {name}"),
            Command::Wish(name, Wish::Restart(_)) => write!(f, "restart {name}"),
            Command::Wish(name, Wish::Scale(count)) => write!(f, "scale {name} {count}"),
            Command::Wish(name, Wish::Make) => write!(f, "make {name}"),
            Command::Request(name) => write!(f, "request {name}"),
            Command::Quiet(name) => write!(f, "quiet {name}"),
            Command::Advance(time) => write!(f, "advance {time}"),
            Command::Kill(id) => write!(f, "kill {id}"),
            Command::Lose(id) => write!(f, "lose {id}"),
            Command::Steal(id) => write!(f, "steal {id}"),
            Command::Temper(name, words) => write!(f, "temper {name} {}", words.join(" ")),
            Command::Mend => f.write_str("mend"),
            Command::Disk { full: true } => f.write_str("disk full"),
            Command::Disk { full: false } => f.write_str("disk free"),
            Command::Clock { forwards: true, by } => write!(f, "clock +{by}"),
            Command::Clock { forwards: false, by } => write!(f, "clock -{by}"),
            Command::Crash(0) => f.write_str("crash steward"),
            Command::Crash(after) => write!(f, "crash steward after {after}"),
            Command::Spare => f.write_str("spare steward"),
            Command::Steward => f.write_str("start steward"),
            Command::Show => f.write_str("show"),
            Command::Reached => f.write_str("reached"),
        }
    }
}
