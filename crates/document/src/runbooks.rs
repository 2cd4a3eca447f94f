//! What to do when something happens: five runbooks that every product has, and those that the manifest adds.

mod certificates;
mod failover;
mod incident;
mod restore;
mod rollback;

use crate::page::Page;
use crate::product::Product;
use crate::words;
use towpath_model::desired::operations::Runbook;
use towpath_model::unit::Name;

/// A runbook that follows from the manifest.
pub(crate) struct Written {
    /// When it is needed.
    when: String,
    /// What to do, in order; Markdown.
    steps: Vec<String>,
}

/// The names under which the manifest adds to a runbook that follows from it, and its title.
type Kind = (
    &'static str,
    &'static [&'static str],
    fn(&Product<'_>) -> Option<Written>,
);

const KINDS: &[Kind] = &[
    ("Rollback", &["rollback", "roll-back"], rollback::write),
    (
        "Incident response",
        &["incident", "incidents", "incident-response"],
        incident::write,
    ),
    (
        "Restore from backup",
        &["restore", "restore-from-backup", "backup"],
        restore::write,
    ),
    (
        "Database failover",
        &["failover", "database-failover"],
        failover::write,
    ),
    (
        "Certificate rotation",
        &["certificates", "certificate", "certificate-rotation"],
        certificates::write,
    ),
];

pub(crate) fn write(product: &Product<'_>, page: &mut Page) {
    let own = product.all(|product| &product.runbook);
    let mut told: Vec<&Name> = Vec::new();
    for (title, names, write) in KINDS {
        let Some(written) = write(product) else { continue };
        page.heading(3, title);
        page.paragraph(written.when);
        page.steps(written.steps);
        for (name, runbook) in own.iter().filter(|(name, _)| names.contains(&name.as_str())) {
            told.push(name);
            let heading = runbook
                .title
                .as_deref()
                .filter(|own| !own.eq_ignore_ascii_case(title));
            page.paragraph(format!(
                "**{}**",
                heading.map_or_else(|| "For this product".to_owned(), words::text)
            ));
            added(runbook, page);
        }
    }
    for (name, runbook) in own.into_iter().filter(|(name, _)| !told.contains(name)) {
        page.heading(
            3,
            &runbook
                .title
                .as_deref()
                .map_or_else(|| words::code(name), words::text),
        );
        added(runbook, page);
    }
}

/// What the manifest says.
fn added(runbook: &Runbook, page: &mut Page) {
    let of = runbook
        .of
        .as_ref()
        .map(|of| format!("It is about {}.", words::code(of)));
    let when = runbook
        .when
        .as_ref()
        .map(|when| format!("Needed when {}", words::sentence_after(when)));
    page.paragraph(when.into_iter().chain(of).collect::<Vec<_>>().join(" "));
    page.steps(runbook.steps.iter().map(|step| words::sentence(step)));
    if !runbook.tell.is_empty() {
        page.paragraph(format!("Tell {}.", words::texts(&runbook.tell)));
    }
}

#[cfg(test)]
mod tests {
    use crate::tests::section;

    #[test]
    fn runbooks_name_commands_people_and_promises() {
        insta::assert_snapshot!(section(super::write, r##"
            product = "shop"
            [edge]
            mtls = true
            purge = "bin/purge-cdn"
            [service.web]
            run = "web"
            public = true
            uses = "db"
            [postgres.db]
            backup = { full = "daily", wal = "5m", drill = "monthly" }
            promise = { rpo = "15m", rto = "4h" }
            migrate = { folder = "migrations", phases = ["expand", "contract"] }
            [flag.safe]
            kill = true
            guards = "web"
            about = "Rules alone"
            [channel.ops]
            discord = "#ops"
            secret = "OPS"
            [secret.OPS]
            [oncall.team]
            people = ["ana", "ben"]
            escalate = ["team lead", "CTO"]
            [runbook.restore]
            title = "Restore Postgres"
            when = "data is lost"
            steps = ["Run `towpath restore prod db`", "# Look"]
            tell = "customers | all"
            [runbook.queue]
            title = "The queue does not drain"
            steps = ["Look at `towpath logs prod web`"]
            [environment.dev]
            postgres.db.backup = false
            postgres.db.promise = false
            [environment.prod]
            domain = "example.com"
        "##), @"");
    }
}
