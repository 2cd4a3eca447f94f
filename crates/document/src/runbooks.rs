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
        .map(|when| format!("When: {}", words::sentence(when)));
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
        "##), @r#"
        ### Rollback

        When a release does harm. When in doubt, go back first and look for the reason after.

        1. `towpath rollback prod` puts the release before back: code, configuration, secrets and flags together. It should take at most 2 minutes, needs no network, registry or pipeline, and prints how long it took.
        2. If it refuses because a contract migration has run, the old code cannot work any more: turn off what is new by a flag, fix forward, or restore the database to a point in time.
        3. Where a part misbehaves and not the release, a kill switch is quicker: `safe` (Rules alone).
        4. What is kept in front is cleared by `bin/purge-cdn`, which runs by itself.
        5. Look at `towpath status prod` until everything is well, and write down what happened. The last 5 releases can be gone back to.

        ### Incident response

        When an alert arrives or somebody reports that something does not work.

        1. Say that you are on it, where alerts arrive: Discord #ops.
        2. Look at `towpath status prod` and `towpath logs prod web`.
        3. If a release or a flag was changed shortly before, take that back first: `towpath rollback prod`.
        4. If it is beyond you, or nobody has answered within 15 minutes, call: team lead, then CTO.
        5. When it is over, read `towpath audit prod` and write down what happened, what helped and what would have kept it from happening.

        ### Restore from backup

        When data is lost or wrong. For `db` the promise is: at most 15 minutes of work may be lost, and it is back within 4 hours.

        1. Note the last moment at which all was well, and stop whatever makes it worse.
        2. `towpath restore prod db --to "2026-05-01 12:34"` restores `db` beside the one that is there, which stays untouched.
        3. Look at what came back: the heartbeat row says up to which moment. Then let the components have the new address.
        4. `towpath status prod` must be well again before you tell that it is over.

        **Restore Postgres**

        When: Data is lost.

        1. Run `towpath restore prod db`.
        2. \# Look.

        Tell customers | all.

        ### Database failover

        When `db` does not answer and does not come back by itself.

        1. `towpath status prod` tells whether the database answers. Components that can do without it go on; the others hold their requests.
        2. There is no standby: restore it onto another machine with `towpath restore prod db`.
        3. When it is over, make sure that there is a standby or a backup again before anything else is changed.

        ### Certificate rotation

        When a certificate is about to end, or its key may be known to others.

        1. Certificates for visitors are renewed by the edge by itself. `towpath status prod` tells when each one ends.
        2. If one is not renewed, look whether the address still points here and whether the authority can reach it.
        3. Certificates between components come from the product's own authority, last 7 days and are replaced before that by themselves. After a leak, deploy again: every instance starts with a new one.

        ### The queue does not drain

        1. Look at `towpath logs prod web`.
        "#);
    }
}
