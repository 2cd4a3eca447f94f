//! What is done again and again, and how soon things are done.

use crate::page::{Page, Table};
use crate::product::Product;
use crate::words;
use towpath_model::desired::operations::{Maintenance, ServiceMeasure};
use towpath_model::unit::{Duration, Name};

pub(crate) fn write(product: &Product<'_>, page: &mut Page) {
    page.table(&calendar(product));
    let mut levels = Table::new(["Service level", "Within", "Measured by"]);
    for (_, level) in product.all(|product| &product.service_level) {
        let measure = match level.measure {
            ServiceMeasure::Age => "the age of the oldest open one",
            ServiceMeasure::Answer => "the time until somebody answers",
            ServiceMeasure::Done => "the time until it is done",
        };
        let metric = level
            .metric
            .as_ref()
            .map(|metric| format!(" ({})", words::code(metric)));
        levels.row([
            words::text(&level.about),
            words::time(level.within),
            format!("{measure}{}", metric.unwrap_or_default()),
        ]);
    }
    if !levels.is_empty() {
        page.heading(3, "Service levels");
        page.table(&levels);
    }
}

/// One line of the calendar.
struct Entry {
    every: Duration,
    when: String,
    what: String,
    by: String,
}

/// Everything that comes back, the most frequent first: what is written, and what follows from the manifest.
fn calendar(product: &Product<'_>) -> Table {
    let mut entries: Vec<Entry> = product
        .all(|product| &product.maintenance)
        .into_iter()
        .map(|(name, item)| entry(product, name, item))
        .collect();
    entries.extend(derived(product));
    entries.sort_by_key(|entry| entry.every);
    let mut table = Table::new(["How often", "When", "What", "By"]);
    for entry in entries {
        table.row([often(entry.every).to_owned(), entry.when, entry.what, entry.by]);
    }
    table
}

fn often(every: Duration) -> &'static str {
    match every.days() {
        0 => "several times a day",
        1 => "daily",
        2..=8 => "weekly",
        9..=45 => "monthly",
        46..=120 => "quarterly",
        _ => "yearly",
    }
}

fn entry(product: &Product<'_>, name: &Name, item: &Maintenance) -> Entry {
    let who = item.who.as_ref().map(|role| product.role(role.as_str()));
    let command = item.command.as_ref().map(words::code);
    let to = match item.to.is_empty() {
        true => String::new(),
        false => format!("; told to {}", words::codes(&item.to)),
    };
    let place = item.of.as_ref().map(|place| format!(" in {place}"));
    Entry {
        every: item.every.interval(),
        when: words::schedule(&item.every),
        what: format!(
            "{}{}",
            item.about
                .as_deref()
                .map_or_else(|| words::code(name), words::text),
            place.unwrap_or_default()
        ),
        by: format!("{}{to}", command.or(who).unwrap_or_else(|| "a person".to_owned())),
    }
}

/// What Towpath does again and again by itself.
fn derived(product: &Product<'_>) -> Vec<Entry> {
    let mut entries = Vec::new();
    let mut add = |schedule: &towpath_model::unit::Schedule, what: String, by: &str| {
        entries.push(Entry {
            every: schedule.interval(),
            when: words::schedule(schedule),
            what,
            by: by.to_owned(),
        });
    };
    for (_, name, resource) in product.main.resources() {
        if let Some(backup) = &resource.backup {
            let name = words::code(name);
            if let Some(full) = backup.full.as_ref().filter(|_| !backup.provider) {
                add(full, format!("Back up {name}"), "Towpath");
            }
            if let Some(drill) = &backup.drill {
                add(drill, format!("Try a restore of {name}"), "Towpath");
            }
        }
    }
    for (name, secret) in product.all(|product| &product.secret) {
        if let Some(rotate) = &secret.rotate {
            let by = if secret.generate.is_some() {
                "Towpath"
            } else {
                "a person"
            };
            add(rotate, format!("Replace {}", words::code(name)), by);
        }
        if let Some(rewrap) = &secret.rewrap {
            add(
                rewrap,
                format!("Wrap the keys under {} anew", words::code(name)),
                "Towpath",
            );
        }
    }
    for (name, environment, _) in product.places() {
        if let (Some(refresh), Some(from)) = (&environment.data.refresh, &environment.data.copy) {
            add(refresh, format!("Copy {from} to {name} anew"), "Towpath");
        }
    }
    entries
}

#[cfg(test)]
mod tests {
    use crate::tests::section;

    #[test]
    fn the_calendar_tells_the_most_frequent_first() {
        insta::assert_snapshot!(section(super::write, r#"
            product = "shop"
            [service.web]
            run = "web"
            uses = "db"
            [postgres.db]
            backup = { full = "daily 02:00", drill = "monthly" }
            [secret.KEY]
            rotate = "quarterly"
            [role.dev]
            title = "Developers"
            [maintenance.reports]
            about = "Look through error reports"
            every = "weekly"
            who = "dev"
            [maintenance.audit]
            every = "monthly"
            command = "bin/audit"
            [service_level.patches]
            about = "Security patches"
            within = "24h"
            [service_level.answer]
            about = "Incidents"
            within = "15m"
            measure = "answer"
            [environment.prod]
        "#), @r#"
        | How often | When                                       | What                       | By          |
        | --------- | ------------------------------------------ | -------------------------- | ----------- |
        | daily     | every day at 02:00                         | Back up `db`               | Towpath     |
        | weekly    | every Sunday at 00:00                      | Look through error reports | Developers  |
        | monthly   | on the first day of every month at 00:00   | `audit`                    | `bin/audit` |
        | monthly   | on the first day of every month at 00:00   | Try a restore of `db`      | Towpath     |
        | quarterly | on the first day of every quarter at 00:00 | Replace `KEY`              | a person    |

        ### Service levels

        | Service level    | Within     | Measured by                     |
        | ---------------- | ---------- | ------------------------------- |
        | Security patches | 1 day      | the age of the oldest open one  |
        | Incidents        | 15 minutes | the time until somebody answers |
        "#);
    }
}
