//! Going back to the release before.

use super::Written;
use crate::product::Product;
use crate::{rollout, words};
use towpath_model::desired::component::ComponentKind;
use towpath_model::desired::resource::Phase;

pub(super) fn write(product: &Product<'_>) -> Option<Written> {
    product.components().first()?;
    let live = product.live();
    let mut steps = vec![format!(
        "{} puts the release before back: code, configuration, secrets and flags together. It should take at most {}, needs no network, registry or pipeline, and prints how long it took.",
        words::code(format!("towpath rollback {live}")),
        rollout::rollback_within(product)
    )];
    let contracts = product.main.postgres.iter().any(|(_, database)| {
        database
            .migrate
            .as_ref()
            .is_some_and(|migrate| migrate.contract.is_some() || migrate.phases.contains(&Phase::Contract))
    });
    if product
        .main
        .postgres
        .values()
        .any(|database| database.migrate.is_some())
    {
        steps.push(match contracts {
            true => "If it refuses because a contract migration has run, the old code cannot work any more: turn off what is new by a flag, fix forward, or restore the database to a point in time.".to_owned(),
            false => "The schema stays as it is: without a contract phase migrations only add, so the release before runs on it.".to_owned(),
        });
    }
    let switches: Vec<String> = product
        .all(|product| &product.flag)
        .into_iter()
        .filter(|(_, flag)| flag.kill)
        .map(|(name, flag)| match &flag.about {
            Some(about) => format!("{} ({})", words::code(name), words::text(about)),
            None => words::code(name),
        })
        .collect();
    if !switches.is_empty() {
        steps.push(format!(
            "Where a part misbehaves and not the release, a kill switch is quicker: {}.",
            words::list(&switches)
        ));
    }
    steps.extend(commands(product));
    let stores: Vec<&str> = product
        .all(|product| &product.extension)
        .into_iter()
        .flat_map(|(_, component)| component.store.values().map(|store| store.kind.title()))
        .collect();
    if !stores.is_empty() {
        steps.push(format!("Packages in {} cannot be taken back: the version before is sent there anew under a higher number, and waits for its review.", words::list(&stores)));
    }
    let kept = words::count(product.root.releases.keep, "release");
    steps.push(format!(
        "Look at {} until everything is well, and write down what happened. The last {kept} can be gone back to.",
        words::code(format!("towpath status {live}"))
    ));
    let bots = product
        .components()
        .iter()
        .any(|(kind, ..)| *kind == ComponentKind::Bot);
    let bots = if bots {
        " A bot is away while one instance gives way to the other."
    } else {
        ""
    };
    Some(Written {
        when: format!(
            "When a release does harm. When in doubt, go back first and look for the reason after.{bots}"
        ),
        steps,
    })
}

/// What runs by itself behind a rollback.
fn commands(product: &Product<'_>) -> Vec<String> {
    let mut steps = Vec::new();
    if let Some(purge) = &product.main.edge.purge {
        steps.push(format!(
            "What is kept in front is cleared by {}, which runs by itself.",
            words::code(purge)
        ));
    }
    for (_, name, component) in product.components() {
        if let Some(command) = component
            .hooks
            .as_ref()
            .and_then(|hooks| hooks.after_rollback.as_ref())
        {
            steps.push(format!(
                "{} then runs {} by itself.",
                words::code(name),
                words::code(command)
            ));
        }
    }
    steps
}
