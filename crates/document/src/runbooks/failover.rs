//! What to do when the database is gone.

use super::Written;
use crate::product::Product;
use crate::words;
use towpath_model::desired::resource::{Availability, Resource};
use towpath_model::unit::Name;

pub(super) fn write(product: &Product<'_>) -> Option<Written> {
    let (name, database) = product.main.postgres.first()?;
    let live = product.live();
    let mut steps = vec![format!(
        "{} tells whether the database answers. Components that can do without it go on; the others hold their requests.",
        words::code(format!("towpath status {live}"))
    )];
    steps.extend(switch(product, name, database));
    if let Some(bind) = &database.bind {
        steps.push(format!(
            "Give the components the address of the new one: {}. Then {} lets them start with it.",
            words::code(format!("towpath secrets set {live} {bind}")),
            words::code(format!("towpath deploy {live}"))
        ));
    }
    steps.push("When it is over, make sure that there is a standby or a backup again before anything else is changed.".to_owned());
    let host = database
        .at
        .as_ref()
        .map(|at| format!(" It is kept by {}.", product.host(at.as_str())));
    Some(Written {
        when: format!(
            "When {} does not answer and does not come back by itself.{}",
            words::code(name),
            host.unwrap_or_default()
        ),
        steps,
    })
}

fn switch(product: &Product<'_>, name: &Name, database: &Resource) -> Vec<String> {
    let live = product.live();
    let mut steps = Vec::new();
    match database.availability {
        Availability::Zones => steps.push("The standby in the other zone takes over by itself. Wait for that, and look whether it has.".to_owned()),
        Availability::Regions => steps.push("The standby in the other region has to be promoted. Do that only when the first region stays away: both at once would write apart.".to_owned()),
        Availability::Single if database.backup.is_some() => steps.push(format!(
            "There is no standby. Restore it onto another machine: {}.",
            words::code(format!("towpath restore {live} {name}"))
        )),
        Availability::Single => steps.push("There is neither a standby nor a backup: only the machine itself can bring it back.".to_owned()),
    }
    let replicas: Vec<String> = database
        .read_replicas
        .iter()
        .filter_map(|replica| replica.region.as_ref())
        .map(words::code)
        .collect();
    if !replicas.is_empty() {
        steps.push(format!(
            "The read replica in {} can be promoted; what had not reached it is lost.",
            words::either(&replicas)
        ));
    }
    steps
}
