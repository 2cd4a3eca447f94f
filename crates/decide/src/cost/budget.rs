//! Budgets against an estimate: which are kept, which are broken and by how much, which cannot be told.

use super::{Estimate, Line, estimate, shown, shown_price};
use std::collections::BTreeMap;
use std::fmt;
use towpath_model::Desired;
use towpath_model::desired::component::ComponentKind;
use towpath_model::desired::resource::ResourceKind;
use towpath_model::spec::Path;
use towpath_model::unit::{Money, Name, Price};

/// What has a budget.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BudgetOf {
    /// All of it.
    Product,
    /// A component: whatever pays for it by name.
    Component(ComponentKind, Name),
    /// A resource: whatever pays for it by name.
    Resource(ResourceKind, Name),
}

impl fmt::Display for BudgetOf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            BudgetOf::Product => f.write_str("the product"),
            BudgetOf::Component(kind, name) => write!(f, "{kind} `{name}`"),
            BudgetOf::Resource(kind, name) => write!(f, "{kind} `{name}`"),
        }
    }
}

/// A budget, with what is spent of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Budget {
    /// What has it.
    pub of: BudgetOf,
    /// Where it was written.
    pub at: Path,
    /// The most that a month may cost.
    pub most: Money,
    /// What a month is estimated to cost, in each currency.
    pub estimate: Estimate,
    /// Whether it is kept.
    pub verdict: Verdict,
}

/// Whether a budget is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// It is.
    Kept,
    /// It cannot be told.
    Open(Open),
    /// It is passed by so much.
    Over(Price),
}

/// Why it cannot be told whether a budget is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Open {
    /// What is known is within it, but it is a lower bound.
    AtLeast,
    /// Something costs in another currency.
    Currencies,
}

impl fmt::Display for Open {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Open::AtLeast => "the estimate is a lower bound",
            Open::Currencies => "something costs in another currency",
        })
    }
}

impl fmt::Display for Budget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let total = self.estimate.total();
        write!(f, "{} costs {total} a month, of {}", self.of, shown(self.most))?;
        match self.verdict {
            Verdict::Kept => Ok(()),
            Verdict::Open(why) => write!(f, ", and {why}"),
            Verdict::Over(by) => write!(f, ", which is {} too much", shown_price(by)),
        }
    }
}

/// Every budget of a product, against what it costs: all of it, or in an environment.
///
/// A cost item counts whole for each component that it names: two that share a machine each pay for it, because how
/// they share it is not known.
pub fn against_budgets(product: &Desired, environment: Option<&Name>) -> Vec<Budget> {
    let all = estimate(product, environment);
    let mut paying: BTreeMap<&str, Vec<Line>> = BTreeMap::new();
    for line in &all.lines {
        for of in &line.of {
            paying.entry(of).or_default().push(line.clone());
        }
    }
    let paying_for = |name: &Name| Estimate::of(paying.get(name.as_str()).cloned().unwrap_or_default());
    let whole = product
        .budget
        .map(|most| judged(BudgetOf::Product, Path::of(["budget"]), most, all.clone()));
    let components = product.components().filter_map(|(kind, name, component)| {
        let at = Path::of([kind.word(), name.as_str(), "budget"]);
        let of = BudgetOf::Component(kind, name.clone());
        Some(judged(of, at, component.budget?, paying_for(name)))
    });
    let resources = product.resources().filter_map(|(kind, name, resource)| {
        let at = Path::of([kind.word(), name.as_str(), "budget"]);
        let of = BudgetOf::Resource(kind, name.clone());
        Some(judged(of, at, resource.budget?, paying_for(name)))
    });
    whole.into_iter().chain(components).chain(resources).collect()
}

fn judged(of: BudgetOf, at: Path, most: Money, estimate: Estimate) -> Budget {
    let verdict = estimate.against(most);
    Budget {
        of,
        at,
        most,
        estimate,
        verdict,
    }
}

impl Estimate {
    /// Whether it keeps within so much a month.
    pub fn against(&self, most: Money) -> Verdict {
        let total = self.total_in(most.currency());
        let over = total.money.checked_sub(most).filter(|over| !over.is_zero());
        let foreign = |price: &Price| price.money.currency() != most.currency() && !price.money.is_zero();
        match over {
            Some(money) => Verdict::Over(Price {
                money,
                at_least: total.at_least,
            }),
            None if self.totals.iter().any(foreign) => Verdict::Open(Open::Currencies),
            None if self.totals.iter().any(|total| total.at_least) => Verdict::Open(Open::AtLeast),
            None => Verdict::Kept,
        }
    }
}
