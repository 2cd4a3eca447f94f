//! Rules about how a cost item is written.

use super::super::Scene;
use towpath_model::code;
use towpath_model::desired::cost::{CostItem, Every};
use towpath_model::finding::{Finding, Where};
use towpath_model::spec::Path;
use towpath_model::unit::{Decimal, Name};

fn at(name: &Name) -> Path {
    Path::of(["cost", name.as_str()])
}

/// What is counted has a name, so that the table can be read.
pub(in super::super) fn units(scene: &Scene<'_>, found: &mut Vec<Finding>) {
    for (name, item) in &scene.product.cost {
        if item.unit.is_some() {
            continue;
        }
        let one = towpath_model::unit::known::<Decimal>("1");
        let (field, number) = match (item.units, item.quota) {
            (Some(units), _) if units.value() != one.value() => ("units", units),
            (_, Some(quota)) => ("quota", quota),
            _ => continue,
        };
        let message = format!("cost item `{name}` counts {number}, and does not say what");
        found.push(
            Finding::value(&code::UNITS_OF_WHAT, at(name).key(field), message)
                .label(format!("{number} of what?"))
                .hint("write unit = \"user\", \"request\" or whatever the bill says"),
        );
    }
}

/// No word stands beside another that makes it mean nothing.
pub(in super::super) fn idle_words(scene: &Scene<'_>, found: &mut Vec<Finding>) {
    for (name, item) in &scene.product.cost {
        let priced = item.price.is_some_and(|price| !price.money.is_zero()) || !item.tiers.is_empty();
        let (idle, by, message, hint) = if item.over.is_some() && item.every != Every::Once {
            (
                "over",
                "every",
                format!(
                    "cost item `{name}` is asked each {}, so there is nothing to spread",
                    item.every
                ),
                "write every = \"once\" if it is a one-time fee, or leave `over` out",
            )
        } else if item.included && priced {
            (
                price_field(item),
                "included",
                format!("cost item `{name}` is paid elsewhere, so its price is not counted"),
                "leave out `included` if it is paid from this budget, or else the price",
            )
        } else if item.free && priced && item.quota.is_none() {
            (
                price_field(item),
                "free",
                format!("cost item `{name}` is free without a limit, so its price is never asked"),
                "write the `quota` up to which it is free, or leave out `free` or the price",
            )
        } else {
            continue;
        };
        found.push(
            Finding::value(&code::COST_WORD_IDLE, at(name).key(idle), message)
                .label("counts for nothing")
                .also(Where::Value(at(name).key(by)), "because of this")
                .hint(hint),
        );
    }
}

fn price_field(item: &CostItem) -> &'static str {
    if item.price.is_some() { "price" } else { "tiers" }
}

/// Tiers rise, and only the last one is open.
pub(in super::super) fn tiers(scene: &Scene<'_>, found: &mut Vec<Finding>) {
    for (name, item) in &scene.product.cost {
        let mut before: Option<Decimal> = None;
        for (index, tier) in item.tiers.iter().enumerate() {
            let here = at(name).key("tiers").nth(index);
            let last = index + 1 == item.tiers.len();
            let wrong = match (tier.up_to, before) {
                (None, _) if !last => Some((
                    format!(
                        "tier {} of `{name}` has no bound, so those behind it are never reached",
                        index + 1
                    ),
                    "covers everything",
                    "write the units that it ends at: up_to = \"1000\"".to_owned(),
                )),
                (Some(to), Some(from)) if to.value() <= from.value() => Some((
                    format!(
                        "tier {} of `{name}` ends at {to}, where the one before it has ended already",
                        index + 1
                    ),
                    "covers nothing",
                    format!("order tiers by `up_to`; this one has to end above {from}"),
                )),
                (Some(to), None) if to.value().is_zero() => Some((
                    format!("tier {} of `{name}` ends at 0, where it begins", index + 1),
                    "covers nothing",
                    "write the units that it ends at, or leave the tier out".to_owned(),
                )),
                _ => None,
            };
            if let Some((message, label, hint)) = wrong {
                let place = if tier.up_to.is_some() {
                    here.key("up_to")
                } else {
                    here
                };
                found.push(
                    Finding::value(&code::TIERS_ORDER, place, message)
                        .label(label)
                        .hint(hint),
                );
                break;
            }
            before = tier.up_to;
        }
    }
}
