//! `Dockerfile`: how what lies beside it is built, what starts it, and the port that it listens on.

use super::found::{Found, Part};
use super::procfile::kind_of;
use super::text::{asked_path, command, quoted, slug};
use super::view::{View, file_name, is_dockerfile};
use towpath_model::desired::component::ComponentKind;

#[derive(Debug, Default)]
struct Recipe {
    entry: Option<String>,
    start: Option<String>,
    port: Option<u16>,
    health: Option<String>,
}

pub(super) fn find(view: &View, found: &mut Found) {
    for (name, text) in view
        .texts
        .iter()
        .filter(|(name, _)| is_dockerfile(file_name(name)))
    {
        let folder = super::view::folder_of(name);
        let recipe = read(text);
        let run = match (&recipe.entry, &recipe.start) {
            (Some(entry), Some(start)) => Some(format!("{entry} {start}")),
            (entry, start) => entry.clone().or(start.clone()),
        };
        let here: Vec<usize> = (0..found.parts.len())
            .filter(|index| {
                let part = &found.parts[*index];
                part.folder == folder && part.kind.runs() && part.image.is_none()
            })
            .collect();
        if here.is_empty() {
            alone(view, found, folder, name, (recipe, run));
            continue;
        }
        let single = here.len() == 1;
        for index in here {
            contained(
                &mut found.parts[index],
                name,
                &recipe,
                run.clone().filter(|_| single),
            );
        }
    }
}

/// A component that runs in what the Dockerfile builds.
fn contained(part: &mut Part, name: &str, recipe: &Recipe, run: Option<String>) {
    if !part.from.iter().any(|from| from == name) {
        part.from.push(name.to_owned());
    }
    part.dockerfile.get_or_insert_with(|| name.to_owned());
    part.build = None;
    if !part.explicit {
        // What the image starts by itself need not be said again.
        if run.is_some() {
            part.run = None;
        }
        part.remarks.clear();
    }
    if part.kind == ComponentKind::Service {
        part.port = part.port.or(recipe.port);
        part.health = part.health.take().or(recipe.health.clone());
    }
}

/// A component of which there is nothing but the Dockerfile.
fn alone(view: &View, found: &mut Found, folder: &str, name: &str, what: (Recipe, Option<String>)) {
    let (recipe, run) = what;
    let called = if folder.is_empty() {
        &view.name
    } else {
        file_name(folder)
    };
    let called = slug(called).unwrap_or_else(|| "web".to_owned());
    let kind = match kind_of(&called, run.as_deref().unwrap_or_default()) {
        ComponentKind::Service if recipe.port.is_none() => {
            return found.leave(format!(
                "{name}: it exposes no port; is it a service, a worker, a bot or a job?"
            ));
        }
        kind => kind,
    };
    let mut part = Part::new(kind, &called, folder, name);
    part.dockerfile = Some(name.to_owned());
    if kind == ComponentKind::Service {
        part.port = recipe.port;
        part.health = recipe.health;
        part.public = true;
    }
    found.add(part);
}

/// What the last stage says; an earlier one only builds.
fn read(text: &str) -> Recipe {
    let mut recipe = Recipe::default();
    for line in joined(text) {
        let Some((word, rest)) = line.split_once(char::is_whitespace) else {
            continue;
        };
        let rest = rest.trim();
        match word.to_ascii_uppercase().as_str() {
            "FROM" => recipe = Recipe::default(),
            "CMD" => recipe.start = started(rest),
            "ENTRYPOINT" => recipe.entry = started(rest),
            "EXPOSE" => {
                let first = rest.split(|letter: char| !letter.is_ascii_digit()).next();
                recipe.port = recipe
                    .port
                    .or(first.and_then(|port| port.parse().ok()).filter(|port| *port > 0));
            }
            "HEALTHCHECK" => recipe.health = asked_path(rest),
            _ => {}
        }
    }
    recipe
}

/// The lines, those that end with a backslash joined with the next.
fn joined(text: &str) -> Vec<String> {
    let mut lines = Vec::new();
    let mut open = String::new();
    for line in text.lines().filter(|line| !line.trim_start().starts_with('#')) {
        match line.trim_end().strip_suffix('\\') {
            Some(begun) => {
                open.push_str(begun);
                open.push(' ');
            }
            None => {
                open.push_str(line);
                lines.push(std::mem::take(&mut open).trim().to_owned());
            }
        }
    }
    lines
}

fn started(rest: &str) -> Option<String> {
    match serde_json::from_str::<Vec<String>>(rest) {
        Ok(words) => match words.as_slice() {
            // A shell around the command is what `run` has anyway.
            [shell, flag, one] if shell.ends_with("sh") && flag.starts_with('-') && flag.ends_with('c') => {
                command(one)
            }
            words => command(&quoted(words.iter().map(String::as_str))),
        },
        Err(_) => command(rest),
    }
}
