//! Rules about environments.

mod contents;
mod path;
mod place;
mod steps;
mod strategy;
mod times;
pub(in crate::review) mod written;

use super::Rule;

pub(super) const RULES: &[Rule] = &[
    Rule::Whole(path::circle),
    Rule::Whole(path::same_trigger),
    Rule::Scene(path::pull_request),
    Rule::Scene(path::previews),
    Rule::Scene(strategy::unit),
    Rule::Whole(strategy::words),
    Rule::Scene(strategy::no_room),
    Rule::Scene(strategy::together),
    Rule::Scene(steps::steps),
    Rule::Scene(steps::stores),
    Rule::Scene(contents::real),
    Rule::Scene(contents::origin),
    Rule::Scene(contents::stand_ins),
    Rule::Scene(times::warm),
    Rule::Scene(times::window),
    Rule::Scene(times::freeze),
    Rule::Scene(times::ready),
    Rule::Scene(place::engine),
];
