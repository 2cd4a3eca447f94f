//! Rules about components.

mod bots;
mod extensions;
mod queues;
mod running;
mod scaling;

use super::Rule;

pub(super) const RULES: &[Rule] = &[
    Rule::Scene(bots::one_instance),
    Rule::Scene(bots::handover),
    Rule::Scene(bots::shards),
    Rule::Scene(scaling::never_woken),
    Rule::Scene(scaling::always_on),
    Rule::Scene(scaling::crossed),
    Rule::Whole(scaling::no_room),
    Rule::Whole(scaling::schedules),
    Rule::Scene(scaling::memory_share),
    Rule::Scene(queues::countable),
    Rule::Scene(running::nothing_to_run),
    Rule::Scene(running::nothing_to_serve),
    Rule::Scene(running::overlap),
    Rule::Scene(running::health),
    Rule::Scene(running::stops),
    Rule::Scene(running::ports),
    Rule::Scene(running::stand_ins),
    Rule::Whole(running::unused_stand_ins),
    Rule::Scene(extensions::order),
    Rule::Scene(extensions::browsers),
    Rule::Whole(extensions::released),
];
