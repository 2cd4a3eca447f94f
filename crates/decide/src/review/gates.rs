//! Rules about gates, probes, objectives and alerts.

mod asked;
mod change;
mod people;
mod probes;
mod sources;
mod told;

use super::Rule;

pub(super) const RULES: &[Rule] = &[
    Rule::Scene(told::severities),
    Rule::Scene(told::channels),
    Rule::Scene(told::bounds),
    Rule::Scene(told::rollbacks),
    Rule::Scene(told::rotations),
    Rule::Scene(probes::expectations),
    Rule::Scene(probes::percentiles),
    Rule::Scene(probes::aims),
    Rule::Scene(probes::schedules),
    Rule::Scene(probes::objectives),
    Rule::Scene(asked::gates),
    Rule::Scene(asked::canaries),
    Rule::Whole(asked::without_canary),
    Rule::Whole(asked::canaries_in_ci),
    Rule::Scene(change::changes),
    Rule::Scene(people::approvals),
    Rule::Scene(people::waivers),
    Rule::Scene(sources::metrics),
];
