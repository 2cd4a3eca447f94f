//! What of the product's folder a component runs from: files and folders, each with what is taken of it.

use super::Refused;
use crate::build::is_executable;
use crate::door::files::{self, Kind};
use std::path::{Path, PathBuf};
use towpath_decide::launch::below;
use towpath_decide::launch::release::kept_at;
use towpath_model::run::{Ask, Component};

/// Something that is taken.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Root {
    /// Where it lies.
    pub(super) path: PathBuf,
    /// Where it lies in the tree; the empty text is the whole tree.
    pub(super) at: String,
    /// What of it.
    pub(super) part: Part,
}

/// What of a folder is taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Part {
    /// All of it.
    Whole,
    /// What git would keep.
    Kept,
    /// What something is run from: all of it but caches.
    Run,
}

/// What a component is gathered from.
struct Choice<'a> {
    component: &'a Component,
    folder: &'a str,
    roots: Vec<Root>,
    refused: Vec<Refused>,
}

/// What a component runs from; or everything that stands in the way.
pub(super) fn roots(
    component: &Component,
    config: &[String],
    folder: &str,
) -> Result<Vec<Root>, Vec<Refused>> {
    let mut choice = Choice {
        component,
        folder,
        roots: Vec::new(),
        refused: Vec::new(),
    };
    let served = component.site.as_ref().map(|site| &site.folder);
    for top in served
        .into_iter()
        .chain(component.pack.as_ref().map(|pack| &pack.folder))
    {
        choice.named(top, "its files are");
    }
    match (&component.resource, &component.command) {
        (Some(_), _) => choice.resource(),
        (None, Some(command)) => {
            choice.command(command, &component.dir, true);
            if let Ask::Command(command) = &component.health.ask {
                choice.program(command, &component.dir);
            }
        }
        (None, None) => {}
    }
    for file in config {
        choice.named(&format!("{folder}/{file}"), "its `config` is");
    }
    match choice.refused.is_empty() {
        true => Ok(choice.roots),
        false => Err(choice.refused),
    }
}

impl Choice<'_> {
    fn refuse(&mut self, message: String, hint: &str) {
        self.refused.push(Refused::new(message, hint));
    }

    fn take(&mut self, path: &str, at: &str, part: Part) {
        let root = Root {
            path: path.into(),
            at: at.to_owned(),
            part,
        };
        if !self.roots.contains(&root) {
            self.roots.push(root);
        }
    }

    /// A file or folder that the manifest names.
    fn named(&mut self, path: &str, what: &str) {
        let name = &self.component.name;
        let Some(at) = below(path, self.folder) else {
            let message =
                format!("`{name}` cannot be released: {what} in {path}, outside of the product's folder");
            return self.refuse(
                message,
                "a release holds what lies below the manifest: move it there",
            );
        };
        if files::stat_through(Path::new(path)).is_none() {
            let message = format!("`{name}` cannot be released: {what} in {path}, which is not there");
            return self.refuse(message, "build it, or write where it is");
        }
        self.take(path, at, Part::Whole);
    }

    fn resource(&mut self) {
        let Some(resource) = self.component.resource.clone() else {
            return;
        };
        if let Some(migrate) = &resource.migrate {
            if let Some(folder) = &migrate.folder {
                self.named(folder, "its migrations are");
            }
            if let Some(command) = &migrate.command {
                self.command(command, &migrate.dir, false);
            }
        }
        if let Some(seed) = &resource.seed {
            if let Some(file) = &seed.file {
                self.named(file, "its `seed` is");
            }
            if let Some(command) = &seed.command {
                self.command(command, &seed.dir, false);
            }
        }
        if let Some(load) = &resource.load {
            self.named(load, "what it is filled with is");
        }
    }

    /// What a command runs from: its program where it is one, and otherwise everything that it may read.
    fn command(&mut self, command: &str, dir: &str, with_dir: bool) {
        let is_program = self.program(command, dir);
        let Some(at) = below(dir, self.folder) else {
            let name = &self.component.name;
            let message =
                format!("`{name}` cannot be released: it runs in {dir}, outside of the product's folder");
            return self.refuse(
                message,
                "a release holds what lies below the manifest: move it there",
            );
        };
        let part = match is_program {
            true if at.is_empty() || !with_dir => return,
            true => Part::Kept,
            false => Part::Run,
        };
        let is_folder = |stat: files::Stat| stat.kind == Kind::Folder;
        if files::stat_through(Path::new(dir)).is_some_and(is_folder) {
            self.take(dir, at, part);
        } else {
            let name = &self.component.name;
            let message = format!("`{name}` cannot be released: it runs in {dir}, which is not there");
            self.refuse(message, "make the folder, or write another `dir`");
        }
    }

    /// Takes the file that a command names by its path, and says whether it needs nothing to be read by.
    fn program(&mut self, command: &str, dir: &str) -> bool {
        let Some((path, at)) = kept_at(command, dir, self.folder) else {
            return false;
        };
        let is_file = |stat: files::Stat| stat.kind == Kind::File;
        if !files::stat_through(Path::new(&path)).is_some_and(is_file) {
            let name = &self.component.name;
            let message = format!("`{name}` cannot be released: it runs {path}, which is not there");
            self.refuse(
                message,
                "build it; or write what it runs, where that is something else",
            );
            return true;
        }
        if self
            .roots
            .iter()
            .any(|root| root.at == at && root.path != Path::new(&path))
        {
            let name = &self.component.name;
            let message = format!(
                "`{name}` cannot be released: it runs two programs from outside that are called {at}"
            );
            self.refuse(message, "give one of them another name");
        }
        self.take(&path, &at, Part::Whole);
        is_executable(Path::new(&path))
    }
}
