//! Rules about cost and operations.

mod items;
mod live;
mod people;
mod spent;
mod written;

use super::Rule;

pub(super) const RULES: &[Rule] = &[
    Rule::Whole(spent::budgets),
    Rule::Scene(spent::unknown),
    Rule::Scene(items::units),
    Rule::Scene(items::idle_words),
    Rule::Scene(items::tiers),
    Rule::Scene(written::service_levels),
    Rule::Scene(written::runbooks),
    Rule::Whole(written::decisions),
    Rule::Scene(written::links),
    Rule::Whole(written::workflows),
    Rule::Scene(people::maintenance),
    Rule::Scene(people::deployers),
    Rule::Scene(live::unshown),
    Rule::Whole(live::impossible),
];
