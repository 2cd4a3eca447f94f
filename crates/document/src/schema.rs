//! How schemas move, what fresh resources are filled with, and what is kept about people.

use crate::page::{Page, Table};
use crate::product::Product;
use crate::words;
use towpath_model::desired::component::Privacy;
use towpath_model::desired::resource::{Migrate, Phase, Seed};

pub(crate) fn write(product: &Product<'_>, page: &mut Page) {
    let mut table = Table::new([
        "Database",
        "Moves by",
        "Phases",
        "When",
        "Contract",
        "Waits for a lock",
    ]);
    for (_, name, _) in product.resources() {
        let of = |value: fn(&Migrate) -> Option<String>| {
            product.of_resource(name, |resource| resource.migrate.as_ref().and_then(value))
        };
        let row = [
            words::code(name),
            of(moves),
            of(|migrate| {
                let phases: Vec<&str> = migrate.phases.iter().map(|phase| phase.word()).collect();
                (!phases.is_empty()).then(|| phases.join(", then "))
            }),
            of(|migrate| migrate.window.as_ref().map(words::window)),
            of(|migrate| migrate.contract.as_ref().map(words::window)),
            of(|migrate| Some(format!("at most {}", words::time(migrate.lock)))),
        ];
        if !row[1].is_empty() {
            table.row(row);
        }
    }
    if !table.is_empty() {
        page.heading(3, "Migrations");
        page.paragraph(rule(product));
        page.table(&table);
    }
    let seeds: Vec<String> = product
        .resources()
        .into_iter()
        .map(|(_, name, _)| {
            (
                name,
                product.of_resource(name, |resource| resource.seed.as_ref().and_then(seed)),
            )
        })
        .filter(|(_, told)| !told.is_empty())
        .map(|(name, told)| format!("{} is filled once by {told}.", words::code(name)))
        .collect();
    if !seeds.is_empty() {
        page.heading(3, "Seeds");
        page.list(seeds);
    }
    let privacy = privacy(product);
    if !privacy.is_empty() {
        page.heading(3, "Personal data");
        page.table(&privacy);
    }
}

/// What the phases mean for going back.
fn rule(product: &Product<'_>) -> String {
    let contracts = product.resources().iter().any(|(_, _, resource)| {
        resource
            .migrate
            .as_ref()
            .is_some_and(|migrate| migrate.phases.contains(&Phase::Contract) || migrate.contract.is_some())
    });
    match contracts {
        true => "Expand adds and backfill fills in; old and new code run beside each other. Contract takes away, and behind it there is no rollback: a flag is turned, the fault is fixed, or the database is restored to a point in time.".to_owned(),
        false => "There is no contract phase: migrations only add, so that old and new code run beside each other and a release can go back.".to_owned(),
    }
}

fn moves(migrate: &Migrate) -> Option<String> {
    let command = migrate.command.as_ref().map(words::code);
    command.or_else(|| {
        migrate
            .folder
            .as_ref()
            .map(|folder| format!("the files in {}", words::code(folder)))
    })
}

fn seed(seed: &Seed) -> Option<String> {
    seed.command
        .as_ref()
        .map(words::code)
        .or_else(|| seed.file.as_ref().map(words::code))
}

fn privacy(product: &Product<'_>) -> Table {
    let mut table = Table::new([
        "Where",
        "What is kept about a person",
        "How it is deleted",
        "Asked for by",
    ]);
    let components = product
        .components()
        .into_iter()
        .map(|(_, name, component)| (name, component.privacy.as_ref()));
    let resources = product
        .resources()
        .into_iter()
        .map(|(_, name, resource)| (name, resource.privacy.as_ref()));
    for (name, privacy) in components.chain(resources) {
        if let Some(Privacy { keeps, delete, law }) = privacy {
            table.row([
                words::code(name),
                words::text(keeps),
                words::maybe(delete),
                words::maybe(law),
            ]);
        }
    }
    table
}

#[cfg(test)]
mod tests {
    use crate::tests::section;

    #[test]
    fn schemas_tell_phases_and_windows() {
        insta::assert_snapshot!(section(super::write, r#"
            product = "shop"
            [service.web]
            run = "web"
            uses = "db"
            privacy = { keeps = "hashed ids", delete = "/privacy delete", law = "GDPR" }
            [postgres.db]
            migrate = { command = "npx prisma migrate deploy", phases = ["expand", "backfill", "contract"], contract = "sun 02:00-04:00" }
            [environment.dev]
            postgres.db.seed = "seed.sql"
            [environment.prod]
        "#), @r#"
        ### Migrations

        Expand adds and backfill fills in; old and new code run beside each other. Contract takes away, and behind it there is no rollback: a flag is turned, the fault is fixed, or the database is restored to a point in time.

        | Database | Moves by                    | Phases                               | Contract                         | Waits for a lock  |
        | -------- | --------------------------- | ------------------------------------ | -------------------------------- | ----------------- |
        | `db`     | `npx prisma migrate deploy` | expand, then backfill, then contract | every Sunday from 02:00 to 04:00 | at most 5 seconds |

        ### Seeds

        - `db` is filled once by `seed.sql` (dev).

        ### Personal data

        | Where | What is kept about a person | How it is deleted | Asked for by |
        | ----- | --------------------------- | ----------------- | ------------ |
        | `web` | hashed ids                  | /privacy delete   | GDPR         |
        "#);
    }
}
