//! `towpath export`: files for other tools, which follow from the manifest.
//!
//! What was written here before is replaced; what somebody else has written is not, and nothing is written at all where there
//! is such a file.

use super::Context;
use crate::checked::{Checked, check_at};
use crate::cli::{Export, ExportTo};
use crate::door::files::{self, Place};
use crate::failure::{Failure, Kind};
use std::path::{Path, PathBuf};
use towpath_export::{File, is_ours};
use towpath_model::code;

/// The most bytes of a file that is looked at before it is replaced.
const MOST_BYTES: usize = 4 * 1024 * 1024;

/// How a file differs from what would be written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Same,
    Stale,
    Missing,
}

pub(super) fn run(context: &Context, export: &Export) -> Result<(), Failure> {
    let Export::Github(args) = export;
    let place = files::find_manifest(args.at.path.as_deref())?;
    let checked = check_at(&place);
    let color = context.terminal.color_errors;
    // What is missing here is there where it is deployed to.
    let elsewhere = &[&code::VARIABLE_UNPROVIDED];
    checked.refuse_errors("written", elsewhere, color, &mut |text| {
        context.terminal.tell(text)
    })?;
    let out = args.out.clone().unwrap_or_else(|| place.folder.clone());
    let files = checked.workflows(&files::way_down(&out, &place.folder))?;
    let states = states(&out, &files)?;
    if args.check {
        return compare(context, args, &files, &states);
    }
    write(context, &out, &files, &states)?;
    if args.out.is_none() {
        tell_where_it_is_read(context, &place);
    }
    Ok(())
}

/// How each file stands. What is not ours is refused before anything is written.
fn states(out: &Path, files: &[File]) -> Result<Vec<State>, Failure> {
    let state = |file: &File| {
        let path = out.join(&file.path);
        Ok(match files::text(&path, MOST_BYTES)? {
            None => State::Missing,
            Some(there) if there == file.text => State::Same,
            Some(there) if is_ours(&there) => State::Stale,
            Some(_) => return Err(not_ours(&path)),
        })
    };
    files.iter().map(state).collect()
}

fn not_ours(path: &Path) -> Failure {
    let path = path.display();
    let message = format!("{path} was not written by towpath, and is not replaced");
    Failure::new(Kind::User, message).hint(
        "move it away, and take what it has of its own into the manifest or into .github/towpath/setup.sh; or write \
         elsewhere: --out FOLDER",
)
}

/// Fails where a file is not what would be written.
fn compare(context: &Context, args: &ExportTo, files: &[File], states: &[State]) -> Result<(), Failure> {
    let mut text = String::new();
    for (file, state) in files.iter().zip(states) {
        let word = match state {
            State::Same => "says what is true",
            State::Stale => "is stale",
            State::Missing => "is missing",
        };
        text.push_str(&format!("{} {word}\n", file.path));
    }
    context.terminal.result(&text)?;
    if states.iter().all(|state| *state == State::Same) {
        return Ok(());
    }
    Err(Failure::new(Kind::Config, "the workflows are not what the manifest says").hint(again(args)))
}

/// The command that writes them.
fn again(args: &ExportTo) -> String {
    let shown = |path: &PathBuf| format!(" {}", path.display());
    let at = args.at.path.as_ref().map(shown).unwrap_or_default();
    let out = args
        .out
        .as_ref()
        .map(|out| format!(" --out {}", out.display()))
        .unwrap_or_default();
    format!("write them: towpath export github{at}{out}")
}

fn write(context: &Context, out: &Path, files: &[File], states: &[State]) -> Result<(), Failure> {
    if files.is_empty() {
        let message =
            "there is nothing to write: no environment, gate or probe has anything for a workflow to do";
        return context.terminal.result(&format!("{message}\n"));
    }
    let mut text = String::new();
    for (file, state) in files.iter().zip(states) {
        let path = out.join(&file.path);
        let word = match state {
            State::Same => "says what is true already",
            State::Stale | State::Missing => {
                files::replace_within(&path, &file.text)?;
                "is written"
            }
        };
        text.push_str(&format!("{} {word}\n", path.display()));
    }
    context.terminal.result(&text)
}

/// GitHub reads workflows at the root of a repository, and nowhere else.
fn tell_where_it_is_read(context: &Context, place: &Place) {
    let Some(root) = files::repository(&place.folder) else {
        return;
    };
    let path = root.display();
    context.terminal.tell(&format!(
        "note: GitHub reads workflows at the root of a repository only: towpath export github --out {path}\n"
    ));
}

impl Checked {
    /// The workflows of the pipeline, for a repository in which the manifest lies in this folder.
    pub fn workflows(&self, folder: &str) -> Result<Vec<File>, Failure> {
        let (root, _) = self.product(None)?;
        let environments = self.environments();
        let product = towpath_export::Product {
            root,
            environments: &environments,
            folder,
        };
        towpath_export::github(&product)
            .map_err(|untold| Failure::new(Kind::Config, untold.to_string()).hint(untold.hint))
    }
}
