//! `towpath cost`: what the product costs a month.

use super::Context;
use crate::checked::check;
use crate::cli::Cost;
use crate::columns::{Align, columns};
use crate::failure::Failure;
use serde_json::{Value, json};
use std::fmt::Write;
use towpath_decide::cost::{Budget, Estimate, Verdict, against_budgets, estimate, shown, shown_price};
use towpath_model::unit::{Name, Price};

pub(super) fn run(context: &Context, args: Cost) -> Result<(), Failure> {
    let checked = check(args.at.path.as_deref())?;
    let (product, environment) = checked.product(args.env.as_deref())?;
    checked.tell_doubts(&context.terminal);
    let estimated = estimate(product, environment);
    let budgets = against_budgets(product, environment);
    let text = if args.json {
        format!(
            "{:#}\n",
            as_json(product.product.as_str(), environment, &estimated, &budgets)
        )
    } else {
        as_text(product.product.as_str(), environment, &estimated, &budgets)
    };
    context.terminal.result(&text)
}

fn as_text(product: &str, environment: Option<&Name>, estimated: &Estimate, budgets: &[Budget]) -> String {
    let place = environment.map(|name| format!(" in {name}")).unwrap_or_default();
    if estimated.lines.is_empty() {
        return format!("nothing of {product}{place} is said to cost anything; [cost.NAME] says what does\n");
    }
    let mut rows = vec![["item", "units", "rate", "a month"].map(str::to_owned).to_vec()];
    for line in &estimated.lines {
        // A plan that only says again what the rate says is noise.
        let told = |plan: &&String| line.rate.to_lowercase().contains(&plan.to_lowercase());
        let rate = match line.plan.as_ref().filter(|plan| !told(plan)) {
            Some(plan) => format!("{} ({plan})", line.rate),
            None => line.rate.clone(),
        };
        rows.push(vec![
            line.title.clone(),
            line.units.clone(),
            rate,
            amount(line.month),
        ]);
    }
    rows.push(vec![
        "in all".to_owned(),
        String::new(),
        String::new(),
        estimated.total(),
    ]);
    let mut text = format!("{product}{place}, a month\n\n");
    text.push_str(&columns(
        &rows,
        &[Align::Left, Align::Left, Align::Left, Align::Right],
    ));
    let notes: Vec<String> = estimated
        .lines
        .iter()
        .flat_map(|line| {
            let bound = line.bound.map(|bound| format!("{}: {bound}", line.title));
            let assumed = line
                .assumed
                .as_ref()
                .map(|assumed| format!("{}: assumes {assumed}", line.title));
            let save = line.save.as_ref().map(|save| format!("{}: {save}", line.title));
            [bound, assumed, save].into_iter().flatten()
        })
        .collect();
    if !notes.is_empty() {
        text.push('\n');
        for note in notes {
            let _ = writeln!(text, "  {note}");
        }
    }
    if !budgets.is_empty() {
        text.push('\n');
        for budget in budgets {
            let _ = writeln!(text, "  {}", sentence(budget));
        }
    }
    text
}

/// A price as it stands in a table.
fn amount(price: Price) -> String {
    if price.at_least {
        format!("{}+", shown(price.money))
    } else {
        shown(price.money)
    }
}

/// How a budget stands.
fn sentence(budget: &Budget) -> String {
    let (of, most, total) = (&budget.of, shown(budget.most), budget.estimate.total());
    match &budget.verdict {
        _ if budget.estimate.lines.is_empty() => {
            format!("{of}: has a budget of {most}, and nothing says what it costs")
        }
        Verdict::Kept => format!("{of}: {total} is within its budget of {most}"),
        Verdict::Open(open) => {
            format!("{of}: {total}, against a budget of {most}; more cannot be told, because {open}")
        }
        Verdict::Over(over) => format!(
            "{of}: {total} is {} over its budget of {most}",
            shown_price(*over)
        ),
    }
}

/// The estimate for programs: amounts are decimal numbers as text, so that nothing is lost.
fn as_json(product: &str, environment: Option<&Name>, estimated: &Estimate, budgets: &[Budget]) -> Value {
    let price = |price: Price| {
        json!({
            "amount": price.money.rounded().amount().to_string(),
            "currency": price.money.currency().to_string(),
            "at_least": price.at_least,
        })
    };
    let lines: Vec<Value> = estimated
        .lines
        .iter()
        .map(|line| {
            json!({
                "name": line.name,
                "title": line.title,
                "of": line.of,
                "units": line.units,
                "rate": line.rate,
                "plan": line.plan,
                "month": price(line.month),
                "because": line.bound.map(|bound| bound.to_string()),
                "assumed": line.assumed,
                "save": line.save,
            })
        })
        .collect();
    let budgets: Vec<Value> = budgets
        .iter()
        .map(|budget| {
            json!({
                "of": budget.of.to_string(),
                "most": price(Price { money: budget.most, at_least: false }),
                "kept": match &budget.verdict {
                    Verdict::Kept => json!(true),
                    Verdict::Open(_) => Value::Null,
                    Verdict::Over(_) => json!(false),
                },
                "because": sentence(budget),
            })
        })
        .collect();
    json!({
        "product": product,
        "environment": environment.map(Name::as_str),
        "lines": lines,
        "totals": estimated.totals.iter().map(|total| price(*total)).collect::<Vec<_>>(),
        "budgets": budgets,
    })
}
