//! Migrations: how a schema moves, and when.

use crate::review::{Scene, resource_at};
use towpath_model::code;
use towpath_model::desired::resource::{Phase, ResourceKind};
use towpath_model::finding::{Finding, Where};

/// Neither a command nor a folder, or both.
pub(super) fn how(scene: &Scene<'_>, found: &mut Vec<Finding>) {
    for (name, resource) in &scene.product.postgres {
        let Some(migrate) = &resource.migrate else {
            continue;
        };
        let at = resource_at(ResourceKind::Postgres, name).key("migrate");
        let finding = match (&migrate.command, &migrate.folder) {
            (Some(_), Some(_)) => Finding::key(
                &code::MIGRATE_HOW,
                at.key("folder"),
                format!("the schema of `{name}` moves by a command and by a folder"),
            )
            .label("a second way")
            .also(Where::Key(at.key("command")), "the first one")
            .hint("take one of them out; a command that reads the folder is enough"),
            (None, None) => Finding::key(
                &code::MIGRATE_HOW,
                at,
                format!("the schema of `{name}` has migrations, but nothing says how they run"),
            )
            .label("neither `command` nor `folder`")
            .hint("add `folder = \"migrations\"` for SQL files, or a command, as in `command = \"prisma migrate deploy\"`"),
            _ => continue,
        };
        found.push(finding);
    }
}

/// Contract migrations without a time, or with one that never comes.
pub(super) fn contract(scene: &Scene<'_>, found: &mut Vec<Finding>) {
    for (name, resource) in &scene.product.postgres {
        let Some(migrate) = &resource.migrate else {
            continue;
        };
        let at = resource_at(ResourceKind::Postgres, name).key("migrate");
        match (&migrate.window, &migrate.contract) {
            (None, None) if scene.lasting() => {
                let Some(position) = migrate.phases.iter().position(|phase| *phase == Phase::Contract) else {
                    continue;
                };
                let message = format!(
                    "contract migrations of `{name}` may run with any deployment, and there is no way back"
                );
                found.push(
                    Finding::value(&code::CONTRACT_UNTIMED, at.key("phases").nth(position), message)
                        .label("no rollback behind it")
                        .hint("give it a time with few visitors, as in `contract = \"sun 02:00-04:00\"`"),
                );
            }
            (Some(window), Some(contract)) if window.meets(contract) == Some(false) => {
                let message = format!(
                    "contract migrations of `{name}` may run {contract}, but migrations only {window}: they never run"
                );
                found.push(
                    Finding::value(&code::CONTRACT_NEVER, at.key("contract"), message)
                        .label("outside of the window")
                        .also(Where::Value(at.key("window")), "when migrations may run at all")
                        .hint("let the two overlap, or take `window` out"),
                );
            }
            _ => {}
        }
    }
}
