//! `Procfile`: one process a line.

use super::found::{Found, Part};
use super::text::{command, slug, words_of};
use super::view::{View, join};
use towpath_model::desired::component::ComponentKind;

pub(super) fn find(view: &View, found: &mut Found) {
    for (folder, text) in view.called("Procfile") {
        let file = join(folder, "Procfile");
        for line in text
            .lines()
            .filter(|line| !line.trim().is_empty() && !line.trim_start().starts_with('#'))
        {
            let Some((name, run)) = line.split_once(':') else {
                found.leave(format!("a line of {file} that is no `name: command`"));
                continue;
            };
            process(found, folder, &file, name.trim(), run);
        }
    }
}

fn process(found: &mut Found, folder: &str, file: &str, name: &str, run: &str) {
    let (Some(named), Some(run)) = (slug(name), command(run)) else {
        return found.leave(format!(
            "`{name}` of {file}: it has no name or no command that can be read"
        ));
    };
    if named == "release" {
        found.migrate = Some((run, file.to_owned()));
        return;
    }
    let mut part = Part::new(kind_of(&named, &run), &named, folder, file);
    part.explicit = true;
    part.aliases.push(name.to_owned());
    part.run = Some(run);
    part.public = named == "web";
    found.add(part);
}

/// What something is, by its name and its command.
pub(super) fn kind_of(name: &str, run: &str) -> ComponentKind {
    let named = |words: &[&str]| name.split('-').any(|word| words.contains(&word));
    let says = |words: &[&str]| words_of(run).any(|word| words.contains(&word));
    let words = [
        "worker",
        "workers",
        "sidekiq",
        "celery",
        "queue",
        "consumer",
        "beat",
        "clock",
        "scheduler",
        "rq",
        "arq",
    ];
    if named(&["bot", "discord", "telegram"]) {
        ComponentKind::Bot
    } else if named(&["migrate", "migrations", "migration", "seed", "setup"]) {
        ComponentKind::Job
    } else if named(&words) || says(&["celery", "sidekiq", "rq", "arq", "dramatiq", "huey"]) {
        ComponentKind::Worker
    } else {
        ComponentKind::Service
    }
}
