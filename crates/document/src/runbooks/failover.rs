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
    let regions = database
        .read_replicas
        .iter()
        .filter_map(|replica| replica.region.as_ref());
    let regions: Vec<String> = regions.map(words::code).collect();
    if !regions.is_empty() {
        steps.push(format!(
            "Promote the read replica in {}; what had not reached it is lost.",
            words::either(&regions)
        ));
    }
    let first = if regions.is_empty() {
        "There is no standby: restore"
    } else {
        "If that is not possible, restore"
    };
    steps.push(match database.availability {
        Availability::Zones => "The standby in the other zone takes over by itself. Wait for that, and look whether it has.".to_owned(),
        Availability::Regions => "The standby in the other region has to be promoted. Do that only when the first region stays away: both at once would write apart.".to_owned(),
        Availability::Single if database.backup.is_some() => format!(
            "{first} it onto another machine with {}.",
            words::code(format!("towpath restore {live} {name}"))
        ),
        Availability::Single => "There is no backup: only the machine itself can bring it back.".to_owned(),
    });
    steps
}
