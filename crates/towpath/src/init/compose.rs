//! `compose.yaml`: services to components and resources.

mod environment;
mod image;
mod value;

use super::found::{Found, Part, Store};
use super::text::{asked_path, command, path, quoted, slug};
use super::view::View;
use environment::Address;
use image::Image;
use serde_json::Value;
use towpath_model::desired::component::ComponentKind;
use value::{list, scalar, words};

pub(super) use value::memory;

/// The names of the file, in the order in which compose looks for them.
const NAMES: &[&str] = &[
    "compose.yaml",
    "compose.yml",
    "docker-compose.yaml",
    "docker-compose.yml",
];

pub(super) fn find(view: &View, found: &mut Found) {
    let Some((file, text)) = NAMES.iter().find_map(|name| Some((*name, view.text("", name)?))) else {
        return;
    };
    let tree = match read(text) {
        Ok(tree) => tree,
        Err(why) => return found.broken.push(format!("{file} is not valid YAML: {why}")),
    };
    if let Some(name) = tree.get("name").and_then(scalar) {
        found.product = Some(value::resolved(&name).unwrap_or(name));
    }
    for other in view
        .names
        .iter()
        .filter(|name| is_overlay(name) && **name != file)
    {
        found.leave(format!(
            "{other}: write what differs there under [environment.NAME]"
        ));
    }
    let services: Vec<(&String, &Value)> = tree
        .get("services")
        .and_then(Value::as_object)
        .map(|services| services.iter().take(MOST).collect())
        .unwrap_or_default();
    let mut proxied = Vec::new();
    for (name, service) in &services {
        service_of(found, file, name, service, &mut proxied);
    }
    for part in &mut found.parts {
        // What stood behind a proxy was meant to be reached.
        if part.kind == ComponentKind::Service && proxied.contains(&part.name) {
            part.public = true;
        }
    }
    let hosts: Vec<Address> = environment::addresses(found);
    for (name, service) in &services {
        environment::take(found, file, name, service, &hosts);
    }
}

/// A product of more services is not started from one compose file, but by somebody who wants to see this stop.
const MOST: usize = 200;

fn is_overlay(name: &str) -> bool {
    let yaml = name.ends_with(".yml") || name.ends_with(".yaml");
    yaml && (name.starts_with("docker-compose") || name.starts_with("compose."))
}

fn read(text: &str) -> Result<Value, String> {
    let options = serde_saphyr::options! { strict_booleans: true };
    serde_saphyr::from_str_with_options(text, options).map_err(|error| {
        let text = error.to_string();
        let first = text.lines().next().unwrap_or_default();
        first.trim_start_matches("error: ").to_owned()
    })
}

fn service_of(found: &mut Found, file: &str, name: &str, service: &Value, proxied: &mut Vec<String>) {
    let image = service
        .get("image")
        .and_then(scalar)
        .and_then(|image| value::resolved(&image));
    let built = service.get("build").is_some();
    let known = match (&image, built) {
        (Some(image), false) => image::known(image),
        _ => Image::Own,
    };
    match known {
        Image::Resource(kind, version, extensions) => {
            found.stores.push(Store {
                kind,
                name: name.to_owned(),
                aliases: vec![name.to_owned()],
                from: vec![file.to_owned()],
                version,
                extensions,
                migrate: None,
            });
            let volumes = service.get("volumes").map(list).unwrap_or_default();
            if volumes.iter().any(|one| one.contains("initdb")) {
                found.leave(format!(
                    "the files that fill a fresh `{name}`: name one with `seed`"
                ));
            }
            if volumes.iter().any(|one| !one.contains("initdb")) {
                found.leave(format!(
                    "what is in the volumes of `{name}`: copy it over, or use the one that runs with `bind`"
                ));
            }
        }
        Image::Proxy => {
            proxied.extend(environment::needed(service));
            found.leave(format!("`{name}` of {file}: the edge does what this proxy did"));
        }
        Image::Tool(what) => found.leave(format!("`{name}` of {file}: {what}")),
        Image::Own => own(found, file, name, service, image),
    }
}

/// Keys that say something which the manifest says elsewhere or not at all.
const LEFT: &[(&str, &str)] = &[
    (
        "volumes",
        "an instance keeps nothing on disk; use a bucket or a database",
    ),
    ("privileged", "an instance has no privileges"),
    ("cap_add", "an instance has no privileges"),
    ("devices", "an instance has no devices"),
    ("network_mode", "components reach each other by what they use"),
    ("extends", "look at what it takes from there"),
    ("secrets", "declare them as [secret.NAME]"),
    ("configs", "put what they hold into variables or into the image"),
    (
        "env_file",
        "declare its variables in `env`, and the secrets among them as [secret.NAME]",
    ),
];

fn own(found: &mut Found, file: &str, name: &str, service: &Value, image: Option<String>) {
    let ports = value::ports(service);
    let kind = kind_of(name, service, &ports);
    let mut part = Part::new(kind.0, name, "", file);
    part.sure = kind.1;
    part.explicit = true;
    part.aliases.push(name.to_owned());
    if let Some(container) = service.get("container_name").and_then(scalar) {
        part.aliases.push(container);
    }
    built(found, file, &mut part, service);
    if part.dockerfile.is_none() {
        part.image = image.as_deref().and_then(image::untagged);
        if let Some(image) = &image {
            part.remarks.push(format!("It ran as {image}"));
        }
    }
    started(&mut part, service);
    if part.kind == ComponentKind::Service {
        part.port = ports
            .iter()
            .find_map(|port| port.inside)
            .or_else(|| value::exposed(service));
        part.public = ports.iter().any(|port| port.public);
    }
    part.health = service
        .get("healthcheck")
        .and_then(|check| check.get("test"))
        .and_then(|test| asked_path(&words(test).join(" ")));
    limits(&mut part, service);
    for (key, why) in LEFT {
        if service.get(key).is_some_and(|value| !value.is_null()) {
            let sources = service.get("volumes").map(list).unwrap_or_default();
            let mounted = *key == "volumes" && sources.iter().all(|one| one.starts_with('.'));
            let why = if mounted {
                "while developing, `watch` tells what a change does"
            } else {
                why
            };
            found.leave(format!("`{key}` of `{name}` in {file}: {why}"));
        }
    }
    found.add(part);
}

fn built(found: &mut Found, file: &str, part: &mut Part, service: &Value) {
    let Some(build) = service.get("build") else { return };
    let context = scalar(build)
        .or_else(|| build.get("context").and_then(scalar))
        .unwrap_or_else(|| ".".to_owned());
    let Some(folder) = value::resolved(&context).as_deref().and_then(path) else {
        found.leave(format!(
            "the build of `{}` in {file}: `{context}` is no folder below this one",
            part.name
        ));
        return;
    };
    part.folder = if folder == "." { String::new() } else { folder };
    part.dir = part.folder.clone();
    let dockerfile = build
        .get("dockerfile")
        .and_then(scalar)
        .unwrap_or_else(|| "Dockerfile".to_owned());
    part.dockerfile = path(&super::view::join(&part.folder, &dockerfile));
    part.stage = build.get("target").and_then(scalar);
    if build.get("args").is_some() {
        found.leave(format!(
            "the build arguments of `{}` in {file}: write them as build.args",
            part.name
        ));
    }
}

fn started(part: &mut Part, service: &Value) {
    let spelled = |key: &str| {
        let value = service.get(key)?;
        match value {
            Value::Array(_) => command(&quoted(words(value).iter().map(String::as_str))),
            other => command(&value::unescaped(&scalar(other)?)),
        }
    };
    part.run = match (spelled("entrypoint"), spelled("command")) {
        (Some(entry), Some(rest)) => Some(format!("{entry} {rest}")),
        (entry, rest) => entry.or(rest),
    };
}

fn limits(part: &mut Part, service: &Value) {
    let deploy = service.get("deploy");
    let limits = deploy.and_then(|deploy| deploy.get("resources")?.get("limits"));
    let memory = limits
        .and_then(|limits| limits.get("memory"))
        .or_else(|| service.get("mem_limit"));
    part.memory = memory.and_then(scalar).and_then(|text| value::memory(&text));
    let replicas = deploy
        .and_then(|deploy| deploy.get("replicas"))
        .or_else(|| service.get("scale"));
    part.replicas = replicas
        .and_then(Value::as_u64)
        .and_then(|number| u32::try_from(number).ok())
        .filter(|number| (2..=100).contains(number) && part.kind != ComponentKind::Bot);
}

/// What a service most likely is, and whether that is sure.
fn kind_of(name: &str, service: &Value, ports: &[value::Port]) -> (ComponentKind, bool) {
    let run = service
        .get("command")
        .map(|command| words(command).join(" "))
        .unwrap_or_default();
    let serves = !ports.is_empty() || service.get("expose").is_some();
    match super::procfile::kind_of(&slug(name).unwrap_or_default(), &run) {
        kind if kind != ComponentKind::Service => (kind, true),
        _ if serves => (ComponentKind::Service, true),
        _ if service
            .get("healthcheck")
            .is_some_and(|check| words(check).is_empty() && check.to_string().contains("http")) =>
        {
            (ComponentKind::Service, true)
        }
        _ => (ComponentKind::Service, false),
    }
}
