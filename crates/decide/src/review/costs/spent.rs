//! Rules about what is spent, and how much of it is known.

use super::super::Scene;
use super::super::Whole;
use super::super::listed::listed;
use crate::cost::{Bound, Budget, Line, Open, Verdict, against_budgets, estimate, shown, shown_price};
use std::collections::BTreeSet;
use towpath_model::code;
use towpath_model::finding::{Finding, Where};
use towpath_model::spec::Path;

/// Every budget is kept, has costs to be compared with, and can be compared.
pub(in super::super) fn budgets(whole: &Whole<'_>, found: &mut Vec<Finding>) {
    let mut told: BTreeSet<Path> = BTreeSet::new();
    for budget in against_budgets(whole.root, None) {
        if let Some(finding) = judged(&budget) {
            told.insert(budget.at.clone());
            found.push(finding);
        }
    }
    // An environment may have a budget of its own, or cost more than the root says.
    for (name, product) in whole.environments {
        for budget in against_budgets(product, Some(name)) {
            if told.contains(&budget.at) || !matches!(budget.verdict, Verdict::Over(_)) {
                continue;
            }
            if let Some(mut finding) = judged(&budget) {
                finding.environments = vec![(*name).clone()];
                found.push(finding);
            }
        }
    }
}

fn judged(budget: &Budget) -> Option<Finding> {
    let lines = &budget.estimate.lines;
    if lines.is_empty() {
        let message = format!("{} has a budget, and nothing says what it costs", budget.of);
        return Some(
            Finding::value(&code::BUDGET_OF_NOTHING, budget.at.clone(), message)
                .label("of which costs?")
                .hint("write what costs: [cost.host] with price = \"$13\" and `of`"),
        );
    }
    match budget.verdict {
        Verdict::Kept | Verdict::Open(Open::AtLeast) => None,
        Verdict::Over(by) => Some(over(budget, &shown_price(by))),
        Verdict::Open(Open::Currencies) => {
            let foreign: Vec<&Line> = lines
                .iter()
                .filter(|line| line.month.money.currency() != budget.most.currency())
                .filter(|line| !line.month.money.is_zero())
                .collect();
            let first = foreign.first()?;
            let message = format!(
                "the budget of {} is in {}, and {} is paid in {}",
                budget.of,
                budget.most.currency(),
                listed(foreign.iter().map(|line| line.name.as_str()).take(4), "and"),
                first.month.money.currency()
            );
            Some(
                Finding::value(&code::CURRENCIES, budget.at.clone(), message)
                    .label("cannot be compared")
                    .also(
                        Where::Value(first.at.key("price")),
                        format!("{} a month", shown_price(first.month)),
                    )
                    .hint(
                        "write prices in one currency, as on the bill of the card that pays for all of them",
                    ),
            )
        }
    }
}

/// A budget that is passed, with what costs most.
fn over(budget: &Budget, by: &str) -> Finding {
    let mut dear: Vec<&Line> = budget
        .estimate
        .lines
        .iter()
        .filter(|line| line.month.money.currency() == budget.most.currency())
        .collect();
    dear.sort_by_key(|line| std::cmp::Reverse(line.month.money.amount()));
    let message = format!(
        "{} costs {} a month, {by} more than its budget of {}",
        budget.of,
        budget.estimate.total(),
        shown(budget.most)
    );
    let mut finding =
        Finding::value(&code::OVER_BUDGET, budget.at.clone(), message).label(format!("passed by {by}"));
    for line in dear.iter().take(2).filter(|line| !line.month.money.is_zero()) {
        finding = finding.also(
            Where::Key(line.at.clone()),
            format!("{} a month", shown_price(line.month)),
        );
    }
    let save = dear.iter().find_map(|line| {
        Some(format!(
            "how `{}` could cost less: {}",
            line.name,
            line.save.as_ref()?
        ))
    });
    finding.hint(save.unwrap_or_else(|| {
        format!(
            "raise the budget to {}, or spend less; `towpath cost` shows each line",
            budget.estimate.total().trim_start_matches("at least ")
        )
    }))
}

/// Each item says enough to know what it costs.
pub(in super::super) fn unknown(scene: &Scene<'_>, found: &mut Vec<Finding>) {
    let environment = scene.environment.map(|(name, _)| name);
    for line in estimate(scene.product, environment).lines {
        let name = &line.name;
        let (message, label, hint) = match line.bound {
            Some(Bound::NoPrice) => (
                format!("cost item `{name}` does not say what it costs"),
                "no price",
                "write price = \"$5\"; free = true if nothing is asked, included = true if it is paid elsewhere",
            ),
            Some(Bound::BeyondQuota) => (
                format!("`{name}` uses more than is free, and the rest has no price"),
                "more than its quota",
                "write the price of one unit: price = \"$0.01\"",
            ),
            Some(Bound::BeyondTiers) => (
                format!("`{name}` uses more than its last tier covers, and the rest has no price"),
                "above the last tier",
                "leave `up_to` out of the last tier, or write `price` for what is above it",
            ),
            Some(Bound::NoUse) => (
                format!("`{name}` has a quota, and does not say how much is used of it"),
                "how much is used?",
                "write units = 300, or free = true if the quota is enough",
            ),
            Some(Bound::Currencies) => {
                let message =
                    format!("`{name}` has prices in several currencies, and only one of them is counted");
                found.push(
                    Finding::key(&code::CURRENCIES, line.at.clone(), message)
                        .label("cannot be added up")
                        .hint("write all of its prices in one currency"),
                );
                continue;
            }
            Some(Bound::Price | Bound::TooLarge) | None => continue,
        };
        found.push(
            Finding::key(&code::COST_UNKNOWN, line.at.clone(), message)
                .label(label)
                .hint(hint),
        );
    }
}
