//! The reference of the command line.

use clap::CommandFactory;
use std::fmt::Write;
use towpath::cli::Cli;

/// Every command with its help.
pub(super) fn reference() -> String {
    let mut cli = Cli::command().term_width(100);
    cli.build();
    let mut text = String::from("# Commands\n\nWhat `towpath COMMAND --help` prints.\n");
    let _ = write!(text, "\n## towpath\n\n```text\n{}\n```\n", plain(&mut cli));
    let names: Vec<String> = cli
        .get_subcommands()
        .map(|command| command.get_name().to_owned())
        .collect();
    for name in names {
        if let Some(command) = cli.find_subcommand_mut(&name) {
            let _ = write!(text, "\n## towpath {name}\n\n```text\n{}\n```\n", plain(command));
            for below in command.get_subcommands_mut() {
                let own = below.get_name().to_owned();
                let _ = write!(
                    text,
                    "\n## towpath {name} {own}\n\n```text\n{}\n```\n",
                    plain(below)
                );
            }
        }
    }
    text
}

fn plain(command: &mut clap::Command) -> String {
    let help = command.render_long_help().to_string();
    help.lines()
        .map(str::trim_end)
        .collect::<Vec<_>>()
        .join("\n")
        .trim_end()
        .to_owned()
}
