//! `Cargo.toml`: the binaries of a package or of a workspace.

use super::found::{Found, Part};
use super::procfile;
use super::text::{health_in, slug};
use super::view::{View, join};
use std::collections::BTreeSet;
use toml::{Table, Value};
use towpath_model::desired::component::ComponentKind;
use towpath_model::desired::resource::ResourceKind;

const SERVES: &[&str] = &[
    "axum",
    "actix-web",
    "rocket",
    "warp",
    "hyper",
    "tonic",
    "poem",
    "salvo",
    "tide",
    "tiny_http",
    "ntex",
];
const TALKS: &[&str] = &["serenity", "poise", "teloxide", "twilight-gateway", "matrix-sdk"];

pub(super) fn find(view: &View, found: &mut Found) {
    let mut workspace = None;
    for (folder, text) in view.called("Cargo.toml") {
        let file = join(folder, "Cargo.toml");
        match text.parse::<Table>() {
            Ok(table) => {
                if table.contains_key("workspace") && workspace.is_none() {
                    workspace = Some(folder.to_owned());
                }
                package(view, found, folder, &file, (&table, workspace.as_deref()));
            }
            Err(error) => found
                .broken
                .push(format!("{file} is not valid TOML: {}", error.message())),
        }
    }
}

fn package(view: &View, found: &mut Found, folder: &str, file: &str, tables: (&Table, Option<&str>)) {
    let (table, workspace) = tables;
    let Some(name) = table
        .get("package")
        .and_then(|package| package.get("name")?.as_str())
    else {
        return;
    };
    if folder.is_empty() {
        found.product = found.product.take().or_else(|| slug(name));
    }
    let needs = needs(table);
    let binaries = binaries(view, folder, name, table);
    let top = workspace.unwrap_or(folder);
    for binary in &binaries {
        let kind = kind(binary, &needs, binaries.len());
        let Some(kind) = kind else {
            found.leave(format!(
                "the binary `{binary}` of {file}: does it take requests (service), take jobs (worker), or run and end (job)?"
            ));
            continue;
        };
        let Some(named) = slug(binary) else { continue };
        let mut part = Part::new(kind, &named, folder, file);
        part.dir = top.to_owned();
        part.sure = kind != ComponentKind::Service;
        part.run = Some(format!("target/release/{binary}"));
        let which = match (workspace, binaries.len()) {
            (Some(_), 1) => format!(" -p {name}"),
            (Some(_), _) => format!(" -p {name} --bin {binary}"),
            (None, 1) => String::new(),
            (None, _) => format!(" --bin {binary}"),
        };
        part.build = Some(format!("cargo build --release{which}"));
        if kind == ComponentKind::Service {
            part.public = true;
            part.health = view.text(folder, "src/main.rs").and_then(health_in);
        }
        for (crates, resource) in [
            (
                &[
                    "tokio-postgres",
                    "postgres",
                    "sqlx/postgres",
                    "diesel/postgres",
                    "sea-orm/sqlx-postgres",
                ][..],
                ResourceKind::Postgres,
            ),
            (&["redis", "fred"][..], ResourceKind::Redis),
        ] {
            if crates.iter().any(|one| needs.contains(*one)) {
                part.need(&found.store(resource, file), Some(resource_variable(resource)));
            }
        }
        found.add(part);
    }
}

/// The variable under which programs usually look for the address of a resource.
pub(super) fn resource_variable(kind: ResourceKind) -> &'static str {
    match kind {
        ResourceKind::Postgres => "DATABASE_URL",
        ResourceKind::Redis => "REDIS_URL",
        ResourceKind::Bucket => "BUCKET_URL",
    }
}

/// The crates that a package uses, and their features as `crate/feature`.
fn needs(table: &Table) -> BTreeSet<String> {
    let mut needs = BTreeSet::new();
    for (name, value) in table
        .get("dependencies")
        .and_then(Value::as_table)
        .into_iter()
        .flatten()
    {
        needs.insert(name.clone());
        let features = value.get("features").and_then(Value::as_array);
        needs.extend(
            features
                .into_iter()
                .flatten()
                .filter_map(|one| Some(format!("{name}/{}", one.as_str()?))),
        );
    }
    needs
}

fn binaries(view: &View, folder: &str, name: &str, table: &Table) -> Vec<String> {
    let mut binaries = BTreeSet::new();
    if view.has(folder, "src/main.rs") {
        binaries.insert(name.to_owned());
    }
    for file in view.below(&join(folder, "src/bin")) {
        let stem = file.strip_suffix("/main.rs").or_else(|| file.strip_suffix(".rs"));
        binaries.extend(stem.filter(|stem| !stem.contains('/')).map(str::to_owned));
    }
    for binary in table.get("bin").and_then(Value::as_array).into_iter().flatten() {
        let text = |key: &str| binary.get(key).and_then(Value::as_str);
        let Some(own) = text("name") else { continue };
        if text("path").is_some_and(|path| path == "src/main.rs") {
            binaries.remove(name);
        }
        binaries.insert(own.to_owned());
    }
    let plain = |name: &String| {
        name.chars()
            .all(|letter| letter.is_ascii_alphanumeric() || "-_".contains(letter))
    };
    binaries.into_iter().filter(plain).take(50).collect()
}

/// What a binary is, if its name or what its package uses tells.
fn kind(binary: &str, needs: &BTreeSet<String>, among: usize) -> Option<ComponentKind> {
    let uses = |names: &[&str]| names.iter().any(|name| needs.contains(*name));
    match procfile::kind_of(&slug(binary)?, "") {
        ComponentKind::Service => {}
        kind => return Some(kind),
    }
    if uses(TALKS) {
        return Some(ComponentKind::Bot);
    }
    let tool = ["cli", "ctl", "xtask", "tool"]
        .iter()
        .any(|word| binary.split(['-', '_']).any(|part| part == *word));
    (uses(SERVES) && !(tool && among > 1)).then_some(ComponentKind::Service)
}
