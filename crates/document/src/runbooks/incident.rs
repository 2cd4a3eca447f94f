//! Answering an incident.

use super::Written;
use crate::product::Product;
use crate::{alerts, words};
use towpath_model::desired::operations::ServiceMeasure;

pub(super) fn write(product: &Product<'_>) -> Option<Written> {
    product.components().first()?;
    let live = product.live();
    let main = product
        .components()
        .into_iter()
        .find(|(kind, ..)| kind.runs())
        .map(|(_, name, _)| name.as_str());
    let logs = main.map(|name| format!(" and {}", words::code(format!("towpath logs {live} {name}"))));
    let channels: Vec<String> = product
        .all(|product| &product.channel)
        .into_iter()
        .map(|(name, channel)| alerts::place(name, channel))
        .collect();
    let mut steps = Vec::new();
    steps.push(match channels.is_empty() {
        true => "Say that you are on it, where everybody reads it.".to_owned(),
        false => format!(
            "Say that you are on it, where alerts arrive: {}.",
            words::list(&channels)
        ),
    });
    steps.push(format!(
        "Look at {}{}.",
        words::code(format!("towpath status {live}")),
        logs.unwrap_or_default()
    ));
    steps.push(format!(
        "If a release or a flag was changed shortly before, take that back first: {}.",
        words::code(format!("towpath rollback {live}"))
    ));
    let levers = !product.all(|product| &product.lever).is_empty();
    if levers {
        steps.push("If something is short, the levers in the section on scaling say what helps.".to_owned());
    }
    steps.extend(next(product));
    steps.push(format!(
        "When it is over, read {} and write down what happened, what helped and what would have kept it from happening.",
        words::code(format!("towpath audit {live}"))
    ));
    let answer = product
        .root
        .service_level
        .values()
        .find(|level| level.measure == ServiceMeasure::Answer)
        .map(|level| format!(" Somebody answers within {}.", words::time(level.within)));
    Some(Written {
        when: format!(
            "When an alert arrives or somebody reports that something does not work.{}",
            answer.unwrap_or_default()
        ),
        steps,
    })
}

/// Whom to call next.
fn next(product: &Product<'_>) -> Vec<String> {
    product
        .all(|product| &product.oncall)
        .into_iter()
        .filter(|(_, rotation)| !rotation.escalate.is_empty())
        .map(|(_, rotation)| {
            let people: Vec<String> = rotation
                .escalate
                .iter()
                .map(|person| words::text(person))
                .collect();
            format!(
                "If it is beyond you, or nobody has answered within {}, call: {}.",
                words::time(rotation.after),
                people.join(", then ")
            )
        })
        .collect()
}
