//! What stands in the way of a start, as it is told: like a finding, with its place and the next step.

use crate::failure::{Failure, Kind};
use crate::render::told;
use towpath_decide::launch::dotenv::Dotenv;
use towpath_decide::launch::{Launched, Problem};
use towpath_model::run::Place;

/// The most problems that are shown; nobody reads further before mending these.
const MOST: usize = 50;

/// Tells what a person should know, and what stands in the way.
pub(super) fn tell(launched: &Launched, color: bool, tell: &mut dyn FnMut(&str)) {
    let notes = launched.notes.iter().map(|note| ("note", "\u{1b}[1;32m", note));
    let problems = launched
        .problems
        .iter()
        .map(|problem| ("error", "\u{1b}[1;31m", problem));
    let mut text = String::new();
    for (word, paint, problem) in notes.chain(problems.take(MOST)) {
        text.push_str(&one(word, paint, problem, color));
    }
    if !text.is_empty() {
        tell(&text);
    }
}

fn one(word: &str, paint: &str, problem: &Problem, color: bool) -> String {
    let painted = |paint: &str, word: &str| match color {
        true => format!("{paint}{word}\u{1b}[0m"),
        false => word.to_owned(),
    };
    let mut text = format!("{}: {}\n", painted(paint, word), told(&problem.message));
    if let Some(Place { file, line }) = &problem.at {
        text.push_str(&format!(" --> {}:{line}\n", told(file)));
    }
    if let Some(hint) = &problem.hint {
        text.push_str(&format!(
            "  = {}: {}\n",
            painted("\u{1b}[1;36m", "help"),
            told(hint)
        ));
    }
    text.push('\n');
    text
}

/// The end of it.
pub(super) fn refusal(launched: &Launched, name: &str) -> Failure {
    stands_in_the_way(launched, "started", name)
}

/// The end of it, where a release was to be made.
pub(super) fn unreleased(launched: &Launched, name: &str) -> Failure {
    stands_in_the_way(launched, "released", name)
}

fn stands_in_the_way(launched: &Launched, done: &str, name: &str) -> Failure {
    let message = match launched.problems.len() {
        1 => format!("nothing is {done} from {name}: something stands in the way"),
        count if count > MOST => {
            format!("nothing is {done} from {name}: {count} things stand in the way, {MOST} of them above")
        }
        count => format!("nothing is {done} from {name}: {count} things stand in the way"),
    };
    Failure::new(Kind::Config, message)
}

/// A problem that there is nothing to add to.
pub(super) fn failure(problem: Problem) -> Failure {
    let failure = Failure::new(Kind::User, problem.message);
    match problem.hint {
        Some(hint) => failure.hint(hint),
        None => failure,
    }
}

/// Lines of a file of ours that somebody has changed so that they cannot be read.
pub(super) fn faults(read: &Dotenv, name: &str) -> Vec<Problem> {
    let problem = |line: u32, what: &str| {
        let message = format!("line {line} of {name} cannot be read: {what}");
        let hint =
            "take the line out: what it held is made up anew, and what was signed or encrypted by it is lost";
        Problem::new(message, hint).at(Place {
            file: name.to_owned(),
            line,
        })
    };
    read.faults
        .iter()
        .map(|fault| problem(fault.line, &fault.what))
        .collect()
}
