//! Rules about secrets, variables and flags.

mod clear;
mod flags;
mod kept;
mod looks;
mod variables;
mod visitors;

use super::Rule;

pub(super) use clear::tracked_file;
pub use looks::looks_secret;

pub(super) const RULES: &[Rule] = &[
    Rule::Whole(clear::written),
    Rule::Whole(kept::sessions),
    Rule::Scene(kept::rotations),
    Rule::Scene(kept::overlaps),
    Rule::Scene(kept::plain_files),
    Rule::Scene(kept::sources),
    Rule::Scene(variables::unprovided),
    Rule::Scene(variables::clashes),
    Rule::Scene(variables::commands),
    Rule::Scene(variables::foreseen),
    Rule::Scene(variables::placeholders),
    Rule::Whole(variables::two_sources),
    Rule::Scene(visitors::bundles),
    Rule::Scene(flags::kill_switches),
    Rule::Whole(flags::environments),
];

/// The secret that a value takes: `secret:NAME`.
fn taken(value: &str) -> Option<&str> {
    value.strip_prefix("secret:").map(str::trim)
}
