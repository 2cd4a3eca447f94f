//! Buckets: what ages, and who may read it.

use super::backups::whole_copies;
use crate::review::{Scene, resource_at};
use std::collections::BTreeMap;
use towpath_model::code;
use towpath_model::desired::resource::{Backup, Lifecycle, ResourceKind, StorageClass};
use towpath_model::finding::{Finding, Where};
use towpath_model::spec::Path;
use towpath_model::unit::Duration;

/// The backups that go to each bucket.
fn kept_in<'a>(scene: &Scene<'a>) -> BTreeMap<&'a str, Vec<(String, Path, &'a Backup)>> {
    let mut kept: BTreeMap<&str, Vec<(String, Path, &Backup)>> = BTreeMap::new();
    for (kind, name, resource) in scene.product.resources() {
        let Some(backup) = &resource.backup else { continue };
        let Some(to) = &backup.to else { continue };
        let one = (
            format!("{kind} `{name}`"),
            resource_at(kind, name).key("backup"),
            backup,
        );
        kept.entry(to.as_str()).or_default().push(one);
    }
    kept
}

/// A lifecycle deletes backups before their time.
pub(super) fn aged_away(scene: &Scene<'_>, found: &mut Vec<Finding>) {
    for (to, backups) in kept_in(scene) {
        let Some((name, bucket)) = scene.product.bucket.get_key_value(to) else {
            continue;
        };
        // The longest one is enough to say.
        let Some((what, at, backup)) = backups.iter().max_by_key(|(_, _, backup)| backup.keep) else {
            continue;
        };
        for (position, rule) in bucket.lifecycle.iter().enumerate() {
            let whole = rule.prefix.is_none() && !rule.old_versions && rule.to == StorageClass::Delete;
            if !whole || rule.after >= backup.keep {
                continue;
            }
            let place = resource_at(ResourceKind::Bucket, name)
                .key("lifecycle")
                .nth(position)
                .key("after");
            found.push(
                Finding::value(
                    &code::AGED_AWAY,
                    place,
                    format!(
                        "bucket `{name}` deletes what is {} old, but backups of {what} are to be kept for {}",
                        rule.after, backup.keep
                    ),
                )
                .label("backups go, too")
                .also(Where::Value(at.key("keep")), "how long they are to be kept")
                .hint(format!(
                    "write `after = \"{}\"` or more, or give the rule a `prefix` that backups do not have",
                    backup.keep
                )),
            );
        }
    }
}

/// What thaws in most providers' cheapest storage takes about this long.
const THAW: Duration = Duration::from_hours(12);

/// The newest copy may lie in storage that has to be thawed, longer than a restore may take.
pub(super) fn frozen(scene: &Scene<'_>, found: &mut Vec<Finding>) {
    for (kind, name, resource) in scene.product.resources() {
        let rto = resource.promise.as_ref().and_then(|promise| promise.rto);
        let (Some(backup), Some(rto)) = (&resource.backup, rto.filter(|rto| *rto < THAW)) else {
            continue;
        };
        let Some((field, often)) = whole_copies(backup) else {
            continue;
        };
        let to = backup.to.as_ref().map_or("", |to| to.as_str());
        let Some((bucket_name, bucket)) = scene.product.bucket.get_key_value(to) else {
            continue;
        };
        let freezes = |rule: &Lifecycle| {
            rule.to == StorageClass::Archive
                && rule.prefix.is_none()
                && !rule.old_versions
                && rule.after < often
        };
        let Some(position) = bucket.lifecycle.iter().position(freezes) else {
            continue;
        };
        let place = resource_at(ResourceKind::Bucket, bucket_name)
            .key("lifecycle")
            .nth(position)
            .key("after");
        let at = resource_at(kind, name);
        found.push(
            Finding::value(
                &code::NEWEST_FROZEN,
                place,
                format!("{kind} `{name}` is to be back within {rto}, but even its newest copy may have to be thawed first"),
            )
            .label("before the next copy is made")
            .also(Where::Value(at.key("backup").key(field)), "when copies are made")
            .also(Where::Value(at.key("promise").key("rto")), "to be back within")
            .hint(format!("thawing takes hours: write `after = \"{}\"` or more", often.times(2))),
        );
    }
}

/// Anybody may read what is private.
pub(super) fn public(scene: &Scene<'_>, found: &mut Vec<Finding>) {
    let kept = kept_in(scene);
    for (name, bucket) in scene.product.bucket.iter().filter(|(_, bucket)| bucket.public) {
        let at = resource_at(ResourceKind::Bucket, name);
        let (why, also) = match (
            &bucket.privacy,
            kept.get(name.as_str()).and_then(|all| all.first()),
        ) {
            (Some(privacy), _) => (
                format!("keeps {}", privacy.keeps),
                (Where::Key(at.key("privacy")), "personal data".to_owned()),
            ),
            (None, Some((what, backup, _))) => (
                format!("takes the backups of {what}"),
                (Where::Value(backup.key("to")), "backups go there".to_owned()),
            ),
            (None, None) => continue,
        };
        found.push(
            Finding::value(
                &code::PUBLIC_BUCKET,
                at.key("public"),
                format!("anybody may read bucket `{name}`, which {why}"),
            )
            .label("anybody may read")
            .also(also.0, also.1)
            .hint("take `public` out; what has to be public belongs into a bucket of its own"),
        );
    }
}

/// Old versions are to age, but none are kept.
pub(super) fn old_versions(scene: &Scene<'_>, found: &mut Vec<Finding>) {
    if !scene.lasting() {
        return;
    }
    for (name, bucket) in scene
        .product
        .bucket
        .iter()
        .filter(|(_, bucket)| !bucket.versioning)
    {
        let Some(position) = bucket.lifecycle.iter().position(|rule| rule.old_versions) else {
            continue;
        };
        let at = resource_at(ResourceKind::Bucket, name);
        let place = at.key("lifecycle").nth(position).key("old_versions");
        found.push(
            Finding::value(
                &code::OLD_VERSIONS,
                place,
                format!("old versions in bucket `{name}` are to age, but none are kept"),
            )
            .label("there are none")
            .hint("write `versioning = true`, or take the rule out"),
        );
    }
}
