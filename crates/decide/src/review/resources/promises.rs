//! What is promised about data, and whether it can be kept.

use crate::review::{Scene, resource_at};
use towpath_model::code;
use towpath_model::desired::place::HostKind;
use towpath_model::desired::resource::{Availability, Backup, Resource, ResourceKind};
use towpath_model::finding::{Finding, Where};
use towpath_model::spec::Path;
use towpath_model::unit::Duration;

/// A promise, or real data, without a backup.
pub(super) fn without_backup(scene: &Scene<'_>, found: &mut Vec<Finding>) {
    if !scene.lasting() {
        return;
    }
    for (kind, name, resource) in scene
        .product
        .resources()
        .filter(|(_, _, one)| one.backup.is_none())
    {
        let at = resource_at(kind, name);
        let promised = resource.promise.as_ref().and_then(|promise| {
            let rpo = promise.rpo.map(|rpo| ("rpo", format!("to lose at most {rpo}")));
            rpo.or_else(|| Some(("rto", format!("to be back within {}", promise.rto?))))
        });
        let hint = match kind {
            ResourceKind::Postgres => {
                "add one, as in `backup = { full = \"daily\", wal = \"5m\", keep = \"30d\", drill = \"monthly\" }`; if \
                 the provider makes it, add `provider = true`"
            }
            _ => "add one, as in `backup = { full = \"daily\", keep = \"30d\", drill = \"monthly\" }`",
        };
        if let Some((field, what)) = promised {
            let copies = match resource.read_replicas.is_empty() {
                true => "has no backup",
                false => "has no backup (a read replica repeats every mistake)",
            };
            found.push(
                Finding::value(
                    &code::PROMISE_WITHOUT_BACKUP,
                    at.key("promise").key(field),
                    format!("{kind} `{name}` promises {what}, but {copies}"),
                )
                .label("nothing to restore from")
                .hint(hint),
            );
        } else if kind == ResourceKind::Postgres && scene.real() {
            found.push(
                Finding::key(
                    &code::REAL_WITHOUT_BACKUP,
                    at,
                    format!("{kind} `{name}` holds real data, but has no backup"),
                )
                .label("nothing to restore from")
                .hint(hint),
            );
        }
    }
}

/// How often something is copied, with the path of the field that says so; the most often one.
fn most_often(at: &Path, backup: &Backup) -> Option<(Path, Duration)> {
    let backup_at = at.key("backup");
    let based = backup.provider || backup.full.is_some() || backup.snapshot.is_some();
    [
        ("wal", backup.wal.filter(|_| based)),
        ("snapshot", backup.snapshot.as_ref().map(|when| when.interval())),
        ("full", backup.full.as_ref().map(|when| when.interval())),
    ]
    .into_iter()
    .filter_map(|(field, often)| Some((backup_at.key(field), often?)))
    .min_by_key(|(_, often)| *often)
}

/// A part of a time that people would write, at most half of it.
fn a_round_part(of: Duration) -> Duration {
    [900, 300, 60, 30, 10]
        .into_iter()
        .map(Duration::from_secs)
        .find(|part| part.times(2) <= of)
        .unwrap_or(Duration::from_secs(1))
}

/// A promise that the backup cannot keep.
pub(super) fn too_short(scene: &Scene<'_>, found: &mut Vec<Finding>) {
    if !scene.lasting() {
        return;
    }
    for (kind, name, resource) in scene.product.resources() {
        let at = resource_at(kind, name);
        let (Some(rpo), Some(backup)) = (
            resource.promise.as_ref().and_then(|one| one.rpo),
            &resource.backup,
        ) else {
            continue;
        };
        let Some((place, often)) = most_often(&at, backup).filter(|(_, often)| *often > rpo) else {
            continue;
        };
        let hint = match kind {
            ResourceKind::Postgres => {
                let wal = a_round_part(rpo);
                format!(
                    "ship the log of changes more often, as in `wal = \"{wal}\"`, or promise `rpo = \"{often}\"`"
                )
            }
            _ => format!("make copies more often, or promise `rpo = \"{often}\"`"),
        };
        found.push(
            Finding::value(
                &code::RPO_TOO_SHORT,
                at.key("promise").key("rpo"),
                format!("{kind} `{name}` promises to lose at most {rpo}, but is copied only every {often}"),
            )
            .label("cannot be kept")
            .also(Where::Value(place), "what is lost at the worst")
            .hint(hint),
        );
    }
}

/// A standby in another zone or region, on one machine.
pub(super) fn standby(scene: &Scene<'_>, found: &mut Vec<Finding>) {
    if !scene.lasting() {
        return;
    }
    let alone = |one: &Resource| one.availability != Availability::Single && one.bind.is_none();
    for (kind, name, resource) in scene.product.resources().filter(|(_, _, one)| alone(one)) {
        let host = scene.host(resource.at.as_ref());
        let machine = scene.host_kind(resource.at.as_ref()) == HostKind::Machine;
        if !machine || host.is_some_and(|(_, host)| host.standby.is_some()) {
            continue;
        }
        let place = resource_at(kind, name).key("availability");
        let (where_, hint) = match host {
            Some((host, _)) => (
                format!("`{host}` is one machine"),
                format!(
                    "name the machine that takes over, as in `standby = \"second\"` in [host.{host}], or a `kind = \
                     \"managed\"` host"
                ),
            ),
            None => (
                "it is on one machine".to_owned(),
                "say where it is kept, as in `at = \"rds\"` with [host.rds] of `kind = \"managed\"`"
                    .to_owned(),
            ),
        };
        found.push(
            Finding::value(
                &code::NO_STANDBY,
                place,
                format!(
                    "{kind} `{name}` is to have a standby ({}), but {where_}",
                    resource.availability
                ),
            )
            .label("no second place")
            .hint(hint),
        );
    }
}
