//! Backups, and what is promised of them.

use crate::page::{Page, Table};
use crate::product::Product;
use crate::words;
use towpath_model::desired::resource::{Backup, Resource, ResourceKind};

pub(crate) fn write(product: &Product<'_>, page: &mut Page) {
    let mut table = Table::new([
        "Resource",
        "Copies",
        "Log of changes",
        "Kept",
        "Where",
        "Restore tried",
        "May be lost",
        "Back within",
    ]);
    let mut bare = Vec::new();
    for (kind, name, _) in product.resources() {
        let of = |value: fn(&Resource) -> Option<String>| product.of_resource(name, value);
        let row = [
            format!("{} ({})", words::code(name), kind.word()),
            of(|r| r.backup.as_ref().and_then(copies)),
            of(|r| {
                r.backup
                    .as_ref()
                    .and_then(|backup| backup.wal)
                    .map(|wal| format!("shipped at least {}", words::each_time(wal)))
            }),
            of(|r| r.backup.as_ref().map(kept)),
            of(|r| r.backup.as_ref().map(place)),
            of(|r| {
                r.backup
                    .as_ref()
                    .and_then(|backup| backup.drill.as_ref())
                    .map(words::schedule)
            }),
            of(|r| {
                r.promise
                    .as_ref()
                    .and_then(|promise| promise.rpo)
                    .map(|rpo| format!("at most {}", words::time(rpo)))
            }),
            of(|r| {
                r.promise
                    .as_ref()
                    .and_then(|promise| promise.rto)
                    .map(words::time)
            }),
        ];
        if row[1..].iter().all(String::is_empty) {
            bare.push((kind, name));
        } else {
            table.row(row);
        }
    }
    if table.is_empty() && bare.is_empty() {
        return;
    }
    if !table.is_empty() {
        page.paragraph("A backup counts as good only when the copy is there, the log of changes is younger than what may be lost, and the last restore that was tried found what it should. A trial that was missed is an alert.");
        page.table(&table);
    }
    page.list(without(product, &bare));
}

fn copies(backup: &Backup) -> Option<String> {
    let mut parts = Vec::new();
    parts.extend(
        backup
            .full
            .as_ref()
            .map(|when| format!("whole copy {}", words::schedule(when))),
    );
    parts.extend(
        backup
            .snapshot
            .as_ref()
            .map(|when| format!("snapshot {}", words::schedule(when))),
    );
    if parts.is_empty() && backup.provider {
        parts.push("by the provider".to_owned());
    } else if backup.provider {
        parts.push("made by the provider".to_owned());
    }
    (!parts.is_empty()).then(|| parts.join(", "))
}

fn kept(backup: &Backup) -> String {
    match backup.keep_most {
        Some(most) if most != backup.keep => format!("{} to {}", words::time(backup.keep), words::time(most)),
        _ => words::time(backup.keep),
    }
}

fn place(backup: &Backup) -> String {
    let first = match (&backup.to, backup.provider) {
        (Some(bucket), _) => format!("the bucket {}", words::code(bucket)),
        (None, true) => "the provider".to_owned(),
        (None, false) => "Towpath's store".to_owned(),
    };
    let mut parts = vec![first];
    if let Some(url) = &backup.offsite {
        let when = backup
            .offsite_when
            .as_ref()
            .map(|when| format!(" {}", words::schedule(when)));
        parts.push(format!(
            "a further copy at {}{}",
            words::url(url),
            when.unwrap_or_default()
        ));
    }
    if backup.encrypted && !backup.provider {
        parts.push("encrypted".to_owned());
    }
    parts.join("; ")
}

/// What has no backup, and why that may be right.
fn without(product: &Product<'_>, bare: &[(ResourceKind, &towpath_model::unit::Name)]) -> Vec<String> {
    let told = |(kind, name): &(ResourceKind, &towpath_model::unit::Name)| {
        let resource = product
            .main
            .resource(name.as_str())
            .map(|(_, _, resource)| resource);
        let reason = match (kind, resource) {
            (ResourceKind::Redis, Some(resource)) if !resource.persistent => {
                "keeps nothing over a restart, so there is nothing to back up"
            }
            (ResourceKind::Bucket, Some(resource)) if resource.versioning => {
                "has no backup; old versions of objects are kept"
            }
            _ => "has no backup",
        };
        format!("{} ({}) {reason}.", words::code(name), kind.word())
    };
    bare.iter().map(told).collect()
}

#[cfg(test)]
mod tests {
    use crate::tests::section;

    #[test]
    fn backups_tell_promises_and_drills() {
        insta::assert_snapshot!(section(super::write, r#"
            product = "shop"
            [service.web]
            run = "web"
            uses = ["db", "cache", "files"]
            [postgres.db]
            backup = { full = "daily 02:00", wal = "5m", keep = "14d", keep_most = "30d", drill = "monthly", offsite = "s3://x.example.com/a", offsite_when = "weekly" }
            promise = { rpo = "15m", rto = "4h" }
            [redis.cache]
            persistent = false
            [bucket.files]
            versioning = true
            [environment.dev.postgres.db]
            backup = false
            promise = false
            [environment.prod]
        "#), @r#"
        A backup counts as good only when the copy is there, the log of changes is younger than what may be lost, and the last restore that was tried found what it should. A trial that was missed is an alert.

        | Resource        | Copies                               | Log of changes                          | Kept                      | Where | Restore tried                                   | May be lost               | Back within    |
        | --------------- | ------------------------------------ | --------------------------------------- | ------------------------- | ----- | ----------------------------------------------- | ------------------------- | -------------- |
        | `db` (postgres) | whole copy every day at 02:00 (prod) | shipped at least every 5 minutes (prod) | 14 days to 30 days (prod) | Towpath's store; a further copy at `s3://x.example.com/a` every Sunday at 00:00; encrypted (prod) | on the first day of every month at 00:00 (prod) | at most 15 minutes (prod) | 4 hours (prod) |

        - `cache` (redis) keeps nothing over a restart, so there is nothing to back up.
        - `files` (bucket) has no backup; old versions of objects are kept.
        "#);
    }
}
