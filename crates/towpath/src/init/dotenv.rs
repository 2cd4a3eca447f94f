//! `.env.example`: the contract of environment variables, without their secrets.

use super::found::{Found, Part, Value};
use super::text::{is_placeholder, is_public, is_secret, is_variable};
use super::view::{CONTRACTS, View};
use towpath_decide::launch::dotenv::parse;
use towpath_model::desired::component::ComponentKind;
use towpath_model::desired::resource::ResourceKind;

pub(super) fn find(view: &View, found: &mut Found) {
    let files: Vec<(&String, &String)> = view
        .texts
        .iter()
        .filter(|(name, _)| CONTRACTS.contains(&super::view::file_name(name)))
        .collect();
    for (name, text) in files {
        let folder = super::view::folder_of(name);
        let concerned: Vec<usize> = (0..found.parts.len())
            .filter(|index| {
                let part = &found.parts[*index];
                part.folder == folder && part.kind != ComponentKind::Extension
            })
            .collect();
        if concerned.is_empty() {
            found.leave(format!(
                "the variables of {name}: nothing was found that they belong to"
            ));
            continue;
        }
        found.dotenv = true;
        for (variable, value) in pairs(text) {
            if is_variable(&variable) {
                take(found, &concerned, name, &variable, &value);
            } else {
                found.leave(format!(
                    "`{variable}` of {name}: a variable is written in capital letters"
                ));
            }
        }
    }
}

/// The names and values in a `.env` file.
pub(super) fn pairs(text: &str) -> Vec<(String, String)> {
    const MOST: usize = 500;
    let entries = parse(text).entries.into_iter().take(MOST);
    // What stands in an example is no secret, or would be one that everybody has.
    entries
        .map(|entry| (entry.name, entry.value.open().clone()))
        .collect()
}

/// The resource that an address or the name of a variable speaks of.
pub(super) fn resource_of(name: &str, value: &str) -> Option<ResourceKind> {
    let scheme = value
        .split_once("://")
        .map(|(scheme, _)| scheme.to_ascii_lowercase());
    match scheme.as_deref() {
        Some("redis" | "rediss" | "valkey") => return Some(ResourceKind::Redis),
        Some(other) if other.starts_with("postgres") => return Some(ResourceKind::Postgres),
        Some(_) => return None,
        None => {}
    }
    match name {
        "DATABASE_URL" | "POSTGRES_URL" | "PG_URL" | "DB_URL" => Some(ResourceKind::Postgres),
        "REDIS_URL" | "VALKEY_URL" | "CELERY_BROKER_URL" => Some(ResourceKind::Redis),
        _ => None,
    }
}

/// What an example tells of a variable.
pub(super) fn value_of(name: &str, value: &str) -> Value {
    if is_secret(name, value) {
        Value::Secret(name.to_owned())
    } else if is_placeholder(value) || is_public(name) {
        Value::Open(Some(value.to_owned()).filter(|value| !value.is_empty() && !value.contains('<')))
    } else {
        Value::Plain(value.to_owned())
    }
}

fn take(found: &mut Found, concerned: &[usize], file: &str, name: &str, value: &str) {
    // The port is handed to a component; the place where it is known is not this file.
    if matches!(
        name,
        "PORT" | "HOST" | "POSTGRES_USER" | "POSTGRES_PASSWORD" | "POSTGRES_DB"
    ) {
        return;
    }
    let resource = resource_of(name, value).map(|kind| found.store(kind, file));
    if resource.is_none() && is_secret(name, value) {
        found
            .secrets
            .entry(name.to_owned())
            .or_insert_with(|| file.to_owned());
    }
    for index in concerned {
        let part = &mut found.parts[*index];
        if part.kind == ComponentKind::Site && !is_public(name) {
            continue;
        }
        match &resource {
            _ if part.env.contains_key(name)
                || part.needs.iter().any(|need| need.env.as_deref() == Some(name)) => {}
            Some(resource) => part.need(resource, Some(name)),
            None => give(part, name, value),
        }
        if !part.from.iter().any(|from| from == file) {
            part.from.push(file.to_owned());
        }
    }
}

fn give(part: &mut Part, name: &str, value: &str) {
    part.env.insert(name.to_owned(), value_of(name, value));
}
