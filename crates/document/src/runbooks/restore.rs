//! Restoring from a backup.

use super::Written;
use crate::product::Product;
use crate::words;
use towpath_model::desired::resource::{Resource, ResourceKind};
use towpath_model::unit::Name;

pub(super) fn write(product: &Product<'_>) -> Option<Written> {
    let backed: Vec<(ResourceKind, &Name, &Resource)> = product
        .main
        .resources()
        .filter(|(_, _, resource)| resource.backup.is_some())
        .collect();
    let (kind, name, resource) = backed
        .iter()
        .find(|(kind, ..)| *kind == ResourceKind::Postgres)
        .or(backed.first())?;
    let live = product.live();
    let exact = *kind == ResourceKind::Postgres
        && resource
            .backup
            .as_ref()
            .is_some_and(|backup| backup.wal.is_some());
    let command = match exact {
        true => format!("towpath restore {live} {name} --to \"2026-05-01 12:34\""),
        false => format!("towpath restore {live} {name}"),
    };
    let mut steps = vec![
        "Note the last moment at which all was well, and stop whatever makes it worse.".to_owned(),
        format!("{} restores {} beside the one that is there, which stays untouched.", words::code(command), words::code(name)),
        "Look at what came back: the heartbeat row says up to which moment. Then let the components have the new address.".to_owned(),
        format!("{} must be well again before you tell that it is over.", words::code(format!("towpath status {live}"))),
    ];
    steps.extend(
        backed
            .iter()
            .filter(|(_, other, _)| other != name)
            .map(|(_, other, _)| {
                format!(
                    "The same for {}: {}.",
                    words::code(other),
                    words::code(format!("towpath restore {live} {other}"))
                )
            }),
    );
    Some(Written {
        when: format!("When data is lost or wrong.{}", promises(&backed)),
        steps,
    })
}

fn promises(backed: &[(ResourceKind, &Name, &Resource)]) -> String {
    let mut sentences = String::new();
    for (_, name, resource) in backed {
        let Some(promise) = &resource.promise else {
            continue;
        };
        let lost = promise
            .rpo
            .map(|rpo| format!("at most {} of work may be lost", words::time(rpo)));
        let back = promise
            .rto
            .map(|rto| format!("it is back within {}", words::time(rto)));
        let parts: Vec<String> = lost.into_iter().chain(back).collect();
        if !parts.is_empty() {
            sentences.push_str(&format!(
                " For {} the promise is: {}.",
                words::code(name),
                parts.join(", and ")
            ));
        }
    }
    sentences
}
