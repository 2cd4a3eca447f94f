//! Whether data is safe where it is: after a restart, on its way, on disk, and from old faults.

use crate::review::{Scene, resource_at};
use std::collections::BTreeMap;
use towpath_model::code;
use towpath_model::desired::place::HostKind;
use towpath_model::desired::resource::{Evict, Resource, ResourceKind};
use towpath_model::finding::{Finding, Where};
use towpath_model::spec::Path;
use towpath_model::unit::Name;

/// The oldest major version of Postgres that gets fixes: the project keeps each for five years, and 13 ended in
/// November 2025.
const OLDEST_POSTGRES: u32 = 14;

/// The oldest major version of Redis that any vendor still mends.
const OLDEST_REDIS: u32 = 6;

/// Something is backed up or promised, and gone after a restart.
pub(super) fn persistent(scene: &Scene<'_>, found: &mut Vec<Finding>) {
    if !scene.lasting() {
        return;
    }
    for (name, redis) in scene.product.redis.iter().filter(|(_, redis)| !redis.persistent) {
        let at = resource_at(ResourceKind::Redis, name);
        let (place, what) = match (&redis.backup, &redis.promise) {
            (Some(_), _) => ("backup", "has a backup"),
            (None, Some(promise)) if promise.rpo.is_some() => ("promise", "promises how much may be lost"),
            _ => continue,
        };
        found.push(
            Finding::value(
                &code::NOT_PERSISTENT,
                at.key("persistent"),
                format!("redis `{name}` {what}, but loses everything with a restart"),
            )
            .label("kept in memory only")
            .also(Where::Key(at.key(place)), what)
            .hint(format!(
                "write `persistent = true`, or take `{place}` out: a cache needs none"
            )),
        );
    }
}

/// Real data, or data at a provider, is reached in the clear.
pub(super) fn plain(scene: &Scene<'_>, found: &mut Vec<Finding>) {
    for (kind, name, resource) in scene.product.resources().filter(|(_, _, one)| !one.tls) {
        let away = !matches!(
            scene.host_kind(resource.at.as_ref()),
            HostKind::Machine | HostKind::Cluster
        );
        if !scene.real() || !(away || resource.bind.is_some()) {
            continue;
        }
        found.push(
            Finding::value(
                &code::PLAIN_CONNECTION,
                resource_at(kind, name).key("tls"),
                format!("{kind} `{name}` holds real data and is elsewhere, but connections to it are not encrypted"),
            )
            .label("readable on the way")
            .hint("take `tls` out: encrypted is the default, and providers support it"),
        );
    }
}

/// Real data lies in the clear.
pub(super) fn unencrypted(scene: &Scene<'_>, found: &mut Vec<Finding>) {
    if !scene.real() {
        return;
    }
    for (kind, name, resource) in scene.product.resources() {
        let at = resource_at(kind, name);
        let copies = resource.backup.as_ref().is_some_and(|backup| !backup.encrypted);
        let places = [
            (
                !resource.encrypted,
                at.key("encrypted"),
                "is not encrypted on disk",
            ),
            (
                copies,
                at.key("backup").key("encrypted"),
                "its copies leave without encryption",
            ),
        ];
        for (_, place, what) in places.into_iter().filter(|(wrong, _, _)| *wrong) {
            found.push(
                Finding::value(
                    &code::REAL_UNENCRYPTED,
                    place,
                    format!("{kind} `{name}` holds real data, but {what}"),
                )
                .label("readable for whoever finds the disk")
                .hint("take `encrypted = false` out: encrypted is the default"),
            );
        }
    }
}

/// Versions that are none, and versions that nobody mends any more.
pub(super) fn versions(scene: &Scene<'_>, found: &mut Vec<Finding>) {
    for (kind, name, resource) in scene.product.resources() {
        let Some(version) = resource.version.as_deref() else {
            continue;
        };
        let place = resource_at(kind, name).key("version");
        let major = version
            .split('.')
            .next()
            .and_then(|major| major.parse::<u32>().ok());
        let digits = version
            .chars()
            .all(|letter| letter.is_ascii_digit() || letter == '.');
        let (oldest, newer, made) = match kind {
            ResourceKind::Postgres => (OLDEST_POSTGRES, "17", "Postgres"),
            ResourceKind::Redis => (OLDEST_REDIS, "8", "Redis"),
            ResourceKind::Bucket => continue,
        };
        let leading: String = version.chars().take_while(char::is_ascii_digit).collect();
        let meant = if leading.is_empty() { newer } else { &leading };
        match major.filter(|_| digits) {
            None => found.push(
                Finding::value(
                    &code::VERSION_UNREADABLE,
                    place,
                    format!(
                        "`{}` is no version of {made}",
                        towpath_model::finding::Shown(version)
                    ),
                )
                .label("a number is expected")
                .hint(format!(
                    "write the major version, as in `version = \"{meant}\"`: it has to mean the same tomorrow"
                )),
            ),
            Some(major) if major < oldest => found.push(
                Finding::value(
                    &code::VERSION_ENDED,
                    place,
                    format!("{made} {version} gets no fixes any more"),
                )
                .label("known faults stay open")
                .hint(format!(
                    "plan the way to `version = \"{newer}\"`; {oldest} is the oldest that is mended"
                )),
            ),
            Some(major) if kind == ResourceKind::Postgres && version != major.to_string() => found.push(
                Finding::value(
                    &code::VERSION_UNREADABLE,
                    place,
                    format!("`{version}` is not a major version of {made}"),
                )
                .label("a major version is expected")
                .hint(format!(
                    "write `version = \"{major}\"`: its newest fixes are taken by themselves"
                )),
            ),
            Some(_) => {}
        }
    }
}

/// A Redis that holds a queue drops keys when its memory is full.
pub(super) fn evicted(scene: &Scene<'_>, found: &mut Vec<Finding>) {
    let dropping: BTreeMap<&str, (&Name, &Resource)> = scene
        .product
        .redis
        .iter()
        .filter(|(_, redis)| redis.evict != Evict::None)
        .map(|(name, redis)| (name.as_str(), (name, redis)))
        .collect();
    if dropping.is_empty() {
        return;
    }
    let alone = (scene.product.redis.len() == 1)
        .then(|| scene.product.redis.keys().next())
        .flatten();
    let mut told: BTreeMap<&str, (String, Path)> = BTreeMap::new();
    for (kind, name, component) in scene.product.components() {
        for (position, queue) in component.scale.iter().flat_map(|scale| &scale.queue).enumerate() {
            if queue.redis.is_none() {
                continue;
            }
            let used = || {
                let mut used = component.uses.iter().map(|one| one.name.as_str());
                used.find(|one| dropping.contains_key(one))
            };
            let of = queue.of.as_ref().map(|of| of.as_str());
            let Some(of) = of.or_else(|| alone.map(Name::as_str)).or_else(used) else {
                continue;
            };
            let place = super::super::component_at(kind, name)
                .key("scale")
                .key("queue")
                .nth(position);
            told.entry(of)
                .or_insert((format!("{kind} `{name}`"), place.key("redis")));
        }
    }
    for (of, (who, place)) in told {
        let Some((name, redis)) = dropping.get(of) else {
            continue;
        };
        found.push(
            Finding::value(
                &code::QUEUE_EVICTED,
                resource_at(ResourceKind::Redis, name).key("evict"),
                format!(
                    "redis `{name}` drops keys when its memory is full ({}), and with them jobs of {who}",
                    redis.evict
                ),
            )
            .label("jobs vanish without an error")
            .also(Where::Value(place), "a queue lives there")
            .hint("write `evict = \"none\"`, and let a cache have a Redis of its own"),
        );
    }
}
