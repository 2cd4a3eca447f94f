//! Products that are launched: every rule, and every example.

mod examples;
mod front;
mod kept;
mod previews;
mod restarted;
mod rules;
mod spans;

use super::*;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use towpath_model::run::{Ask, Build, Component, Listens, Shift, Value, Variable};
use towpath_model::sealed::Sealed;
use towpath_model::unit::Unit;

/// A product of this text with an environment `dev`.
pub(crate) fn environment(text: &str) -> String {
    format!("product = \"shop\"\n{text}\n[environment.dev]\n")
}

/// What is started of a manifest.
pub(crate) fn launched(text: &str, environment: &str) -> Launched {
    with(text, environment, &[], &[])
}

/// What is started of a manifest with `.env` files beside it, and what was made up earlier.
pub(crate) fn with(text: &str, environment: &str, files: &[(&str, &str)], kept: &[(&str, &str)]) -> Launched {
    let sources = BTreeMap::from([("towpath.toml".to_owned(), text.as_bytes().to_vec())]);
    let reading = towpath_manifest::read("towpath.toml", &sources);
    let told: Vec<&str> = reading.findings.iter().map(|one| one.message.as_str()).collect();
    assert!(!reading.has_errors(), "{told:?}");
    let name = Name::parse(environment).expect("a name");
    let desired = &reading
        .environments
        .get(environment)
        .expect("it is there")
        .desired;
    let files: Vec<EnvFile> = files.iter().map(|(name, text)| file(name, text)).collect();
    let kept = kept
        .iter()
        .map(|(name, value)| ((*name).to_owned(), Sealed::new((*value).to_owned())));
    launch(
        desired,
        &name,
        Surroundings {
            folder: "/p",
            sources: Vec::new(),
            place: &|path| Place {
                file: path.to_string(),
                line: 1,
            },
            files: &files,
            kept: &kept.collect(),
            person: &[],
            vault: false,
        },
    )
}

fn file(name: &str, text: &str) -> EnvFile {
    EnvFile {
        name: name.trim_start_matches("tracked ").to_owned(),
        tracked: name.starts_with("tracked "),
        read: dotenv::parse(text),
    }
}

/// Everything, as people read it.
fn shown(launched: &Launched) -> String {
    let mut text = String::new();
    for component in launched.product.components.values() {
        text.push_str(&shown_component(component));
    }
    for build in launched.product.builds.values() {
        text.push_str(&shown_build(build));
    }
    let values: Vec<&str> = launched.values.keys().map(String::as_str).collect();
    let made: Vec<String> = launched
        .generate
        .iter()
        .map(|(name, how)| format!("{name} ({how})"))
        .collect();
    for (what, all) in [("values", values.join(" ")), ("make", made.join(" "))] {
        if !all.is_empty() {
            let _ = writeln!(text, "{what}: {all}");
        }
    }
    text + &told("problem", &launched.problems) + &told("note", &launched.notes)
}

fn told(what: &str, problems: &[Problem]) -> String {
    let mut text = String::new();
    for problem in problems {
        let at = problem.at.as_ref().map_or("", |at| at.file.as_str());
        let _ = writeln!(text, "{what} at {at}: {}", problem.message);
        let _ = writeln!(text, "  help: {}", problem.hint.as_deref().unwrap_or_default());
    }
    text
}

fn shown_component(one: &Component) -> String {
    let mut text = format!(
        "{} {}: {}\n",
        one.kind,
        one.name,
        one.command.as_deref().unwrap_or("-")
    );
    let mut row = |what: &str, said: String| {
        if !said.is_empty() {
            let _ = writeln!(text, "  {what} {said}");
        }
    };
    row("in", one.dir.clone());
    let single = if one.single { ", never two" } else { "" };
    row("runs", format!("{} of {}{single}", one.instances, one.most));
    let shift = |shift: &Shift| format!("{} {}", shift.instances, shift.when);
    row("but", one.shifts.iter().map(shift).collect::<Vec<_>>().join(", "));
    row(
        "built by",
        one.build.as_ref().map(ToString::to_string).unwrap_or_default(),
    );
    let needs = one
        .needs
        .iter()
        .map(|need| format!("{}{}", need.name, if need.optional { "?" } else { "" }));
    row("needs", needs.collect::<Vec<_>>().join(" "));
    row(
        "listens",
        one.listens.as_ref().map(shown_listens).unwrap_or_default(),
    );
    row(
        "well",
        match &one.health.ask {
            Ask::Runs => String::new(),
            Ask::Port => "port".to_owned(),
            Ask::Path(path) => format!("{path} within {}", one.health.deadline),
            Ask::Command(command) => command.clone(),
            Ask::Postgres { user, database } => format!("{user} may use {database}"),
            Ask::Redis => "redis".to_owned(),
        },
    );
    row(
        "memory",
        one.limits
            .memory
            .map(|memory| memory.to_string())
            .unwrap_or_default(),
    );
    row(
        "serves",
        one.site
            .as_ref()
            .map(|site| format!("{} or {:?}", site.folder, site.fallback))
            .unwrap_or_default(),
    );
    row(
        "packs",
        one.pack
            .as_ref()
            .map(|pack| pack.folder.clone())
            .unwrap_or_default(),
    );
    row(
        "sleeps after",
        one.idle.map(|idle| idle.to_string()).unwrap_or_default(),
    );
    row(
        "when",
        one.cron
            .as_ref()
            .map(|(cron, zone)| format!("{cron} in {zone}"))
            .unwrap_or_default(),
    );
    row(
        "takes",
        one.timeout.map(|timeout| timeout.to_string()).unwrap_or_default(),
    );
    row(
        "again",
        one.retry
            .map(|retry| format!("{} after {}", retry.times, retry.backoff))
            .unwrap_or_default(),
    );
    if let Some(resource) = &one.resource {
        let version = resource.version.as_deref().unwrap_or("any");
        row("keeps", format!("{} of version {version}", resource.database));
        let folder = resource
            .migrate
            .iter()
            .filter_map(|migrate| migrate.folder.clone());
        row("migrates by", folder.collect());
    }
    for rule in &one.watch {
        let ignore: Vec<&str> = rule.ignore.iter().map(|glob| glob.as_str()).collect();
        let but = if ignore.is_empty() {
            String::new()
        } else {
            format!(" but {}", ignore.join(" "))
        };
        row("watches", format!("{}: {}{but}", rule.path, rule.action));
    }
    text + &shown_env(&one.env)
}

fn shown_listens(listens: &Listens) -> String {
    let port = listens.port.map_or("any".to_owned(), |port| port.to_string());
    let flags = [
        (listens.public, "public"),
        (!listens.private, "not inside"),
        (listens.sticky, "sticky"),
        (!listens.compress, "plain"),
    ];
    let flags = flags
        .iter()
        .filter(|(on, _)| *on)
        .map(|(_, word)| format!(", {word}"));
    let speaks = listens.speaks.iter().map(|word| format!(", {word}"));
    let domains = listens.domains.iter().map(|domain| format!(", {domain}"));
    let to = |to: &Option<Name>, redirect: &Option<String>| {
        to.as_ref()
            .map(ToString::to_string)
            .or_else(|| redirect.clone())
            .unwrap_or_default()
    };
    let routes = listens
        .routes
        .iter()
        .map(|route| match to(&route.to, &route.redirect).as_str() {
            "" => format!(", {} apart", route.path),
            to => format!(", {} to {to}", route.path),
        });
    port + &flags
        .chain(speaks)
        .chain(domains)
        .chain(routes)
        .collect::<String>()
}

fn shown_build(build: &Build) -> String {
    let mut text = format!("build {}: {} in {}\n", build.name, build.command, build.dir);
    for (what, all) in [
        (
            "of",
            build.inputs.iter().map(ToString::to_string).collect::<Vec<_>>(),
        ),
        ("with", build.needs.clone()),
    ] {
        if !all.is_empty() {
            let _ = writeln!(text, "  {what} {}", all.join(", "));
        }
    }
    text + &shown_env(&build.env)
}

fn shown_value(value: &Value) -> String {
    match value {
        Value::Text(text) => format!("{text:?}"),
        Value::Sealed(name) => format!("sealed {name}"),
        Value::Port => "its port".to_owned(),
        Value::Address { of, part } => format!("{part:?} of {of}").to_lowercase(),
        Value::Public(of) => format!("public address of {of}"),
        Value::Credential { of, which } => format!("{which:?} of {of}").to_lowercase(),
        Value::Joined(parts) => {
            let parts: Vec<String> = parts.iter().map(shown_value).collect();
            parts.join(" + ")
        }
    }
}

fn shown_env(env: &BTreeMap<String, Variable>) -> String {
    let mut text = String::new();
    for (name, variable) in env.iter().filter(|(name, _)| !name.starts_with("TOWPATH_")) {
        let value = shown_value(&variable.value);
        let deliver = match variable.deliver.word() {
            "variable" => "",
            _ => ", as a file",
        };
        let _ = writeln!(text, "  {name} = {value}{deliver}");
    }
    text
}
