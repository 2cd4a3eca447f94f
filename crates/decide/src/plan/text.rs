//! A plan as people read it: numbered, under headings, with the reason behind each step.

use std::fmt::Write as _;
use towpath_model::plan::{Part, Plan};

/// The plan as text, each line ended.
pub fn text(plan: &Plan) -> String {
    let mut text = format!(
        "{} into {}: {} steps\n",
        plan.product,
        plan.environment,
        plan.steps.len()
    );
    let width = plan.steps.len().to_string().len();
    let mut part: Option<Part> = None;
    for step in &plan.steps {
        if part != Some(step.part) {
            part = Some(step.part);
            text.push('\n');
            text.push_str(step.part.title());
            text.push('\n');
        }
        // Writing to a text cannot fail.
        let _ = writeln!(text, "{:>width$}. {}", step.id.0, step.action);
        let _ = writeln!(text, "{:width$}  because {}", "", step.because);
    }
    text
}
