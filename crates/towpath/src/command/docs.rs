//! `towpath docs`: the infrastructure document.

use super::Context;
use crate::checked::check;
use crate::cli::Docs;
use crate::door::files;
use crate::failure::{Failure, Kind};
use similar::TextDiff;
use std::path::Path;

/// The most bytes of a document that is compared.
const MOST_BYTES: usize = 64 * 1024 * 1024;

pub(super) fn run(context: &Context, args: Docs) -> Result<(), Failure> {
    let checked = check(args.at.path.as_deref())?;
    let text = checked.document()?;
    checked.tell_doubts(&context.terminal);
    match (&args.check, &args.out) {
        (Some(file), _) => compare(context, file, &text, &again(&args, file)),
        (None, Some(file)) => write(context, file, &text),
        (None, None) => context.terminal.result(&text),
    }
}

/// The command that writes the document anew.
fn again(args: &Docs, file: &Path) -> String {
    let path = args
        .at
        .path
        .as_ref()
        .map(|path| format!("{} ", path.display()))
        .unwrap_or_default();
    format!("towpath docs {path}--out {}", file.display())
}

/// Fails with a diff where the file is not what would be written.
fn compare(context: &Context, file: &Path, text: &str, again: &str) -> Result<(), Failure> {
    let shown = file.display().to_string();
    let Some(there) = files::text(file, MOST_BYTES)? else {
        return Err(
            Failure::new(Kind::Config, format!("there is no {shown}")).hint(format!("write it: {again}"))
        );
    };
    if there == text {
        return context.terminal.result(&format!("{shown} says what is true\n"));
    }
    let diff = TextDiff::from_lines(there.as_str(), text);
    let now = format!("{shown} as it would be written now");
    context.terminal.result(
        &diff
            .unified_diff()
            .context_radius(3)
            .header(&shown, &now)
            .to_string(),
    )?;
    Err(Failure::new(Kind::Config, format!("{shown} is stale")).hint(format!("write it anew: {again}")))
}

/// Replaces the file, unless it says the same already.
fn write(context: &Context, file: &Path, text: &str) -> Result<(), Failure> {
    let shown = file.display();
    if files::text(file, MOST_BYTES)?.as_deref() == Some(text) {
        return context
            .terminal
            .result(&format!("{shown} says what is true already\n"));
    }
    files::replace(file, text)?;
    context.terminal.result(&format!("{shown} is written\n"))
}
