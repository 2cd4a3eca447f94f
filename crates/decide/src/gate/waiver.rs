//! Waivers: who may pass over a gate, and for how long.
//!
//! A gate that does not say who may waive it cannot be waived; one that says so and names nobody can be by whoever may deploy.
//! A waiver has a reason and an end. One that lasts longer than the gate allows is none, and not a shorter one: whoever
//! asked for a month has not agreed to a week.

use super::person::{either, person};
use jiff::Timestamp;
use towpath_model::desired::gate::Gate;
use towpath_model::run::Waiver;

/// Whether a gate may be passed over so, whenever that is; otherwise why not, in words. What is no gate of its own, as a probe
/// that is named as one, cannot be.
pub fn may_waive(gate: Option<&Gate>, waiver: &Waiver) -> Result<(), String> {
    let Some(waive) = gate.and_then(|gate| gate.waive.as_ref()) else {
        return Err("the gate does not say who may waive it; `waive` of the gate names them".to_owned());
    };
    if !waive.people.is_empty() && person(&waiver.by, &waive.people).is_none() {
        let people: Vec<_> = waive.people.iter().collect();
        return Err(format!(
            "`{}` may not waive it; {} may",
            waiver.by,
            either(&people)
        ));
    }
    if waiver.reason.trim().is_empty() {
        return Err("it has no reason; one stands in the journal for whoever asks later".to_owned());
    }
    if waiver.until <= waiver.at {
        return Err(format!("it ends at {:.0}, before it begins", waiver.until));
    }
    if waiver.until.duration_since(waiver.at) > waive.most.to_jiff() {
        return Err(format!(
            "it lasts until {:.0}, and {} is the most",
            waiver.until, waive.most
        ));
    }
    Ok(())
}

/// Whether a waiver counts now; otherwise why not, and since when.
pub(super) fn counts(gate: Option<&Gate>, waiver: &Waiver, now: Timestamp) -> Result<(), String> {
    let by = &waiver.by;
    if waiver.until <= now {
        return Err(format!(
            "the waiver by {by} has not counted since {:.0}",
            waiver.until
        ));
    }
    if waiver.at > now {
        return Err(format!("the waiver by {by} counts from {:.0} on", waiver.at));
    }
    may_waive(gate, waiver).map_err(|why| format!("the waiver by {by} does not count: {why}"))
}
