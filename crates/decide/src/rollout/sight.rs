//! What a rollout sees of what runs: how many instances of each release stand there, are ready, and what is wrong.

use crate::converge::{Standing, Well};
use crate::tend::{Part, Tended};
use std::collections::BTreeMap;
use towpath_model::run::{Life, Trouble};
use towpath_model::unit::Name;

/// A component.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Sight {
    /// How many instances are wanted of it: by the manifest, its hours, its load, or a person. Nothing where nobody has been
    /// told yet what it is, as when a steward has just begun: then what is written holds.
    pub wanted: Option<u32>,
    /// None are wanted because nobody asks for it.
    pub sleeps: bool,
    /// Its instances, by what they were started from.
    pub sides: BTreeMap<String, Tally>,
}

/// The instances that were started from the same.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tally {
    /// How many stand there.
    pub stands: u32,
    /// How many of them take requests.
    pub ready: u32,
    /// How often any of them has been started again after it had ended by itself.
    pub restarts: u32,
    /// What is wrong with one of them.
    pub trouble: Option<Trouble>,
}

/// Everything that runs, as a rollout sees it.
pub fn sights(tended: &Tended) -> BTreeMap<Name, Sight> {
    let parts = tended.parts().iter();
    parts.map(|(name, part)| (name.clone(), sight(part))).collect()
}

/// A component, as a rollout sees it.
pub fn sight(part: &Part) -> Sight {
    let mut sides: BTreeMap<String, Tally> = BTreeMap::new();
    for one in &part.standing {
        let tally = sides.entry(one.seen.digest.clone()).or_default();
        tally.stands += u32::from(one.lives());
        tally.ready += u32::from(one.serves() && !one.leaves());
        tally.restarts += one.seen.restarts;
        tally.trouble = tally.trouble.take().or_else(|| trouble(part, one));
    }
    if let Some((digest, why)) = part.not_started() {
        let tally = sides.entry(digest.to_owned()).or_default();
        tally
            .trouble
            .get_or_insert_with(|| Trouble::NotStarted(why.to_owned()));
    }
    let (wanted, sleeps) = part.wanted();
    let wanted = part.component.is_some().then_some(wanted);
    Sight {
        wanted,
        sleeps,
        sides,
    }
}

fn trouble(part: &Part, one: &Standing) -> Option<Trouble> {
    if one.stopped || one.leaves() {
        return None;
    }
    match (&one.seen.life, &one.well) {
        (
            Life::Resting {
                after, looping: true, ..
            },
            _,
        ) => Some(Trouble::Loops(after.clone())),
        (Life::Resting { after: exit, .. }, _) => Some(Trouble::Ended(exit.clone())),
        // What its keeper would have started again can only have been stopped, by whoever looked after it before.
        (Life::Ended { exit }, _) => {
            let component = part.component_of(&one.seen.digest)?;
            one.stays_ended(component).then(|| Trouble::Ended(exit.clone()))
        }
        (Life::Running { .. }, Well::NotYet { late: Some(why) }) => Some(Trouble::Late(why.clone())),
        (Life::Running { .. }, Well::Lost { why, .. } | Well::Unfilled(why)) => {
            Some(Trouble::Lost(why.clone()))
        }
        _ => None,
    }
}
