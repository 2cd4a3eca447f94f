//! `go.mod`: the main packages of a module.

use super::found::{Found, Part};
use super::procfile;
use super::text::slug;
use super::view::{View, join};
use std::collections::BTreeSet;
use towpath_model::desired::component::ComponentKind;
use towpath_model::desired::resource::ResourceKind;

pub(super) fn find(view: &View, found: &mut Found) {
    for (folder, text) in view.called("go.mod") {
        let file = join(folder, "go.mod");
        let module = text
            .lines()
            .find_map(|line| line.trim().strip_prefix("module "))
            .unwrap_or(&view.name);
        let name = slug(module.trim()).unwrap_or_else(|| "web".to_owned());
        if folder.is_empty() {
            found.product = found.product.take().or(Some(name.clone()));
        }
        let mut commands: BTreeSet<(String, String)> = BTreeSet::new();
        if view.has(folder, "main.go") {
            commands.insert((name, ".".to_owned()));
        }
        for below in view.below(&join(folder, "cmd")) {
            let Some(command) = below.strip_suffix("/main.go") else {
                continue;
            };
            let plain = |letter: char| letter.is_ascii_alphanumeric() || "-_".contains(letter);
            if command.chars().all(plain) {
                commands.extend(slug(command).map(|name| (name, format!("./cmd/{command}"))));
            }
        }
        for (name, source) in commands.into_iter().take(50) {
            found_one(found, folder, &file, text, (&name, &source));
        }
    }
}

fn found_one(found: &mut Found, folder: &str, file: &str, module: &str, what: (&str, &str)) {
    let (name, source) = what;
    let talks = ["bwmarrin/discordgo", "telebot", "telegram-bot-api"]
        .iter()
        .any(|one| module.contains(one));
    let kind = match procfile::kind_of(name, "") {
        ComponentKind::Service if talks => ComponentKind::Bot,
        kind => kind,
    };
    if name.ends_with("ctl") || name.split('-').any(|word| matches!(word, "cli" | "tool")) {
        return found.leave(format!("the command `{name}` of {file}: it looks like a tool"));
    }
    let mut part = Part::new(kind, name, folder, file);
    part.build = Some(format!("go build -o bin/{name} {source}"));
    part.run = Some(format!("bin/{name}"));
    if kind == ComponentKind::Service {
        part.sure = false;
        part.public = true;
    }
    for (modules, resource) in [
        (["jackc/pgx", "lib/pq"], ResourceKind::Postgres),
        (["redis/go-redis", "go-redis/redis"], ResourceKind::Redis),
    ] {
        if modules.iter().any(|one| module.contains(one)) {
            part.need(
                &found.store(resource, file),
                Some(super::cargo::resource_variable(resource)),
            );
        }
    }
    found.add(part);
}
