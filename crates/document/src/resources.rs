//! What is set for each resource.

use crate::page::{Page, Table};
use crate::product::Product;
use crate::words;
use towpath_model::desired::resource::{
    Availability, Evict, Lifecycle, PoolMode, ReadReplica, Resource, ResourceKind, StorageClass,
};

/// A setting: its name, and what a resource says of it.
type Setting = (&'static str, fn(ResourceKind, &Resource) -> Option<String>);

const SETTINGS: &[Setting] = &[
    ("Version", |_, r| {
        r.version.as_ref().map(|version| words::text(version))
    }),
    ("Bound to", |_, r| {
        r.bind
            .as_ref()
            .map(|secret| format!("the one whose address is in {}", words::code(secret)))
    }),
    ("Size", |_, r| size(r)),
    ("Region", |_, r| r.region.as_ref().map(words::code)),
    ("Database", |_, r| r.database.as_ref().map(words::code)),
    ("Extensions", |_, r| some(words::codes(&r.extensions))),
    ("Pool", |_, r| {
        r.pool.as_ref().map(|pool| {
            let mode = match pool.mode {
                PoolMode::Transaction => "for a transaction",
                PoolMode::Session => "for a session",
            };
            format!("{}, each given {mode}", words::count(pool.size, "connection"))
        })
    }),
    ("Read replicas", |_, r| {
        some(words::list(
            &r.read_replicas.iter().map(replica).collect::<Vec<_>>(),
        ))
    }),
    ("When a machine fails", |_, r| match r.availability {
        Availability::Single => None,
        Availability::Zones => Some("a standby in another zone takes over".to_owned()),
        Availability::Regions => Some("a standby in another region takes over".to_owned()),
    }),
    ("Persistence", |kind, r| {
        (kind == ResourceKind::Redis && !r.persistent).then(|| "none: it is empty after a restart".to_owned())
    }),
    ("When memory is full", |kind, r| {
        (kind == ResourceKind::Redis).then(|| match r.evict {
            Evict::None => "writes fail, nothing is evicted".to_owned(),
            Evict::Lru => "the keys used longest ago go".to_owned(),
            Evict::Lfu => "the keys used least go".to_owned(),
            Evict::Ttl => "the keys that expire soonest go".to_owned(),
        })
    }),
    ("Versions", |_, r| {
        r.versioning
            .then(|| "old versions of objects are kept".to_owned())
    }),
    ("Reading", |kind, r| match (kind, r.public) {
        (ResourceKind::Bucket, true) => Some("open to anybody".to_owned()),
        (ResourceKind::Bucket, false) => Some("private".to_owned()),
        _ => None,
    }),
    ("Lifecycle", |_, r| {
        some(words::list(
            &r.lifecycle.iter().map(lifecycle).collect::<Vec<_>>(),
        ))
    }),
    ("Connections", |kind, r| match (kind, r.tls) {
        (ResourceKind::Postgres, true) => Some("TLS required".to_owned()),
        (_, false) => Some("without TLS".to_owned()),
        _ => None,
    }),
    ("Reached from", |_, r| {
        some(words::codes(&r.allow)).map(|networks| format!("the product's components and {networks}"))
    }),
    ("On disk", |_, r| {
        Some(if r.encrypted { "encrypted" } else { "not encrypted" }.to_owned())
    }),
    ("Patched", |_, r| r.patch.as_ref().map(words::window)),
    ("May cost", |_, r| {
        r.budget.map(|budget| format!("{budget} a month"))
    }),
];

pub(crate) fn write(product: &Product<'_>, page: &mut Page) {
    for (kind, name, resource) in product.resources() {
        let mut table = Table::new(["Setting", "Value"]);
        for (label, value) in SETTINGS {
            let told = product.of_resource(name, |resource| value(kind, resource));
            if !told.is_empty() {
                table.row([(*label).to_owned(), told]);
            }
        }
        page.heading(3, &format!("{name} ({})", kind.word()));
        if let Some(about) = &resource.about {
            page.paragraph(words::sentence(about));
        }
        page.table(&table);
    }
}

fn some(text: String) -> Option<String> {
    (!text.is_empty()).then_some(text)
}

fn size(resource: &Resource) -> Option<String> {
    let mut parts = Vec::new();
    parts.extend(resource.size.as_ref().map(|size| words::text(size)));
    parts.extend(
        resource
            .memory
            .map(|memory| format!("{} memory", words::size(memory))),
    );
    parts.extend(
        resource
            .storage
            .map(|storage| format!("{} disk", words::size(storage))),
    );
    some(parts.join(", "))
}

fn replica(replica: &ReadReplica) -> String {
    let place = replica.region.as_ref().map_or_else(
        || "one here".to_owned(),
        |region| format!("one in {}", words::code(region)),
    );
    let why = replica
        .why
        .as_ref()
        .map(|why| format!(" for {}", words::text(why)));
    format!("{place}{}", why.unwrap_or_default())
}

fn lifecycle(rule: &Lifecycle) -> String {
    let what = match (&rule.prefix, rule.old_versions) {
        (Some(prefix), false) => format!("objects under {}", words::code(prefix)),
        (Some(prefix), true) => format!("replaced versions under {}", words::code(prefix)),
        (None, true) => "replaced versions".to_owned(),
        (None, false) => "objects".to_owned(),
    };
    let to = match rule.to {
        StorageClass::Delete => "are deleted",
        StorageClass::Infrequent => "move to storage for infrequent access",
        StorageClass::Archive => "move to the archive",
    };
    format!("{what} {to} after {}", words::time(rule.after))
}

#[cfg(test)]
mod tests {
    use crate::tests::section;

    #[test]
    fn a_resource_tells_where_environments_differ() {
        insta::assert_snapshot!(section(super::write, r#"
            product = "shop"
            [service.web]
            run = "web"
            uses = ["db", "cache", "files"]
            [postgres.db]
            about = "Orders"
            version = 16
            pool = 20
            storage = "20GiB"
            [redis.cache]
            persistent = false
            evict = "lru"
            [bucket.files]
            versioning = true
            lifecycle = [{ after = "30d", to = "infrequent" }, { after = "1y", prefix = "tmp/" }]
            [secret.DATABASE_URL]
            [environment.dev]
            [environment.prod.postgres.db]
            bind = "DATABASE_URL"
            size = "small"
            read_replicas = { region = "fra", why = "reports" }
        "#), @r#"
        ### db (postgres)

        Orders.

        | Setting       | Value                                             |
        | ------------- | ------------------------------------------------- |
        | Version       | 16                                                |
        | Bound to      | the one whose address is in `DATABASE_URL` (prod) |
        | Size          | 20 GiB disk (dev); small, 20 GiB disk (prod)      |
        | Pool          | 20 connections, each given for a transaction      |
        | Read replicas | one in `fra` for reports (prod)                   |
        | Connections   | TLS required                                      |
        | On disk       | encrypted                                         |

        ### cache (redis)

        | Setting             | Value                             |
        | ------------------- | --------------------------------- |
        | Persistence         | none: it is empty after a restart |
        | When memory is full | the keys used longest ago go      |
        | On disk             | encrypted                         |

        ### files (bucket)

        | Setting   | Value                            |
        | --------- | -------------------------------- |
        | Versions  | old versions of objects are kept |
        | Reading   | private                          |
        | Lifecycle | objects move to storage for infrequent access after 30 days and objects under `tmp/` are deleted after 1 year |
        | On disk   | encrypted                        |
        "#);
    }
}
