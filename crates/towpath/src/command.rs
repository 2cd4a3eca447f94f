//! The commands, one file each.

mod check;
mod completions;
mod cost;
mod docs;
mod explain;
mod init;
mod plan;
mod schema;

use crate::cli::{Cli, Command};
use crate::door::terminal::Terminal;
use crate::failure::Failure;
use clap::Parser;
use std::process::ExitCode;

/// What a command is handed.
pub(crate) struct Context {
    /// The terminal.
    pub(crate) terminal: Terminal,
}

/// Runs the command that was typed.
pub fn run() -> ExitCode {
    let cli = Cli::parse();
    let context = Context {
        terminal: Terminal::new(cli.color),
    };
    let done = match cli.command {
        Command::Init(args) => init::run(&context, args),
        Command::Check(args) => check::run(&context, args),
        Command::Explain(args) => explain::run(&context, args),
        Command::Schema => schema::run(&context),
        Command::Completions(args) => completions::run(&context, args),
        Command::Docs(args) => docs::run(&context, args),
        Command::Cost(args) => cost::run(&context, args),
        Command::Plan(args) => plan::run(&context, args),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            context.terminal.tell(&told(&failure));
            ExitCode::from(failure.kind.code())
        }
    }
}

/// A failure as text.
fn told(failure: &Failure) -> String {
    if failure.message.is_empty() {
        return String::new();
    }
    let mut text = format!("\u{1b}[1;31merror\u{1b}[0m: {}\n", failure.message);
    if let Some(hint) = &failure.hint {
        text.push_str(&format!("  \u{1b}[1;36mhelp\u{1b}[0m: {hint}\n"));
    }
    text
}
