//! `package.json`: servers, sites, bots and workers by their scripts and dependencies.

use super::cargo::resource_variable;
use super::found::{Found, Part};
use super::text::{command, slug};
use super::view::{View, file_name, join};
use serde_json::{Map, Value};
use std::collections::BTreeSet;
use towpath_model::desired::component::ComponentKind;
use towpath_model::desired::resource::ResourceKind;

const TALKS: &[&str] = &[
    "discord.js",
    "eris",
    "telegraf",
    "grammy",
    "@slack/bolt",
    "oceanic.js",
];
const SERVES: &[&str] = &[
    "express",
    "fastify",
    "koa",
    "hono",
    "@nestjs/core",
    "@hapi/hapi",
    "nuxt",
    "@remix-run/serve",
    "@sveltejs/adapter-node",
    "@fastify/websocket",
    "ws",
    "socket.io",
    "apollo-server",
    "@apollo/server",
    "restify",
    "polka",
];
/// Builders of static pages, with the folder that each writes to.
const BUILDS: &[(&str, &str, bool)] = &[
    ("vite", "dist", true),
    ("react-scripts", "build", true),
    ("@vue/cli-service", "dist", true),
    ("parcel", "dist", true),
    ("astro", "dist", false),
    ("gatsby", "public", false),
    ("@11ty/eleventy", "_site", false),
    ("@docusaurus/core", "build", false),
];

struct Package<'a> {
    folder: &'a str,
    file: String,
    name: String,
    /// What installs: `npm ci`, and what runs a script: `npm run`.
    tool: (&'static str, &'static str),
    scripts: Map<String, Value>,
    needs: BTreeSet<String>,
    main: Option<String>,
}

pub(super) fn find(view: &View, found: &mut Found) {
    for (folder, text) in view.called("package.json") {
        let file = join(folder, "package.json");
        let tree: Value = match serde_json::from_str(text) {
            Ok(tree) => tree,
            Err(error) => {
                found.broken.push(format!("{file} is not valid JSON: {error}"));
                continue;
            }
        };
        let package = read(view, folder, file, &tree);
        if folder.is_empty() && tree.get("name").is_some() {
            found.product = found.product.take().or_else(|| slug(&package.name));
        }
        components(view, found, &package);
    }
}

fn read<'a>(view: &View, folder: &'a str, file: String, tree: &Value) -> Package<'a> {
    let keys = |key: &str| tree.get(key).and_then(Value::as_object);
    let needs = ["dependencies", "devDependencies"]
        .iter()
        .filter_map(|key| keys(key))
        .flat_map(Map::keys);
    let locked = |name: &str| view.has(folder, name) || view.has("", name);
    let tool = if locked("pnpm-lock.yaml") {
        ("pnpm install --frozen-lockfile", "pnpm run")
    } else if locked("yarn.lock") {
        ("yarn install --frozen-lockfile", "yarn run")
    } else if locked("bun.lock") || locked("bun.lockb") {
        ("bun install --frozen-lockfile", "bun run")
    } else if locked("package-lock.json") {
        ("npm ci", "npm run")
    } else {
        ("npm install", "npm run")
    };
    let fallback = if folder.is_empty() {
        &view.name
    } else {
        file_name(folder)
    };
    Package {
        folder,
        file,
        name: tree
            .get("name")
            .and_then(Value::as_str)
            .unwrap_or(fallback)
            .to_owned(),
        tool,
        scripts: keys("scripts").cloned().unwrap_or_default(),
        needs: needs.cloned().collect(),
        main: tree.get("main").and_then(Value::as_str).map(str::to_owned),
    }
}

impl Package<'_> {
    fn uses(&self, names: &[&str]) -> bool {
        names.iter().any(|name| self.needs.contains(*name))
    }

    fn script(&self, name: &str) -> Option<String> {
        let plain = name
            .chars()
            .all(|letter| letter.is_ascii_alphanumeric() || "-_:.".contains(letter));
        let text = self.scripts.get(name)?.as_str()?;
        (plain && !text.trim().is_empty()).then(|| format!("{} {name}", self.tool.1))
    }

    fn build(&self) -> String {
        match self.script("build") {
            Some(build) => format!("{} && {build}", self.tool.0),
            None => self.tool.0.to_owned(),
        }
    }

    fn part(&self, kind: ComponentKind, name: &str) -> Part {
        let mut part = Part::new(kind, name, self.folder, &self.file);
        part.build = Some(self.build());
        part
    }
}

fn components(view: &View, found: &mut Found, package: &Package<'_>) {
    let Some(name) = slug(&package.name).or_else(|| slug(&view.name)) else {
        return;
    };
    if view.has(package.folder, "manifest.json")
        && view
            .text(package.folder, "manifest.json")
            .is_some_and(super::extension::is_one)
    {
        return;
    }
    let serving = package.uses(SERVES);
    let talking = package.uses(TALKS);
    let builder = BUILDS.iter().find(|(name, ..)| package.needs.contains(*name));
    let start = package.script("start").or_else(|| {
        let main = package.main.as_deref().unwrap_or("index.js");
        view.has(package.folder, main)
            .then(|| command(&format!("node {main}")))
            .flatten()
    });
    if package.uses(&["next"]) {
        next(view, found, package, &name);
    } else if talking {
        let mut part = package.part(ComponentKind::Bot, &name);
        part.run = start.or_else(|| command("node index.js"));
        stores(found, package, &mut part);
        found.add(part);
    } else if let (true, Some(start)) = (serving, start.clone()) {
        let mut part = package.part(ComponentKind::Service, &name);
        part.run = Some(start);
        part.public = true;
        part.sure = false;
        part.websocket = package.uses(&["ws", "socket.io", "@fastify/websocket"]);
        stores(found, package, &mut part);
        found.add(part);
    } else if let Some((_, files, fallback)) = builder.filter(|_| package.script("build").is_some()) {
        let mut part = package.part(ComponentKind::Site, &name);
        part.files = Some(join(package.folder, files));
        part.fallback = *fallback;
        found.add(part);
    } else if start.is_some() && package.scripts.contains_key("start") {
        found.leave(format!("{}: what does its `start` do: take requests (service), take jobs (worker), stay connected (bot)?", package.file));
    }
    workers(found, package);
    if package.uses(&["prisma", "@prisma/client"]) && found.migrate.is_none() {
        found.migrate = Some(("npx prisma migrate deploy".to_owned(), package.file.clone()));
    }
}

fn next(view: &View, found: &mut Found, package: &Package<'_>, name: &str) {
    let exported = view
        .below(package.folder)
        .filter(|file| file.starts_with("next.config."))
        .filter_map(|file| view.text(package.folder, file))
        .any(|text| text.contains("output: 'export'") || text.contains("output: \"export\""));
    if exported {
        let mut part = package.part(ComponentKind::Site, name);
        part.files = Some(join(package.folder, "out"));
        return found.add(part);
    }
    let mut part = package.part(ComponentKind::Service, name);
    part.sure = false;
    part.public = true;
    part.run = package
        .script("start")
        .or_else(|| Some("npx next start".to_owned()));
    stores(found, package, &mut part);
    found.add(part);
}

/// Scripts that start a worker beside the server.
fn workers(found: &mut Found, package: &Package<'_>) {
    let names = package.scripts.keys().filter(|name| {
        matches!(name.as_str(), "worker" | "start:worker" | "queue" | "start:queue")
            || name.starts_with("worker:")
    });
    for script in names.take(20) {
        let Some(run) = package.script(script) else {
            continue;
        };
        let Some(name) = slug(script.trim_start_matches("start:")) else {
            continue;
        };
        if script.ends_with(":dev") || script.ends_with(":watch") {
            continue;
        }
        let mut part = package.part(ComponentKind::Worker, &name);
        part.run = Some(run);
        stores(found, package, &mut part);
        found.add(part);
    }
}

fn stores(found: &mut Found, package: &Package<'_>, part: &mut Part) {
    for (packages, kind) in [
        (
            &["pg", "postgres", "@neondatabase/serverless", "pg-promise"][..],
            ResourceKind::Postgres,
        ),
        (&["redis", "ioredis", "bull", "bullmq"][..], ResourceKind::Redis),
    ] {
        if package.uses(packages) {
            part.need(&found.store(kind, &package.file), Some(resource_variable(kind)));
        }
    }
}
