//! `towpath plan`: every step and gate on the way into an environment.

use super::Context;
use crate::checked::check;
use crate::cli::Plan as Args;
use crate::failure::{Failure, Kind};
use serde_json::{Value, json};
use towpath_decide::lint::lint;
use towpath_decide::plan::{plan, text};
use towpath_model::plan::{Action, Plan, Step};

pub(super) fn run(context: &Context, args: Args) -> Result<(), Failure> {
    let checked = check(args.at.path.as_deref())?;
    let (product, name) = checked.product(Some(&args.env))?;
    let name = name.ok_or_else(|| checked.unknown_environment(&args.env))?;
    let color = context.terminal.color_errors;
    checked.refuse_errors("planned", &[], color, &mut |text| context.terminal.tell(text))?;
    let planned = plan(product, name, &checked.environments());
    let defects = lint(&planned, product);
    if let Some(defect) = defects.first() {
        return Err(Failure::new(
            Kind::Internal,
            format!("the plan for {name} breaks its own rules: {defect}"),
        )
        .hint("this is a mistake of ours, and nothing of yours: please tell us, with the manifest"));
    }
    let shown = if args.json {
        format!("{:#}\n", as_json(&planned))
    } else {
        text(&planned)
    };
    context.terminal.result(&shown)
}

/// The plan for programs.
fn as_json(plan: &Plan) -> Value {
    json!({
        "product": plan.product.as_str(),
        "environment": plan.environment.as_str(),
        "steps": plan.steps.iter().map(step).collect::<Vec<_>>(),
    })
}

fn step(step: &Step) -> Value {
    let gate = match &step.action {
        Action::Ask(gate) => json!(gate.name.as_str()),
        _ => Value::Null,
    };
    json!({
        "id": step.id.0,
        "part": step.part.word(),
        "does": step.action.word(),
        "of": step.action.subjects(),
        "gate": gate,
        "says": step.action.to_string(),
        "needs": step.needs.iter().map(|id| id.0).collect::<Vec<_>>(),
        "because": { "rule": step.because.word(), "says": step.because.to_string() },
    })
}
