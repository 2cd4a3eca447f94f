//! The manifest as text, with what a person wants to know beside it.

mod frame;

use super::found::{Found, Part, Store, Value};
use super::text::{is_tame, line, looks_secret};
use std::fmt::Write;
use towpath_model::desired::component::ComponentKind;
use towpath_model::desired::resource::ResourceKind;

/// A line of a table: the key, its value as TOML, and a remark.
type Row = (String, String, Option<String>);

pub(super) fn write(product: &str, found: &Found) -> String {
    let mut text = frame::opening(found);
    let _ = writeln!(text, "product = {}", quote(product));
    if let Some(region) = &found.region {
        let _ = writeln!(text, "region  = {}", quote(region));
    }
    if found.parts.is_empty() {
        text.push_str(HELLO);
    }
    for part in &found.parts {
        component(&mut text, part);
    }
    for (index, store) in found.stores.iter().enumerate() {
        resource(&mut text, store, index == 0);
    }
    frame::secrets(&mut text, found);
    frame::environments(&mut text, found);
    frame::ending(&mut text, found);
    text
}

/// What stands where nothing was found.
const HELLO: &str = r#"
# Nothing was found that says what runs here, so this serves the files of the folder. Replace it by what you have:
# service takes requests, worker takes jobs, bot stays connected, site is static files, job runs and ends.
[service.web]
run    = "python3 -m http.server $PORT"  # the port is given as PORT
public = true                            # reachable from outside, through the edge
health = "/"                             # answers 200 once it can take requests

# What keeps data is a resource. A component that says `uses = ["db"]` gets its address as DB_URL.
# [postgres.db]
# version = "16"
# backup  = { full = "daily", keep = "30d", drill = "monthly" }
"#;

/// `a, b and c`.
fn listed(names: &[&str], last: &str) -> String {
    let names: Vec<String> = names.iter().map(|name| line(name)).collect();
    match names.split_last() {
        Some((end, rest)) if !rest.is_empty() && last != "," => format!("{} {last} {end}", rest.join(", ")),
        _ => names.join(", "),
    }
}

fn component(text: &mut String, part: &Part) {
    let from: Vec<&str> = part.from.iter().map(String::as_str).collect();
    text.push('\n');
    comment(text, &format!("From {}", listed(&from, "and")));
    let told = part.port.is_some() || part.run.as_ref().is_none_or(|run| run.contains("PORT"));
    if part.kind == ComponentKind::Service && !part.explicit && !part.is_contained() && !told {
        comment(
            text,
            "It has to listen on the port that it is given as PORT; or name its own with `port`",
        );
    }
    for remark in &part.remarks {
        comment(text, remark);
    }
    let _ = writeln!(text, "[{}.{}]", part.kind, part.name);
    table(text, &rows(part));
    for browser in &part.browsers {
        let kind = if *browser == "firefox" {
            "amo"
        } else {
            "chrome-web-store"
        };
        let _ = writeln!(text, "\n[extension.{}.store.{browser}]", part.name);
        let _ = writeln!(text, "kind = {}", quote(kind));
        comment(
            text,
            "id = \"..\"  # the listing's id, and in `secrets` the names of those that let us upload",
        );
    }
    if part.env.is_empty() {
        return;
    }
    if part.kind == ComponentKind::Site {
        // Files have no variables; what builds them has.
        let _ = writeln!(text, "\n[site.{}.build]", part.name);
        if let Some(build) = &part.build {
            let _ = writeln!(text, "command = {}", quote(build));
        }
        let _ = writeln!(text, "\n[site.{}.build.env]", part.name);
    } else {
        let _ = writeln!(text, "\n[{}.{}.env]", part.kind, part.name);
    }
    table(text, &variables(part));
}

fn rows(part: &Part) -> Vec<Row> {
    let mut rows: Vec<Row> = Vec::new();
    let mut row = |key: &str, value: String, remark: Option<&str>| {
        rows.push((key.to_owned(), value, remark.map(str::to_owned)))
    };
    if let Some(run) = part.run.as_ref().filter(|_| part.kind.runs()) {
        row("run", quote(run), None);
    }
    let apart = part.kind == ComponentKind::Site && !part.env.is_empty();
    if let Some(build) = building(part).filter(|_| !apart) {
        row("build", build, None);
    }
    let contained = part.dockerfile.is_some() || part.image.is_some();
    if !contained && !part.dir.is_empty() && (part.run.is_some() || part.build.is_some()) {
        row("dir", quote(&part.dir), None);
    }
    if let Some(files) = &part.files {
        row("files", quote(files), None);
    }
    if part.fallback {
        row(
            "fallback",
            quote("index.html"),
            Some("answers for paths that have no file, as single-page applications need it"),
        );
    }
    if let Some(image) = part.image.as_ref().filter(|_| part.dockerfile.is_none()) {
        row("artifact", quote(image), None);
    }
    if part.public || part.kind == ComponentKind::Site {
        row("public", "true".to_owned(), None);
    }
    if let Some(port) = part.port.filter(|_| part.kind == ComponentKind::Service) {
        row("port", port.to_string(), None);
    }
    if part.websocket && part.kind == ComponentKind::Service {
        row("speaks", quote("websocket"), None);
    }
    match (&part.health, part.kind) {
        (Some(health), ComponentKind::Service) => row("health", quote(health), None),
        (None, ComponentKind::Service) => {
            row(
                "health",
                quote("/"),
                Some("a guess: a path that answers 200 once it can take requests"),
            );
        }
        _ => {}
    }
    if !part.needs.is_empty() {
        row("uses", needs(part), None);
    }
    if let Some(replicas) = part.replicas {
        row("replicas", replicas.to_string(), None);
    }
    if let Some(memory) = part.memory.as_ref().filter(|_| part.kind.runs()) {
        row("memory", quote(memory), None);
    }
    if let Some(cron) = &part.cron {
        row(
            "cron",
            quote(cron),
            Some("in UTC, unless `time_zone` says otherwise"),
        );
    }
    if !part.browsers.is_empty() {
        let browsers: Vec<String> = part.browsers.iter().map(|name| quote(name)).collect();
        row("browsers", format!("[{}]", browsers.join(", ")), None);
    }
    rows
}

fn building(part: &Part) -> Option<String> {
    if let Some(dockerfile) = &part.dockerfile {
        let mut entries = vec![format!("dockerfile = {}", quote(dockerfile))];
        if !part.folder.is_empty() {
            entries.push(format!("dir = {}", quote(&part.folder)));
        }
        if let Some(stage) = &part.stage {
            entries.push(format!("stage = {}", quote(stage)));
        }
        return Some(format!("{{ {} }}", entries.join(", ")));
    }
    part.build
        .as_ref()
        .filter(|_| part.image.is_none())
        .map(|build| quote(build))
}

fn needs(part: &Part) -> String {
    let needs: Vec<String> = part
        .needs
        .iter()
        .map(|need| {
            let usual = format!("{}_URL", need.name.to_ascii_uppercase().replace('-', "_"));
            match need.env.as_ref().filter(|env| **env != usual) {
                Some(env) => format!("{{ name = {}, env = {} }}", quote(&need.name), quote(env)),
                None => quote(&need.name),
            }
        })
        .collect();
    format!("[{}]", needs.join(", "))
}

fn variables(part: &Part) -> Vec<Row> {
    let row = |(name, value): (&String, &Value)| (name.clone(), variable(value), None);
    part.env.iter().map(row).collect()
}

fn variable(value: &Value) -> String {
    let harmless = |text: &str| !is_word(text) && !looks_secret(text) && is_tame(text);
    match value {
        Value::Plain(value) if harmless(value) => quote(value),
        Value::Secret(name) => quote(&format!("secret:{name}")),
        Value::From(name, detail) => quote(&format!("from:{name}.{detail}")),
        Value::Open(Some(example)) if harmless(example) => {
            format!("{{ required = false, example = {} }}", quote(example))
        }
        Value::Plain(_) | Value::Open(_) => "{ required = false }".to_owned(),
    }
}

/// Whether a value would be read as a word of the language.
fn is_word(value: &str) -> bool {
    ["secret:", "from:", "flag:"]
        .iter()
        .any(|start| value.starts_with(start))
}

fn resource(text: &mut String, store: &Store, first: bool) {
    let from: Vec<&str> = store.from.iter().map(String::as_str).collect();
    text.push('\n');
    comment(text, &format!("From {}", listed(&from, "and")));
    if first {
        comment(
            text,
            "One that exists already is used by its address: `bind = \"NAME_OF_A_SECRET\"`",
        );
    }
    let _ = writeln!(text, "[{}.{}]", store.kind, store.name);
    let mut rows: Vec<Row> = Vec::new();
    let mut row = |key: &str, value: String, remark: Option<&str>| {
        rows.push((key.to_owned(), value, remark.map(str::to_owned)))
    };
    match (&store.version, store.kind) {
        (Some(version), _) => row("version", quote(version), None),
        (None, ResourceKind::Postgres) => row("version", quote("16"), Some("a guess")),
        (None, ResourceKind::Redis) => row("version", quote("7"), Some("a guess")),
        (None, ResourceKind::Bucket) => row(
            "versioning",
            "false".to_owned(),
            Some("old versions of objects are not kept"),
        ),
    }
    if !store.extensions.is_empty() {
        let names: Vec<String> = store.extensions.iter().map(|name| quote(name)).collect();
        row("extensions", format!("[{}]", names.join(", ")), None);
    }
    if store.kind == ResourceKind::Postgres {
        row(
            "backup",
            r#"{ full = "daily", keep = "30d", drill = "monthly" }"#.to_owned(),
            Some("a drill restores it and looks"),
        );
    }
    if let Some(migrate) = &store.migrate {
        row("migrate", format!("{{ command = {} }}", quote(migrate)), None);
    }
    table(text, &rows);
}

/// Rows with their equals signs, and the remarks behind them, below each other.
fn table(text: &mut String, rows: &[Row]) {
    /// A remark behind something longer stands above it.
    const WIDE: usize = 60;
    let keys = rows.iter().map(|(key, ..)| key.len()).max().unwrap_or_default();
    let values = rows
        .iter()
        .filter(|(.., remark)| remark.is_some())
        .map(|(_, value, _)| value.chars().count());
    let values = values.filter(|width| *width <= WIDE).max().unwrap_or_default();
    for (key, value, remark) in rows {
        match remark {
            Some(remark) if value.chars().count() > WIDE => {
                comment(text, remark);
                let _ = writeln!(text, "{key:keys$} = {value}");
            }
            Some(remark) => {
                let _ = writeln!(text, "{key:keys$} = {value:values$}  # {}", line(remark));
            }
            None => {
                let _ = writeln!(text, "{key:keys$} = {value}");
            }
        }
    }
}

/// A comment of as many lines as it needs.
fn comment(text: &mut String, what: &str) {
    const WIDE: usize = 100;
    let mut written = String::new();
    for word in line(what).split(' ') {
        if !written.is_empty() && written.chars().count() + word.chars().count() > WIDE {
            let _ = writeln!(text, "# {}", written.trim_end());
            written.clear();
        }
        written.push_str(word);
        written.push(' ');
    }
    let _ = writeln!(text, "# {}", written.trim_end());
}

/// A text as TOML writes it.
fn quote(text: &str) -> String {
    toml::Value::String(text.to_owned()).to_string()
}
