//! What a service needs, and its variables: addresses of others become uses, passwords become secrets.

use super::super::dotenv::value_of;
use super::super::found::{Found, Part, Value as From};
use super::super::text::{is_public, is_secret, is_variable};
use super::value::{list, pairs, resolved};
use serde_json::Value;
use towpath_model::desired::component::ComponentKind;

/// A name by which something of the product is reached.
pub(super) struct Address {
    name: String,
    /// A resource, whose user and password are known elsewhere.
    resource: bool,
}

/// Everything that can be reached by its name.
pub(super) fn addresses(found: &Found) -> Vec<Address> {
    let reachable = |part: &&Part| part.kind.takes_requests();
    let parts = found
        .parts
        .iter()
        .filter(reachable)
        .flat_map(|part| &part.aliases);
    let stores = found.stores.iter().flat_map(|store| &store.aliases);
    let parts = parts.map(|name| Address {
        name: name.clone(),
        resource: false,
    });
    parts
        .chain(stores.map(|name| Address {
            name: name.clone(),
            resource: true,
        }))
        .collect()
}

/// The names that a service waits for or is linked to.
pub(super) fn needed(service: &Value) -> Vec<String> {
    let mut names = service.get("depends_on").map(list).unwrap_or_default();
    let links = service.get("links").map(list).unwrap_or_default();
    names.extend(
        links
            .iter()
            .map(|link| link.split(':').next().unwrap_or_default().to_owned()),
    );
    names
}

pub(super) fn take(found: &mut Found, file: &str, name: &str, service: &Value, hosts: &[Address]) {
    let Some(index) = found
        .parts
        .iter()
        .position(|part| part.aliases.iter().any(|alias| alias == name))
    else {
        return;
    };
    let mut part = found.parts[index].clone();
    for other in needed(service) {
        if hosts.iter().any(|host| host.name == other) {
            part.need(&other, None);
        }
    }
    let variables = service.get("environment").map(pairs).unwrap_or_default();
    for (variable, value) in variables.iter().take(MOST) {
        if is_variable(variable) {
            variable_of(
                found,
                file,
                &mut part,
                variable,
                value.as_deref(),
                (hosts, &variables),
            );
        } else {
            found.leave(format!(
                "`{variable}` of `{name}` in {file}: a variable is written in capital letters"
            ));
        }
    }
    found.parts[index] = part;
}

/// More variables than this are not written by a person.
const MOST: usize = 200;

type Around<'a> = (&'a [Address], &'a [(String, Option<String>)]);

fn variable_of(
    found: &mut Found,
    file: &str,
    part: &mut Part,
    variable: &str,
    value: Option<&str>,
    around: Around<'_>,
) {
    let (hosts, variables) = around;
    let plain = value.and_then(resolved);
    if variable == "PORT" {
        part.port = part
            .port
            .or(plain.and_then(|port| port.parse().ok()).filter(|port| *port > 0));
        return;
    }
    // An address may be known although the password in it is not: `postgres://app:${PASSWORD}@db/app`.
    let shape = plain.as_deref().or(value).unwrap_or_default();
    if let Some(host) = host_in(shape, hosts).filter(|host| !part.aliases.contains(host)) {
        if part.kind == ComponentKind::Site {
            return found.leave(format!(
                "`{variable}` of `{}` in {file}: visitors do not reach `{host}`",
                part.name
            ));
        }
        if is_visited(variable) && hosts.iter().any(|one| one.name == host && !one.resource) {
            part.env.insert(variable.to_owned(), From::Open(None));
            return found.leave(format!(
                "`{variable}` of `{}` in {file}: visitors know `{host}` by a domain; write it under [environment.NAME]",
                part.name
            ));
        }
        return part.need(&host, Some(variable));
    }
    if let Some(detail) = detail_of(variable, shape, (hosts, variables)) {
        part.need(&detail.0, None);
        part.env
            .insert(variable.to_owned(), From::From(detail.0, detail.1));
        return;
    }
    let value = plain.unwrap_or_default();
    if is_secret(variable, &value) && !is_public(variable) {
        found
            .secrets
            .entry(variable.to_owned())
            .or_insert_with(|| file.to_owned());
    }
    let given = match value_of(variable, &value) {
        // What a compose file says is no example: it is the value.
        From::Open(_) if !value.is_empty() => From::Plain(value),
        other => other,
    };
    part.env.insert(variable.to_owned(), given);
}

/// Whether a variable holds an address for visitors, and not one that the component calls itself.
fn is_visited(variable: &str) -> bool {
    let words = [
        "CALLBACK", "CORS", "EXTERNAL", "FRONTEND", "ORIGIN", "ORIGINS", "PUBLIC", "REDIRECT",
    ];
    variable.split('_').any(|word| words.contains(&word))
}

/// The name in an address, if it is of the product: `postgres://app:pw@db:5432/app` has `db` in it.
fn host_in(value: &str, hosts: &[Address]) -> Option<String> {
    let (_, rest) = value.split_once("://")?;
    let rest = rest.rsplit_once('@').map_or(rest, |(_, rest)| rest);
    let host = rest.split(['/', '?', ':', ',']).next().unwrap_or_default();
    hosts
        .iter()
        .find(|one| one.name == host)
        .map(|one| one.name.clone())
}

/// A variable that holds a part of the address of a resource: `DB_HOST`, and `DB_PASSWORD` beside it.
fn detail_of(variable: &str, value: &str, around: Around<'_>) -> Option<(String, &'static str)> {
    let (hosts, variables) = around;
    let ends = |name: &str| {
        const ENDS: &[(&str, &str)] = &[
            ("HOST", "host"),
            ("HOSTNAME", "host"),
            ("PORT", "port"),
            ("USER", "user"),
            ("USERNAME", "user"),
            ("PASSWORD", "password"),
            ("PASS", "password"),
            ("NAME", "database"),
            ("DB", "database"),
            ("DATABASE", "database"),
        ];
        ENDS.iter()
            .filter_map(|(end, part)| Some((name.strip_suffix(end)?.to_owned(), *part)))
            .min_by_key(|(start, _)| start.len())
    };
    if let (Some(host), Some((_, "host"))) = (hosts.iter().find(|host| host.name == value), ends(variable)) {
        return Some((host.name.clone(), "host"));
    }
    let (start, part) = ends(variable)?;
    let beside = |(name, value): &(String, Option<String>)| {
        let value = value.as_deref().and_then(resolved)?;
        let (other, "host") = ends(name)? else { return None };
        let host = hosts.iter().find(|host| host.resource && host.name == value)?;
        (other == start).then(|| host.name.clone())
    };
    let host = variables.iter().find_map(beside)?;
    Some((host, part))
}
