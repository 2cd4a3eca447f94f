//! `fly.toml`: one app with its processes.

use super::found::{Found, Part, Value};
use super::procfile::kind_of;
use super::text::{command, is_route, is_secret, is_variable, path, slug};
use super::view::{View, join};
use toml::Table;
use towpath_model::desired::component::ComponentKind;
use towpath_model::unit::{Region, Unit};

pub(super) fn find(view: &View, found: &mut Found) {
    for (folder, text) in view.called("fly.toml") {
        let file = join(folder, "fly.toml");
        match text.parse::<Table>() {
            Ok(table) => app(found, folder, &file, &table),
            Err(error) => found
                .broken
                .push(format!("{file} is not valid TOML: {}", error.message())),
        }
    }
}

fn app(found: &mut Found, folder: &str, file: &str, table: &Table) {
    let text = |key: &str| table.get(key).and_then(toml::Value::as_str);
    let name = text("app").and_then(slug).unwrap_or_else(|| "web".to_owned());
    if folder.is_empty() {
        found.product = found.product.take().or(Some(name.clone()));
    }
    if let Some(region) = text("primary_region").filter(|region| Region::parse(region).is_ok()) {
        found.region = found.region.take().or(Some(region.to_owned()));
    }
    let serving = serving(table);
    match table.get("processes").and_then(toml::Value::as_table) {
        Some(processes) if !processes.is_empty() => {
            for (process, run) in processes.iter().take(50) {
                let (Some(named), Some(run)) = (slug(process), run.as_str().and_then(command)) else {
                    continue;
                };
                let kind = match &serving {
                    Some(serving) if serving.processes.contains(process) => ComponentKind::Service,
                    _ => kind_of(&named, &run),
                };
                let mut part = part(found, folder, file, table, (kind, &named));
                part.run = Some(run);
                serve(&mut part, &serving);
                found.add(part);
            }
        }
        _ => {
            let kind = if serving.is_some() {
                ComponentKind::Service
            } else {
                kind_of(&name, "")
            };
            let mut part = part(found, folder, file, table, (kind, &name));
            serve(&mut part, &serving);
            found.add(part);
        }
    }
    if let Some(run) = table
        .get("deploy")
        .and_then(|deploy| deploy.get("release_command")?.as_str())
        .and_then(command)
    {
        found.migrate = found.migrate.take().or(Some((run, file.to_owned())));
    }
    for (key, why) in [
        (
            "mounts",
            "an instance keeps nothing on disk; use a bucket or a database",
        ),
        ("statics", "declare them as [site.NAME]"),
    ] {
        if table.contains_key(key) {
            found.leave(format!("`{key}` of {file}: {why}"));
        }
    }
}

/// What the edge of Fly sends to an app.
struct Serving {
    port: Option<u16>,
    health: Option<String>,
    processes: Vec<String>,
}

fn serving(table: &Table) -> Option<Serving> {
    let services = table.get("services").and_then(toml::Value::as_array);
    let service = table.get("http_service").or_else(|| services?.first())?;
    let port = service.get("internal_port").and_then(toml::Value::as_integer);
    let named = service.get("processes").and_then(toml::Value::as_array);
    let processes: Vec<String> = named
        .into_iter()
        .flatten()
        .filter_map(|one| Some(one.as_str()?.to_owned()))
        .collect();
    let checks = ["checks", "http_checks"]
        .iter()
        .find_map(|key| service.get(key)?.as_array()?.first());
    let top = table
        .get("checks")
        .and_then(|checks| checks.as_table()?.values().next());
    let health = checks.or(top).and_then(|check| check.get("path")?.as_str());
    Some(Serving {
        port: port
            .and_then(|port| u16::try_from(port).ok())
            .filter(|port| *port > 0),
        health: health.filter(|path| is_route(path)).map(str::to_owned),
        processes: if processes.is_empty() {
            vec!["app".to_owned()]
        } else {
            processes
        },
    })
}

fn serve(part: &mut Part, serving: &Option<Serving>) {
    if let (ComponentKind::Service, Some(serving)) = (part.kind, serving) {
        part.public = true;
        part.port = serving.port;
        part.health = serving.health.clone();
    }
}

fn part(found: &mut Found, folder: &str, file: &str, table: &Table, what: (ComponentKind, &str)) -> Part {
    let mut part = Part::new(what.0, what.1, folder, file);
    part.explicit = true;
    let build = table.get("build");
    let text = |key: &str| build.and_then(|build| build.get(key)?.as_str());
    part.dockerfile = text("dockerfile").and_then(|name| path(&join(folder, name)));
    part.image = text("image")
        .map(str::to_owned)
        .filter(|image| !image.contains(char::is_whitespace));
    part.memory = table
        .get("vm")
        .and_then(|machines| machines.as_array()?.first()?.get("memory")?.as_str())
        .and_then(super::compose::memory);
    let variables = table.get("env").and_then(toml::Value::as_table);
    for (name, value) in variables.into_iter().flatten().take(200) {
        let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        if name == "PORT" || !is_variable(name) {
            continue;
        }
        let given = if is_secret(name, &value) {
            found
                .secrets
                .entry(name.clone())
                .or_insert_with(|| file.to_owned());
            Value::Secret(name.clone())
        } else {
            Value::Plain(value)
        };
        part.env.insert(name.clone(), given);
    }
    part
}
