//! `towpath completions`: completions for a shell.

use super::Context;
use crate::cli::{Cli, Completions};
use crate::failure::Failure;
use clap::CommandFactory;

pub(super) fn run(context: &Context, args: Completions) -> Result<(), Failure> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "towpath", &mut script);
    context.terminal.result(&String::from_utf8_lossy(&script))
}
