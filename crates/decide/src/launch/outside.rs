//! What this version does not start: other engines; and files that are no place for secrets.

use super::Problem;
use super::draft::Draft;
use towpath_model::desired::environment::Engine;
use towpath_model::finding::listed;
use towpath_model::run::Place;
use towpath_model::spec::Path;

/// An environment whose instances are no processes.
pub(super) fn engine(draft: &mut Draft<'_>) {
    let engine = draft.own.map_or(Engine::Process, |own| own.engine);
    if engine == Engine::Process {
        return;
    }
    let here = draft.environment;
    let at = Path::of(["environment", here.as_str(), "engine"]);
    let message = format!("`{here}` runs on {engine}, and this version starts processes only");
    let hint = format!(
        "write engine = \"process\" in [environment.{here}], or name another environment with `--env`"
    );
    draft.refuse(&at, Problem::new(message, hint));
}

/// `.env` files that everybody has, and lines in them that say nothing.
pub(super) fn files(draft: &mut Draft<'_>) {
    for file in draft.around.files {
        let place = |line| Place {
            file: file.name.clone(),
            line,
        };
        if file.tracked {
            let message = format!(
                "git tracks {}, and with it everybody has the secrets in it",
                file.name
            );
            let hint = format!(
                "take it out of git with `git rm --cached {0}`, name it in .gitignore, and replace what was secret in it",
                file.name
            );
            draft.problems.push(Problem::new(message, hint).at(place(1)));
        }
        for fault in &file.read.faults {
            let message = format!(
                "line {} of {} cannot be read: {}",
                fault.line,
                file.name,
                said(&fault.what)
            );
            draft
                .problems
                .push(Problem::new(message, fault.hint).at(place(fault.line)));
        }
        for doubt in &file.read.doubts {
            let message = format!("{} in {}", doubt.what, file.name);
            draft
                .notes
                .push(Problem::new(message, doubt.hint).at(place(doubt.line)));
        }
    }
}

/// What is wrong with a line, as the end of a sentence about it.
fn said(what: &str) -> String {
    match what.starts_with('`') {
        true => what.to_owned(),
        false => format!("it {what}"),
    }
}

/// Images that would have to be made.
pub(super) fn images(draft: &mut Draft<'_>) {
    for (at, (dockerfile, users)) in std::mem::take(&mut draft.images) {
        let (are, by) = match users.len() {
            1 => ("is", "`run`"),
            _ => ("are", "`run` each"),
        };
        let who = listed(&users, "and");
        let message = format!("{who} {are} started by {by}, and not from an image: {dockerfile} is not used");
        let above = at.parent().unwrap_or_default();
        let hint = format!("where something has to be built first, add a `command` to [{above}]");
        let note = Problem::new(message, hint).of(users).at(draft.place(&at));
        draft.notes.push(note);
    }
}
