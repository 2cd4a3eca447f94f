//! `towpath init`: a manifest that fits what is there.

use super::Context;
use crate::checked::check_sources;
use crate::cli::Init;
use crate::door::files::{self, Folder, MANIFEST};
use crate::failure::{Failure, Kind};
use crate::init::{View, is_own, is_telling, propose};
use std::collections::{BTreeMap, VecDeque};
use std::path::{Path, PathBuf};
use towpath_manifest::{Sources, Unread};

/// How deep folders are looked into: `apps/web/src/main.rs` tells something, what lies deeper rarely does.
const DEEPEST: usize = 4;
/// The most folders that are looked into; a product of more has its manifest written by hand.
const MOST_FOLDERS: usize = 2000;
/// The most texts that are read.
const MOST_TEXTS: usize = 500;
/// The most bytes of one text. A compose file of this size has thousands of services.
const MOST_BYTES: usize = 256 * 1024;

pub(super) fn run(context: &Context, args: Init) -> Result<(), Failure> {
    if !files::is_folder(&args.dir) {
        return Err(
            Failure::new(Kind::User, format!("{} is not a folder", args.dir.display()))
                .hint("name the folder that the product lies in: `towpath init DIR`"),
        );
    }
    let target = if args.dir == Path::new(".") {
        PathBuf::from(MANIFEST)
    } else {
        args.dir.join(MANIFEST)
    };
    if files::exists(&target) {
        return Err(files::taken(&target));
    }
    let proposal = propose(&look(&args.dir));
    files::write_new(&target, &proposal.text)?;
    for broken in &proposal.broken {
        context.terminal.tell(&format!(
            "\u{1b}[1;33mwarning\u{1b}[0m: {broken}; it was left out\n"
        ));
    }
    let sources = BTreeMap::from([(MANIFEST.to_owned(), proposal.text.clone().into_bytes())]);
    let (errors, warnings) = check_sources(MANIFEST, &sources, &[]).count();
    let mut told = format!("{} is written\n", target.display());
    match proposal.left {
        0 => {}
        1 => told.push_str("1 thing was not taken over and is listed at its end\n"),
        count => told.push_str(&format!(
            "{count} things were not taken over and are listed at its end\n"
        )),
    }
    if errors + warnings > 0 {
        told.push_str("something in it is not right yet, which `towpath check` tells\n");
    }
    told.push_str(&next(&args.dir));
    context.terminal.result(&told)
}

/// What to type next.
fn next(dir: &Path) -> String {
    let shown = dir.display().to_string();
    let at = match shown.as_str() {
        "." => String::new(),
        path if path
            .chars()
            .all(|letter| letter.is_alphanumeric() || "-_./".contains(letter)) =>
        {
            format!(" {path}")
        }
        path => format!(" '{}'", path.replace('\'', r#"'"'"'"#)),
    };
    format!("next: read it, then `towpath check{at}`, then `towpath plan prod{at}`\n")
}

/// Looks into a folder and those below it, the nearest first.
fn look(dir: &Path) -> View {
    let folder = Folder::new(dir);
    let mut view = View {
        name: files::folder_name(dir),
        ..View::default()
    };
    let mut open = VecDeque::from([(String::new(), 0)]);
    let mut seen = 0;
    while let Some((below, depth)) = open.pop_front() {
        seen += 1;
        if seen > MOST_FOLDERS {
            view.unread
                .push(format!("only the first {MOST_FOLDERS} folders were looked into"));
            break;
        }
        for name in files::names(&dir.join(&below)) {
            match name.strip_suffix('/') {
                // A link may lead back up, and everything would be found twice.
                Some(name)
                    if is_own(name) && depth < DEEPEST && !files::is_link(&dir.join(&below).join(name)) =>
                {
                    open.push_back((format!("{below}{name}/"), depth + 1))
                }
                Some(_) => {}
                None => file(dir, &folder, &mut view, format!("{below}{name}")),
            }
        }
    }
    view
}

fn file(dir: &Path, folder: &Folder, view: &mut View, name: String) {
    if is_telling(&name) {
        if view.texts.len() >= MOST_TEXTS {
            view.unread
                .push(format!("{name}: more than {MOST_TEXTS} files are worth reading"));
        } else {
            match folder.read(&dir.join(&name).to_string_lossy(), MOST_BYTES) {
                Ok(bytes) => {
                    view.texts
                        .insert(name.clone(), String::from_utf8_lossy(&bytes).into_owned());
                }
                Err(why) => view.unread.push(format!("{name} {}", said(&why))),
            }
        }
    }
    view.names.insert(name);
}

fn said(why: &Unread) -> String {
    match why {
        Unread::Missing => "leads to nothing".to_owned(),
        Unread::Folder => "is a folder".to_owned(),
        Unread::LinkLoop => "is a link that leads to itself".to_owned(),
        Unread::Outside => "is a link that leads out of the folder".to_owned(),
        Unread::TooLarge => format!("has more than {} KiB", MOST_BYTES / 1024),
        Unread::Refused(why) => format!("cannot be read: {why}"),
    }
}
