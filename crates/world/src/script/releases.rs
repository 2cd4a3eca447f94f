//! The commands of scripts about releases.

use super::command::temper;
use crate::product::{name_of, value_of};
use crate::steward::Wanted;
use crate::world::World;
use std::fmt;
use towpath_decide::rollout::Wish;
use towpath_model::run::ReleaseId;
use towpath_model::unit::Duration;

/// A command about releases, as it was written.
#[derive(Debug, Clone, PartialEq)]
pub struct Command {
    word: String,
    rest: String,
}

const WORDS: &[&str] = &[
    "way", "enter", "schema", "release", "deploy", "rollback", "pause", "resume", "abort", "approve", "ask",
    "skip", "freeze", "thaw", "habit", "edge", "course", "sabotage",
];

impl fmt::Display for Command {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.word, self.rest)
    }
}

impl Command {
    /// Reads a command, where it is one of these.
    pub(super) fn read(line: &str) -> Option<Result<Command, String>> {
        let (word, rest) = line.split_once(' ').unwrap_or((line, ""));
        let is_of_release =
            word == "temper" && rest.split(' ').next().is_some_and(|first| first.contains('@'));
        let of_edge = line == "crash edge";
        (WORDS.contains(&word) || is_of_release || of_edge).then(|| {
            Ok(Command {
                word: word.to_owned(),
                rest: rest.trim().to_owned(),
            })
        })
    }

    /// Plays it in a world, and says what it shows.
    pub(super) fn play(&self, world: &mut World) -> Result<Vec<String>, String> {
        let rest = self.rest.as_str();
        let (first, others) = rest.split_once(' ').unwrap_or((rest, ""));
        let shore = &mut world.shore;
        match self.word.as_str() {
            "way" if first == "of" => {
                let (name, way) = others.split_once(' ').unwrap_or((others, ""));
                shore.way(Some(name_of(name)?), way)?;
            }
            "way" => shore.way(None, rest)?,
            "enter" => shore.enter(rest)?,
            "schema" => shore.schema(name_of(first)?, others)?,
            "release" => {
                shore.release(first, others)?;
                world.watch_single();
            }
            "habit" => shore.habit(first, others)?,
            "temper" => {
                for word in others.split_whitespace() {
                    temper(world.machine.temper_of(first), word)?;
                }
            }
            "crash" => {
                shore.crash_edge();
                world.look();
            }
            "edge" if first == "late" => shore.late = Some(value_of(others)?),
            "edge" => shore.late = None,
            "sabotage" => shore.sabotage = Some(rest.to_owned()),
            "course" => return Ok(course(world)),
            _ => world.want(Wanted::Course(self.wish(world)?)),
        }
        Ok(Vec::new())
    }

    fn wish(&self, world: &World) -> Result<Wish, String> {
        let rest = self.rest.as_str();
        Ok(match self.word.as_str() {
            "deploy" => Wish::Deploy(ReleaseId::new(rest)),
            "rollback" => Wish::Rollback((!rest.is_empty()).then(|| ReleaseId::new(rest))),
            "pause" => Wish::Pause,
            "resume" => Wish::Resume,
            "abort" => Wish::Abort,
            "approve" => Wish::Approve,
            "ask" => Wish::Ask,
            "skip" => Wish::Skip(rest.to_owned()),
            "thaw" => Wish::Thaw,
            "freeze" => {
                let (time, why) = rest.split_once(' ').unwrap_or((rest, ""));
                let time: Duration = value_of(time)?;
                Wish::Freeze {
                    until: crate::clock::after(world.clock.today(), time),
                    why: why.to_owned(),
                }
            }
            other => return Err(format!("`{other}` is no command")),
        })
    }
}

/// Where the environment stands.
fn course(world: &World) -> Vec<String> {
    let known = world.steward().and_then(|steward| steward.course());
    let Some((course, because, rows)) = known else {
        return vec!["nothing was ever deployed".to_owned()];
    };
    let none = || "none".to_owned();
    let current = course.current.as_ref().map_or_else(none, ToString::to_string);
    let mut said = vec![format!("current is {current}")];
    if let Some(rollout) = &course.rollout {
        said.push(format!("rollout {} brings {}", rollout.number, rollout.to));
    }
    said.extend(because.map(ToString::to_string));
    for (name, row) in rows.into_iter().flatten() {
        let sides = row.sides.iter().map(|side| {
            let count = side
                .instances
                .map_or_else(|| "as wanted".to_owned(), |count| count.to_string());
            let pilot = side
                .pilot
                .as_ref()
                .map(|pilot| format!(" for {}", pilot.join(", ")));
            format!(
                "{} {count} {}%{}",
                side.digest,
                f64::from(side.parts) / 100.0,
                pilot.unwrap_or_default()
            )
        });
        let sides: Vec<String> = sides.collect();
        said.push(format!("  {name}: {}", sides.join("; ")));
    }
    said
}
