//! Costs: whether a product may be estimated to cost so much, which follows from its manifest alone.
//!
//! It is held against the estimate, as `towpath cost` prints it. Where that is a lower bound, what is known has to be within it,
//! and the words say that it is one; what costs in another currency cannot be compared, and nobody guesses.

use crate::cost::{Open, Verdict as Spent, estimate, shown, shown_price};
use towpath_model::Desired;
use towpath_model::run::{Found, Verdict};
use towpath_model::unit::Money;

/// What a gate about costs finds.
pub fn cost(product: &Desired, most: Money) -> Found {
    let estimate = estimate(product, None);
    let verdict = match estimate.against(most) {
        Spent::Kept | Spent::Open(Open::AtLeast) => Verdict::Pass,
        Spent::Open(Open::Currencies) => Verdict::Inconclusive(format!(
            "{}, and what costs in another currency is not compared with {}",
            estimate.total(),
            shown(most)
        )),
        Spent::Over(by) => Verdict::Fail(format!(
            "a month is estimated to cost {}, which is {} too much",
            estimate.total(),
            shown_price(by)
        )),
    };
    Found {
        verdict,
        measured: Some(format!("{} a month", estimate.total())),
        bound: Some(format!("at most {}", shown(most))),
        evidence: Vec::new(),
    }
}
