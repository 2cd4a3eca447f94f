//! Backups: whether copies are made, kept, tried, and lie where the fault does not reach them.

use crate::review::{Scene, resource_at};
use towpath_model::code;
use towpath_model::desired::place::HostKind;
use towpath_model::desired::resource::{Backup, Resource, ResourceKind};
use towpath_model::finding::{Finding, Where};
use towpath_model::spec::Path;
use towpath_model::unit::{Duration, Name};

type Each<'a> = (ResourceKind, &'a Name, &'a Resource, &'a Backup, Path);

/// Every resource that has a backup, with the backup's path.
fn backups<'a>(scene: &Scene<'a>) -> impl Iterator<Item = Each<'a>> {
    let product = scene.product;
    product.resources().filter_map(|(kind, name, resource)| {
        let backup = resource.backup.as_ref()?;
        Some((
            kind,
            name,
            resource,
            backup,
            resource_at(kind, name).key("backup"),
        ))
    })
}

/// How often whole copies are made, with the name of the field that says so.
pub(super) fn whole_copies(backup: &Backup) -> Option<(&'static str, Duration)> {
    [("full", &backup.full), ("snapshot", &backup.snapshot)]
        .into_iter()
        .filter_map(|(field, when)| Some((field, when.as_ref()?.interval())))
        .min_by_key(|(_, often)| *often)
}

/// The longest that a copy may be kept.
fn kept_for(backup: &Backup) -> Duration {
    backup.keep_most.unwrap_or(backup.keep).max(backup.keep)
}

/// A backup that makes no copy, or only one that cannot be restored alone.
pub(super) fn copies(scene: &Scene<'_>, found: &mut Vec<Finding>) {
    for (kind, name, _, backup, at) in backups(scene) {
        if backup.full.is_some() || backup.snapshot.is_some() || backup.provider {
            continue;
        }
        let finding = match backup.wal {
            Some(_) => Finding::key(
                &code::NO_COPIES_MADE,
                at.key("wal"),
                format!(
                    "{kind} `{name}` ships its log of changes, but there is no whole copy that it begins from"
                ),
            )
            .label("cannot be restored alone"),
            None => Finding::key(
                &code::NO_COPIES_MADE,
                at,
                format!("{kind} `{name}` has a backup, but no copy is ever made"),
            )
            .label("neither `full` nor `snapshot`"),
        };
        found.push(finding.hint("say when whole copies are made, as in `full = \"daily 02:00\"`"));
    }
}

/// Copies that are gone before the next one is there, and times that are crossed.
pub(super) fn kept(scene: &Scene<'_>, found: &mut Vec<Finding>) {
    for (kind, name, _, backup, at) in backups(scene) {
        if let Some(most) = backup.keep_most.filter(|most| *most < backup.keep) {
            found.push(
                Finding::value(
                    &code::KEEP_CROSSED,
                    at.key("keep_most"),
                    format!(
                        "copies of `{name}` are kept {most} at the most, but {} at the least",
                        backup.keep
                    ),
                )
                .label("shorter than the least")
                .also(
                    Where::Value(at.key("keep")),
                    format!("{} at the least", backup.keep),
                )
                .hint(format!(
                    "write `keep = \"{most}\"` or `keep_most = \"{}\"`",
                    backup.keep
                )),
            );
        }
        let Some((field, often)) = whole_copies(backup) else {
            continue;
        };
        let keep = kept_for(backup);
        if keep < often {
            let message = format!(
                "copies of {kind} `{name}` are kept for {keep}, but made only every {often}: at times there is none"
            );
            found.push(
                Finding::value(&code::KEPT_TOO_SHORT, at.key("keep"), message)
                    .label("gone before the next one")
                    .also(Where::Value(at.key(field)), "when they are made")
                    .hint(format!(
                        "keep at least two of them, as in `keep = \"{}\"`",
                        often.times(2)
                    )),
            );
        }
    }
}

/// A backup that nobody has ever restored, or only when older copies are gone.
pub(super) fn drills(scene: &Scene<'_>, found: &mut Vec<Finding>) {
    if !scene.lasting() {
        return;
    }
    for (kind, name, _, backup, at) in backups(scene) {
        // What is never copied, or gone at once, is told by rules of their own.
        let copied = whole_copies(backup).is_some_and(|(_, often)| often <= kept_for(backup));
        if !copied && !backup.provider {
            continue;
        }
        let Some(drill) = &backup.drill else {
            found.push(
                Finding::key(
                    &code::NEVER_RESTORED,
                    at,
                    format!("nobody tries whether the backup of {kind} `{name}` can be restored"),
                )
                .label("no `drill`")
                .hint("add when a restore is tried, as in `drill = \"monthly\"`; it looks for the newest heartbeat row"),
            );
            continue;
        };
        let keep = kept_for(backup);
        // A month is 30 days where it is a length, and may be 31 in the calendar.
        let slack = Duration::from_days(1);
        // Copies elsewhere have a life of their own.
        let ours = !backup.provider && backup.offsite.is_none();
        if ours && keep.plus(slack) < drill.interval() {
            let message =
                format!("a restore of {kind} `{name}` is tried {drill}, but copies are kept for {keep}");
            found.push(
                Finding::value(&code::DRILL_TOO_RARE, at.key("drill"), message)
                    .label("finds a fault when no good copy is left")
                    .also(Where::Value(at.key("keep")), "how long copies are kept")
                    .hint("try it more often, as in `drill = \"weekly\"`, or keep copies longer"),
            );
        }
    }
}

/// A copy that lies where the original does.
pub(super) fn target(scene: &Scene<'_>, found: &mut Vec<Finding>) {
    for (kind, name, resource, backup, at) in backups(scene) {
        let Some(to) = &backup.to else { continue };
        let Some(bucket) = scene.product.bucket.get(to.as_str()) else {
            continue;
        };
        let elsewhere = backup.offsite.is_some() || resource.bind.is_some() || bucket.bind.is_some();
        let (here, there) = (scene.host(resource.at.as_ref()), scene.host(bucket.at.as_ref()));
        let same = here.map(|(name, _)| name) == there.map(|(name, _)| name);
        let machine = scene.host_kind(resource.at.as_ref()) == HostKind::Machine;
        if scene.lasting() && !elsewhere && same && machine {
            let machine = here.map_or("the same machine".to_owned(), |(name, _)| {
                format!("`{name}`, too")
            });
            found.push(
                Finding::value(
                    &code::BACKUP_BESIDE,
                    at.key("to"),
                    format!("the copies of {kind} `{name}` go to bucket `{to}`, which is on {machine}"),
                )
                .label("gone together with the machine")
                .hint(
                    "add a copy elsewhere, as in `offsite = \"s3://backups.example.com/db\"` with `offsite_when = \
                     \"weekly\"`, or a bucket that is at another host",
                ),
            );
        }
    }
}

/// A further copy that goes nowhere.
pub(super) fn offsite(scene: &Scene<'_>, found: &mut Vec<Finding>) {
    for (kind, name, _, backup, at) in backups(scene) {
        if backup.offsite.is_some() || backup.offsite_when.is_none() {
            continue;
        }
        found.push(
            Finding::key(
                &code::OFFSITE_NOWHERE,
                at.key("offsite_when"),
                format!("a further copy of {kind} `{name}` has a time, but goes nowhere"),
            )
            .label("where to?")
            .hint(format!(
                "add where it goes, as in `offsite = \"s3://backups.example.com/{name}\"`"
            )),
        );
    }
}

/// The log or the disk of something that is not ours is to be copied by us.
pub(super) fn bound(scene: &Scene<'_>, found: &mut Vec<Finding>) {
    if !scene.lasting() {
        return;
    }
    for (kind, name, resource, backup, at) in backups(scene) {
        if resource.bind.is_none() || backup.provider {
            continue;
        }
        let fields = [
            ("wal", backup.wal.is_some(), "ship its log of changes"),
            (
                "snapshot",
                backup.snapshot.is_some(),
                "take snapshots of its disk",
            ),
        ];
        for (field, _, what) in fields.into_iter().filter(|(_, written, _)| *written) {
            let message = format!("{kind} `{name}` exists already: only its provider can {what}");
            found.push(
                Finding::key(&code::NOT_OURS_TO_COPY, at.key(field), message)
                    .label("needs the server itself")
                    .also(
                        Where::Key(resource_at(kind, name).key("bind")),
                        "only its address is known here",
                    )
                    .hint(
                        "write `provider = true` if the provider does it; we can only make whole copies, as in `full = \
                         \"hourly\"`",
                    ),
            );
        }
    }
}
