//! Paths of a release: taken out of the folder of the product, and put where its files are laid out.

use super::super::program::{below, program};
use super::tree_digest;
use std::sync::Arc;
use towpath_model::run::{ARTIFACT, Ask, Component, Content, Tree};

/// The folder of an artifact in which programs lie that were built beside the folder of the product.
pub const OUTSIDE: &str = ".outside";

/// Where the program of a command lies in its artifact; nothing where the command names none, or one of the machine.
pub fn kept_at(command: &str, dir: &str, folder: &str) -> Option<(String, String)> {
    let found = program(command, dir)?;
    let at = match below(&found.path, folder) {
        Some(at) => at.to_owned(),
        None if found.is_relative => format!("{OUTSIDE}/{}", found.path.rsplit('/').next()?),
        None => return None,
    };
    Some((found.path, at))
}

/// A component with its paths in its artifact.
pub(super) fn lifted(component: &Component, folder: &str) -> Component {
    let mut lifted = component.clone();
    let of = |command: &str| relocated(command, &component.dir, folder);
    lifted.command = component.command.as_deref().map(of);
    if let Ask::Command(command) = &mut lifted.health.ask {
        *command = of(command);
    }
    if let Some(resource) = &mut lifted.resource {
        let resource = Arc::make_mut(resource);
        if let Some(migrate) = &mut resource.migrate {
            let dir = migrate.dir.clone();
            let command = migrate.command.as_mut();
            command
                .into_iter()
                .for_each(|one| *one = relocated(one, &dir, folder));
        }
        if let Some(seed) = &mut resource.seed {
            let dir = seed.dir.clone();
            let command = seed.command.as_mut();
            command
                .into_iter()
                .for_each(|one| *one = relocated(one, &dir, folder));
        }
    }
    each(&mut lifted, &mut |path| {
        if let Some(rest) = below(path, folder) {
            *path = joined(ARTIFACT, rest);
        }
    });
    lifted
}

/// A command that names its program from where it will lie. What was named from its folder already, and lies below the
/// product's, is named as it was.
fn relocated(command: &str, dir: &str, folder: &str) -> String {
    let (Some(found), Some((path, at)), Some(dir)) = (
        program(command, dir),
        kept_at(command, dir, folder),
        below(dir, folder),
    ) else {
        return command.to_owned();
    };
    if found.is_relative && below(&path, folder).is_some() {
        return command.to_owned();
    }
    let up = dir.split('/').filter(|part| !part.is_empty()).count();
    let way = match up {
        0 => format!("./{at}"),
        up => format!("{}{at}", "../".repeat(up)),
    };
    let (before, after) = (&command[..found.word.start], &command[found.word.end..]);
    format!("{before}{way}{after}")
}

/// The same content where its files are laid out: `folders` says where a tree is. What has no files of its own has an empty
/// folder.
pub fn housed(content: &Content, folders: &dyn Fn(&str) -> String) -> Content {
    let mut housed = content.clone();
    let nothing = tree_digest(&Tree::default());
    for portion in housed.components.values_mut() {
        let folder = folders(portion.artifact.as_deref().unwrap_or(&nothing));
        each(Arc::make_mut(&mut portion.component), &mut |path| {
            if let Some(rest) = below(path, ARTIFACT) {
                *path = joined(&folder, rest);
            }
        });
    }
    housed
}

fn joined(folder: &str, rest: &str) -> String {
    match rest {
        "" => folder.to_owned(),
        rest => format!("{folder}/{rest}"),
    }
}

/// Every path of a component that may lie in the folder of the product.
fn each(component: &mut Component, act: &mut dyn FnMut(&mut String)) {
    act(&mut component.dir);
    if let Some(site) = &mut component.site {
        act(&mut site.folder);
    }
    if let Some(pack) = &mut component.pack {
        act(&mut pack.folder);
    }
    let Some(resource) = &mut component.resource else {
        return;
    };
    let resource = Arc::make_mut(resource);
    resource.load.as_mut().into_iter().for_each(&mut *act);
    if let Some(migrate) = &mut resource.migrate {
        act(&mut migrate.dir);
        migrate.folder.as_mut().into_iter().for_each(&mut *act);
    }
    if let Some(seed) = &mut resource.seed {
        act(&mut seed.dir);
        seed.file.as_mut().into_iter().for_each(&mut *act);
    }
}
