//! The commands, one file each.

mod bucket;
mod certificate;
mod check;
mod compile;
mod completions;
mod cost;
mod deploy;
mod docs;
mod doctor;
mod down;
mod edge;
mod explain;
mod export;
mod freeze;
mod gates;
mod history;
mod init;
mod install;
mod keep;
mod logs;
mod maintenance;
mod metrics;
mod open;
mod plan;
mod promote;
mod release;
mod releases;
mod requests;
mod reset;
mod resource;
mod rollback;
mod rollout;
mod run;
mod schema;
mod secrets;
mod serve;
mod shell;
mod sign_out;
mod status;
mod steward;
mod token;
mod top;
mod trust;
mod up;

use crate::cli::{Cli, Command, OnRelease, OnStored, Token};
use crate::door::elsewhere;
use crate::door::terminal::Terminal;
use crate::failure::{Failure, Kind};
use clap::Parser;
use std::process::ExitCode;

pub(crate) use steward::config as steward_config;

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
    let gone = cli.to.as_deref().map_or(Ok(()), |to| go(to, &cli.command));
    let done = gone.and_then(|()| carry_out(&context, cli.command));
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            context.terminal.tell(&told(&failure));
            ExitCode::from(failure.kind.code())
        }
    }
}

/// Goes to a machine elsewhere, unless the command is about this one.
fn go(to: &str, command: &Command) -> Result<(), Failure> {
    let exchanges = matches!(command, Command::Token(Token::Exchange(_)));
    let stays = matches!(
        command,
        Command::Up(_)
            | Command::Certificate(_)
            | Command::Run(_)
            | Command::Psql(_)
            | Command::Redis(_)
            | Command::Bucket(_)
            | Command::Data(_)
            | Command::Promote(_)
            | Command::Doctor(_)
            | Command::Init(_)
            | Command::Check(_)
            | Command::Plan(_)
            | Command::Docs(_)
            | Command::Export(_)
            | Command::Cost(_)
            | Command::Schema
            | Command::Completions(_)
            | Command::Serve(_)
            | Command::Token(_)
            | Command::Steward(_)
            | Command::Edge(_)
            | Command::Resource
            | Command::Compile(_)
    );
    if stays && !exchanges {
        let message = "this command is about this machine, and --to names another one";
        return Err(
            Failure::new(Kind::User, message).hint("leave --to away, or run the command on that machine")
        );
    }
    elsewhere::go(to)
}

fn carry_out(context: &Context, command: Command) -> Result<(), Failure> {
    match command {
        Command::Init(args) => init::run(context, args),
        Command::Check(args) => check::run(context, args),
        Command::Explain(args) => explain::run(context, args),
        Command::Schema => schema::run(context),
        Command::Completions(args) => completions::run(context, args),
        Command::Docs(args) => docs::run(context, args),
        Command::Export(args) => export::run(context, &args),
        Command::Cost(args) => cost::run(context, args),
        Command::Plan(args) => plan::run(context, args),
        Command::Up(args) => up::run(context, args),
        Command::Down(args) => down::run(context, args),
        Command::Status(args) => status::run(context, args),
        Command::Logs(args) => logs::run(context, args),
        Command::Metrics(args) => metrics::run(context, args),
        Command::Start(args) => keep::run(context, args, "start"),
        Command::Stop(args) => keep::run(context, args, "stop"),
        Command::Restart(args) => keep::run(context, args, "restart"),
        Command::Scale(args) => keep::scale(context, args),
        Command::Maintenance(args) => maintenance::run(context, args),
        Command::Certificate(args) => certificate::run(context, &args),
        Command::SignOut(args) => sign_out::run(context, &args),
        Command::Run(args) => run::run(context, args),
        Command::Secrets(args) => secrets::run(context, args),
        Command::Psql(args) => shell::psql(args),
        Command::Redis(args) => shell::redis(args),
        Command::Bucket(args) => bucket::run(context, args),
        Command::Data(args) => match args.what {
            OnStored::Reset(args) => reset::run(context, args),
        },
        Command::Deploy(args) => deploy::run(context, &args),
        Command::Promote(args) => promote::run(context, &args),
        Command::Rollback(args) => rollback::run(context, args),
        Command::Rollout(args) => rollout::run(context, args),
        Command::Releases(args) => releases::run(context, &args),
        Command::Release(OnRelease::Diff(args)) => release::diff(context, &args),
        Command::History(args) => history::run(context, &args),
        Command::Gates(args) => gates::run(context, &args),
        Command::Gate(on) => gates::about(context, &on),
        Command::Freeze(args) => freeze::freeze(context, &args),
        Command::Thaw(args) => freeze::thaw(context, &args),
        Command::Open(args) => open::run(context, args),
        Command::Top(args) => top::run(context, args),
        Command::Doctor(args) => doctor::run(context, args),
        Command::Serve(args) => serve::run(context, &args),
        Command::Token(args) => token::run(context, args),
        Command::Steward(args) => steward::run(&args),
        Command::Edge(args) => edge::run(context, &args),
        Command::Resource => resource::run(),
        Command::Compile(args) => compile::run(context, args),
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
