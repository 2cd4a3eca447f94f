//! What a product costs a month, line by line, and which budgets that breaks.
//!
//! **What it decides.** Each `[cost.x]`, and each one-time fee of a store, becomes one line: so many units, at such a
//! rate, so much a month. The lines are added up for each currency.
//!
//! **Why like this.** The table is read by people, who add it up: so each line is rounded to the smallest coin first,
//! half of it up, and a total is the sum of the lines as they are shown. Between the price and that rounding nothing
//! is rounded to a coin. Amounts of two currencies are never added, because the rate between them is not ours to know.
//!
//! **What a month is.** A twelfth of a year, and a year has 365 days: a month has 365/12 days, which is exactly the 730
//! hours that providers multiply an hourly price with. Leap years are left out by them, and so here. A one-time fee is
//! spread over `over`, or a year; never over less than a month, because it cannot cost more than itself.
//!
//! **What is free.** The first `quota` units of each time are free, and the tiers count them: of 1,500 units with 1,000
//! free, the remaining 500 cost what the 1,001st to the 1,500th do. `free` without a quota covers everything.
//!
//! **When it refuses.** It never invents a number. A price that is a lower bound, a use past a free quota without a
//! price, a quota without a use, units above the last tier, a line without any price, an amount too large to keep: each
//! makes its line, and with it the total, a lower bound, and the line says why. A budget against a lower bound below it,
//! or against costs in another currency, is neither kept nor broken but open.

mod budget;
mod line;
#[cfg(test)]
mod tests;

pub use budget::{Budget, BudgetOf, Open, Verdict, against_budgets};

use line::Priced;
use std::fmt;
use towpath_model::Desired;
use towpath_model::desired::cost::CostItem;
use towpath_model::spec::Path;
use towpath_model::unit::{Currency, Money, Name, Price};

/// What a product costs a month.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Estimate {
    /// What costs, in the order in which it was written; store fees last.
    pub lines: Vec<Line>,
    /// The sum of the lines of each currency, in the order in which the currencies came up. Empty without lines.
    pub totals: Vec<Price>,
}

/// One line of an estimate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// Its name in the manifest; of a store's fee, `extension.store`.
    pub name: String,
    /// Where it was written.
    pub at: Path,
    /// What it is called.
    pub title: String,
    /// What it pays for.
    pub of: Vec<String>,
    /// How much of it: `1 x user`, `10 000 requests/day`.
    pub units: String,
    /// What one unit costs: `$20/user`, `free tier`, `$5 once over 12 months`.
    pub rate: String,
    /// The plan, as the provider calls it.
    pub plan: Option<String>,
    /// What a month costs, rounded to the smallest coin; a lower bound where there is a `bound`.
    pub month: Price,
    /// Why it is only a lower bound.
    pub bound: Option<Bound>,
    /// What is assumed, where it is usage.
    pub assumed: Option<String>,
    /// How it could be less.
    pub save: Option<String>,
}

/// Why a line is only a lower bound.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Bound {
    /// The price itself is one: `$25+`.
    Price,
    /// Nothing says what it costs.
    NoPrice,
    /// More is used than is free, and the rest has no price.
    BeyondQuota,
    /// More is used than the last tier covers, and the rest has no price.
    BeyondTiers,
    /// There is a free quota and a price, but not how much is used.
    NoUse,
    /// Its prices are in several currencies; those of the first one are counted.
    Currencies,
    /// It is more than can be kept.
    TooLarge,
}

impl fmt::Display for Bound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Bound::Price => "the price is a lower bound",
            Bound::NoPrice => "nothing says what it costs",
            Bound::BeyondQuota => "more is used than is free, and the rest has no price",
            Bound::BeyondTiers => "more is used than the last tier covers, and the rest has no price",
            Bound::NoUse => "how much is used is not written",
            Bound::Currencies => "its prices are in several currencies, of which one is counted",
            Bound::TooLarge => "it is more than can be kept",
        })
    }
}

/// What a product costs a month: all of it, or only what counts in an environment.
///
/// An item that is limited to some environments counts in those; without an environment every item counts once.
pub fn estimate(product: &Desired, environment: Option<&Name>) -> Estimate {
    let lines: Vec<Line> = items(product, environment)
        .map(|(name, item)| line::of_item(name, item, product.seats))
        .chain(fees(product))
        .collect();
    Estimate::of(lines)
}

/// The cost items that count.
fn items<'a>(
    product: &'a Desired,
    environment: Option<&'a Name>,
) -> impl Iterator<Item = (&'a Name, &'a CostItem)> {
    product.cost.iter().filter(move |(_, item)| match environment {
        Some(here) => item.only.is_empty() || item.only.iter().any(|only| only.as_str() == here.as_str()),
        None => true,
    })
}

/// The one-time fees of stores.
fn fees(product: &Desired) -> impl Iterator<Item = Line> {
    product.extension.iter().flat_map(|(extension, component)| {
        component
            .store
            .iter()
            .filter_map(move |(store, listing)| Some(line::of_fee(extension, store, listing, listing.fee?)))
    })
}

/// The sum of the lines of each currency.
fn totals(lines: &[Line]) -> Vec<Price> {
    let mut totals: Vec<Price> = Vec::new();
    for line in lines {
        let currency = line.month.money.currency();
        match totals.iter_mut().find(|total| total.money.currency() == currency) {
            Some(total) => *total = plus(*total, line.month),
            None => totals.push(line.month),
        }
    }
    // What is free has no currency of its own: it does not make a second total.
    if totals.len() > 1 {
        totals.retain(|total| !total.money.is_zero() || total.at_least);
    }
    totals
}

/// The sum within one currency; where it is more than can be kept, the larger one as a lower bound of it.
fn plus(sum: Price, more: Price) -> Price {
    let larger = if sum.money < more.money { more } else { sum };
    sum.checked_add(more).unwrap_or(Price {
        money: larger.money,
        at_least: true,
    })
}

impl Estimate {
    /// The estimate of these lines.
    fn of(lines: Vec<Line>) -> Self {
        let totals = totals(&lines);
        Estimate { lines, totals }
    }

    /// The total in a currency; zero where nothing costs in it.
    pub fn total_in(&self, currency: Currency) -> Price {
        self.totals
            .iter()
            .find(|total| total.money.currency() == currency)
            .copied()
            .unwrap_or(Price::exactly(Money::zero(currency)))
    }

    /// The totals as a sentence's part: `$34.12`, `at least $71.00`, `$5.00 and €3.00`.
    pub fn total(&self) -> String {
        let shown: Vec<String> = self.totals.iter().map(|total| shown_price(*total)).collect();
        if shown.is_empty() {
            shown_price(Price::default())
        } else {
            shown.join(" and ")
        }
    }
}

/// Money as it stands in a table: nothing is `$0`, everything else has all of its coins: `$71.00`.
pub fn shown(money: Money) -> String {
    let currency = money.currency();
    let decimals = if money.is_zero() {
        0
    } else {
        currency.decimals() as usize
    };
    let amount = money.rounded().amount();
    match currency.symbol() {
        Some(symbol) => format!("{symbol}{amount:.decimals$}"),
        None => format!("{amount:.decimals$} {currency}"),
    }
}

/// A price as it stands in a table: `at least $71.00`.
pub fn shown_price(price: Price) -> String {
    let least = if price.at_least { "at least " } else { "" };
    format!("{least}{}", shown(price.money))
}

impl Line {
    /// A line from what was worked out.
    fn new(name: String, at: Path, title: String, priced: Priced) -> Self {
        Line {
            name,
            at,
            title,
            of: Vec::new(),
            units: priced.units,
            rate: priced.rate,
            plan: None,
            month: Price {
                money: priced.money,
                at_least: priced.bound.is_some(),
            },
            bound: priced.bound,
            assumed: None,
            save: None,
        }
    }
}
