//! `towpath check`: everything that is wrong with a manifest, at once.

use super::Context;
use crate::checked::{Checked, check};
use crate::cli::Check;
use crate::failure::Failure;
use crate::render;

pub(super) fn run(context: &Context, args: Check) -> Result<(), Failure> {
    let mut checked = check(args.at.path.as_deref())?;
    if let Some(environment) = &args.env {
        if checked.reading.desired.is_some()
            && !checked.reading.environments.contains_key(environment.as_str())
        {
            return Err(checked.unknown_environment(environment));
        }
        checked = checked.only(environment);
    }
    let (errors, warnings) = checked.count();
    let sources = &checked.reading.sources;
    if args.json {
        let found = render::as_json(&checked.diagnostics, sources);
        context.terminal.result(&format!("{found:#}\n"))?;
    } else {
        tell(context, &checked, args.deny_warnings)?;
    }
    if errors > 0 || (warnings > 0 && args.deny_warnings) {
        Err(Failure::told())
    } else {
        Ok(())
    }
}

/// Shows what was found, and in the end how it stands.
fn tell(context: &Context, checked: &Checked, deny_warnings: bool) -> Result<(), Failure> {
    let (errors, warnings) = checked.count();
    let color = context.terminal.color_errors;
    context.terminal.tell(&render::diagnostics(
        &checked.diagnostics,
        &checked.reading.sources,
        color,
    ));
    let name = &checked.name;
    if errors + warnings == 0 {
        return context
            .terminal
            .result(&format!("{name} is right: {}\n", summary(checked)));
    }
    let counted = [counted(errors, "error"), counted(warnings, "warning")];
    let counted: Vec<String> = counted.into_iter().flatten().collect();
    let fails = errors > 0 || deny_warnings;
    let end = if fails { "" } else { "; it works as it is" };
    context
        .terminal
        .tell(&format!("{} in {name}{end}\n", counted.join(" and ")));
    if let Some(first) = checked.diagnostics.first() {
        context.terminal.tell(&format!(
            "`towpath explain {}` tells more about the first\n",
            first.code.id
        ));
    }
    Ok(())
}

/// What is in a manifest.
fn summary(checked: &Checked) -> String {
    let Some(product) = &checked.reading.desired else {
        return "nothing".to_owned();
    };
    let parts = [
        counted(product.components().count(), "component"),
        counted(product.resources().count(), "resource"),
        counted(checked.reading.environments.len(), "environment"),
    ];
    let parts: Vec<String> = parts.into_iter().flatten().collect();
    if parts.is_empty() {
        "nothing to run yet".to_owned()
    } else {
        parts.join(", ")
    }
}

/// `3 errors`, or nothing for none.
fn counted(count: usize, noun: &str) -> Option<String> {
    match count {
        0 => None,
        1 => Some(format!("1 {noun}")),
        _ => Some(format!("{count} {noun}s")),
    }
}
